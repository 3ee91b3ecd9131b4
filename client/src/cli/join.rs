//! A computer that joins a practice which exists already: the account is checked with the server before keys are made.

use std::path::Path;

use signaling::protocol::{AuthStartRequest, InfoResponse, Secret, TicketResponse};

use super::ask::Ask;
use super::{JoinArgs, ServerArgs};
use crate::connection::Server;
use crate::error::ClientError;
use crate::keystore::{Keystore, login_secret};
use crate::settings::{Practice, Settings, encode};

/// Opens this computer's keystore, or sets the computer up for an account that exists.
pub(super) async fn open_or_join(
    folder: &Path,
    join: &JoinArgs,
    ask: &Ask,
) -> Result<(Keystore, Settings), ClientError> {
    if Keystore::is_set_up(folder) {
        let passphrase = ask.secret("Your passphrase")?;
        return Ok((Keystore::open(folder, &passphrase)?, Settings::load(folder)?));
    }
    let Some(server) = join.server() else {
        return Err(ClientError::Refused(
            "this computer is not set up yet: give --server and --pin of the practice's server as well",
        ));
    };
    let (connection, mut settings) = settings_for(folder, &server)?;
    let name = ask.line("Your sign-in name")?;
    let passphrase = ask.secret("Your passphrase")?;
    // A mistyped passphrase must not become the lock of new keys.
    first_factor(&connection, &name, &passphrase).await?;
    let keystore = Keystore::create_with(folder, &passphrase, join.lock.system().as_ref())?;
    settings.account = Some(name.as_str().to_owned());
    settings.save(folder)?;
    ask.say(keystore.protection().sentence())?;
    Ok((keystore, settings))
}

/// Asks the server whether name and passphrase belong together; the ticket runs out unless it is used.
pub(super) async fn first_factor(connection: &Server, name: &str, passphrase: &str) -> Result<Secret, ClientError> {
    let body = AuthStartRequest {
        name: name.to_owned(),
        passphrase: Secret::new(login_secret(name, passphrase)?.as_str().to_owned()),
    };
    let TicketResponse { ticket } = connection.post("/v1/auth/start", None, &body).await?;
    Ok(ticket)
}

/// The practice as the server knows it. The caller decides whether its key is the right one.
pub(super) async fn practice_of(connection: &Server) -> Result<Practice, ClientError> {
    let info: InfoResponse = connection.get("/v1/info", None).await?;
    let practice = info.practice.ok_or(ClientError::Refused("no practice was set up on that server yet"))?;
    Ok(Practice {
        name: practice.name,
        phone: practice.phone,
        public_key: encode(practice.public_key.as_bytes()),
        phone_signature: encode(practice.phone_signature.as_bytes()),
    })
}

/// Server of the arguments, with settings that name it.
pub(super) fn settings_for(folder: &Path, server: &ServerArgs) -> Result<(Server, Settings), ClientError> {
    let connection = Server::new(server.server.parse()?, server.pin.parse()?);
    let mut settings = Settings::load(folder)?;
    settings.server = Some(connection.address().to_string());
    settings.pin = Some(connection.pin().to_string());
    Ok((connection, settings))
}

/// What to say when a folder holds keys already.
pub(super) fn refuse_occupied(folder: &Path) -> Result<(), ClientError> {
    match Keystore::is_occupied(folder) {
        true => Err(ClientError::Refused(
            "this data folder holds keys already. If they do not open any more, move the folder away and try again",
        )),
        false => Ok(()),
    }
}
