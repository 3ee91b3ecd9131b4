//! The clinician's sign-in: what is refused, with which code, and that nothing is lost by it.

use client::session::{Command, ErrorCode};

use crate::harness::{Clinic, PASSPHRASE, Person, no_devices};

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_passphrase_and_an_unknown_name_get_the_same_words() {
    let clinic = Clinic::open().await;
    let mut host = clinic.clinician();
    host.try_sign_in("ada", "correct horse staple").await;
    host.told(ErrorCode::Auth01).await;
    host.dismiss().await;
    host.tell(Command::SignIn { name: "nobody".into(), passphrase: PASSPHRASE.into() }).await;
    host.told(ErrorCode::Auth01).await;
    host.sign_in("ada", PASSPHRASE).await;
    host.second_factor(&clinic.code(0)).await;
    host.quit().await;
    clinic.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_code_is_refused_and_the_right_one_still_works() {
    let clinic = Clinic::open().await;
    let mut host = clinic.clinician();
    host.sign_in("ada", PASSPHRASE).await;
    let right = clinic.code(0);
    // One digit off, and none of the codes that are valid now.
    let wrong = (0..10).map(|digit| format!("{digit}{}", &right[1..]));
    let valid = [clinic.code(0), clinic.code(1)];
    let wrong = wrong.into_iter().find(|code| !valid.contains(code)).unwrap();
    host.tell(Command::SecondFactor { code: wrong.as_str().into() }).await;
    host.told(ErrorCode::Auth04).await;
    host.second_factor(&right).await;
    host.quit().await;
    clinic.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_was_used_is_refused_as_replayed() {
    let clinic = Clinic::open().await;
    let host = clinic.signed_in().await;
    host.quit().await;
    let mut again = clinic.clinician();
    again.sign_in("ada", PASSPHRASE).await;
    again.tell(Command::SecondFactor { code: clinic.code(0).as_str().into() }).await;
    again.told(ErrorCode::Auth06).await;
    again.second_factor(&clinic.code(1)).await;
    again.quit().await;
    clinic.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_without_a_second_factor_does_not_get_in() {
    let clinic = Clinic::open().await;
    clinic.half_enrolled("bert").await;
    let mut bert = Person::at(&clinic.bare_desk("bert"), no_devices());
    bert.try_sign_in("bert", PASSPHRASE).await;
    bert.told(ErrorCode::Auth03).await;
    bert.quit().await;
    clinic.close().await;
}
