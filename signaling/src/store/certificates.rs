//! Certificates of staff devices, as bytes that nobody here can check.

use super::{Store, seconds};
use crate::{
    audit::Event,
    error::Error,
    protocol::{MAX_CERTIFICATES, Opaque, UserId},
};

/// Devices of one account. Lower, and a clinician's older computer cannot be a deputy; higher, and one account's fill the
/// list.
const MAX_PER_ACCOUNT: i64 = 4;

/// How long a certificate is listed after it was put. A device in use puts its own at each sign-in.
const LISTED_S: u64 = 31 * 24 * 60 * 60;

impl Store {
    /// Keeps an account's certificate, or renews the time of the same one. The oldest beyond a few falls out.
    pub(crate) async fn put_certificate(&self, user: &UserId, certificate: &Opaque, now: u64) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        // Replaced, it gets the highest row number: that orders those of one second.
        sqlx::query("INSERT OR REPLACE INTO certificates (user_id, certificate, put_at) VALUES (?,?,?)")
            .bind(&user.as_bytes()[..])
            .bind(certificate.as_bytes())
            .bind(seconds(now))
            .execute(&mut *tx)
            .await?;
        sqlx::query(
            "DELETE FROM certificates WHERE rowid IN
             (SELECT rowid FROM certificates WHERE user_id = ? ORDER BY put_at DESC, rowid DESC LIMIT -1 OFFSET ?)",
        )
        .bind(&user.as_bytes()[..])
        .bind(MAX_PER_ACCOUNT)
        .execute(&mut *tx)
        .await?;
        let event = Event::ok("auth.certificate_put", user.to_hex(), "host", String::new());
        Self::append(&mut tx, &event).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Certificates of all accounts, newest first.
    pub(crate) async fn certificates(&self, now: u64) -> Result<Vec<Opaque>, Error> {
        let listed: Vec<Vec<u8>> = sqlx::query_scalar(
            "SELECT certificate FROM certificates WHERE put_at >= ? ORDER BY put_at DESC, rowid DESC LIMIT ?",
        )
        .bind(seconds(oldest(now)))
        .bind(i64::try_from(MAX_CERTIFICATES).unwrap_or(i64::MAX))
        .fetch_all(&self.read)
        .await?;
        Ok(listed.into_iter().map(Opaque::new).collect())
    }

    /// Deletes what is not listed any more.
    pub(super) async fn sweep_certificates(
        tx: &mut sqlx::Transaction<'static, sqlx::Sqlite>,
        now: u64,
    ) -> Result<(), Error> {
        sqlx::query("DELETE FROM certificates WHERE put_at < ?").bind(seconds(oldest(now))).execute(&mut **tx).await?;
        Ok(())
    }
}

/// When the oldest certificate that is listed was put.
const fn oldest(now: u64) -> u64 {
    now.saturating_sub(LISTED_S)
}
