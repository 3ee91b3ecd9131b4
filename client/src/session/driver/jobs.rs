//! Requests of the session: the keystore and the server's REST calls.

use std::path::PathBuf;
use std::sync::Arc;

use crypto::{DeviceKey, OwnedInvitation, PracticeFingerprint, PracticeSuccession};
use signaling::protocol::{
    Appointment, AppointmentList, AuthStartRequest, BookRequest, CertificatesResponse, CodeRequest, Empty,
    InfoResponse, JoinLookupRequest, JoinLookupResponse, JoinRedeemRequest, JoinRedeemResponse, Opaque,
    PutCertificateRequest, RoomsResponse, Secret, SessionResponse, TicketResponse, UnixSeconds,
};
use zeroize::Zeroizing;

use super::{Done, Driver};
use crate::Private;
use crate::connection::{Server, ServerPin};
use crate::keystore::{Item, Keystore, KeystoreError, login_secret};
use crate::session::{Day, Endpoint, ErrorCode, HostIdentity, Input, Refusal, Reply, Request, Unlocked};
use crate::settings::Settings;

/// A record is kept this long after its invitation expired, in seconds: what people ask about in the week after.
const KEPT_S: u64 = 7 * 86_400;
/// Length of an appointment until the booking page asks for it.
const MINUTES: u16 = 30;

impl Driver {
    /// Does a request beside the driver; its answer comes back as an input.
    pub(super) fn start_job(&mut self, number: u64, request: Request) {
        let done = self.done_sender.clone();
        let folder = self.config.folder.clone();
        let keystore = keystore_for(&mut self.keystore, &request);
        if let Request::SignIn { .. } = &request {
            self.server = Settings::load(&folder).ok().and_then(|settings| settings.server().ok());
        }
        let server = self.server.clone();
        tokio::spawn(async move {
            let reply = match request {
                Request::SignIn { name, passphrase } => {
                    let (keystore, reply) = sign_in(folder, server, name, passphrase).await;
                    if let Some(keystore) = keystore {
                        done.send(Done::Keystore(keystore)).await.ok();
                    }
                    Reply::Ticket(reply)
                }
                request => perform(request, server, keystore).await,
            };
            // Without a driver nobody waits for it.
            done.send(Done::Input(Input::Reply(number, reply))).await.ok();
        });
    }
}

/// The open keystore for a request. Signing in or out closes it at once: its key is wiped before the server is asked.
fn keystore_for(open: &mut Option<Arc<Keystore>>, request: &Request) -> Option<Arc<Keystore>> {
    if matches!(request, Request::SignIn { .. } | Request::SignOut { .. }) {
        *open = None;
    }
    open.clone()
}

