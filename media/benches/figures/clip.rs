//! Pictures of a Y4M clip, in memory, so that no disk is measured.

use std::fs::File;
use std::io::{BufRead, BufReader, Error, Read, Result};
use std::path::Path;

use media::{MediaTime, VideoFrame};

/// Pictures a second of the clip.
pub(crate) const FPS: u32 = 30;
/// More pictures than this are not read: five seconds.
const MOST: u32 = 150;

/// Reads the first pictures.
///
/// # Errors
/// Those of the disk, or a header without a size.
pub(crate) fn read(path: &Path) -> Result<Vec<VideoFrame>> {
    let mut reader = BufReader::new(File::open(path)?);
    let mut header = String::new();
    reader.read_line(&mut header)?;
    let side = |tag: char| -> Result<u32> {
        let field = header.split_whitespace().find_map(|field| field.strip_prefix(tag));
        field.and_then(|side| side.parse().ok()).ok_or_else(|| Error::other("no size in the Y4M header"))
    };
    let (width, height) = (side('W')?, side('H')?);
    let mut frames = Vec::new();
    for number in 0..MOST {
        if reader.read_until(b'\n', &mut Vec::new())? == 0 {
            break;
        }
        let mut data = vec![0; VideoFrame::data_len(width, height).map_err(Error::other)?];
        reader.read_exact(&mut data)?;
        let captured = MediaTime::from_micros(u64::from(number) * 1_000_000 / u64::from(FPS));
        frames.push(VideoFrame::new(width, height, captured, number, data).map_err(Error::other)?);
    }
    Ok(frames)
}
