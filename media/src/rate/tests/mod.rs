//! Calls over paths of all kinds, in virtual time: the sender's real parts, and the receiver's list of what is missing.
//!
//! The figures show with `--nocapture`.

mod both;
mod call;
mod outcome;
mod path;
mod wire;

use std::time::Duration;

use self::both::Both;
use self::call::Call;
use self::outcome::Outcome;
use self::path::{Link, Random};
use crate::time::Bitrate;

const MOST: Bitrate = Bitrate::kbps(2_500);
const START: Bitrate = Bitrate::kbps(300);

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn rated(kbps: u64) -> Link {
    Link { rate: Some(Bitrate::kbps(kbps)), ..Link::CLEAN }
}

#[expect(clippy::print_stdout, reason = "the figures show with --nocapture")]
fn show(name: &str, outcome: &Outcome, from: u64, to: u64) {
    println!(
        "{name:24} {:4} kbit/s, {:4.1} pictures/s, stall {:4} ms, picture at most {:4} ms, voice missed {:.2} %, filler {:.1} %",
        outcome.rate(from, to),
        outcome.fps(from, to),
        outcome.longest_stall(from, to),
        outcome.worst_latency(from, to),
        outcome.voice_missed(from, to) * 100.0,
        outcome.filler_bytes as f64 * 100.0 / outcome.sent_bytes as f64,
    );
}

/// A call of so many seconds over an unchanging path.
fn steady(name: &str, link: Link, time: u64, seed: u64) -> Outcome {
    let mut call = Call::new(link, START, MOST, seed);
    call.run(seconds(time));
    let outcome = call.finish();
    show(name, &outcome, 10_000, time * 1_000);
    outcome
}

/// P11b.
#[test]
fn a_clean_path_is_filled_within_a_second() {
    for seed in 0..5 {
        let outcome = steady("clean", rated(10_000), 20, seed);
        assert!(outcome.reached(0, 2_450).is_some_and(|after| after <= 1_000), "{:?}", outcome.reached(0, 2_450));
        assert!(outcome.longest_stall(5_000, 20_000) < 100);
        assert!(outcome.filler_bytes * 50 < outcome.sent_bytes);
    }
}

/// P11, P11b and P9.
#[test]
fn loss_by_chance_lowers_neither_the_rate_nor_the_voice() {
    for (loss, run) in [(0.02, 1.0), (0.05, 1.0), (0.1, 1.0), (0.05, 4.0)] {
        let outcome = steady(&format!("loss {loss} in runs of {run}"), Link { loss, run, ..rated(10_000) }, 40, 2);
        let rate = outcome.rate(10_000, 40_000);
        assert!((2_250..=3_250).contains(&rate), "{rate} kbit/s at {loss}");
        assert!(outcome.voice_missed(0, 40_000) < 0.005, "{loss}");
        assert!(outcome.longest_stall(10_000, 40_000) < 300, "{loss}");
    }
}

#[test]
fn jitter_is_not_taken_for_a_queue_also_when_little_is_sent() {
    for (jitter, start, seed) in [(30, 300, 3), (60, 300, 4), (60, 60, 5), (60, 60, 6), (60, 40, 7)] {
        let link = Link { jitter: millis(jitter), ..rated(10_000) };
        let mut call = Call::new(link, Bitrate::kbps(start), MOST, seed);
        call.run(seconds(30));
        let outcome = call.finish();
        show(&format!("jitter {jitter} from {start}"), &outcome, 10_000, 30_000);
        assert!(outcome.rate(10_000, 30_000) > 2_250, "{jitter} ms from {start} kbit/s");
    }
}

/// P12 for the narrowest.
#[test]
fn a_narrow_path_is_used_and_its_queue_stays_empty() {
    for kbps in [150, 300, 500, 1_000, 2_000] {
        for (name, link) in [
            ("", rated(kbps)),
            ("jitter", Link { jitter: millis(30), ..rated(kbps) }),
            ("deep queue", Link { queue: seconds(1), ..rated(kbps) }),
        ] {
            let outcome = steady(&format!("{kbps} kbit/s {name}"), link, 60, 4);
            assert!(outcome.rate(10_000, 60_000) * 100 > kbps * 85, "{kbps} {name}");
            assert!(outcome.fps(10_000, 60_000) > 27.0, "{kbps} {name}");
            assert!(outcome.worst_latency(10_000, 60_000) < 650, "{kbps} {name}");
            assert!(outcome.voice_missed(10_000, 60_000) < 0.005, "{kbps} {name}");
        }
    }
}

