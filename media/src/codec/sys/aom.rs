//! libaom's AV1 encoder behind a safe type, set up for live video.

use std::ffi::{c_int, c_uint};
use std::mem::MaybeUninit;
use std::ptr::{null, null_mut};

use libaom_sys as aom;

use super::Planes;
use crate::error::MediaError;

/// What the encoder is set to.
pub(in crate::codec) struct Settings {
    pub(in crate::codec) width: u32,
    pub(in crate::codec) height: u32,
    pub(in crate::codec) fps: u32,
    pub(in crate::codec) bitrate_kbps: u32,
    /// Worker threads, at least 1.
    pub(in crate::codec) threads: u32,
    /// Text and lines instead of a camera's picture.
    pub(in crate::codec) screen: bool,
}

/// An initialised libaom encoder.
pub(in crate::codec) struct Encoder {
    // Boxed: the library keeps pointers into the context.
    context: Box<aom::aom_codec_ctx_t>,
    config: Box<aom::aom_codec_enc_cfg_t>,
    /// Presentation time of the next picture and its length, in units of the time base.
    time: i64,
    duration: u32,
}

// SAFETY: the context has no thread affinity, and all methods that reach it take `&mut self`.
unsafe impl Send for Encoder {}

/// Ticks per second of presentation times, as RTP counts.
const TICKS: c_int = 90_000;

impl Encoder {
    pub(in crate::codec) fn new(settings: &Settings) -> Result<Self, MediaError> {
        let failed = || MediaError::Codec("open the AV1 encoder");
        let mut config: Box<MaybeUninit<aom::aom_codec_enc_cfg_t>> = Box::new(MaybeUninit::uninit());
        // SAFETY: the interface is a static of the library; the configuration is a valid place to fill in.
        let defaults = unsafe {
            aom::aom_codec_enc_config_default(aom::aom_codec_av1_cx(), config.as_mut_ptr(), aom::AOM_USAGE_REALTIME)
        };
        if defaults != aom::AOM_CODEC_OK {
            return Err(failed());
        }
        // SAFETY: the call above succeeded, so it wrote the whole structure.
        let mut config = unsafe { config.assume_init() };
        configure(&mut config, settings);

        // SAFETY: the context is a plain C structure for which all zeros is the documented state before initialisation.
        let mut context: Box<aom::aom_codec_ctx_t> = unsafe { Box::new(MaybeUninit::zeroed().assume_init()) };
        let version = c_int::try_from(aom::AOM_ENCODER_ABI_VERSION).map_err(|_never| failed())?;
        // SAFETY: context and configuration are valid; the library copies the configuration. On failure there is
        // nothing to destroy (documented), so no `Encoder` exists yet.
        let opened = unsafe {
            aom::aom_codec_enc_init_ver(&raw mut *context, aom::aom_codec_av1_cx(), &raw const *config, 0, version)
        };
        if opened != aom::AOM_CODEC_OK {
            return Err(failed());
        }
        let duration = TICKS.unsigned_abs() / settings.fps.clamp(1, 240);
        let mut this = Self { context, config, time: 0, duration };
        for &(control, value) in CONTROLS {
            this.control(control, value)?;
        }
        if settings.screen {
            for &(control, value) in SCREEN_CONTROLS {
                this.control(control, value)?;
            }
        }
        // Tiles let two threads share a picture; a tile is at least 256 wide.
        this.control(aom::AV1E_SET_TILE_COLUMNS, c_int::from(settings.threads > 1))?;
        Ok(this)
    }

