//! Steps as sentences, for the counterexamples.

use std::fmt::{Display, Formatter, Result};

use super::server::{Handed, Step};
use super::term::{Change, Commit, Knock, Package};

impl Display for Step {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Hand(to, what) => write!(f, "server -> {to:?}: {what}"),
            Self::AKnocks => write!(f, "A knocks"),
            Self::AnswerLeaves => write!(f, "the host's message 2 leaves"),
            Self::TryIsSpent => write!(f, "the host writes down that a try is spent"),
            Self::HostAdmits(package) => write!(f, "the host admits {package}"),
            Self::HostClicksRemove(who) => write!(f, "the host clicks Remove for {who:?}"),
            Self::BAsksToLeave => write!(f, "B asks to leave"),
            Self::Commits(who, change) => write!(f, "{who:?} commits: {change}"),
            Self::Heartbeat { from, to } => write!(f, "{from:?}'s heartbeat reaches {to:?}"),
        }
    }
}

impl Display for Handed {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Knock(knock) => write!(f, "message 1, {knock}"),
            Self::Challenge(challenge) => {
                write!(f, "message 2 of {:?}, answering {}", challenge.by, challenge.knock)
            }
            Self::Proof(proof) => {
                let covered = if proof.covers == Some(proof.package) { "under its MAC" } else { "without its MAC" };
                write!(f, "message 3 of attempt {} with {}, {covered}", proof.challenge.attempt, proof.package)
            }
            Self::Confirm(Some(confirm)) => write!(f, "message 4 for {}", confirm.package),
            Self::Confirm(None) => write!(f, "message 4 that nobody made"),
            Self::Welcome(commit) => write!(f, "Welcome beside {commit}"),
            Self::Commit(commit) => write!(f, "{commit}"),
        }
    }
}

impl Display for Knock {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let proof = if self.proof { "link proof" } else { "no link proof" };
        write!(f, "KE1 {} of {:?} with the leaf key of {:?} and {proof}", self.ke1.nonce, self.ke1.by, self.leaf)
    }
}

impl Display for Package {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "key package {} of {:?}", self.nonce, self.owner)
    }
}

impl Display for Change {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Add { package, psk: Some(_) } => write!(f, "Add of {package} with its pre-shared key"),
            Self::Add { package, psk: None } => write!(f, "Add of {package} without a pre-shared key"),
            Self::Remove(who) => write!(f, "Remove of {who:?}"),
            Self::Leave { who, asked: Some(_) } => write!(f, "Remove of {who:?} at its own request"),
            Self::Leave { who, asked: None } => write!(f, "Remove of {who:?} by a request that it did not sign"),
            Self::Hosts(list) => write!(f, "{list:?} as the hosts"),
            Self::Update => write!(f, "path update"),
        }
    }
}

impl Display for Commit {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{:?}'s commit: {}", self.by, self.change)
    }
}
