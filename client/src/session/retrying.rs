//! A guest whose admission failed comes again without its code (E2EE 3): a failed join burns the key package, and a server
//! can make it fail by a Welcome of its own making.
//!
//! | step | guest, waiting | host |
//! | --- | --- | --- |
//! | a Welcome that is refused | message 6 | answers with message 4, and takes the new key package |
//! | message 4 | the card, message 5; waits as before | |
//! | no answer, or refused again and again | goodbye (`E2E-05`) | |
//!
//! A host that has admitted the guest already does not answer: who holds the keys then is for people to see.

use std::time::Duration;

use super::effect::Now;
use super::effects::Effects;
use super::error_code::ErrorCode;
use super::joining::{Joining, relay};
use super::message::RelayMessage;
use super::view::KnockState;

/// Refused admissions after which it is given up: each costs a message to the host.
const RETRIES: u8 = 3;
/// A host that is there answers at once.
const GIVE_UP: Duration = Duration::from_secs(5);

/// How often the guest came again, and since when it waits for an answer.
#[derive(Debug, Default)]
pub(super) struct Retrying {
    count: u8,
    since: Option<Duration>,
}

impl Joining {
    /// After an admission that was refused.
    pub(super) fn come_again(&mut self, now: Now, fx: &mut Effects) {
        if self.retrying.count >= RETRIES {
            return fx.fail(ErrorCode::E2e05);
        }
        match self.invitation.retry() {
            Ok(message6) => {
                self.retrying.count += 1;
                self.retrying.since = Some(now.since_start);
                self.knock = KnockState::Proving;
                fx.send(relay(&RelayMessage::Exchange(6, &message6)));
            }
            Err(error) => {
                tracing::warn!(%error, "the guest cannot come again");
                fx.fail(ErrorCode::E2e05);
            }
        }
    }

    /// The host answered.
    pub(super) fn answered(&mut self) {
        self.retrying.since = None;
    }

    /// Time passed.
    pub(super) fn tick(&self, now: Now, fx: &mut Effects) {
        if self.retrying.since.is_some_and(|since| now.since_start.saturating_sub(since) >= GIVE_UP) {
            fx.fail(ErrorCode::E2e05);
        }
    }
}
