//! The one clock of the server: Unix seconds, or a hand-set value in tests.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

/// Where the server's time of day comes from.
#[derive(Debug, Clone, Default)]
pub struct Clock(Option<Arc<AtomicU64>>);

impl Clock {
    /// The system's time.
    #[must_use]
    pub const fn system() -> Self {
        Self(None)
    }

    /// A value (Unix seconds) that its owner sets: for tests of windows, second factors and idle time.
    #[must_use]
    pub const fn manual(seconds: Arc<AtomicU64>) -> Self {
        Self(Some(seconds))
    }

    /// Unix seconds.
    pub(crate) fn now(&self) -> u64 {
        match &self.0 {
            Some(seconds) => seconds.load(Ordering::Relaxed),
            None => SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
        }
    }
}
