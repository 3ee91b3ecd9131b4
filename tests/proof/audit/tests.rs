use super::super::pcap::Capture;
use super::super::sample::{CLIENT_ADDRESS, Call, SERVER_ADDRESS, Wire, client_hello, record, stun};
use super::*;

const SERVER: &str = "127.0.0.1:8443";

fn report(call: &Call, wire: &Wire) -> Report {
    let mut files = KeyFiles::default();
    files.add(&call.file(0)).unwrap();
    files.add(&call.file(1)).unwrap();
    let mut audit = Audit::new(files, Some(SERVER.parse().unwrap()));
    let mut capture = Capture::open(wire.capture()).unwrap();
    while let Some(packet) = capture.packet().unwrap() {
        audit.packet(&packet);
    }
    audit.finish()
}

/// Sound and picture of both, over two epochs, with everything that belongs to it: 13 packets.
fn call(call: &Call) -> Wire {
    let mut wire = Wire::new();
    wire.from(false, &record(22, &[0; 40]));
    for (number, epoch) in [(1, 1), (2, 2)] {
        wire.frame(true, 111, number, &call.seal(epoch, 1, Stream::Audio, u64::from(number), b"sound"));
        wire.frame(false, 111, number, &call.seal(epoch, 0, Stream::Audio, u64::from(number), b"sound"));
        wire.frame(true, 96, number, &call.seal(epoch, 1, Stream::Video, u64::from(number), &[5; 900]));
    }
    wire.rtcp(true, 201);
    wire.rtcp(false, 205);
    wire.from(true, &record(23, &[1; 300]));
    wire.tcp(CLIENT_ADDRESS, SERVER, 1, &[22, 3, 1, 0, 2, 1, 2]);
    wire
}

#[test]
fn a_call_is_accounted_for_to_the_last_packet() {
    let sample = Call::new();
    let report = report(&sample, &call(&sample));
    assert!(report.passes(), "{report}");
    let packets = |kind| report.rows.get(&kind).map_or(0, |row| row.packets);
    assert_eq!(
        [Kind::Stun, Kind::Dtls, Kind::Sound, Kind::Picture, Kind::Rtcp, Kind::Tls].map(packets),
        [1, 3, 4, 2, 2, 1]
    );
    assert_eq!((report.packets, report.keys_used, report.keys_committed, report.commitments), (13, 6, 6, 4));
    assert!(report.to_string().ends_with("PASS: every byte is accounted for"));
}

#[test]
fn one_foreign_packet_fails_it_and_is_named() {
    let sample = Call::new();
    let mut wire = call(&sample);
    wire.udp("127.0.0.1:5353", "127.0.0.1:9999", b"foreign, and in clear");
    let report = report(&sample, &wire);
    assert!(!report.passes());
    let [finding] = &report.findings[..] else { panic!("{report}") };
    assert_eq!((finding.number, finding.length), (14, 21));
    let text = report.to_string();
    for part in ["packet 14", "127.0.0.1:5353 to 127.0.0.1:9999", "21 bytes", "666f726569676e", "FAIL"] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

/// What somebody adds to a good capture, and what must be said of it.
fn added(add: impl FnOnce(&Call, &mut Wire)) -> Vec<&'static str> {
    let sample = Call::new();
    let mut wire = call(&sample);
    add(&sample, &mut wire);
    let report = report(&sample, &wire);
    assert!(!report.passes(), "{report}");
    report.findings.iter().map(|finding| finding.why).collect()
}

#[test]
fn whatever_else_travels_is_named() {
    let srtp_in_clear = |_: &Call, wire: &mut Wire| wire.from(true, &[&[0x80, 111], &[0; 60][..]].concat());
    assert_eq!(added(srtp_in_clear), ["SRTP that does not open"]);
    assert_eq!(
        added(|_, wire| wire.rtp(true, 111, b"in clear, inside SRTP")),
        ["RTP whose payload is no part of a frame"]
    );
    assert_eq!(added(|_, wire| wire.frame(true, 111, 3, b"in clear, in a frame")).len(), 1);
    assert_eq!(
        added(|call, wire| wire.frame(true, 111, 3, &call.seal(2, 0, Stream::Audio, 9, b"x"))),
        ["sealed by somebody else than who owns the association"]
    );
    assert_eq!(
        added(|call, wire| wire.frame(true, 111, 3, &call.seal(2, 1, Stream::Audio, 2, b"y"))),
        ["seals a second frame with the same key and counter"]
    );
    assert_eq!(
        added(|call, wire| wire.frame(true, 99, 3, &call.seal(2, 1, Stream::Audio, 3, b"y"))),
        ["a payload type that nobody agreed on"]
    );
    assert_eq!(added(|_, wire| wire.rtcp(true, 204)), ["RTCP with something else inside"]);
    assert_eq!(added(|_, wire| wire.from(true, &client_hello([8; 32]))), ["an association that no key file knows"]);
    assert_eq!(
        added(|_, wire| wire.udp("127.0.0.1:7", SERVER_ADDRESS, &record(23, &[0; 9]))),
        ["DTLS without the beginning of its association"]
    );
    assert_eq!(
        added(|_, wire| wire.from(true, &[&stun()[..], b"smuggled"].concat())),
        ["neither STUN, DTLS, RTP nor RTCP"]
    );
    let note = [&[0, 1, 0, 8, 0x21, 0x12, 0xa4, 0x42][..], &[7; 12], &[0x80, 0x22, 0, 4], b"note"].concat();
    assert_eq!(added(|_, wire| wire.from(true, &note)), ["STUN with something else inside"]);
    assert_eq!(added(|_, wire| wire.tcp(CLIENT_ADDRESS, SERVER, 8, b"GET / HTTP/1.1")), ["not TLS"]);
    assert_eq!(added(|_, wire| wire.tcp(CLIENT_ADDRESS, "127.0.0.1:80", 1, b"")), ["TCP that is not the server's"]);
    assert_eq!(added(|_, wire| wire.ip(1, &[3, 3, 0, 0, 0, 0, 0, 0, 1, 2, 3])), ["ICMP"]);
    assert_eq!(added(|_, wire| wire.ip(132, &[0; 20])), ["neither UDP nor TCP"]);
}

