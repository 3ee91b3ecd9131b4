//! What an honest client does with what reaches it, and what the people at it may do.

use super::term::{
    Challenge, Change, Commit, Confirm, DEPUTIES, Epoch, Epochs, Group, Ke1, Knock, Package, Proof, Psk, Who,
};
use super::world::{Alarm, Exchange, Flaw, Member, Message, Phase, Setting, World};

/// Wrong codes that an invitation bears.
pub(crate) const TRIES: u8 = 3;

/// Host, message 1 → 2. The answer is only owed: it leaves in a step of its own.
pub(crate) fn on_knock(world: &mut World, setting: &Setting, knock: Knock) {
    let desk = &mut world.desk;
    if !knock.proof && !setting.lacks(Flaw::NoLinkProof) || desk.consumed || desk.owed.is_some() || desk.unspent {
        return;
    }
    // The same message gets the same answer, which the server has already.
    if desk.exchanges.iter().any(|exchange| exchange.challenge.knock == knock) {
        return;
    }
    if desk.spent >= TRIES && !setting.lacks(Flaw::NoBoundOnTries) {
        return;
    }
    if !setting.lacks(Flaw::TrySpentAfterAnswer) {
        desk.spent += 1;
    }
    desk.spent_without_link |= !knock.proof;
    let attempt = desk.exchanges.len() as u8;
    let challenge = Challenge { knock, by: Who::Host, right: true, attempt };
    desk.exchanges.push(Exchange { challenge, proved: None, over: false });
    desk.owed = Some(challenge);
}

/// Host: message 2 leaves.
pub(crate) fn answer(world: &mut World, setting: &Setting) {
    if let Some(challenge) = world.desk.owed.take() {
        world.desk.answers += 1;
        world.desk.unspent = setting.lacks(Flaw::TrySpentAfterAnswer);
        world.send(Message::Challenge(challenge));
    }
}

/// Host, message 3 → 4.
pub(crate) fn on_proof(world: &mut World, setting: &Setting, proof: Proof) {
    let desk = &mut world.desk;
    let open = |exchange: &&mut Exchange| exchange.challenge == proof.challenge && exchange.proved.is_none();
    let Some(exchange) = desk.exchanges.iter_mut().find(open).filter(|exchange| !exchange.over && !desk.consumed)
    else {
        return;
    };
    let bound = proof.covers == Some(proof.package) || setting.lacks(Flaw::PackageNotBound);
    if proof.covers.is_none() || !proof.challenge.agrees() || !bound {
        exchange.over = true;
        return;
    }
    exchange.proved = Some(proof.package);
    // Whoever knows the code was not guessing.
    desk.spent = desk.spent.saturating_sub(1);
    desk.answers = desk.answers.saturating_sub(1);
    world.send(Message::Confirm(Confirm { challenge: proof.challenge, package: proof.package }));
}

/// A: → message 1, giving up an exchange under way.
pub(crate) fn knock(world: &mut World) {
    let ke1 = Ke1 { by: Who::A, nonce: world.knocks, right: true };
    let knock = Knock { leaf: Who::A, ke1, proof: true };
    world.knocks += 1;
    world.phase = Phase::Knocked(knock);
    world.send(Message::Knock(knock));
}

/// A, message 2 → 3. The host's certificate is public, so anybody can show it: what counts is the key behind KE2.
pub(crate) fn on_challenge(world: &mut World, challenge: Challenge) {
    let Phase::Knocked(knock) = world.phase else { return };
    world.guest_tries -= 1;
    if challenge.knock != knock || !challenge.agrees() {
        world.phase = Phase::Idle;
        return;
    }
    let package = Package { owner: Who::A, nonce: knock.ke1.nonce };
    world.phase = Phase::Answered(challenge, package);
    world.send(Message::Proof(Proof { challenge, package, covers: Some(package) }));
}

/// A, message 4; `None` is one whose tag does not fit.
pub(crate) fn on_confirm(world: &mut World, confirm: Option<Confirm>) {
    let Phase::Answered(challenge, package) = world.phase else { return };
    world.phase = if confirm == Some(Confirm { challenge, package }) {
        world.guest_tries = TRIES;
        Phase::Confirmed(challenge, package)
    } else {
        Phase::Idle
    };
}

/// A joins by the Welcome beside `commit`, or burns its key package.
pub(crate) fn on_welcome(world: &mut World, setting: &Setting, epochs: &mut Epochs, commit: Commit) {
    let Phase::Confirmed(challenge, package) = world.phase else { return };
    let Change::Add { package: added, psk } = commit.change else { return };
    let right_psk = psk == Some(Psk { challenge, package }) || setting.lacks(Flaw::NoPsk);
    let right_signer = commit.by == challenge.by || setting.lacks(Flaw::NoSignerCheck);
    if added != package || !right_psk || !right_signer {
        world.phase = Phase::Idle;
        return;
    }
    let epoch = epochs.after(commit);
    world.phase = Phase::Joined(epoch);
    *world.member_mut(Who::A) = Member::at(epoch);
}

