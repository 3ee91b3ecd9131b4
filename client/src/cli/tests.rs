//! The subcommands that need no server, as an owner and two colleagues use them.

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use clap::Parser;
use crypto::{DeviceCertificate, PracticeKey};
use tempfile::TempDir;

use super::*;
use crate::keystore::{Item, Keystore};
use crate::recovery;
use crate::settings::{Practice, Settings, encode};

const PASSPHRASE: &str = "correct horse battery";

/// What a command said, for reading afterwards.
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

/// Runs a command line on a computer's folder with these lines of input.
fn run(folder: &Path, words: &[&str], lines: &[&str]) -> Result<String, ClientError> {
    let folder = folder.to_str().unwrap();
    let cli = Cli::parse_from([&["quietroom", "--data", folder], words].concat());
    let said = Said::default();
    let ask = Ask::scripted(Cursor::new(lines.join("\n").into_bytes()), said.clone());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(perform(&cli, cli.action.as_ref().unwrap(), &ask))?;
    let text = said.0.lock().unwrap().clone();
    Ok(String::from_utf8(text).unwrap())
}

/// An owner's computer, and room for others.
struct House {
    folder: TempDir,
    key: PracticeKey,
    pkcs8: Vec<u8>,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (key, pkcs8) = PracticeKey::generate().unwrap();
        let house = Self { folder, key, pkcs8: pkcs8.to_vec() };
        let keystore = Keystore::create(&house.at("owner"), PASSPHRASE).unwrap();
        keystore.store(Item::PracticeKey, &house.pkcs8).unwrap();
        let settings = Settings { practice: Some(practice(&house.key)), ..Settings::default() };
        settings.save(&house.at("owner")).unwrap();
        house
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(&self, name: &str) -> String {
        self.at(name).to_str().unwrap().to_owned()
    }

    /// A colleague's computer with a keystore, whose request the owner certifies; returns what `install` said.
    fn certify(&self, computer: &str) -> String {
        if !Keystore::is_set_up(&self.at(computer)) {
            Keystore::create(&self.at(computer), PASSPHRASE).unwrap();
        }
        let (request, certificate) =
            (self.file(&format!("{computer}.request")), self.file(&format!("{computer}.certificate")));
        let asked = run(&self.at(computer), &["device", "request", "--out", &request], &[PASSPHRASE]).unwrap();
        let words = ["device", "certify", "--request", &request, "--name", "Dr Ada", "--out", &certificate];
        let certified = run(&self.at("owner"), &words, &[PASSPHRASE]).unwrap();
        let fingerprint = |text: &str| text.lines().find(|line| line.starts_with("request")).unwrap().to_owned();
        assert_eq!(fingerprint(&asked), fingerprint(&certified));
        run(&self.at(computer), &["device", "install", "--certificate", &certificate], &[]).unwrap()
    }

    fn certificate(&self, computer: &str) -> DeviceCertificate {
        Settings::load(&self.at(computer)).unwrap().certificate().unwrap()
    }
}

fn practice(key: &PracticeKey) -> Practice {
    Practice {
        name: "Banksia Street Practice".into(),
        phone: "+61 2 5550 0199".into(),
        public_key: encode(key.public().as_bytes()),
        phone_signature: encode(&key.sign_phone("+61 2 5550 0199").unwrap()),
    }
}

