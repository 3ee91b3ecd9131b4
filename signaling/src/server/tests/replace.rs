//! Another practice key in the place of the one that was lost or stolen.

use super::*;

fn request(secret: &Secret) -> ReplacePracticeRequest {
    ReplacePracticeRequest {
        secret: secret.expose().to_owned().into(),
        practice_public_key: Opaque::new(vec![3; 32]),
        phone_signature: Opaque::new(vec![4; 64]),
        keep_invitations: false,
    }
}

impl Practice {
    async fn replace(&self, secret: &Secret) -> Result<Empty, ErrorCode> {
        self.house.post("/v1/practice/replace", "", &request(secret)).await
    }

    async fn public_key(&self) -> Vec<u8> {
        let info: InfoResponse = self.house.fetch("/v1/info", "").await.unwrap();
        info.practice.unwrap().public_key.as_bytes().to_vec()
    }

    async fn reset(&self) -> Secret {
        practice_reset(self.house.data.path(), &Clock::manual(Arc::clone(&self.house.clock))).await.unwrap()
    }
}

#[tokio::test]
async fn the_consoles_secret_replaces_the_key_once_and_keeps_the_accounts() {
    let practice = Practice::open().await;
    let secret = practice.reset().await;
    practice.replace(&secret).await.unwrap();
    assert_eq!(practice.public_key().await, vec![3; 32]);
    assert_eq!(practice.replace(&secret).await.unwrap_err(), ErrorCode::WrongOneTimeSecret);
    let list: Result<AppointmentList, _> = practice.house.fetch("/v1/appointments", &practice.session).await;
    assert_eq!(list.unwrap().appointments.len(), 1);
}

#[tokio::test]
async fn every_open_invitation_ends_with_the_old_key() {
    let practice = Practice::open().await;
    let (mut host, _) = practice.host_in_room().await;
    let (mut guest, _) = practice.guest_in_lobby(1, &mut host).await;
    practice.invite(2).await;
    let secret = practice.reset().await;
    practice.replace(&secret).await.unwrap();
    assert_eq!(guest.hear_error().await, ErrorCode::InvitationWithdrawn);
    for invite in [1, 2] {
        assert_eq!(practice.redeem(invite).await.unwrap_err(), ErrorCode::InvitationWithdrawn);
    }
    practice.invite(3).await;
    practice.redeem(3).await.unwrap();
}

#[tokio::test]
async fn invitations_stay_open_where_the_old_key_vouches_for_the_new_one() {
    let practice = Practice::open().await;
    practice.invite(1).await;
    let keeping = ReplacePracticeRequest { keep_invitations: true, ..request(&practice.reset().await) };
    let _: Empty = practice.house.post("/v1/practice/replace", "", &keeping).await.unwrap();
    assert_eq!(practice.public_key().await, vec![3; 32]);
    practice.redeem(1).await.unwrap();
}

#[tokio::test]
async fn a_wrong_a_late_and_an_older_secret_change_nothing() {
    let practice = Practice::open().await;
    let older = practice.reset().await;
    let newer = practice.reset().await;
    assert_eq!(practice.replace(&older).await.unwrap_err(), ErrorCode::WrongOneTimeSecret);
    assert_eq!(practice.replace(&"guess".to_owned().into()).await.unwrap_err(), ErrorCode::WrongOneTimeSecret);
    practice.house.pass(24 * 3600);
    assert_eq!(practice.replace(&newer).await.unwrap_err(), ErrorCode::WrongOneTimeSecret);
    assert_eq!(practice.public_key().await, vec![1; 32]);
}

#[tokio::test]
async fn guessing_at_the_secret_is_throttled() {
    let practice = Practice::open().await;
    practice.reset().await;
    let mut answers = Vec::new();
    for _ in 0..20 {
        answers.push(practice.replace(&"guess".to_owned().into()).await.unwrap_err());
    }
    assert!(answers.contains(&ErrorCode::TooManyTries), "{answers:?}");
}

#[tokio::test]
async fn a_server_without_a_practice_has_no_key_to_replace() {
    let house = House::open().await;
    assert!(practice_reset(house.data.path(), &Clock::manual(Arc::clone(&house.clock))).await.is_err());
}
