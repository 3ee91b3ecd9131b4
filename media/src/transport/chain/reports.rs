//! What arrived, told to the peer (draft-holmer-rmcat-transport-wide-cc-extensions-01): often where the path carries much, seldom where
//! reports would crowd out the voice.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rtc::interceptor::{Interceptor, StreamInfo, TaggedPacket, TwccReceiverBuilder, TwccReceiverInterceptor};
use rtc::sansio::Protocol;
use rtc::shared::error::Error;

use crate::transport::shared::Shared;

/// Bounds of the time between two reports. Longer lets a queue grow unseen, shorter costs more than 20 kbit/s.
const INTERVAL: (Duration, Duration) = (Duration::from_millis(30), Duration::from_millis(400));
/// Share of what may be sent that reports take.
const SHARE: f64 = 0.06;
/// A report with all headers, in bits.
const REPORT: f64 = 80.0 * 8.0;

/// The crate's receiver of transport-wide numbers, at our pace.
pub(crate) struct Reports {
    shared: Arc<Shared>,
    inner: TwccReceiverInterceptor,
    /// When the last report went out.
    last: Option<Instant>,
}

impl Reports {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, inner: TwccReceiverBuilder::new().with_interval(INTERVAL.0).build(), last: None }
    }

    /// From report to report. They leave over the path that the budget is for.
    fn interval(&self) -> Duration {
        let Some(budget) = self.shared.budget() else { return INTERVAL.0 };
        let rate = (budget.rate.as_bps() as f64 * SHARE).max(1.0);
        Duration::from_secs_f64(REPORT / rate).clamp(INTERVAL.0, INTERVAL.1)
    }

    fn due(&mut self) -> Option<Instant> {
        let due = self.inner.poll_timeout()?;
        Some(self.last.map_or(due, |last| due.max(last + self.interval())))
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for Reports {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, msg: TaggedPacket) -> Result<(), Error> {
        self.inner.handle_read(msg)
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.inner.poll_read()
    }

    fn handle_write(&mut self, msg: TaggedPacket) -> Result<(), Error> {
        self.inner.handle_write(msg)
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.inner.poll_write()
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), Error> {
        if self.due().is_none_or(|due| now < due) {
            return Ok(());
        }
        self.last = Some(now);
        self.inner.handle_timeout(now)
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        self.due()
    }
}

impl Interceptor for Reports {
    fn bind_local_stream(&mut self, info: &StreamInfo) {
        self.inner.bind_local_stream(info);
    }

    fn unbind_local_stream(&mut self, info: &StreamInfo) {
        self.inner.unbind_local_stream(info);
    }

    fn bind_remote_stream(&mut self, info: &StreamInfo) {
        self.inner.bind_remote_stream(info);
    }

    fn unbind_remote_stream(&mut self, info: &StreamInfo) {
        self.inner.unbind_remote_stream(info);
    }
}
