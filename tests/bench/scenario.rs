//! What the network does in each call, and which figures come of it. The worse of both directions counts.

use std::path::Path;

use serde_json::Value;

use super::Call;
use super::figure::Target::{AtLeast, AtMost, None as Free};
use super::figure::figure;
use super::packets::Packets;
use super::timeline::Way;

/// One call.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) seconds: u64,
    pub(crate) links: Vec<String>,
    pub(crate) changes: Vec<String>,
    /// Further arguments of the consultation.
    pub(crate) more: &'static [&'static str],
    pub(crate) judge: Box<dyn Fn(&Call)>,
}

/// The begin of a call is left out of what is said of its course.
const SETTLED: f64 = 3_000.0;

impl Call {
    fn most(&self, of: impl Fn(&Way) -> f64) -> f64 {
        self.ways.iter().map(of).fold(f64::NEG_INFINITY, f64::max)
    }

    fn least(&self, of: impl Fn(&Way) -> f64) -> f64 {
        self.ways.iter().map(of).fold(f64::INFINITY, f64::min)
    }

    fn reported_least(&self, place: &str) -> f64 {
        let value = |report: &Value| report.pointer(place).and_then(Value::as_f64).unwrap_or(f64::NAN);
        self.reports.iter().map(value).fold(f64::INFINITY, f64::min)
    }

    fn reported(&self, place: &str) -> f64 {
        let value = |report: &Value| report.pointer(place).and_then(Value::as_f64).unwrap_or(f64::NAN);
        self.reports.iter().map(value).fold(f64::NEG_INFINITY, f64::max)
    }

    /// Sound and picture of one moment are to be within 40 ms of each other.
    fn lip_sync(&self, words: &str, from: f64, to: f64) {
        let apart = self.most(|way| way.lips_apart(from, to, 95.0));
        figure("-", &format!("{words}: lip sync: 95 % of pictures within"), apart, "ms", AtMost(40.0));
        let late = self.most(|way| way.lips_late(from, to));
        figure("-", &format!("{words}: lip sync: picture after its voice, median"), late, "ms", Free);
    }
}

/// All of them.
pub(crate) fn scenarios(own: &Path) -> Vec<Scenario> {
    let mut all = set_up();
    all.push(start());
    all.extend(losses());
    all.extend(queues(own));
    all.push(narrow());
    all.extend(thin());
    all.extend(breaks());
    all.push(ipv6());
    all.extend(thirds());
    all
}

fn scenario(name: &'static str, seconds: u64, link: &str, judge: impl Fn(&Call) + 'static) -> Scenario {
    Scenario { name, seconds, links: vec![link.to_owned()], changes: Vec::new(), more: &[], judge: Box::new(judge) }
}

/// P4.
fn set_up() -> Vec<Scenario> {
    let cases = [
        ("setup-0", "all delay=0ms", "0", AtMost(40.0), AtMost(400.0)),
        ("setup-40", "all delay=20ms", "40", AtMost(200.0), Free),
        ("setup-80", "all delay=40ms", "80", Free, AtMost(900.0)),
        ("setup-120", "all delay=60ms", "120", AtMost(500.0), Free),
    ];
    cases
        .into_iter()
        .map(|(name, link, trip, connected, picture)| {
            scenario(name, 4, link, move |call| {
                // Of the side that offers: it has both descriptions. The other one waits for its answer to arrive.
                let connected_ms = call.reported_least("/transport_setup_ms");
                figure("P4", &format!("round trip {trip} ms: transport connected"), connected_ms, "ms", connected);
                let first = call.reported("/admit_to_first_video_ms");
                figure("P4", &format!("round trip {trip} ms: admit to first picture"), first, "ms", picture);
            })
        })
        .collect()
}

/// P11b.
fn start() -> Scenario {
    scenario("start", 20, "both delay=25ms rate=10mbit queue=200ms", |call| {
        let reached = call.most(|way| way.estimate_after(way.begin(), 2_500.0).unwrap_or(f64::NAN));
        figure("P11b", "clean 10 Mbit/s: estimate reaches 2.5 Mbit/s after", reached, "ms", AtMost(6_000.0));
        let high = call.most(|way| way.height_after(way.begin(), 720).unwrap_or(f64::NAN));
        figure("-", "clean 10 Mbit/s: 720p on the screen after", high, "ms", Free);
        let stall = call.most(|way| way.longest_stall(SETTLED, 20_000.0));
        figure("-", "clean 10 Mbit/s: longest stall", stall, "ms", Free);
        call.lip_sync("clean 10 Mbit/s", SETTLED, 20_000.0);
    })
}