    /// Encodes one picture and appends the temporal unit to `data`; `true` if it is a key frame. Nothing is appended
    /// when the rate control drops the picture.
    pub(in crate::codec) fn encode(
        &mut self,
        planes: &Planes<'_>,
        force_key: bool,
        data: &mut Vec<u8>,
    ) -> Result<bool, MediaError> {
        let failed = || MediaError::Codec("encode a picture to AV1");
        if (planes.width, planes.height) != (self.config.g_w, self.config.g_h) {
            return Err(failed());
        }
        let row = |len: u32| c_int::try_from(len).map_err(|_too_large| failed());
        let (luma_row, chroma_row) = (row(planes.width)?, row(planes.width.div_ceil(2))?);
        let mut image = MaybeUninit::zeroed();
        let luma = planes.y.as_ptr().cast_mut();
        // SAFETY: the library fills in the descriptor, with pointers computed from `luma` but not read.
        let wrapped = unsafe {
            aom::aom_img_wrap(image.as_mut_ptr(), aom::AOM_IMG_FMT_I420, planes.width, planes.height, 1, luma)
        };
        if wrapped.is_null() {
            return Err(failed());
        }
        // SAFETY: filled in by the call above, and all zeros before.
        let mut image: aom::aom_image_t = unsafe { image.assume_init() };
        // The library's own layout would round odd widths up.
        image.planes = [luma, planes.u.as_ptr().cast_mut(), planes.v.as_ptr().cast_mut()];
        image.stride = [luma_row, chroma_row, chroma_row];

        let flags = if force_key { i64::from(aom::AOM_EFLAG_FORCE_KF) } else { 0 };
        let flags = aom::aom_enc_frame_flags_t::try_from(flags).map_err(|_never| failed())?;
        // SAFETY: the planes hold height (chroma: half, rounded up) rows of the strides given, because `VideoFrame`
        // keeps its length; the library only reads them (no denoiser is on) and copies what it keeps.
        let encoded = unsafe {
            aom::aom_codec_encode(&raw mut *self.context, &raw const image, self.time, self.duration.into(), flags)
        };
        if encoded != aom::AOM_CODEC_OK {
            return Err(failed());
        }
        self.time += i64::from(self.duration);
        Ok(self.append_output(data))
    }

    /// Takes effect with the next picture.
    pub(in crate::codec) fn set_bitrate(&mut self, kbps: u32) -> Result<(), MediaError> {
        let before = self.config.rc_target_bitrate;
        self.config.rc_target_bitrate = kbps;
        // SAFETY: the context is open, the configuration is the one it was opened with but for the rate.
        let changed = unsafe { aom::aom_codec_enc_config_set(&raw mut *self.context, &raw const *self.config) };
        if changed != aom::AOM_CODEC_OK {
            self.config.rc_target_bitrate = before;
            return Err(MediaError::Codec("change the AV1 bit rate"));
        }
        Ok(())
    }

    fn control(&mut self, id: aom::aome_enc_control_id, value: c_int) -> Result<(), MediaError> {
        let refused = MediaError::Codec("set up the AV1 encoder");
        let Ok(id) = c_int::try_from(id) else { return Err(refused) };
        // SAFETY: the context is open, and all controls used here take one `int` or `unsigned int`.
        let done = unsafe { aom::aom_codec_control(&raw mut *self.context, id, value) };
        if done == aom::AOM_CODEC_OK { Ok(()) } else { Err(refused) }
    }

    fn append_output(&mut self, data: &mut Vec<u8>) -> bool {
        let mut key = false;
        let mut position: aom::aom_codec_iter_t = null();
        loop {
            // SAFETY: the context is open; the iterator starts at null and is only handed back.
            let packet = unsafe { aom::aom_codec_get_cx_data(&raw mut *self.context, &raw mut position) };
            // SAFETY: a packet that is not null is valid until the next call on the context.
            let Some(packet) = (unsafe { packet.as_ref() }) else { return key };
            if packet.kind != aom::AOM_CODEC_CX_FRAME_PKT {
                continue;
            }
            // SAFETY: packets of this kind hold the `frame` member.
            let frame = unsafe { packet.data.frame };
            if !frame.buf.is_null() {
                // SAFETY: the library states `sz` readable bytes at `buf`, valid as long as the packet.
                data.extend_from_slice(unsafe { std::slice::from_raw_parts(frame.buf.cast::<u8>(), frame.sz) });
            }
            key |= frame.flags & aom::AOM_FRAME_IS_KEY != 0;
        }
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // SAFETY: the context is open and not used again. A refusal leaves nothing to do.
        unsafe { aom::aom_codec_destroy(&raw mut *self.context) };
        self.context.priv_ = null_mut();
    }
}

fn configure(config: &mut aom::aom_codec_enc_cfg_t, settings: &Settings) {
    config.g_w = settings.width;
    config.g_h = settings.height;
    config.g_threads = settings.threads;
    config.g_timebase = aom::aom_rational { num: 1, den: TICKS };
    config.g_input_bit_depth = 8;
    config.g_error_resilient = 0;
    config.g_pass = aom::AOM_RC_ONE_PASS;
    config.g_lag_in_frames = 0;
    config.kf_mode = aom::AOM_KF_DISABLED;
    config.rc_end_usage = aom::AOM_CBR;
    config.rc_target_bitrate = settings.bitrate_kbps;
    config.rc_dropframe_thresh = 0;
    config.rc_min_quantizer = MIN_QUANTIZER;
    config.rc_max_quantizer = MAX_QUANTIZER;
    config.rc_undershoot_pct = 50;
    config.rc_overshoot_pct = 50;
    // A second of buffer: shorter makes quality jump with each movement, longer lets bursts through.
    config.rc_buf_initial_sz = 600;
    config.rc_buf_optimal_sz = 600;
    config.rc_buf_sz = 1000;
}

