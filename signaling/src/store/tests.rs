//! The audit chain against somebody who can write the file, and what many writers do to it.

use super::*;
use crate::{
    audit::Event,
    auth::TokenHash,
    protocol::{MAX_CERTIFICATES, Opaque, StaffRole, UserId},
};

async fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("test.db"), true).await.unwrap();
    (folder, store)
}

fn event(number: usize) -> Event {
    Event::ok("system.start", format!("{number}"), "", String::new())
}

#[tokio::test]
async fn an_untouched_chain_verifies_over_several_pages() {
    let (_folder, store) = store().await;
    let events: Vec<_> = (0..450).map(event).collect();
    store.record(&events).await.unwrap();
    let verdict = store.verify_audit().await.unwrap();
    assert_eq!((verdict.rows, verdict.broken_at), (450, None));
}

#[tokio::test]
async fn a_changed_removed_or_forged_row_is_found() {
    for (tampering, broken_at) in [
        ("UPDATE audit SET outcome = 'AUTH-01' WHERE seq = 3", 3),
        ("UPDATE audit SET at_ms = at_ms + 1 WHERE seq = 2", 2),
        ("DELETE FROM audit WHERE seq = 4", 4),
        ("DELETE FROM audit WHERE seq = 1", 1),
        ("UPDATE audit SET hash = zeroblob(48) WHERE seq = 5", 5),
        ("INSERT INTO audit SELECT 6, at_ms, event, actor, role, subject, outcome, hash FROM audit WHERE seq = 5", 6),
    ] {
        let (_folder, store) = store().await;
        let events: Vec<_> = (0..5).map(event).collect();
        store.record(&events).await.unwrap();
        sqlx::query(tampering).execute(&store.write).await.unwrap();
        assert_eq!(store.verify_audit().await.unwrap().broken_at, Some(broken_at), "{tampering}");
    }
}

#[tokio::test]
async fn parallel_writers_neither_fail_nor_break_the_chain() {
    let (_folder, store) = store().await;
    let writers: Vec<_> = (0..16)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move { store.record(&[event(number)]).await })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap().unwrap();
    }
    assert_eq!(store.verify_audit().await.unwrap().rows, 16);
}

#[tokio::test]
async fn what_is_over_is_swept() {
    let (_folder, store) = store().await;
    store.spend_try(Counted::Name("somebody"), 1000).await.unwrap();
    store.sweep(1000 + 24 * 3600 - 1).await.unwrap();
    let count = "SELECT COUNT(*) FROM throttle";
    assert_eq!(sqlx::query_scalar::<_, i64>(count).fetch_one(&store.read).await.unwrap(), 1);
    store.sweep(1000 + 24 * 3600).await.unwrap();
    assert_eq!(sqlx::query_scalar::<_, i64>(count).fetch_one(&store.read).await.unwrap(), 0);
}

/// An account.
async fn hire(store: &Store, number: u8) -> UserId {
    let (user, name) = (UserId::from_bytes([number; 16]), format!("host {number}"));
    let enrolment = TokenHash::of("secret");
    let wanted = NewUser { user, display: name.clone(), name, role: StaffRole::Host, enrolment };
    store.create_user(&user, &wanted, 1000).await.unwrap();
    user
}

#[tokio::test]
async fn the_list_of_certificates_is_bounded_over_all_accounts() {
    let (_folder, store) = store().await;
    for number in 0..20 {
        let user = hire(&store, number).await;
        for device in 0..4 {
            store.put_certificate(&user, &Opaque::new(vec![number, device]), 1000).await.unwrap();
        }
    }
    let listed = store.certificates(1000).await.unwrap();
    assert_eq!((listed.len(), listed.first()), (MAX_CERTIFICATES, Some(&Opaque::new(vec![19, 3]))));
}

#[tokio::test]
async fn old_certificates_are_swept() {
    let (_folder, store) = store().await;
    let user = hire(&store, 1).await;
    store.put_certificate(&user, &Opaque::new(vec![1]), 1000).await.unwrap();
    let count = "SELECT COUNT(*) FROM certificates";
    for (later, kept) in [(31 * 24 * 3600, 1), (31 * 24 * 3600 + 1, 0)] {
        store.sweep(1000 + later).await.unwrap();
        assert_eq!(sqlx::query_scalar::<_, i64>(count).fetch_one(&store.read).await.unwrap(), kept);
    }
}

#[tokio::test]
async fn a_file_of_the_version_before_gets_its_new_table_and_keeps_its_rows() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("test.db");
    let before = Store::open(&file, true).await.unwrap();
    let user = hire(&before, 1).await;
    for undo in ["DROP TABLE certificates", "DELETE FROM _sqlx_migrations WHERE version = 2"] {
        sqlx::query(undo).execute(&before.write).await.unwrap();
    }
    before.close().await;
    let store = Store::open(&file, false).await.unwrap();
    store.put_certificate(&user, &Opaque::new(vec![1]), 1000).await.unwrap();
    assert_eq!(store.verify_audit().await.unwrap().broken_at, None);
}

#[tokio::test]
async fn settings_are_those_that_survive_a_power_cut() {
    let (_folder, store) = store().await;
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&store.write).await.unwrap();
    let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous").fetch_one(&store.write).await.unwrap();
    assert_eq!((mode.as_str(), synchronous), ("wal", 2));
}
