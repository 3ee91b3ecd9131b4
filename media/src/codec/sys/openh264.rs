//! OpenH264's encoder behind a safe type. The wrapper crate hides options that the rate control needs.

use std::ffi::c_int;
use std::ptr::null_mut;

use openh264_sys2::{
    API, CONSTANT_ID, DynamicAPI, ENCODER_OPTION, ENCODER_OPTION_BITRATE, ENCODER_OPTION_MAX_BITRATE,
    ENCODER_OPTION_TRACE_LEVEL, ISVCEncoder, ISVCEncoderVtbl, PRO_BASELINE, SEncParamExt, SFrameBSInfo,
    SM_SINGLE_SLICE, SPATIAL_LAYER_0, SPATIAL_LAYER_ALL, SSourcePicture, TagBitrateInfo, WELS_LOG_QUIET,
    videoFormatI420, videoFrameTypeIDR, videoFrameTypeSkip,
};

use super::Planes;
use crate::error::MediaError;

/// What the encoder is set to.
pub(in crate::codec) struct Settings {
    /// Even width and height in pixels.
    pub(in crate::codec) width: u32,
    pub(in crate::codec) height: u32,
    pub(in crate::codec) fps: u32,
    pub(in crate::codec) bitrate_bps: i32,
    pub(in crate::codec) max_bitrate_bps: i32,
    /// Text and lines instead of a camera's picture.
    pub(in crate::codec) screen: bool,
}

/// An initialised OpenH264 encoder.
pub(in crate::codec) struct Encoder {
    api: DynamicAPI,
    encoder: *mut ISVCEncoder,
    width: c_int,
    height: c_int,
    output: Box<SFrameBSInfo>,
}

// SAFETY: the C++ object has no thread affinity, and all methods that reach it take `&mut self`.
unsafe impl Send for Encoder {}

/// What became of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::codec) enum Outcome {
    Key,
    Delta,
    /// Of the upper temporal layer: no later picture refers to it.
    Droppable,
    /// Left out by the rate control.
    Skipped,
}

impl Encoder {
    pub(in crate::codec) fn new(settings: &Settings) -> Result<Self, MediaError> {
        let failed = || MediaError::Codec("open the H.264 encoder");
        let side = |side: u32| c_int::try_from(side).map_err(|_too_large| failed());
        let (width, height) = (side(settings.width)?, side(settings.height)?);
        let api = DynamicAPI::from_source();
        let mut encoder: *mut ISVCEncoder = null_mut();
        // SAFETY: the argument is a valid place for the pointer to the new object.
        let created = unsafe { api.WelsCreateSVCEncoder(&raw mut encoder) };
        if created != 0 || encoder.is_null() {
            return Err(failed());
        }
        // From here on `Drop` destroys the object.
        let this = Self { api, encoder, width, height, output: Box::default() };
        let mut quiet: c_int = WELS_LOG_QUIET;
        // SAFETY: this option reads one `int`. A refusal only leaves the library's own messages on.
        unsafe { this.set_option(ENCODER_OPTION_TRACE_LEVEL, &mut quiet) };

        let mut params = SEncParamExt::default();
        let table = this.table();
        let (get_defaults, initialize) =
            (table.GetDefaultParams.ok_or_else(failed)?, table.InitializeExt.ok_or_else(failed)?);
        // SAFETY: the object is alive, `params` is a valid structure to fill in.
        if unsafe { get_defaults(this.encoder, &raw mut params) } != 0 {
            return Err(failed());
        }
        configure(&mut params, settings, width, height);
        // SAFETY: as above; the library copies the structure.
        if unsafe { initialize(this.encoder, &raw const params) } != 0 {
            return Err(failed());
        }
        Ok(this)
    }

    /// Encodes one picture and appends the access unit to `data`. `millis` counts up with the pictures.
    pub(in crate::codec) fn encode(
        &mut self,
        planes: &Planes<'_>,
        millis: i64,
        force_key: bool,
        data: &mut Vec<u8>,
    ) -> Result<Outcome, MediaError> {
        let failed = || MediaError::Codec("encode a picture to H.264");
        let row = |len: u32| c_int::try_from(len).map_err(|_too_large| failed());
        let (luma_row, chroma_row) = (row(planes.width)?, row(planes.width.div_ceil(2))?);
        // An odd last row or column is cropped: the picture given may be one larger than the encoder's.
        if luma_row & !1 != self.width || row(planes.height)? & !1 != self.height {
            return Err(failed());
        }
        let table = self.table();
        let (force, encode) = (table.ForceIntraFrame.ok_or_else(failed)?, table.EncodeFrame.ok_or_else(failed)?);
        if force_key {
            // SAFETY: the object is alive and initialised.
            let forced = unsafe { force(self.encoder, true) };
            if forced != 0 {
                return Err(failed());
            }
        }
        let picture = SSourcePicture {
            iColorFormat: videoFormatI420,
            iStride: [luma_row, chroma_row, chroma_row, 0],
            pData: [
                planes.y.as_ptr().cast_mut(),
                planes.u.as_ptr().cast_mut(),
                planes.v.as_ptr().cast_mut(),
                null_mut(),
            ],
            iPicWidth: self.width,
            iPicHeight: self.height,
            uiTimeStamp: millis,
            ..SSourcePicture::default()
        };
        // SAFETY: the planes hold at least height rows of the strides given (checked above against the size, and
        // `VideoFrame` keeps lengths and size together); the library only reads them, and only during the call.
        if unsafe { encode(self.encoder, &raw const picture, &raw mut *self.output) } != 0 {
            return Err(failed());
        }
        if self.output.eFrameType == videoFrameTypeSkip {
            return Ok(Outcome::Skipped);
        }
        self.append_output(data);
        let upper = self.output.sLayerInfo.iter().take(1).any(|layer| layer.uiTemporalId > 0);
        Ok(match self.output.eFrameType {
            kind if kind == videoFrameTypeIDR => Outcome::Key,
            _ if upper => Outcome::Droppable,
            _ => Outcome::Delta,
        })
    }