/// What is different for text and lines: few colours are named once, and edges are kept.
const SCREEN_CONTROLS: &[(aom::aome_enc_control_id, c_int)] =
    &[(aom::AV1E_SET_TUNE_CONTENT, aom::AOM_CONTENT_SCREEN as c_int), (aom::AV1E_SET_ENABLE_PALETTE, 1)];

/// Bounds of the quantizer, 0 to 63. A lower minimum spends bits where nobody sees them.
const MIN_QUANTIZER: c_uint = 10;
const MAX_QUANTIZER: c_uint = 56;

/// Tools for live video at speed 10: those that cost more time than they save bits there are off.
const CONTROLS: &[(aom::aome_enc_control_id, c_int)] = &[
    (aom::AOME_SET_CPUUSED, 10),
    // Cyclic refresh of still parts: sharpens the picture without key frames.
    (aom::AV1E_SET_AQ_MODE, 3),
    (aom::AOME_SET_MAX_INTRA_BITRATE_PCT, 300),
    (aom::AV1E_SET_ENABLE_CDEF, 1),
    (aom::AV1E_SET_ROW_MT, 1),
    (aom::AV1E_SET_COEFF_COST_UPD_FREQ, 3),
    (aom::AV1E_SET_MODE_COST_UPD_FREQ, 3),
    (aom::AV1E_SET_MV_COST_UPD_FREQ, 3),
    (aom::AV1E_SET_INTRA_DEFAULT_TX_ONLY, 1),
    (aom::AV1E_SET_DISABLE_TRELLIS_QUANT, 1),
    (aom::AV1E_SET_MAX_REFERENCE_FRAMES, 3),
    (aom::AV1E_SET_DELTAQ_MODE, 0),
    (aom::AV1E_SET_NOISE_SENSITIVITY, 0),
    (aom::AV1E_SET_ENABLE_TPL_MODEL, 0),
    (aom::AV1E_SET_ENABLE_ORDER_HINT, 0),
    (aom::AV1E_SET_ENABLE_PALETTE, 0),
    (aom::AV1E_SET_ENABLE_OBMC, 0),
    (aom::AV1E_SET_ENABLE_WARPED_MOTION, 0),
    (aom::AV1E_SET_ENABLE_GLOBAL_MOTION, 0),
    (aom::AV1E_SET_ENABLE_REF_FRAME_MVS, 0),
    (aom::AV1E_SET_ENABLE_CFL_INTRA, 0),
    (aom::AV1E_SET_ENABLE_SMOOTH_INTRA, 0),
    (aom::AV1E_SET_ENABLE_ANGLE_DELTA, 0),
    (aom::AV1E_SET_ENABLE_FILTER_INTRA, 0),
    (aom::AV1E_SET_ENABLE_DIST_WTD_COMP, 0),
    (aom::AV1E_SET_ENABLE_DIFF_WTD_COMP, 0),
    (aom::AV1E_SET_ENABLE_DUAL_FILTER, 0),
    (aom::AV1E_SET_ENABLE_INTERINTRA_COMP, 0),
    (aom::AV1E_SET_ENABLE_INTERINTRA_WEDGE, 0),
    (aom::AV1E_SET_ENABLE_INTRA_EDGE_FILTER, 0),
    (aom::AV1E_SET_ENABLE_INTRABC, 0),
    (aom::AV1E_SET_ENABLE_MASKED_COMP, 0),
    (aom::AV1E_SET_ENABLE_PAETH_INTRA, 0),
    (aom::AV1E_SET_ENABLE_QM, 0),
    (aom::AV1E_SET_ENABLE_RECT_PARTITIONS, 0),
    (aom::AV1E_SET_ENABLE_RESTORATION, 0),
    (aom::AV1E_SET_ENABLE_SMOOTH_INTERINTRA, 0),
    (aom::AV1E_SET_ENABLE_TX64, 0),
];
