//! Accounts of the staff.

use std::path::Path;

use signaling::protocol::{
    CodeRequest, CreateUserRequest, CreateUserResponse, Empty, EnrolRequest, EnrolResponse, Secret, SessionResponse,
    StaffRole,
};

use super::ask::Ask;
use super::join::{self, settings_for};
use super::{LockArgs, ServerArgs};
use crate::connection::Server;
use crate::error::ClientError;
use crate::keystore::{Keystore, login_secret};
use crate::settings::Settings;

/// Makes an account for a colleague.
pub(super) async fn add(folder: &Path, ask: &Ask) -> Result<(), ClientError> {
    let settings = Settings::load(folder)?;
    let connection = settings.server()?;
    let account = settings.account.as_deref().ok_or(ClientError::Invalid("this computer's account"))?;
    let passphrase = ask.secret("Your passphrase")?;
    let code = ask.line("Code of your authenticator")?;
    let name = ask.line("Sign-in name of the new account")?;
    let display = ask.line("Name that colleagues and patients see")?;
    let role = role(&ask.line("Role (host, front_desk, admin or auditor)")?)?;

    let ticket = join::first_factor(&connection, account, &passphrase).await?;
    let body = CodeRequest { ticket, code: digits(&code) };
    let session: SessionResponse = connection.post("/v1/auth/totp", None, &body).await?;
    let token = session.session.expose();
    let body = CreateUserRequest { name: name.as_str().to_owned(), display: display.as_str().to_owned(), role };
    let created: Result<CreateUserResponse, _> = connection.post("/v1/users", Some(token), &body).await;
    let signed_out: Result<Empty, _> = connection.post("/v1/auth/logout", Some(token), &Empty {}).await;
    if let Err(error) = signed_out {
        tracing::warn!(%error, "signing out failed; the session ends by itself");
    }
    ask.say(&format!("enrolment secret: {}", created?.enrolment_secret.expose()))?;
    ask.say("Give it to your colleague in person, with the server's address and pin.")?;
    ask.say("Next, on the colleague's computer: `quietroom staff enrol`.")
}

/// Takes a new account over.
pub(super) async fn enrol(folder: &Path, server: &ServerArgs, lock: &LockArgs, ask: &Ask) -> Result<(), ClientError> {
    let (connection, mut settings) = settings_for(folder, server)?;
    let name = ask.line("Your sign-in name")?;
    let secret = ask.secret("Enrolment secret")?;
    let passphrase = ask.new_passphrase()?;
    let protection = Keystore::open_or_create(folder, &passphrase, lock.system().as_ref())?.protection();
    let body = EnrolRequest {
        name: name.as_str().to_owned(),
        enrolment_secret: Secret::new(secret.as_str().to_owned()),
        passphrase: Secret::new(login_secret(&name, &passphrase)?.as_str().to_owned()),
    };
    let enrolled: EnrolResponse = connection.post("/v1/enrol", None, &body).await?;
    settings.account = Some(name.as_str().to_owned());
    settings.save(folder)?;
    confirm(&connection, &enrolled, ask).await?;
    ask.say("Your account is ready.")?;
    ask.say(protection.sentence())?;
    ask.say("Next, to host consultations from this computer: `quietroom device request`.")
}

/// The second factor, shown once and proven with a code before it counts.
pub(super) async fn confirm(connection: &Server, enrolled: &EnrolResponse, ask: &Ask) -> Result<(), ClientError> {
    ask.say(&format!("authenticator secret: {}", enrolled.totp_secret.expose()))?;
    ask.say(&format!("authenticator address: {}", enrolled.totp_uri.expose()))?;
    ask.say("Put it into your authenticator now. It is not shown again.")?;
    let code = ask.line("Code of the authenticator")?;
    let body = CodeRequest { ticket: Secret::new(enrolled.ticket.expose().to_owned()), code: digits(&code) };
    let _confirmed: Empty = connection.post("/v1/enrol/confirm", None, &body).await?;
    ask.say("The second factor works. The code was used up: the next sign-in takes the next one.")
}

fn digits(code: &str) -> Secret {
    Secret::new(code.chars().filter(|c| !c.is_whitespace()).collect())
}

fn role(text: &str) -> Result<StaffRole, ClientError> {
    Ok(match text {
        "host" => StaffRole::Host,
        "front_desk" => StaffRole::FrontDesk,
        "admin" => StaffRole::Admin,
        "auditor" => StaffRole::Auditor,
        _ => return Err(ClientError::Invalid("the role")),
    })
}