/// Rows of a printed sheet.
fn rows(sheet: &str) -> Vec<String> {
    let rows: Vec<String> = sheet
        .lines()
        .filter_map(|line| line.strip_prefix("   "))
        .filter(|line| line.starts_with(|c: char| c.is_ascii_digit()))
        .map(|line| line.split_whitespace().skip(1).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(rows.len(), recovery::ROWS);
    rows
}

#[test]
fn two_devices_of_one_clinician_have_their_own_keys_and_serials_and_both_stay_valid() {
    let house = House::new();
    assert!(house.certify("desk").contains("may now host consultations as Dr Ada"));
    house.certify("laptop");
    let (desk, laptop) = (house.certificate("desk"), house.certificate("laptop"));
    assert_ne!(desk.device_key(), laptop.device_key());
    assert_eq!((desk.serial(), laptop.serial()), (1, 2));
    for certificate in [desk, laptop] {
        certificate.verify(&house.key.public(), now()).unwrap();
    }
    let list = run(&house.at("owner"), &["practice", "devices"], &[]).unwrap();
    assert_eq!(list.lines().count(), 2, "{list}");
    assert!(list.lines().all(|line| line.contains("Dr Ada") && line.contains("29 days left")), "{list}");
}

#[test]
fn a_renewed_certificate_keeps_the_devices_key() {
    let house = House::new();
    house.certify("desk");
    let first = house.certificate("desk");
    house.certify("desk");
    let second = house.certificate("desk");
    assert_eq!(first.device_key(), second.device_key());
    assert_eq!(second.serial(), 2);
}

#[test]
fn a_computer_that_was_never_set_up_is_told_what_is_missing() {
    let house = House::new();
    let words = ["device", "request", "--out", &house.file("request")];
    let error = run(&house.at("new"), &words, &[PASSPHRASE]).unwrap_err();
    assert!(error.to_string().contains("give --server and --pin"), "{error}");
}

#[test]
fn the_sheet_restores_the_same_key_on_a_new_computer() {
    let house = House::new();
    let sheet = run(&house.at("owner"), &["practice", "recovery-sheet"], &[PASSPHRASE]).unwrap();
    let lines = [rows(&sheet), vec!["a new passphrase".to_owned()]].concat();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let said = run(&house.at("new"), &["practice", "recover", "--passphrase-only"], &lines).unwrap();
    assert!(said.contains(&recovery::spelled(&house.key.fingerprint())), "{said}");
    assert!(said.contains("protected by your passphrase only"), "{said}");
    let restored = Keystore::open(&house.at("new"), "a new passphrase").unwrap().load(Item::PracticeKey).unwrap();
    assert_eq!(restored.as_slice(), house.pkcs8);
    let again = run(&house.at("new"), &["practice", "recovery-sheet"], &["a new passphrase"]).unwrap();
    assert_eq!(rows(&again), rows(&sheet));
    assert!(Settings::load(&house.at("new")).unwrap().last_serial > 1_000_000, "serials go on above the lost count");
}

#[test]
fn the_whole_sheet_may_be_typed_on_one_line() {
    let house = House::new();
    let sheet = run(&house.at("owner"), &["practice", "recovery-sheet"], &[PASSPHRASE]).unwrap();
    let line = rows(&sheet).join(" ");
    run(&house.at("new"), &["practice", "recover", "--passphrase-only"], &[&line, "a new passphrase"]).unwrap();
}

#[test]
fn a_slip_on_the_sheet_is_named_by_its_place_and_nothing_is_stored() {
    let house = House::new();
    let sheet = run(&house.at("owner"), &["practice", "recovery-sheet"], &[PASSPHRASE]).unwrap();
    let mut rows = rows(&sheet);
    rows[4] = rows[4].replacen(' ', " misspelt", 1);
    let lines: Vec<&str> = rows.iter().map(String::as_str).chain(["a new passphrase"]).collect();
    let error = run(&house.at("new"), &["practice", "recover", "--passphrase-only"], &lines).unwrap_err();
    assert!(error.to_string().starts_with("row 5, word 2"), "{error}");
    assert!(!Keystore::is_occupied(&house.at("new")));
}

#[test]
fn a_folder_with_keys_is_never_recovered_into() {
    let house = House::new();
    let error = run(&house.at("owner"), &["practice", "recover"], &[]).unwrap_err();
    assert!(error.to_string().contains("holds keys already"), "{error}");
}

#[test]
fn a_sheet_goes_to_a_new_file_of_its_owner_only_and_overwrites_none() {
    use std::os::unix::fs::PermissionsExt;
    let house = House::new();
    let path = house.file("sheet.txt");
    let words = ["practice", "recovery-sheet", "--out", &path];
    let said = run(&house.at("owner"), &words, &[PASSPHRASE]).unwrap();
    let written = std::fs::read_to_string(&path).unwrap();
    assert!(!said.contains(&rows(&written)[0]), "the words stand in the file alone");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(run(&house.at("owner"), &words, &[PASSPHRASE]).is_err());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), written);
}

#[test]
fn status_says_what_protects_the_keys_and_whether_there_is_a_sheet() {
    let house = House::new();
    let status = || run(&house.at("owner"), &["practice", "status"], &[]).unwrap();
    for part in ["Banksia Street Practice", "passphrase only", "no recovery sheet yet", "no certificate"] {
        assert!(status().contains(part), "{part}");
    }
    run(&house.at("owner"), &["practice", "recovery-sheet"], &[PASSPHRASE]).unwrap();
    assert!(status().contains("recovery sheet was last written on"));
    house.certify("desk");
    let desk = run(&house.at("desk"), &["practice", "status"], &[]).unwrap();
    for part in ["The practice key is not on this computer", "may host as Dr Ada, certificate 1"] {
        assert!(desk.contains(part), "{desk}");
    }
    assert!(run(&house.at("new"), &["practice", "status"], &[]).unwrap().contains("no practice yet"));
}

