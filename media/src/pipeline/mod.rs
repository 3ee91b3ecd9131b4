//! Wires the stages of a call together; owns the threads and the bounded channels between them.
//!
//! ```text
//!  capture slot ─→ video-send ────┐                              ┌─→ video-receive ─→ picture slots, wake
//!  (newest wins)  encode, seal    ├─→ transport ─→ peers ─→ actor ┤
//!  sound source ─→ audio ─────────┘                 open frames   └─→ audio ─→ mix ─→ ring ─→ speaker
//! ```

mod shared;

use crypto::{LeafIndex, MediaKeys};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use crate::engine::{Engine, EngineConfig, EngineError, EngineEvent, EpochSwitch};
use crate::transport::{Signal, TransportRole};
pub(crate) use shared::Shared;

/// What the engine's owner asks of the actor.
pub(crate) enum Command {
    InstallEpoch(MediaKeys, EpochSwitch),
    AddPeer(LeafIndex, TransportRole),
    RemovePeer(LeafIndex),
    Signal(LeafIndex, Signal),
}

pub(crate) fn start(
    config: EngineConfig,
    runtime: &Handle,
) -> Result<(Engine, mpsc::Receiver<EngineEvent>), EngineError> {
    todo!()
}
