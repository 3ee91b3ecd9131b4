//! Hosts leave their devices' certificates for each other.

use super::*;

const DAY_S: u64 = 24 * 60 * 60;

fn certificate(number: usize) -> Opaque {
    Opaque::new(number.to_be_bytes().to_vec())
}

impl House {
    async fn put(&self, session: &str, certificate: Opaque) -> Result<Empty, ErrorCode> {
        let body = serde_json::to_vec(&PutCertificateRequest { certificate }).unwrap();
        let (status, answer) = self.request("POST", "/v1/certificates", session, body).await;
        read(status, &answer)
    }

    async fn certificates(&self, session: &str) -> Result<Vec<Opaque>, ErrorCode> {
        self.fetch::<CertificatesResponse>("/v1/certificates", session).await.map(|answer| answer.certificates)
    }
}

#[tokio::test]
async fn hosts_read_each_others_certificates_newest_first() {
    let practice = Practice::open().await;
    let second = practice.hire("second", StaffRole::Host).await;
    let house = &practice.house;
    assert_eq!(house.certificates(&second).await.unwrap(), []);
    house.put(&practice.session, certificate(1)).await.unwrap();
    house.put(&second, certificate(2)).await.unwrap();
    for session in [&practice.session, &second] {
        assert_eq!(house.certificates(session).await.unwrap(), [2, 1].map(certificate));
    }
}

#[tokio::test]
async fn the_same_bytes_again_only_renew_the_time() {
    let practice = Practice::open().await;
    let house = &practice.house;
    for number in [1, 2, 1] {
        house.put(&practice.session, certificate(number)).await.unwrap();
        house.pass(1);
    }
    assert_eq!(house.certificates(&practice.session).await.unwrap(), [1, 2].map(certificate));
}

#[tokio::test]
async fn an_account_keeps_its_newest_four() {
    let practice = Practice::open().await;
    let second = practice.hire("second", StaffRole::Host).await;
    let house = &practice.house;
    house.put(&second, certificate(9)).await.unwrap();
    for number in 1..=6 {
        house.put(&practice.session, certificate(number)).await.unwrap();
    }
    assert_eq!(house.certificates(&second).await.unwrap(), [6, 5, 4, 3, 9].map(certificate));
}

#[tokio::test]
async fn a_certificate_is_listed_for_thirty_one_days_from_when_it_was_put_last() {
    let practice = Practice::open().await;
    let house = &practice.house;
    for number in [1, 2] {
        house.put(&practice.session, certificate(number)).await.unwrap();
    }
    house.pass(DAY_S);
    let session = house.sign_in(&practice.host).await;
    house.put(&session, certificate(2)).await.unwrap();
    // Signing in takes half a minute of this clock.
    house.pass(30 * DAY_S - 60);
    let session = house.sign_in(&practice.host).await;
    assert_eq!(house.certificates(&session).await.unwrap(), [2, 1].map(certificate));
    house.pass(1);
    assert_eq!(house.certificates(&session).await.unwrap(), [certificate(2)]);
}

#[tokio::test]
async fn only_hosts_put_and_read_certificates() {
    let practice = Practice::open().await;
    let house = &practice.house;
    practice.invite(1).await;
    let mut sessions = vec![practice.redeem(1).await.unwrap()];
    for (name, role) in [("desk", StaffRole::FrontDesk), ("auditor", StaffRole::Auditor), ("admin", StaffRole::Admin)] {
        sessions.push(practice.hire(name, role).await);
    }
    for session in sessions {
        assert_eq!(house.put(&session, certificate(1)).await.unwrap_err(), ErrorCode::NotAllowed);
        assert_eq!(house.certificates(&session).await.unwrap_err(), ErrorCode::NotAllowed);
    }
    assert_eq!(house.put("", certificate(1)).await.unwrap_err(), ErrorCode::SessionEnded);
    assert_eq!(house.certificates("").await.unwrap_err(), ErrorCode::SessionEnded);
}

#[tokio::test]
async fn an_empty_certificate_and_one_above_the_limit_are_refused() {
    let practice = Practice::open().await;
    let house = &practice.house;
    for len in [0, MAX_CERTIFICATE_LEN + 1] {
        let refused = house.put(&practice.session, Opaque::new(vec![7; len])).await.unwrap_err();
        assert_eq!(refused, ErrorCode::BadValue, "{len}");
    }
    let longest = Opaque::new(vec![7; MAX_CERTIFICATE_LEN]);
    house.put(&practice.session, longest.clone()).await.unwrap();
    assert_eq!(house.certificates(&practice.session).await.unwrap(), [longest]);
}
