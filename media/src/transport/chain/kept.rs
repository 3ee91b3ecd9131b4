//! Packets that were sent, for as long as the peer may ask for them again (RFC 4588).

use std::time::Duration;

use rtc::rtp;

use crate::time::MediaTime;

/// Packets of each stream: 2 s of 5 Mbit/s.
const KEPT: usize = 1_024;

#[derive(Debug)]
struct Slot {
    packet: rtp::Packet,
    /// When it left last, the first time included.
    left: MediaTime,
    /// It waits to leave again.
    waits: bool,
    /// It was asked for.
    asked: bool,
}

/// A packet that is to leave again.
#[derive(Debug, PartialEq)]
pub(super) struct Asked {
    /// Its size.
    pub(super) bytes: usize,
    /// It was asked for before.
    pub(super) before: bool,
}

/// What one stream sent last, by sequence number.
#[derive(Debug, Default)]
pub(super) struct Kept {
    slots: Vec<Option<Slot>>,
    newest: Option<u16>,
}

impl Kept {
    /// A packet leaves for the first time.
    pub(super) fn put(&mut self, now: MediaTime, packet: rtp::Packet) {
        if self.slots.is_empty() {
            self.slots.resize_with(KEPT, || None);
        }
        let sequence = packet.header.sequence_number;
        self.newest = Some(sequence);
        if let Some(slot) = self.slots.get_mut(usize::from(sequence) % KEPT) {
            *slot = Some(Slot { packet, left: now, waits: false, asked: false });
        }
    }

    /// The peer asks for a packet. `None` if it is not to leave again: one that waits to do so, or that left less than `quiet` ago,
    /// since the request crossed it.
    pub(super) fn ask(&mut self, now: MediaTime, sequence: u16, quiet: Duration) -> Option<Asked> {
        let slot = self.slot(sequence).filter(|slot| !slot.waits && now.since(slot.left) >= quiet)?;
        slot.waits = true;
        Some(Asked { bytes: slot.packet.payload.len(), before: std::mem::replace(&mut slot.asked, true) })
    }

    /// A packet leaves again, unless it was overwritten since.
    pub(super) fn again(&mut self, now: MediaTime, sequence: u16) -> Option<rtp::Packet> {
        let slot = self.slot(sequence)?;
        (slot.left, slot.waits) = (now, false);
        Some(slot.packet.clone())
    }

    /// Nothing of it is worth sending again.
    pub(super) fn forget(&mut self) {
        self.slots.clear();
        self.newest = None;
    }

    /// The packet that left last for the first time.
    pub(super) fn newest(&self) -> Option<u16> {
        self.newest
    }

    fn slot(&mut self, sequence: u16) -> Option<&mut Slot> {
        let slot = self.slots.get_mut(usize::from(sequence) % KEPT)?.as_mut()?;
        (slot.packet.header.sequence_number == sequence).then_some(slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(sequence_number: u16) -> rtp::Packet {
        let header = rtp::header::Header { sequence_number, ..Default::default() };
        rtp::Packet { header, payload: vec![7; 10].into() }
    }

    fn at(millis: u64) -> MediaTime {
        MediaTime::from_micros(millis * 1_000)
    }

    const QUIET: Duration = Duration::from_millis(20);

    #[test]
    fn a_packet_that_waits_or_just_left_is_not_sent_again() {
        let mut kept = Kept::default();
        kept.put(at(0), packet(9));
        assert_eq!(kept.ask(at(10), 9, QUIET), None, "it just left");
        assert_eq!(kept.ask(at(30), 9, QUIET), Some(Asked { bytes: 10, before: false }));
        assert_eq!(kept.ask(at(60), 9, QUIET), None, "it waits");
        assert_eq!(kept.again(at(61), 9), Some(packet(9)));
        assert_eq!(kept.ask(at(70), 9, QUIET), None, "it just left again");
        assert_eq!(kept.ask(at(90), 9, QUIET), Some(Asked { bytes: 10, before: true }));
    }

    #[test]
    fn the_oldest_make_room() {
        let mut kept = Kept::default();
        for sequence in 0..=KEPT as u16 {
            kept.put(at(0), packet(sequence));
        }
        assert_eq!(kept.ask(at(100), 0, QUIET), None);
        assert_eq!(kept.ask(at(100), KEPT as u16, QUIET), Some(Asked { bytes: 10, before: false }));
        assert_eq!(kept.slots.len(), KEPT);
        assert_eq!(Kept::default().ask(at(100), 0, QUIET), None);
    }
}
