//! The spoken check: commit-then-reveal by `crypto`, and what people said about the words.
//!
//! | state | somebody starts | all revealed | "matches" | "does not match" (anybody) | an Add | another epoch change |
//! | --- | --- | --- | --- | --- | --- | --- |
//! | Idle, Verified, Mismatch, RosterChanged | Waiting | – | – | Mismatch | Verified → RosterChanged | – |
//! | Waiting | – | Compare | – | Mismatch | Idle | Idle |
//! | Compare | – | – | Verified | Mismatch | Idle | stays |

use crypto::{CallGroup, LeafIndex, SafetyCheck, SafetyError, SafetyStep, SafetyWords};

use super::view::SafetyState;

/// The spoken check of a room.
#[derive(Debug, Default)]
pub(super) struct Safety {
    check: Option<SafetyCheck>,
    state: State,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Idle,
    Waiting,
    Compare(SafetyWords),
    Verified,
    Mismatch,
    RosterChanged,
}

impl Safety {
    /// Starts a check; the bytes go to all members.
    pub(super) fn start(&mut self, group: &CallGroup) -> Option<Vec<u8>> {
        if self.check.is_some() || group.members().len() < 2 {
            return None;
        }
        match SafetyCheck::start(group.safety_scope()) {
            Ok((check, message)) => {
                self.check = Some(check);
                self.state = State::Waiting;
                Some(message)
            }
            Err(error) => {
                tracing::warn!(%error, "a spoken check could not be started");
                None
            }
        }
    }

    /// Takes a member's message; the bytes, if any, go to all members.
    pub(super) fn on_message(&mut self, group: &CallGroup, sender: LeafIndex, message: &[u8]) -> Option<Vec<u8>> {
        let Some(check) = &mut self.check else {
            return match SafetyCheck::answer(group.safety_scope(), sender, message) {
                Ok((check, answer)) => {
                    self.check = Some(check);
                    self.state = State::Waiting;
                    Some(answer)
                }
                Err(error) => {
                    tracing::info!(%error, "a message started no spoken check");
                    None
                }
            };
        };
        match check.handle(sender, message) {
            Ok(SafetyStep::Wait) | Err(SafetyError::OtherCheck) => None,
            Ok(SafetyStep::Send(bytes)) => Some(bytes),
            Ok(SafetyStep::Done { send, words }) => {
                self.check = None;
                self.state = State::Compare(words);
                send
            }
            Err(error) => {
                // One online guess per check: it is over, and only a person starts another.
                tracing::warn!(%error, "a spoken check ended without words");
                self.check = None;
                self.state = State::Idle;
                None
            }
        }
    }

    /// What the person found. True when there were words to compare.
    pub(super) fn answer(&mut self, matches: bool) -> bool {
        if !matches!(self.state, State::Compare(_)) {
            return false;
        }
        self.state = if matches { State::Verified } else { State::Mismatch };
        true
    }

    /// What another member found: one "does not match" counts for all.
    pub(super) fn on_answer(&mut self, matches: bool) {
        if !matches {
            self.check = None;
            self.state = State::Mismatch;
        }
    }

    /// The group is in a new epoch.
    pub(super) fn on_epoch(&mut self, somebody_added: bool) {
        let running = self.check.take().is_some();
        self.state = match std::mem::take(&mut self.state) {
            State::Verified if somebody_added => State::RosterChanged,
            State::Compare(_) if somebody_added => State::Idle,
            State::Waiting => State::Idle,
            kept => kept,
        };
        if running {
            tracing::info!("a change of the group ended a spoken check");
        }
    }

    /// What the window shows.
    pub(super) fn view(&self) -> SafetyState {
        match &self.state {
            State::Idle => SafetyState::Idle,
            State::Waiting => SafetyState::Waiting,
            State::Compare(words) => SafetyState::Compare {
                words: words.words.iter().map(|word| (*word).to_owned()).collect(),
                digits: words.digits.clone(),
            },
            State::Verified => SafetyState::Verified,
            State::Mismatch => SafetyState::Mismatch,
            State::RosterChanged => SafetyState::RosterChanged,
        }
    }

    /// Whether this roster was verified.
    pub(super) fn is_verified(&self) -> bool {
        self.state == State::Verified
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(state: State) -> Safety {
        Safety { check: None, state }
    }

    fn words() -> SafetyWords {
        SafetyWords { words: ["a", "b", "c", "d"], digits: "12345678".into() }
    }

    #[test]
    fn verified_falls_to_roster_changed_at_an_add_only() {
        let mut safety = at(State::Verified);
        safety.on_epoch(false);
        assert!(safety.is_verified());
        safety.on_epoch(true);
        assert_eq!(safety.view(), SafetyState::RosterChanged);
    }

    #[test]
    fn one_member_who_finds_other_words_counts_for_all() {
        let mut safety = at(State::Verified);
        safety.on_answer(true);
        assert!(safety.is_verified());
        safety.on_answer(false);
        assert_eq!(safety.view(), SafetyState::Mismatch);
    }

    #[test]
    fn nothing_is_verified_without_words_on_screen() {
        let mut safety = at(State::Waiting);
        assert!(!safety.answer(true));
        assert!(!safety.is_verified());
        let mut safety = at(State::Compare(words()));
        assert!(safety.answer(true));
        assert!(safety.is_verified());
    }

    #[test]
    fn words_of_an_older_roster_are_not_compared() {
        let mut safety = at(State::Compare(words()));
        safety.on_epoch(true);
        assert_eq!(safety.view(), SafetyState::Idle);
    }
}
