//! One state of the whole: four clients, and everything that ever left one of them.

use std::hash::{Hash, Hasher};

use super::term::{Challenge, Confirm, Epoch, Epochs, Knock, Package, Proof, Who};

/// Knocks that A makes at most.
pub(crate) const KNOCKS: u8 = 2;

/// Which of the two channels of the invitation the server reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leak {
    Link,
    Code,
    /// Beyond what cryptography can stop, and found by the model as such.
    Both,
}

/// Who else works for the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ally {
    /// B, with all its keys, as a member and after its removal.
    B,
    /// The deputy, likewise. Whom it admits once it hosts is left out: whoever hosts may.
    Deputy,
    /// Nobody; but the KEM under Welcomes and path updates is broken.
    BrokenKem,
}

impl Ally {
    /// The client whose keys the server has.
    pub(crate) fn member(self) -> Option<Who> {
        match self {
            Self::B => Some(Who::B),
            Self::Deputy => Some(Who::Deputy),
            Self::BrokenKem => None,
        }
    }
}

/// A check left out of the clients, for the model to find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    NoLinkProof,
    TrySpentAfterAnswer,
    NoBoundOnTries,
    PackageNotBound,
    NoSignerCheck,
    NoPsk,
    AnybodyMayAdd,
    NeverConsumed,
    RemoveWithoutPath,
    SealsWhileRemoving,
    NoHeartbeatCompare,
    NewerEpochIgnored,
    AnybodyStepsIn,
    DeputyNamesAnybody,
    FormerHostKept,
    LeaveNotSigned,
}

/// What is explored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    pub(crate) leak: Leak,
    pub(crate) ally: Ally,
    pub(crate) flaw: Option<Flaw>,
}

impl Setting {
    pub(crate) fn lacks(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    pub(crate) fn knows_link(&self) -> bool {
        self.leak != Leak::Code
    }

    pub(crate) fn knows_password(&self) -> bool {
        self.leak == Leak::Both
    }

    pub(crate) fn is_honest(&self, who: Who) -> bool {
        who != Who::Server && self.ally.member() != Some(who)
    }
}

/// Why a member stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Alarm {
    /// Another authenticator for the same epoch number.
    Partition,
    /// A host is in a newer epoch: a commit is being withheld.
    Withheld,
    /// A member's commit broke a rule.
    Refused,
}

/// A client as a member of the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub(crate) struct Member {
    /// `None` outside the group.
    pub(crate) epoch: Option<Epoch>,
    /// Own commit that waits for its echo.
    pub(crate) pending: Option<Epoch>,
    pub(crate) sending: bool,
    pub(crate) alarm: Option<Alarm>,
    pub(crate) updated: bool,
    /// Only watched: a heartbeat of another fork arrived in this epoch.
    pub(crate) told_of_fork: bool,
    /// Only watched: a host's heartbeat of a newer epoch arrived in this epoch.
    pub(crate) told_of_newer: bool,
}

impl Member {
    pub(crate) fn at(epoch: Epoch) -> Self {
        Self { epoch: Some(epoch), sending: true, ..Self::default() }
    }
}

/// One exchange as the host remembers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Exchange {
    pub(crate) challenge: Challenge,
    /// The package that was proved.
    pub(crate) proved: Option<Package>,
    pub(crate) over: bool,
}

/// The owner device's record, and what the person clicked.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub(crate) struct Desk {
    /// Tries that are spent on exchanges that proved nothing, as it stands on disk.
    pub(crate) spent: u8,
    pub(crate) consumed: bool,
    pub(crate) exchanges: Vec<Exchange>,
    /// Message 2 that is computed and has not left yet.
    pub(crate) owed: Option<Challenge>,
    /// Only where the try is spent after the answer: it has left, and the try stands not on disk yet.
    pub(crate) unspent: bool,
    /// Set by the click on Remove until the Remove is merged.
    pub(crate) removing: Option<Who>,
    pub(crate) removed: bool,
    /// Only watched: packages that the person admitted.
    pub(crate) clicked: Vec<Package>,
    /// Only watched: Adds for this invitation that became the host's epoch.
    pub(crate) admissions: u8,
    /// Only watched: answers that left, to exchanges that proved nothing.
    pub(crate) answers: u8,
    /// Only watched: a try was spent on a knock whose maker did not show the link.
    pub(crate) spent_without_link: bool,
}

/// Where guest A stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Phase {
    Idle,
    Knocked(Knock),
    Answered(Challenge, Package),
    Confirmed(Challenge, Package),
    /// By the Welcome of this epoch.
    Joined(Epoch),
}

/// A message that left an honest client, and that the server has from then on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Message {
    Knock(Knock),
    Challenge(Challenge),
    Proof(Proof),
    Confirm(Confirm),
    /// With its Welcome and its InvitePsk, if it is an Add.
    Commit(Epoch),
    /// A leave request, signed in this epoch.
    Leave(Who, Epoch),
}

/// Coarse, as that of [`Challenge`].
impl Hash for Message {
    fn hash<H: Hasher>(&self, state: &mut H) {
        if let Self::Commit(epoch) = self {
            epoch.hash(state);
        }
    }
}

/// One state.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct World {
    pub(crate) desk: Desk,
    pub(crate) phase: Phase,
    pub(crate) knocks: u8,
    pub(crate) guest_tries: u8,
    /// Host, A, B, deputy.
    pub(crate) members: [Member; 4],
    /// Sorted.
    pub(crate) sent: Vec<Message>,
}

impl World {
    /// The host and B are in the call, A holds an invitation.
    pub(crate) fn lobby() -> Self {
        Self {
            desk: Desk::default(),
            phase: Phase::Idle,
            knocks: 0,
            guest_tries: 3,
            members: [Member::at(Epochs::START), Member::default(), Member::at(Epochs::START), Member::default()],
            sent: Vec::new(),
        }
    }

    /// The host, B and the deputy are in the call; A and its invitation are done with.
    pub(crate) fn staffed() -> Self {
        let mut world = Self::lobby();
        (world.desk.consumed, world.knocks, world.guest_tries) = (true, KNOCKS, 0);
        *world.member_mut(Who::Deputy) = Member::at(Epochs::START);
        // Path updates are explored without a deputy; here each would double the states.
        world.member_mut(Who::B).updated = true;
        world
    }

    pub(crate) fn member(&self, who: Who) -> &Member {
        &self.members[who as usize]
    }

    pub(crate) fn member_mut(&mut self, who: Who) -> &mut Member {
        &mut self.members[who as usize]
    }

    pub(crate) fn send(&mut self, message: Message) {
        if let Err(at) = self.sent.binary_search(&message) {
            self.sent.insert(at, message);
        }
    }
}
