//! The spoken check: four words that people read to each other, strong by commit-then-reveal.
//!
//! ```text
//!  every member:  H(check id, leaf, nonce)  ──>  all others           (commit)
//!  when all have committed:  nonce          ──>  all others           (reveal)
//!  all:  H(check id, epoch, authenticator, leaf identities, nonces)  ──>  4 words, 8 digits
//! ```
//!
//! Nobody can choose a nonce after seeing another's, so whoever stands between two groups has one
//! guess in 2^40 for each check that people actually start. There is no automatic second try, and
//! a change of the roster ends the check.
//!
//! | message | before all committed | after all committed |
//! | --- | --- | --- |
//! | commit of a member | noted; the last one → own reveal | `NoTurn` |
//! | reveal of a member | `BadReveal` | noted; the last one → words |

use std::{collections::BTreeMap, fmt};

use crate::{
    codec::{Reader, Write},
    error::SafetyError,
    id::LeafIndex,
    kdf::hash,
    secret::{Secret, random_bytes},
};

/// 1,024 plain words, one a line, sorted; made for this list.
const WORDS: &str = include_str!("../data/safety-words.txt");

const COMMIT: u8 = 1;
const REVEAL: u8 = 2;
const BOTH: u8 = 3;

/// What a spoken check pins: made by [`CallGroup::safety_scope`](crate::CallGroup::safety_scope).
#[derive(Clone, PartialEq, Eq)]
pub struct SafetyScope {
    pub(crate) epoch: u64,
    pub(crate) authenticator: [u8; 48],
    pub(crate) own: LeafIndex,
    /// By leaf index, each with its key and credential.
    pub(crate) members: Vec<(LeafIndex, Vec<u8>)>,
}

impl SafetyScope {
    fn digest(&self) -> [u8; 48] {
        let epoch = self.epoch.to_be_bytes();
        let mut members: Vec<_> = self.members.iter().collect();
        members.sort();
        let mut parts: Vec<&[u8]> = vec![&epoch, &self.authenticator];
        parts.extend(members.iter().map(|(_, identity)| identity.as_slice()));
        hash("safety scope", &parts)
    }
}

impl fmt::Debug for SafetyScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SafetyScope(epoch {}, {} members)", self.epoch, self.members.len())
    }
}

/// What all members must read alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SafetyWords {
    /// Four of 1,024 words: 40 bits.
    pub words: [&'static str; 4],
    /// The same check as eight digits, `1234 5678`, for interpreters and hearing aids.
    pub digits: String,
}

/// What to do after a message of a check.
#[derive(Debug, PartialEq, Eq)]
pub enum SafetyStep {
    /// Others have not answered yet.
    Wait,
    /// Send this to all members as an application message.
    Send(Vec<u8>),
    /// All have revealed.
    Done {
        /// The own reveal, where it is still to be sent.
        send: Option<Vec<u8>>,
        /// What to read aloud.
        words: SafetyWords,
    },
}

/// One spoken check, from the first commitment to the words.
pub struct SafetyCheck {
    id: [u8; 16],
    scope: SafetyScope,
    digest: [u8; 48],
    nonce: Secret<32>,
    commitments: BTreeMap<LeafIndex, [u8; 48]>,
    nonces: BTreeMap<LeafIndex, [u8; 32]>,
}

impl SafetyCheck {
    /// Starts a check; the message goes to all members as an application message.
    ///
    /// # Errors
    /// [`SafetyError::NoTurn`] if there is nobody to check with, [`SafetyError::Backend`].
    pub fn start(scope: SafetyScope) -> Result<(Self, Vec<u8>), SafetyError> {
        if scope.members.len() < 2 {
            return Err(SafetyError::NoTurn);
        }
        Self::new(random_bytes().ok_or(SafetyError::Backend)?, scope)
    }

