//! Against a TLS server on loopback, honest or not.

use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use signaling::protocol::{ClientMessage, ServerMessage};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_tungstenite::tungstenite::Message;
use zeroize::Zeroizing;

use super::*;

type Stream = TlsStream<tokio::net::TcpStream>;

/// A listener with a fresh key, its address and its pin.
async fn listen() -> (TcpListener, TlsAcceptor, ServerAddress, ServerPin) {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["quietroom".to_owned()]).unwrap().self_signed(&key).unwrap();
    let spki = rustls::server::ParsedCertificate::try_from(certificate.der()).unwrap().subject_public_key_info();
    let digest = ring::digest::digest(&ring::digest::SHA256, spki.as_ref());
    let pin = ServerPin(digest.as_ref().try_into().unwrap());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
        )
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string().parse().unwrap();
    (listener, TlsAcceptor::from(Arc::new(config)), address, pin)
}

async fn accept(listener: &TcpListener, acceptor: &TlsAcceptor) -> std::io::Result<Stream> {
    let (tcp, _) = listener.accept().await?;
    acceptor.accept(tcp).await
}

/// Answers one request with these bytes.
async fn answer(mut stream: Stream, status: &str, body: &[u8]) {
    let mut request = [0; 4_096];
    let length = stream.read(&mut request).await.unwrap();
    assert!(request[..length].starts_with(b"GET /v1/info HTTP/1.1\r\n"));
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await.unwrap();
    // A client that stops reading a body that is too long is fine.
    stream.write_all(body).await.ok();
    stream.shutdown().await.ok();
}

#[tokio::test]
async fn a_server_with_another_key_is_refused_before_a_word_is_said() {
    let (listener, acceptor, address, pin) = listen().await;
    let mut other = pin;
    other.0[0] ^= 1;
    let accepted = tokio::spawn(async move { accept(&listener, &acceptor).await.is_ok() });
    let error = Server::new(address, other).get::<serde_json::Value>("/v1/info", None).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Auth05);
    assert!(!accepted.await.unwrap(), "the handshake did not complete");
}

