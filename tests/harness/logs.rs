//! Every log line of every crate of ours, at the finest level, in one place.

use std::io::Write;
use std::sync::{LazyLock, Mutex, Once};

use tracing_subscriber::EnvFilter;

static LINES: LazyLock<Mutex<Vec<u8>>> = LazyLock::new(Mutex::default);
static STARTED: Once = Once::new();

/// Starts writing logs down; later calls do nothing.
pub(crate) fn start() {
    STARTED.call_once(|| {
        let filter = EnvFilter::new("warn,signaling=trace,client=trace,crypto=trace,media=trace,tests=trace");
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(|| Lines).init();
    });
}

/// What was logged so far.
pub(crate) fn so_far() -> Vec<u8> {
    LINES.lock().unwrap().clone()
}

struct Lines;

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LINES.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
