//! Where a face finds the newest pictures, the sound level, the devices to choose from, and how the call goes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use media::source::WindowInfo;
use media::{DeviceList, Slot, VideoFrame};

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
    devices: Option<Arc<DeviceList>>,
    windows: Option<Windows>,
    screen: Option<Arc<Slot<VideoFrame>>>,
    remote_screens: BTreeMap<u32, Arc<Slot<VideoFrame>>>,
}

/// Windows that could be shared, with a small picture each; none of those that are minimised.
pub(crate) type Windows = Arc<Vec<(WindowInfo, Option<VideoFrame>)>>;

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

    /// The own window as the others see it, while one is shared.
    pub fn screen(&self) -> Option<Arc<Slot<VideoFrame>>> {
        self.with(|board| board.screen.clone())
    }

    /// The window that the member at this leaf shares, if it may.
    pub fn screen_of(&self, leaf: u32) -> Option<Arc<Slot<VideoFrame>>> {
        self.with(|board| board.remote_screens.get(&leaf).cloned())
    }

    /// Windows that could be shared, once they were looked for.
    pub(crate) fn windows(&self) -> Option<Windows> {
        self.with(|board| board.windows.clone())
    }

    pub(crate) fn set_windows(&self, windows: Windows) {
        self.with(|board| board.windows = Some(windows));
    }

    pub(crate) fn set_screen(&self, slot: Option<Arc<Slot<VideoFrame>>>) {
        self.with(|board| board.screen = slot);
    }

    pub(crate) fn set_remote_screen(&self, leaf: u32, slot: Option<Arc<Slot<VideoFrame>>>) {
        self.with(|board| match slot {
            Some(slot) => {
                board.remote_screens.insert(leaf, slot);
            }
            None => {
                board.remote_screens.remove(&leaf);
            }
        });
    }

    /// The devices to choose from, once they were looked for.
    pub fn devices(&self) -> Option<Arc<DeviceList>> {
        self.with(|board| board.devices.clone())
    }

    pub(crate) fn set_devices(&self, devices: Arc<DeviceList>) {
        self.with(|board| board.devices = Some(devices));
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
