//! Hostile and damaged input, and what the socket demands before it listens.

use super::{super::MAX_UNAUTHENTICATED, *};

#[tokio::test]
async fn an_unknown_message_is_refused_and_the_socket_stays() {
    let practice = Practice::open().await;
    let (mut host, _) = practice.host_in_room().await;
    for text in [r#"{"type":"whisper"}"#, "", "[", r#"{"type":"replay","after":"x"}"#, "\u{1F600}"] {
        host.say_raw(text).await;
        assert_eq!(host.hear_error().await, ErrorCode::MessageUnknown, "{text}");
    }
    host.0.send(Message::binary(vec![0; 8])).await.unwrap();
    assert_eq!(host.hear_error().await, ErrorCode::MessageUnknown);
    host.say(&ClientMessage::Application { epoch: 0, body: Opaque::default() }).await;
    assert!(matches!(host.hear().await, Some(ServerMessage::Entry { .. })));
}

#[tokio::test]
async fn an_oversized_message_is_refused_and_the_socket_closes() {
    let practice = Practice::open().await;
    let (mut host, _) = practice.host_in_room().await;
    let fits = "x".repeat(MAX_MESSAGE_LEN);
    host.say_raw(&fits).await;
    assert_eq!(host.hear_error().await, ErrorCode::MessageUnknown);
    host.say_raw(&format!("{fits}x")).await;
    assert_eq!(host.hear_error().await, ErrorCode::MessageTooLarge);
    assert_eq!(host.hear().await, None);
}

#[tokio::test]
async fn a_relayed_body_has_its_own_limit() {
    let practice = Practice::open().await;
    let (mut host, _) = practice.host_in_room().await;
    let (mut guest, _) = practice.guest_in_lobby(1, &mut host).await;
    let relay = |len| ClientMessage::Relay { to: None, body: Opaque::new(vec![0; len]) };
    guest.say(&relay(MAX_RELAY_LEN + 1)).await;
    assert_eq!(guest.hear_error().await, ErrorCode::MessageTooLarge);
    guest.say(&relay(MAX_RELAY_LEN)).await;
    assert!(matches!(host.hear().await, Some(ServerMessage::Relay { .. })));
}

