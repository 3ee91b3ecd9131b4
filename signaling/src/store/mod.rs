//! State that outlives the process, in one SQLite file.
//!
//! One connection writes, with `BEGIN IMMEDIATE`, so that no transaction fails half-way for want of the lock; a few read.
//! WAL with `synchronous = FULL`: what was acknowledged survives a power cut. Each change and its audit row are one
//! transaction. Methods take `now` (Unix seconds) and return refusals as [`Error::Refused`].

mod appointments;
mod certificates;
mod invitations;
mod practice;
mod sessions;
#[cfg(test)]
mod tests;
mod throttle;
mod trail;
mod users;

use std::{path::Path, time::Duration};

use sqlx::{
    Row as _, Sqlite, SqlitePool, Transaction,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous},
};

pub(crate) use self::{
    invitations::redeemable,
    sessions::{Holder, Session},
    throttle::Counted,
    users::{Bootstrap, NewUser, User},
};
use crate::error::Error;

/// Readers besides the one writer.
const READERS: u32 = 4;

/// Most keys whose tries are remembered over a sweep. Lower lets a flood of names wipe a lock sooner.
const MAX_COUNTED: i64 = 100_000;

/// The database.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    read: SqlitePool,
    write: SqlitePool,
}

impl Store {
    /// Opens the file, makes it when it is missing and wanted, and brings it to this version.
    pub(crate) async fn open(file: &Path, create: bool) -> Result<Self, Error> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(create)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5))
            .pragma("secure_delete", "ON");
        let write = SqlitePoolOptions::new().max_connections(1).connect_with(options.clone()).await?;
        sqlx::migrate!("./migrations").run(&write).await?;
        let read = SqlitePoolOptions::new().max_connections(READERS).connect_with(options.read_only(true)).await?;
        Ok(Self { read, write })
    }

    /// Closes all connections; the WAL goes into the file.
    pub(crate) async fn close(&self) {
        self.read.close().await;
        self.write.close().await;
    }

    /// Deletes what is over: sessions, tickets, old tries and old certificates.
    pub(crate) async fn sweep(&self, now: u64) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        let idle = seconds(now.saturating_sub(crate::auth::IDLE_S));
        sqlx::query("DELETE FROM sessions WHERE expires <= ? OR last_seen <= ?")
            .bind(seconds(now))
            .bind(idle)
            .execute(&mut *tx)
            .await?;
        Self::sweep_certificates(&mut tx, now).await?;
        sqlx::query("DELETE FROM tickets WHERE expires <= ?").bind(seconds(now)).execute(&mut *tx).await?;
        sqlx::query("DELETE FROM throttle WHERE last_try <= ?")
            .bind(seconds(crate::auth::Tries::stale_before(now)))
            .execute(&mut *tx)
            .await?;
        // Names that nobody has are counted too, so that their number needs a bound: the stalest go first.
        sqlx::query(
            "DELETE FROM throttle WHERE rowid IN (SELECT rowid FROM throttle ORDER BY last_try DESC LIMIT -1 OFFSET ?)",
        )
        .bind(MAX_COUNTED)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    async fn begin(&self) -> Result<Transaction<'static, Sqlite>, Error> {
        Ok(self.write.begin_with("BEGIN IMMEDIATE").await?)
    }
}

/// SQLite has signed integers only; no time here comes near the border.
fn seconds(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Reads a non-negative integer.
fn unsigned(row: &SqliteRow, column: usize) -> Result<u64, Error> {
    let value: i64 = row.try_get(column)?;
    u64::try_from(value).or(Err(Error::Data("a number in the database is negative")))
}

/// Reads an id.
fn id(row: &SqliteRow, column: usize) -> Result<[u8; 16], Error> {
    let bytes: Vec<u8> = row.try_get(column)?;
    bytes.try_into().or(Err(Error::Data("an id in the database has the wrong length")))
}