    /// Takes effect with the next picture. `max_bps` must not be below `bps`.
    pub(in crate::codec) fn set_bitrate(&mut self, bps: i32, max_bps: i32) -> Result<(), MediaError> {
        // The maximum is raised first and lowered last, so that the pair is valid at every step.
        let mut maximum = TagBitrateInfo { iLayer: SPATIAL_LAYER_0, iBitrate: max_bps.max(bps) };
        let mut target = TagBitrateInfo { iLayer: SPATIAL_LAYER_ALL, iBitrate: bps };
        let mut unlimited = TagBitrateInfo { iLayer: SPATIAL_LAYER_0, iBitrate: UNLIMITED_BPS };
        // SAFETY: both options read one `SBitrateInfo`.
        let done = unsafe {
            self.set_option(ENCODER_OPTION_MAX_BITRATE, &mut unlimited)
                && self.set_option(ENCODER_OPTION_BITRATE, &mut target)
                && self.set_option(ENCODER_OPTION_MAX_BITRATE, &mut maximum)
        };
        if done { Ok(()) } else { Err(MediaError::Codec("change the H.264 bit rate")) }
    }

    /// # Safety
    ///
    /// `value` must be of the type that the library reads for `option`.
    unsafe fn set_option<T>(&self, option: ENCODER_OPTION, value: &mut T) -> bool {
        let Some(set) = self.table().SetOption else { return false };
        // SAFETY: the object is alive; the caller answers for the type of `value`.
        unsafe { set(self.encoder, option, (&raw mut *value).cast()) == 0 }
    }

    fn table(&self) -> ISVCEncoderVtbl {
        // SAFETY: `encoder` points to a live object, whose first word points to its table of functions.
        unsafe { **self.encoder }
    }

    fn append_output(&self, data: &mut Vec<u8>) {
        let layers = usize::try_from(self.output.iLayerNum).unwrap_or(0);
        for layer in self.output.sLayerInfo.iter().take(layers) {
            let count = usize::try_from(layer.iNalCount).unwrap_or(0);
            if layer.pNalLengthInByte.is_null() || layer.pBsBuf.is_null() {
                continue;
            }
            // SAFETY: the library filled in `iNalCount` lengths; they stay until the next call on the object.
            let lengths = unsafe { std::slice::from_raw_parts(layer.pNalLengthInByte, count) };
            let total = lengths.iter().map(|&length| usize::try_from(length).unwrap_or(0)).sum();
            // SAFETY: the units of a layer lie one after the other in its buffer.
            data.extend_from_slice(unsafe { std::slice::from_raw_parts(layer.pBsBuf, total) });
        }
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        let uninitialize = self.table().Uninitialize;
        // SAFETY: the object is alive, this is its last use; uninitialising one that never was initialised is allowed.
        unsafe {
            if let Some(uninitialize) = uninitialize {
                uninitialize(self.encoder);
            }
            self.api.WelsDestroySVCEncoder(self.encoder);
        }
    }
}

/// The largest rate that the library's checks let pass without changing the level.
const UNLIMITED_BPS: c_int = 100_000_000;

fn configure(params: &mut SEncParamExt, settings: &Settings, width: c_int, height: c_int) {
    params.iUsageType = match settings.screen {
        true => openh264_sys2::SCREEN_CONTENT_REAL_TIME,
        false => openh264_sys2::CAMERA_VIDEO_REAL_TIME,
    };
    params.iPicWidth = width;
    params.iPicHeight = height;
    params.iTargetBitrate = settings.bitrate_bps;
    params.iMaxBitrate = settings.max_bitrate_bps;
    params.fMaxFrameRate = settings.fps as f32;
    params.iRCMode = openh264_sys2::RC_BITRATE_MODE;
    params.bEnableFrameSkip = false;
    params.iComplexityMode = openh264_sys2::LOW_COMPLEXITY;
    params.eSpsPpsIdStrategy = CONSTANT_ID;
    // Two threads gain nothing at 720p, measured.
    params.iMultipleThreadIdc = 1;
    // A key frame comes when somebody asks for one: one at each scene change would burst when a hand covers the lens.
    params.bEnableSceneChangeDetect = false;
    params.iSpatialLayerNum = 1;
    // Every second picture is no reference: 0.2 dB better at the same rate, and losing one breaks nothing.
    params.iTemporalLayerNum = if settings.screen { 1 } else { 2 };
    // Skipping what looks like background costs 0.5 dB and saves no time, measured on two clips.
    params.bEnableBackgroundDetection = false;
    let layer = &mut params.sSpatialLayers[0];
    layer.uiProfileIdc = PRO_BASELINE;
    layer.iVideoWidth = width;
    layer.iVideoHeight = height;
    layer.fFrameRate = settings.fps as f32;
    layer.iSpatialBitrate = settings.bitrate_bps;
    layer.iMaxSpatialBitrate = settings.max_bitrate_bps;
    layer.sSliceArgument.uiSliceMode = SM_SINGLE_SLICE;
    layer.sSliceArgument.uiSliceNum = 1;
}