    /// Answers a check that `sender` started with `message`; the answer goes to all members.
    ///
    /// Between two members the answer carries the reveal too: everybody else has committed.
    ///
    /// # Errors
    /// [`SafetyError::Malformed`], [`SafetyError::NoTurn`], [`SafetyError::ScopeMismatch`] if the
    /// sender sees another epoch or roster, [`SafetyError::Backend`].
    pub fn answer(scope: SafetyScope, sender: LeafIndex, message: &[u8]) -> Result<(Self, Vec<u8>), SafetyError> {
        let Message::Commit { id, .. } = Message::read(message)? else {
            return Err(SafetyError::NoTurn);
        };
        let (mut check, commit) = Self::new(id, scope)?;
        if check.handle(sender, message)? == SafetyStep::Wait {
            return Ok((check, commit));
        }
        let parts = [&check.digest[..], &check.commitment(), check.nonce.expose()];
        let both = write(BOTH, &id, &parts);
        Ok((check, both))
    }

    /// Takes a message of the check from `sender`, whom the group authenticated.
    ///
    /// # Errors
    /// [`SafetyError::OtherCheck`]: the running check goes on. After every other error it is
    /// over: drop it and say so.
    pub fn handle(&mut self, sender: LeafIndex, message: &[u8]) -> Result<SafetyStep, SafetyError> {
        let message = Message::read(message)?;
        if *message.id() != self.id {
            return Err(SafetyError::OtherCheck);
        }
        let known = self.scope.members.iter().any(|(leaf, _)| *leaf == sender);
        if !known || sender == self.scope.own {
            return Err(SafetyError::NoTurn);
        }
        match message {
            Message::Commit { digest, commitment, .. } => {
                let reveal = self.on_commit(sender, digest, commitment)?;
                Ok(reveal.map_or(SafetyStep::Wait, SafetyStep::Send))
            }
            Message::Reveal { nonce, .. } => {
                let words = self.on_reveal(sender, nonce)?;
                Ok(words.map_or(SafetyStep::Wait, |words| SafetyStep::Done { send: None, words }))
            }
            Message::Both { digest, commitment, nonce, .. } => {
                let send = self.on_commit(sender, digest, commitment)?;
                match (self.on_reveal(sender, nonce)?, send) {
                    (Some(words), send) => Ok(SafetyStep::Done { send, words }),
                    (None, Some(reveal)) => Ok(SafetyStep::Send(reveal)),
                    (None, None) => Ok(SafetyStep::Wait),
                }
            }
        }
    }

    /// The own reveal, once everybody has committed.
    fn on_commit(
        &mut self,
        sender: LeafIndex,
        digest: [u8; 48],
        commitment: [u8; 48],
    ) -> Result<Option<Vec<u8>>, SafetyError> {
        if digest != self.digest {
            return Err(SafetyError::ScopeMismatch);
        }
        if self.commitments.insert(sender, commitment).is_some() {
            return Err(SafetyError::NoTurn);
        }
        if !self.all(self.commitments.len()) {
            return Ok(None);
        }
        self.nonces.insert(self.scope.own, *self.nonce.expose());
        Ok(Some(write(REVEAL, &self.id, &[self.nonce.expose()])))
    }

    /// The words, once everybody has revealed.
    fn on_reveal(&mut self, sender: LeafIndex, nonce: [u8; 32]) -> Result<Option<SafetyWords>, SafetyError> {
        let fits = self.commitments.get(&sender) == Some(&commitment_to(&self.id, sender, &nonce));
        if !fits || !self.all(self.commitments.len()) {
            return Err(SafetyError::BadReveal);
        }
        if self.nonces.insert(sender, nonce).is_some() {
            return Err(SafetyError::NoTurn);
        }
        if !self.all(self.nonces.len()) {
            return Ok(None);
        }
        self.words().map(Some).ok_or(SafetyError::Backend)
    }

    fn commitment(&self) -> [u8; 48] {
        commitment_to(&self.id, self.scope.own, self.nonce.expose())
    }

    fn new(id: [u8; 16], scope: SafetyScope) -> Result<(Self, Vec<u8>), SafetyError> {
        let nonce: Secret<32> = Secret::random().ok_or(SafetyError::Backend)?;
        let digest = scope.digest();
        let commitment = commitment_to(&id, scope.own, nonce.expose());
        let message = write(COMMIT, &id, &[&digest, &commitment]);
        let commitments = BTreeMap::from([(scope.own, commitment)]);
        let check = Self { id, scope, digest, nonce, commitments, nonces: BTreeMap::new() };
        Ok((check, message))
    }

