use media::{AudioReceived, PeerMedia, VideoReceived};

use super::*;

fn fields(object: &serde_json::Value) -> Vec<&str> {
    let mut fields: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    fields.sort_unstable();
    fields
}

/// One peer, and what its path carries and delays.
fn stats(leaf: u32, estimate_kbps: f64, queue_ms: f64) -> MediaStats {
    let peer = PeerMedia {
        peer: LeafIndex::new(leaf).unwrap(),
        video: VideoReceived::default(),
        audio: AudioReceived::default(),
        undecryptable_frames: 0,
        retransmissions: 0,
        round_trip_ms: Some(48.04),
        path: PathMedia { estimate_kbps, queue_ms, ..PathMedia::default() },
    };
    MediaStats { peers: vec![peer], ..MediaStats::default() }
}

#[test]
fn without_a_consultation_there_is_no_report() {
    assert!(ReportBook::new().finish().is_none());
}

#[test]
fn the_report_has_exactly_the_fields_that_scripts_read() {
    let mut book = ReportBook::new();
    book.mark(Mark::Host);
    book.mark(Mark::Epoch);
    let report: serde_json::Value = serde_json::from_str(&book.finish().unwrap()).unwrap();
    let wanted = [
        "admit_to_first_audio_ms",
        "admit_to_first_video_ms",
        "audio",
        "codec",
        "cpu_s_per_s",
        "epochs",
        "knock_ms",
        "path",
        "retransmissions",
        "role",
        "rss_mb_max",
        "transport_setup_ms",
        "undecryptable_frames",
        "versions",
        "video",
    ];
    assert_eq!(fields(&report), wanted);
    let audio = ["concealed", "concealed_ratio", "corrected", "kbps_sent", "late", "latency_ms"];
    assert_eq!(fields(&report["audio"]), audio);
    let path = [
        "estimate_kbps",
        "estimate_kbps_min",
        "jitter_ms",
        "loss",
        "missed",
        "queue_ms",
        "queue_ms_max",
        "received",
        "round_trip_ms",
    ];
    assert_eq!(fields(&report["path"]), path);
    assert_eq!(report["role"], "host");
    assert!(report["rss_mb_max"].as_f64().unwrap() > 1.0);
}

#[test]
fn the_worst_moment_of_the_path_is_kept_and_its_start_is_not_one() {
    let mut book = ReportBook::new();
    let begin = Instant::now();
    for (quarter, estimate_kbps, queue_ms) in
        [(0, 0.0, 0.0), (1, 300.0, 90.0), (9, 2_400.0, 3.0), (10, 420.0, 70.0), (11, 2_500.0, 1.0)]
    {
        book.watch(begin + Duration::from_millis(250) * quarter, &stats(1, estimate_kbps, queue_ms));
    }
    book.on_stats(stats(1, 2_500.0, 2.0));
    let path = serde_json::to_value(book.report()).unwrap()["path"].take();
    assert_eq!((&path["estimate_kbps"], &path["estimate_kbps_min"]), (&2_500.0.into(), &420.0.into()));
    assert_eq!((&path["queue_ms"], &path["queue_ms_max"]), (&2.0.into(), &70.0.into()));
    assert_eq!(path["round_trip_ms"], 48.0);
}

#[test]
fn another_first_peer_begins_anew() {
    let mut book = ReportBook::new();
    let begin = Instant::now();
    book.watch(begin, &stats(1, 2_500.0, 0.0));
    book.watch(begin + WARM_UP, &stats(1, 100.0, 400.0));
    book.watch(begin + WARM_UP, &stats(2, 300.0, 50.0));
    book.on_stats(stats(2, 300.0, 50.0));
    let path = serde_json::to_value(book.report()).unwrap()["path"].take();
    assert!(path["estimate_kbps_min"].is_null() && path["queue_ms_max"].is_null(), "{path}");
    // Nor does one to whom nothing was sent yet get the figures of the one before.
    book.watch(begin + WARM_UP * 2, &stats(2, 300.0, 50.0));
    book.on_stats(stats(3, 0.0, 0.0));
    let path = serde_json::to_value(book.report()).unwrap()["path"].take();
    assert!(path["queue_ms_max"].is_null(), "{path}");
}

#[test]
fn cpu_time_is_read_behind_a_name_with_brackets() {
    let stat = "1 (a) b) R 0 0 0 0 0 0 0 0 0 0 250 50 0 0";
    assert_eq!(parse_cpu(stat), Some(3.0));
}
