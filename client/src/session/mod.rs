//! The consultation from sign-in to close.

mod command;
mod error_code;
mod view;

pub use command::Command;
pub use error_code::ErrorCode;
pub use view::*;