    fn all(&self, count: usize) -> bool {
        count == self.scope.members.len()
    }

    fn words(&self) -> Option<SafetyWords> {
        let mut parts: Vec<&[u8]> = vec![&self.id, &self.digest];
        parts.extend(self.nonces.values().map(<[u8; 32]>::as_slice));
        let code = hash("safety words", &parts);
        let mut reader = Reader::new(&code);
        let bits = (u64::from(reader.u32()?) << 8) | u64::from(reader.u8()?);
        let word = |at: u32| WORDS.lines().nth(((bits >> (10 * at)) & 0x3ff) as usize);
        let words = [word(3)?, word(2)?, word(1)?, word(0)?];
        let number = reader.u64()? % 100_000_000;
        let digits = format!("{:04} {:04}", number / 10_000, number % 10_000);
        Some(SafetyWords { words, digits })
    }
}

impl fmt::Debug for SafetyCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (commitments, nonces) = (self.commitments.len(), self.nonces.len());
        write!(f, "SafetyCheck({commitments} committed, {nonces} revealed)")
    }
}

/// `kind u8 | check id 16`, then `scope digest 48 | commitment 48`, or `nonce 32`, or both.
enum Message {
    Commit { id: [u8; 16], digest: [u8; 48], commitment: [u8; 48] },
    Reveal { id: [u8; 16], nonce: [u8; 32] },
    Both { id: [u8; 16], digest: [u8; 48], commitment: [u8; 48], nonce: [u8; 32] },
}

impl Message {
    fn read(bytes: &[u8]) -> Result<Self, SafetyError> {
        let mut reader = Reader::new(bytes);
        let mut read = || {
            let (kind, id) = (reader.u8()?, reader.array()?);
            let message = match kind {
                COMMIT => {
                    let (digest, commitment) = (reader.array()?, reader.array()?);
                    Self::Commit { id, digest, commitment }
                }
                REVEAL => Self::Reveal { id, nonce: reader.array()? },
                BOTH => {
                    let (digest, commitment) = (reader.array()?, reader.array()?);
                    Self::Both { id, digest, commitment, nonce: reader.array()? }
                }
                _ => return None,
            };
            reader.end()?;
            Some(message)
        };
        read().ok_or(SafetyError::Malformed)
    }

    fn id(&self) -> &[u8; 16] {
        match self {
            Self::Commit { id, .. } | Self::Reveal { id, .. } | Self::Both { id, .. } => id,
        }
    }
}

fn write(kind: u8, id: &[u8; 16], parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = vec![kind];
    bytes.put(id);
    parts.iter().for_each(|part| bytes.put(part));
    bytes
}

fn commitment_to(id: &[u8; 16], leaf: LeafIndex, nonce: &[u8; 32]) -> [u8; 48] {
    hash("safety commitment", &[id, &[leaf.as_u8()], nonce])
}

#[cfg(test)]
mod tests {
    mod vectors;

    use std::collections::{BTreeSet, VecDeque};

    use super::*;

    fn leaf(index: u32) -> LeafIndex {
        LeafIndex::new(index).unwrap()
    }

    fn scope(own: u32, members: u32, authenticator: u8) -> SafetyScope {
        SafetyScope {
            epoch: 3,
            authenticator: [authenticator; 48],
            own: leaf(own),
            members: (0..members).map(|index| (leaf(index), vec![index as u8; 40])).collect(),
        }
    }