#[tokio::test]
async fn the_pinned_server_is_spoken_to() {
    let (listener, acceptor, address, pin) = listen().await;
    tokio::spawn(
        async move { answer(accept(&listener, &acceptor).await.unwrap(), "200 OK", br#"{"version":1}"#).await },
    );
    let info: serde_json::Value = Server::new(address, pin).get("/v1/info", None).await.unwrap();
    assert_eq!(info["version"], 1);
}

#[tokio::test]
async fn a_refusal_comes_with_its_code_and_wait() {
    let (listener, acceptor, address, pin) = listen().await;
    let body = br#"{"code":"AUTH-02","retry_after_s":300}"#;
    tokio::spawn(
        async move { answer(accept(&listener, &acceptor).await.unwrap(), "429 Too Many Requests", body).await },
    );
    let error = Server::new(address, pin).get::<serde_json::Value>("/v1/info", None).await.unwrap_err();
    assert_eq!((error.code(), error.retry_after_s()), (ErrorCode::Auth02, Some(300)));
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let (listener, acceptor, address, pin) = listen().await;
    let body = vec![b' '; 600 * 1024];
    tokio::spawn(async move { answer(accept(&listener, &acceptor).await.unwrap(), "200 OK", &body).await });
    let error = Server::new(address, pin).get::<serde_json::Value>("/v1/info", None).await.unwrap_err();
    assert!(matches!(error, RestError::NotUnderstood), "{error:?}");
}

#[tokio::test]
async fn the_live_connection_says_hello_first_and_comes_back_after_a_loss() {
    let (listener, acceptor, address, pin) = listen().await;
    let server = tokio::spawn(async move {
        for _ in 0..2 {
            let stream = accept(&listener, &acceptor).await.unwrap();
            let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
            let hello = socket.next().await.unwrap().unwrap();
            let hello: ClientMessage = serde_json::from_str(hello.to_text().unwrap()).unwrap();
            assert!(matches!(hello, ClientMessage::Hello { token, .. } if token.expose() == "token"));
            let ended = serde_json::to_string(&ServerMessage::Ended).unwrap();
            socket.send(Message::text("not for us")).await.unwrap();
            socket.send(Message::text(ended)).await.unwrap();
        }
    });
    let (events, mut happened) = mpsc::channel(8);
    let socket = Socket::open(Server::new(address, pin), Zeroizing::new("token".into()), events);
    for _ in 0..2 {
        assert!(matches!(happened.recv().await.unwrap(), SocketEvent::Open));
        assert!(matches!(happened.recv().await.unwrap(), SocketEvent::NotUnderstood));
        assert!(matches!(happened.recv().await.unwrap(), SocketEvent::Message(m) if *m == ServerMessage::Ended));
        assert!(matches!(happened.recv().await.unwrap(), SocketEvent::Lost(ErrorCode::Net04)));
    }
    server.await.unwrap();
    socket.close().await;
}

/// The last words and the handle's end fall into what the server just said.
#[tokio::test]
async fn what_was_said_last_goes_out_although_nobody_listens_any_more() {
    let (listener, acceptor, address, pin) = listen().await;
    let server = Server::new(address, pin);
    for _ in 0..3 {
        let (events, mut heard) = mpsc::channel(8);
        let socket = Socket::open(server.clone(), Zeroizing::new("token".to_owned()), events);
        let stream = accept(&listener, &acceptor).await.unwrap();
        let mut live = tokio_tungstenite::accept_async(stream).await.unwrap();
        live.next().await.unwrap().unwrap();
        assert!(matches!(heard.recv().await, Some(SocketEvent::Open)));
        let text = serde_json::to_string(&ServerMessage::Ended).unwrap();
        drop(heard);
        for _ in 0..4 {
            live.send(Message::text(text.clone())).await.unwrap();
            // They come to the client while its last words are still being put together.
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        for _ in 0..4 {
            socket.send(ClientMessage::EnterLobby);
        }
        socket.send(ClientMessage::Leave);
        let closing = tokio::spawn(socket.close());
        let mut said = 0;
        // A ping may go out between.
        while let Some(Ok(message)) = live.next().await {
            said += usize::from(message.is_text());
        }
        assert_eq!(said, 5);
        drop(live);
        closing.await.unwrap();
    }
}

#[tokio::test]
async fn a_live_connection_to_another_key_is_not_tried_again() {
    let (listener, acceptor, address, mut pin) = listen().await;
    pin.0[31] ^= 1;
    tokio::spawn(async move { accept(&listener, &acceptor).await.is_ok() });
    let (events, mut happened) = mpsc::channel(8);
    let socket = Socket::open(Server::new(address, pin), Zeroizing::new("token".into()), events);
    assert!(matches!(happened.recv().await.unwrap(), SocketEvent::KeyDiffers));
    assert!(happened.recv().await.is_none());
    socket.close().await;
}

#[test]
fn an_address_needs_a_host_and_a_port() {
    assert_eq!("clinic.example:8443".parse::<ServerAddress>().unwrap().to_string(), "clinic.example:8443");
    assert_eq!("[::1]:443".parse::<ServerAddress>().unwrap().to_string(), "[::1]:443");
    for wrong in ["", ":1", "clinic", "clinic:0", "clinic:99999", "cli nic:1", "https://clinic:1"] {
        assert!(wrong.parse::<ServerAddress>().is_err(), "{wrong}");
    }
}

#[test]
fn a_pin_reads_back_with_and_without_groups() {
    let pin = ServerPin(std::array::from_fn(|i| i as u8 * 7));
    assert_eq!(pin.to_string().parse::<ServerPin>().unwrap(), pin);
    assert_eq!(pin.grouped().parse::<ServerPin>().unwrap(), pin);
    assert!("12".parse::<ServerPin>().is_err());
    assert!("zz".repeat(32).parse::<ServerPin>().is_err());
}
