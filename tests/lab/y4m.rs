//! Picture files: YUV4MPEG2 with 4:2:0 planes.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

/// Largest side of a picture that is accepted, in pixels.
const MAX_SIDE: usize = 8192;

/// Writes a clip at 30 pictures a second.
#[derive(Debug)]
pub struct Writer(BufWriter<File>);

impl Writer {
    /// Makes the file, with its header.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn create(path: &Path, width: usize, height: usize) -> Result<Self> {
        let file = File::create(path).with_context(|| format!("cannot make {}", path.display()))?;
        let mut file = BufWriter::with_capacity(1 << 20, file);
        writeln!(file, "YUV4MPEG2 W{width} H{height} F30:1 Ip A1:1 C420jpeg")?;
        Ok(Self(file))
    }

    /// Appends one picture: luma, then both chroma planes, without padding.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn picture(&mut self, planes: &[&[u8]]) -> Result<()> {
        self.0.write_all(b"FRAME\n")?;
        for plane in planes {
            self.0.write_all(plane)?;
        }
        Ok(())
    }

    /// Hands everything to the disk.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn finish(mut self) -> Result<()> {
        Ok(self.0.flush()?)
    }
}

/// Reads single pictures of a clip by their place in it.
#[derive(Debug)]
pub struct Reader {
    file: BufReader<File>,
    width: usize,
    height: usize,
    first: u64,
    frame_header: u64,
    count: u64,
}

impl Reader {
    /// Opens a clip.
    ///
    /// # Errors
    /// When it cannot be read, or is not 4:2:0 of a sensible size.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        let length = file.metadata()?.len();
        let mut file = BufReader::new(file);
        let header = line(&mut file)?;
        ensure!(header.starts_with("YUV4MPEG2"), "{} is no y4m file", path.display());
        let (mut width, mut height) = (0, 0);
        for field in header.split_ascii_whitespace().skip(1) {
            match field.split_at(1) {
                ("W", value) => width = value.parse()?,
                ("H", value) => height = value.parse()?,
                ("C", value) => {
                    ensure!(value.starts_with("420"), "only 4:2:0 is read, not {value}")
                }
                _ => {}
            }
        }
        ensure!((2..=MAX_SIDE).contains(&width) && (2..=MAX_SIDE).contains(&height), "a picture of {width}x{height}");
        let first = file.stream_position()?;
        let frame_header = line(&mut file)?.len() as u64 + 1;
        let mut reader = Self { file, width, height, first, frame_header, count: 0 };
        reader.count = (length - first) / (frame_header + reader.picture_bytes() as u64);
        ensure!(reader.count > 0, "{} holds no picture", path.display());
        Ok(reader)
    }

    /// The luma plane of the picture at `index`, `width` × `height` bytes.
    ///
    /// # Errors
    /// When there is no such picture.
    pub fn luma(&mut self, index: u64) -> Result<Vec<u8>> {
        ensure!(index < self.count, "there is no picture {index}");
        let each = self.frame_header + self.picture_bytes() as u64;
        self.file.seek(SeekFrom::Start(self.first + index * each + self.frame_header))?;
        let mut luma = vec![0; self.width * self.height];
        self.file.read_exact(&mut luma)?;
        Ok(luma)
    }

    /// Width and height in pixels.
    pub fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// Number of pictures.
    pub fn count(&self) -> u64 {
        self.count
    }

    fn picture_bytes(&self) -> usize {
        self.width * self.height + 2 * self.width.div_ceil(2) * self.height.div_ceil(2)
    }
}

fn line(file: &mut BufReader<File>) -> Result<String> {
    let mut bytes = Vec::new();
    file.take(256).read_until(b'\n', &mut bytes)?;
    if bytes.pop() != Some(b'\n') {
        bail!("a header line without an end");
    }
    Ok(String::from_utf8(bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_come_back_by_their_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.y4m");
        let mut writer = Writer::create(&path, 4, 2).unwrap();
        for value in 0..3_u8 {
            writer.picture(&[&[value; 8], &[9; 2], &[9; 2]]).unwrap();
        }
        writer.finish().unwrap();
        let mut reader = Reader::open(&path).unwrap();
        assert_eq!((reader.size(), reader.count()), ((4, 2), 3));
        assert_eq!(reader.luma(2).unwrap(), vec![2; 8]);
        assert!(reader.luma(3).is_err());
    }

    #[test]
    fn a_file_of_another_kind_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.y4m");
        for text in ["", "RIFF", "YUV4MPEG2 W0 H2\nFRAME\n", "YUV4MPEG2 W2 H2 C444\nFRAME\n"] {
            std::fs::write(&path, text).unwrap();
            assert!(Reader::open(&path).is_err(), "{text}");
        }
    }
}
