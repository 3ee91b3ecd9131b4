//! Lab only: what was shown and heard, moment by moment, as a file of lines. Nothing of what was said or seen is in it.
//!
//! | line | fields, times in microseconds of the machine's monotonic clock |
//! | --- | --- |
//! | `sent` | sealed and handed on at, captured at, bytes, 1 for a key frame, width, height |
//! | `decoded` | at, leaf, captured at |
//! | `picture` | shown at, leaf, captured at, width, height |
//! | `voice` | 20 ms handed to the mix at, leaf, captured at (0: nothing of theirs), frames concealed, frames corrected |
//! | `path` | at, leaf, estimate in bit/s, target in bit/s, standing queue, loss in millionths, round trip, backlog |
//!
//! A build without the feature `lab` has this type but no value of it.

#[cfg(feature = "lab")]
pub(super) use writer::{Timeline, start};

/// Cannot be made without the feature `lab`.
#[cfg(not(feature = "lab"))]
pub(super) enum Timeline {}

#[cfg(not(feature = "lab"))]
impl Timeline {
    pub(super) fn sent(&self, _frame: &crate::frame::EncodedVideo, _bytes: usize, _at: crate::MediaTime) {
        match *self {}
    }

    pub(super) fn decoded(&self, _leaf: crypto::LeafIndex, _captured: crate::MediaTime, _at: crate::MediaTime) {
        match *self {}
    }

    pub(super) fn picture(&self, _leaf: crypto::LeafIndex, _picture: &crate::frame::VideoFrame, _at: crate::MediaTime) {
        match *self {}
    }

    pub(super) fn voice(
        &self,
        _leaf: crypto::LeafIndex,
        _at: crate::MediaTime,
        _captured: Option<crate::MediaTime>,
        _counts: crate::jitter::audio::JitterCounts,
    ) {
        match *self {}
    }
}

#[cfg(feature = "lab")]
mod writer {
    use std::collections::BTreeMap;
    use std::fs::File;
    use std::io::{BufWriter, Write};
    use std::path::Path;
    use std::sync::Arc;
    use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
    use std::thread::JoinHandle;
    use std::time::Duration;

    use crypto::LeafIndex;

    use crate::frame::{EncodedVideo, VideoFrame};
    use crate::jitter::audio::JitterCounts;
    use crate::time::MediaTime;
    use crate::transport::{PeerId, Transport};

    /// Moments between the media threads and the writer: some 80 a second and peer come; what does not fit is missing.
    const QUEUE: usize = 1_024;
    /// Time between two lines of a path.
    const LOOK: Duration = Duration::from_millis(100);

    enum Moment {
        Sent { at: MediaTime, captured: MediaTime, bytes: usize, key: bool, size: (u32, u32) },
        Decoded { leaf: LeafIndex, at: MediaTime, captured: MediaTime },
        Picture { leaf: LeafIndex, at: MediaTime, captured: MediaTime, size: (u32, u32) },
        Voice { leaf: LeafIndex, at: MediaTime, captured: Option<MediaTime>, counts: JitterCounts },
    }

    /// The media threads' end. The thread ends when all are dropped.
    #[derive(Clone)]
    pub(in crate::pipeline) struct Timeline(SyncSender<Moment>);

    /// Starts the thread `timeline`, which writes the file.
    ///
    /// # Errors
    /// When file or thread cannot be made.
    pub(in crate::pipeline) fn start(
        path: &Path,
        transport: Arc<Transport>,
    ) -> std::io::Result<(Timeline, JoinHandle<()>)> {
        let out = BufWriter::new(File::create(path)?);
        let (sender, moments) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new().name("timeline".to_owned()).spawn(move || {
            if let Err(error) = write_all(out, &moments, &transport) {
                tracing::error!(%error, "writing the timeline failed");
            }
        })?;
        Ok((Timeline(sender), thread))
    }

    impl Timeline {
        pub(in crate::pipeline) fn sent(&self, frame: &EncodedVideo, bytes: usize, at: MediaTime) {
            let (captured, key, size) = (frame.captured, frame.key, (frame.width, frame.height));
            self.0.try_send(Moment::Sent { at, captured, bytes, key, size }).ok();
        }

