//! Accounts: bootstrap, enrolment, second factor.

use sqlx::{Row as _, Sqlite, Transaction, sqlite::SqliteRow};

use super::{Store, id, seconds, unsigned};
use crate::{
    audit::Event,
    auth::{ENROL_TICKET_LIFE_S, ENROLMENT_LIFE_S, TokenHash},
    error::Error,
    protocol::{ErrorCode, PracticeInfo, StaffMember, StaffRole, UserId},
};

/// An account as sign-in needs it.
pub(crate) struct User {
    pub(crate) id: UserId,
    pub(crate) display: String,
    pub(crate) role: StaffRole,
    pub(crate) passphrase: Option<String>,
    pub(crate) totp_sealed: Option<Vec<u8>>,
    pub(crate) totp_confirmed: bool,
    enrol_hash: Option<Vec<u8>>,
    enrol_expires: u64,
}

/// What sets up the practice; checked and hashed before.
pub(crate) struct Bootstrap {
    pub(crate) practice: PracticeInfo,
    pub(crate) admin: UserId,
    pub(crate) admin_name: String,
    pub(crate) passphrase: String,
    pub(crate) totp_sealed: Vec<u8>,
    pub(crate) ticket: TokenHash,
}

/// An account to be made.
pub(crate) struct NewUser {
    pub(crate) user: UserId,
    pub(crate) name: String,
    pub(crate) display: String,
    pub(crate) role: StaffRole,
    pub(crate) enrolment: TokenHash,
}

const BOOTSTRAP_KEY: &str = "bootstrap";

const USER_BY_NAME: &str =
    "SELECT id, display, role, passphrase, totp_sealed, totp_confirmed, enrol_hash, enrol_expires
     FROM users WHERE name = ?";
const USER_BY_ID: &str = "SELECT id, display, role, passphrase, totp_sealed, totp_confirmed, enrol_hash, enrol_expires
     FROM users WHERE id = ?";

impl Store {
    /// Stores the hash of the one-time secret. Refused once an account is confirmed.
    pub(crate) async fn set_bootstrap(&self, hash: TokenHash) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        let users: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM users WHERE totp_confirmed = 1").fetch_one(&mut *tx).await?;
        if users > 0 {
            return Err(Error::Data("the practice is set up already"));
        }
        sqlx::query("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)")
            .bind(BOOTSTRAP_KEY)
            .bind(&hash.as_bytes()[..])
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Whether this is the one-time secret and it was not used up.
    pub(crate) async fn is_bootstrap(&self, hash: TokenHash) -> Result<bool, Error> {
        let stored: Option<Vec<u8>> = sqlx::query_scalar("SELECT value FROM meta WHERE key = ?")
            .bind(BOOTSTRAP_KEY)
            .fetch_optional(&self.read)
            .await?;
        Ok(stored.is_some_and(|stored| stored == hash.as_bytes()))
    }

