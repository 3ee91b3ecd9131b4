//! Appointments: reserved slots with an opaque label.

use sqlx::{Row as _, sqlite::SqliteRow};

use super::{Store, id, invitations::summary, seconds, unsigned, users::role_name};
use crate::{
    audit::Event,
    error::Error,
    protocol::{Appointment, AppointmentId, AppointmentState, ErrorCode, OpenRoom, StaffRole, UnixSeconds, UserId},
};

/// How far back and how many the list goes.
const LIST_BACK_S: u64 = 24 * 60 * 60;

impl Store {
    /// Reserves a slot.
    pub(crate) async fn book(&self, by: &UserId, role: StaffRole, wanted: &Appointment) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        sqlx::query("INSERT INTO appointments (id, label, starts_at, duration_min, host, state) VALUES (?,?,?,?,?,?)")
            .bind(&wanted.id.as_bytes()[..])
            .bind(&wanted.label)
            .bind(seconds(wanted.starts_at.0))
            .bind(wanted.duration_min)
            .bind(&wanted.host.as_bytes()[..])
            .bind(state_name(wanted.state))
            .execute(&mut *tx)
            .await?;
        Self::append(&mut tx, &Event::ok("appointment.booked", by.to_hex(), role_name(role), wanted.id.to_hex()))
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// One appointment with its invitations; `waiting` is the caller's to fill.
    pub(crate) async fn appointment(&self, appointment_id: &AppointmentId) -> Result<Option<Appointment>, Error> {
        let row = sqlx::query("SELECT id, label, starts_at, duration_min, host, state FROM appointments WHERE id = ?")
            .bind(&appointment_id.as_bytes()[..])
            .fetch_optional(&self.read)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let mut found = appointment(&row)?;
        self.add_invitations(&mut found).await?;
        Ok(Some(found))
    }

    /// Appointments from a day ago on, of one host or of all.
    pub(crate) async fn appointments(&self, host: Option<&UserId>, now: u64) -> Result<Vec<Appointment>, Error> {
        let host = host.map(|host| host.as_bytes().to_vec());
        let rows = sqlx::query(
            "SELECT id, label, starts_at, duration_min, host, state FROM appointments
             WHERE starts_at >= ?1 AND (?2 IS NULL OR host = ?2) ORDER BY starts_at LIMIT 500",
        )
        .bind(seconds(now.saturating_sub(LIST_BACK_S)))
        .bind(host)
        .fetch_all(&self.read)
        .await?;
        let mut list = Vec::with_capacity(rows.len());
        for row in &rows {
            let mut found = appointment(row)?;
            self.add_invitations(&mut found).await?;
            list.push(found);
        }
        Ok(list)
    }

