//! Work on raw pictures and sound between source and codec: pure functions, run on the pipeline's threads.

pub mod background;
pub mod convert;
pub mod echo;
pub(crate) mod resample;
pub mod scale;
pub(crate) mod stand_in;