    /// Runs a check of `members` over an ordered log; the words of each.
    fn run(members: u32) -> Vec<SafetyWords> {
        let (first, opening) = SafetyCheck::start(scope(0, members, 7)).unwrap();
        let mut checks = BTreeMap::from([(0, first)]);
        let mut log = VecDeque::from([(0, opening)]);
        let mut words = Vec::new();
        while let Some((sender, message)) = log.pop_front() {
            for own in (0..members).filter(|own| *own != sender) {
                match checks.get_mut(&own) {
                    None => {
                        let scope = scope(own, members, 7);
                        let (check, answer) = SafetyCheck::answer(scope, leaf(sender), &message).unwrap();
                        checks.insert(own, check);
                        log.push_back((own, answer));
                    }
                    Some(check) => match check.handle(leaf(sender), &message).unwrap() {
                        SafetyStep::Wait => {}
                        SafetyStep::Send(reveal) => log.push_back((own, reveal)),
                        SafetyStep::Done { send, words: done } => {
                            log.extend(send.map(|reveal| (own, reveal)));
                            words.push(done);
                        }
                    },
                }
            }
        }
        words
    }

    #[test]
    fn the_list_has_1024_distinct_short_plain_words() {
        let words: BTreeSet<_> = WORDS.lines().collect();
        assert_eq!((words.len(), WORDS.lines().count()), (1024, 1024));
        let plain = |word: &&str| word.bytes().all(|byte| byte.is_ascii_lowercase());
        assert!(words.iter().all(|word| (3..=9).contains(&word.len()) && plain(word)));
    }

    #[test]
    fn two_and_five_members_read_the_same_words() {
        for members in [2, 5] {
            let words = run(members);
            assert_eq!(words.len(), members as usize);
            assert!(words.windows(2).all(|pair| pair[0] == pair[1]));
        }
    }

    #[test]
    fn another_check_gives_other_words() {
        assert_ne!(run(2)[0], run(2)[0]);
    }

    #[test]
    fn members_of_two_groups_do_not_get_words() {
        let (_, opening) = SafetyCheck::start(scope(0, 2, 7)).unwrap();
        let refused = SafetyCheck::answer(scope(1, 2, 8), leaf(0), &opening);
        assert_eq!(refused.unwrap_err(), SafetyError::ScopeMismatch);
        let refused = SafetyCheck::answer(scope(1, 3, 7), leaf(0), &opening);
        assert_eq!(refused.unwrap_err(), SafetyError::ScopeMismatch);
    }

    #[test]
    fn a_nonce_that_was_not_committed_to_is_refused() {
        let (mut check, opening) = SafetyCheck::start(scope(0, 2, 7)).unwrap();
        let (_, mut answer) = SafetyCheck::answer(scope(1, 2, 7), leaf(0), &opening).unwrap();
        *answer.last_mut().unwrap() ^= 1;
        assert_eq!(check.handle(leaf(1), &answer), Err(SafetyError::BadReveal));
    }

    #[test]
    fn a_reveal_before_all_committed_is_refused() {
        let (mut check, opening) = SafetyCheck::start(scope(0, 3, 7)).unwrap();
        let (other, answer) = SafetyCheck::answer(scope(1, 3, 7), leaf(0), &opening).unwrap();
        assert_eq!(check.handle(leaf(1), &answer), Ok(SafetyStep::Wait));
        let early = write(REVEAL, &check.id, &[other.nonce.expose()]);
        assert_eq!(check.handle(leaf(1), &early), Err(SafetyError::BadReveal));
    }

    #[test]
    fn strangers_and_double_turns_are_refused() {
        let (mut check, opening) = SafetyCheck::start(scope(0, 3, 7)).unwrap();
        let (_, answer) = SafetyCheck::answer(scope(1, 3, 7), leaf(0), &opening).unwrap();
        assert_eq!(check.handle(leaf(9), &answer), Err(SafetyError::NoTurn));
        assert_eq!(check.handle(leaf(0), &answer), Err(SafetyError::NoTurn));
        check.handle(leaf(1), &answer).unwrap();
        assert_eq!(check.handle(leaf(1), &answer), Err(SafetyError::NoTurn));
        let (_, other) = SafetyCheck::start(scope(1, 3, 7)).unwrap();
        assert_eq!(check.handle(leaf(1), &other), Err(SafetyError::OtherCheck));
        assert_eq!(check.handle(leaf(1), b"\x01short"), Err(SafetyError::Malformed));
    }

    #[test]
    fn nobody_checks_alone() {
        assert_eq!(SafetyCheck::start(scope(0, 1, 7)).unwrap_err(), SafetyError::NoTurn);
    }
}
