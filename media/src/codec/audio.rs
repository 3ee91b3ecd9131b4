//! Opus for the voice: mono, 48 kHz, 20 ms, constant rate, with in-band forward error correction.
//!
//! Every packet has the same length until the path asks for another rate: with a variable rate the sizes of encrypted frames
//! betray what was said. The correction of a frame travels inside the next packet, so using it needs 20 ms of buffer.

use std::fmt;

use opusic_c::{Application, Bitrate as Rate, Channels, InbandFec, SampleRate, Signal};

use crate::error::MediaError;
use crate::time::Bitrate;

/// Samples of one packet: 20 ms at 48 kHz.
pub(crate) const PACKET_SAMPLES: usize = 960;

/// Longest Opus packet that is looked at, in bytes. Ours are 80; the format's own limit for one frame is 1,275.
pub(crate) const MAX_PACKET: usize = 1_275;

/// Rate of the voice where the path allows it. Lower loses the upper band, higher gains nothing that people hear in speech.
const RATE: Bitrate = Bitrate::kbps(32);

/// Below this rate there is no correction: it would take the bits that the voice needs to be understood.
const LEAST_CORRECTED: Bitrate = Bitrate::kbps(16);

/// Encoder effort, 0 to 10. 9 costs 0.2 ms a packet; 10 gains nothing measurable for speech.
const COMPLEXITY: u8 = 9;

/// Loss that the encoder prepares for, in percent. It decides how many bits go into the correction: at 0 there is none,
/// above 20 the voice itself gets audibly worse.
const EXPECTED_LOSS: u8 = 8;

/// Decoder effort: from 5 on lost packets are replaced by the neural concealment.
const CONCEAL_COMPLEXITY: u8 = 5;

/// Encodes the own voice. About 0.2 ms a packet.
pub(crate) struct AudioEncoder(opusic_c::Encoder);

/// Decodes one peer's voice. About 0.03 ms a packet.
pub(crate) struct AudioDecoder(opusic_c::Decoder);

impl AudioEncoder {
    /// Opens an encoder.
    ///
    /// # Errors
    /// [`MediaError::Codec`] if the library refuses, which means memory ran out.
    pub(crate) fn new() -> Result<Self, MediaError> {
        let mut encoder = opusic_c::Encoder::new(Channels::Mono, SampleRate::Hz48000, Application::Voip)
            .map_err(|_code| MediaError::Codec("open the voice encoder"))?;
        encoder
            .set_vbr(false)
            .and_then(|()| encoder.set_complexity(COMPLEXITY))
            .and_then(|()| encoder.set_signal(Signal::Voice))
            .and_then(|()| encoder.set_packet_loss(EXPECTED_LOSS))
            .map_err(|_code| MediaError::Codec("set up the voice encoder"))?;
        let mut encoder = Self(encoder);
        encoder.set_bitrate(RATE)?;
        Ok(encoder)
    }

    /// Encodes at this rate from now on.
    ///
    /// # Errors
    /// [`MediaError::Codec`] if the library refuses.
    pub(crate) fn set_bitrate(&mut self, rate: Bitrate) -> Result<(), MediaError> {
        let correction = if rate >= LEAST_CORRECTED { InbandFec::Mode1 } else { InbandFec::Off };
        let bits = u32::try_from(rate.as_bps()).unwrap_or(u32::MAX);
        self.0
            .set_bitrate(Rate::Value(bits))
            .and_then(|()| self.0.set_inband_fec(correction))
            .map_err(|_code| MediaError::Codec("set the rate of the voice"))
    }

    /// Encodes 20 ms to the end of `packet`.
    ///
    /// # Errors
    /// [`MediaError::Codec`] if the library refuses.
    pub(crate) fn encode(&mut self, samples: &[f32; PACKET_SAMPLES], packet: &mut Vec<u8>) -> Result<(), MediaError> {
        packet.reserve(MAX_PACKET);
        self.0.encode_float_to_vec(samples, packet).map(drop).map_err(|_code| MediaError::Codec("encode the voice"))
    }
}

impl AudioDecoder {
    /// Opens a decoder.
    ///
    /// # Errors
    /// [`MediaError::Codec`] if the library refuses, which means memory ran out.
    pub(crate) fn new() -> Result<Self, MediaError> {
        let mut decoder = opusic_c::Decoder::new(Channels::Mono, SampleRate::Hz48000)
            .map_err(|_code| MediaError::Codec("open the voice decoder"))?;
        decoder.set_complexity(CONCEAL_COMPLEXITY).map_err(|_code| MediaError::Codec("set up the voice decoder"))?;
        Ok(Self(decoder))
    }

    /// Decodes one packet of exactly 20 ms.
    ///
    /// # Errors
    /// [`MediaError::TooLarge`], or [`MediaError::Undecodable`] for anything that is no 20 ms packet;
    /// `samples` then holds silence.
    pub(crate) fn decode(&mut self, packet: &[u8], samples: &mut [f32; PACKET_SAMPLES]) -> Result<(), MediaError> {
        self.run(packet, samples, false)
    }

    /// Rebuilds the packet before `next` from the correction inside it. Where `next` holds none (the encoder leaves it
    /// out in pauses) this conceals instead.
    ///
    /// # Errors
    /// As [`AudioDecoder::decode`].
    pub(crate) fn recover(&mut self, next: &[u8], samples: &mut [f32; PACKET_SAMPLES]) -> Result<(), MediaError> {
        self.run(next, samples, true)
    }

