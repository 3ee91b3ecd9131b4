//! Everything between a device and the network, and back: capture, pixels, codecs, packets, jitter, playout.
//!
//! One rule holds the crate together: what leaves through `transport` is a sealed frame that only `crypto` can make, or a
//! heartbeat, which `crypto` signed and which holds nothing secret; and what is decoded was opened by `crypto` before. There is no unencrypted mode, and no trait that could provide one.
//!
//! What this crate refuses to do: it keeps no names, knows no rooms or roles, writes nothing to disk (except the dumps
//! and timelines of the feature `lab`), and never lets a peer's bytes grow a queue or a picture without a bound.
//!
//! | module | purpose | where it runs |
//! | --- | --- | --- |
//! | [`time`], [`frame`], [`slot`], `pool` | capture clock, bit rates; raw and encoded frames; newest-wins hand-over | pure |
//! | [`source`] | camera, Y4M file, test pattern; microphone, WAV file, voice | named threads, sound callbacks |
//! | [`process`] | pixel conversion and scaling; background; echo, noise, gain | the thread of the pipeline, pure functions |
//! | [`codec`] | H.264, AV1 and Opus behind one small type each; the only `unsafe` is in `codec/sys` | codec threads |
//! | [`Engine`], `pipeline` | one call's threads, keys and channels; statistics in `stats` | actor task, `video-send`, `screen-send`, `video-receive`, `audio` |
//! | `payload`, `packet`, [`transport`] | header inside the seal; packets around it; peer connections | thread of the sender; tokio |
//! | `jitter`, `rate` | whole frames from packets, a voice from late ones, pacing | pure, `now` handed in |
//! | `playout`, `chime`, `sound` | mix, ring to the loudspeaker; sound devices | `audio` thread, sound callbacks |
//!
//! Pictures are I420, BT.601, limited range, everywhere between capture and screen: sources convert to it once, so no
//! frame needs to carry its matrix.
//!
//! Royalties: H.264 is built from OpenH264's source. Cisco pays the patent pool only for its own binary, so whoever
//! ships a build with the feature `h264` answers for the fee. Without that feature the crate is royalty-free (AV1).

#![deny(unsafe_code)]

mod chime;
pub mod codec;
mod devices;
mod engine;
pub mod error;
pub mod frame;
mod jitter;
mod packet;
mod payload;
mod pipeline;
mod playout;
mod pool;
pub mod process;
mod rate;
pub mod slot;
mod sound;
pub mod source;
mod stats;
pub mod time;
pub mod transport;

pub use devices::{DeviceInfo, DeviceList};
pub use engine::{Engine, EngineConfig, EngineError, EngineEvent, EpochSwitch, Levels, Wake};
pub use error::{DeviceError, DeviceKind, MediaError};
pub use frame::{AudioFrame, EncodedVideo, VideoFormat, VideoFrame};
#[cfg(feature = "lab")]
pub use pipeline::{VoiceFate, VoiceStep};
pub use playout::SpeakerSpec;
pub use pool::FramePool;
pub use slot::Slot;
pub use sound::{microphones, speakers};
pub use source::audio::AudioSourceSpec;
pub use stats::{AudioReceived, AudioSent, Latency, MediaStats, PathMedia, PeerMedia, VideoReceived, VideoSent};
pub use time::{Bitrate, MediaTime};
