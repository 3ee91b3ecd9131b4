//! Whether a relay lets somebody in: one Allocate over UDP (RFC 8656 section 7), with a credential or without.

use std::net::UdpSocket;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rtc::crypto::default_provider;
use rtc::stun::attributes::{
    ATTR_ERROR_CODE, ATTR_NONCE, ATTR_REALM, ATTR_REQUESTED_TRANSPORT, ATTR_USERNAME, ATTR_XOR_RELAYED_ADDRESS,
};
use rtc::stun::integrity::MessageIntegrity;
use rtc::stun::message::{CLASS_REQUEST, METHOD_ALLOCATE, Message, MessageType, Setter};
use serde_json::{Value, json};

/// Allocations carry UDP (protocol 17).
const UDP: [u8; 4] = [17, 0, 0, 0];
/// Time for an answer.
const ANSWER: Duration = Duration::from_secs(3);

/// What an Allocate with this credential is answered with: `allowed`, or the error code.
///
/// # Errors
/// No answer, or one that is no STUN.
pub(crate) fn ask(relay: &str, credential: Option<(&str, &str)>) -> Result<Value> {
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.set_read_timeout(Some(ANSWER))?;
    socket.connect(relay).with_context(|| format!("{relay} cannot be reached"))?;
    let first = exchange(&socket, |_| Ok(()))?;
    let Some((username, password)) = credential else { return verdict(&first) };
    let text = |attribute| -> Result<String> { Ok(String::from_utf8(first.get(attribute)?)?) };
    let (realm, nonce) = (text(ATTR_REALM)?, text(ATTR_NONCE)?);
    let provider = default_provider()?;
    let key = MessageIntegrity::new_long_term_integrity_with_provider(
        username.to_owned(),
        realm.clone(),
        password.to_owned(),
        provider.crypto(),
    )?;
    let second = exchange(&socket, |request| {
        request.add(ATTR_USERNAME, username.as_bytes());
        request.add(ATTR_REALM, realm.as_bytes());
        request.add(ATTR_NONCE, nonce.as_bytes());
        Ok(key.add_to(request)?)
    })?;
    verdict(&second)
}

fn exchange(socket: &UdpSocket, sign: impl FnOnce(&mut Message) -> Result<()>) -> Result<Message> {
    let mut request = Message::new();
    request.new_transaction_id()?;
    request.set_type(MessageType::new(METHOD_ALLOCATE, CLASS_REQUEST));
    request.write_header();
    request.add(ATTR_REQUESTED_TRANSPORT, &UDP);
    sign(&mut request)?;
    socket.send(&request.raw)?;
    let mut bytes = [0; 2_048];
    let length = socket.recv(&mut bytes).context("the relay does not answer")?;
    let mut answer = Message::new();
    answer.unmarshal_binary(bytes.get(..length).unwrap_or_default())?;
    ensure!(answer.transaction_id == request.transaction_id, "an answer to something else");
    Ok(answer)
}

fn verdict(answer: &Message) -> Result<Value> {
    if answer.contains(ATTR_XOR_RELAYED_ADDRESS) {
        return Ok(json!({ "allowed": true }));
    }
    let code = answer.get(ATTR_ERROR_CODE)?;
    let digits = code.get(2..4).context("an error without a code")?;
    Ok(json!({ "allowed": false, "code": u16::from(digits[0] & 7) * 100 + u16::from(digits[1]) }))
}