async fn perform(request: Request, server: Option<Server>, keystore: Option<Arc<Keystore>>) -> Reply {
    let staff = server.ok_or_else(|| Refusal::from(ErrorCode::Key01));
    match request {
        Request::SignIn { .. } => Reply::Ticket(Err(ErrorCode::Key01.into())),
        Request::SecondFactor { ticket, code } => Reply::SignedIn(match staff {
            Ok(server) => second_factor(&server, ticket, &code).await.map(Box::new),
            Err(refusal) => Err(refusal),
        }),
        Request::SignOut { token } => Reply::Done(match staff {
            Ok(server) => empty(server.post("/v1/auth/logout", Some(&token), &Empty {}).await),
            Err(refusal) => Err(refusal),
        }),
        Request::Appointments { token, lay_out } => Reply::Appointments(match staff {
            Ok(server) => day(&server, &token, lay_out).await,
            Err(refusal) => Err(refusal),
        }),
        Request::Book { token, label, starts_at } => Reply::Done(match staff {
            Ok(server) => {
                let body = BookRequest { label, starts_at: UnixSeconds(starts_at), duration_min: MINUTES, host: None };
                let booked = server.post::<_, Appointment>("/v1/appointments", Some(&token), &body).await;
                booked.map(|_appointment| ()).map_err(Refusal::from)
            }
            Err(refusal) => Err(refusal),
        }),
        Request::RegisterInvitation { token, appointment, record, request } => {
            let (Ok(server), Some(keystore)) = (staff, keystore) else {
                return Reply::Registered(Err(ErrorCode::Key01.into()));
            };
            let invite = *request.invite_id.as_bytes();
            // On disk first: a link that nobody could answer must not be handed out.
            let stored = tokio::task::spawn_blocking(move || keystore.store_invitation(&invite, &record)).await;
            if !matches!(stored, Ok(Ok(()))) {
                return Reply::Registered(Err(ErrorCode::Key03.into()));
            }
            let path = format!("/v1/appointments/{}/invitations", appointment.to_hex());
            Reply::Registered(empty(server.post(&path, Some(&token), &request).await))
        }
        Request::Revoke { token, invite } => Reply::Done(match staff {
            Ok(server) => {
                let path = format!("/v1/invitations/{}/revoke", invite.to_hex());
                empty(server.post(&path, Some(&token), &Empty {}).await)
            }
            Err(refusal) => Err(refusal),
        }),
        Request::Lookup { endpoint, invite } => Reply::Lookup(match guest_server(&endpoint) {
            Ok(server) => {
                let body = JoinLookupRequest { invite_id: invite };
                let answer = server.post::<_, JoinLookupResponse>("/v1/join/lookup", None, &body).await;
                answer.map(Box::new).map_err(Refusal::from)
            }
            Err(refusal) => Err(refusal),
        }),
        Request::Redeem { endpoint, invite, lobby_token } => Reply::Redeemed(match guest_server(&endpoint) {
            Ok(server) => {
                let body =
                    JoinRedeemRequest { invite_id: invite, lobby_token: Secret::new(lobby_token.as_str().to_owned()) };
                server.post::<_, JoinRedeemResponse>("/v1/join/redeem", None, &body).await.map_err(Refusal::from)
            }
            Err(refusal) => Err(refusal),
        }),
    }
}

fn empty(answer: Result<Empty, crate::connection::RestError>) -> Result<(), Refusal> {
    answer.map(|_empty| ()).map_err(Refusal::from)
}

fn guest_server(endpoint: &Endpoint) -> Result<Server, Refusal> {
    let address = endpoint.address.parse().map_err(|_address| Refusal::from(ErrorCode::Inv01))?;
    Ok(Server::new(address, ServerPin(endpoint.pin)))
}

async fn day(server: &Server, token: &str, lay_out: Option<Vec<u8>>) -> Result<Day, Refusal> {
    let list: AppointmentList = server.get("/v1/appointments", Some(token)).await?;
    let laid_out = match lay_out {
        Some(certificate) => {
            let body = PutCertificateRequest { certificate: Opaque::new(certificate) };
            server.post::<_, Empty>("/v1/certificates", Some(token), &body).await.is_ok()
        }
        None => true,
    };
    // Not for everybody: who may not visit rooms sees none, and needs no deputies.
    let rooms = server.get::<RoomsResponse>("/v1/rooms", Some(token)).await.map(|answer| answer.rooms);
    let certificates = server.get::<CertificatesResponse>("/v1/certificates", Some(token)).await;
    Ok(Day {
        appointments: list.appointments,
        rooms: rooms.unwrap_or_default(),
        certificates: certificates.map(|answer| answer.certificates).unwrap_or_default(),
        laid_out,
    })
}

async fn second_factor(server: &Server, ticket: Secret, code: &str) -> Result<SessionResponse, Refusal> {
    let digits: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    let body = CodeRequest { ticket, code: Secret::new(digits) };
    Ok(server.post("/v1/auth/totp", None, &body).await?)
}

/// What the passphrase opens on this computer.
struct Opened {
    keystore: Option<Arc<Keystore>>,
    host: Option<HostIdentity>,
    invitations: Vec<OwnedInvitation>,
}

