//! Pictures against their sources, by number.

use std::path::Path;

use anyhow::{Result, ensure};
use lab::{barcode, y4m};
use serde_json::{Value, json};

use crate::dump;

/// Compares every dumped picture that carries a number with the source picture of that number.
///
/// # Errors
/// When nothing can be compared, or the mean misses `at_least`.
pub(crate) fn compare(folder: &Path, source: &Path, at_least: Option<f64>) -> Result<Value> {
    let mut source = y4m::Reader::open(source)?;
    let (mut values, mut unread, mut scaled) = (Vec::new(), 0_u32, 0_u32);
    dump::each_picture(folder, |picture| {
        let Some(number) = barcode::read(&picture.luma, picture.width, picture.height) else {
            unread += 1;
            return Ok(());
        };
        if (picture.width, picture.height) != source.size() {
            scaled += 1;
            return Ok(());
        }
        values.push(psnr(&picture.luma, &source.luma(u64::from(number) % source.count())?));
        Ok(())
    })?;
    ensure!(
        !values.is_empty(),
        "no picture of the source's size and with a number was received ({unread} without number, {scaled} of another size)"
    );
    values.sort_by(f64::total_cmp);
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let report = json!({
        "pictures": values.len(),
        "without_number": unread,
        "other_size": scaled,
        "psnr_y_db": { "mean": round(mean), "min": round(values[0]), "median": round(values[values.len() / 2]) },
    });
    if let Some(limit) = at_least {
        ensure!(mean >= limit, "mean PSNR below {limit} dB: {report}");
    }
    Ok(report)
}

/// Peak signal-to-noise ratio in dB; equal pictures count as 99.
fn psnr(a: &[u8], b: &[u8]) -> f64 {
    let squares: u64 = a.iter().zip(b).map(|(a, b)| u64::from(a.abs_diff(*b)).pow(2)).sum();
    if squares == 0 {
        return 99.0;
    }
    10.0 * (255.0 * 255.0 * a.len() as f64 / squares as f64).log10()
}

fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_step_everywhere_is_48_db() {
        let (a, b) = (vec![10; 100], vec![11; 100]);
        assert!((psnr(&a, &b) - 48.13).abs() < 0.01);
        assert!((psnr(&a, &a) - 99.0).abs() < 1e-9);
    }
}
