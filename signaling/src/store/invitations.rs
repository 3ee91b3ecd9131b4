//! Invitations: the hash of a token, a window, single use. Link secret and code never come here.

use sqlx::{Row as _, Sqlite, Transaction, sqlite::SqliteRow};

use super::{Store, id, seconds, unsigned};
use crate::{
    audit::Event,
    auth::{GUEST_LIFE_S, TokenHash},
    error::Error,
    protocol::{
        AppointmentId, CreateInvitationRequest, ErrorBody, ErrorCode, GuestRole, InvitationState, InvitationSummary,
        InviteId, ParticipantId, UnixSeconds, UserId,
    },
};

/// Most invitations per appointment; a host who needs more revokes none but books anew.
const MAX_PER_APPOINTMENT: i64 = 64;

/// One invitation.
#[derive(Debug, Clone)]
pub(crate) struct Invitation {
    pub(crate) appointment: AppointmentId,
    pub(crate) token_hash: Vec<u8>,
    pub(crate) state: InvitationState,
    pub(crate) not_before: u64,
    pub(crate) expires_at: u64,
    pub(crate) starts_at: u64,
    pub(crate) host: UserId,
}

/// Whether the invitation may be redeemed now; `held` says that a live socket holds it. Pure.
pub(crate) fn redeemable(invitation: &Invitation, held: bool, now: u64) -> Result<(), ErrorBody> {
    let no = |code| Err(ErrorBody { code, retry_after_s: None });
    match invitation.state {
        InvitationState::Revoked => no(ErrorCode::InvitationWithdrawn),
        InvitationState::Moved => no(ErrorCode::AppointmentMoved),
        InvitationState::Used => no(ErrorCode::InvitationUsed),
        InvitationState::Denied => no(ErrorCode::NotAdmitted),
        InvitationState::Made | InvitationState::Redeemed => {
            if now >= invitation.expires_at {
                no(ErrorCode::InvitationExpired)
            } else if now < invitation.not_before {
                let wait = u32::try_from(invitation.not_before - now).unwrap_or(u32::MAX);
                Err(ErrorBody { code: ErrorCode::InvitationTooEarly, retry_after_s: Some(wait) })
            } else if held {
                no(ErrorCode::InvitationUsed)
            } else {
                Ok(())
            }
        }
    }
}