        pub(in crate::pipeline) fn decoded(&self, leaf: LeafIndex, captured: MediaTime, at: MediaTime) {
            self.0.try_send(Moment::Decoded { leaf, at, captured }).ok();
        }

        pub(in crate::pipeline) fn picture(&self, leaf: LeafIndex, picture: &VideoFrame, at: MediaTime) {
            let (captured, size) = (picture.captured, (picture.width(), picture.height()));
            self.0.try_send(Moment::Picture { leaf, at, captured, size }).ok();
        }

        pub(in crate::pipeline) fn voice(
            &self,
            leaf: LeafIndex,
            at: MediaTime,
            captured: Option<MediaTime>,
            counts: JitterCounts,
        ) {
            self.0.try_send(Moment::Voice { leaf, at, captured, counts }).ok();
        }
    }

    fn write_all(mut out: impl Write, moments: &Receiver<Moment>, transport: &Transport) -> std::io::Result<()> {
        let mut heard: BTreeMap<u8, JitterCounts> = BTreeMap::new();
        let mut looked = MediaTime::now();
        loop {
            match moments.recv_timeout(LOOK) {
                Ok(Moment::Sent { at, captured, bytes, key, size: (width, height) }) => {
                    let (at, captured, key) = (at.as_micros(), captured.as_micros(), u8::from(key));
                    writeln!(out, "sent,{at},{captured},{bytes},{key},{width},{height}")?;
                }
                Ok(Moment::Decoded { leaf, at, captured }) => {
                    writeln!(out, "decoded,{},{},{}", at.as_micros(), leaf.as_u8(), captured.as_micros())?;
                }
                Ok(Moment::Picture { leaf, at, captured, size: (width, height) }) => {
                    let (leaf, at, captured) = (leaf.as_u8(), at.as_micros(), captured.as_micros());
                    writeln!(out, "picture,{at},{leaf},{captured},{width},{height}")?;
                }
                Ok(Moment::Voice { leaf, at, captured, counts }) => {
                    let before = heard.insert(leaf.as_u8(), counts).unwrap_or_default();
                    let (concealed, corrected) =
                        (counts.concealed - before.concealed, counts.corrected - before.corrected);
                    let captured = captured.unwrap_or_default().as_micros();
                    let (leaf, at) = (leaf.as_u8(), at.as_micros());
                    writeln!(out, "voice,{at},{leaf},{captured},{concealed},{corrected}")?;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return out.flush(),
            }
            let now = MediaTime::now();
            if now.since(looked) >= LOOK {
                looked = now;
                for leaf in 0..16_u8 {
                    let Some(stats) = transport.stats(PeerId(leaf.into())) else { continue };
                    writeln!(
                        out,
                        "path,{},{leaf},{},{},{},{},{},{}",
                        now.as_micros(),
                        stats.estimate.as_bps(),
                        stats.target.as_bps(),
                        stats.path_queue.as_micros(),
                        (stats.path_loss * 1e6) as u64,
                        stats.round_trip.unwrap_or_default().as_micros(),
                        stats.backlog.as_micros(),
                    )?;
                }
            }
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_line_for_each_picture_and_each_voice_frame() {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let _inside = runtime.enter();
            let (transport, _events) = Transport::new(crate::transport::TransportConfig::default());
            let (sender, moments) = sync_channel(8);
            let timeline = Timeline(sender);
            let (leaf, at) = (LeafIndex::new(3).unwrap(), MediaTime::from_micros);
            let data = vec![128; VideoFrame::data_len(320, 180).unwrap()];
            timeline.decoded(leaf, at(5), at(8));
            timeline.picture(leaf, &VideoFrame::new(320, 180, at(5), 0, data).unwrap(), at(9));
            timeline.voice(leaf, at(10), Some(at(4)), JitterCounts { concealed: 1, ..JitterCounts::default() });
            timeline.voice(leaf, at(30), None, JitterCounts { concealed: 2, corrected: 1, ..JitterCounts::default() });
            drop(timeline);
            let mut out = Vec::new();
            write_all(&mut out, &moments, &transport).unwrap();
            assert_eq!(
                String::from_utf8(out).unwrap(),
                "decoded,8,3,5\npicture,9,3,5,320,180\nvoice,10,3,4,1,0\nvoice,30,3,0,1,1\n"
            );
        }
    }
}
