//! Where a face finds the newest pictures, the sound level, and how the call goes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use media::{Slot, VideoFrame};

use crate::health::Health;

/// Newest-picture slots of the running engine, shared with the window.
///
/// Empty before the engine starts and after it stopped, so that no picture outlives the call.
#[derive(Clone, Default)]
pub struct Pictures(Arc<Mutex<Board>>);

#[derive(Default)]
struct Board {
    own: Option<Arc<Slot<VideoFrame>>>,
    remote: BTreeMap<u32, Arc<Slot<VideoFrame>>>,
    level_dbov: Option<f32>,
    health: Option<Arc<Health>>,
}

impl Pictures {
    /// Own camera, as the others see it; `None` while no camera is open.
    pub fn own(&self) -> Option<Arc<Slot<VideoFrame>>> {
        self.with(|board| board.own.clone())
    }

    /// Pictures of the member at this leaf.
    pub fn of(&self, leaf: u32) -> Option<Arc<Slot<VideoFrame>>> {
        self.with(|board| board.remote.get(&leaf).cloned())
    }

    /// Level of the own microphone, -127 (silence) to 0 dBov.
    pub fn level_dbov(&self) -> Option<f32> {
        self.with(|board| board.level_dbov)
    }

    /// How well the call goes over the network; `None` outside of one.
    pub fn health(&self) -> Option<Arc<Health>> {
        self.with(|board| board.health.clone())
    }

    pub(crate) fn set_health(&self, health: Option<Arc<Health>>) {
        self.with(|board| board.health = health);
    }

    pub(crate) fn set_own(&self, slot: Option<Arc<Slot<VideoFrame>>>) {
        self.with(|board| board.own = slot);
    }

    pub(crate) fn set_remote(&self, leaf: u32, slot: Option<Arc<Slot<VideoFrame>>>) {
        self.with(|board| match slot {
            Some(slot) => {
                board.remote.insert(leaf, slot);
            }
            None => {
                board.remote.remove(&leaf);
            }
        });
    }

    pub(crate) fn set_level(&self, level_dbov: Option<f32>) {
        self.with(|board| board.level_dbov = level_dbov);
    }

    pub(crate) fn clear(&self) {
        self.with(|board| *board = Board::default());
    }

    /// A poisoned board is used as it is: it holds only handles, each whole by itself.
    fn with<T>(&self, change: impl FnOnce(&mut Board) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl std::fmt::Debug for Pictures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pictures")
    }
}