#[tokio::test]
async fn an_admission_that_the_rate_limit_drops_says_whose_and_when_to_try_again() {
    let practice = Practice::open().await;
    let (mut host, _) = practice.host_in_room().await;
    let participant = ParticipantId::from_bytes([9; 16]);
    // Whether the limit or the room refuses it, each is answered, by name.
    let mut dropped = 0;
    for _ in 0..1500 {
        host.say(&rooms::admit(participant, 0)).await;
    }
    for _ in 0..1500 {
        match host.hear().await {
            Some(ServerMessage::Error { code: ErrorCode::GuestLeft, participant: Some(named), .. }) => {
                assert_eq!(named, participant);
            }
            Some(ServerMessage::Error {
                code: ErrorCode::Busy,
                participant: Some(named),
                retry_after_s: Some(1..),
            }) => {
                assert_eq!(named, participant);
                dropped += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(dropped > 0);
}

#[tokio::test]
async fn nothing_is_heard_before_a_valid_hello() {
    let house = House::open().await;
    let hello = |version, token: &str| ClientMessage::Hello { version, token: token.to_owned().into() };
    for (message, code) in [
        (ClientMessage::EnterLobby, ErrorCode::SessionEnded),
        (ClientMessage::EndCall, ErrorCode::SessionEnded),
        (hello(PROTOCOL_VERSION, "guess"), ErrorCode::SessionEnded),
        (hello(PROTOCOL_VERSION + 1, "guess"), ErrorCode::MessageUnknown),
    ] {
        let mut line = house.line().await;
        line.say(&message).await;
        assert_eq!(line.hear_error().await, code, "{message:?}");
        assert_eq!(line.hear().await, None);
    }
}

#[tokio::test]
async fn damaged_and_oversized_requests_get_a_code() {
    let house = House::open().await;
    for (body, status, code) in [
        (Vec::new(), 400, ErrorCode::BadValue),
        (b"{".to_vec(), 400, ErrorCode::BadValue),
        (br#"{"name":"a","passphrase":"short"}"#.to_vec(), 400, ErrorCode::BadValue),
        (br#"{"name":"a","passphrase":"long enough it is","more":1}"#.to_vec(), 400, ErrorCode::BadValue),
        (vec![b' '; MAX_MESSAGE_LEN + 1], 413, ErrorCode::MessageTooLarge),
    ] {
        let (got, answer) = house.request("POST", "/v1/auth/start", "", body).await;
        assert_eq!(got, status);
        assert_eq!(read::<Empty>(got, &answer), Err(code));
    }
    assert_eq!(house.fetch::<Empty>("/v1/nothing", "").await, Err(ErrorCode::NotFound));
    assert_eq!(house.fetch::<Empty>("/v1/auth/start", "").await, Err(ErrorCode::NotFound));
    assert_eq!(house.fetch::<Empty>("/v1/users", "guess").await, Err(ErrorCode::SessionEnded));
}

#[tokio::test]
async fn older_tls_is_refused() {
    let house = House::open().await;
    // rustls is linked without TLS 1.2 here, so the offer is written by hand: a ClientHello of TLS 1.2 without
    // extensions, one cipher suite.
    let mut hello = vec![22, 3, 1, 0, 45, 1, 0, 0, 41, 3, 3];
    hello.extend([7; 32]);
    hello.extend([0, 0, 2, 0xC0, 0x2B, 1, 0]);
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = TcpStream::connect(house.server.address()).await.unwrap();
    stream.write_all(&hello).await.unwrap();
    let mut answer = Vec::new();
    timeout(Duration::from_secs(30), stream.read_to_end(&mut answer)).await.unwrap().unwrap();
    // An alert record (21), fatal (2).
    assert_eq!((answer.first(), answer.get(5)), (Some(&21), Some(&2)));
}

#[tokio::test]
async fn a_session_has_one_socket_the_newest() {
    let practice = Practice::open().await;
    let (mut old, first) = practice.host_in_room().await;
    let (mut new, second) = practice.house.greet(&practice.session).await;
    assert_eq!(first, second);
    assert_eq!(old.hear_error().await, ErrorCode::OpenElsewhere);
    new.say(&ClientMessage::OpenRoom { appointment: practice.appointment }).await;
    assert!(matches!(new.hear().await, Some(ServerMessage::Waiting { .. })));
}

#[tokio::test]
async fn strangers_have_a_bound() {
    use tokio::io::AsyncReadExt as _;
    let house = House::open().await;
    let mut strangers = Vec::new();
    for _ in 0..MAX_UNAUTHENTICATED {
        strangers.push(TcpStream::connect(house.server.address()).await.unwrap());
    }
    let mut one_more = TcpStream::connect(house.server.address()).await.unwrap();
    let read = timeout(Duration::from_secs(30), one_more.read(&mut [0; 1])).await.unwrap();
    assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
}

#[tokio::test]
async fn a_shutdown_closes_sockets_and_waits_for_them() {
    let practice = Practice::open().await;
    let (mut host, _) = practice.host_in_room().await;
    let address = practice.house.server.address();
    practice.house.server.shutdown().await;
    assert_eq!(host.hear().await, None);
    assert!(TcpStream::connect(address).await.is_err());
}

#[cfg(feature = "lab")]
#[tokio::test]
async fn the_tap_sees_what_the_server_sees() {
    use std::sync::Mutex;
    let data = tempfile::tempdir().unwrap();
    init(data.path()).await.unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut config = Config::new(data.path().to_owned(), SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    let sink = Arc::clone(&seen);
    config.tap = Some(super::super::Tap::new(move |bytes| sink.lock().unwrap().extend_from_slice(bytes)));
    let mut house = House::open().await;
    let certificate = std::fs::read(data.path().join("server.crt")).unwrap();
    house.tls = connector(certificate);
    house.server = Server::start(config).await.unwrap();
    house.request("POST", "/v1/auth/start", "", b"canary of a request".to_vec()).await;
    let mut line = house.line().await;
    line.say_raw("canary of a message").await;
    assert_eq!(line.hear_error().await, ErrorCode::MessageUnknown);
    let seen = seen.lock().unwrap().clone();
    for canary in ["canary of a request", "canary of a message", "SRV-04", "NET-05"] {
        assert!(seen.windows(canary.len()).any(|part| part == canary.as_bytes()), "{canary}");
    }
}
