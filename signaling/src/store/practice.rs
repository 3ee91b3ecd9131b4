//! The practice's key, and putting another in its place.

use sqlx::Row as _;

use super::{Store, id};
use crate::{
    audit::Event,
    auth::TokenHash,
    error::Error,
    protocol::{ErrorCode, InviteId, Opaque, PracticeInfo, ReplacePracticeRequest},
};

/// The hash of the one-time secret, then the second it ends, 8 bytes big-endian.
const RESET_KEY: &str = "practice_reset";

impl Store {
    /// The practice, once it is set up.
    pub(crate) async fn practice(&self) -> Result<Option<PracticeInfo>, Error> {
        let row = sqlx::query("SELECT name, phone, public_key, phone_signature FROM practice");
        let row = row.fetch_optional(&self.read).await?;
        row.map(|row| {
            Ok(PracticeInfo {
                name: row.try_get(0)?,
                phone: row.try_get(1)?,
                public_key: Opaque::new(row.try_get(2)?),
                phone_signature: Opaque::new(row.try_get(3)?),
            })
        })
        .transpose()
    }

    /// Stores the hash of a one-time secret for [`replace_practice_key`](Self::replace_practice_key); an older one ends.
    pub(crate) async fn set_practice_reset(&self, hash: TokenHash, expires: u64) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        let practices: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM practice").fetch_one(&mut *tx).await?;
        if practices == 0 {
            return Err(Error::Data("no practice was set up yet"));
        }
        sqlx::query("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)")
            .bind(RESET_KEY)
            .bind([&hash.as_bytes()[..], &expires.to_be_bytes()].concat())
            .execute(&mut *tx)
            .await?;
        Self::append(&mut tx, &Event::ok("policy.practice_reset_allowed", String::new(), "", String::new())).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Puts another key in the place of the practice's. Uses the one-time secret up; unless they are to be kept, ends every
    /// invitation that is open, and the sessions of guests who were not admitted yet with them; says which invitations.
    pub(crate) async fn replace_practice_key(
        &self,
        secret: TokenHash,
        wanted: &ReplacePracticeRequest,
        now: u64,
    ) -> Result<Vec<InviteId>, Error> {
        let mut tx = self.begin().await?;
        let stored: Option<Vec<u8>> =
            sqlx::query_scalar("SELECT value FROM meta WHERE key = ?").bind(RESET_KEY).fetch_optional(&mut *tx).await?;
        let valid = stored
            .as_deref()
            .and_then(<[u8]>::split_last_chunk::<8>)
            .is_some_and(|(hash, expires)| hash == secret.as_bytes() && now < u64::from_be_bytes(*expires));
        if !valid {
            return Err(ErrorCode::WrongOneTimeSecret.into());
        }
        sqlx::query("DELETE FROM meta WHERE key = ?").bind(RESET_KEY).execute(&mut *tx).await?;
        sqlx::query("UPDATE practice SET public_key = ?, phone_signature = ?")
            .bind(wanted.practice_public_key.as_bytes())
            .bind(wanted.phone_signature.as_bytes())
            .execute(&mut *tx)
            .await?;
        Self::append(&mut tx, &Event::ok("policy.practice_key_replaced", String::new(), "", String::new())).await?;
        if wanted.keep_invitations {
            tx.commit().await?;
            return Ok(Vec::new());
        }
        sqlx::query(
            "DELETE FROM sessions WHERE invitation IN
             (SELECT id FROM invitations WHERE state IN ('made', 'redeemed', 'moved'))",
        )
        .execute(&mut *tx)
        .await?;
        let ended = sqlx::query(
            "UPDATE invitations SET state = 'revoked' WHERE state IN ('made', 'redeemed', 'moved') RETURNING id",
        )
        .fetch_all(&mut *tx)
        .await?;
        let ended = ended.iter().map(|row| Ok(InviteId::from_bytes(id(row, 0)?))).collect();
        tx.commit().await?;
        ended
    }
}