async fn sign_in(
    folder: PathBuf,
    server: Option<Server>,
    name: Private,
    passphrase: Private,
) -> (Option<Arc<Keystore>>, Result<Box<Unlocked>, Refusal>) {
    let Some(server) = server else { return (None, Err(ErrorCode::Key01.into())) };
    let local = {
        let (folder, name, passphrase) = (folder, name.clone(), passphrase);
        tokio::task::spawn_blocking(move || {
            let secret = login_secret(&name, &passphrase)?;
            let opened = open(&folder, &passphrase);
            remember_account(&folder, &name);
            Ok::<_, KeystoreError>((secret, opened))
        })
        .await
    };
    let Ok(Ok((secret, opened))) = local else { return (None, Err(ErrorCode::Key03.into())) };
    // The server is asked in any case: a wrong passphrase is then told by it, counted, and in the same words.
    let ticket = match ticket(&server, &name, &secret).await {
        Ok(ticket) => ticket,
        Err(refusal) => return (None, Err(refusal)),
    };
    let Opened { keystore, host, invitations } = match opened {
        Ok(opened) => opened,
        Err(error) => {
            tracing::warn!(%error, "the keystore did not open");
            return (None, Err(error.code().into()));
        }
    };
    let host = match current(&server, host).await {
        Ok(host) => host,
        Err(refusal) => return (None, Err(refusal)),
    };
    let endpoint = Endpoint { address: server.address().to_string(), pin: server.pin().0 };
    (keystore, Ok(Box::new(Unlocked { ticket, endpoint, host, invitations })))
}

async fn ticket(server: &Server, name: &str, secret: &Zeroizing<String>) -> Result<Secret, Refusal> {
    let body = AuthStartRequest { name: name.trim().to_owned(), passphrase: Secret::new(secret.as_str().to_owned()) };
    Ok(server.post::<_, TicketResponse>("/v1/auth/start", None, &body).await?.ticket)
}

/// The host's identity, unless the practice key was replaced: then its certificate has ended, and so have its invitations.
async fn current(server: &Server, host: Option<HostIdentity>) -> Result<Option<HostIdentity>, Refusal> {
    let Some(host) = host else { return Ok(None) };
    let info: InfoResponse = server.get("/v1/info", None).await?;
    let names_it = info.practice.is_some_and(|practice| practice.public_key.as_bytes() == host.practice.as_bytes());
    if !names_it {
        tracing::warn!("the server names another practice key than this computer's: it cannot host");
    }
    Ok(names_it.then_some(host))
}

/// Opens the keystore; without one the account signs in, but cannot host.
fn open(folder: &std::path::Path, passphrase: &str) -> Result<Opened, KeystoreError> {
    if !Keystore::is_set_up(folder) {
        return Ok(Opened { keystore: None, host: None, invitations: Vec::new() });
    }
    let keystore = Keystore::open(folder, passphrase)?;
    let host = match host_identity(folder, &keystore) {
        Ok(host) => host,
        Err(error) => {
            // The account still signs in; without a device it cannot open a room, and the list says so.
            tracing::warn!(%error, "this computer cannot host");
            None
        }
    };
    let mut invitations = invitations(&keystore, unix())?;
    if let Some(host) = &host {
        let succession = Settings::load(folder).and_then(|settings| settings.succession()).unwrap_or_default();
        follow(&keystore, &host.practice.fingerprint(), succession.as_ref(), &mut invitations)?;
    }
    Ok(Opened { keystore: Some(Arc::new(keystore)), host, invitations })
}

/// The records of invitations; those long expired are deleted first.
fn invitations(keystore: &Keystore, now: u64) -> Result<Vec<OwnedInvitation>, KeystoreError> {
    let mut kept = Vec::new();
    for record in keystore.invitations()? {
        match OwnedInvitation::decode(&record) {
            Ok(invitation) if is_over(&invitation, now) => {
                keystore.forget_invitation(invitation.invite_id().as_bytes())?;
            }
            Ok(invitation) => kept.push(invitation),
            Err(error) => tracing::warn!(%error, "a record of an invitation was left out"),
        }
    }
    Ok(kept)
}

/// Invitations made under a former practice key go on where that key names this one, and end where it does not.
fn follow(
    keystore: &Keystore,
    practice: &PracticeFingerprint,
    succession: Option<&PracticeSuccession>,
    invitations: &mut Vec<OwnedInvitation>,
) -> Result<(), KeystoreError> {
    let mut kept = Vec::new();
    for mut invitation in invitations.drain(..) {
        let id = *invitation.invite_id().as_bytes();
        if invitation.practice() == *practice {
            kept.push(invitation);
        } else if succession.is_some_and(|statement| invitation.succeed(statement).is_ok())
            && invitation.practice() == *practice
        {
            keystore.store_invitation(&id, &invitation.encode())?;
            kept.push(invitation);
        } else {
            keystore.forget_invitation(&id)?;
        }
    }
    *invitations = kept;
    Ok(())
}