    /// Moves a slot; invitations made for the old time then answer `INV-05`.
    pub(crate) async fn move_appointment(
        &self,
        by: &UserId,
        appointment: &AppointmentId,
        starts_at: UnixSeconds,
        duration_min: u16,
    ) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        sqlx::query("UPDATE appointments SET starts_at = ?, duration_min = ? WHERE id = ?")
            .bind(seconds(starts_at.0))
            .bind(duration_min)
            .bind(&appointment.as_bytes()[..])
            .execute(&mut *tx)
            .await?;
        Self::retire_invitations(&mut tx, appointment).await?;
        Self::append(&mut tx, &Event::ok("appointment.moved", by.to_hex(), "staff", appointment.to_hex())).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Cancels a slot; its invitations then answer `INV-05`.
    pub(crate) async fn cancel_appointment(&self, by: &UserId, appointment: &AppointmentId) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        Self::set_state(&mut tx, appointment, AppointmentState::Cancelled).await?;
        Self::retire_invitations(&mut tx, appointment).await?;
        Self::append(&mut tx, &Event::ok("appointment.cancelled", by.to_hex(), "staff", appointment.to_hex())).await?;
        tx.commit().await?;
        Ok(())
    }

    /// A host ended the call: its guests' sessions end too.
    pub(crate) async fn end_appointment(&self, appointment: &AppointmentId) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        Self::set_state(&mut tx, appointment, AppointmentState::Ended).await?;
        sqlx::query("DELETE FROM sessions WHERE invitation IN (SELECT id FROM invitations WHERE appointment = ?)")
            .bind(&appointment.as_bytes()[..])
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// The host of an appointment that may be opened. `SRV-03` when there is none, `INV-05` when it was cancelled.
    pub(crate) async fn room_owner(&self, appointment: &AppointmentId) -> Result<UserId, Error> {
        let row = sqlx::query("SELECT host, state FROM appointments WHERE id = ?")
            .bind(&appointment.as_bytes()[..])
            .fetch_optional(&self.read)
            .await?;
        let row = row.ok_or(ErrorCode::NotFound)?;
        if state_of(row.try_get(1)?)? == AppointmentState::Cancelled {
            return Err(ErrorCode::AppointmentMoved.into());
        }
        Ok(UserId::from_bytes(id(&row, 0)?))
    }

    /// What colleagues are told of these rooms, by begin; a cancelled appointment has none.
    pub(crate) async fn open_rooms(&self, appointments: &[AppointmentId]) -> Result<Vec<OpenRoom>, Error> {
        let mut rooms = Vec::with_capacity(appointments.len());
        for appointment in appointments {
            let row = sqlx::query(
                "SELECT a.label, u.display, a.starts_at FROM appointments a JOIN users u ON u.id = a.host
                 WHERE a.id = ? AND a.state <> ?",
            )
            .bind(&appointment.as_bytes()[..])
            .bind(state_name(AppointmentState::Cancelled))
            .fetch_optional(&self.read)
            .await?;
            if let Some(row) = row {
                let (label, host, starts_at) = (row.try_get(0)?, row.try_get(1)?, UnixSeconds(unsigned(&row, 2)?));
                rooms.push(OpenRoom { appointment: *appointment, label, host, starts_at });
            }
        }
        rooms.sort_by_key(|room| room.starts_at);
        Ok(rooms)
    }

    async fn set_state(
        tx: &mut sqlx::Transaction<'static, sqlx::Sqlite>,
        appointment: &AppointmentId,
        state: AppointmentState,
    ) -> Result<(), Error> {
        sqlx::query("UPDATE appointments SET state = ? WHERE id = ?")
            .bind(state_name(state))
            .bind(&appointment.as_bytes()[..])
            .execute(&mut **tx)
            .await?;
        Ok(())
    }

    async fn add_invitations(&self, appointment: &mut Appointment) -> Result<(), Error> {
        let rows = sqlx::query(
            "SELECT id, role, state, not_before, expires_at FROM invitations WHERE appointment = ? ORDER BY rowid LIMIT 64",
        )
        .bind(&appointment.id.as_bytes()[..])
        .fetch_all(&self.read)
        .await?;
        appointment.invitations = rows.iter().map(summary).collect::<Result<_, _>>()?;
        Ok(())
    }
}

fn appointment(row: &SqliteRow) -> Result<Appointment, Error> {
    Ok(Appointment {
        id: AppointmentId::from_bytes(id(row, 0)?),
        label: row.try_get(1)?,
        starts_at: UnixSeconds(unsigned(row, 2)?),
        duration_min: row.try_get(3)?,
        host: UserId::from_bytes(id(row, 4)?),
        state: state_of(row.try_get(5)?)?,
        waiting: 0,
        invitations: Vec::new(),
    })
}

const fn state_name(state: AppointmentState) -> &'static str {
    match state {
        AppointmentState::Planned => "planned",
        AppointmentState::Cancelled => "cancelled",
        AppointmentState::Ended => "ended",
    }
}

fn state_of(name: &str) -> Result<AppointmentState, Error> {
    let states = [AppointmentState::Planned, AppointmentState::Cancelled, AppointmentState::Ended];
    let found = states.into_iter().find(|state| state_name(*state) == name);
    found.ok_or(Error::Data("an appointment's state in the database is unknown"))
}