#[test]
fn a_policer_is_found_although_it_has_no_queue() {
    for kbps in [300, 1_000, 2_000] {
        let outcome = steady(&format!("{kbps} policed"), Link { policed: true, ..rated(kbps) }, 60, 4);
        assert!(outcome.fps(10_000, 60_000) > 18.0, "{kbps}");
        assert!(outcome.voice_missed(10_000, 60_000) < 0.005, "{kbps}");
    }
}

/// P10.
fn check_narrow(outcome: &Outcome) {
    show("narrow, the first 8 s", outcome, 20_000, 28_000);
    show("after relief", outcome, 40_000, 60_000);
    assert!(outcome.longest_stall(20_000, 28_000) <= 500);
    assert!(outcome.longest_stall(22_000, 40_000) <= 200, "smooth again after 2 s");
    assert!(outcome.worst_latency(20_000, 40_000) <= 600);
    assert!(outcome.voice_missed(20_000, 28_000) <= 0.02);
    assert!(outcome.rate(22_000, 40_000) >= 340, "85 % of it are used");
    assert!(outcome.reached(40_000, 1_800).is_some_and(|after| after <= 8_000));
}

#[test]
fn a_path_that_narrows_is_followed_at_once_and_its_relief_is_found() {
    for seed in 1..6 {
        let mut call = Call::new(rated(2_500), START, MOST, seed);
        call.run(seconds(20));
        call.change(rated(400));
        call.run(seconds(20));
        call.change(rated(2_500));
        call.run(seconds(20));
        check_narrow(&call.finish());
    }
}

/// The reports stand in a queue as well.
#[test]
fn a_path_that_narrows_in_both_directions_is_followed_without_a_report() {
    for seed in 1..9 {
        let mut call = Both::new(rated(2_500), START, MOST, seed);
        // Between two pictures, and in the middle of one.
        let moment = millis(seed * 7);
        call.run(seconds(20) + moment);
        call.change(rated(400));
        call.run(seconds(20) - moment);
        call.change(rated(2_500));
        call.run(seconds(20));
        for outcome in call.finish() {
            check_narrow(&outcome);
        }
    }
}

/// P12 for the voice alone: with all headers it takes 23 of the 32 kbit/s.
#[test]
fn a_path_for_the_voice_alone_carries_the_voice() {
    for seed in 1..5 {
        let deep = |kbps| Link { queue: millis(400), ..rated(kbps) };
        let mut call = Both::new(deep(500), START, MOST, seed);
        call.run(seconds(10));
        call.change(deep(32));
        call.run(seconds(35));
        call.change(deep(2_500));
        call.run(seconds(25));
        for outcome in call.finish() {
            show("32 kbit/s", &outcome, 20_000, 44_000);
            show("after relief", &outcome, 65_000, 70_000);
            assert!(outcome.voice_missed(20_000, 44_000) <= 0.02);
            assert!(outcome.fps(20_000, 44_000) < 0.1, "no picture in the way of the voice");
            assert!(outcome.reached(45_000, 1_800).is_some_and(|after| after <= 20_000));
        }
    }
}

/// P13.
#[test]
fn after_an_outage_the_picture_is_back_at_once() {
    let clean = rated(10_000);
    let mut call = Call::new(clean, START, MOST, 1);
    call.run(seconds(20));
    call.change(Link { down: true, ..clean });
    call.run(seconds(3));
    call.change(clean);
    call.run(seconds(10));
    let outcome = call.finish();
    show("after an outage", &outcome, 23_000, 33_000);
    let back = outcome.frames.iter().map(|(_, at)| *at).filter(|at| *at > 23_000).min();
    assert!(back.is_some_and(|at| at <= 23_300), "{back:?}");
}

#[test]
fn a_path_that_got_longer_is_not_taken_for_a_full_one_for_long() {
    let mut call = Call::new(rated(10_000), START, MOST, 1);
    call.run(seconds(20));
    call.change(Link { one_way: millis(150), ..rated(10_000) });
    call.run(seconds(20));
    let outcome = call.finish();
    show("longer", &outcome, 25_000, 40_000);
    assert!(outcome.rate(25_000, 40_000) > 2_250);
}

