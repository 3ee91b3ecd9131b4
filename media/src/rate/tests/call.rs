//! A call over one path: encoder, voice, pacer, estimator, reports, and what the other end gets of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::outcome::Outcome;
use super::path::{Link, Path, Random};
use super::wire::{Frame, Packet, Sent, Told, What};
use crate::jitter::NackList;
use crate::rate::estimator::Estimator;
use crate::rate::history::{History, Report};
use crate::rate::ladder::{Ladder, Rung};
use crate::rate::pacer::{Class, Pacer};
use crate::rate::voice::{Voice, VoicePlan};
use crate::time::{Bitrate, MediaTime};

/// Reports come this often, or less often where the way back carries little.
pub(super) const REPORTS: Duration = Duration::from_millis(30);
/// A report and a request, in bytes.
pub(super) const REPORT: u64 = 80;
const REQUEST: u64 = 60;
const PACKET: u64 = 1_200;
/// Headers, seals, and the feedback that goes with it.
const HEADERS: u64 = 95;
const FRAME: Duration = Duration::from_micros(33_333);
/// A key frame takes what the path carries in this time, in seconds.
const KEY_TIME: f64 = 0.12;
pub(super) const STEP: Duration = Duration::from_millis(1);
/// Later than this a repeated packet is of no use.
const USEFUL: Duration = Duration::from_millis(400);

pub(super) struct Call {
    pub estimator: Estimator,
    pacer: Pacer<Packet>,
    pub(super) path: Path,
    back: Duration,
    back_loss: f64,
    random: Random,
    pub now: MediaTime,
    start: MediaTime,
    next_frame: MediaTime,
    next_voice: MediaTime,
    next_report: MediaTime,
    frames: BTreeMap<u64, Frame>,
    frame_count: u64,
    voice: Vec<(MediaTime, Option<MediaTime>)>,
    flight: BTreeMap<u64, Sent>,
    history: History,
    sent: u64,
    /// What is told over a way back of its own, and what comes of it at the sender.
    pub(super) told_to: BTreeMap<(MediaTime, u64), Told>,
    pub(super) tellings: u64,
    /// Over the way of a call in the other direction, if there is one: what is to go, and what of the other one went with us.
    pub(super) other: bool,
    pub(super) outbox: Vec<(u64, Told)>,
    pub(super) carried: BTreeMap<u64, Told>,
    pub(super) delivered: Vec<(MediaTime, Told)>,
    coming: BTreeMap<(MediaTime, u64), Packet>,
    /// Of the receiver: for pictures and for the voice.
    lists: [NackList; 2],
    kept: BTreeMap<(bool, u16), Packet>,
    repeated: BTreeMap<(bool, u16), MediaTime>,
    waiting: BTreeSet<(bool, u16)>,
    sequences: [u16; 2],
    /// Numbers up to which was reported.
    told: u64,
    pub(super) reports_every: Duration,
    pub outcome: Outcome,
    /// The encoder makes this share of what it may.
    pub appetite: f64,
    owed: f64,
    filler: u64,
    key_due: bool,
    ladder: Ladder,
    plan: VoicePlan,
    /// Frames of the voice that wait for their packet.
    voice_due: u64,
}

