//! Lab only: every 10th received picture and the played sound, written by a thread of their own.
//!
//! In a folder: `pictures-leafN-WxH.y4m` (the pictures one after the other), `pictures-leafN-WxH.csv` (a line each),
//! and `sound.wav` (the mix of all voices as played, from the first sound on, 48 kHz mono, 16 bits).
//! A build without the feature `lab` has this type but no value of it.

#[cfg(feature = "lab")]
pub(super) use writer::{Dump, start};

/// Cannot be made without the feature `lab`.
#[cfg(not(feature = "lab"))]
pub(super) enum Dump {}

#[cfg(not(feature = "lab"))]
impl Dump {
    pub(super) fn picture(
        &self,
        _leaf: crypto::LeafIndex,
        _picture: &crate::frame::VideoFrame,
        _decoded: crate::time::MediaTime,
    ) {
        match *self {}
    }

    pub(super) fn sound(&self, _samples: &[f32]) {
        match *self {}
    }
}

#[cfg(feature = "lab")]
mod writer {
    use std::collections::BTreeMap;
    use std::collections::btree_map::Entry;
    use std::fs::File;
    use std::io::{BufWriter, Seek, SeekFrom, Write};
    use std::path::Path;
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
    use std::thread::JoinHandle;

    use crypto::LeafIndex;

    use crate::frame::{AudioFrame, VideoFrame};
    use crate::time::MediaTime;

    /// One picture of this many is written.
    const EVERY: u32 = 10;

    /// Pieces between the media threads and the writer; what does not fit is missing in the dump, never waited for.
    const QUEUE: usize = 256;

    enum Piece {
        Picture(LeafIndex, VideoFrame, MediaTime),
        Sound(Vec<i16>),
    }

    /// The media threads' end. The thread ends when both are dropped.
    #[derive(Clone)]
    pub(in crate::pipeline) struct Dump(SyncSender<Piece>);

    /// Starts the thread `dump`.
    ///
    /// # Errors
    /// When the folder or the thread cannot be made.
    pub(in crate::pipeline) fn start(folder: &Path) -> std::io::Result<(Dump, JoinHandle<()>)> {
        std::fs::create_dir_all(folder)?;
        let folder = folder.to_owned();
        let (sender, pieces) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new().name("dump".to_owned()).spawn(move || {
            if let Err(error) = write_all(&folder, &pieces) {
                tracing::error!(%error, "writing the dump failed");
            }
        })?;
        Ok((Dump(sender), thread))
    }

    impl Dump {
        pub(in crate::pipeline) fn picture(&self, leaf: LeafIndex, picture: &VideoFrame, decoded: MediaTime) {
            if picture.number.is_multiple_of(EVERY) {
                self.put(Piece::Picture(leaf, picture.clone(), decoded));
            }
        }

        pub(in crate::pipeline) fn sound(&self, samples: &[f32]) {
            let full = f32::from(i16::MAX);
            self.put(Piece::Sound(samples.iter().map(|sample| (sample.clamp(-1.0, 1.0) * full) as i16).collect()));
        }

        fn put(&self, piece: Piece) {
            if self.0.try_send(piece).is_err() {
                tracing::warn!("the dump misses a piece");
            }
        }
    }

    fn write_all(folder: &Path, pieces: &Receiver<Piece>) -> std::io::Result<()> {
        let mut pictures: BTreeMap<(u8, u32, u32), (File, BufWriter<File>)> = BTreeMap::new();
        let mut sound = BufWriter::new(File::create(folder.join("sound.wav"))?);
        sound.write_all(&wav_header(0))?;
        let mut bytes: u32 = 0;
        for piece in pieces {
            match piece {
                Piece::Sound(samples) => {
                    for sample in samples {
                        sound.write_all(&sample.to_le_bytes())?;
                        bytes = bytes.saturating_add(2);
                    }
                }
                Piece::Picture(leaf, picture, decoded) => {
                    // Another size is another file.
                    let shape = (leaf.as_u8(), picture.width(), picture.height());
                    let (raw, index) = match pictures.entry(shape) {
                        Entry::Occupied(files) => files.into_mut(),
                        Entry::Vacant(place) => place.insert(create(folder, shape)?),
                    };
                    raw.write_all(b"FRAME\n")?;
                    raw.write_all(picture.data())?;
                    writeln!(index, "{},{},{}", picture.number, picture.captured.as_micros(), decoded.as_micros())?;
                }
            }
        }
        for (_, index) in pictures.values_mut() {
            index.flush()?;
        }
        sound.flush()?;
        let mut sound = sound.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        sound.seek(SeekFrom::Start(0))?;
        sound.write_all(&wav_header(bytes))
    }

    /// Pictures and index of one peer in one size.
    fn create(folder: &Path, (leaf, width, height): (u8, u32, u32)) -> std::io::Result<(File, BufWriter<File>)> {
        let name = format!("pictures-leaf{leaf}-{width}x{height}");
        let mut raw = File::create(folder.join(format!("{name}.y4m")))?;
        writeln!(raw, "YUV4MPEG2 W{width} H{height} F3:1 Ip A1:1 C420")?;
        let mut index = BufWriter::new(File::create(folder.join(format!("{name}.csv")))?);
        writeln!(index, "number,captured_us,decoded_us")?;
        Ok((raw, index))
    }

    /// RIFF header of 16-bit mono at 48 kHz with so many bytes of samples.
    fn wav_header(bytes: u32) -> Vec<u8> {
        let rate = AudioFrame::RATE;
        let mut header = b"RIFF".to_vec();
        header.extend(bytes.saturating_add(36).to_le_bytes());
        header.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
        header.extend(rate.to_le_bytes());
        header.extend((rate * 2).to_le_bytes());
        header.extend(b"\x02\0\x10\0data");
        header.extend(bytes.to_le_bytes());
        header
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn every_tenth_picture_and_all_sound_are_written() {
            let folder = std::env::temp_dir().join(format!("dump-{}", std::process::id()));
            let (dump, thread) = start(&folder).unwrap();
            let leaf = LeafIndex::new(3).unwrap();
            for number in 10..=20 {
                let time = MediaTime::from_micros(u64::from(number));
                let picture = VideoFrame::new(4, 2, time, number, vec![7; 12]).unwrap();
                dump.picture(leaf, &picture, time);
            }
            dump.sound(&[0.5; 480]);
            drop(dump);
            thread.join().unwrap();
            let pictures = std::fs::read(folder.join("pictures-leaf3-4x2.y4m")).unwrap();
            let head = b"YUV4MPEG2 W4 H2 F3:1 Ip A1:1 C420\n";
            assert_eq!(
                pictures.strip_prefix(head).unwrap(),
                b"FRAME\n\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07".repeat(2)
            );
            let index = std::fs::read_to_string(folder.join("pictures-leaf3-4x2.csv")).unwrap();
            assert_eq!(index, "number,captured_us,decoded_us\n10,10,10\n20,20,20\n");
            let sound = std::fs::read(folder.join("sound.wav")).unwrap();
            assert_eq!(
                (sound.len(), &sound[40..44], &sound[44..46]),
                (44 + 960, &960_u32.to_le_bytes()[..], &16_383_i16.to_le_bytes()[..])
            );
            std::fs::remove_dir_all(folder).unwrap();
        }
    }
}
