//! What travels, as terms: a value that cannot be made without the secrets it is made from.
//!
//! A session key, a MAC or a sealed message is no number here but the list of what it depends on.
//! Two of them are equal when these are, and whoever lacks one of them cannot build it.

use std::collections::HashMap;
use std::fmt::{Debug, Formatter, Result};
use std::hash::{Hash, Hasher};

/// Who made, owns or receives something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Who {
    /// The clinician.
    Host,
    /// Guest A: holds the invitation of this model, and is honest.
    A,
    /// Guest B: a member from the start; honest, or the server's accomplice with all its keys.
    B,
    /// A colleague in a host's role, named as a deputy at the creation; honest, or the server's accomplice.
    Deputy,
    /// The server, and whoever works for it.
    Server,
}

/// Who may stand on the list of hosts from the creation on.
pub(crate) const DEPUTIES: Hosts = Hosts(1 << Who::Deputy as u8);

/// The list of hosts, without its order.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Hosts(u8);

impl Hosts {
    pub(crate) fn only(who: Who) -> Self {
        Self(1 << who as u8)
    }

    pub(crate) fn with(self, who: Who) -> Self {
        Self(self.0 | 1 << who as u8)
    }

    pub(crate) fn has(self, who: Who) -> bool {
        self.0 & 1 << who as u8 != 0
    }

    pub(crate) fn are_among(self, hosts: Self, deputies: Self) -> bool {
        self.0 & !(hosts.0 | deputies.0) == 0
    }
}

impl Debug for Hosts {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let all = [Who::Host, Who::A, Who::B, Who::Deputy, Who::Server];
        f.debug_set().entries(all.into_iter().filter(|who| self.has(*who))).finish()
    }
}

/// OPAQUE's KE1: the blinded password and an ephemeral key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Ke1 {
    /// Who holds the ephemeral key.
    pub(crate) by: Who,
    /// Tells the exchanges of one maker apart.
    pub(crate) nonce: u8,
    /// Whether it was made from link secret and code.
    pub(crate) right: bool,
}

/// Message 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Knock {
    /// Whose leaf signature key it names.
    pub(crate) leaf: Who,
    pub(crate) ke1: Ke1,
    /// The link proof; only who knows the link secret can make it.
    pub(crate) proof: bool,
}

/// Message 2, with the context that its KE2 is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Challenge {
    pub(crate) knock: Knock,
    /// Who holds the ephemeral key of KE2.
    pub(crate) by: Who,
    /// Whether the record behind it was made from link secret and code.
    pub(crate) right: bool,
    pub(crate) attempt: u8,
}

/// A coarse hash is a quick one, and equality tells apart what it does not.
impl Hash for Challenge {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.attempt, self.knock.ke1.nonce).hash(state);
    }
}

impl Challenge {
    /// Whether both sides of it come to the same session key.
    pub(crate) fn agrees(&self) -> bool {
        self.knock.ke1.right == self.right
    }
}

/// An MLS key package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Package {
    /// Who holds its private keys.
    pub(crate) owner: Who,
    pub(crate) nonce: u8,
}

/// Message 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Proof {
    pub(crate) challenge: Challenge,
    pub(crate) package: Package,
    /// The package that MAC and binder cover, both under the key of this challenge; `None` is a KE3 that does not fit.
    pub(crate) covers: Option<Package>,
}

/// Message 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Confirm {
    pub(crate) challenge: Challenge,
    pub(crate) package: Package,
}

/// The external pre-shared key of an admission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Psk {
    pub(crate) challenge: Challenge,
    pub(crate) package: Package,
}

/// What a commit changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Change {
    Add {
        package: Package,
        psk: Option<Psk>,
    },
    Remove(Who),
    /// Remove of one member, beside its leave request.
    Leave {
        who: Who,
        /// The epoch that it signed the request in; `None` is a request that it did not sign.
        asked: Option<Epoch>,
    },
    /// Another list of hosts.
    Hosts(Hosts),
    /// A path update.
    Update,
}

/// A commit, and the Welcome beside an Add; signed by the leaf of `by`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Commit {
    pub(crate) parent: Epoch,
    pub(crate) by: Who,
    pub(crate) change: Change,
}

/// An epoch is the commit that made it; two epochs are equal when their whole histories are.
///
/// It stands for its authenticator as well: two different epochs have different ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Epoch(u16);

/// What there is to know about an epoch, without its secret.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// `None` for the epoch that the model starts in, and for the one that the server invents.
    pub(crate) commit: Option<Commit>,
    pub(crate) number: u8,
    pub(crate) hosts: Hosts,
    /// Who holds a leaf, with the key package that it came in by.
    pub(crate) roster: Vec<(Who, Option<Package>)>,
}

impl Group {
    pub(crate) fn has(&self, who: Who) -> bool {
        self.roster.iter().any(|(member, _)| *member == who)
    }
}

/// All epochs that were thought of; grows while the model is explored.
#[derive(Debug)]
pub(crate) struct Epochs {
    groups: Vec<Group>,
    by_commit: HashMap<Commit, Epoch>,
}

impl Epochs {
    /// The epoch in which the host and B are alone, or with the deputy.
    pub(crate) const START: Epoch = Epoch(0);
    /// A group of the server's own, under the same group id.
    pub(crate) const INVENTED: Epoch = Epoch(1);

    pub(crate) fn new(members: &[Who]) -> Self {
        let group = |host: Who, members: &[Who]| Group {
            commit: None,
            number: 1,
            hosts: Hosts::only(host),
            roster: members.iter().map(|who| (*who, None)).collect(),
        };
        let groups = vec![group(Who::Host, members), group(Who::Server, &[Who::Server])];
        Self { groups, by_commit: HashMap::new() }
    }

    pub(crate) fn group(&self, epoch: Epoch) -> &Group {
        &self.groups[usize::from(epoch.0)]
    }

    /// The epoch that `commit` leads to.
    pub(crate) fn after(&mut self, commit: Commit) -> Epoch {
        if let Some(epoch) = self.by_commit.get(&commit) {
            return *epoch;
        }
        let parent = self.group(commit.parent);
        let (number, mut hosts, mut roster) = (parent.number + 1, parent.hosts, parent.roster.clone());
        match commit.change {
            Change::Add { package, .. } => roster.push((package.owner, Some(package))),
            Change::Remove(who) | Change::Leave { who, .. } => roster.retain(|(member, _)| *member != who),
            Change::Hosts(list) => hosts = list,
            Change::Update => {}
        }
        let epoch = Epoch(u16::try_from(self.groups.len()).expect("the bound keeps epochs few"));
        self.groups.push(Group { commit: Some(commit), number, hosts, roster });
        self.by_commit.insert(commit, epoch);
        epoch
    }

    /// The commits that led to `epoch`, the newest first.
    pub(crate) fn history(&self, epoch: Epoch) -> impl Iterator<Item = Commit> {
        std::iter::successors(self.group(epoch).commit, |commit| self.group(commit.parent).commit)
    }
}