/// P8, P9, P11.
fn losses() -> Vec<Scenario> {
    let cases = [
        ("loss-2", "loss=2%", "2 % loss", 0.02, 99.5),
        ("loss-5", "loss=5%", "5 % loss", 0.05, 99.0),
        ("loss-10", "loss=10%", "10 % loss", 0.10, 96.0),
        ("burst", "burst=5%x4", "5 % loss in runs of 4", 0.05, f64::NAN),
    ];
    cases
        .into_iter()
        .map(|(name, key, words, loss, complete)| {
            let link = format!("both delay=20ms rate=10mbit queue=200ms {key}");
            scenario(name, 30, &link, move |call| {
                let (from, to) = (SETTLED, 29_000.0);
                let wanted = if complete.is_nan() { Free } else { AtLeast(complete) };
                let share = call.least(|way| way.in_time(from, to, 150.0)) * 100.0;
                figure("P8", &format!("{words}: pictures complete within 150 ms"), share, "%", wanted);
                let resent = call.reports.iter().zip(&call.links).map(|(report, link)| {
                    let resent = report.pointer("/retransmissions").and_then(Value::as_f64).unwrap_or(f64::NAN);
                    resent / link.lost(0.0, 30_000.0)
                });
                let resent = resent.fold(0.0, f64::max);
                figure("P8", &format!("{words}: retransmissions a lost packet"), resent, "", AtMost(1.2));
                let voice = call.least(|way| way.voice_in_time(from, to, 150.0)) * 100.0;
                let wanted = if loss == 0.05 { AtLeast(99.9) } else { Free };
                figure("P9", &format!("{words}: voice within 150 ms"), voice, "%", wanted);
                let concealed = call.most(|way| way.concealed(from, to)) * 100.0;
                let wanted = if loss == 0.10 { AtMost(0.5) } else { Free };
                figure("P9", &format!("{words}: voice concealed"), concealed, "%", wanted);
                let wire = call.ways.iter().zip(&call.links);
                let wire = wire.map(|(way, link)| link.rate(from, to) / (way.picture_rate(from, to) + VOICE));
                let wanted = if loss == 0.05 { AtMost(1.3) } else { Free };
                figure(
                    "P11",
                    &format!("{words}: bytes on the wire, to those of media"),
                    wire.fold(0.0, f64::max),
                    "",
                    wanted,
                );
                let held = call.least(|way| way.picture_rate(from, to)) / 2_500.0 * 100.0;
                let wanted = if name == "loss-5" { AtLeast(90.0) } else { Free };
                figure("P11b", &format!("{words}: of the highest rate held"), held, "%", wanted);
                let stall = call.most(|way| way.longest_stall(from, to));
                figure("P11", &format!("{words}: longest stall"), stall, "ms", AtMost(200.0));
                if name == "loss-5" {
                    call.lip_sync(words, from, to);
                }
            })
        })
        .collect()
}

/// The voice with its seals, in kbit/s.
const VOICE: f64 = 40.0;

/// What is shared with others, or held back by them.
fn queues(own: &Path) -> Vec<Scenario> {
    let plain = |name: &'static str, link: &str, words: &'static str| {
        scenario(name, 30, link, move |call| {
            let (from, to) = (SETTLED, 29_000.0);
            figure("-", &format!("{words}: pictures a second"), call.least(|way| way.fps(from, to)), "", Free);
            figure("-", &format!("{words}: longest stall"), call.most(|way| way.longest_stall(from, to)), "ms", Free);
            figure("-", &format!("{words}: picture p95"), call.most(|way| way.latency(from, to, 95.0)), "ms", Free);
            figure(
                "-",
                &format!("{words}: pictures take"),
                call.least(|way| way.picture_rate(from, to)),
                "kbit/s",
                Free,
            );
            figure(
                "-",
                &format!("{words}: voice concealed"),
                call.most(|way| way.concealed(from, to)) * 100.0,
                "%",
                Free,
            );
            figure("-", &format!("{words}: voice p95"), call.most(|way| way.voice_latency(from, to, 95.0)), "ms", Free);
            let queue = call.links.iter().map(|link| link.longest_queue(5_000.0, to)).fold(0.0, f64::max);
            figure("-", &format!("{words}: longest queue"), queue, "ms", Free);
            if name == "jitter" {
                call.lip_sync(words, from, to);
            }
        })
    };
    let mut download = plain("download", "both delay=25ms rate=2.5mbit queue=200ms", "beside a TCP download");
    let own = own.display();
    download.changes =
        vec![format!("2s exec b '{own}' sink 10.77.2.1:9009"), format!("2500ms exec a '{own}' flood 10.77.2.1:9009")];
    vec![
        plain("jitter", "both delay=40ms jitter=30ms reorder=on rate=10mbit queue=200ms", "30 ms jitter, reordered"),
        plain("cap-500", "both delay=25ms rate=500kbit queue=200ms", "500 kbit/s"),
        plain("bloat", "both delay=25ms rate=1mbit queue=1s", "1 Mbit/s, queue of 1 s"),
        download,
    ]
}

