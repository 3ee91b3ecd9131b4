//! Spoken check by commit-then-reveal.

use crate::{error::SafetyError, id::LeafIndex};

/// What a spoken check pins: made by [`CallGroup::safety_scope`](crate::CallGroup::safety_scope).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SafetyScope {
    pub(crate) epoch: u64,
    pub(crate) authenticator: [u8; 48],
    pub(crate) own: LeafIndex,
    pub(crate) members: Vec<(LeafIndex, Vec<u8>)>,
}

/// The words and digits that all members must read alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SafetyWords {
    /// Four of 1,024 words: 40 bits.
    pub words: [&'static str; 4],
    /// The same check as eight digits, for interpreters and hearing aids.
    pub digits: String,
}

/// What to do after a message of a check.
#[derive(Debug, PartialEq, Eq)]
pub enum SafetyStep {
    /// Others have not answered yet.
    Wait,
    /// Send this to all members as an application message.
    Send(Vec<u8>),
    /// All revealed: show the words. `send` is still to be sent where it is given.
    Done {
        /// The own reveal, if the last commitment and the last reveal came together.
        send: Option<Vec<u8>>,
        /// What to read aloud.
        words: SafetyWords,
    },
}

/// One spoken check, from the first commitment to the words.
#[derive(Debug)]
pub struct SafetyCheck {
    scope: SafetyScope,
}

impl SafetyCheck {
    /// Starts a check; the bytes go to all members as an application message.
    ///
    /// # Errors
    /// [`SafetyError::Backend`] without random bytes.
    pub fn start(scope: SafetyScope) -> Result<(Self, Vec<u8>), SafetyError> {
        let _ = scope;
        todo!()
    }

    /// Answers a check that `sender` started with `message`.
    ///
    /// # Errors
    /// [`SafetyError`] if the message starts no check of this scope.
    pub fn answer(
        scope: SafetyScope,
        sender: LeafIndex,
        message: &[u8],
    ) -> Result<(Self, Vec<u8>), SafetyError> {
        let _ = (scope, sender, message);
        todo!()
    }

    /// Takes a message of the check that `sender` sent. After an error other than
    /// [`SafetyError::OtherCheck`] the check is over.
    ///
    /// # Errors
    /// [`SafetyError`].
    pub fn handle(&mut self, sender: LeafIndex, message: &[u8]) -> Result<SafetyStep, SafetyError> {
        let _ = (&self.scope, sender, message);
        todo!()
    }
}