#[test]
fn a_replaced_practice_key_needs_the_fingerprint_from_the_owner() {
    let house = House::new();
    house.certify("desk");
    let keystore = Keystore::open(&house.at("desk"), PASSPHRASE).unwrap();
    keystore.store_invitation(&[1; 16], b"made under the old key").unwrap();
    let before = house.certificate("desk");

    // The owner's computer has another key now, and certifies the desk anew.
    let (next, pkcs8) = PracticeKey::generate().unwrap();
    Keystore::open(&house.at("owner"), PASSPHRASE).unwrap().store(Item::PracticeKey, &pkcs8).unwrap();
    let mut settings = Settings::load(&house.at("owner")).unwrap();
    settings.practice = Some(practice(&next));
    settings.save(&house.at("owner")).unwrap();
    let (request, certificate) = (house.file("desk.request"), house.file("next.certificate"));
    let words = ["device", "certify", "--request", &request, "--name", "Dr Ada", "--out", &certificate];
    run(&house.at("owner"), &words, &[PASSPHRASE]).unwrap();

    let install = ["device", "install", "--certificate", &certificate];
    for wrong in ["", "0000 0000", &recovery::spelled(&house.key.fingerprint())] {
        run(&house.at("desk"), &install, &[wrong]).unwrap_err();
        assert_eq!(house.certificate("desk"), before);
        assert_eq!(keystore.invitations().unwrap().len(), 1);
    }
    let heard = recovery::spelled(&next.fingerprint()).to_uppercase();
    let said = run(&house.at("desk"), &install, &[&heard]).unwrap();
    assert!(said.contains("follows the new practice key"), "{said}");
    house.certificate("desk").verify(&next.public(), now()).unwrap();
    assert!(keystore.invitations().unwrap().is_empty(), "invitations under the old key have ended");
}

#[test]
fn a_certificate_for_another_device_is_not_installed() {
    let house = House::new();
    house.certify("desk");
    house.certify("laptop");
    let before = house.certificate("desk");
    let words = ["device", "install", "--certificate", &house.file("laptop.certificate")];
    let error = run(&house.at("desk"), &words, &[]).unwrap_err();
    assert!(error.to_string().contains("another device"), "{error}");
    assert_eq!(house.certificate("desk"), before);
}

#[test]
fn a_withdrawn_certificate_reaches_the_hosts_by_a_file_and_by_the_next_certificate() {
    let house = House::new();
    house.certify("ada");
    house.certify("grace");
    let serial = Settings::load(&house.at("owner")).unwrap().last_serial - 1;
    let (number, list) = (serial.to_string(), house.file("deny.list"));
    let deny = ["practice", "deny", "--serial", number.as_str(), "--out", list.as_str()];
    assert!(run(&house.at("owner"), &["practice", "deny", "--serial", "4711", "--out", &list], &[PASSPHRASE]).is_err());
    assert!(run(&house.at("owner"), &deny, &[PASSPHRASE]).unwrap().contains("is withdrawn"));
    run(&house.at("grace"), &["device", "deny-list", "--list", &list], &[]).unwrap();
    let again = run(&house.at("grace"), &["device", "deny-list", "--list", &list], &[]).unwrap();
    assert!(again.contains("already"), "{again}");
    let known = |computer: &str| {
        let settings = Settings::load(&house.at(computer)).unwrap();
        let list = settings.deny_list(&house.key.public(), now()).unwrap();
        list.map(|list| (list.denies(&settings.certificate().unwrap()), list.version()))
    };
    assert_eq!(known("grace").map(|(denied, _)| denied), Some(false));
    assert_eq!(known("ada"), None);
    // A renewal brings the list along; so does a second list, with a higher number.
    house.certify("ada");
    assert_eq!(known("ada").map(|(denied, _)| denied), Some(false), "the new certificate is another one");
    run(&house.at("owner"), &deny, &[PASSPHRASE]).unwrap();
    run(&house.at("ada"), &["device", "deny-list", "--list", &list], &[]).unwrap();
    assert!(known("ada").map(|(_, version)| version) > known("grace").map(|(_, version)| version));
}

#[test]
fn a_deny_list_of_another_practice_or_with_a_changed_letter_is_not_taken() {
    let (house, other) = (House::new(), House::new());
    house.certify("ada");
    other.certify("eve");
    let list = house.file("deny.list");
    run(&other.at("owner"), &["practice", "deny", "--serial", "1", "--out", &list], &[PASSPHRASE]).unwrap();
    assert!(run(&house.at("ada"), &["device", "deny-list", "--list", &list], &[]).is_err());
    run(&house.at("owner"), &["practice", "deny", "--serial", "1", "--out", &list], &[PASSPHRASE]).unwrap();
    let mut text = std::fs::read(&list).unwrap();
    text[20] ^= 1;
    std::fs::write(&list, text).unwrap();
    assert!(run(&house.at("ada"), &["device", "deny-list", "--list", &list], &[]).is_err());
    assert!(Settings::load(&house.at("ada")).unwrap().deny_list.is_none());
}
