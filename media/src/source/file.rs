//! A Y4M file as a camera: 4:2:0, 8 bit, repeated without end at its own rate.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use super::Step;
use super::pace::{Due, Pace};
use crate::error::{DeviceError, DeviceKind};
use crate::frame::{VideoFormat, VideoFrame};
use crate::pool::FramePool;
use crate::time::MediaTime;

/// Longest header or frame line that is read. Real ones have about 60 bytes.
const LINE_LIMIT: usize = 1024;
/// Highest rate taken from a header.
const MAX_FPS: u32 = 240;

/// An open Y4M file. Picture `number` shows the file's frame `number % frames`.
pub(super) struct Y4mFile {
    reader: BufReader<File>,
    header: Header,
    /// Offset of the first `FRAME` line.
    first: u64,
    /// Number of the frame that the reader stands before; grows over repetitions.
    position: u32,
    /// Frames in the file, known after the first pass.
    frames: Option<u32>,
    pace: Pace,
    pool: FramePool,
}

impl Y4mFile {
    pub(super) fn open(path: &Path) -> Result<Self, DeviceError> {
        let file = File::open(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => DeviceError::NotFound(DeviceKind::File),
            std::io::ErrorKind::PermissionDenied => DeviceError::Refused(DeviceKind::File),
            _ => failed("open the video file"),
        })?;
        let mut reader = BufReader::with_capacity(1 << 16, file);
        let line = read_line(&mut reader)?.ok_or_else(|| failed("find a header in the video file"))?;
        let header = Header::parse(&line).ok_or_else(|| failed("read the video file's header (8-bit 4:2:0 Y4M)"))?;
        let first = reader.stream_position().map_err(|_error| failed("read the video file"))?;
        let pace = Pace::new(header.rate, header.scale);
        Ok(Self { reader, header, first, position: 0, frames: None, pace, pool: FramePool::new() })
    }

    pub(super) const fn format(&self) -> VideoFormat {
        VideoFormat { width: self.header.width, height: self.header.height, fps: self.header.fps() }
    }

    /// The picture that is due at `now`. Pictures missed while the thread was held up are skipped.
    pub(super) fn next(&mut self, now: MediaTime) -> Result<Step, DeviceError> {
        let (number, moment) = match self.pace.due(now) {
            Due::In(wait) => return Ok(Step::Wait(wait)),
            Due::Now(number, moment) => (number, moment),
        };
        while self.position < number {
            self.step(None)?;
        }
        let mut frame = self
            .pool
            .frame(self.header.width, self.header.height, moment, number)
            .map_err(|_size| failed("hold a picture of that size"))?;
        self.step(Some(&mut frame))?;
        Ok(Step::Frame(frame))
    }

    /// Reads or skips one frame, back to the start at the end of the file.
    fn step(&mut self, frame: Option<&mut VideoFrame>) -> Result<(), DeviceError> {
        if self.frames.is_some_and(|frames| self.position.is_multiple_of(frames)) {
            self.rewind()?;
        }
        let line = match read_line(&mut self.reader)? {
            Some(line) => line,
            None => {
                // End of the first pass. A file without a frame would repeat nothing for ever.
                if self.position == 0 {
                    return Err(failed("find a frame in the video file"));
                }
                self.frames = Some(self.position);
                self.rewind()?;
                read_line(&mut self.reader)?.ok_or_else(|| failed("repeat the video file"))?
            }
        };
        if !line.starts_with(b"FRAME") {
            return Err(failed("find the next frame in the video file"));
        }
        let cut = |_short| failed("read a whole frame from the video file");
        if let Some(frame) = frame {
            let (y, u, v) = frame.planes_mut();
            for plane in [y, u, v] {
                self.reader.read_exact(plane).map_err(cut)?;
            }
        } else {
            let len =
                VideoFrame::data_len(self.header.width, self.header.height).map_err(|_size| failed("skip a frame"))?;
            let len = i64::try_from(len).map_err(|_size| failed("skip a frame"))?;
            self.reader.seek_relative(len).map_err(cut)?;
        }
        self.position = self.position.wrapping_add(1);
        Ok(())
    }

    fn rewind(&mut self) -> Result<(), DeviceError> {
        self.reader.seek(SeekFrom::Start(self.first)).map(drop).map_err(|_error| failed("repeat the video file"))
    }
}

