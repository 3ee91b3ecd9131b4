use super::*;

/// A capture with one frame of this link type, in the byte order of most machines.
fn file(link: u32, frames: &[&[u8]]) -> Vec<u8> {
    let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0];
    file.extend(link.to_le_bytes());
    for frame in frames {
        let length = u32::try_from(frame.len()).unwrap();
        for word in [1_700_000_000, 250_000, length, length] {
            file.extend(word.to_le_bytes());
        }
        file.extend(*frame);
    }
    file
}

fn only(file: &[u8]) -> Packet {
    let mut capture = Capture::open(file).unwrap();
    let packet = capture.packet().unwrap().unwrap();
    assert!(capture.packet().unwrap().is_none());
    packet
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn udp(payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 8).unwrap().to_be_bytes();
    [&[0x30, 0x39, 0x04, 0xd2], &length[..], &[0, 0], payload].concat()
}

fn tcp(payload: &[u8]) -> Vec<u8> {
    [&[0x30, 0x39, 0x04, 0xd2, 0, 0, 0, 1, 0, 0, 0, 2, 0x60, 0x10, 0, 1, 0, 0, 0, 0, 1, 1, 1, 1], payload].concat()
}

fn v4(protocol: u8, segment: &[u8]) -> Vec<u8> {
    let total = u16::try_from(segment.len() + 20).unwrap().to_be_bytes();
    [&[0x45, 0], &total[..], &[0, 1, 0x40, 0, 64, protocol, 0, 0, 127, 0, 0, 1, 127, 0, 0, 2], segment].concat()
}

