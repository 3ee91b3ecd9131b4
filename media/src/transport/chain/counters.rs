//! Counts what is on the wire.

use std::sync::Arc;
use std::time::Instant;

use rtc::interceptor::{Attribute, Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::sansio::Protocol;
use rtc::shared::error::Error;
use rtc::shared::marshal::MarshalSize;

use super::{Belt, hand_on};
use crate::transport::shared::{Count, Shared};

/// Counts RTP packets and bytes next to the wire: after the pacer on the way out, before recovery on the way in.
pub(crate) struct Counters {
    shared: Arc<Shared>,
    belt: Belt,
}

impl Counters {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, belt: Belt::default() }
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for Counters {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, msg: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtp(packet) = &msg.message.packet {
            self.shared.count(Count::PacketsReceived, 1);
            #[cfg(feature = "lab")]
            self.shared.tap(&packet.payload);
            self.shared.count(Count::BytesReceived, packet.marshal_size() as u64);
        }
        self.belt.inward.push_back(msg);
        Ok(())
    }

    fn handle_write(&mut self, msg: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtp(packet) = &msg.message.packet {
            self.shared.count(Count::PacketsSent, 1);
            #[cfg(feature = "lab")]
            self.shared.tap(&packet.payload);
            self.shared.count(Count::BytesSent, packet.marshal_size() as u64);
            if msg.message.has(&Attribute::Retransmission) {
                self.shared.count(Count::RetransmissionsSent, 1);
            }
        }
        self.belt.outward.push_back(msg);
        Ok(())
    }

    hand_on!();
}

impl Interceptor for Counters {
    fn bind_local_stream(&mut self, _: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}
