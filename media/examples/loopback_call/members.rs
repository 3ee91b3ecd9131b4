//! Two members of one call with real keys: admission and export.

#[path = "clinic.rs"]
mod clinic;

use crypto::{CallGroup, LogEntry, MediaKeys};

use clinic::{Clinic, NOW};

type Failure = Box<dyn std::error::Error>;

/// A host (leaf 0) and a guest (leaf 1) in one MLS group.
pub(crate) struct Members {
    host: CallGroup,
    guest: CallGroup,
}

impl Members {
    /// Runs the whole admission in memory.
    pub(crate) fn admitted() -> Result<Self, Failure> {
        let clinic = Clinic::new()?;
        let mut host = clinic.open()?;
        let (mut invited, verified) = clinic.lobby(&host)?;
        let bundle = host.admit(&verified)?;
        host.handle(NOW, LogEntry::Commit { commit: &bundle.commit, invite_psk: bundle.invite_psk.as_deref() })?;
        let guest = invited.join(NOW, bundle.welcome.as_deref().unwrap_or_default())?;
        Ok(Self { host, guest })
    }

    /// The present epoch's keys of host and guest. Only once an epoch.
    pub(crate) fn keys(&mut self) -> Result<(MediaKeys, MediaKeys), Failure> {
        Ok((self.host.media_keys()?, self.guest.media_keys()?))
    }

    /// Moves both to a new epoch.
    pub(crate) fn renew(&mut self) -> Result<(), Failure> {
        let bundle = self.host.update()?;
        for member in [&mut self.host, &mut self.guest] {
            member.handle(NOW, LogEntry::Commit { commit: &bundle.commit, invite_psk: None })?;
        }
        Ok(())
    }
}
