//! The lobby card: what the guest tells the host, and nobody else, before the admission.

use std::fmt;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{
    keys::InvitationKey,
    wire::{SealedCard, write_card_head},
};
use crate::{
    codec::{Reader, Write},
    error::InvitationError,
    id::InviteId,
    secret::random_bytes,
};

const MAX_NAME: usize = 100;
const MAX_BIRTH_DATE: usize = 20;
const MAX_PHONE: usize = 40;
const MAX_WITH_THEM: usize = 200;
const MAX_NOTE: usize = 500;
/// The content is padded to a multiple of this, in bytes: sizes would tell names apart.
const PADDING: usize = 512;

/// What the host sees of a waiting guest. Wiped on drop; its `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq, Default, Zeroize, ZeroizeOnDrop)]
pub struct LobbyCard {
    /// 1 to 100 bytes.
    pub name: String,
    /// As the guest typed it, at most 20 bytes.
    pub birth_date: String,
    /// Fallback phone, at most 40 bytes; may be empty.
    pub phone: String,
    /// Who is in the room with them, at most 200 bytes.
    pub with_them: Option<String>,
    /// Needs, address, or why there is no phone; at most 500 bytes.
    pub note: Option<String>,
}

impl fmt::Debug for LobbyCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LobbyCard")
    }
}

impl LobbyCard {
    /// → message 5.
    pub(super) fn seal(
        &self,
        key: &InvitationKey,
        invite_id: InviteId,
        attempt: u32,
    ) -> Result<Vec<u8>, InvitationError> {
        let mut content = self.encode().ok_or(InvitationError::BadField)?;
        let nonce: [u8; NONCE_LEN] = random_bytes().ok_or(InvitationError::Backend)?;
        let mut message = write_card_head(invite_id, attempt);
        aead(key)?
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(&message), &mut *content)
            .map_err(|ring::error::Unspecified| InvitationError::Backend)?;
        message.put(&nonce);
        message.put(&content);
        Ok(message)
    }

    /// Message 5 →.
    pub(super) fn open(key: &InvitationKey, sealed: &SealedCard<'_>) -> Result<Self, InvitationError> {
        let mut content = Zeroizing::new(sealed.sealed.to_vec());
        let nonce = Nonce::assume_unique_for_key(sealed.nonce);
        let opened = aead(key)?
            .open_in_place(nonce, Aad::from(sealed.head), &mut content)
            .map_err(|ring::error::Unspecified| InvitationError::BadConfirmation)?;
        Self::decode(opened).ok_or(InvitationError::Malformed)
    }

    fn encode(&self) -> Option<Zeroizing<Vec<u8>>> {
        // Room for all fields at their longest and the tag: no copy is left behind by growth.
        let mut bytes = Zeroizing::new(Vec::with_capacity(4 * PADDING));
        let with_them = self.with_them.as_deref().unwrap_or_default();
        let note = self.note.as_deref().unwrap_or_default();
        let fields = [
            (self.name.as_str(), MAX_NAME),
            (&self.birth_date, MAX_BIRTH_DATE),
            (&self.phone, MAX_PHONE),
            (with_them, MAX_WITH_THEM),
            (note, MAX_NOTE),
        ];
        if self.name.trim().is_empty() {
            return None;
        }
        for (field, most) in fields {
            if field.len() > most || field.chars().any(char::is_control) {
                return None;
            }
            bytes.put_bytes(field.as_bytes());
        }
        let padded = bytes.len().next_multiple_of(PADDING);
        bytes.resize(padded, 0);
        Some(bytes)
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let mut field = |most| {
            let text = reader.text(most)?;
            (!text.chars().any(char::is_control)).then(|| text.to_owned())
        };
        let given = |text: String| Some(text).filter(|text| !text.is_empty());
        let card = Self {
            name: given(field(MAX_NAME)?)?,
            birth_date: field(MAX_BIRTH_DATE)?,
            phone: field(MAX_PHONE)?,
            with_them: given(field(MAX_WITH_THEM)?),
            note: given(field(MAX_NOTE)?),
        };
        Some(card)
    }
}

fn aead(key: &InvitationKey) -> Result<LessSafeKey, InvitationError> {
    UnboundKey::new(&AES_256_GCM, key.card()?.expose())
        .map(LessSafeKey::new)
        .map_err(|ring::error::Unspecified| InvitationError::Backend)
}
