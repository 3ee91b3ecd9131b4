//! The practice key and the devices it certifies: a second device, recovery, replacement.
//!
//! People type the client's own subcommands; the server is the real one.

use std::io::{Cursor, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

use clap::Parser;
use client::cli::{Ask, Cli, perform};
use client::error::ClientError;
use client::keystore::{Item, Keystore};
use client::session::{ErrorCode, Phase};
use client::settings::Settings;

use crate::harness::{Card, Clinic, PASSPHRASE, Person, no_devices};
use crate::invitation::refused;

#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<u8>>>);

impl Write for Said {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Types a subcommand on the computer with this data folder, and these lines when it asks.
async fn types(folder: &Path, words: &[&str], lines: &[&str]) -> Result<String, ClientError> {
    let cli = Cli::parse_from([&["quietroom", "--data", folder.to_str().unwrap()], words].concat());
    let said = Said::default();
    let ask = Ask::scripted(Cursor::new(lines.join("\n").into_bytes()), said.clone());
    perform(&cli, cli.action.as_ref().unwrap(), &ask).await?;
    let text = said.0.lock().unwrap().clone();
    Ok(String::from_utf8(text).unwrap())
}

/// What a person reads after these words on a printed line.
fn read_after<'a>(text: &'a str, label: &str) -> &'a str {
    text.lines().find_map(|line| line.strip_prefix(label)).unwrap().trim()
}

impl Clinic {
    /// Server and pin, as arguments.
    fn named(&self) -> [String; 4] {
        let connection = self.connection();
        ["--server".into(), connection.address().to_string(), "--pin".into(), connection.pin().to_string()]
    }

    fn file(&self, name: &str) -> String {
        self.place(name).to_str().unwrap().to_owned()
    }

    /// The owner certifies the device whose request lies there, and says what was printed.
    async fn owner_certifies(&self, request: &str, certificate: &str) -> String {
        let words = ["device", "certify", "--request", request, "--name", "Dr Ada Example", "--out", certificate];
        types(&self.office(), &words, &[PASSPHRASE]).await.unwrap()
    }
}

