//! Frames of each stream, put together from what the wire carried, opened, and held against each other.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use ring::digest::{SHA256, digest};

use super::frame::{FrameKey, Part, header};
use super::keys::{KeyFiles, Place, Stream};

/// Frames whose parts are remembered, to know a retransmission: 20 s of sound.
const REMEMBERED: u64 = 1_024;
/// Packets of a frame that the end may have cut: as long as a key frame of 720p.
const MAX_CUT: usize = 100;
/// Frames of a stream that wait for parts; more are not put together any more.
const MAX_OPEN: usize = 256;

/// One stream of one association.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct StreamId {
    /// Random value of the association's ClientHello.
    pub(super) association: [u8; 32],
    /// Whether the DTLS client sends it.
    pub(super) client: bool,
    /// What its payload type says.
    pub(super) stream: Stream,
}

/// What became of a packet, and of those that waited for it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome<S> {
    /// The frame lacks parts.
    Waits,
    /// The frame opened under exactly one key.
    Opened(Place, Vec<S>),
    /// A part that was seen before, byte for byte.
    Repeat(S),
    /// Not to be explained.
    Refused(&'static str, Vec<S>),
}

/// All streams of a call. `S` is what a packet is remembered by.
pub(super) struct Streams<S> {
    keys: HashMap<u64, Vec<(Place, FrameKey)>>,
    streams: BTreeMap<StreamId, State<S>>,
    /// Counters that were used under each key.
    used: BTreeMap<Place, BTreeSet<u64>>,
}

struct State<S> {
    newest: u64,
    open: BTreeMap<u64, Frame<S>>,
    /// The parts of frames that are done.
    done: BTreeMap<u64, Vec<[u8; 32]>>,
    sender: Option<u8>,
    /// The newest frame that opened, and its epoch.
    epoch: (u64, u64),
}

struct Frame<S> {
    count: u16,
    parts: BTreeMap<u16, Vec<u8>>,
    seen: Vec<S>,
}

impl<S> Streams<S> {
    /// With the keys of these files.
    pub(super) fn new(files: &KeyFiles) -> Self {
        let mut keys: HashMap<u64, Vec<_>> = HashMap::new();
        for (place, raw) in &files.keys {
            if let Some(key) = FrameKey::new(place.key_id(), raw) {
                keys.entry(place.key_id()).or_default().push((place.clone(), key));
            }
        }
        Self { keys, streams: BTreeMap::new(), used: BTreeMap::new() }
    }

    /// A part came over the wire.
    pub(super) fn part(&mut self, id: StreamId, part: &Part<'_>, seen: S) -> Outcome<S> {
        let first = 1 << 32 | u64::from(part.number);
        let state = self.streams.entry(id).or_insert_with(|| State::new(first));
        let number = state.number(part.number);
        if let Some(parts) = state.done.get(&number) {
            let same = parts.get(usize::from(part.index)) == Some(&hash(part.data));
            let count = parts.len() == usize::from(part.count);
            return match same && count {
                true => Outcome::Repeat(seen),
                false => Outcome::Refused("sent again, but not as it was", vec![seen]),
            };
        }
        if number + REMEMBERED <= state.newest {
            return Outcome::Refused("part of a frame that is long past", vec![seen]);
        }
        state.newest = state.newest.max(number);
        let frame = state.open.entry(number).or_insert_with(|| Frame {
            count: part.count,
            parts: BTreeMap::new(),
            seen: Vec::new(),
        });
        match frame.parts.get(&part.index) {
            Some(known) if known == part.data && frame.count == part.count => return Outcome::Repeat(seen),
            None if frame.count == part.count => {}
            _ => return Outcome::Refused("contradicts another part of its frame", vec![seen]),
        }
        frame.parts.insert(part.index, part.data.to_vec());
        frame.seen.push(seen);
        if frame.parts.len() == usize::from(frame.count) {
            return self.complete(id, number);
        }
        if state.open.len() > MAX_OPEN
            && let Some((_, lost)) = state.open.pop_first()
        {
            return Outcome::Refused("part of a frame that never was whole", lost.seen);
        }
        Outcome::Waits
    }

