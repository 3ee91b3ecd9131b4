//! Setting up the practice and its accounts.

use std::path::Path;

use crypto::PracticeKey;
use signaling::protocol::{
    AuthStartRequest, BootstrapRequest, CodeRequest, CreateUserRequest, CreateUserResponse, Empty, EnrolRequest,
    EnrolResponse, Opaque, Secret, SessionResponse, StaffRole, TicketResponse,
};

use super::ServerArgs;
use super::ask::Ask;
use crate::connection::Server;
use crate::error::ClientError;
use crate::keystore::{Item, Keystore, login_secret};
use crate::settings::{Practice, Settings, encode};

/// Makes the practice key on this computer, registers its public part and the first admin.
pub(super) async fn init(folder: &Path, server: &ServerArgs, ask: &Ask) -> Result<(), ClientError> {
    let (connection, mut settings) = settings_for(folder, server)?;
    let one_time_secret = ask.secret("One-time secret of the server")?;
    let name = ask.line("Name of the practice")?;
    let phone = ask.line("Phone of the practice")?;
    let admin = ask.line("Sign-in name for you")?;
    let passphrase = ask.new_passphrase()?;

    let keystore = Keystore::open_or_create(folder, &passphrase)?;
    // A repeated set-up keeps the key: links that are out already name it.
    let key = if keystore.holds(Item::PracticeKey) {
        PracticeKey::from_pkcs8(&keystore.load(Item::PracticeKey)?)?
    } else {
        let (key, pkcs8) = PracticeKey::generate()?;
        keystore.store(Item::PracticeKey, &pkcs8)?;
        key
    };
    let signature = key.sign_phone(&phone)?;
    let body = BootstrapRequest {
        secret: Secret::new(one_time_secret.as_str().to_owned()),
        practice_name: name.as_str().to_owned(),
        practice_phone: phone.as_str().to_owned(),
        practice_public_key: Opaque::new(key.public().as_bytes().to_vec()),
        phone_signature: Opaque::new(signature.clone()),
        admin_name: admin.as_str().to_owned(),
        passphrase: Secret::new(login_secret(&admin, &passphrase)?.as_str().to_owned()),
    };
    let enrolled: EnrolResponse = connection.post("/v1/bootstrap", None, &body).await?;
    settings.practice = Some(Practice {
        name: name.as_str().to_owned(),
        phone: phone.as_str().to_owned(),
        public_key: encode(key.public().as_bytes()),
        phone_signature: encode(&signature),
    });
    settings.account = Some(admin.as_str().to_owned());
    settings.save(folder)?;
    confirm(&connection, &enrolled, ask).await?;
    ask.say("The practice is set up. Its key lies on this computer only: keep this computer's data folder safe.")?;
    ask.say("Next: `quietroom staff add` makes an account for each colleague.")
}

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

    let body = AuthStartRequest {
        name: account.to_owned(),
        passphrase: Secret::new(login_secret(account, &passphrase)?.as_str().to_owned()),
    };
    let TicketResponse { ticket } = connection.post("/v1/auth/start", None, &body).await?;
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
pub(super) async fn enrol(folder: &Path, server: &ServerArgs, ask: &Ask) -> Result<(), ClientError> {
    let (connection, mut settings) = settings_for(folder, server)?;
    let name = ask.line("Your sign-in name")?;
    let secret = ask.secret("Enrolment secret")?;
    let passphrase = ask.new_passphrase()?;
    drop(Keystore::open_or_create(folder, &passphrase)?);
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
    ask.say("Next, to host consultations from this computer: `quietroom device request`.")
}

/// The second factor, shown once and proven with a code before it counts.
async fn confirm(connection: &Server, enrolled: &EnrolResponse, ask: &Ask) -> Result<(), ClientError> {
    ask.say(&format!("authenticator secret: {}", enrolled.totp_secret.expose()))?;
    ask.say(&format!("authenticator address: {}", enrolled.totp_uri.expose()))?;
    ask.say("Put it into your authenticator now. It is not shown again.")?;
    let code = ask.line("Code of the authenticator")?;
    let body = CodeRequest { ticket: Secret::new(enrolled.ticket.expose().to_owned()), code: digits(&code) };
    let _confirmed: Empty = connection.post("/v1/enrol/confirm", None, &body).await?;
    ask.say("The second factor works. The code was used up: the next sign-in takes the next one.")
}

/// Server of the arguments, tried once, with settings that name it.
fn settings_for(folder: &Path, server: &ServerArgs) -> Result<(Server, Settings), ClientError> {
    let connection = Server::new(server.server.parse()?, server.pin.parse()?);
    let mut settings = Settings::load(folder)?;
    settings.server = Some(connection.address().to_string());
    settings.pin = Some(connection.pin().to_string());
    Ok((connection, settings))
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
