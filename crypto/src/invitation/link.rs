//! The link: `quietroom:` and base64url.
//!
//! ```text
//! version u8 = 2 | mode u8 | server<u16> | TLS key pin 32 | invite id 16 | S 32 | practice key 32
//! | least deny-list version u64 | phone<u16> | phone signature 64 | checksum 4 (SHA-256, cut)
//! ```
//!
//! It carries the practice's whole public key, not only the fingerprint: without it nobody could
//! check the phone number's signature before the host has answered.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use crate::{
    codec::{Reader, Write},
    error::{InvitationError, LinkError},
    id::{CallMode, InviteId},
    identity::{PracticeFingerprint, PracticePublicKey},
    kdf::{derive, sha256},
    secret::Secret,
};

const SCHEME: &str = "quietroom:";
const VERSION: u8 = 2;
const CHECKSUM: usize = 4;
/// Longest text that is looked at, in bytes: a link has some 300.
const MAX_TEXT: usize = 2048;
pub(super) const MAX_SERVER: usize = 255;
pub(super) const MAX_PHONE: usize = 40;

/// What opens the lobby at the server: 32 bytes that only the link's holder can derive.
#[derive(Debug)]
pub struct LobbyToken(Secret<32>);

impl LobbyToken {
    /// The token itself: the guest sends it, the server compares its hash.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.expose()
    }

    /// SHA-256 of the token: all that the server stores.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        sha256(self.0.expose())
    }
}

/// A parsed `quietroom:` link; holds the link secret S.
pub struct InvitationLink {
    pub(super) server: String,
    pub(super) server_pin: [u8; 32],
    pub(super) invite_id: InviteId,
    pub(super) secret: Secret<32>,
    pub(super) practice: PracticePublicKey,
    pub(super) mode: CallMode,
    pub(super) least_deny_list: u64,
    pub(super) phone: String,
    pub(super) phone_signature: [u8; 64],
}

impl InvitationLink {
    /// Parses pasted or scanned text. Blanks and line breaks are ignored, wherever a mail program
    /// put them.
    ///
    /// # Errors
    /// [`LinkError`]. A single changed, missing or added character is [`LinkError::Damaged`].
    pub fn parse(text: &str) -> Result<Self, LinkError> {
        if text.len() > MAX_TEXT {
            return Err(LinkError::NotALink);
        }
        let mut compact = Zeroizing::new(String::with_capacity(text.len()));
        compact.extend(text.chars().filter(|character| !character.is_whitespace()));
        let body = match compact.split_at_checked(SCHEME.len()) {
            Some((scheme, body)) if scheme.eq_ignore_ascii_case(SCHEME) => body,
            _ => return Err(LinkError::NotALink),
        };
        let bytes = URL_SAFE_NO_PAD.decode(body).map(Zeroizing::new);
        let bytes = bytes.map_err(|_damaged| LinkError::Damaged)?;
        let length = bytes.len().checked_sub(CHECKSUM).ok_or(LinkError::Damaged)?;
        let (content, checksum) = bytes.split_at_checked(length).ok_or(LinkError::Damaged)?;
        if !sha256(content).starts_with(checksum) {
            return Err(LinkError::Damaged);
        }
        if content.first() != Some(&VERSION) {
            return Err(LinkError::UnknownVersion);
        }
        let link = Self::read(content).ok_or(LinkError::Damaged)?;
        link.practice
            .verify_phone(&link.phone, &link.phone_signature)
            .map_err(|_forged| LinkError::BadPhoneSignature)?;
        Ok(link)
    }

    /// The link as text; secret.
    #[must_use]
    pub fn to_uri(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(512));
        bytes.put_u8(VERSION);
        bytes.put_u8(self.mode as u8);
        bytes.put_bytes(self.server.as_bytes());
        bytes.put(&self.server_pin);
        bytes.put(self.invite_id.as_bytes());
        bytes.put(self.secret.expose());
        bytes.put(self.practice.as_bytes());
        bytes.put_u64(self.least_deny_list);
        bytes.put_bytes(self.phone.as_bytes());
        bytes.put(&self.phone_signature);
        let checksum = sha256(&bytes);
        bytes.put(checksum.get(..CHECKSUM).unwrap_or_default());
        let mut uri = Zeroizing::new(String::with_capacity(SCHEME.len() + bytes.len() * 3 / 2));
        uri.push_str(SCHEME);
        URL_SAFE_NO_PAD.encode_string(bytes.as_slice(), &mut uri);
        uri
    }

    /// Where to connect, `host:port`.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
    }

    /// SHA-256 over the SubjectPublicKeyInfo of the server's TLS key.
    #[must_use]
    pub fn server_pin(&self) -> &[u8; 32] {
        &self.server_pin
    }

    /// The public id.
    #[must_use]
    pub fn invite_id(&self) -> InviteId {
        self.invite_id
    }

    /// Fingerprint of the practice's key: the host's certificate must fit it.
    #[must_use]
    pub fn practice_fingerprint(&self) -> PracticeFingerprint {
        self.practice.fingerprint()
    }

    /// The practice's phone; its signature was checked by [`parse`](Self::parse).
    #[must_use]
    pub fn practice_phone(&self) -> &str {
        &self.phone
    }

    /// What kind of call it leads to; the host's answer must say the same.
    #[must_use]
    pub fn mode(&self) -> CallMode {
        self.mode
    }

    /// Least version of the practice's deny list that a host may show; 0 for none.
    #[must_use]
    pub fn least_deny_list_version(&self) -> u64 {
        self.least_deny_list
    }

    /// What the server knows the hash of.
    ///
    /// # Errors
    /// [`InvitationError::Backend`].
    pub fn lobby_token(&self) -> Result<LobbyToken, InvitationError> {
        lobby_token(&self.secret)
    }

    fn read(content: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(content);
        reader.u8()?;
        let mode = CallMode::from_byte(reader.u8()?).ok()?;
        let link = Self {
            mode,
            server: reader.text(MAX_SERVER)?.to_owned(),
            server_pin: reader.array()?,
            invite_id: InviteId::from_bytes(reader.array()?),
            secret: Secret::from_slice(reader.take(32)?)?,
            practice: PracticePublicKey::from_bytes(reader.array()?),
            least_deny_list: reader.u64()?,
            phone: reader.text(MAX_PHONE)?.to_owned(),
            phone_signature: reader.array()?,
        };
        reader.end()?;
        Some(link)
    }
}