/// P10.
fn narrow() -> Scenario {
    let (drop, relief, end) = (20_000.0, 40_000.0, 64_000.0);
    let mut narrow = scenario("narrow", 65, "both delay=25ms rate=2.5mbit queue=200ms", move |call| {
        let p10 = |name: &str, value: f64, unit: &str, target| figure("P10", name, value, unit, target);
        let stall = call.most(|way| way.longest_stall(drop, end));
        p10("2.5 to 0.4 Mbit/s and back: longest stall", stall, "ms", AtMost(500.0));
        let smooth = call.most(|way| way.smooth_after(drop, drop + 15_000.0, 150.0));
        p10("smooth again after", smooth, "ms", AtMost(2_000.0));
        p10("worst picture", call.most(|way| way.latency(drop, end, 100.0)), "ms", AtMost(600.0));
        let concealed = call.most(|way| way.concealed(drop, drop + 8_000.0)) * 100.0;
        p10("voice concealed in the 8 s after the drop", concealed, "%", AtMost(2.0));
        let used = call.links.iter().map(|link| link.rate(drop + 4_000.0, relief)).fold(f64::INFINITY, f64::min);
        p10("of the 400 kbit/s used", used / 4.0, "%", AtLeast(85.0));
        let rate = call.most(|way| way.rate_after(relief, 1_800.0, end).unwrap_or(f64::NAN));
        p10("back at 1.8 Mbit/s after", rate, "ms", AtMost(8_000.0));
        let high = call.most(|way| way.height_after(relief, 720).unwrap_or(f64::NAN));
        p10("720p on the screen after", high, "ms", AtMost(8_000.0));
        call.lip_sync("400 kbit/s", drop + 5_000.0, relief);
    });
    narrow.changes = vec!["20s both rate=400kbit".to_owned(), "40s both rate=2.5mbit".to_owned()];
    narrow
}

/// P12.
fn thin() -> Vec<Scenario> {
    let span = (10_000.0, 39_000.0);
    let thin = scenario("cap-150", 40, "both delay=25ms rate=150kbit queue=200ms", move |call| {
        let (from, to) = span;
        figure("P12", "150 kbit/s: pictures a second", call.least(|way| way.fps(from, to)), "", AtLeast(15.0));
        let height = |way: &Way| way.least_size(from, to).map_or(f64::NAN, |(_, height)| f64::from(height));
        figure("P12", "150 kbit/s: least height", call.least(height), "", AtLeast(180.0));
        figure(
            "P12",
            "150 kbit/s: voice concealed",
            call.most(|way| way.concealed(from, to)) * 100.0,
            "%",
            AtMost(0.1),
        );
        figure("-", "150 kbit/s: picture p95", call.most(|way| way.latency(from, to, 95.0)), "ms", Free);
    });
    let mut voice = scenario("cap-32", 45, "both delay=25ms rate=500kbit queue=400ms", move |call| {
        let (from, to) = (20_000.0, 44_000.0);
        figure("P12", "32 kbit/s: voice concealed", call.most(|way| way.concealed(from, to)) * 100.0, "%", AtMost(2.0));
        figure("P12", "32 kbit/s: pictures a second", call.most(|way| way.fps(from, to)), "", AtMost(0.0));
        figure("-", "32 kbit/s: voice p95", call.most(|way| way.voice_latency(from, to, 95.0)), "ms", Free);
    });
    voice.changes = vec!["10s both rate=32kbit".to_owned()];
    vec![thin, voice]
}

