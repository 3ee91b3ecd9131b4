//! The audit in the database: append within a transaction, read, verify.

use std::time::{SystemTime, UNIX_EPOCH};

use sqlx::{Row as _, Sqlite, Transaction, sqlite::SqliteRow};

use super::{Store, seconds, unsigned};
use crate::{
    audit::{Columns, Event, GENESIS, link},
    error::Error,
    protocol::{AuditRow, AuditVerdict, Opaque},
};

/// Rows of one page, for readers and for the check.
const PAGE: i64 = 200;

const ROWS_AFTER: &str =
    "SELECT seq, at_ms, event, actor, role, subject, outcome, hash FROM audit WHERE seq > ? ORDER BY seq LIMIT ?";

impl Store {
    /// Appends to the chain. The caller's transaction makes row and change one.
    pub(super) async fn append(tx: &mut Transaction<'static, Sqlite>, event: &Event) -> Result<(), Error> {
        let last =
            sqlx::query("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1").fetch_optional(&mut **tx).await?;
        let (seq, before) = match last {
            Some(row) => (unsigned(&row, 0)? + 1, row.try_get::<Vec<u8>, _>(1)?),
            None => (1, GENESIS.to_vec()),
        };
        let at = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        let at_ms = u64::try_from(at).unwrap_or(u64::MAX);
        let (actor, subject) = (event.actor.as_str(), event.subject.as_str());
        let columns = Columns { event: event.event, actor, role: event.role, subject, outcome: event.outcome };
        let hash = link(&before, seq, at_ms, &columns);
        sqlx::query(
            "INSERT INTO audit (seq, at_ms, event, actor, role, subject, outcome, hash) VALUES (?,?,?,?,?,?,?,?)",
        )
        .bind(seconds(seq))
        .bind(seconds(at_ms))
        .bind(event.event)
        .bind(actor)
        .bind(event.role)
        .bind(subject)
        .bind(event.outcome)
        .bind(&hash[..])
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Appends rows that belong to no other change, as one transaction.
    pub(crate) async fn record(&self, events: &[Event]) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        for event in events {
            Self::append(&mut tx, event).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Rows after a sequence number.
    pub(crate) async fn audit_after(&self, after: u64) -> Result<Vec<AuditRow>, Error> {
        let rows = sqlx::query(ROWS_AFTER).bind(seconds(after)).bind(PAGE).fetch_all(&self.read).await?;
        rows.iter().map(audit_row).collect()
    }

    /// Walks the whole chain.
    pub(crate) async fn verify_audit(&self) -> Result<AuditVerdict, Error> {
        let (mut seq, mut before) = (0, GENESIS.to_vec());
        loop {
            let page = self.audit_after(seq).await?;
            if page.is_empty() {
                return Ok(AuditVerdict { rows: seq, broken_at: None });
            }
            for row in page {
                let columns = Columns {
                    event: &row.event,
                    actor: &row.actor,
                    role: &row.role,
                    subject: &row.subject,
                    outcome: &row.outcome,
                };
                let expected = link(&before, seq + 1, row.at_ms, &columns);
                if row.seq != seq + 1 || row.hash.as_bytes() != expected {
                    return Ok(AuditVerdict { rows: seq, broken_at: Some(seq + 1) });
                }
                (seq, before) = (row.seq, row.hash.into_bytes());
            }
        }
    }
}

fn audit_row(row: &SqliteRow) -> Result<AuditRow, Error> {
    Ok(AuditRow {
        seq: unsigned(row, 0)?,
        at_ms: unsigned(row, 1)?,
        event: row.try_get(2)?,
        actor: row.try_get(3)?,
        role: row.try_get(4)?,
        subject: row.try_get(5)?,
        outcome: row.try_get(6)?,
        hash: Opaque::new(row.try_get(7)?),
    })
}