/// Nothing can come of it any more. A used one stays as long as an unused one: after a crash of the host its guest proves
/// itself by the same link and code.
fn is_over(invitation: &OwnedInvitation, now: u64) -> bool {
    now > invitation.expires_at().saturating_add(KEPT_S)
}

fn unix() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn host_identity(
    folder: &std::path::Path,
    keystore: &Keystore,
) -> Result<Option<HostIdentity>, crate::settings::SettingsError> {
    if !keystore.holds(Item::DeviceKey) {
        return Ok(None);
    }
    let settings = Settings::load(folder)?;
    let practice = settings.practice()?;
    let key = practice.verified_key()?;
    let certificate = settings.certificate()?;
    certificate.verify(&key, unix())?;
    let deny_list = settings.deny_list(&key, unix())?;
    if deny_list.as_ref().is_some_and(|list| list.denies(&certificate)) {
        return Err(crypto::IdentityError::Denied.into());
    }
    let device = DeviceKey::from_bytes(&keystore.load(Item::DeviceKey)?)?;
    Ok(Some(HostIdentity {
        device,
        certificate,
        deny_list,
        practice: key,
        practice_name: practice.name.clone(),
        practice_phone: practice.phone.clone(),
        phone_signature: practice.signature()?,
    }))
}

fn remember_account(folder: &std::path::Path, name: &str) {
    let saved = Settings::load(folder).and_then(|mut settings| {
        if settings.account.as_deref() == Some(name) {
            return Ok(());
        }
        settings.account = Some(name.to_owned());
        settings.save(folder)
    });
    if let Err(error) = saved {
        tracing::warn!(%error, "the account's name was not remembered");
    }
}

#[cfg(test)]
mod tests {
    use crypto::{CallMode, CallRole, InvitationTerms, PracticeKey};

    use super::*;

    fn invitation(expires_at: u64) -> OwnedInvitation {
        let (practice, _) = PracticeKey::generate().unwrap();
        let terms = InvitationTerms {
            server: "127.0.0.1:1".into(),
            server_pin: [0; 32],
            practice: practice.public(),
            practice_phone: "02 5550 0000".into(),
            phone_signature: practice.sign_phone("02 5550 0000").unwrap(),
            role: CallRole::Patient,
            mode: CallMode::Real,
            least_deny_list: 0,
            not_before: 1,
            expires_at,
            appointment: String::new(),
        };
        OwnedInvitation::create(terms).unwrap().0
    }

    #[test]
    fn records_long_expired_are_deleted_when_the_keystore_opens() {
        let folder = tempfile::tempdir().unwrap();
        let keystore = Keystore::create(folder.path(), "p").unwrap();
        let mut used = invitation(KEPT_S);
        used.consume();
        let (old, recent) = (invitation(100), invitation(KEPT_S));
        for record in [&used, &old, &recent] {
            keystore.store_invitation(record.invite_id().as_bytes(), &record.encode()).unwrap();
        }
        let left = |now| {
            let mut ids: Vec<_> = invitations(&keystore, now).unwrap().iter().map(OwnedInvitation::invite_id).collect();
            ids.sort();
            ids
        };
        assert_eq!(left(100 + KEPT_S).len(), 3, "seven days are not over");
        let mut stay = vec![used.invite_id(), recent.invite_id()];
        stay.sort();
        assert_eq!(left(101 + KEPT_S), stay);
        assert_eq!(keystore.invitations().unwrap().len(), 2, "the file is gone as well");
    }

    #[test]
    fn signing_out_wipes_the_open_keystore_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut open = Some(Arc::new(Keystore::create(folder.path(), "p").unwrap()));
        let alive = Arc::downgrade(open.as_ref().unwrap());
        let token = Private::from("token");
        assert!(keystore_for(&mut open, &Request::Appointments { token: token.clone(), lay_out: None }).is_some());
        assert!(alive.upgrade().is_some());
        assert!(keystore_for(&mut open, &Request::SignOut { token }).is_none());
        assert!(alive.upgrade().is_none());
    }
}