fn v6(next: u8, segment: &[u8]) -> Vec<u8> {
    let length = u16::try_from(segment.len()).unwrap().to_be_bytes();
    let address = [0_u8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    [&[0x60, 0, 0, 0], &length[..], &[next, 64], &address[..], &address[..], segment].concat()
}

fn ethernet(protocol: u16, packet: &[u8]) -> Vec<u8> {
    [&[0; 12], &protocol.to_be_bytes()[..], packet].concat()
}

#[test]
fn a_datagram_is_found_under_every_link_type() {
    let packet = v4(17, &udp(b"hello"));
    let cooked = [&[0; 14], &IPV4.to_be_bytes()[..], &packet].concat();
    let cooked2 = [&IPV4.to_be_bytes()[..], &[0; 18], &packet].concat();
    let vlan = ethernet(VLAN, &[&[0, 5], &IPV4.to_be_bytes()[..], &packet].concat());
    let loopback = [&[2, 0, 0, 0], &packet[..]].concat();
    let padded = [ethernet(IPV4, &packet), vec![0; 13]].concat();
    for (link, frame) in [
        (1, ethernet(IPV4, &packet)),
        (1, vlan),
        (1, padded),
        (113, cooked),
        (276, cooked2),
        (0, loopback.clone()),
        (108, loopback),
        (101, packet),
    ] {
        let packet = only(&file(link, &[&frame]));
        let Content::Udp(ends) = &packet.content else {
            panic!("{link}: {:?}", packet.content);
        };
        assert_eq!(ends.source, address("127.0.0.1:12345"));
        assert_eq!(ends.destination, address("127.0.0.2:1234"));
        assert_eq!((packet.payload(), packet.wire_len), (&b"hello"[..], frame.len()));
        assert_eq!((packet.number, packet.at), (1, Duration::from_millis(1_700_000_000_250)));
    }
}

#[test]
fn ipv6_is_followed_through_its_extensions() {
    let options = [&[17, 0, 1, 4, 0, 0, 0, 0], &udp(b"six")[..]].concat();
    for packet in [v6(17, &udp(b"six")), v6(0, &options), v6(60, &options)] {
        let packet = only(&file(1, &[&ethernet(IPV6, &packet)]));
        assert!(matches!(&packet.content, Content::Udp(ends) if ends.source == address("[::1]:12345")));
        assert_eq!(packet.payload(), b"six");
    }
}

#[test]
fn tcp_gives_its_payload_without_the_options() {
    let packet = only(&file(1, &[&ethernet(IPV4, &v4(6, &tcp(b"tls")))]));
    assert!(matches!(&packet.content, Content::Tcp(ends, _) if ends.destination.port() == 1_234));
    assert_eq!(packet.payload(), b"tls");
}

#[test]
fn both_byte_orders_and_both_clocks_are_read() {
    for (magic, nanos) in [([0xa1, 0xb2, 0xc3, 0xd4], 7_000), ([0xa1, 0xb2, 0x3c, 0x4d], 7)] {
        let mut file = [&magic[..], &[0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 101]].concat();
        let packet = v4(17, &udp(b"x"));
        let length = u32::try_from(packet.len()).unwrap();
        for word in [1, 7, length, length] {
            file.extend(word.to_be_bytes());
        }
        file.extend(packet);
        assert_eq!(only(&file).at, Duration::new(1, nanos));
    }
}

#[test]
fn what_cannot_be_taken_apart_is_named_and_kept() {
    let mut fragment = v4(17, &udp(b"x"));
    fragment[6] = 0x20;
    let mut lying = udp(b"hidden");
    lying[5] = 9;
    let cases = [
        (ethernet(0x0806, &[0; 28]), "ARP"),
        (ethernet(0x88cc, &[0; 28]), "neither IPv4 nor IPv6"),
        (ethernet(IPV4, &v4(1, &[0; 8])), "ICMP"),
        (ethernet(IPV4, &v4(132, &[0; 8])), "neither UDP nor TCP"),
        (ethernet(IPV4, &fragment), "a fragment of IPv4"),
        (ethernet(IPV6, &v6(44, &[0; 16])), "a fragment of IPv6"),
        (ethernet(IPV4, &v4(17, &lying)), "malformed UDP"),
        (vec![1, 2, 3], SHORT),
        (vec![], SHORT),
    ];
    for (frame, why) in cases {
        let packet = only(&file(1, &[&frame]));
        assert_eq!(packet.content, Content::Other(why));
        assert_eq!(packet.payload(), frame);
    }
    // Captured with a snap length below the packet's.
    let mut cut = file(101, &[&v4(17, &udp(b"hello"))]);
    cut[24 + 12] += 1;
    assert_eq!(only(&cut).content, Content::Other("cut short by the capture"));
}

#[test]
fn hostile_files_end_the_reading() {
    let whole = file(1, &[&ethernet(IPV4, &v4(17, &udp(b"hello")))]);
    assert!(matches!(Capture::open(&whole[..10]), Err(PcapError::NotPcap | PcapError::CutShort)));
    assert!(matches!(Capture::open(&[0x0a, 0x0d, 0x0d, 0x0a].repeat(8)[..]), Err(PcapError::NotPcap)));
    assert!(matches!(Capture::open(&file(105, &[])[..]), Err(PcapError::LinkType(105))));
    for end in 25..whole.len() {
        let mut capture = Capture::open(&whole[..end]).unwrap();
        assert!(matches!(capture.packet(), Err(PcapError::CutShort)), "{end}");
    }
    let mut greedy = whole;
    greedy[24 + 8..24 + 12].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(matches!(Capture::open(&greedy[..]).unwrap().packet(), Err(PcapError::TooLong(u32::MAX))));
}

#[test]
fn an_altered_byte_never_panics() {
    for packet in [v4(17, &udp(b"hello")), v6(0, &[17; 40]), v4(6, &tcp(b"tls"))] {
        for link in [1, 101] {
            let frame = if link == 1 { ethernet(by_version(&packet, 0).unwrap(), &packet) } else { packet.clone() };
            let whole = file(link, &[&frame]);
            for at in 24..whole.len() {
                for value in [0, 1, 0x7f, 0x80, 0xff] {
                    let mut altered = whole.clone();
                    altered[at] = value;
                    if let Ok(Some(packet)) = Capture::open(&altered[..]).unwrap().packet() {
                        assert!(packet.payload().len() <= altered.len());
                    }
                }
            }
        }
    }
}
