//! What one side showed and played, read back from its timeline; times in milliseconds from the begin of the schedule.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// Somebody in a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Party {
    /// Name of its files.
    pub(crate) name: &'static str,
    /// Its leaf in the group's tree: they come one after the other.
    leaf: f64,
}

/// The one who opens the room.
pub(crate) const HOST: Party = Party { name: "host", leaf: 0.0 };
/// The first guest.
pub(crate) const PATIENT: Party = Party { name: "patient", leaf: 1.0 };
/// The second guest.
pub(crate) const THIRD: Party = Party { name: "guest-2", leaf: 2.0 };

/// A picture that left its encoder.
#[derive(Clone, Copy, Debug)]
struct Sent {
    at: f64,
    captured: f64,
    bytes: f64,
}

/// A picture on the screen.
#[derive(Clone, Copy, Debug)]
struct Shown {
    at: f64,
    captured: f64,
    width: u32,
    height: u32,
}

/// A piece of voice that was played: one frame, or what stood in for some.
#[derive(Clone, Copy, Debug)]
struct Voice {
    at: f64,
    /// None where nothing of theirs was played as it came.
    latency: Option<f64>,
    concealed: f64,
}

/// What went one way: what the sender sent to anybody, and what the receiver made of what came to it.
#[derive(Debug, Default)]
pub(crate) struct Way {
    sent: Vec<Sent>,
    /// Captured and decoded at.
    decoded: Vec<(f64, f64)>,
    shown: Vec<Shown>,
    voice: Vec<Voice>,
    /// Time and estimate in kbit/s of the sender.
    estimates: Vec<(f64, f64)>,
}

impl Way {
    /// From the folder of a call: the way from one side to the other.
    ///
    /// # Errors
    /// When a file is missing or no number stands where one must.
    pub(crate) fn read(folder: &Path, from: Party, to: Party) -> Result<Self> {
        let begin: f64 = number(fs::read_to_string(folder.join("begin")).context("no begin")?.trim())?;
        let mut way = Self::default();
        let lines = |of: Party| fs::read_to_string(folder.join(format!("{}.csv", of.name)));
        way.take(&lines(from)?, begin, true, to)?;
        way.take(&lines(to)?, begin, false, from)?;
        Ok(way)
    }

