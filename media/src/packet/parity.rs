//! Forward error correction of video frames (as RFC 8627 does it for packets): the chunks of a frame are dealt out to groups like
//! cards, and each group has a parity packet that restores any one of its chunks. Used where a retransmission would come too late.

use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};

use super::{CHUNK_HEADER_BYTES, FREE, KEY, PARITY, PARITY_HEADER_BYTES, SINGLE, SINGLE_HEADER_BYTES, VERSION};

/// From this round trip on a retransmission is seen as a stall: it takes one and a half of it. Shorter ones recover by themselves,
/// at the cost of what was lost and no more.
const FAR: Duration = Duration::from_millis(120);
/// From this loss on. Below, one frame in fifteen has a loss at most, and a retransmission does.
const LEAST_LOSS: f64 = 0.01;
/// Groups of one frame at most.
const MAX_GROUPS: u8 = 8;

/// What a parity packet says beside its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parity {
    /// Groups of the frame: chunk `i` belongs to the group `i` modulo this.
    pub(crate) groups: u8,
    /// Lengths of the group's chunks, added without carry.
    pub(crate) lengths: u16,
}

/// How many parity packets a frame of so many chunks gets on a path with this loss and round trip: one and a half times the
/// chunks that it loses on average, and nearly one for chance.
pub(crate) fn groups(chunks: usize, loss: f64, round_trip: Duration) -> u8 {
    if round_trip < FAR || loss < LEAST_LOSS {
        return 0;
    }
    let wanted = (chunks as f64 * loss.min(0.3) * 1.5 + 0.75).ceil() as u8;
    wanted.clamp(1, MAX_GROUPS).min(u8::try_from(chunks).unwrap_or(MAX_GROUPS))
}

/// The parity packets of a frame, one for each group, from all of its payloads.
pub(crate) fn parity(payloads: &[Bytes], groups: u8) -> Vec<Bytes> {
    let Some([descriptor, high, low]) = payloads.first().and_then(|first| first.first_chunk::<3>()) else {
        return Vec::new();
    };
    let header = if descriptor & SINGLE != 0 { SINGLE_HEADER_BYTES } else { CHUNK_HEADER_BYTES };
    let count = u16::try_from(payloads.len()).unwrap_or(u16::MAX);
    let of_group = |group: u8| {
        let members = payloads.iter().skip(usize::from(group)).step_by(usize::from(groups.max(1)));
        let data = members.map(|payload| payload.get(header..).unwrap_or_default());
        let (lengths, sum) = add(data);
        let mut payload = BytesMut::with_capacity(PARITY_HEADER_BYTES + sum.len());
        payload.put_u8(VERSION | PARITY | (descriptor & (KEY | FREE)));
        payload.put_slice(&[*high, *low]);
        payload.put_u16(u16::from(group));
        payload.put_u16(count);
        payload.put_u8(groups);
        payload.put_u16(lengths);
        payload.put_slice(&sum);
        payload.freeze()
    };
    (0..groups).map(of_group).collect()
}

/// The chunk that is missing of a group: what its parity and the others leave. `None` if that is no chunk.
pub(crate) fn restore<'a>(parity: Parity, data: &'a [u8], others: impl Iterator<Item = &'a [u8]>) -> Option<Bytes> {
    let (lengths, mut sum) = add(others.chain([data]));
    // The parity's own length was added as well.
    let length = usize::from(lengths ^ parity.lengths ^ length(data));
    (1..=data.len()).contains(&length).then(|| {
        sum.truncate(length);
        sum.into()
    })
}

/// Adds without carry: lengths, and contents as if all were as long as the longest.
fn add<'a>(parts: impl Iterator<Item = &'a [u8]>) -> (u16, Vec<u8>) {
    let (mut lengths, mut sum) = (0, Vec::new());
    for part in parts {
        lengths ^= length(part);
        if part.len() > sum.len() {
            sum.resize(part.len(), 0);
        }
        for (sum, byte) in sum.iter_mut().zip(part) {
            *sum ^= byte;
        }
    }
    (lengths, sum)
}

fn length(part: &[u8]) -> u16 {
    u16::try_from(part.len()).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::tests::payloads_of;
    use super::super::{Chunk, MAX_PAYLOAD_BYTES};
    use super::*;

    #[test]
    fn a_near_or_clean_path_gets_none_and_a_far_one_as_much_as_it_loses() {
        let far = Duration::from_millis(200);
        assert_eq!(groups(8, 0.05, Duration::from_millis(50)), 0);
        assert_eq!(groups(8, 0.005, far), 0);
        assert_eq!(groups(1, 0.02, far), 1);
        assert_eq!(groups(8, 0.05, far), 2);
        assert_eq!(groups(40, 0.1, far), 7);
        assert_eq!(groups(900, 1.0, far), MAX_GROUPS);
        assert_eq!(groups(0, 0.5, far), 0);
    }

    #[test]
    fn any_one_chunk_of_each_group_is_restored() {
        for size in [1, 700, 1_180, 1_181, 5_000, 9_999] {
            let frame: Vec<u8> = (0..size).map(|at| (at * 7 % 251) as u8).collect();
            let payloads = payloads_of(&frame, 77, true);
            for groups in 1..=payloads.len().min(3) as u8 {
                let parities = parity(&payloads, groups);
                assert!(parities.iter().all(|payload| payload.len() <= MAX_PAYLOAD_BYTES));
                let chunks: Vec<Chunk> = payloads.iter().map(|one| Chunk::parse(one.clone()).unwrap()).collect();
                for missing in 0..chunks.len() {
                    let group = missing % usize::from(groups);
                    let chunk = Chunk::parse(parities[group].clone()).unwrap();
                    assert_eq!((chunk.number, chunk.tag.key, usize::from(chunk.count)), (77, true, chunks.len()));
                    let others = chunks.iter().enumerate().filter(|(at, _)| at % usize::from(groups) == group);
                    let others = others.filter(|(at, _)| *at != missing).map(|(_, chunk)| &chunk.data[..]);
                    let restored = restore(chunk.parity.unwrap(), &chunk.data, others);
                    assert_eq!(restored.as_deref(), Some(&chunks[missing].data[..]));
                }
            }
        }
    }

    #[test]
    fn hostile_parity_restores_nothing_longer_than_itself() {
        let of = |lengths| restore(Parity { groups: 1, lengths }, b"abc", [&b"xy"[..]].into_iter());
        assert_eq!(of(2), None, "nothing");
        assert_eq!(of(2 ^ 4), None, "longer than the parity");
        assert_eq!(of(2 ^ 3).unwrap().len(), 3);
        assert_eq!(of(u16::MAX), None);
    }
}