/// P13.
fn breaks() -> Vec<Scenario> {
    let link = "both delay=25ms rate=2.5mbit queue=200ms";
    let mut outage = scenario("outage", 25, link, |call| {
        let back = call.most(|way| way.next_picture(13_000.0 + 25.0).map_or(f64::NAN, |after| after + 25.0));
        figure("P13", "outage of 3 s: picture after the link is back", back, "ms", AtMost(300.0));
        let smooth = call.most(|way| way.smooth_after(13_000.0, 24_000.0, 150.0));
        figure("-", "outage of 3 s: smooth after the link is back", smooth, "ms", Free);
        let members = call.reported("/epochs");
        figure("P13", "outage of 3 s: epochs of the call", members, "", Free);
    });
    outage.changes = vec!["10s both down".to_owned(), "13s both up".to_owned()];
    let mut moved = scenario("moved", 25, link, |call| {
        let back = call.most(|way| way.smooth_after(10_000.0, 24_000.0, 150.0));
        figure("P13", "address change: picture back, and smooth, after", back, "ms", AtMost(1_500.0));
    });
    moved.changes = vec![
        "10s exec a ip addr add 10.77.1.9/24 dev net0; ip addr del 10.77.1.1/24 dev net0; \
         ip addr replace 10.77.1.9/24 dev net0; ip route replace default dev net0"
            .to_owned(),
    ];
    let mut blocked = scenario("blocked", 20, "both delay=25ms", |call| {
        let first = call.reported("/admit_to_first_video_ms");
        figure("P4", "UDP blocked, relay by TLS: admit to first picture", first, "ms", Free);
        figure("-", "UDP blocked: pictures a second", call.least(|way| way.fps(SETTLED, 19_000.0)), "", Free);
        figure("-", "UDP blocked: picture p95", call.most(|way| way.latency(SETTLED, 19_000.0, 95.0)), "ms", Free);
    });
    blocked.links.push("all block=udp".to_owned());
    blocked.more = &["--relay", "tls"];
    vec![outage, moved, blocked]
}

/// A call where nobody has an address of IPv4: signalling, too, goes over IPv6.
fn ipv6() -> Scenario {
    let mut ipv6 = scenario("ipv6", 20, "all delay=20ms", |call| {
        let first = call.reported("/admit_to_first_video_ms");
        figure("P4", "IPv6 alone, round trip 40 ms: admit to first picture", first, "ms", AtMost(900.0));
        let fps = call.least(|way| way.fps(SETTLED, 19_000.0));
        figure("-", "IPv6 alone: pictures a second", fps, "", AtLeast(28.0));
        let concealed = call.most(|way| way.concealed(SETTLED, 19_000.0)) * 100.0;
        figure("-", "IPv6 alone: voice concealed", concealed, "%", AtMost(0.1));
        let count = |of: fn(Packets) -> u64| call.packets.map_or(f64::NAN, |packets| of(packets) as f64);
        figure("-", "IPv6 alone: packets of UDP over IPv6", count(|packets| packets.ipv6_udp), "", AtLeast(1_000.0));
        figure("-", "IPv6 alone: packets of IPv4", count(|packets| packets.ipv4), "", AtMost(0.0));
    });
    ipv6.more = &["--ipv6"];
    ipv6
}

/// The paths to one of three carry less. The others must not pay for it, and it must see and hear all the same: the host's large
/// picture without what no other picture needs, or its small one.
fn thirds() -> [Scenario; 2] {
    [("weak-third", "200kbit", 15.0, 180.0), ("thin-third", "1600kbit", 14.0, 720.0)].map(
        |(name, rate, pace, least)| {
            let mut third = scenario(name, 40, "both delay=25ms rate=10mbit queue=200ms", move |call| {
                let (from, to) = (10_000.0, 39_000.0);
                let [strong, _] = &call.ways;
                let figures = |way: &Way, whose: &str, pace: f64, least: f64| {
                    let named = |what: &str| format!("one path of {rate}, {whose}: {what}");
                    figure("-", &named("pictures a second"), way.fps(from, to), "", AtLeast(pace));
                    let height = way.least_size(from, to).map_or(f64::NAN, |(_, height)| f64::from(height));
                    figure("-", &named("least height"), height, "", AtLeast(least));
                    figure("-", &named("longest stall"), way.longest_stall(from, to), "ms", AtMost(500.0));
                    figure("-", &named("picture p95"), way.latency(from, to, 95.0), "ms", Free);
                    figure("-", &named("voice concealed"), way.concealed(from, to) * 100.0, "%", AtMost(0.5));
                };
                figures(strong, "the strong", 28.0, 720.0);
                figure(
                    "-",
                    &format!("one path of {rate}: large picture"),
                    strong.picture_rate(from, to),
                    "kbit/s",
                    Free,
                );
                if let Some(third) = &call.third {
                    figures(third, "the weak", pace, least);
                }
            });
            third.links.push(format!("as,sa,bs,sb delay=25ms rate={rate} queue=200ms"));
            third.more = &["--guests", "2"];
            third
        },
    )
}