    /// Sets up practice and first admin; repeatable until the admin's second factor is confirmed.
    pub(crate) async fn bootstrap(&self, secret: TokenHash, wanted: &Bootstrap, now: u64) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        // Asked again inside the transaction, so that two requests cannot both use it.
        let stored: Option<Vec<u8>> = sqlx::query_scalar("SELECT value FROM meta WHERE key = ?")
            .bind(BOOTSTRAP_KEY)
            .fetch_optional(&mut *tx)
            .await?;
        if stored.is_none_or(|stored| stored != secret.as_bytes()) {
            return Err(ErrorCode::WrongOneTimeSecret.into());
        }
        sqlx::query("DELETE FROM users WHERE totp_confirmed = 0").execute(&mut *tx).await?;
        let practice = &wanted.practice;
        sqlx::query(
            "INSERT OR REPLACE INTO practice (id, name, phone, public_key, phone_signature) VALUES (1,?,?,?,?)",
        )
        .bind(&practice.name)
        .bind(&practice.phone)
        .bind(practice.public_key.as_bytes())
        .bind(practice.phone_signature.as_bytes())
        .execute(&mut *tx)
        .await?;
        sqlx::query("INSERT INTO users (id, name, display, role, passphrase, totp_sealed) VALUES (?,?,?,?,?,?)")
            .bind(&wanted.admin.as_bytes()[..])
            .bind(wanted.admin_name.to_lowercase())
            .bind(&wanted.admin_name)
            .bind(role_name(StaffRole::Admin))
            .bind(&wanted.passphrase)
            .bind(&wanted.totp_sealed)
            .execute(&mut *tx)
            .await?;
        Self::put_ticket(&mut tx, wanted.ticket, &wanted.admin, "enrol", now + ENROL_TICKET_LIFE_S).await?;
        let event = Event::ok("policy.practice_created", wanted.admin.to_hex(), "admin", String::new());
        Self::append(&mut tx, &event).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Makes an account that waits for its owner.
    pub(crate) async fn create_user(&self, by: &UserId, wanted: &NewUser, now: u64) -> Result<(), Error> {
        let user = &wanted.user;
        let mut tx = self.begin().await?;
        let made = sqlx::query(
            "INSERT INTO users (id, name, display, role, enrol_hash, enrol_expires) VALUES (?,?,?,?,?,?)
             ON CONFLICT (name) DO NOTHING",
        )
        .bind(&user.as_bytes()[..])
        .bind(wanted.name.to_lowercase())
        .bind(&wanted.display)
        .bind(role_name(wanted.role))
        .bind(&wanted.enrolment.as_bytes()[..])
        .bind(seconds(now + ENROLMENT_LIFE_S))
        .execute(&mut *tx)
        .await?;
        if made.rows_affected() == 0 {
            return Err(ErrorCode::NameTaken.into());
        }
        let event = Event::ok("user.created", by.to_hex(), "admin", user.to_hex());
        Self::append(&mut tx, &event).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Looks an account up by its sign-in name, without regard to case.
    pub(crate) async fn user_by_name(&self, name: &str) -> Result<Option<User>, Error> {
        let row = sqlx::query(USER_BY_NAME).bind(name.to_lowercase()).fetch_optional(&self.read).await?;
        row.as_ref().map(user).transpose()
    }

    /// Looks an account up.
    pub(crate) async fn user(&self, user_id: &UserId) -> Result<Option<User>, Error> {
        let row = sqlx::query(USER_BY_ID).bind(&user_id.as_bytes()[..]).fetch_optional(&self.read).await?;
        row.as_ref().map(user).transpose()
    }

    /// Sets passphrase and an unconfirmed second factor of a new account.
    pub(crate) async fn enrol(
        &self,
        user: &UserId,
        passphrase: &str,
        totp_sealed: &[u8],
        ticket: TokenHash,
        now: u64,
    ) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        sqlx::query("UPDATE users SET passphrase = ?, totp_sealed = ? WHERE id = ? AND totp_confirmed = 0")
            .bind(passphrase)
            .bind(totp_sealed)
            .bind(&user.as_bytes()[..])
            .execute(&mut *tx)
            .await?;
        Self::put_ticket(&mut tx, ticket, user, "enrol", now + ENROL_TICKET_LIFE_S).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Confirms the second factor with the step of its first code; one-time secrets are used up by that.
    pub(crate) async fn confirm_factor(&self, user: &UserId, step: u64, ticket: TokenHash) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        let confirmed = sqlx::query(
            "UPDATE users SET totp_confirmed = 1, totp_last_step = ?, enrol_hash = NULL WHERE id = ? AND totp_confirmed = 0",
        )
        .bind(seconds(step))
        .bind(&user.as_bytes()[..])
        .execute(&mut *tx)
        .await?;
        if confirmed.rows_affected() == 0 {
            return Err(ErrorCode::SessionEnded.into());
        }
        sqlx::query("DELETE FROM tickets WHERE hash = ? OR (user_id = ? AND purpose = 'enrol')")
            .bind(&ticket.as_bytes()[..])
            .bind(&user.as_bytes()[..])
            .execute(&mut *tx)
            .await?;
        // The first confirmed account is the admin of the bootstrap.
        sqlx::query("DELETE FROM meta WHERE key = ?").bind(BOOTSTRAP_KEY).execute(&mut *tx).await?;
        let event = Event::ok("auth.factor_enrolled", user.to_hex(), "staff", String::new());
        Self::append(&mut tx, &event).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Uses a step up. Refused with `AUTH-06` unless it is greater than the last one.
    pub(super) async fn use_step(tx: &mut Transaction<'static, Sqlite>, user: &UserId, step: u64) -> Result<(), Error> {
        let used = sqlx::query("UPDATE users SET totp_last_step = ? WHERE id = ? AND totp_last_step < ?")
            .bind(seconds(step))
            .bind(&user.as_bytes()[..])
            .bind(seconds(step))
            .execute(&mut **tx)
            .await?;
        if used.rows_affected() == 0 {
            return Err(ErrorCode::CodeReplayed.into());
        }
        Ok(())
    }

    /// All accounts, by display name.
    pub(crate) async fn staff(&self) -> Result<Vec<StaffMember>, Error> {
        let rows = sqlx::query("SELECT id, display, role, totp_confirmed FROM users ORDER BY display LIMIT 1000");
        let rows = rows.fetch_all(&self.read).await?;
        let member = |row: &SqliteRow| {
            Ok(StaffMember {
                user: UserId::from_bytes(id(row, 0)?),
                display: row.try_get(1)?,
                role: role_of(row.try_get(2)?)?,
                enrolled: row.try_get(3)?,
            })
        };
        rows.iter().map(member).collect()
    }
}

impl User {
    /// Whether this is the account's enrolment secret and still valid.
    pub(crate) fn is_enrolment(&self, hash: TokenHash, now: u64) -> bool {
        now < self.enrol_expires && self.enrol_hash.as_deref().is_some_and(|stored| stored == hash.as_bytes())
    }
}

/// A role as the database and the audit write it.
pub(crate) const fn role_name(role: StaffRole) -> &'static str {
    match role {
        StaffRole::Admin => "admin",
        StaffRole::Auditor => "auditor",
        StaffRole::FrontDesk => "front_desk",
        StaffRole::Host => "host",
    }
}

pub(super) fn role_of(name: &str) -> Result<StaffRole, Error> {
    let roles = [StaffRole::Admin, StaffRole::Auditor, StaffRole::FrontDesk, StaffRole::Host];
    roles.into_iter().find(|role| role_name(*role) == name).ok_or(Error::Data("a role in the database is unknown"))
}

fn user(row: &SqliteRow) -> Result<User, Error> {
    Ok(User {
        id: UserId::from_bytes(id(row, 0)?),
        display: row.try_get(1)?,
        role: role_of(row.try_get(2)?)?,
        passphrase: row.try_get(3)?,
        totp_sealed: row.try_get(4)?,
        totp_confirmed: row.try_get(5)?,
        enrol_hash: row.try_get(6)?,
        enrol_expires: unsigned(row, 7)?,
    })
}
