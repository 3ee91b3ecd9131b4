//! Bootstrap, enrolment, sign-in, sessions, roles, audit.

use super::*;

#[tokio::test]
async fn an_owner_sets_up_and_a_clinician_signs_in_with_two_factors() {
    let house = House::open().await;
    let info: InfoResponse = house.fetch("/v1/info", "").await.unwrap();
    assert_eq!(info, InfoResponse { version: PROTOCOL_VERSION, practice: None });
    let owner = house.bootstrap().await;
    let admin = house.sign_in(&owner).await;
    let host = house.hire(&admin, "Dr Host", StaffRole::Host).await;
    let ticket = house.start("dr HOST", PASSPHRASE).await.unwrap().ticket;
    let request = CodeRequest { ticket, code: house.code(&host) };
    let session: SessionResponse = house.post("/v1/auth/totp", "", &request).await.unwrap();
    assert_eq!((session.display.as_str(), &session.roles[..]), ("DR HOST", &[StaffRole::Host][..]));
    assert_eq!(session.practice.unwrap().name, "Practice on the Hill");
    assert_eq!(session.expires_at.0, house.now() + 12 * 3600);
    house.server.shutdown().await;
}

#[tokio::test]
async fn the_one_time_secret_works_until_the_factor_is_confirmed_and_never_again() {
    let house = House::open().await;
    let wrong = house.bootstrap_request("guess");
    let refused = house.post::<EnrolResponse>("/v1/bootstrap", "", &wrong).await;
    assert_eq!(refused.unwrap_err(), ErrorCode::WrongOneTimeSecret);
    let request = house.bootstrap_request(house.bootstrap_secret.expose());
    let lost: EnrolResponse = house.post("/v1/bootstrap", "", &request).await.unwrap();
    let account = house.bootstrap().await;
    assert_ne!(lost.totp_secret.expose(), account.totp);
    let again = house.post::<EnrolResponse>("/v1/bootstrap", "", &request).await;
    assert_eq!(again.unwrap_err(), ErrorCode::WrongOneTimeSecret);
    assert!(init(house.data.path()).await.is_err());
}

