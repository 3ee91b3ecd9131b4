//! What a keystore keeps, and from whom.

use std::os::unix::fs::PermissionsExt;

use super::*;

#[test]
fn a_wrong_passphrase_opens_nothing() {
    let folder = tempfile::tempdir().unwrap();
    Keystore::create(folder.path(), "right horse").unwrap().store(Item::DeviceKey, b"secret").unwrap();
    assert!(matches!(Keystore::open(folder.path(), "wrong horse"), Err(KeystoreError::WrongPassphrase)));
    let store = Keystore::open(folder.path(), "right horse").unwrap();
    assert_eq!(store.load(Item::DeviceKey).unwrap().as_slice(), b"secret");
    assert!(matches!(store.load(Item::PracticeKey), Err(KeystoreError::Missing(_))));
}

#[test]
fn an_empty_folder_is_not_set_up() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(Keystore::open(folder.path(), "x"), Err(KeystoreError::NotSetUp)));
}

#[test]
fn files_show_no_secret_and_belong_to_their_owner() {
    let folder = tempfile::tempdir().unwrap();
    let store = Keystore::create(folder.path(), "p").unwrap();
    store.store_invitation(&[7; 16], b"link secret and code").unwrap();
    let path = folder.path().join("invitations").join(hex(&[7; 16]));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!fs::read(&path).unwrap().windows(4).any(|bytes| bytes == b"code"));
    assert_eq!(store.invitations().unwrap()[0].as_slice(), b"link secret and code");
}

#[test]
fn a_file_put_in_the_place_of_another_does_not_open() {
    let folder = tempfile::tempdir().unwrap();
    let store = Keystore::create(folder.path(), "p").unwrap();
    store.store(Item::PracticeKey, b"practice").unwrap();
    fs::copy(folder.path().join("practice.key"), folder.path().join("device.key")).unwrap();
    assert!(matches!(store.load(Item::DeviceKey), Err(KeystoreError::Damaged)));
}

#[test]
fn the_login_secret_depends_on_account_and_passphrase_and_holds_neither() {
    let secret = login_secret("Ada", "horse").unwrap();
    assert_eq!(secret, login_secret(" ada", "horse").unwrap());
    assert_ne!(secret, login_secret("bob", "horse").unwrap());
    assert!(!secret.contains("horse"));
}

/// A keystore made with a store in memory, and the entry's name.
fn with_key_store(folder: &Path) -> (SystemStore, [u8; 16]) {
    let system = SystemStore::in_memory();
    let store = Keystore::create_with(folder, "right horse", Some(&system)).unwrap();
    assert_eq!(store.protection(), Protection::KeyStore);
    store.store(Item::PracticeKey, b"practice").unwrap();
    let head = Head::decode(&fs::read(folder.join(HEAD)).unwrap()).unwrap();
    (system, head.entry().unwrap())
}

#[test]
fn a_copied_disk_does_not_open_with_the_right_passphrase_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (system, _) = with_key_store(folder.path());
    let open = |system: Option<&SystemStore>| Keystore::open_with(folder.path(), "right horse", || system.cloned());
    assert_eq!(open(Some(&system)).unwrap().load(Item::PracticeKey).unwrap().as_slice(), b"practice");
    assert!(matches!(open(None), Err(KeystoreError::KeyStoreClosed)));
    assert!(matches!(open(Some(&SystemStore::in_memory())), Err(KeystoreError::KeyStoreLost)));
    let wrong = Keystore::open_with(folder.path(), "wrong horse", || Some(system.clone()));
    assert!(matches!(wrong, Err(KeystoreError::WrongPassphrase)));
}

#[test]
fn a_head_that_claims_to_need_no_key_store_does_not_open() {
    let folder = tempfile::tempdir().unwrap();
    with_key_store(folder.path());
    let mut head = fs::read(folder.path().join(HEAD)).unwrap();
    head[20..36].fill(0);
    fs::write(folder.path().join(HEAD), head).unwrap();
    let opened = Keystore::open_with(folder.path(), "right horse", || None);
    assert!(matches!(opened, Err(KeystoreError::WrongPassphrase)));
}

#[test]
fn another_secret_in_the_key_store_opens_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (system, name) = with_key_store(folder.path());
    let kept = system.secret(&name).unwrap();
    system.replace(&name, &[9; 32]);
    assert!(Keystore::open_with(folder.path(), "right horse", || Some(system.clone())).is_err());
    system.replace(&name, &kept);
    assert!(Keystore::open_with(folder.path(), "right horse", || Some(system)).is_ok());
}

#[test]
fn a_lost_key_store_is_told_apart_and_points_to_the_recovery_sheet() {
    let folder = tempfile::tempdir().unwrap();
    let (system, name) = with_key_store(folder.path());
    system.lose(&name);
    let error = Keystore::open_with(folder.path(), "right horse", || Some(system)).unwrap_err();
    assert!(matches!(error, KeystoreError::KeyStoreLost));
    assert!(error.to_string().contains("quietroom practice recover"));
    assert_eq!(error.code(), ErrorCode::Key04);
}

#[test]
fn without_a_key_store_the_keystore_says_that_the_passphrase_stands_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = Keystore::create_with(folder.path(), "p", None).unwrap();
    assert_eq!(store.protection(), Protection::Passphrase);
    assert!(store.protection().sentence().contains("passphrase only"));
    // A keystore of that kind never asks for a key store.
    Keystore::open_with(folder.path(), "p", || panic!("asked")).unwrap();
}

#[test]
fn a_damaged_head_is_refused_at_every_length() {
    let folder = tempfile::tempdir().unwrap();
    Keystore::create(folder.path(), "p").unwrap();
    let head = fs::read(folder.path().join(HEAD)).unwrap();
    for length in 0..head.len() {
        assert!(Head::decode(&head[..length]).is_err(), "{length}");
    }
    assert!(Head::decode(&[head.as_slice(), b"x"].concat()).is_err());
}

#[test]
fn a_new_keystore_never_lies_over_old_keys() {
    let folder = tempfile::tempdir().unwrap();
    Keystore::create(folder.path(), "p").unwrap().store(Item::PracticeKey, b"practice").unwrap();
    assert!(matches!(Keystore::create(folder.path(), "q"), Err(KeystoreError::Exists)));
    fs::remove_file(folder.path().join(HEAD)).unwrap();
    assert!(matches!(Keystore::create(folder.path(), "q"), Err(KeystoreError::Exists)));
}
