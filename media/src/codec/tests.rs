//! Both codecs through the same tests: what a call relies on holds whichever the sender picks.

use super::*;
use crate::frame::VideoFormat;
use crate::source::TestPattern;
use crate::time::MediaTime;

const FPS: u32 = 30;

fn settings(width: u32, height: u32, kbps: u64) -> EncoderSettings {
    EncoderSettings { width, height, fps: FPS, bitrate: Bitrate::kbps(kbps), content: Content::Camera }
}

fn moment(number: u32) -> MediaTime {
    MediaTime::from_micros(1_000_000 + u64::from(number) * 1_000_000 / u64::from(FPS))
}

/// Calm moving pictures.
struct Calm(TestPattern);

impl Calm {
    fn new(width: u32, height: u32) -> Self {
        Self(TestPattern::new(0, VideoFormat { width, height, fps: FPS }).unwrap())
    }

    fn picture(&self, number: u32) -> VideoFrame {
        self.0.paint(number, moment(number)).unwrap()
    }
}

/// Pictures that no codec can compress, so that only the rate control decides on their size.
fn noise(width: u32, height: u32, number: u32) -> VideoFrame {
    let len = VideoFrame::data_len(width, height).unwrap();
    let mut random = Random(number.wrapping_mul(2_654_435_761) | 1);
    let data = (0..len).map(|_| 96 + (random.next() & 63)).collect();
    VideoFrame::new(width, height, moment(number), number, data).unwrap()
}

/// Xorshift: the same bytes in each run.
struct Random(u32);

impl Random {
    fn next(&mut self) -> u8 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0.to_le_bytes()[1]
    }
}

fn psnr(one: &VideoFrame, other: &VideoFrame) -> f64 {
    let squares: f64 = one.y().iter().zip(other.y()).map(|(&a, &b)| f64::from(a.abs_diff(b)).powi(2)).sum();
    10.0 * (255.0 * 255.0 * one.y().len() as f64 / squares.max(1.0)).log10()
}

fn encode_some(encoder: &mut VideoEncoder, calm: &Calm, count: u32) -> Vec<EncodedVideo> {
    (0..count).filter_map(|number| encoder.encode(&calm.picture(number), false).unwrap()).collect()
}

#[test]
fn pictures_survive_encoding_and_decoding() {
    let calm = Calm::new(320, 180);
    for &codec in VideoCodec::available() {
        let mut encoder = VideoEncoder::new(codec, settings(320, 180, 500)).unwrap();
        let mut decoder = VideoDecoder::new(codec).unwrap();
        for number in 0..8 {
            let picture = calm.picture(number);
            let encoded = encoder.encode(&picture, false).unwrap().unwrap();
            assert_eq!((encoded.codec, encoded.key, encoded.number), (codec, number == 0, number));
            assert_eq!((encoded.width, encoded.height, encoded.captured), (320, 180, moment(number)));
            let decoded = decoder.decode(&encoded.data).unwrap().expect("one in, one out");
            assert_eq!((decoded.width(), decoded.height()), (320, 180));
            assert!(psnr(&picture, &decoded) > 36.0, "{codec:?} picture {number}: {:.1} dB", psnr(&picture, &decoded));
            assert!(decoded.u()[50].abs_diff(picture.u()[50]) < 6 && decoded.v()[50].abs_diff(picture.v()[50]) < 6);
        }
    }
}

#[test]
fn a_window_is_encoded_with_the_tools_for_text() {
    let calm = Calm::new(320, 180);
    let settings = EncoderSettings { content: Content::Screen, ..settings(320, 180, 500) };
    let mut encoder = VideoEncoder::new(VideoCodec::Av1, settings).unwrap();
    let mut decoder = VideoDecoder::new(VideoCodec::Av1).unwrap();
    for number in 0..4 {
        let picture = calm.picture(number);
        let encoded = encoder.encode(&picture, false).unwrap().unwrap();
        assert_eq!((encoded.key, encoded.droppable), (number == 0, false));
        let decoded = decoder.decode(&encoded.data).unwrap().expect("one in, one out");
        assert!(psnr(&picture, &decoded) > 34.0, "picture {number}: {:.1} dB", psnr(&picture, &decoded));
    }
    assert_eq!(encoder.settings().content, Content::Screen);
}