impl Call {
    pub(super) fn new(link: Link, start: Bitrate, most: Bitrate, seed: u64) -> Self {
        let now = MediaTime::from_micros(10_000_000);
        Self {
            estimator: Estimator::new(start, Bitrate::kbps(20), most),
            pacer: Pacer::new(start),
            path: Path::new(link, seed),
            back: link.one_way,
            back_loss: link.loss,
            random: Random(seed ^ 77),
            now,
            start: now,
            next_frame: now,
            next_voice: now,
            next_report: now,
            frames: BTreeMap::new(),
            frame_count: 0,
            voice: Vec::new(),
            flight: BTreeMap::new(),
            history: History::default(),
            sent: 0,
            told_to: BTreeMap::new(),
            tellings: 0,
            other: false,
            outbox: Vec::new(),
            carried: BTreeMap::new(),
            delivered: Vec::new(),
            coming: BTreeMap::new(),
            lists: [NackList::new(Duration::from_millis(600)), NackList::new(Duration::from_millis(250))],
            kept: BTreeMap::new(),
            repeated: BTreeMap::new(),
            waiting: BTreeSet::new(),
            sequences: [0; 2],
            told: 0,
            reports_every: REPORTS,
            outcome: Outcome::default(),
            appetite: 1.0,
            owed: 0.0,
            filler: PACKET,
            key_due: false,
            ladder: Ladder::new(Rung::Half),
            plan: VoicePlan::new(),
            voice_due: 0,
        }
    }

    pub(super) fn change(&mut self, link: Link) {
        self.back = link.one_way;
        self.back_loss = if link.down { 1.0 } else { link.loss };
        self.path.change(link);
    }

    pub(super) fn path(&mut self) -> &mut Path {
        &mut self.path
    }

    pub(super) fn run(&mut self, time: Duration) {
        let until = self.now + time;
        while self.now < until {
            self.step();
            self.now = self.now + STEP;
        }
    }

    fn millis(&self, at: MediaTime) -> u64 {
        at.since(self.start).as_millis() as u64
    }

    fn step(&mut self) {
        let now = self.now;
        for (number, arrived) in self.path.step(now) {
            if let Some(told) = self.carried.remove(&number) {
                self.delivered.push((arrived, told));
            } else if let Some(sent) = self.flight.get_mut(&number) {
                sent.arrived = Some(arrived);
                self.coming.insert((arrived, number), sent.packet);
            }
        }
        while let Some(entry) = self.told_to.first_entry().filter(|entry| entry.key().0 <= now) {
            match entry.remove() {
                Told::Report(base, fates) => self.on_feedback(base, &fates),
                Told::Request(packet) if self.kept.contains_key(&(packet.voice, packet.sequence)) => {
                    self.answer(packet)
                }
                Told::Request(_) => {}
            }
        }
        self.receive();
        let target = self.estimator.target();
        self.pacer.set_rate(self.estimator.estimate(), self.estimator.headroom(now));
        if now >= self.next_voice {
            self.voice_due += 1;
            self.next_voice = self.next_voice + Duration::from_millis(20);
            self.voice.push((now, None));
            let mode = self.plan.step(now, Some(target));
            if self.voice_due >= u64::from(mode.frames()) {
                let frames = std::mem::take(&mut self.voice_due);
                let first = self.voice.len() as u64 - frames;
                let bytes = HEADERS + mode.bitrate().bytes_in(Duration::from_millis(20 * frames));
                let what = What::Voice(first, frames);
                self.push(Class::Audio, Packet { what, bytes, voice: true, sequence: 0, following: 0, again: false });
                let before = self.kept.get(&(true, self.sequences[1].wrapping_sub(2))).copied();
                if let Some(before) = before.filter(|_| self.estimator.has_copies()) {
                    self.push(Class::Audio, Packet { again: true, ..before });
                }
            }
        }
        if now >= self.next_frame {
            self.next_frame = self.next_frame + FRAME;
            self.capture(target);
        }
        if let Some(burst) = self.estimator.poll_burst(now) {
            self.pacer.burst(now, burst.rate, burst.bytes);
            self.filler = (burst.bytes / 6).clamp(200, PACKET);
        }
        if self.estimator.take_break(now) {
            self.pacer.purge();
            self.kept.retain(|(voice, _), _| *voice);
            self.key_due = true;
        }
        self.pacer.hold(!self.estimator.may_send(now));
        while let Some(packet) = self.pacer.poll(now) {
            self.send(packet);
            self.pacer.hold(!self.estimator.may_send(now));
        }
        while self.pacer.wants_filler(now) {
            let bytes = self.filler;
            let packet = Packet { what: What::Filler, bytes, voice: false, sequence: 0, following: 0, again: true };
            self.pacer.charge_extra(now, bytes * 8);
            self.send(packet);
        }
        self.outcome.longest_pacer = self.outcome.longest_pacer.max(self.pacer.backlog(now));
        if now >= self.next_report {
            self.next_report = now + self.reports_every;
            self.report();
            let estimate = self.estimator.estimate().as_kbps();
            self.outcome.estimates.push((self.millis(now), estimate));
        }
    }

