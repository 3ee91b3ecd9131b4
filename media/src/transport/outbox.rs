//! The way out to the reader of the events.

use tokio::sync::mpsc;

use super::TransportEvent;

/// Events held for the reader.
pub(crate) const CAPACITY: usize = 1_024;
/// Places that frames leave free, so that a slow reader loses frames and never a signal. A reader that awaits a call of
/// ours which reports something does not wait for itself either.
const RESERVED: usize = 256;

/// The sending end of the events.
#[derive(Clone, Debug)]
pub(crate) struct Events(mpsc::Sender<TransportEvent>);

impl Events {
    pub(crate) fn new() -> (Self, mpsc::Receiver<TransportEvent>) {
        let (sender, receiver) = mpsc::channel(CAPACITY);
        (Self(sender), receiver)
    }

    /// Sends something that must not be lost. Waits when the reader is far behind; a reader that is gone is no error.
    pub(crate) async fn send(&self, event: TransportEvent) {
        self.0.send(event).await.ok();
    }

    /// Sends something small and rare that may be lost, also into the places that frames leave free. Says whether there was
    /// room.
    pub(crate) fn offer_rare(&self, event: TransportEvent) -> bool {
        self.0.try_send(event).is_ok()
    }

    /// Sends something that may be lost. Says whether there was room.
    pub(crate) fn offer(&self, event: TransportEvent) -> bool {
        self.0.capacity() > RESERVED && self.0.try_send(event).is_ok()
    }
}
