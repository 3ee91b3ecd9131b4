//! How fast packets may leave.

mod pacer;

pub(crate) use pacer::{Class, Pacer};