    /// A picture, unless those before it still wait.
    fn capture(&mut self, target: Bitrate) {
        let voice = Voice::for_rate(target).wire().as_bps();
        let video = target.as_bps().saturating_sub(voice) as f64 * self.appetite;
        self.owed = (self.owed + video / 30.0).min(video);
        let pictures = self.ladder.step(self.now, Bitrate::bps(video as u64)) != Rung::None;
        if self.pacer.backlog(self.now) > Duration::from_millis(100) || !pictures {
            return;
        }
        let key = self.frame_count == 0 || std::mem::take(&mut self.key_due);
        let noise = 0.7 + 0.6 * self.random.unit();
        let bits = if key { video * KEY_TIME } else { video / 30.0 * noise };
        if !key && self.owed < 0.0 {
            return;
        }
        self.owed -= bits;
        let bytes = (bits / 8.0).max(200.0) as u64;
        let number = self.frame_count;
        self.frame_count += 1;
        let count = bytes.div_ceil(PACKET);
        self.frames.insert(number, Frame { captured: self.now, missing: count, complete: None });
        for index in 0..count {
            let bytes = if index + 1 == count { bytes - PACKET * (count - 1) } else { PACKET };
            let what = What::Video { frame: number };
            let following = (count - index - 1) as u16;
            self.push(
                Class::Video,
                Packet { what, bytes: bytes + 40, voice: false, sequence: 0, following, again: false },
            );
        }
    }

    /// Once within a round trip, and never while it waits.
    fn repeat(&mut self, packet: Packet) {
        let key = (packet.voice, packet.sequence);
        let recently =
            self.repeated.get(&key).is_some_and(|at| self.now.since(*at) < (self.back).max(Duration::from_millis(15)));
        if !recently && self.waiting.insert(key) {
            self.push(Class::Retransmission, packet);
        }
    }

    fn push(&mut self, class: Class, mut packet: Packet) {
        if !packet.again {
            let next = &mut self.sequences[usize::from(packet.voice)];
            packet.sequence = *next;
            *next = next.wrapping_add(1);
            self.kept.insert((packet.voice, packet.sequence), packet);
        }
        if let Some(packet) = self.pacer.push(self.now, class, packet.bytes * 8, packet) {
            self.send(packet);
        }
    }

    fn send(&mut self, packet: Packet) {
        let now = self.now;
        if packet.again {
            self.waiting.remove(&(packet.voice, packet.sequence));
            self.repeated.insert((packet.voice, packet.sequence), now);
        }
        self.estimator.on_sent(now, packet.bytes);
        self.outcome.sent_bytes += packet.bytes;
        self.outcome.filler_bytes += if packet.what == What::Filler { packet.bytes } else { 0 };
        self.history.push(now, packet.bytes);
        self.path.send(now, self.sent, packet.bytes);
        self.flight.insert(self.sent, Sent { packet, arrived: None });
        self.sent += 1;
    }

    fn arrive(&mut self, packet: Packet, arrived: MediaTime) {
        let slot = self.millis(arrived) / 100;
        *self.outcome.came.entry(slot).or_default() += packet.bytes;
        match packet.what {
            What::Voice(first, count) => {
                for frame in first..first + count {
                    let voice = &mut self.voice[frame as usize].1;
                    *voice = Some(voice.map_or(arrived, |other| other.min(arrived)));
                }
            }
            What::Video { frame } => {
                if let Some(frame) = self.frames.get_mut(&frame) {
                    frame.missing = frame.missing.saturating_sub(1);
                    frame.complete = Some(frame.complete.map_or(arrived, |other| other.max(arrived)));
                }
            }
            What::Filler => {}
        }
    }

