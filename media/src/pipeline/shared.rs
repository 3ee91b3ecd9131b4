//! What the engine's handle and its threads share: switches, picture slots, levels and counters.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crypto::LeafIndex;

use crate::engine::{Levels, Wake};
use crate::frame::VideoFrame;
use crate::slot::Slot;
use crate::stats::MediaStats;
use crate::time::MediaTime;

/// Shared by handle, actor and threads. Locks are held for a few loads and stores, never across a codec or a wait.
pub(crate) struct Shared {
    stopped: AtomicBool,
    microphone: AtomicBool,
    camera: AtomicBool,
    self_view: Arc<Slot<VideoFrame>>,
    pictures: Mutex<Vec<(LeafIndex, Arc<Slot<VideoFrame>>)>>,
    wake: Option<Wake>,
}

impl Shared {
    pub(crate) fn new(wake: Option<Wake>) -> Self {
        Self {
            stopped: AtomicBool::new(false),
            microphone: AtomicBool::new(true),
            camera: AtomicBool::new(true),
            self_view: Arc::default(),
            pictures: Mutex::default(),
            wake,
        }
    }

    pub(crate) fn add_picture_slot(&self, peer: LeafIndex) {
        let mut pictures = self.pictures();
        if pictures.iter().all(|(leaf, _)| *leaf != peer) {
            pictures.push((peer, Arc::default()));
        }
    }

    pub(crate) fn remove_picture_slot(&self, peer: LeafIndex) {
        self.pictures().retain(|(leaf, slot)| {
            if *leaf == peer {
                slot.close();
            }
            *leaf != peer
        });
    }

    pub(crate) fn picture_of(&self, peer: LeafIndex) -> Option<Arc<Slot<VideoFrame>>> {
        self.pictures()
            .iter()
            .find(|(leaf, _)| *leaf == peer)
            .map(|(_, slot)| Arc::clone(slot))
    }

    pub(crate) fn self_view(&self) -> Arc<Slot<VideoFrame>> {
        Arc::clone(&self.self_view)
    }

    pub(crate) fn set_microphone(&self, on: bool) {
        self.microphone.store(on, Ordering::Release);
    }

    pub(crate) fn set_camera(&self, on: bool) {
        self.camera.store(on, Ordering::Release);
    }

    pub(crate) fn levels(&self) -> Levels {
        Levels::default()
    }

    pub(crate) fn stats(&self, _now: MediaTime) -> MediaStats {
        MediaStats::default()
    }

    pub(crate) fn mark_steady(&self, _now: MediaTime) {}

    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.self_view.close();
    }

    fn pictures(&self) -> MutexGuard<'_, Vec<(LeafIndex, Arc<Slot<VideoFrame>>)>> {
        self.pictures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
