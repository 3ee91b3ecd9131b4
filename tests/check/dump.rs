//! The folder that a client with the feature `lab` writes: received pictures as y4m clips or as PGM files.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use lab::y4m;

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
        if path.extension().is_some_and(|kind| kind == "pgm") {
            visit(pgm(&fs::read(&path)?).with_context(|| format!("{} is no PGM picture", path.display()))?)?;
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

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|kind| kind == "y4m" || kind == "pgm") {
            files.push(path);
        }
    }
    Ok(())
}

/// Binary greymap: `P5 WIDTH HEIGHT 255`, one white space, the samples.
fn pgm(bytes: &[u8]) -> Option<Picture> {
    let mut at = 0;
    let mut word = || {
        let start = at + bytes.get(at..)?.iter().position(|byte| !byte.is_ascii_whitespace())?;
        let end = start + bytes.get(start..)?.iter().position(u8::is_ascii_whitespace)?;
        at = end;
        std::str::from_utf8(&bytes[start..end]).ok()
    };
    if word()? != "P5" {
        return None;
    }
    let (width, height): (usize, usize) = (word()?.parse().ok()?, word()?.parse().ok()?);
    if word()? != "255" {
        return None;
    }
    let luma = bytes.get(at + 1..)?.get(..width.checked_mul(height)?)?.to_vec();
    Some(Picture { width, height, luma })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greymap_is_read_and_a_short_one_refused() {
        let picture = pgm(b"P5\n2 2\n255\nabcd").unwrap();
        assert_eq!((picture.width, picture.height, picture.luma.as_slice()), (2, 2, b"abcd".as_slice()));
        for bytes in [b"P5\n2 2\n255\nabc".as_slice(), b"P6 2 2 255 abcd", b"P5", b""] {
            assert!(pgm(bytes).is_none());
        }
    }
}
