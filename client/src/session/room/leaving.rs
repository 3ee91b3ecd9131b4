//! Members who leave. A host takes them out; where none does, any other member may, by the signed request (E2EE 5).

use std::time::Duration;

use crypto::LeafIndex;
use signaling::protocol::Opaque;

use super::{Change, Room};
use crate::private::Private;
use crate::session::effect::Now;
use crate::session::effects::Effects;
use crate::session::message::CallMessage;

/// How long the hosts are waited for. Each member waits a little longer than the one before it in the tree, so that they
/// do not race each other.
const HOST_TIME: Duration = Duration::from_secs(5);
const STEP: Duration = Duration::from_millis(500);

/// A member that asked to be taken out.
#[derive(Debug)]
pub(super) struct Leaver {
    request: Opaque,
    name: Option<Private>,
    since: Duration,
}

impl Room {
    /// Asks to be taken out.
    pub(in crate::session) fn leave(&mut self, fx: &mut Effects) {
        match self.group.leave_request() {
            Ok(request) => self.say(&CallMessage::Leaving { request: Opaque::new(request) }, fx),
            // Whoever takes out lost members finds it absent.
            Err(error) => tracing::warn!(%error, "the request to be taken out could not be signed"),
        }
    }

    pub(super) fn on_leaving(&mut self, now: Now, sender: LeafIndex, key: [u8; 32], request: Opaque, fx: &mut Effects) {
        if self.is_host() {
            self.wish(now, Change::Remove { key, name: None, request: None }, fx);
            return;
        }
        let name = self.peer(sender).and_then(|peer| peer.name.clone());
        self.leavers.entry(key).or_insert(Leaver { request, name, since: now.since_start });
        self.drop_peer(sender.as_u8(), fx);
    }

    /// Takes out who asked for it and whom no host took out.
    pub(super) fn let_leavers_go(&mut self, now: Now, fx: &mut Effects) {
        let patience = HOST_TIME + STEP * u32::from(self.group.own_leaf().as_u8());
        let due = |leaver: &Leaver| now.since_start.saturating_sub(leaver.since) >= patience;
        while self.online
            && let Some(key) = self.leavers.iter().find(|(_, leaver)| due(leaver)).map(|(key, _)| *key)
            && let Some(Leaver { request, name, .. }) = self.leavers.remove(&key)
        {
            self.wish(now, Change::Remove { key, name, request: Some(request) }, fx);
        }
    }

    /// Where the member with this key stands, if it does.
    pub(super) fn leaf_of(&self, key: &[u8; 32]) -> Option<LeafIndex> {
        self.group.members().iter().find(|member| member.signature_key == *key).map(|member| member.leaf)
    }
}