/// Whether the person at this computer may host, once today's list is there.
async fn may_host(person: &mut Person) -> bool {
    person
        .until("today's list from the server", |view| match &view.phase {
            Phase::Today(today) if today.updated_at.is_some() => Some(today.may_host),
            _ => None,
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_device_of_the_same_clinician_hosts_beside_the_first() {
    // 1. The new computer asks, with the account that exists. 2. The owner certifies. 3. The new computer installs.
    let clinic = Clinic::open().await;
    let (laptop, request, certificate) =
        (clinic.place("laptop"), clinic.file("laptop.request"), clinic.file("laptop.certificate"));
    let named = clinic.named();
    let named: Vec<&str> = named.iter().map(String::as_str).collect();
    let words = [&["device", "request", "--passphrase-only", "--out", &request], named.as_slice()].concat();
    let asked = types(&laptop, &words, &["ada", PASSPHRASE]).await.unwrap();
    assert!(asked.contains("protected by your passphrase only"), "{asked}");
    let certified = clinic.owner_certifies(&request, &certificate).await;
    assert_eq!(read_after(&asked, "request fingerprint:"), read_after(&certified, "request fingerprint:"));
    types(&laptop, &["device", "install", "--certificate", &certificate], &[]).await.unwrap();

    // 4. Both sign in with the one account, each with its own key.
    let mut host = Person::at(&laptop, no_devices());
    host.sign_in("ada", PASSPHRASE).await;
    host.second_factor(&clinic.code(0)).await;
    let invitation = host.invite("From the laptop").await;
    host.start(&invitation.appointment).await;
    let mut first = clinic.clinician();
    first.sign_in("ada", PASSPHRASE).await;
    first.second_factor(&clinic.code(1)).await;
    assert!(may_host(&mut first).await);
    let of = |folder: &Path| Settings::load(folder).unwrap().certificate().unwrap();
    let (one, other) = (of(&clinic.desk()), of(&laptop));
    assert!(one.device_key() != other.device_key() && one.serial() != other.serial());
    first.quit().await;
    host.quit().await;
    clinic.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_computer_with_a_mistyped_passphrase_is_left_as_it_was() {
    let clinic = Clinic::open().await;
    let named = clinic.named();
    let named: Vec<&str> = named.iter().map(String::as_str).collect();
    let request = clinic.file("laptop.request");
    let words = [&["device", "request", "--passphrase-only", "--out", &request], named.as_slice()].concat();
    let error = types(&clinic.place("laptop"), &words, &["ada", "correct horse staple"]).await.unwrap_err();
    assert!(error.to_string().starts_with("AUTH-01"), "{error}");
    assert!(!Keystore::is_occupied(&clinic.place("laptop")));
    clinic.close().await;
}

/// Types the rows of a recovery sheet on a new computer.
async fn recovers(clinic: &Clinic, office: &Path, sheet: &str) -> Result<String, ClientError> {
    let rows: Vec<&str> = sheet
        .lines()
        .filter(|line| line.starts_with("   ") && line.trim().starts_with(|c: char| c.is_ascii_digit()))
        .collect();
    let named = clinic.named();
    let named: Vec<&str> = named.iter().map(String::as_str).collect();
    let words = [&["practice", "recover", "--passphrase-only"], named.as_slice()].concat();
    let lines = [rows.as_slice(), &["owner", PASSPHRASE]].concat();
    types(office, &words, &lines).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_recovery_sheet_makes_a_new_computer_the_owners() {
    let clinic = Clinic::open().await;
    let sheet = types(&clinic.office(), &["practice", "recovery-sheet"], &[PASSPHRASE]).await.unwrap();
    let office = clinic.place("office-2");
    let said = recovers(&clinic, &office, &sheet).await.unwrap();
    assert_eq!(read_after(&said, "key fingerprint:"), read_after(&sheet, "Fingerprint"));

    // It certifies on, with serial numbers above the lost count.
    let request = clinic.file("ada.request");
    types(&clinic.desk(), &["device", "request", "--out", &request], &[PASSPHRASE]).await.unwrap();
    let certificate = clinic.file("ada.certificate");
    let words = ["device", "certify", "--request", &request, "--name", "Dr Ada Example", "--out", &certificate];
    types(&office, &words, &[PASSPHRASE]).await.unwrap();
    types(&clinic.desk(), &["device", "install", "--certificate", &certificate], &[]).await.unwrap();
    let mut host = clinic.signed_in().await;
    assert!(may_host(&mut host).await);
    host.quit().await;
    clinic.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_practice_key_ends_certificates_and_invitations_and_starts_anew() {
    let clinic = Clinic::open().await;
    let mut host = clinic.signed_in().await;
    let invitation = host.invite("Under the old key").await;
    host.quit().await;
    let old_sheet = types(&clinic.office(), &["practice", "recovery-sheet"], &[PASSPHRASE]).await.unwrap();

    // 1. A wrong secret replaces nothing; 2. the console's does, with the key that was made first.
    let secret = clinic.practice_reset().await;
    types(&clinic.office(), &["practice", "replace"], &[PASSPHRASE, "a guess"]).await.unwrap_err();
    let office = Keystore::open(&clinic.office(), PASSPHRASE).unwrap();
    let next = office.load(Item::NextPracticeKey).unwrap();
    let said = types(&clinic.office(), &["practice", "replace"], &[PASSPHRASE, &secret]).await.unwrap();
    assert!(said.contains("begun before"), "{said}");
    assert_eq!(office.load(Item::PracticeKey).unwrap(), next);
    assert!(!office.holds(Item::NextPracticeKey));
    for part in ["certificate of the old key has ended", "patients need a new link", "old recovery sheet opens nothing"]
    {
        assert!(said.contains(part), "{part}");
    }
    let fingerprint = read_after(&said, "new key fingerprint:").to_owned();

    // 3. The old invitation opens nothing; 4. the clinician signs in, but cannot host.
    assert_eq!(refused(&invitation.link).await, ErrorCode::Inv10);
    clinic.pass(lab::totp::STEP_S);
    let mut host = clinic.signed_in().await;
    assert!(!may_host(&mut host).await);
    host.quit().await;

    // 5. Certified anew, with the fingerprint heard from the owner, the clinician hosts again.
    let (request, certificate) = (clinic.file("ada.request"), clinic.file("ada.certificate"));
    types(&clinic.desk(), &["device", "request", "--out", &request], &[PASSPHRASE]).await.unwrap();
    clinic.owner_certifies(&request, &certificate).await;
    let install = ["device", "install", "--certificate", &certificate];
    let error = types(&clinic.desk(), &install, &[read_after(&old_sheet, "Fingerprint")]).await.unwrap_err();
    assert!(error.to_string().contains("nothing was installed"), "{error}");
    types(&clinic.desk(), &install, &[&fingerprint]).await.unwrap();
    clinic.pass(lab::totp::STEP_S);
    let mut host = clinic.signed_in().await;
    let invitation = host.invite("Under the new key").await;
    host.start(&invitation.appointment).await;
    let mut patient = Person::guest(no_devices());
    patient.join(&invitation, &Card::ROBIN).await;
    patient.quit().await;
    host.quit().await;
    clinic.close().await;
}

/// 1. The owner replaces a key that was never in other hands; it vouches for the new one.
/// 2. The clinician installs the new certificate, with the fingerprint heard from the owner.
/// 3. The patient comes by the link and code of the old key.
#[tokio::test(flavor = "multi_thread")]
async fn invitations_outlive_a_practice_key_that_vouches_for_the_next() {
    let clinic = Clinic::open().await;
    let mut host = clinic.signed_in().await;
    let invitation = host.invite("Under the old key").await;
    host.quit().await;
    // A list of withdrawn certificates goes along.
    let (request, certificate) = (clinic.file("ada.request"), clinic.file("ada.certificate"));
    types(&clinic.desk(), &["device", "request", "--out", &request], &[PASSPHRASE]).await.unwrap();
    clinic.owner_certifies(&request, &certificate).await;
    let list = clinic.file("list");
    types(&clinic.office(), &["practice", "deny", "--serial", "2", "--out", &list], &[PASSPHRASE]).await.unwrap();

    let secret = clinic.practice_reset().await;
    let words = ["practice", "replace", "--keep-invitations"];
    let said = types(&clinic.office(), &words, &[PASSPHRASE, &secret]).await.unwrap();
    assert!(said.contains("Invitations that were sent stay good"), "{said}");
    clinic.owner_certifies(&request, &certificate).await;
    let fingerprint = read_after(&said, "new key fingerprint:");
    let install = ["device", "install", "--certificate", &certificate];
    let said = types(&clinic.desk(), &install, &[fingerprint]).await.unwrap();
    assert!(said.contains("Invitations that were sent stay good"), "{said}");

    clinic.pass(lab::totp::STEP_S);
    let mut host = clinic.signed_in().await;
    assert!(may_host(&mut host).await);
    host.start(&invitation.appointment).await;
    let mut patient = Person::guest(no_devices());
    patient.join(&invitation, &Card::ROBIN).await;
    host.admit().await;
    patient.in_call("the call", |_| Some(())).await;
    patient.quit().await;
    host.quit().await;
    clinic.close().await;
}

/// A computer that only has the new key cannot make the old one vouch for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_not_there_vouches_for_nothing() {
    let clinic = Clinic::open().await;
    let named = clinic.named();
    let named: Vec<&str> = named.iter().map(String::as_str).collect();
    let words = [&["practice", "replace", "--keep-invitations", "--passphrase-only"], named.as_slice()].concat();
    let error = types(&clinic.place("office-2"), &words, &["owner", PASSPHRASE]).await.unwrap_err();
    assert!(error.to_string().contains("cannot vouch for a new one"), "{error}");
    clinic.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sheet_of_a_replaced_key_restores_nothing() {
    let clinic = Clinic::open().await;
    let sheet = types(&clinic.office(), &["practice", "recovery-sheet"], &[PASSPHRASE]).await.unwrap();
    let secret = clinic.practice_reset().await;
    types(&clinic.office(), &["practice", "replace"], &[PASSPHRASE, &secret]).await.unwrap();
    let error = recovers(&clinic, &clinic.place("office-2"), &sheet).await.unwrap_err();
    assert!(error.to_string().contains("another practice key than this sheet's"), "{error}");
    assert!(!Keystore::is_occupied(&clinic.place("office-2")));
    clinic.close().await;
}
