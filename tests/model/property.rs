//! What must hold in every state, and what the server knows in one.

use super::client::TRIES;
use super::term::{Challenge, Change, Commit, DEPUTIES, Epoch, Epochs, Hosts, Psk, Who};
use super::world::{Ally, Flaw, Message, Phase, Setting, World};

/// What the server can derive from everything that was sent, the leaked channel and its ally's keys.
pub(crate) struct Knowledge<'a> {
    pub(crate) world: &'a World,
    pub(crate) setting: &'a Setting,
    pub(crate) epochs: &'a Epochs,
}

impl Knowledge<'_> {
    /// The session key of an exchange: it holds an ephemeral key of it, and both passwords are the same.
    pub(crate) fn session(&self, challenge: &Challenge) -> bool {
        challenge.agrees() && (challenge.knock.ke1.by == Who::Server || challenge.by == Who::Server)
    }

    /// The pre-shared key of an admission: as a party of the exchange, or as a member that InvitePsk was sealed for.
    pub(crate) fn psk(&self, psk: &Psk) -> bool {
        let told = |commit: Commit| {
            matches!(commit.change, Change::Add { psk: Some(sent), .. } if sent == *psk) && self.epoch(commit.parent)
        };
        self.session(&psk.challenge) || self.commits().any(|epoch| self.epochs.group(epoch).commit.is_some_and(told))
    }

    /// The secret of an epoch (RFC 9420 §8): from the epoch before and the commit's path, or from the Welcome; with the
    /// pre-shared key in either case.
    pub(crate) fn epoch(&self, epoch: Epoch) -> bool {
        let group = self.epochs.group(epoch);
        let Some(commit) = group.commit else {
            return epoch == Epochs::INVENTED || self.is_admitted(epoch);
        };
        let broken = self.setting.ally == Ally::BrokenKem;
        let has_leaf = self.is_admitted(epoch) || group.has(Who::Server);
        let made_it = !self.setting.is_honest(commit.by);
        let pathless = matches!(commit.change, Change::Remove(_)) && self.setting.lacks(Flaw::RemoveWithoutPath);
        let path = broken || pathless || made_it || has_leaf;
        let (welcome, psk) = match commit.change {
            Change::Add { package, psk } => (broken || package.owner == Who::Server, psk),
            Change::Remove(_) | Change::Leave { .. } | Change::Hosts(_) | Change::Update => (false, None),
        };
        let joiner = welcome || path && self.epoch(commit.parent);
        joiner && psk.is_none_or(|psk| self.session(&psk.challenge) || self.epoch(commit.parent))
    }

    fn commits(&self) -> impl Iterator<Item = Epoch> {
        self.world.sent.iter().filter_map(|message| match message {
            Message::Commit(epoch) => Some(*epoch),
            _ => None,
        })
    }

    /// Epochs that an honest client made or stands in.
    fn honest_epochs(&self) -> impl Iterator<Item = Epoch> {
        let stood_in = self.world.members.iter().filter_map(|member| member.epoch);
        self.commits().chain(stood_in)
    }

    fn is_admitted(&self, epoch: Epoch) -> bool {
        self.setting.ally.member().is_some_and(|ally| self.epochs.group(epoch).has(ally))
    }

    fn after_removal(&self, epoch: Epoch) -> bool {
        let ally = self.setting.ally.member().unwrap_or(Who::B);
        let of_ally = |change: Change| match change {
            Change::Remove(who) | Change::Leave { who, .. } => who == ally,
            Change::Add { .. } | Change::Hosts(_) | Change::Update => false,
        };
        self.epochs.history(epoch).any(|commit| self.setting.is_honest(commit.by) && of_ally(commit.change))
    }

    /// The commits behind the epochs that honest members stand in.
    fn taken(&self) -> impl Iterator<Item = Commit> {
        let stood_in = self.world.members.iter().filter_map(|member| member.epoch);
        stood_in.flat_map(|epoch| self.epochs.history(epoch))
    }
}

/// A sentence that is true in every state, and its check.
pub(crate) type Property = (&'static str, fn(&Knowledge<'_>) -> bool);