const fn failed(attempt: &'static str) -> DeviceError {
    DeviceError::Failed { kind: DeviceKind::File, attempt }
}

/// One line without its end, `None` at the end of the file.
fn read_line(reader: &mut BufReader<File>) -> Result<Option<Vec<u8>>, DeviceError> {
    use std::io::BufRead;
    let mut line = Vec::new();
    let limit = LINE_LIMIT as u64;
    let read =
        reader.by_ref().take(limit).read_until(b'\n', &mut line).map_err(|_error| failed("read the video file"))?;
    match line.pop() {
        None => Ok(None),
        Some(b'\n') => Ok(Some(line)),
        Some(_) if read < LINE_LIMIT => Err(failed("read a whole line from the video file")),
        Some(_) => Err(failed("read a line of sane length from the video file")),
    }
}

/// What the first line says: `YUV4MPEG2 W1280 H720 F30:1 Ip A1:1 C420jpeg`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    width: u32,
    height: u32,
    rate: u32,
    scale: u32,
}

impl Header {
    /// `None` if it is not a progressive 8-bit 4:2:0 stream of a size and rate that we handle.
    fn parse(line: &[u8]) -> Option<Self> {
        let line = std::str::from_utf8(line).ok()?;
        let mut fields = line.split(' ');
        if fields.next() != Some("YUV4MPEG2") {
            return None;
        }
        let (mut width, mut height, mut rate) = (None, None, None);
        for field in fields {
            let Some(tag) = field.chars().next() else {
                continue;
            };
            let value = &field[tag.len_utf8()..];
            match tag {
                'W' => width = value.parse::<u32>().ok(),
                'H' => height = value.parse::<u32>().ok(),
                'F' => {
                    let (numerator, denominator) = value.split_once(':')?;
                    rate = Some((numerator.parse::<u32>().ok()?, denominator.parse::<u32>().ok()?));
                }
                // Sitings of the chroma samples differ by half a pixel, which no one sees in a test clip.
                'C' if !matches!(value, "420" | "420jpeg" | "420mpeg2" | "420paldv") => {
                    return None;
                }
                'I' if !matches!(value, "p" | "?") => return None,
                // Pixel aspect and comments.
                _ => {}
            }
        }
        let (width, height) = (width?, height?);
        VideoFrame::data_len(width, height).ok()?;
        // 0:0 means unknown in some files.
        let (rate, scale) = match rate {
            None | Some((0, _) | (_, 0)) => (30, 1),
            Some(rate) => rate,
        };
        let header = Self { width, height, rate, scale };
        (rate / scale <= MAX_FPS && header.fps() > 0).then_some(header)
    }