    /// Invents 20 ms in place of a packet that is missing.
    pub(crate) fn conceal(&mut self, samples: &mut [f32; PACKET_SAMPLES]) {
        if self.0.decode_float_to_slice(&[], samples, false) != Ok(PACKET_SAMPLES) {
            samples.fill(0.0);
        }
    }

    fn run(&mut self, packet: &[u8], samples: &mut [f32; PACKET_SAMPLES], correction: bool) -> Result<(), MediaError> {
        let result = if packet.len() > MAX_PACKET {
            Err(MediaError::TooLarge)
        } else if packet.is_empty() || self.0.get_nb_samples(packet) != Ok(PACKET_SAMPLES) {
            // An empty packet would mean concealment to the library, a shorter one leaves old samples in place.
            Err(MediaError::Undecodable)
        } else {
            match self.0.decode_float_to_slice(packet, samples, correction) {
                Ok(PACKET_SAMPLES) => Ok(()),
                Ok(_) | Err(_) => Err(MediaError::Undecodable),
            }
        };
        if result.is_err() {
            samples.fill(0.0);
        }
        result
    }
}

impl fmt::Debug for AudioEncoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AudioEncoder")
    }
}

impl fmt::Debug for AudioDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AudioDecoder")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::voice::Voice;

    fn packets(count: usize) -> (Vec<[f32; PACKET_SAMPLES]>, Vec<Vec<u8>>) {
        let mut voice = Voice::new(0);
        let mut encoder = AudioEncoder::new().unwrap();
        (0..count)
            .map(|_| {
                let mut samples = [0.0; PACKET_SAMPLES];
                voice.fill(&mut samples);
                let mut packet = Vec::new();
                encoder.encode(&samples, &mut packet).unwrap();
                (samples, packet)
            })
            .unzip()
    }

    fn energy(samples: &[f32]) -> f32 {
        samples.iter().map(|sample| sample * sample).sum()
    }

    #[test]
    fn every_packet_has_the_same_length() {
        let (_, voiced) = packets(100);
        let mut encoder = AudioEncoder::new().unwrap();
        let mut packet = Vec::new();
        encoder.encode(&[0.0; PACKET_SAMPLES], &mut packet).unwrap();
        assert_eq!(packet.len(), 80);
        assert!(voiced.iter().all(|voiced| voiced.len() == packet.len()));
    }

    #[test]
    fn a_decoded_voice_keeps_its_level() {
        let (samples, packets) = packets(100);
        let mut decoder = AudioDecoder::new().unwrap();
        let (mut sent, mut received) = (0.0, 0.0);
        for (samples, packet) in samples.iter().zip(&packets) {
            let mut out = [0.0; PACKET_SAMPLES];
            decoder.decode(packet, &mut out).unwrap();
            sent += energy(samples);
            received += energy(&out);
        }
        assert!((received / sent - 1.0).abs() < 0.2, "{}", received / sent);
    }

    #[test]
    fn the_next_packet_rebuilds_a_lost_one() {
        let (_, packets) = packets(60);
        // Difference to the loss-free decoding over every fifth packet, corrected and concealed.
        let difference = |correct: bool| {
            let (mut whole, mut lossy) = (AudioDecoder::new().unwrap(), AudioDecoder::new().unwrap());
            let mut sum = 0.0;
            for (index, pair) in packets.windows(2).enumerate() {
                let (mut expected, mut got) = ([0.0; PACKET_SAMPLES], [0.0; PACKET_SAMPLES]);
                whole.decode(&pair[0], &mut expected).unwrap();
                if index % 5 != 4 {
                    lossy.decode(&pair[0], &mut got).unwrap();
                    continue;
                }
                if correct {
                    lossy.recover(&pair[1], &mut got).unwrap();
                } else {
                    lossy.conceal(&mut got);
                }
                sum += expected.iter().zip(&got).map(|(a, b)| (a - b) * (a - b)).sum::<f32>();
            }
            sum
        };
        let (corrected, concealed) = (difference(true), difference(false));
        assert!(corrected < concealed * 0.7, "{corrected} {concealed}");
    }

    #[test]
    fn hostile_packets_are_refused_and_silent() {
        let mut decoder = AudioDecoder::new().unwrap();
        let mut samples = [1.0; PACKET_SAMPLES];
        for packet in [
            Vec::new(),
            vec![0xff],
            vec![0x03, 0xff, 0xff],
            vec![0x78; 2_000],
            // 60 ms in one packet.
            vec![0x18; 80],
        ] {
            samples.fill(1.0);
            assert!(decoder.decode(&packet, &mut samples).is_err());
            assert!(samples.iter().all(|sample| *sample == 0.0));
        }
        // Any first byte, any length: no panic, and never a sample that is not a number.
        for first in 0..=255_u8 {
            for length in [1, 2, 3, 17, 80, 255] {
                let packet: Vec<u8> = (0..length).map(|at: usize| first.wrapping_add((at * 151) as u8)).collect();
                decoder.decode(&packet, &mut samples).ok();
                decoder.recover(&packet, &mut samples).ok();
                assert!(samples.iter().all(|sample| sample.is_finite()));
            }
        }
    }
}
