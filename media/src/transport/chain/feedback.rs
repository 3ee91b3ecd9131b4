//! Transport-wide feedback, packet by packet (draft-holmer-rmcat-transport-wide-cc-extensions-01, section 3.1).

use std::time::Duration;

use rtc::rtcp::transport_feedbacks::transport_layer_cc::{PacketStatusChunk, SymbolTypeTcc, TransportLayerCc};

use crate::time::MediaTime;

/// Unit of the reference time.
const TICK: Duration = Duration::from_millis(64);
/// Packets that one report may speak of. An honest one speaks of a quarter of a second.
const MAX_PACKETS: usize = 4_096;

/// When each packet from the base on came, on the peer's clock; `None` for those that did not.
pub(super) fn fates(feedback: &TransportLayerCc) -> Vec<Option<MediaTime>> {
    let count = usize::from(feedback.packet_status_count).min(MAX_PACKETS);
    let mut deltas = feedback.recv_deltas.iter();
    // The clock begins at one tick, so that a negative first delta stays above its zero.
    let mut clock = MediaTime::default() + TICK * (feedback.reference_time & 0x00FF_FFFF).saturating_add(1);
    let mut fate = |symbol: SymbolTypeTcc| match symbol {
        SymbolTypeTcc::PacketReceivedSmallDelta | SymbolTypeTcc::PacketReceivedLargeDelta => {
            let delta = deltas.next()?.delta;
            let step = Duration::from_micros(delta.unsigned_abs());
            clock = if delta < 0 { clock - step } else { clock + step };
            Some(clock)
        }
        SymbolTypeTcc::PacketNotReceived | SymbolTypeTcc::PacketReceivedWithoutDelta => None,
    };
    let mut fates = Vec::with_capacity(count);
    for chunk in &feedback.packet_chunks {
        let left = count - fates.len();
        match chunk {
            PacketStatusChunk::RunLengthChunk(run) => {
                let length = usize::from(run.run_length).min(left);
                fates.extend((0..length).map(|_| fate(run.packet_status_symbol)));
            }
            PacketStatusChunk::StatusVectorChunk(vector) => {
                fates.extend(vector.symbol_list.iter().take(left).map(|symbol| fate(*symbol)));
            }
        }
    }
    fates
}

#[cfg(test)]
mod tests {
    use rtc::rtcp::transport_feedbacks::transport_layer_cc::{RecvDelta, RunLengthChunk, StatusVectorChunk};

    use super::*;

    fn feedback(count: u16, chunks: Vec<PacketStatusChunk>, deltas: &[i64]) -> TransportLayerCc {
        TransportLayerCc {
            packet_status_count: count,
            reference_time: 1,
            packet_chunks: chunks,
            recv_deltas: deltas.iter().map(|delta| RecvDelta { delta: *delta, ..Default::default() }).collect(),
            ..Default::default()
        }
    }

    fn run(packet_status_symbol: SymbolTypeTcc, run_length: u16) -> PacketStatusChunk {
        PacketStatusChunk::RunLengthChunk(RunLengthChunk { packet_status_symbol, run_length, ..Default::default() })
    }

    #[test]
    fn times_follow_from_each_other_both_ways() {
        let symbols = vec![
            SymbolTypeTcc::PacketReceivedSmallDelta,
            SymbolTypeTcc::PacketNotReceived,
            SymbolTypeTcc::PacketReceivedLargeDelta,
        ];
        let vector =
            PacketStatusChunk::StatusVectorChunk(StatusVectorChunk { symbol_list: symbols, ..Default::default() });
        let at = |micros: u64| Some(MediaTime::from_micros(128_000 + micros));
        assert_eq!(fates(&feedback(3, vec![vector], &[5_000, -2_000])), [at(5_000), None, at(3_000)]);
    }

    #[test]
    fn chunks_that_claim_more_than_there_is_are_cut() {
        let all = run(SymbolTypeTcc::PacketReceivedSmallDelta, u16::MAX);
        assert_eq!(fates(&feedback(3, vec![all.clone(), all.clone()], &[1])).len(), 3);
        assert_eq!(fates(&feedback(u16::MAX, vec![all; 9], &[])), vec![None; MAX_PACKETS]);
        assert!(fates(&feedback(9, Vec::new(), &[1])).is_empty());
    }
}