/// All of them.
pub(crate) const PROPERTIES: [Property; 14] = [
    ("the attacker knows no secret of an epoch that it was not admitted to", no_unadmitted_secret),
    ("a removed member knows no later epoch's secret", no_secret_after_removal),
    ("whoever came in by the invitation was admitted by the host's click on its own exchange", only_clicked_guests),
    ("a guest joins the group of the host that it proved, and no other", joins_the_proved_host),
    ("an invitation admits once", one_admission),
    ("an invitation bears three unproved answers", three_tries),
    ("each try is spent before its answer leaves", spent_before_answer),
    ("no try is spent on somebody without the link", tries_cost_the_link),
    ("whoever hears of a fork or of a withheld commit does not go on sending", forks_raise_an_alarm),
    ("from the click on Remove on the host seals nothing that the removed member could open", removal_fails_closed),
    ("a list of hosts is a host's, or grows by whoever commits it", lists_grow_by_their_committer),
    ("whoever stands on the list of hosts was its first, or is a deputy", hosts_are_named_at_the_creation),
    ("nobody adds or removes but who hosts at that moment", only_hosts_add_and_remove),
    ("whoever leaves by a member's commit has asked for it", leavers_asked),
];

fn no_unadmitted_secret(known: &Knowledge<'_>) -> bool {
    let mut epochs = known.honest_epochs().filter(|epoch| !known.is_admitted(*epoch) && !known.after_removal(*epoch));
    epochs.all(|epoch| !known.epoch(epoch) || !of_the_host(known, epoch))
}

fn no_secret_after_removal(known: &Knowledge<'_>) -> bool {
    known.honest_epochs().filter(|epoch| known.after_removal(*epoch)).all(|epoch| !known.epoch(epoch))
}

/// Whether an epoch belongs to the host's group; another group is the business of [`joins_the_proved_host`].
fn of_the_host(known: &Knowledge<'_>, epoch: Epoch) -> bool {
    let mut roots = known.epochs.history(epoch).map(|commit| commit.parent);
    epoch != Epochs::INVENTED && roots.all(|parent| parent != Epochs::INVENTED)
}

fn only_clicked_guests(known: &Knowledge<'_>) -> bool {
    let stood_in = known.world.members.iter().filter_map(|member| member.epoch);
    stood_in.flat_map(|epoch| &known.epochs.group(epoch).roster).all(|(owner, package)| {
        let clicked = package.is_none_or(|package| known.world.desk.clicked.contains(&package));
        *owner != Who::Server && clicked
    })
}

fn joins_the_proved_host(known: &Knowledge<'_>) -> bool {
    let Phase::Joined(epoch) = known.world.phase else { return true };
    known.epochs.group(epoch).commit.is_some_and(|commit| commit.by == Who::Host) && of_the_host(known, epoch)
}

fn one_admission(known: &Knowledge<'_>) -> bool {
    known.world.desk.admissions <= 1
}

fn three_tries(known: &Knowledge<'_>) -> bool {
    known.world.desk.answers <= TRIES
}

fn spent_before_answer(known: &Knowledge<'_>) -> bool {
    known.world.desk.answers <= known.world.desk.spent
}

fn tries_cost_the_link(known: &Knowledge<'_>) -> bool {
    !known.world.desk.spent_without_link
}

fn forks_raise_an_alarm(known: &Knowledge<'_>) -> bool {
    known.world.members.iter().all(|member| !(member.told_of_fork || member.told_of_newer) || !member.sending)
}

fn removal_fails_closed(known: &Knowledge<'_>) -> bool {
    let host = known.world.member(Who::Host);
    let open = |gone: Who| host.epoch.is_some_and(|epoch| known.epochs.group(epoch).has(gone));
    !host.sending || !known.world.desk.removing.is_some_and(open)
}

fn hosts_are_named_at_the_creation(known: &Knowledge<'_>) -> bool {
    let stood_in = known.world.members.iter().filter_map(|member| member.epoch);
    stood_in
        .filter(|epoch| of_the_host(known, *epoch))
        .all(|epoch| known.epochs.group(epoch).hosts.are_among(Hosts::only(Who::Host), DEPUTIES))
}

fn lists_grow_by_their_committer(known: &Knowledge<'_>) -> bool {
    known.taken().all(|commit| {
        let before = known.epochs.group(commit.parent).hosts;
        match commit.change {
            Change::Hosts(list) => before.has(commit.by) || list == before.with(commit.by),
            _ => true,
        }
    })
}

fn only_hosts_add_and_remove(known: &Knowledge<'_>) -> bool {
    known.taken().all(|commit| match commit.change {
        Change::Add { .. } | Change::Remove(_) => known.epochs.group(commit.parent).hosts.has(commit.by),
        Change::Leave { .. } | Change::Hosts(_) | Change::Update => true,
    })
}

fn leavers_asked(known: &Knowledge<'_>) -> bool {
    let asked =
        |who: Who| known.world.sent.iter().any(|message| matches!(message, Message::Leave(by, _) if *by == who));
    known.taken().all(|commit| match commit.change {
        Change::Leave { who, .. } => asked(who),
        _ => true,
    })
}