    /// The receiver reports from the earliest packet that came since the last report up to the latest.
    fn report(&mut self) {
        let (now, since) = (self.now, self.now - self.reports_every);
        let new = |sent: &Sent| sent.arrived.is_some_and(|at| at <= now && at > since);
        let first = self.flight.iter().find(|(_, sent)| new(sent)).map(|(number, _)| *number);
        let last = self.flight.iter().rev().find(|(_, sent)| new(sent)).map(|(number, _)| *number);
        let (Some(first), Some(last)) = (first, last) else { return };
        let first = first.min(self.told);
        self.told = self.told.max(last + 1);
        let fate = |number: u64| self.flight.get(&number).and_then(|sent| sent.arrived).filter(|at| *at <= now);
        let fates = (first..=last).map(fate).collect();
        while let Some((number, _)) = self.flight.first_key_value()
            && number + 1_000 < last
        {
            self.flight.pop_first();
        }
        self.tell(REPORT, Told::Report(first, fates));
    }

    fn tell(&mut self, bytes: u64, told: Told) {
        if self.other {
            self.outbox.push((bytes, told));
        } else if self.random.unit() >= self.back_loss {
            self.tellings += 1;
            self.told_to.insert((self.now + self.back, self.tellings), told);
        }
    }

    /// What comes now, and what the receiver asks for because of it.
    fn receive(&mut self) {
        let now = self.now;
        while let Some(entry) = self.coming.first_entry().filter(|entry| entry.key().0 <= now) {
            let ((arrived, _), packet) = entry.remove_entry();
            if packet.what != What::Filler {
                let list = &mut self.lists[usize::from(packet.voice)];
                list.handle_arrival(arrived, packet.sequence, packet.again, packet.following);
            }
            self.arrive(packet, arrived);
        }
        for voice in [false, true] {
            let mut bytes = REQUEST;
            for sequence in self.lists[usize::from(voice)].poll_requests(now, None) {
                if let Some(packet) = self.kept.get(&(voice, sequence)).copied() {
                    // The others go with the first.
                    self.tell(std::mem::replace(&mut bytes, 2), Told::Request(packet));
                }
            }
        }
    }

    /// Sends again what was asked for, if it is of use.
    fn answer(&mut self, packet: Packet) {
        match packet.what {
            What::Voice(number, _) if self.now.since(self.voice[number as usize].0) < USEFUL / 2 => {
                self.push(Class::Audio, Packet { again: true, ..packet });
            }
            What::Video { frame } if self.now.since(self.frames[&frame].captured) < USEFUL => {
                self.repeat(Packet { again: true, ..packet });
            }
            _ => {}
        }
    }

    fn on_feedback(&mut self, base: u64, fates: &[Option<MediaTime>]) {
        let offset = Duration::from_secs(1_000);
        let fates = fates.iter().map(|fate| fate.map(|at| at + offset));
        let reports: Vec<Report> = self.history.on_feedback(base as u16, fates);
        let hole = self.history.take_hole();
        self.estimator.on_reports(self.now, &reports, hole);
    }

    pub(super) fn finish(mut self) -> Outcome {
        self.run(Duration::from_secs(1));
        let start = self.start;
        let ms = |at: MediaTime| at.since(start).as_millis() as u64;
        for frame in self.frames.values().filter(|frame| frame.missing == 0) {
            if let Some(complete) = frame.complete {
                self.outcome.frames.push((ms(frame.captured), ms(complete)));
            }
        }
        self.outcome.voice =
            self.voice.iter().map(|(at, came)| (ms(*at), came.map(|came| ms(came) - ms(*at)))).collect();
        self.outcome
    }
}
