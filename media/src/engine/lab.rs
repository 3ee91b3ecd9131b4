//! Measuring aids of the feature `lab`: what the associations carry, and what becomes of each frame of a voice.

use tokio::sync::mpsc;

use super::Engine;
use crate::pipeline::VoiceStep;
use crate::transport::Spoil;

impl Engine {
    /// Copies the RTP payloads of peers added from now on, both ways, as they are without SRTP.
    /// What finds the channel full is not copied.
    pub fn tap(&self, tap: mpsc::Sender<bytes::Bytes>) {
        self.transport.tap(tap);
    }

    /// Sends a mark in clear that every receiver refuses, to prove that a search of tapped payloads finds it.
    pub fn plant(&self, mark: &[u8]) {
        self.transport.plant(mark);
    }

    /// Spoils the own frames on their way out, to see them refused.
    pub fn spoil(&self, spoil: Spoil) {
        self.transport.spoil(spoil);
    }

    /// Tells of every sealed voice frame that arrives and of every one that opens, in this order. Only the first caller is
    /// told; what finds the channel full is not.
    pub fn follow_voices(&self, steps: mpsc::Sender<VoiceStep>) {
        self.shared.voices.get_or_init(|| steps);
    }
}