    fn complete(&mut self, id: StreamId, number: u64) -> Outcome<S> {
        let Some((state, frame)) = self.streams.get_mut(&id).and_then(|state| {
            let frame = state.open.remove(&number)?;
            Some((state, frame))
        }) else {
            return Outcome::Waits;
        };
        let whole: Vec<u8> = frame.parts.values().flatten().copied().collect();
        match opened(&self.keys, &mut self.used, state, id.stream, number, &whole) {
            Ok(place) => {
                state.done.insert(number, frame.parts.values().map(|part| hash(part)).collect());
                while state.done.first_key_value().is_some_and(|(old, _)| old + REMEMBERED <= state.newest) {
                    state.done.pop_first();
                }
                Outcome::Opened(place, frame.seen)
            }
            Err(why) => Outcome::Refused(why, frame.seen),
        }
    }

    /// What never became whole: the last frame of a stream, which its end cut, and the others.
    pub(super) fn unfinished(self) -> (Vec<S>, Vec<S>) {
        let (mut last, mut others) = (Vec::new(), Vec::new());
        for state in self.streams.into_values() {
            for (number, frame) in state.open {
                let cut = number == state.newest && frame.seen.len() <= MAX_CUT;
                if cut { last.extend(frame.seen) } else { others.extend(frame.seen) }
            }
        }
        (last, others)
    }
}

fn opened(
    keys: &HashMap<u64, Vec<(Place, FrameKey)>>,
    used: &mut BTreeMap<Place, BTreeSet<u64>>,
    state: &mut State<impl Sized>,
    stream: Stream,
    number: u64,
    whole: &[u8],
) -> Result<Place, &'static str> {
    let (key_id, counter) = header(whole).ok_or("no SFrame header")?;
    let candidates = keys.get(&key_id).ok_or("sealed under a key id that no key file has")?;
    let mut fits = candidates.iter().filter(|(_, key)| key.opens(whole)).map(|(place, _)| place);
    let place = fits.next().ok_or("does not open under any key of the files")?;
    if fits.next().is_some() {
        return Err("opens under more than one key");
    }
    if place.stream != stream {
        return Err("sealed as another kind of stream than it was sent as");
    }
    if *state.sender.get_or_insert(place.sender) != place.sender {
        return Err("sealed by somebody else than who owns the association");
    }
    if !used.entry(place.clone()).or_default().insert(counter) {
        return Err("seals a second frame with the same key and counter");
    }
    let (newest, epoch) = state.epoch;
    if number > newest {
        if place.epoch < epoch {
            return Err("sealed under the key of an epoch that was over");
        }
        state.epoch = (number, place.epoch);
    }
    Ok(place.clone())
}

impl<S> State<S> {
    fn new(first: u64) -> Self {
        Self { newest: first, open: BTreeMap::new(), done: BTreeMap::new(), sender: None, epoch: (0, 0) }
    }

    /// The number without its wrapping: the nearest to the newest.
    fn number(&self, wrapped: u16) -> u64 {
        let ahead = i64::from(wrapped.wrapping_sub(self.newest as u16) as i16);
        self.newest.saturating_add_signed(ahead)
    }
}

fn hash(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, bytes).as_ref());
    out
}

#[cfg(test)]
mod tests {
    use super::super::sample::Call;
    use super::*;

    const ID: StreamId = StreamId { association: [0; 32], client: true, stream: Stream::Audio };

    fn streams(call: &Call) -> Streams<u32> {
        let mut files = KeyFiles::default();
        files.add(&call.file(0)).unwrap();
        Streams::new(&files)
    }