#[test]
fn a_picture_that_needs_little_does_not_lower_the_estimate() {
    let mut call = Call::new(rated(3_000), START, MOST, 1);
    call.appetite = 0.2;
    call.run(seconds(20));
    call.appetite = 1.0;
    call.run(seconds(20));
    let outcome = call.finish();
    show("little, then all", &outcome, 20_000, 40_000);
    assert!(outcome.longest_stall(20_000, 40_000) < 200);
    assert!(outcome.rate(21_000, 40_000) > 2_250);
}

#[test]
fn others_on_the_same_link_leave_us_a_share() {
    let mut call = Call::new(rated(2_000), START, MOST, 1);
    call.run(seconds(20));
    call.path().cross = 1_000_000.0;
    call.run(seconds(30));
    let outcome = call.finish();
    show("with 1 Mbit/s of others", &outcome, 30_000, 50_000);
    assert!(outcome.rate(30_000, 50_000) > 500);
    assert!(outcome.voice_missed(22_000, 50_000) < 0.01);
}

#[test]
fn beside_a_download_picture_and_voice_go_on() {
    for seed in 1..4 {
        let mut call = Call::new(rated(2_500), START, MOST, seed);
        call.run(seconds(10));
        call.path().download();
        call.run(seconds(50));
        let outcome = call.finish();
        show("beside a download", &outcome, 15_000, 60_000);
        assert!(outcome.rate(15_000, 60_000) > 300, "{seed}");
        assert!(outcome.longest_stall(12_000, 60_000) < 800, "{seed}");
        assert!(outcome.voice_missed(12_000, 60_000) < 0.03, "{seed}");
    }
}

/// A path whose every property is drawn.
fn drawn(random: &mut Random) -> Link {
    let mut between = |least: f64, most: f64| least * (most / least).powf(random.unit());
    Link {
        rate: Some(Bitrate::bps((between(150.0, 10_000.0) * 1_000.0) as u64)),
        queue: millis(between(50.0, 1_000.0) as u64),
        one_way: millis(between(5.0, 150.0) as u64),
        jitter: millis((between(1.0, 41.0) - 1.0) as u64),
        loss: (between(1.0, 11.0) - 1.0) / 100.0,
        run: between(1.0, 6.0),
        ..Link::CLEAN
    }
}

/// Each path becomes another one after 20 s.
#[test]
#[expect(clippy::print_stdout, reason = "the figures show with --nocapture")]
fn two_hundred_paths_that_change_are_used_and_fill_no_queue_of_ours() {
    let mut used = Vec::new();
    let mut worst = (0, 0.0_f64, Duration::ZERO);
    for seed in 0..200 {
        let mut random = Random(seed);
        let links = [drawn(&mut random), drawn(&mut random)];
        let mut call = Call::new(links[0], START, MOST, seed);
        call.run(seconds(20));
        call.change(links[1]);
        call.run(seconds(20));
        let outcome = call.finish();
        worst.2 = worst.2.max(outcome.longest_pacer);
        for (from, link) in [10_000, 30_000].into_iter().zip(links) {
            let rate = link.rate.unwrap_or(MOST).min(MOST).as_kbps();
            let to = from + 10_000;
            used.push(outcome.rate(from, to) as f64 / rate as f64);
            worst.0 = worst.0.max(outcome.longest_stall(from, to));
            worst.1 = worst.1.max(outcome.voice_missed(from, to));
        }
    }
    used.sort_by(f64::total_cmp);
    let share = |hundredth: usize| used[used.len() * hundredth / 100];
    for (name, value, unit) in [
        ("of a path used, median", share(50) * 100.0, "%"),
        ("of a path used, worst twentieth", share(5) * 100.0, "%"),
        ("of a path used, worst", used[0] * 100.0, "%"),
        ("longest stall", worst.0 as f64, "ms"),
        ("voice not there within 250 ms, worst path", worst.1 * 100.0, "%"),
        ("longest wait in the pacer", worst.2.as_millis() as f64, "ms"),
    ] {
        println!("-    200 drawn paths, virtual time: {name:42} {value:9.1} {unit:7} -          -");
    }
    assert!(share(50) > 0.9);
    assert!(share(5) > 0.6);
    assert!(worst.0 < 2_000);
    assert!(worst.2 < seconds(2));
}