#[test]
fn a_forced_key_frame_lets_a_newcomer_in() {
    let calm = Calm::new(320, 180);
    for &codec in VideoCodec::available() {
        let mut encoder = VideoEncoder::new(codec, settings(320, 180, 500)).unwrap();
        encode_some(&mut encoder, &calm, 5);
        let key = encoder.encode(&calm.picture(5), true).unwrap().unwrap();
        assert!(key.key, "{codec:?}");
        let mut newcomer = VideoDecoder::new(codec).unwrap();
        assert!(psnr(&newcomer.decode(&key.data).unwrap().unwrap(), &calm.picture(5)) > 30.0);
        let delta = encoder.encode(&calm.picture(6), false).unwrap().unwrap();
        assert!(!delta.key);
        assert!(newcomer.decode(&delta.data).unwrap().is_some());
    }
}

#[test]
fn a_change_of_bit_rate_takes_effect_without_a_key_frame() {
    for &codec in VideoCodec::available() {
        let mut encoder = VideoEncoder::new(codec, settings(160, 90, 600)).unwrap();
        let second_of = |encoder: &mut VideoEncoder, start: u32| -> (u64, usize) {
            let encoded: Vec<_> =
                (start..start + FPS).filter_map(|n| encoder.encode(&noise(160, 90, n), false).unwrap()).collect();
            let bytes = encoded.iter().map(|encoded| encoded.data.len() as u64).sum::<u64>();
            (bytes * 8 / 1_000, encoded.iter().filter(|encoded| encoded.key).count())
        };
        second_of(&mut encoder, 0);
        let (before, _) = second_of(&mut encoder, 30);
        encoder.set_bitrate(Bitrate::kbps(200)).unwrap();
        second_of(&mut encoder, 60);
        let (low, low_keys) = second_of(&mut encoder, 90);
        encoder.set_bitrate(Bitrate::kbps(1_200)).unwrap();
        second_of(&mut encoder, 120);
        let (high, high_keys) = second_of(&mut encoder, 150);
        assert!(low * 2 < before && before < high, "{codec:?}: {before}, {low}, {high} kbit/s");
        assert_eq!((low_keys, high_keys), (0, 0), "{codec:?}");
        assert_eq!(encoder.settings().bitrate, Bitrate::kbps(1_200));
    }
}

#[test]
fn another_size_restarts_with_a_key_frame() {
    for &codec in VideoCodec::available() {
        let mut encoder = VideoEncoder::new(codec, settings(320, 180, 500)).unwrap();
        let mut decoder = VideoDecoder::new(codec).unwrap();
        for (width, height) in [(320, 180), (160, 90)] {
            let encoded = encoder.encode(&Calm::new(width, height).picture(0), false).unwrap().unwrap();
            assert!(encoded.key, "{codec:?}");
            let decoded = decoder.decode(&encoded.data).unwrap().unwrap();
            assert_eq!((decoded.width(), decoded.height()), (width, height));
        }
    }
}

#[test]
fn odd_sizes_come_back_whole_or_cropped_by_one() {
    let calm = Calm::new(161, 91);
    for &codec in VideoCodec::available() {
        let mut encoder = VideoEncoder::new(codec, settings(161, 91, 500)).unwrap();
        let encoded = encoder.encode(&calm.picture(0), false).unwrap().unwrap();
        let decoded = VideoDecoder::new(codec).unwrap().decode(&encoded.data).unwrap().unwrap();
        let wanted = if codec == VideoCodec::H264 { (160, 90) } else { (161, 91) };
        assert_eq!((decoded.width(), decoded.height()), wanted);
        assert_eq!((encoded.width, encoded.height), wanted);
    }
}

