//! One peer's voice between jitter buffer and mix.

use std::sync::Arc;
use std::time::Duration;

use super::shared::{Peer, lock};
use super::timeline::Timeline;
use crate::codec::audio::{AudioDecoder, PACKET_SAMPLES};
use crate::error::MediaError;
use crate::frame::AudioFrame;
use crate::jitter::audio::{AudioJitter, Play, Voiced};
use crate::payload::{PayloadHeader, PayloadKind};
use crate::playout::level_dbov;
use crate::time::MediaTime;

/// Length of one Opus packet.
const FRAME: Duration = Duration::from_millis(20);

/// Samples of one 10 ms frame of the mix.
const TICK_SAMPLES: usize = AudioFrame::SAMPLES;

/// Decodes 20 ms at a time and gives them out in halves.
pub(super) struct PeerVoice {
    pub(super) peer: Arc<Peer>,
    jitter: AudioJitter,
    decoder: AudioDecoder,
    samples: [f32; PACKET_SAMPLES],
    /// Whether the second half of `samples` is still to be played.
    half_left: bool,
    captured: Option<MediaTime>,
    heard: bool,
}

impl PeerVoice {
    /// A silent voice.
    ///
    /// # Errors
    /// [`MediaError::Codec`] when the decoder cannot be opened.
    pub(super) fn new(peer: Arc<Peer>) -> Result<Self, MediaError> {
        Ok(Self {
            peer,
            jitter: AudioJitter::new(),
            decoder: AudioDecoder::new()?,
            samples: [0.0; PACKET_SAMPLES],
            half_left: false,
            captured: None,
            heard: false,
        })
    }

    /// Takes an opened payload; anything that is no voice is dropped.
    pub(super) fn insert(&mut self, payload: &[u8], arrived: MediaTime) {
        let Ok((header, packet)) = PayloadHeader::parse(payload) else {
            return;
        };
        let PayloadKind::Opus(packets) = header.kind else { return };
        let each = packet.len() / usize::from(packets);
        if each == 0 || each * usize::from(packets) != packet.len() {
            return;
        }
        for (index, packet) in (0..).zip(packet.chunks(each)) {
            let frame = Voiced { packet: packet.to_vec(), captured: header.captured + FRAME * index };
            self.jitter.insert(header.number.wrapping_add(index), frame, arrived);
        }
    }

    /// The next 10 ms for the mix, or `None` while there is silence. `heard_at` is when they leave the speaker.
    pub(super) fn next(&mut self, now: MediaTime, heard_at: MediaTime, timeline: Option<&Timeline>) -> Option<&[f32]> {
        if std::mem::take(&mut self.half_left) {
            return self.samples.get(TICK_SAMPLES..);
        }
        let play = self.jitter.play(now);
        lock(&self.peer.meter).jitter(self.jitter.counts());
        self.captured = match play {
            Play::Silence => {
                self.peer.set_voice_delay(None);
                self.peer.level.store(-127.0);
                self.captured = None;
                return None;
            }
            Play::Frame(frame) => {
                // A packet that does not decode is silence.
                self.decoder.decode(&frame.packet, &mut self.samples).ok();
                Some(frame.captured)
            }
            Play::Recover(next) => {
                self.decoder.recover(&next.packet, &mut self.samples).ok();
                None
            }
            Play::Conceal => {
                self.decoder.conceal(&mut self.samples);
                None
            }
            Play::Join(first, second) => {
                self.join(&first, &second);
                Some(second.captured)
            }
        };
        if let Some(timeline) = timeline {
            timeline.voice(self.peer.leaf, heard_at, self.captured, self.jitter.counts());
        }
        if let Some(captured) = self.captured {
            self.peer.set_voice_delay(Some((captured, heard_at)));
            lock(&self.peer.meter).played(captured, now);
        }
        self.peer.level.store(level_dbov(&self.samples));
        self.half_left = true;
        self.samples.get(..TICK_SAMPLES)
    }

    /// Whether this is the first time that something of it was played.
    pub(super) fn is_first(&mut self) -> bool {
        self.captured.is_some() && !std::mem::replace(&mut self.heard, true)
    }

    fn join(&mut self, first: &Voiced, second: &Voiced) {
        let mut after = [0.0; PACKET_SAMPLES];
        self.decoder.decode(&first.packet, &mut self.samples).ok();
        self.decoder.decode(&second.packet, &mut after).ok();
        join(&mut self.samples, &after);
    }
}

/// Length of the fade: 5 ms.
const FADE: usize = 240;

/// 40 ms in 20: fades from the first frame into the same place of the second, where the two differ least.
fn join(first: &mut [f32; PACKET_SAMPLES], second: &[f32; PACKET_SAMPLES]) {
    let difference = |start: usize| -> f32 {
        let places = start..start + FADE;
        first[places.clone()].iter().zip(&second[places]).map(|(a, b)| (a - b) * (a - b)).sum()
    };
    let start = (0..=PACKET_SAMPLES - FADE)
        .step_by(8)
        .min_by(|a, b| difference(*a).total_cmp(&difference(*b)))
        .unwrap_or_default();
    for (at, (sample, next)) in first.iter_mut().zip(second).enumerate().skip(start) {
        let share = ((at - start) as f32 / FADE as f32).min(1.0);
        *sample += (next - *sample) * share;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joining_begins_like_the_first_and_ends_like_the_second_without_a_click() {
        let tone = |offset: usize| -> [f32; PACKET_SAMPLES] {
            std::array::from_fn(|at| ((at + offset) as f32 * 0.0131).sin())
        };
        let (mut first, second) = (tone(0), tone(PACKET_SAMPLES));
        let start = first[0];
        join(&mut first, &second);
        assert_eq!((first[0], first[PACKET_SAMPLES - 1]), (start, second[PACKET_SAMPLES - 1]));
        let step = first.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
        assert!(step < 0.03, "{step}");
    }
}
