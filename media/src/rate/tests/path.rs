//! A path in virtual time: loss, a drop-tail queue drained at a rate, delay and jitter.

use std::collections::VecDeque;
use std::time::Duration;

use crate::time::{Bitrate, MediaTime};

/// The same numbers in each run (SplitMix64).
#[derive(Clone, Debug)]
pub(super) struct Random(pub u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// From zero to below one.
    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// What a path does to packets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    /// `None`: as fast as they come.
    pub rate: Option<Bitrate>,
    pub queue: Duration,
    pub one_way: Duration,
    pub jitter: Duration,
    pub loss: f64,
    /// Mean length of a run of lost packets; 1 for independent ones.
    pub run: f64,
    pub down: bool,
    /// A policer: what is too much is lost and never queued.
    pub policed: bool,
}

impl Link {
    pub(super) const CLEAN: Self = Self {
        rate: None,
        queue: Duration::from_millis(200),
        one_way: Duration::from_millis(25),
        jitter: Duration::ZERO,
        loss: 0.0,
        run: 1.0,
        down: false,
        policed: false,
    };
}

/// Whose packet it is.
#[derive(Clone, Copy, Debug)]
enum Whose {
    Ours(u64),
    /// Of others who do not care.
    Others,
    /// Of a download that takes what it can get.
    Download,
}

/// A download through the same queue, about as greedy as TCP with CUBIC (RFC 9438): a window that grows by three packets each round
/// trip and is lowered to 0.7 by a loss.
#[derive(Debug)]
struct Download {
    window: f64,
    flight: f64,
    acks: VecDeque<MediaTime>,
    halved: MediaTime,
}

/// One direction of a path, in steps.
#[derive(Debug)]
pub(super) struct Path {
    link: Link,
    random: Random,
    /// What waits for the link.
    queue: VecDeque<(Whose, u64)>,
    download: Option<Download>,
    queued: u64,
    /// Bits that the link could carry and has not yet; below zero while a packet is on its way through it.
    credit: f64,
    at: MediaTime,
    losing: bool,
    /// What others send through the same queue, in bits a second, and what of it is due.
    pub cross: f64,
    due: f64,
    pub dropped: u64,
    pub worst_queue: Duration,
    out: Vec<(u64, MediaTime)>,
}

impl Path {
    pub(super) fn new(link: Link, seed: u64) -> Self {
        Self {
            link,
            random: Random(seed),
            queue: VecDeque::new(),
            download: None,
            queued: 0,
            credit: 0.0,
            at: MediaTime::default(),
            losing: false,
            cross: 0.0,
            due: 0.0,
            dropped: 0,
            worst_queue: Duration::ZERO,
            out: Vec::new(),
        }
    }

    pub(super) fn change(&mut self, link: Link) {
        self.link = link;
    }

    /// A packet enters; whether it is still there is seen when it comes.
    pub(super) fn send(&mut self, now: MediaTime, number: u64, bytes: u64) {
        if self.link.down || self.is_lost() {
            self.dropped += 1;
            return;
        }
        self.enqueue(now, Whose::Ours(number), bytes);
    }

    fn enqueue(&mut self, now: MediaTime, whose: Whose, bytes: u64) {
        let Some(rate) = self.link.rate else { return self.deliver(now, whose) };
        let rate = rate.as_bps() as f64;
        let limit = if self.link.policed { 0.05 } else { self.link.queue.as_secs_f64() };
        if (self.queued + bytes) as f64 * 8.0 > (rate * limit).max(24_000.0) {
            self.drop(now, whose);
            return;
        }
        if self.link.policed {
            self.deliver(now, whose);
            self.queue.push_back((Whose::Others, bytes));
        } else {
            self.queue.push_back((whose, bytes));
        }
        self.queued += bytes;
        self.worst_queue = self.worst_queue.max(Duration::from_secs_f64(self.queued as f64 * 8.0 / rate));
    }

    /// Begins a download.
    pub(super) fn download(&mut self) {
        self.download = Some(Download { window: 4.0, flight: 0.0, acks: VecDeque::new(), halved: self.at });
    }

    fn drop(&mut self, now: MediaTime, whose: Whose) {
        match (whose, &mut self.download) {
            (Whose::Ours(_), _) => self.dropped += 1,
            (Whose::Download, Some(download)) => {
                download.flight -= 1.0;
                if now.since(download.halved) > self.link.one_way * 2 + self.link.queue {
                    download.halved = now;
                    download.window = (download.window * 0.7).max(2.0);
                }
            }
            _ => {}
        }
    }

    fn deliver(&mut self, now: MediaTime, whose: Whose) {
        let jitter = self.link.jitter.mul_f64(self.random.unit());
        match (whose, &mut self.download) {
            (Whose::Ours(number), _) => self.out.push((number, now + self.link.one_way + jitter)),
            (Whose::Download, Some(download)) => download.acks.push_back(now + self.link.one_way * 2),
            _ => {}
        }
    }

    fn run_download(&mut self, now: MediaTime) {
        let Some(download) = &mut self.download else { return };
        while download.acks.pop_front_if(|at| *at <= now).is_some() {
            download.flight -= 1.0;
            download.window += 3.0 / download.window;
        }
        while let Some(download) = self.download.as_mut().filter(|download| download.flight < download.window) {
            download.flight += 1.0;
            let flight = download.flight;
            self.enqueue(now, Whose::Download, 1_200);
            if self.download.as_ref().is_some_and(|download| download.flight < flight) {
                break;
            }
        }
    }

    /// Lets time pass; which packets left the queue, and when they come.
    pub(super) fn step(&mut self, now: MediaTime) -> Vec<(u64, MediaTime)> {
        let passed = now.since(self.at).as_secs_f64();
        self.at = now;
        self.due += self.cross * passed;
        while self.due > 9_600.0 {
            self.due -= 9_600.0;
            self.enqueue(now, Whose::Others, 1_200);
        }
        self.run_download(now);
        if let Some(rate) = self.link.rate {
            self.credit = (self.credit + rate.as_bps() as f64 * passed).min(rate.as_bps() as f64 * 0.001);
            while self.credit > 0.0
                && let Some((whose, bytes)) = self.queue.pop_front()
            {
                self.queued -= bytes;
                self.credit -= bytes as f64 * 8.0;
                self.deliver(now, whose);
            }
        }
        std::mem::take(&mut self.out)
    }

    fn is_lost(&mut self) -> bool {
        let Link { loss, run, .. } = self.link;
        if loss <= 0.0 {
            self.losing = false;
            return false;
        }
        let chance = if self.losing { 1.0 - 1.0 / run } else { loss / (run * (1.0 - loss)) };
        let chance = if run <= 1.0 { loss } else { chance };
        self.losing = self.random.unit() < chance;
        self.losing
    }
}