#[test]
fn nothing_hides_in_an_rtp_header() {
    let frame = |call: &Call| [&[0x50, 0, 3][..], &call.seal(2, 1, Stream::Audio, 3, b"sound")].concat();
    let fixed = |first: u8| [&[first, 111, 0, 99], &[0; 4][..], &1_111_u32.to_be_bytes()].concat();
    let two_words = [0xbe, 0xde, 0, 2, 0x11, 0, 7, 0, 0x21, 1, 2, 0];
    let level = [0xbe, 0xde, 0, 1, 0x10, 0x80, 0, 0];
    let source = [1, 2, 3, 4];
    for (first, extra) in [(0x90, &two_words[..]), (0x90, &level), (0x81, &source)] {
        assert_eq!(
            added(|call, wire| wire.sealed_rtp(true, &[&fixed(first)[..], extra, &frame(call)].concat())),
            ["something in the RTP header that is not expected there"]
        );
    }
    // The same without them.
    let sample = Call::new();
    let mut wire = call(&sample);
    wire.sealed_rtp(true, &[fixed(0x80), frame(&sample)].concat());
    assert!(report(&sample, &wire).passes());
}

#[test]
fn a_connection_that_ends_inside_a_record_is_named() {
    let sample = Call::new();
    let mut wire = call(&sample);
    wire.tcp(CLIENT_ADDRESS, SERVER, 8, &[23, 3, 3, 0, 9, 1]);
    let report = report(&sample, &wire);
    assert!(!report.passes() && report.to_string().contains("ends inside a record"));
}

#[test]
fn a_data_channel_that_could_carry_speech_is_named() {
    // A packet a second.
    let fast = |_: &Call, wire: &mut Wire| (0..20).for_each(|_| wire.from(true, &record(23, &[1; 900])));
    assert!(added(fast).contains(&"a data channel as fast as speech"));
}

#[test]
fn a_retransmission_as_it_was_is_explained_and_another_is_not() {
    let sample = Call::new();
    let frame = sample.seal(2, 1, Stream::Video, 3, b"picture");
    let again = |frame: &[u8]| [&[0, 9, 0x50, 0, 3][..], frame].concat();
    let mut wire = call(&sample);
    wire.frame(true, 96, 3, &frame);
    wire.rtp(true, 97, &again(&frame));
    let good = report(&sample, &wire);
    assert!(good.passes(), "{good}");
    assert_eq!(good.rows[&Kind::Again].packets, 1);
    wire.rtp(true, 97, &again(b"another picture"));
    assert_eq!(report(&sample, &wire).findings[0].why, "sent again, but not as it was");
}

#[test]
fn an_icmp_message_that_repeats_a_packet_is_explained() {
    let sample = Call::new();
    let mut wire = call(&sample);
    let last = stun();
    wire.udp(CLIENT_ADDRESS, SERVER_ADDRESS, &last);
    let quoted = [&[3, 3, 0, 0, 0, 0, 0, 0][..], &[0x45; 20], &[3, 0xe9, 3, 0xea, 0, 28, 0, 0], &last].concat();
    wire.ip(1, &quoted);
    assert!(report(&sample, &wire).passes());
    let changed = [&quoted[..], b"more"].concat();
    wire.ip(1, &changed);
    assert!(!report(&sample, &wire).passes());
}

#[test]
fn a_capture_without_a_call_does_not_pass() {
    let empty = report(&Call::new(), &Wire::new());
    assert!(!empty.passes());
    assert!(empty.to_string().ends_with("FAIL: no frame of the call opened"));
}