    fn single(frame: &[u8], number: u16) -> Part<'_> {
        Part { number, index: 0, count: 1, data: frame }
    }

    fn refused(outcome: Outcome<u32>) -> &'static str {
        match outcome {
            Outcome::Refused(why, _) => why,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_frame_in_parts_opens_when_the_last_came_and_a_retransmission_is_known() {
        let call = Call::new();
        let mut streams = streams(&call);
        let frame = call.seal(1, 0, Stream::Audio, 0, &[7; 100]);
        let (head, tail) = frame.split_at(60);
        let part = |index, data| Part { number: u16::MAX, index, count: 2, data };
        assert_eq!(streams.part(ID, &part(1, tail), 1), Outcome::Waits);
        assert_eq!(streams.part(ID, &part(1, tail), 2), Outcome::Repeat(2));
        let Outcome::Opened(place, seen) = streams.part(ID, &part(0, head), 3) else { panic!("opens") };
        assert_eq!((place.epoch, place.sender, seen), (1, 0, vec![1, 3]));
        assert_eq!(streams.part(ID, &part(0, head), 4), Outcome::Repeat(4));
        assert_eq!(refused(streams.part(ID, &part(0, tail), 5)), "sent again, but not as it was");
        // The number wraps.
        let next = call.seal(1, 0, Stream::Audio, 1, b"next");
        assert!(matches!(streams.part(ID, &single(&next, 0), 6), Outcome::Opened(..)));
    }

    #[test]
    fn whatever_is_not_sealed_as_it_must_be_is_refused() {
        let call = Call::new();
        let fresh = || streams(&call);
        let frame = |epoch, sender, stream, counter| call.seal(epoch, sender, stream, counter, b"frame");
        let first = frame(2, 0, Stream::Audio, 5);
        let cases = [
            (vec![0x11; 40], "seals"),
            (frame(2, 1, Stream::Audio, 6), "sealed by somebody else than who owns the association"),
            (frame(2, 0, Stream::Video, 6), "sealed as another kind of stream than it was sent as"),
            (frame(1, 0, Stream::Audio, 6), "sealed under the key of an epoch that was over"),
            (frame(3, 0, Stream::Audio, 6), "sealed under a key id that no key file has"),
            (frame(18, 0, Stream::Audio, 6), "does not open under any key of the files"),
            (call.seal(2, 0, Stream::Audio, 5, b"other"), "seals a second frame with the same key and counter"),
            (vec![0xff, 0], "no SFrame header"),
        ];
        for (bad, why) in &cases[1..] {
            let mut streams = fresh();
            assert!(matches!(streams.part(ID, &single(&first, 1), 1), Outcome::Opened(..)));
            assert_eq!(refused(streams.part(ID, &single(bad, 2), 2)), *why);
        }
        assert!(matches!(fresh().part(ID, &single(&cases[0].0, 1), 1), Outcome::Refused(..)));
    }

    #[test]
    fn a_frame_that_opens_under_two_keys_is_refused() {
        let call = Call::new();
        let mut files = KeyFiles::default();
        files.add(&call.file(0)).unwrap();
        let place = Place { group: "another".to_owned(), epoch: 1, sender: 0, stream: Stream::Audio };
        files.keys.insert(place, call.raw(1, 0, Stream::Audio));
        let frame = call.seal(1, 0, Stream::Audio, 0, b"frame");
        assert_eq!(refused(Streams::new(&files).part(ID, &single(&frame, 1), 1)), "opens under more than one key");
    }

    #[test]
    fn only_the_last_frame_of_a_stream_may_be_cut() {
        let call = Call::new();
        let mut streams = streams(&call);
        let half = |number| Part { number, index: 0, count: 2, data: b"half" };
        streams.part(ID, &half(1), 1);
        streams.part(ID, &half(2), 2);
        assert_eq!(streams.unfinished(), (vec![2], vec![1]));
        // And not a long one.
        let mut streams = self::streams(&call);
        for index in 0..200 {
            streams.part(ID, &Part { number: 1, index, count: 300, data: b"part" }, 0);
        }
        assert_eq!(streams.unfinished(), (vec![], vec![0; 200]));
    }

    #[test]
    fn parts_without_end_do_not_fill_the_memory() {
        let call = Call::new();
        let mut streams = streams(&call);
        let outcomes: Vec<_> = (0..2_000)
            .map(|number| streams.part(ID, &Part { number, index: 0, count: 2, data: b"half" }, u32::from(number)))
            .collect();
        assert!(outcomes.iter().any(|outcome| matches!(outcome, Outcome::Refused(..))));
        assert!(streams.streams[&ID].open.len() <= MAX_OPEN);
    }
}
