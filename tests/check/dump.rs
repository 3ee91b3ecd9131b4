//! The folder that a client with the feature `lab` writes: `pictures-leafN.i420`, raw pictures one after the other,
//! with a line each in `pictures-leafN.csv` (`number,width,height,…`). A y4m clip is read as well.

use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use lab::y4m;

/// Largest side of a picture that is believed, in pixels.
const MAX_SIDE: usize = 8192;

/// Luma of one received picture.
pub(crate) struct Picture {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) luma: Vec<u8>,
}

/// Calls `visit` for each picture below `folder`, in the order of the files' names.
///
/// # Errors
/// Those of `visit`, and when a file cannot be read or there is none.
pub(crate) fn each_picture(folder: &Path, mut visit: impl FnMut(Picture) -> Result<()>) -> Result<()> {
    let mut files = Vec::new();
    collect(folder, &mut files)?;
    files.sort();
    ensure!(!files.is_empty(), "{} holds no pictures", folder.display());
    for path in files {
        if path.extension().is_some_and(|kind| kind == "i420") {
            let index = fs::read_to_string(path.with_extension("csv")).context("raw pictures without an index")?;
            raw(&path, &index, &mut visit)?;
            continue;
        }
        let mut clip = y4m::Reader::open(&path)?;
        let (width, height) = clip.size();
        for index in 0..clip.count() {
            visit(Picture { width, height, luma: clip.luma(index)? })?;
        }
    }
    Ok(())
}

/// Raw I420 pictures whose sizes stand in the index, one line each after the headings.
fn raw(path: &Path, index: &str, visit: &mut impl FnMut(Picture) -> Result<()>) -> Result<()> {
    let mut file = BufReader::new(File::open(path)?);
    for line in index.lines().skip(1) {
        let mut fields = line.split(',').skip(1);
        let mut side = || fields.next().and_then(|field| field.parse::<usize>().ok()).filter(|side| *side <= MAX_SIDE);
        let (Some(width), Some(height)) = (side(), side()) else { bail!("{line:?} names no size") };
        let mut luma = vec![0; width * height];
        file.read_exact(&mut luma).with_context(|| format!("{} is shorter than its index", path.display()))?;
        file.seek_relative(2 * (width.div_ceil(2) * height.div_ceil(2)) as i64)?;
        visit(Picture { width, height, luma })?;
    }
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|kind| kind == "y4m" || kind == "i420") {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(pictures: &[u8], index: &str) -> Result<Vec<(usize, usize, u8)>> {
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join("pictures-leaf1.i420"), pictures)?;
        fs::write(folder.path().join("pictures-leaf1.csv"), index)?;
        let mut found = Vec::new();
        each_picture(folder.path(), |picture| {
            found.push((picture.width, picture.height, picture.luma[0]));
            Ok(())
        })?;
        Ok(found)
    }

    #[test]
    fn raw_pictures_of_changing_size_are_read_by_their_index() {
        let bytes = [[1; 6].as_slice(), [2; 24].as_slice()].concat();
        let found = sizes(&bytes, "number,width,height,captured_us,decoded_us\n10,2,2,0,0\n20,4,4,0,0\n").unwrap();
        assert_eq!(found, [(2, 2, 1), (4, 4, 2)]);
    }

    #[test]
    fn an_index_that_lies_is_refused() {
        for index in ["h\n10,4,4\n", "h\n10,99999999,99999999\n", "h\n10\n"] {
            assert!(sizes(&[0; 6], index).is_err(), "{index}");
        }
    }
}
