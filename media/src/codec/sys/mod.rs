//! The only unsafe code of the crate: thin safe types around C interfaces.
//!
//! Each type owns its C object, keeps the rules of the library's documentation in its methods, and says in a `SAFETY`
//! comment at each block why the call is sound. Nothing outside this folder sees a raw pointer.
#![expect(unsafe_code, reason = "the codec libraries are C")]

pub(super) mod aom;
#[cfg(feature = "h264")]
pub(super) mod openh264;

/// The three planes of an I420 picture with rows that follow each other without padding.
pub(super) struct Planes<'a> {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) y: &'a [u8],
    pub(super) u: &'a [u8],
    pub(super) v: &'a [u8],
}

impl<'a> Planes<'a> {
    /// The planes of `frame`. Their lengths fit its size because `VideoFrame` keeps that invariant.
    pub(super) fn of(frame: &'a crate::frame::VideoFrame) -> Self {
        Self { width: frame.width(), height: frame.height(), y: frame.y(), u: frame.u(), v: frame.v() }
    }
}