impl fmt::Debug for InvitationLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InvitationLink({:?})", self.invite_id)
    }
}

pub(super) fn lobby_token(secret: &Secret<32>) -> Result<LobbyToken, InvitationError> {
    derive(b"", secret.expose(), "lobby", &[]).map(LobbyToken).ok_or(InvitationError::Backend)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CallRole, PracticeKey, testing::Clinic};

    fn link() -> InvitationLink {
        Clinic::new().invite(CallRole::Patient).1
    }

    #[test]
    fn a_link_survives_text_and_mail_programs() {
        let link = link();
        let uri = link.to_uri();
        assert!(uri.starts_with("quietroom:") && uri.len() < 400);
        let folded = format!("  {}\r\n {}\n", &uri[..76], &uri[76..]);
        for text in [uri.to_string(), folded, uri.replace("quietroom:", "QuietRoom:")] {
            let read = InvitationLink::parse(&text).unwrap();
            assert_eq!(read.invite_id(), link.invite_id());
            assert_eq!(read.secret, link.secret);
            assert_eq!(read.server(), "127.0.0.1:7443");
            assert_eq!(read.server_pin(), &[4; 32]);
            assert_eq!(read.practice_phone(), "02 5550 0100");
            assert_eq!(read.least_deny_list_version(), 0);
        }
    }

    #[test]
    fn a_cut_off_link_is_damaged() {
        let uri = link().to_uri();
        for length in "quietroom:".len()..uri.len() {
            assert_eq!(InvitationLink::parse(&uri[..length]).unwrap_err(), LinkError::Damaged);
        }
    }

    #[test]
    fn a_changed_or_doubled_character_is_damaged() {
        let uri = link().to_uri();
        for at in ("quietroom:".len()..uri.len()).step_by(3) {
            let other = if &uri[at..=at] == "A" { "B" } else { "A" };
            let changed = format!("{}{other}{}", &uri[..at], &uri[at + 1..]);
            assert!(InvitationLink::parse(&changed).is_err(), "character {at}");
            let doubled = format!("{}{}", &uri[..=at], &uri[at..]);
            assert!(InvitationLink::parse(&doubled).is_err(), "character {at}");
        }
    }

    #[test]
    fn other_text_is_no_link() {
        for text in ["", "https://example.org/#secret", "quietroom", "quiétroom:abc", &"q".repeat(9999)] {
            assert_eq!(InvitationLink::parse(text).unwrap_err(), LinkError::NotALink);
        }
    }

    #[test]
    fn a_link_of_an_older_or_a_later_version_says_so() {
        for version in [1, 3] {
            let mut content = vec![version, 1, 2, 3];
            let checksum = sha256(&content);
            content.extend_from_slice(&checksum[..CHECKSUM]);
            let uri = format!("quietroom:{}", URL_SAFE_NO_PAD.encode(content));
            assert_eq!(InvitationLink::parse(&uri).unwrap_err(), LinkError::UnknownVersion);
        }
    }

    #[test]
    fn a_phone_number_that_the_practice_did_not_sign_is_refused() {
        let mut link = link();
        link.phone = "0900 000 000".into();
        let forged = link.to_uri();
        assert_eq!(InvitationLink::parse(&forged).unwrap_err(), LinkError::BadPhoneSignature);
        link.practice = PracticeKey::generate().unwrap().0.public();
        assert!(InvitationLink::parse(&link.to_uri()).is_err());
    }

    #[test]
    fn link_and_record_give_the_server_the_same_token() {
        let (owned, link, _) = Clinic::new().invite(CallRole::Patient);
        let token = link.lobby_token().unwrap();
        assert_eq!(token.hash(), owned.lobby_token().unwrap().hash());
        assert_ne!(token.as_bytes(), link.secret.expose());
        assert_eq!(format!("{token:?}"), "LobbyToken(Secret(32 bytes))");
    }
}
