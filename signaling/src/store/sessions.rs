//! Tickets and sessions: hashes only, idle time and life checked at each use.

use sqlx::{Row as _, Sqlite, Transaction};

use super::{Store, id, invitations::guest_role_of, seconds, users::role_of};
use crate::{
    audit::Event,
    auth::{IDLE_S, LOGIN_TICKET_LIFE_S, STAFF_LIFE_S, TokenHash},
    error::Error,
    protocol::{AppointmentId, ErrorCode, GuestRole, InviteId, ParticipantId, StaffRole, UserId},
};

/// A valid session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) hash: TokenHash,
    pub(crate) participant: ParticipantId,
    pub(crate) holder: Holder,
}

/// Whose session it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holder {
    Staff { user: UserId, role: StaffRole },
    Guest { invite_id: InviteId, appointment: AppointmentId, role: GuestRole },
}

impl Store {
    pub(super) async fn put_ticket(
        tx: &mut Transaction<'static, Sqlite>,
        ticket: TokenHash,
        user: &UserId,
        purpose: &'static str,
        expires: u64,
    ) -> Result<(), Error> {
        // One ticket per account and purpose: the newest.
        sqlx::query("DELETE FROM tickets WHERE user_id = ? AND purpose = ?")
            .bind(&user.as_bytes()[..])
            .bind(purpose)
            .execute(&mut **tx)
            .await?;
        sqlx::query("INSERT INTO tickets (hash, user_id, purpose, expires) VALUES (?,?,?,?)")
            .bind(&ticket.as_bytes()[..])
            .bind(&user.as_bytes()[..])
            .bind(purpose)
            .bind(seconds(expires))
            .execute(&mut **tx)
            .await?;
        Ok(())
    }

    /// Notes that the passphrase was right.
    pub(crate) async fn put_login_ticket(&self, ticket: TokenHash, user: &UserId, now: u64) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        Self::put_ticket(&mut tx, ticket, user, "login", now + LOGIN_TICKET_LIFE_S).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Whose ticket this is. `AUTH-07` when it is unknown or too old.
    pub(crate) async fn ticket(&self, ticket: TokenHash, purpose: &'static str, now: u64) -> Result<UserId, Error> {
        let row = sqlx::query("SELECT user_id FROM tickets WHERE hash = ? AND purpose = ? AND expires > ?")
            .bind(&ticket.as_bytes()[..])
            .bind(purpose)
            .bind(seconds(now))
            .fetch_optional(&self.read)
            .await?;
        let row = row.ok_or(ErrorCode::SessionEnded)?;
        Ok(UserId::from_bytes(id(&row, 0)?))
    }

    /// Uses up the code's step and the ticket, and opens a staff session. Returns its end.
    pub(crate) async fn open_staff_session(
        &self,
        ticket: TokenHash,
        user: &UserId,
        step: u64,
        session: TokenHash,
        participant: ParticipantId,
        now: u64,
    ) -> Result<u64, Error> {
        let mut tx = self.begin().await?;
        Self::use_step(&mut tx, user, step).await?;
        let used = sqlx::query("DELETE FROM tickets WHERE hash = ? AND expires > ?")
            .bind(&ticket.as_bytes()[..])
            .bind(seconds(now))
            .execute(&mut *tx)
            .await?;
        if used.rows_affected() == 0 {
            return Err(ErrorCode::SessionEnded.into());
        }
        let expires = now + STAFF_LIFE_S;
        sqlx::query("INSERT INTO sessions (hash, user_id, participant, last_seen, expires) VALUES (?,?,?,?,?)")
            .bind(&session.as_bytes()[..])
            .bind(&user.as_bytes()[..])
            .bind(&participant.as_bytes()[..])
            .bind(seconds(now))
            .bind(seconds(expires))
            .execute(&mut *tx)
            .await?;
        Self::append(&mut tx, &Event::ok("auth.sign_in", user.to_hex(), "staff", String::new())).await?;
        tx.commit().await?;
        Ok(expires)
    }

    /// Finds a session that is neither idle for too long nor too old. `AUTH-07` otherwise.
    pub(crate) async fn session(&self, hash: TokenHash, now: u64) -> Result<Session, Error> {
        let row = sqlx::query(
            "SELECT s.participant, s.user_id, u.role, s.invitation, i.appointment, i.role, s.last_seen
             FROM sessions s LEFT JOIN users u ON u.id = s.user_id LEFT JOIN invitations i ON i.id = s.invitation
             WHERE s.hash = ? AND s.expires > ? AND s.last_seen > ?",
        )
        .bind(&hash.as_bytes()[..])
        .bind(seconds(now))
        .bind(seconds(now) - seconds(IDLE_S))
        .fetch_optional(&self.read)
        .await?;
        let row = row.ok_or(ErrorCode::SessionEnded)?;
        let holder = if row.try_get::<Option<Vec<u8>>, _>(1)?.is_some() {
            Holder::Staff { user: UserId::from_bytes(id(&row, 1)?), role: role_of(row.try_get(2)?)? }
        } else {
            Holder::Guest {
                invite_id: InviteId::from_bytes(id(&row, 3)?),
                appointment: AppointmentId::from_bytes(id(&row, 4)?),
                role: guest_role_of(row.try_get(5)?)?,
            }
        };
        // Writing each use would cost an fsync per request; a minute's grain is fine beside 15 minutes.
        let last_seen: i64 = row.try_get(6)?;
        if seconds(now) - last_seen >= 60 {
            sqlx::query("UPDATE sessions SET last_seen = ? WHERE hash = ?")
                .bind(seconds(now))
                .bind(&hash.as_bytes()[..])
                .execute(&self.write)
                .await?;
        }
        Ok(Session { hash, participant: ParticipantId::from_bytes(id(&row, 0)?), holder })
    }

    /// Ends a session.
    pub(crate) async fn end_session(&self, session: &Session) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        sqlx::query("DELETE FROM sessions WHERE hash = ?").bind(&session.hash.as_bytes()[..]).execute(&mut *tx).await?;
        let actor = match session.holder {
            Holder::Staff { user, .. } => user.to_hex(),
            Holder::Guest { .. } => session.participant.to_hex(),
        };
        Self::append(&mut tx, &Event::ok("auth.sign_out", actor, "", String::new())).await?;
        tx.commit().await?;
        Ok(())
    }
}
