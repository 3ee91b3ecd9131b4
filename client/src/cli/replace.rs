//! Another practice key in the place of one that was lost or stolen.

use std::path::Path;

use crypto::{DenyList, DenyTerms, PracticeKey};
use signaling::protocol::{Empty, Opaque, ReplacePracticeRequest, Secret};

use super::ask::Ask;
use super::join::{open_or_join, practice_of};
use super::{JoinArgs, now};
use crate::error::ClientError;
use crate::keystore::{Item, Keystore};
use crate::recovery::spelled;
use crate::settings::{Practice, decode, encode};

/// Makes the new key, has the server name it, ends what the old key stood for, and says each step.
///
/// The new key is stored before the server hears of it: broken off at any point, the same command goes on.
///
/// With `keep`, the old key signs for the new one, and the invitations that were sent go on. Against a thief that would be
/// worth nothing, who can sign as well: then they end.
pub(super) async fn replace(folder: &Path, join: &JoinArgs, keep: bool, ask: &Ask) -> Result<(), ClientError> {
    let (keystore, mut settings) = open_or_join(folder, join, ask).await?;
    if keep && !keystore.holds(Item::PracticeKey) {
        return Err(ClientError::Refused(
            "the old key is not on this computer, so it cannot vouch for a new one: bring it back with `quietroom practice recover`, or leave out --keep-invitations",
        ));
    }
    let connection = settings.server()?;
    let known = practice_of(&connection).await?;
    let next = next_key(&keystore, ask)?;
    let signature = next.sign_phone(&known.phone)?;
    let public_key = encode(next.public().as_bytes());
    if known.public_key == public_key {
        ask.say("The server names the new key already.")?;
    } else {
        ask.say(
            "Next, at the server's console: `quietroom-server practice-reset --data DIR` prints a one-time secret.",
        )?;
        let secret = ask.secret("One-time secret of the server")?;
        let body = ReplacePracticeRequest {
            secret: Secret::new(secret.as_str().to_owned()),
            practice_public_key: Opaque::new(next.public().as_bytes().to_vec()),
            phone_signature: Opaque::new(signature.clone()),
            keep_invitations: keep,
        };
        let _replaced: Empty = connection.post("/v1/practice/replace", None, &body).await?;
        ask.say("The server names the new key from now on. Accounts and appointments stay as they are.")?;
    }
    if !keep {
        settings.succession = None;
    } else if let Some(statement) = statement(&keystore, &next)? {
        // On disk before the old key goes.
        settings.succession = Some(statement);
        settings.save(folder)?;
    }
    keystore.store(Item::PracticeKey, &keystore.load(Item::NextPracticeKey)?)?;
    settings.practice =
        Some(Practice { name: known.name, phone: known.phone, public_key, phone_signature: encode(&signature) });
    settings.certificate = None;
    settings.certified.clear();
    settings.recovery_sheet = None;
    // Hosts show a list of the key that they belong to, no older than links demand; what it named has ended.
    if let Some(old) = settings.deny_list.take() {
        let version = DenyList::decode(&decode(&old)?)?.version();
        let terms = DenyTerms { version: now().max(version + 1), issued_at: now(), serials: vec![], devices: vec![] };
        settings.deny_list = Some(encode(&next.deny(terms)?.encode()));
    }
    settings.denied.clear();
    // A serial number stands for one certificate, also across keys and lost lists.
    settings.last_serial = settings.last_serial.max(now());
    settings.save(folder)?;
    if !keep {
        Keystore::forget_invitations(folder)?;
    }
    // The last step: until here the command finds its place again.
    keystore.forget(Item::NextPracticeKey)?;
    ask.say(&format!("new key fingerprint: {}", spelled(&next.fingerprint())))?;
    ask.say("Every device certificate of the old key has ended: no colleague can host until you certify their device again.")?;
    ask.say(if keep {
        "Invitations that were sent stay good, once the clinician who made them has the new certificate."
    } else {
        "Every invitation that was not used has ended: patients need a new link and a new code."
    })?;
    ask.say("The old recovery sheet opens nothing any more: destroy it.")?;
    ask.say("Tell each colleague the new fingerprint in person or by phone; their computer asks for it.")?;
    ask.say("Next: `quietroom practice recovery-sheet`, then `quietroom device certify` for each device.")
}

/// The old key's word for the new one; none when a run that was broken off put the new one in its place already.
fn statement(keystore: &Keystore, next: &PracticeKey) -> Result<Option<String>, ClientError> {
    let old = PracticeKey::from_pkcs8(&keystore.load(Item::PracticeKey)?)?;
    if old.public() == next.public() {
        return Ok(None);
    }
    Ok(Some(encode(&old.succeed_by(next.public())?.encode())))
}

/// The new key: made now, or by the run that was broken off.
fn next_key(keystore: &Keystore, ask: &Ask) -> Result<PracticeKey, ClientError> {
    if keystore.holds(Item::NextPracticeKey) {
        ask.say("A replacement was begun before; its new key is used.")?;
        return Ok(PracticeKey::from_pkcs8(&keystore.load(Item::NextPracticeKey)?)?);
    }
    let (key, pkcs8) = PracticeKey::generate()?;
    keystore.store(Item::NextPracticeKey, &pkcs8)?;
    ask.say("A new practice key was made on this computer.")?;
    Ok(key)
}
