//! Hears the peer's key-frame requests, which the crate below would keep to itself.

use std::sync::Arc;
use std::time::Instant;

use rtc::interceptor::{Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::rtcp::payload_feedbacks::full_intra_request::FullIntraRequest;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::sansio::Protocol;
use rtc::shared::error::Error;

use super::{Belt, hand_on};
use crate::transport::shared::Shared;

/// Raises a flag for each PLI (RFC 4585 section 6.3.1) and FIR (RFC 5104 section 4.3.1).
pub(crate) struct KeyFrameTap {
    shared: Arc<Shared>,
    belt: Belt,
}

impl KeyFrameTap {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, belt: Belt::default() }
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for KeyFrameTap {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, msg: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtcp(packets) = &msg.message.packet {
            for packet in packets {
                if let Some(request) = packet.as_any().downcast_ref::<PictureLossIndication>() {
                    self.shared.peer_wants_key_frame_of(request.media_ssrc);
                } else if let Some(request) = packet.as_any().downcast_ref::<FullIntraRequest>() {
                    request.fir.iter().for_each(|entry| self.shared.peer_wants_key_frame_of(entry.ssrc));
                }
            }
        }
        self.belt.inward.push_back(msg);
        Ok(())
    }

    fn handle_write(&mut self, msg: TaggedPacket) -> Result<(), Error> {
        self.belt.outward.push_back(msg);
        Ok(())
    }

    hand_on!();
}

impl Interceptor for KeyFrameTap {
    fn bind_local_stream(&mut self, _: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}