impl Store {
    /// Registers an invitation.
    pub(crate) async fn create_invitation(
        &self,
        by: &UserId,
        appointment: &AppointmentId,
        wanted: &CreateInvitationRequest,
    ) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM invitations WHERE appointment = ?")
            .bind(&appointment.as_bytes()[..])
            .fetch_one(&mut *tx)
            .await?;
        if count >= MAX_PER_APPOINTMENT {
            return Err(Error::later(ErrorCode::Busy, 60));
        }
        let made = sqlx::query(
            "INSERT INTO invitations (id, appointment, token_hash, role, not_before, expires_at, state)
             VALUES (?,?,?,?,?,?,?) ON CONFLICT (id) DO NOTHING",
        )
        .bind(&wanted.invite_id.as_bytes()[..])
        .bind(&appointment.as_bytes()[..])
        .bind(wanted.token_hash.as_bytes())
        .bind(guest_role_name(wanted.role))
        .bind(seconds(wanted.not_before.0))
        .bind(seconds(wanted.expires_at.0))
        .bind(state_name(InvitationState::Made))
        .execute(&mut *tx)
        .await?;
        if made.rows_affected() == 0 {
            return Err(ErrorCode::BadValue.into());
        }
        Self::append(&mut tx, &Event::ok("invitation.created", by.to_hex(), "host", wanted.invite_id.to_hex())).await?;
        tx.commit().await?;
        Ok(())
    }

    /// One invitation with what its appointment says.
    pub(crate) async fn invitation(&self, invite_id: &InviteId) -> Result<Option<Invitation>, Error> {
        let row = sqlx::query(
            "SELECT i.appointment, i.token_hash, i.state, i.not_before, i.expires_at, a.starts_at, a.host
             FROM invitations i JOIN appointments a ON a.id = i.appointment WHERE i.id = ?",
        )
        .bind(&invite_id.as_bytes()[..])
        .fetch_optional(&self.read)
        .await?;
        row.map(|row| {
            Ok(Invitation {
                appointment: AppointmentId::from_bytes(id(&row, 0)?),
                token_hash: row.try_get(1)?,
                state: state_of(row.try_get(2)?)?,
                not_before: unsigned(&row, 3)?,
                expires_at: unsigned(&row, 4)?,
                starts_at: unsigned(&row, 5)?,
                host: UserId::from_bytes(id(&row, 6)?),
            })
        })
        .transpose()
    }

    /// Binds the invitation to a new guest session; an older one of it ends. Returns the session's end.
    pub(crate) async fn redeem(
        &self,
        invite_id: &InviteId,
        session: TokenHash,
        participant: ParticipantId,
        now: u64,
    ) -> Result<u64, Error> {
        let mut tx = self.begin().await?;
        let bound =
            sqlx::query("UPDATE invitations SET state = 'redeemed' WHERE id = ? AND state IN ('made', 'redeemed')")
                .bind(&invite_id.as_bytes()[..])
                .execute(&mut *tx)
                .await?;
        if bound.rows_affected() == 0 {
            return Err(ErrorCode::InvitationUsed.into());
        }
        sqlx::query("DELETE FROM sessions WHERE invitation = ?")
            .bind(&invite_id.as_bytes()[..])
            .execute(&mut *tx)
            .await?;
        let expires = now + GUEST_LIFE_S;
        sqlx::query("INSERT INTO sessions (hash, invitation, participant, last_seen, expires) VALUES (?,?,?,?,?)")
            .bind(&session.as_bytes()[..])
            .bind(&invite_id.as_bytes()[..])
            .bind(&participant.as_bytes()[..])
            .bind(seconds(now))
            .bind(seconds(expires))
            .execute(&mut *tx)
            .await?;
        let event = Event::ok("invitation.redeemed", participant.to_hex(), "guest", invite_id.to_hex());
        Self::append(&mut tx, &event).await?;
        tx.commit().await?;
        Ok(expires)
    }

    /// Withdraws an invitation that was not used; its guest's session ends.
    pub(crate) async fn revoke_invitation(&self, by: &UserId, invite_id: &InviteId) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        let revoked = sqlx::query(
            "UPDATE invitations SET state = 'revoked' WHERE id = ? AND state IN ('made', 'redeemed', 'moved')",
        )
        .bind(&invite_id.as_bytes()[..])
        .execute(&mut *tx)
        .await?;
        if revoked.rows_affected() == 0 {
            return Err(ErrorCode::InvitationUsed.into());
        }
        sqlx::query("DELETE FROM sessions WHERE invitation = ?")
            .bind(&invite_id.as_bytes()[..])
            .execute(&mut *tx)
            .await?;
        Self::append(&mut tx, &Event::ok("invitation.revoked", by.to_hex(), "host", invite_id.to_hex())).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Marks invitations as spent and writes the audit rows of the same moment, as one transaction.
    pub(crate) async fn record_room(&self, spent: &[(InviteId, bool)], events: &[Event]) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        for (invite_id, admitted) in spent {
            let state = if *admitted { InvitationState::Used } else { InvitationState::Denied };
            sqlx::query("UPDATE invitations SET state = ? WHERE id = ?")
                .bind(state_name(state))
                .bind(&invite_id.as_bytes()[..])
                .execute(&mut *tx)
                .await?;
        }
        for event in events {
            Self::append(&mut tx, event).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Open invitations of a moved or cancelled appointment are void, and their guests' sessions end.
    pub(super) async fn retire_invitations(
        tx: &mut Transaction<'static, Sqlite>,
        appointment: &AppointmentId,
    ) -> Result<(), Error> {
        sqlx::query("UPDATE invitations SET state = 'moved' WHERE appointment = ? AND state IN ('made', 'redeemed')")
            .bind(&appointment.as_bytes()[..])
            .execute(&mut **tx)
            .await?;
        sqlx::query("DELETE FROM sessions WHERE invitation IN (SELECT id FROM invitations WHERE appointment = ?)")
            .bind(&appointment.as_bytes()[..])
            .execute(&mut **tx)
            .await?;
        Ok(())
    }
}

pub(super) fn summary(row: &SqliteRow) -> Result<InvitationSummary, Error> {
    Ok(InvitationSummary {
        invite_id: InviteId::from_bytes(id(row, 0)?),
        role: guest_role_of(row.try_get(1)?)?,
        state: state_of(row.try_get(2)?)?,
        not_before: UnixSeconds(unsigned(row, 3)?),
        expires_at: UnixSeconds(unsigned(row, 4)?),
    })
}

const fn guest_role_name(role: GuestRole) -> &'static str {
    match role {
        GuestRole::Captioner => "captioner",
        GuestRole::Carer => "carer",
        GuestRole::Interpreter => "interpreter",
        GuestRole::Patient => "patient",
    }
}

pub(super) fn guest_role_of(name: &str) -> Result<GuestRole, Error> {
    let roles = [GuestRole::Captioner, GuestRole::Carer, GuestRole::Interpreter, GuestRole::Patient];
    let found = roles.into_iter().find(|role| guest_role_name(*role) == name);
    found.ok_or(Error::Data("a guest's role in the database is unknown"))
}

const fn state_name(state: InvitationState) -> &'static str {
    match state {
        InvitationState::Made => "made",
        InvitationState::Redeemed => "redeemed",
        InvitationState::Used => "used",
        InvitationState::Denied => "denied",
        InvitationState::Revoked => "revoked",
        InvitationState::Moved => "moved",
    }
}

fn state_of(name: &str) -> Result<InvitationState, Error> {
    use InvitationState::{Denied, Made, Moved, Redeemed, Revoked, Used};
    let found = [Made, Redeemed, Used, Denied, Revoked, Moved].into_iter().find(|state| state_name(*state) == name);
    found.ok_or(Error::Data("an invitation's state in the database is unknown"))
}