#[test]
fn absurd_settings_are_refused() {
    for &codec in VideoCodec::available() {
        for (width, height, fps) in [(0, 0, 30), (8, 8, 30), (100_000, 720, 30), (320, 180, 0)] {
            let settings = EncoderSettings { fps, ..settings(width, height, 500) };
            assert!(VideoEncoder::new(codec, settings).is_err(), "{codec:?} {width} x {height} at {fps}");
        }
        // Rates out of range are clamped: the estimator may say anything.
        for bitrate in [Bitrate::ZERO, Bitrate::bps(u64::MAX)] {
            let mut encoder = VideoEncoder::new(codec, EncoderSettings { bitrate, ..settings(320, 180, 1) }).unwrap();
            encoder.encode(&Calm::new(320, 180).picture(0), false).unwrap();
            encoder.set_bitrate(Bitrate::bps(u64::MAX / 2)).unwrap();
            encoder.set_bitrate(Bitrate::ZERO).unwrap();
        }
    }
}

#[test]
fn garbage_is_refused_and_the_next_key_frame_shows() {
    let calm = Calm::new(320, 180);
    for &codec in VideoCodec::available() {
        let mut encoder = VideoEncoder::new(codec, settings(320, 180, 500)).unwrap();
        let stream = encode_some(&mut encoder, &calm, 8);
        let mut decoder = VideoDecoder::new(codec).unwrap();
        assert_eq!(decoder.decode(&[]).err(), Some(MediaError::Undecodable));
        assert_eq!(decoder.decode(&vec![0; VideoDecoder::MAX_ENCODED + 1]).err(), Some(MediaError::TooLarge));

        let mut random = Random(1);
        for round in 0..200 {
            let mut data = stream[round % stream.len()].data.clone();
            match round % 4 {
                0 => data.truncate(usize::from(random.next()) * data.len() / 256),
                1 => data = (0..random.next()).map(|_| random.next()).collect(),
                _ => {
                    for _ in 0..=random.next() % 8 {
                        let place = (usize::from(random.next()) << 8 | usize::from(random.next())) % data.len();
                        data[place] ^= 1 << (random.next() % 8);
                    }
                }
            }
            // Damage may decode to a wrong picture; it must not panic, hang, or blow up the picture's size.
            if let Ok(Some(picture)) = decoder.decode(&data) {
                assert!(picture.width() * picture.height() <= VideoDecoder::MAX_PIXELS);
            }
        }
        decoder.decode(&[0xff; 64]).expect_err("pure garbage");
        let shown = decoder.decode(&stream[0].data).unwrap().expect("a key frame starts it again");
        assert!(psnr(&shown, &calm.picture(0)) > 30.0, "{codec:?}");
    }
}

#[test]
fn a_stream_without_its_key_frame_shows_nothing() {
    let calm = Calm::new(320, 180);
    for &codec in VideoCodec::available() {
        let mut encoder = VideoEncoder::new(codec, settings(320, 180, 500)).unwrap();
        let stream = encode_some(&mut encoder, &calm, 4);
        let mut decoder = VideoDecoder::new(codec).unwrap();
        for encoded in &stream[1..] {
            assert!(!matches!(decoder.decode(&encoded.data), Ok(Some(_))), "{codec:?}");
        }
        assert!(decoder.decode(&stream[0].data).unwrap().is_some());
    }
}

#[test]
fn the_probe_measures_each_codec() {
    let probes = probe::probe_at(VideoFormat { width: 320, height: 180, fps: FPS }, 3).unwrap();
    let codecs: Vec<_> = probes.iter().map(|probe| probe.codec).collect();
    assert_eq!(codecs, VideoCodec::available());
    assert!(probes.iter().all(|probe| !probe.encode.is_zero()));
}
