//! Tries in the database, so that a restart forgives nothing.

use sqlx::Row as _;

use super::{Store, seconds, unsigned};
use crate::{
    auth::{Lock, TokenHash, Tries},
    error::Error,
    protocol::ErrorCode,
};

/// What tries are counted against. Keys are hashed: a name that somebody typed is not stored.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Counted<'a> {
    /// Passphrases of a name, known or not.
    Name(&'a str),
    /// Codes of an account.
    Code(&'a [u8; 16]),
    /// Enrolment secrets of a name, and the bootstrap.
    Enrolment(&'a str),
    /// Lobby tokens of an invitation, known or not.
    Token(&'a [u8; 16]),
}

impl Counted<'_> {
    fn key(self) -> TokenHash {
        let (kind, what) = match self {
            Self::Name(name) => (b"name:", name.as_bytes()),
            Self::Code(user) => (b"code:", &user[..]),
            Self::Enrolment(name) => (b"enro:", name.as_bytes()),
            Self::Token(invitation) => (b"tokn:", &invitation[..]),
        };
        TokenHash::of_bytes(&[&kind[..], what].concat())
    }
}

impl Store {
    /// Spends a try, durably, before the work. Refuses with `AUTH-02` while locked.
    pub(crate) async fn spend_try(&self, counted: Counted<'_>, now: u64) -> Result<(), Error> {
        let key = counted.key();
        let mut tx = self.begin().await?;
        let row = sqlx::query("SELECT tries, locks, locked_until, last_try FROM throttle WHERE key = ?")
            .bind(&key.as_bytes()[..])
            .fetch_optional(&mut *tx)
            .await?;
        let before = match row {
            Some(row) => Tries {
                tries: row.try_get(0)?,
                locks: row.try_get(1)?,
                locked_until: unsigned(&row, 2)?,
                last_try: unsigned(&row, 3)?,
            },
            None => Tries::default(),
        };
        let spent = match before.spend(now) {
            Ok(spent) => spent,
            Err(Lock(seconds)) => return Err(Error::later(ErrorCode::TooManyTries, seconds)),
        };
        sqlx::query("INSERT OR REPLACE INTO throttle (key, tries, locks, locked_until, last_try) VALUES (?,?,?,?,?)")
            .bind(&key.as_bytes()[..])
            .bind(spent.tries)
            .bind(spent.locks)
            .bind(seconds(spent.locked_until))
            .bind(seconds(spent.last_try))
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Forgets the tries after a success.
    pub(crate) async fn forgive(&self, counted: Counted<'_>) -> Result<(), Error> {
        let key = counted.key();
        sqlx::query("DELETE FROM throttle WHERE key = ?").bind(&key.as_bytes()[..]).execute(&self.write).await?;
        Ok(())
    }
}
