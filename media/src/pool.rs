//! Recycled picture buffers: a fresh 1.4 MB allocation per picture costs about 340 page faults.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::error::MediaError;
use crate::frame::VideoFrame;
use crate::time::MediaTime;

type Shelf = Mutex<Vec<Vec<u8>>>;

/// Makes frames whose buffers come back when the last clone is dropped, on any thread.
///
/// In the steady state no picture memory is allocated. The pool itself never blocks for long and never refuses: when all
/// buffers are out it allocates, and what comes back beyond [`FramePool::KEPT`] is freed.
#[derive(Default)]
pub struct FramePool {
    shelf: Arc<Shelf>,
}

impl FramePool {
    /// Free buffers kept. Fewer allocate in the steady state (source, slot, self view, encoder and screen hold one
    /// each), more keep memory for nothing.
    pub const KEPT: usize = 6;

    /// An empty pool.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A frame whose pixels are undefined (those of an earlier picture): write all of them.
    ///
    /// # Errors
    ///
    /// [`MediaError::FrameSize`] as for [`VideoFrame::data_len`].
    pub fn frame(&self, width: u32, height: u32, captured: MediaTime, number: u32) -> Result<VideoFrame, MediaError> {
        let len = VideoFrame::data_len(width, height)?;
        let mut bytes = {
            let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
            shelf.pop().unwrap_or_default()
        };
        // After a change of size the few old buffers are resized one by one.
        bytes.resize(len, 0);
        let home = Arc::downgrade(&self.shelf);
        Ok(VideoFrame::from_buffer(width, height, captured, number, Buffer { bytes, home }))
    }
}

impl fmt::Debug for FramePool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FramePool")
    }
}

/// Picture memory that returns to its pool, if it has one that still lives.
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    home: Weak<Shelf>,
}

impl Buffer {
    pub(crate) fn as_mut_slice(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl From<Vec<u8>> for Buffer {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes, home: Weak::new() }
    }
}

impl Clone for Buffer {
    fn clone(&self) -> Self {
        Self { bytes: self.bytes.clone(), home: Weak::clone(&self.home) }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let Some(shelf) = self.home.upgrade() else {
            return;
        };
        let mut shelf = shelf.lock().unwrap_or_else(PoisonError::into_inner);
        if shelf.len() < FramePool::KEPT {
            shelf.push(std::mem::take(&mut self.bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_frame_gives_its_buffer_back() {
        let pool = FramePool::new();
        let frame = pool.frame(64, 64, MediaTime::default(), 0).unwrap();
        let (address, copy) = (frame.data().as_ptr(), frame.clone());
        drop(frame);
        let other = pool.frame(64, 64, MediaTime::default(), 1).unwrap();
        assert_ne!(other.data().as_ptr(), address, "a clone still holds the first buffer");
        drop(copy);
        let third = pool.frame(64, 64, MediaTime::default(), 2).unwrap();
        assert_eq!(third.data().as_ptr(), address);
    }

    #[test]
    fn a_new_size_gets_a_buffer_of_that_size() {
        let pool = FramePool::new();
        drop(pool.frame(64, 64, MediaTime::default(), 0).unwrap());
        let frame = pool.frame(16, 8, MediaTime::default(), 1).unwrap();
        assert_eq!(frame.data().len(), 192);
        assert!(pool.frame(0, 8, MediaTime::default(), 2).is_err());
    }

    #[test]
    fn a_frame_outlives_its_pool() {
        let pool = FramePool::new();
        let frame = pool.frame(4, 4, MediaTime::default(), 0).unwrap();
        drop(pool);
        assert_eq!(frame.data().len(), 24);
    }

    #[test]
    fn the_pool_keeps_few_buffers() {
        let pool = FramePool::new();
        let frames: Vec<_> = (0..20).map(|n| pool.frame(4, 4, MediaTime::default(), n).unwrap()).collect();
        drop(frames);
        assert_eq!(pool.shelf.lock().unwrap().len(), FramePool::KEPT);
    }
}