/// A member takes a commit of its epoch from the log.
pub(crate) fn on_commit(world: &mut World, setting: &Setting, epochs: &mut Epochs, who: Who, commit: Commit) {
    let member = *world.member(who);
    let gone = matches!(member.alarm, Some(Alarm::Partition | Alarm::Refused));
    if member.epoch != Some(commit.parent) || gone {
        return;
    }
    let epoch = epochs.after(commit);
    if commit.by == who {
        if member.pending == Some(epoch) {
            merge(world, epochs, who, epoch);
        }
        return;
    }
    let group = epochs.group(commit.parent);
    if !group.has(commit.by) {
        return;
    }
    if is_allowed(setting, epochs, &commit) || setting.lacks(Flaw::AnybodyMayAdd) {
        merge(world, epochs, who, epoch);
    } else {
        let member = world.member_mut(who);
        (member.sending, member.alarm) = (false, Some(Alarm::Refused));
    }
}

/// Whether whoever made a commit may change what it changes, by the group before it.
fn is_allowed(setting: &Setting, epochs: &Epochs, commit: &Commit) -> bool {
    let group = epochs.group(commit.parent);
    let by_host = hosts(setting, group, commit.by);
    match commit.change {
        Change::Update => true,
        Change::Add { psk, .. } => by_host && (psk.is_some() || setting.lacks(Flaw::NoPsk)),
        Change::Remove(_) => by_host,
        // The signature names an epoch's number, so that a request outlives a race.
        Change::Leave { asked, .. } => {
            let signed = asked.is_some_and(|asked| epochs.group(asked).number <= group.number);
            signed || setting.lacks(Flaw::LeaveNotSigned)
        }
        Change::Hosts(list) if by_host => list.are_among(group.hosts, DEPUTIES),
        Change::Hosts(list) => {
            let deputy = DEPUTIES.has(commit.by) || setting.lacks(Flaw::AnybodyStepsIn);
            let itself = list == group.hosts.with(commit.by) || setting.lacks(Flaw::DeputyNamesAnybody);
            deputy && itself
        }
    }
}

/// Whether a member hosts in this epoch.
pub(crate) fn hosts(setting: &Setting, group: &Group, who: Who) -> bool {
    group.hosts.has(who) || who == Who::Host && setting.lacks(Flaw::FormerHostKept)
}

/// The epoch becomes the member's own; a commit that lost the race is dropped.
fn merge(world: &mut World, epochs: &Epochs, who: Who, epoch: Epoch) {
    let group = epochs.group(epoch);
    let updated = world.member(who).updated;
    if !group.has(who) {
        *world.member_mut(who) = Member { updated, ..Member::default() };
        return;
    }
    *world.member_mut(who) = Member { updated, ..Member::at(epoch) };
    if who != Who::Host {
        return;
    }
    if world.desk.removing.is_some_and(|removing| !group.has(removing)) {
        world.desk.removing = None;
    }
    // Nothing is sealed for an epoch that the removed member still has.
    world.member_mut(who).sending = world.desk.removing.is_none();
    if let Some(Commit { by: Who::Host, change: Change::Add { .. }, .. }) = group.commit {
        world.desk.admissions += 1;
        world.desk.consumed = true;
    }
}

/// A member commits; the commit waits for its echo.
pub(crate) fn commit(world: &mut World, epochs: &mut Epochs, who: Who, change: Change) {
    let Some(parent) = world.member(who).epoch else { return };
    let epoch = epochs.after(Commit { parent, by: who, change });
    world.member_mut(who).pending = Some(epoch);
    world.send(Message::Commit(epoch));
}

/// Host: the person admits whoever proved this exchange.
pub(crate) fn admit(world: &mut World, setting: &Setting, epochs: &mut Epochs, exchange: Exchange) {
    let Some(package) = exchange.proved else { return };
    if !world.desk.clicked.contains(&package) {
        world.desk.clicked.push(package);
    }
    let psk = (!setting.lacks(Flaw::NoPsk)).then_some(Psk { challenge: exchange.challenge, package });
    commit(world, epochs, Who::Host, Change::Add { package, psk });
}

/// Host: the click on Remove. The transport is closed at once; the commit follows as soon as none is pending.
pub(crate) fn remove(world: &mut World, setting: &Setting, who: Who) {
    world.desk.removing = Some(who);
    world.desk.removed = true;
    if !setting.lacks(Flaw::SealsWhileRemoving) {
        world.member_mut(Who::Host).sending = false;
    }
}

/// `from`'s heartbeat reaches `to` over their own channel, which no server can forge.
pub(crate) fn on_heartbeat(world: &mut World, setting: &Setting, epochs: &Epochs, from: Who, to: Who) {
    let (Some(theirs), Some(ours)) = (world.member(from).epoch, world.member(to).epoch) else { return };
    let (theirs_at, ours_at) = (epochs.group(theirs).number, epochs.group(ours).number);
    let member = world.member_mut(to);
    if theirs_at == ours_at && theirs != ours {
        member.told_of_fork = true;
        if !setting.lacks(Flaw::NoHeartbeatCompare) {
            (member.sending, member.alarm) = (false, Some(Alarm::Partition));
        }
    } else if theirs_at > ours_at && hosts(setting, epochs.group(ours), from) {
        member.told_of_newer = true;
        if !setting.lacks(Flaw::NewerEpochIgnored) && member.alarm.is_none() {
            (member.sending, member.alarm) = (false, Some(Alarm::Withheld));
        }
    }
}
