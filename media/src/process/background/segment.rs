//! Finds the person in a picture: MediaPipe's selfie segmentation, run in Rust on the thread that asks.
//!
//! Google's model (Apache-2.0), see `media/assets/README.md`. It takes RGB of 256 x 256 and gives how likely each point shows a
//! person.

use std::sync::Arc;

use rten::{Model, ModelOptions, RunOptions, ThreadPool, Value};
use rten_tensor::NdTensor;
use rten_tensor::prelude::*;

use super::mask::SIDE;
use crate::error::MediaError;
use crate::frame::VideoFrame;
use crate::process::convert;
use crate::process::scale::Scaler;

static MODEL: &[u8] = include_bytes!("../../../assets/selfie_segmentation_general.onnx");

pub(super) struct Segmenter {
    model: Model,
    options: RunOptions,
    scaler: Scaler,
    rgba: Vec<u8>,
}

impl Segmenter {
    /// # Errors
    /// [`MediaError::Background`] if the model does not load.
    pub(super) fn new() -> Result<Self, MediaError> {
        // Weights are arranged once for the products that use them, so each picture is cheaper.
        let model = ModelOptions::with_all_ops()
            .prepack_weights(true)
            .load_static_slice(MODEL)
            .map_err(|_error| MediaError::Background("the model does not load"))?;
        // More threads would take the other core from the call.
        let options = RunOptions::default().with_thread_pool(Some(Arc::new(ThreadPool::with_num_threads(1))));
        Ok(Self { model, options, scaler: Scaler::new(), rgba: Vec::new() })
    }

    /// Writes how likely each point shows a person.
    ///
    /// # Errors
    /// [`MediaError::Background`] if the model fails, [`MediaError::FrameSize`] for a frame that cannot be scaled.
    pub(super) fn find(&mut self, frame: &VideoFrame, likely: &mut [f32]) -> Result<(), MediaError> {
        const POINTS: usize = SIDE * SIDE;
        let failed = || MediaError::Background("the model does not run");
        let small = self.scaler.scale(frame, SIDE as u32, SIDE as u32)?;
        convert::i420_to_rgba(&small, &mut self.rgba);
        let mut input = vec![0.0; 3 * POINTS];
        for (at, pixel) in self.rgba.chunks_exact(4).enumerate().take(POINTS) {
            for (colour, value) in pixel.iter().take(3).enumerate() {
                input[colour * POINTS + at] = f32::from(*value) / 255.0;
            }
        }
        let input = NdTensor::from_data([1, 3, SIDE, SIDE], input);
        let output = self.model.run_one(input.into(), Some(self.options.clone())).map_err(|_error| failed())?;
        let Value::FloatTensor(output) = output else { return Err(failed()) };
        let values = output.to_vec();
        if values.len() != likely.len() {
            return Err(failed());
        }
        likely.copy_from_slice(&values);
        Ok(())
    }
}