    const fn fps(&self) -> u32 {
        // Rounded, so that 30000:1001 is 30.
        ((self.rate as u64 * 2 + self.scale as u64) / (self.scale as u64 * 2)) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::path::PathBuf;
    use std::time::Duration;

    /// A file in the system's temporary folder that is removed at the end of the test.
    struct Clip(PathBuf);

    impl Clip {
        fn new(name: &str, content: &[u8]) -> Self {
            let path = std::env::temp_dir().join(format!("quietroom-y4m-{}-{name}", std::process::id()));
            File::create(&path).unwrap().write_all(content).unwrap();
            Self(path)
        }
    }

    impl Drop for Clip {
        fn drop(&mut self) {
            std::fs::remove_file(&self.0).unwrap();
        }
    }

    fn three_frames() -> Vec<u8> {
        let mut content = b"YUV4MPEG2 W4 H2 F10:1 C420jpeg\n".to_vec();
        for value in [10, 20, 30] {
            content.extend_from_slice(b"FRAME\n");
            content.extend_from_slice(&[value; 12]);
        }
        content
    }

    fn frame_at(file: &mut Y4mFile, now: MediaTime) -> VideoFrame {
        match file.next(now).unwrap() {
            Step::Frame(frame) => frame,
            Step::Wait(wait) => panic!("nothing due for {wait:?}"),
        }
    }

    #[test]
    fn file_repeats_and_numbers_go_on() {
        let clip = Clip::new("repeat", &three_frames());
        let mut file = Y4mFile::open(&clip.0).unwrap();
        assert_eq!(file.format(), VideoFormat { width: 4, height: 2, fps: 10 });
        for number in 0..8_u32 {
            let frame = frame_at(&mut file, MediaTime::from_micros(u64::from(number) * 100_000));
            assert_eq!(frame.number, number);
            assert_eq!(u32::from(frame.y()[0]), 10 * (number % 3 + 1));
        }
    }

    #[test]
    fn a_held_up_reader_skips_to_the_frame_of_the_moment() {
        let clip = Clip::new("skip", &three_frames());
        let mut file = Y4mFile::open(&clip.0).unwrap();
        frame_at(&mut file, MediaTime::default());
        assert!(matches!(file.next(MediaTime::default()).unwrap(), Step::Wait(_)));
        let frame = frame_at(&mut file, MediaTime::default() + Duration::from_millis(1_050));
        assert_eq!((frame.number, frame.y()[0]), (10, 20));
    }

    #[test]
    fn hostile_headers_are_refused() {
        let bad: [&[u8]; 14] = [
            b"",
            b"\n",
            b"RIFF",
            b"YUV4MPEG2\n",
            b"YUV4MPEG2 W4\nFRAME\n",
            b"YUV4MPEG2 W0 H2 F30:1\n",
            b"YUV4MPEG2 W99999999 H99999999 F30:1\n",
            b"YUV4MPEG2 W-4 H2 F30:1\n",
            b"YUV4MPEG2 W4 H2 F30\n",
            b"YUV4MPEG2 W4 H2 F4294967295:1\n",
            b"YUV4MPEG2 W4 H2 F1:4294967295\n",
            b"YUV4MPEG2 W4 H2 F30:1 C444\n",
            b"YUV4MPEG2 W4 H2 F30:1 It\n",
            b"YUV4MPEG2 W4 H2 \xff\xfe\n",
        ];
        for (n, content) in bad.iter().enumerate() {
            let clip = Clip::new(&format!("bad{n}"), content);
            let error = Y4mFile::open(&clip.0).err().unwrap();
            assert_eq!(error.code(), "DEV-04", "header {n}");
        }
        let endless = Clip::new("endless", &vec![b'Y'; 100_000]);
        assert_eq!(Y4mFile::open(&endless.0).err().unwrap().code(), "DEV-04");
    }

    #[test]
    fn unknown_rate_and_unknown_fields_are_accepted() {
        let header = Header::parse("YUV4MPEG2 H2 W4 F0:0 Xcomment \u{e9}".as_bytes()).unwrap();
        assert_eq!(header.fps(), 30);
        assert_eq!(Header::parse(b"YUV4MPEG2 W4 H2 F30000:1001").unwrap().fps(), 30);
    }

    #[test]
    fn files_without_whole_frames_fail_and_do_not_spin() {
        let mut cut = three_frames();
        cut.truncate(cut.len() - 5);
        for (name, content, good) in [
            ("none", &b"YUV4MPEG2 W4 H2 F10:1\n"[..], 0),
            ("junk", &b"YUV4MPEG2 W4 H2 F10:1\nJUNK\n"[..], 0),
            ("cut", &cut[..], 2),
        ] {
            let clip = Clip::new(name, content);
            let mut file = Y4mFile::open(&clip.0).unwrap();
            let mut now = MediaTime::default();
            for _ in 0..good {
                frame_at(&mut file, now);
                now = now + Duration::from_millis(100);
            }
            assert_eq!(file.next(now).err().unwrap().code(), "DEV-04", "{name}");
        }
    }

    #[test]
    fn a_missing_file_is_not_found() {
        assert_eq!(Y4mFile::open(Path::new("/nonexistent/clip.y4m")).err().unwrap().code(), "DEV-01");
    }
}