#[tokio::test]
async fn a_wrong_passphrase_and_an_unknown_user_get_the_same_answer() {
    let house = House::open().await;
    house.bootstrap().await;
    let body = |name: &str| {
        let passphrase = "d3JvbmcgbG9naW4gc2VjcmV0".to_owned().into();
        serde_json::to_vec(&AuthStartRequest { name: name.to_owned(), passphrase }).unwrap()
    };
    let wrong = house.request("POST", "/v1/auth/start", "", body("owner")).await;
    let unknown = house.request("POST", "/v1/auth/start", "", body("nobody")).await;
    assert_eq!(wrong, unknown);
    assert_eq!(wrong, (401, br#"{"code":"AUTH-01"}"#.to_vec()));
}

#[tokio::test]
async fn too_many_tries_lock_a_name_known_or_not() {
    let house = House::open().await;
    house.bootstrap().await;
    for name in ["owner", "nobody"] {
        for _ in 0..5 {
            let wrong = house.start(name, "d3JvbmcgbG9naW4gc2VjcmV0").await;
            assert_eq!(wrong.unwrap_err(), ErrorCode::WrongDetails);
        }
        let locked = house.start(name, PASSPHRASE).await;
        assert_eq!(locked.unwrap_err(), ErrorCode::TooManyTries);
    }
    house.pass(300);
    house.start("owner", PASSPHRASE).await.unwrap();
}

#[tokio::test]
async fn a_code_counts_once_and_a_wrong_one_never() {
    let house = House::open().await;
    let owner = house.bootstrap().await;
    let ticket = house.start("owner", PASSPHRASE).await.unwrap().ticket;
    let code = house.code(&owner).expose().to_owned();
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let attempt = |ticket: &Secret, code: &str| {
        serde_json::to_vec(&CodeRequest { ticket: ticket.expose().to_owned().into(), code: code.to_owned().into() })
            .unwrap()
    };
    let refused = house.request("POST", "/v1/auth/totp", "", attempt(&ticket, wrong)).await;
    assert_eq!(refused, (401, br#"{"code":"AUTH-04"}"#.to_vec()));
    let good = house.request("POST", "/v1/auth/totp", "", attempt(&ticket, &code)).await;
    assert_eq!(good.0, 200);
    let ticket = house.start("owner", PASSPHRASE).await.unwrap().ticket;
    let replayed = house.request("POST", "/v1/auth/totp", "", attempt(&ticket, &code)).await;
    assert_eq!(replayed, (401, br#"{"code":"AUTH-06"}"#.to_vec()));
    // The code of the step before is within the skew, and older than the one used.
    house.pass(30);
    let older = house.request("POST", "/v1/auth/totp", "", attempt(&ticket, &code)).await;
    assert_eq!(older, (401, br#"{"code":"AUTH-06"}"#.to_vec()));
    let next = house.code(&owner).expose().to_owned();
    assert_eq!(house.request("POST", "/v1/auth/totp", "", attempt(&ticket, &next)).await.0, 200);
}

#[tokio::test]
async fn guessing_codes_locks_the_account_even_with_fresh_tickets() {
    let house = House::open().await;
    let owner = house.bootstrap().await;
    let right = house.code(&owner).expose().to_owned();
    let guesses = (0..).map(|guess| format!("{guess:06}")).filter(|guess| *guess != right);
    for guess in guesses.take(5) {
        let ticket = house.start("owner", PASSPHRASE).await.unwrap().ticket;
        let request = CodeRequest { ticket, code: guess.into() };
        let refused = house.post::<SessionResponse>("/v1/auth/totp", "", &request).await.unwrap_err();
        assert!(matches!(refused, ErrorCode::WrongSecondFactor | ErrorCode::CodeReplayed), "{refused:?}");
    }
    let ticket = house.start("owner", PASSPHRASE).await.unwrap().ticket;
    let request = CodeRequest { ticket, code: house.code(&owner) };
    let locked = house.post::<SessionResponse>("/v1/auth/totp", "", &request).await;
    assert_eq!(locked.unwrap_err(), ErrorCode::TooManyTries);
}

#[tokio::test]
async fn without_a_second_factor_nobody_signs_in() {
    let house = House::open().await;
    let owner = house.bootstrap().await;
    let admin = house.sign_in(&owner).await;
    let made = house.create(&admin, "late", StaffRole::Host).await;
    let secret = made.enrolment_secret.expose().to_owned();
    assert_eq!(house.start("late", PASSPHRASE).await.unwrap_err(), ErrorCode::WrongDetails);
    house.enrol("late", made.enrolment_secret).await.unwrap();
    assert_eq!(house.start("late", PASSPHRASE).await.unwrap_err(), ErrorCode::SecondFactorNeeded);
    // The enrolment secret stays good until the factor is confirmed.
    let enrolled = house.enrol("late", secret.clone().into()).await.unwrap();
    house.confirm("late", enrolled).await;
    assert_eq!(house.enrol("late", secret.into()).await.unwrap_err(), ErrorCode::WrongOneTimeSecret);
    house.start("late", PASSPHRASE).await.unwrap();
}

#[tokio::test]
async fn a_session_ends_by_idleness_age_and_signing_out() {
    let house = House::open().await;
    let owner = house.bootstrap().await;
    let idle = house.sign_in(&owner).await;
    house.pass(15 * 60);
    let refused = house.fetch::<AppointmentList>("/v1/appointments", &idle).await;
    assert_eq!(refused.unwrap_err(), ErrorCode::SessionEnded);

    let old = house.sign_in(&owner).await;
    for _ in 0..(12 * 6 - 1) {
        house.pass(10 * 60);
        house.fetch::<AppointmentList>("/v1/appointments", &old).await.unwrap();
    }
    house.pass(10 * 60);
    let refused = house.fetch::<AppointmentList>("/v1/appointments", &old).await;
    assert_eq!(refused.unwrap_err(), ErrorCode::SessionEnded);

    let session = house.sign_in(&owner).await;
    let (mut line, _) = house.greet(&session).await;
    house.post::<Empty>("/v1/auth/logout", &session, &Empty {}).await.unwrap();
    assert_eq!(line.hear_error().await, ErrorCode::SessionEnded);
    assert_eq!(line.hear().await, None);
    let refused = house.fetch::<AppointmentList>("/v1/appointments", &session).await;
    assert_eq!(refused.unwrap_err(), ErrorCode::SessionEnded);
}

#[tokio::test]
async fn the_front_desk_books_and_does_not_invite_and_the_auditor_only_reads() {
    let house = House::open().await;
    let owner = house.bootstrap().await;
    let admin = house.sign_in(&owner).await;
    let host = house.hire(&admin, "host", StaffRole::Host).await;
    let desk = house.hire(&admin, "desk", StaffRole::FrontDesk).await;
    let auditor = house.hire(&admin, "auditor", StaffRole::Auditor).await;
    let (host, desk) = (house.sign_in(&host).await, house.sign_in(&desk).await);
    let auditor = house.sign_in(&auditor).await;
    let staff: StaffList = house.fetch("/v1/users", &desk).await.unwrap();
    let host_id = staff.staff.iter().find(|member| member.role == StaffRole::Host).unwrap().user;

    let starts_at = UnixSeconds(house.now() + 600);
    let mut request = BookRequest { label: "B-2".to_owned(), starts_at, duration_min: 15, host: Some(host_id) };
    let booked: Appointment = house.post("/v1/appointments", &desk, &request).await.unwrap();
    let invitation = CreateInvitationRequest {
        invite_id: InviteId::from_bytes([1; 16]),
        token_hash: Opaque::new(vec![0; 32]),
        role: GuestRole::Patient,
        not_before: UnixSeconds(house.now()),
        expires_at: UnixSeconds(house.now() + 900),
    };
    let path = format!("/v1/appointments/{}/invitations", booked.id.to_hex());
    for session in [&desk, &admin, &auditor] {
        let refused = house.post::<Empty>(&path, session, &invitation).await;
        assert_eq!(refused.unwrap_err(), ErrorCode::NotAllowed);
    }
    house.post::<Empty>(&path, &host, &invitation).await.unwrap();
    let list: AppointmentList = house.fetch("/v1/appointments", &host).await.unwrap();
    assert_eq!(list.appointments.len(), 1);
    assert_eq!(list.appointments[0].invitations[0].state, InvitationState::Made);

    request.host = None;
    let nobody = house.post::<Appointment>("/v1/appointments", &desk, &request).await;
    assert_eq!(nobody.unwrap_err(), ErrorCode::BadValue);
    assert_eq!(
        house.post::<Appointment>("/v1/appointments", &auditor, &request).await.unwrap_err(),
        ErrorCode::NotAllowed
    );
    let create = CreateUserRequest { name: "x".to_owned(), display: "x".to_owned(), role: StaffRole::Admin };
    for session in [&host, &desk, &auditor] {
        let refused = house.post::<CreateUserResponse>("/v1/users", session, &create).await;
        assert_eq!(refused.unwrap_err(), ErrorCode::NotAllowed);
    }
    assert_eq!(house.fetch::<AuditPage>("/v1/audit", &admin).await.unwrap_err(), ErrorCode::NotAllowed);
    let page: AuditPage = house.fetch("/v1/audit?after=1", &auditor).await.unwrap();
    assert_eq!(page.rows[0].seq, 2);
    assert!(page.rows.iter().any(|row| row.event == "invitation.created"));
    let verdict: AuditVerdict = house.fetch("/v1/audit/verify", &auditor).await.unwrap();
    assert!(verdict.broken_at.is_none() && verdict.rows > 10);
}

#[tokio::test]
async fn another_hosts_appointment_does_not_exist() {
    let practice = Practice::open().await;
    let house = &practice.house;
    // The owner's time of day moved on; the admin signs in again.
    let audit_path = format!("/v1/appointments/{}/cancel", practice.appointment.to_hex());
    let (mut host, _) = house.greet(&practice.session).await;
    host.say(&ClientMessage::OpenRoom { appointment: AppointmentId::from_bytes([9; 16]) }).await;
    assert_eq!(host.hear_error().await, ErrorCode::NotFound);
    house.post::<Empty>(&audit_path, &practice.session, &Empty {}).await.unwrap();
    host.say(&ClientMessage::OpenRoom { appointment: practice.appointment }).await;
    assert_eq!(host.hear_error().await, ErrorCode::AppointmentMoved);
}

#[tokio::test]
async fn the_database_holds_no_secret_in_clear() {
    let practice = Practice::open().await;
    practice.invite(1).await;
    let guest = practice.redeem(1).await.unwrap();
    let Practice { house, host, session, .. } = practice;
    let secret = totp_rs::Secret::try_from_base32(&host.totp).unwrap();
    let bootstrap = house.bootstrap_secret.expose().to_owned();
    let data = house.data;
    house.server.shutdown().await;
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(data.path()).unwrap() {
        bytes.extend(std::fs::read(entry.unwrap().path()).unwrap());
    }
    let holds = |needle: &[u8]| bytes.windows(needle.len()).any(|part| part == needle);
    assert!(holds(b"Practice on the Hill"), "the search works");
    for needle in [
        secret.as_bytes(),
        host.totp.as_bytes(),
        PASSPHRASE.as_bytes(),
        session.as_bytes(),
        guest.as_bytes(),
        bootstrap.as_bytes(),
        &token(1),
    ] {
        assert!(!holds(needle));
    }
}
