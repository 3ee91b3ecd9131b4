//! Work on raw pictures and sound between source and codec: pure functions, run on the pipeline's threads.

pub mod convert;
pub mod echo;
pub mod scale;