    /// Takes the sender's lines or the receiver's, as far as they are of the other one.
    fn take(&mut self, lines: &str, begin: f64, sender: bool, other: Party) -> Result<()> {
        for line in lines.lines() {
            let mut fields = line.split(',');
            let kind = fields.next().unwrap_or_default();
            let values: Vec<f64> = fields.map(number).collect::<Result<_>>().with_context(|| line.to_owned())?;
            let time = |at: usize| values.get(at).map_or(0.0, |micros| (micros - begin) / 1_000.0);
            let value = |at: usize| values.get(at).copied().unwrap_or_default();
            if kind != "sent" && value(1) != other.leaf {
                continue;
            }
            match (kind, sender) {
                ("sent", true) => self.sent.push(Sent { at: time(0), captured: time(1), bytes: value(2) }),
                ("path", true) => self.estimates.push((time(0), value(2) / 1_000.0)),
                ("decoded", false) => self.decoded.push((time(2), time(0))),
                ("picture", false) => {
                    self.shown.push(Shown {
                        at: time(0),
                        captured: time(2),
                        width: value(3) as u32,
                        height: value(4) as u32,
                    });
                }
                ("voice", false) => {
                    let latency = (value(2) > 0.0).then(|| time(0) - time(2));
                    self.voice.push(Voice { at: time(0), latency, concealed: value(3) });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// When the first picture was captured.
    pub(crate) fn begin(&self) -> f64 {
        self.sent.first().map_or(f64::NAN, |sent| sent.captured)
    }

    /// Longest time without a new picture on the screen, the edges included.
    pub(crate) fn longest_stall(&self, from: f64, to: f64) -> f64 {
        let inside = self.shown.iter().map(|shown| shown.at).filter(|at| (from..to).contains(at));
        let mut last = self.shown.iter().map(|shown| shown.at).filter(|at| *at < from).fold(from, |_, at| at.max(from));
        let mut longest: f64 = 0.0;
        for at in inside.chain([to]) {
            longest = longest.max(at - last);
            last = at;
        }
        longest
    }

    /// End of the last stall beyond `limit` in the span, from its begin; 0 without one.
    pub(crate) fn smooth_after(&self, from: f64, to: f64, limit: f64) -> f64 {
        let times: Vec<f64> = [from]
            .into_iter()
            .chain(self.shown.iter().map(|shown| shown.at).filter(|at| (from..to).contains(at)))
            .collect();
        let stalls = times.windows(2).filter(|pair| pair[1] - pair[0] > limit);
        stalls.map(|pair| pair[1] - from).fold(0.0, f64::max)
    }

    /// First picture on the screen at or after.
    pub(crate) fn next_picture(&self, after: f64) -> Option<f64> {
        self.shown.iter().map(|shown| shown.at).find(|at| *at >= after).map(|at| at - after)
    }

    /// Pictures a second on the screen.
    pub(crate) fn fps(&self, from: f64, to: f64) -> f64 {
        self.shown.iter().filter(|shown| (from..to).contains(&shown.at)).count() as f64 * 1_000.0 / (to - from)
    }

    /// First time from which on pictures were at least so high, from `after`.
    pub(crate) fn height_after(&self, after: f64, height: u32) -> Option<f64> {
        self.shown.iter().find(|shown| shown.at >= after && shown.height >= height).map(|shown| shown.at - after)
    }

    /// Least size on the screen.
    pub(crate) fn least_size(&self, from: f64, to: f64) -> Option<(u32, u32)> {
        let inside = self.shown.iter().filter(|shown| (from..to).contains(&shown.at));
        inside.map(|shown| (shown.width, shown.height)).min()
    }

    /// Percentile of capture to decoded, in milliseconds.
    pub(crate) fn latency(&self, from: f64, to: f64, percent: f64) -> f64 {
        let inside = self.decoded.iter().filter(|(captured, _)| (from..to).contains(captured));
        percentile(inside.map(|(captured, at)| at - captured).collect(), percent)
    }

    /// Share of the pictures sent in the span that were decoded within `limit` of their capture.
    pub(crate) fn in_time(&self, from: f64, to: f64, limit: f64) -> f64 {
        let sent = self.sent.iter().filter(|sent| (from..to).contains(&sent.at)).count();
        let decoded = self.decoded.iter().filter(|(captured, at)| {
            at - captured <= limit
                && self.sent.iter().any(|sent| sent.captured == *captured && (from..to).contains(&sent.at))
        });
        decoded.count() as f64 / sent.max(1) as f64
    }

    /// What pictures took, sealed, in kbit/s.
    pub(crate) fn picture_rate(&self, from: f64, to: f64) -> f64 {
        let bytes: f64 = self.sent.iter().filter(|sent| (from..to).contains(&sent.at)).map(|sent| sent.bytes).sum();
        bytes * 8.0 / (to - from)
    }

    /// When pictures first took so much over a second, from `after`.
    pub(crate) fn rate_after(&self, after: f64, kbps: f64, until: f64) -> Option<f64> {
        let mut at = after;
        while at + 1_000.0 <= until {
            if self.picture_rate(at, at + 1_000.0) >= kbps {
                return Some(at - after);
            }
            at += 100.0;
        }
        None
    }

    /// When the estimate first reached so much, from `after`.
    pub(crate) fn estimate_after(&self, after: f64, kbps: f64) -> Option<f64> {
        self.estimates.iter().find(|(at, estimate)| *at >= after && *estimate >= kbps).map(|(at, _)| at - after)
    }

    /// Share of voice frames that were invented.
    pub(crate) fn concealed(&self, from: f64, to: f64) -> f64 {
        let inside = || self.voice.iter().filter(|voice| (from..to).contains(&voice.at));
        inside().map(|voice| voice.concealed).sum::<f64>() / self.due(from, to)
    }

    /// Share of voice frames that were played as they came, or as corrected, within `limit` of their recording.
    pub(crate) fn voice_in_time(&self, from: f64, to: f64, limit: f64) -> f64 {
        let inside = || self.voice.iter().filter(|voice| (from..to).contains(&voice.at));
        let late = inside().filter(|voice| voice.latency.is_some_and(|latency| latency > limit)).count() as f64;
        1.0 - (inside().map(|voice| voice.concealed).sum::<f64>() + late) / self.due(from, to)
    }

    /// Percentile of a voice frame's way from its recording, in milliseconds.
    pub(crate) fn voice_latency(&self, from: f64, to: f64, percent: f64) -> f64 {
        let inside = self.voice.iter().filter(|voice| (from..to).contains(&voice.at));
        percentile(inside.filter_map(|voice| voice.latency).collect(), percent)
    }

    /// Percentile of how far pictures and voice were apart, either way, in milliseconds.
    pub(crate) fn lips_apart(&self, from: f64, to: f64, percent: f64) -> f64 {
        percentile(self.lips(from, to).map(f64::abs).collect(), percent)
    }

    /// What most pictures were late against their voice, in milliseconds; below 0 they were early.
    pub(crate) fn lips_late(&self, from: f64, to: f64) -> f64 {
        percentile(self.lips(from, to).collect(), 50.0)
    }

    /// Of each picture shown in the span: its way from its capture, less that of the voice heard nearest to it.
    fn lips(&self, from: f64, to: f64) -> impl Iterator<Item = f64> {
        let heard: Vec<(f64, f64)> = self.voice.iter().filter_map(|voice| Some((voice.at, voice.latency?))).collect();
        let inside = self.shown.iter().filter(move |shown| (from..to).contains(&shown.at));
        inside.filter_map(move |shown| {
            let after = heard.partition_point(|(at, _)| *at < shown.at);
            let around = heard.get(after.saturating_sub(1)..heard.len().min(after + 1))?;
            let apart = |at: f64| (at - shown.at).abs();
            let (_, voice) = around.iter().min_by(|one, other| apart(one.0).total_cmp(&apart(other.0)))?;
            Some(shown.at - shown.captured - voice)
        })
    }

    /// Voice frames that the span has: one every 20 ms.
    fn due(&self, from: f64, to: f64) -> f64 {
        ((to - from) / 20.0).max(1.0)
    }
}

/// What the network counted on one path, from its own table.
#[derive(Debug, Default)]
pub(crate) struct Link {
    /// Time, bytes that came to it, packets it lost by chance or in its queue, and the queue's length in milliseconds.
    rows: Vec<(f64, f64, f64, f64)>,
}

impl Link {
    /// Reads one path's rows.
    ///
    /// # Errors
    /// When the table is missing or holds no number where one must stand.
    pub(crate) fn read(folder: &Path, path: &str) -> Result<Self> {
        let table = fs::read_to_string(folder.join("link.csv")).context("no link.csv")?;
        let begin = table.lines().find(|line| line.contains(",event,go")).and_then(|line| line.split(',').next());
        let begin: f64 = number(begin.context("the schedule did not begin")?)?;
        let mut link = Self::default();
        for line in table.lines() {
            let fields: Vec<&str> = line.split(',').collect();
            if let [time, name, "", _, bytes, _, _, loss, queue, _, length] = fields[..]
                && name == path
            {
                let lost = number(loss)? + number(queue)?;
                link.rows.push(((number(time)? - begin) * 1_000.0, number(bytes)?, lost, number(length)?));
            }
        }
        Ok(link)
    }

    /// What was sent over it, in kbit/s.
    pub(crate) fn rate(&self, from: f64, to: f64) -> f64 {
        self.rows.iter().filter(|row| (from..to).contains(&row.0)).map(|row| row.1 * 8.0).sum::<f64>() / (to - from)
    }

    /// Packets it lost.
    pub(crate) fn lost(&self, from: f64, to: f64) -> f64 {
        self.rows.iter().filter(|row| (from..to).contains(&row.0)).map(|row| row.2).sum()
    }

    /// Longest queue in milliseconds.
    pub(crate) fn longest_queue(&self, from: f64, to: f64) -> f64 {
        self.rows.iter().filter(|row| (from..to).contains(&row.0)).map(|row| row.3).fold(0.0, f64::max)
    }
}

fn number(text: &str) -> Result<f64> {
    text.parse().with_context(|| format!("{text:?} is no number"))
}

fn percentile(mut values: Vec<f64>, percent: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let rank = (values.len() as f64 * percent / 100.0).ceil() as usize;
    values.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way() -> Way {
        let mut way = Way::default();
        let mut sent = String::new();
        let mut seen = String::new();
        for frame in 0..90 {
            let at = 1_000_000 + frame * 33_000;
            sent.push_str(&format!("sent,{},{at},5000,0,640,360\n", at + 5_000));
            // A second is missing in the middle.
            if !(30..60).contains(&frame) {
                seen.push_str(&format!("decoded,{},0,{at}\npicture,{},0,{at},640,360\n", at + 40_000, at + 41_000));
            }
        }
        for frame in 0..150 {
            let at = 1_000_000 + frame * 20_000;
            let (captured, concealed) = if frame % 50 == 0 { (0, 1) } else { (at - 60_000, 0) };
            seen.push_str(&format!("voice,{at},0,{captured},{concealed},0\n"));
        }
        way.take(&sent, 1_000_000.0, true, PATIENT).unwrap();
        way.take(&seen, 1_000_000.0, false, HOST).unwrap();
        way
    }

    #[test]
    fn a_stall_is_measured_from_picture_to_picture() {
        let way = way();
        assert_eq!(way.longest_stall(0.0, 2_900.0), 1_023.0);
        assert_eq!(way.smooth_after(500.0, 2_900.0, 150.0), 1_521.0);
        assert_eq!(way.next_picture(1_500.0), Some(521.0));
        assert_eq!(way.longest_stall(1_100.0, 1_400.0), 300.0);
    }

    #[test]
    fn shares_are_of_what_was_due() {
        let way = way();
        assert!((way.in_time(0.0, 3_000.0, 150.0) - 60.0 / 90.0).abs() < 1e-9);
        assert!((way.concealed(0.0, 3_000.0) - 0.02).abs() < 1e-9);
        assert!((way.voice_in_time(0.0, 3_000.0, 50.0)).abs() < 1e-9);
        assert_eq!((way.latency(0.0, 900.0, 50.0), way.voice_latency(0.0, 900.0, 95.0)), (40.0, 60.0));
        assert!((way.picture_rate(0.0, 2_970.0) - 5_000.0 * 90.0 * 8.0 / 2_970.0).abs() < 1.0);
    }

    #[test]
    fn a_picture_is_compared_with_the_voice_heard_nearest_to_it() {
        let way = way();
        // 41 ms against 60 ms.
        assert_eq!((way.lips_late(0.0, 3_000.0), way.lips_apart(0.0, 3_000.0, 95.0)), (-19.0, 19.0));
        let mut way = Way::default();
        let voices = "voice,100000,0,50000,0,0\nvoice,120000,0,0,1,0\nvoice,140000,0,40000,0,0\n";
        let pictures =
            "picture,115000,0,85000,640,360\npicture,125000,0,25000,640,360\npicture,900000,0,860000,640,360\n";
        way.take(&format!("{voices}{pictures}"), 0.0, false, HOST).unwrap();
        // Of the voice that was invented nothing is known, so the next nearest counts: 50 ms, then 100 ms twice.
        assert_eq!(way.lips(0.0, 1_000.0).collect::<Vec<_>>(), [-20.0, 0.0, -60.0]);
        assert_eq!((way.lips_late(0.0, 1_000.0), way.lips_apart(0.0, 1_000.0, 100.0)), (-20.0, 60.0));
        assert!(Way::default().lips_apart(0.0, 1_000.0, 95.0).is_nan());
    }

    #[test]
    fn of_several_senders_one_counts() {
        let lines = "picture,40000,0,0,1280,720\npicture,50000,1,0,320,180\nvoice,40000,1,20000,1,0\n";
        let mut way = Way::default();
        way.take(lines, 0.0, false, PATIENT).unwrap();
        assert_eq!((way.least_size(0.0, 100.0), way.voice.len()), (Some((320, 180)), 1));
        way.take("path,10000,1,300000,0,0,0,0,0\npath,20000,2,90000,0,0,0,0,0\n", 0.0, true, THIRD).unwrap();
        assert_eq!((way.estimates.len(), way.estimate_after(0.0, 90.0)), (1, Some(20.0)));
    }
}
