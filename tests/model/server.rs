//! The server: what it knows, what it can build of that, and every step that the world can take.

use super::client;
use super::property::Knowledge;
use super::term::{Challenge, Change, Commit, Confirm, Epoch, Epochs, Hosts, Ke1, Knock, Package, Proof, Psk, Who};
use super::world::{Flaw, KNOCKS, Message, Phase, Setting, World};

/// Everybody but the server.
const CLIENTS: [Who; 4] = [Who::Host, Who::A, Who::B, Who::Deputy];
/// Exchanges that the host opens at most, one more than there are tries.
const EXCHANGES: usize = 4;

/// One step of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The server hands something to a client: one of the counted messages.
    Hand(Who, Handed),
    AKnocks,
    AnswerLeaves,
    TryIsSpent,
    HostAdmits(Package),
    HostClicksRemove(Who),
    BAsksToLeave,
    Commits(Who, Change),
    Heartbeat {
        from: Who,
        to: Who,
    },
}

/// What the server hands over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Handed {
    Knock(Knock),
    Challenge(Challenge),
    Proof(Proof),
    /// `None`: one that nobody made.
    Confirm(Option<Confirm>),
    Welcome(Commit),
    Commit(Commit),
}

impl Step {
    /// Whether it counts against the bound.
    pub(crate) fn is_message(&self) -> bool {
        matches!(self, Self::Hand(..))
    }
}

/// Everything that can happen next, with what comes of it; what changes nothing is left out.
pub(crate) fn steps(world: &World, setting: &Setting, epochs: &mut Epochs) -> Vec<(Step, World)> {
    let mut next = Vec::new();
    let mut take = |step: Step, after: World| {
        if after != *world {
            next.push((step, after));
        }
    };
    for step in local(world, setting, epochs) {
        let mut after = world.clone();
        act(&mut after, setting, epochs, step);
        take(step, after);
    }
    if world.knocks == 0 || world.desk.owed.is_some() {
        return next;
    }
    for (to, what) in deliveries(world, setting, epochs).into_iter().filter(|(to, what)| heeds(world, *to, what)) {
        let mut after = world.clone();
        hand(&mut after, setting, epochs, to, what);
        take(Step::Hand(to, what), after);
    }
    next
}

/// All three in the call: A came in as it should, with an honest relay.
pub(crate) fn admitted(setting: &Setting, epochs: &mut Epochs) -> World {
    let mut world = World::lobby();
    act(&mut world, setting, epochs, Step::AKnocks);
    let mut handed = Vec::new();
    while !(matches!(world.phase, Phase::Joined(_)) && world.desk.consumed) {
        if world.desk.owed.is_some() {
            act(&mut world, setting, epochs, Step::AnswerLeaves);
        }
        let proved = world.desk.exchanges.iter().find_map(|exchange| exchange.proved);
        if let (Some(package), true) = (proved, world.desk.clicked.is_empty()) {
            act(&mut world, setting, epochs, Step::HostAdmits(package));
        }
        // Each message once, as it left.
        let fresh = world.sent.iter().copied().find(|message| !handed.contains(message));
        let message = fresh.expect("the exchange comes to its end by itself");
        handed.push(message);
        for (to, what) in readings(message, setting, epochs) {
            hand(&mut world, setting, epochs, to, what);
        }
    }
    world
}

/// What clients and people may do by themselves.
fn local(world: &World, setting: &Setting, epochs: &Epochs) -> Vec<Step> {
    // Holding one of these back gives nobody anything, so every way on begins with it: fewer states, the same verdicts.
    if world.desk.owed.is_some() {
        return vec![Step::AnswerLeaves];
    }
    if world.knocks == 0 {
        return vec![Step::AKnocks];
    }
    let mut steps = Vec::new();
    if world.knocks < KNOCKS && world.guest_tries > 0 && !matches!(world.phase, Phase::Joined(_)) {
        steps.push(Step::AKnocks);
    }
    if world.desk.unspent {
        steps.push(Step::TryIsSpent);
    }
    let host = world.member(Who::Host);
    let hosting = host.epoch.filter(|epoch| client::hosts(setting, epochs.group(*epoch), Who::Host));
    if let (Some(epoch), None, None) = (hosting, host.pending, host.alarm) {
        let consumed = world.desk.consumed && !setting.lacks(Flaw::NeverConsumed);
        match world.desk.removing {
            Some(who) => steps.push(Step::Commits(Who::Host, Change::Remove(who))),
            None if !consumed => {
                let proved = world.desk.exchanges.iter().filter_map(|exchange| exchange.proved);
                steps.extend(proved.map(Step::HostAdmits));
            }
            None => {}
        }
        let group = epochs.group(epoch);
        let others = [Who::A, Who::B, Who::Deputy].into_iter().filter(|who| !world.desk.removed && group.has(*who));
        steps.extend(others.map(Step::HostClicksRemove));
    }
    for who in [Who::A, Who::B].into_iter().filter(|who| setting.is_honest(*who)) {
        let member = world.member(who);
        if member.epoch.is_some() && member.pending.is_none() && !member.updated && member.alarm.is_none() {
            steps.push(Step::Commits(who, Change::Update));
        }
    }
    staffed(world, setting, epochs, &mut steps);
    let honest = || CLIENTS.into_iter().filter(|who| setting.is_honest(*who));
    for from in honest() {
        for to in honest().filter(|to| *to != from) {
            let sees =
                |one: Who, other: Who| world.member(one).epoch.is_some_and(|epoch| epochs.group(epoch).has(other));
            // Both ends hold the association open; the host closes that of whoever it removes at the click.
            let closed = world.desk.removing.is_some_and(|gone| gone == from || gone == to);
            if sees(from, to) && sees(to, from) && !closed {
                steps.push(Step::Heartbeat { from, to });
            }
        }
    }
    steps
}

/// What there is to do with a deputy in the call: it hosts, or the host makes room for it, and B goes by itself.
fn staffed(world: &World, setting: &Setting, epochs: &Epochs, steps: &mut Vec<Step>) {
    let asked = world.sent.iter().find_map(|message| match message {
        Message::Leave(_, epoch) => Some(*epoch),
        _ => None,
    });
    if let (Some(epoch), None) = (world.member(Who::B).epoch, asked)
        && epochs.group(epoch).has(Who::Deputy)
    {
        steps.push(Step::BAsksToLeave);
    }
    for who in [Who::Host, Who::Deputy].into_iter().filter(|who| setting.is_honest(*who)) {
        let member = world.member(who);
        let (Some(epoch), None, None) = (member.epoch, member.pending, member.alarm) else { continue };
        let group = epochs.group(epoch);
        if asked.is_some() && group.has(Who::B) {
            steps.push(Step::Commits(who, Change::Leave { who: Who::B, asked }));
        }
        let change = match who {
            Who::Host if group.has(Who::Deputy) && group.hosts.has(who) => Change::Hosts(Hosts::only(Who::Deputy)),
            Who::Deputy if !group.hosts.has(who) => Change::Hosts(group.hosts.with(who)),
            Who::Deputy if group.has(Who::B) => Change::Remove(Who::B),
            _ => continue,
        };
        steps.push(Step::Commits(who, change));
    }
}

fn act(world: &mut World, setting: &Setting, epochs: &mut Epochs, step: Step) {
    match step {
        Step::Hand(to, what) => hand(world, setting, epochs, to, what),
        Step::AKnocks => client::knock(world),
        Step::AnswerLeaves => client::answer(world, setting),
        Step::TryIsSpent => {
            world.desk.spent += 1;
            world.desk.unspent = false;
        }
        Step::HostAdmits(package) => {
            let exchange = world.desk.exchanges.iter().find(|exchange| exchange.proved == Some(package));
            if let Some(exchange) = exchange.copied() {
                client::admit(world, setting, epochs, exchange);
            }
        }
        Step::HostClicksRemove(who) => client::remove(world, setting, who),
        Step::BAsksToLeave => {
            if let Some(epoch) = world.member(Who::B).epoch {
                world.send(Message::Leave(Who::B, epoch));
            }
        }
        Step::Commits(who, change) => {
            world.member_mut(who).updated |= change == Change::Update;
            client::commit(world, epochs, who, change);
        }
        Step::Heartbeat { from, to } => client::on_heartbeat(world, setting, epochs, from, to),
    }
}

fn hand(world: &mut World, setting: &Setting, epochs: &mut Epochs, to: Who, what: Handed) {
    match what {
        Handed::Knock(knock) => client::on_knock(world, setting, knock),
        Handed::Challenge(challenge) => client::on_challenge(world, challenge),
        Handed::Proof(proof) => client::on_proof(world, setting, proof),
        Handed::Confirm(confirm) => client::on_confirm(world, confirm),
        Handed::Welcome(commit) => client::on_welcome(world, setting, epochs, commit),
        Handed::Commit(commit) => client::on_commit(world, setting, epochs, to, commit),
    }
}

/// Every message that the server has or can build, to everybody who would look at it.
fn deliveries(world: &World, setting: &Setting, epochs: &Epochs) -> Vec<(Who, Handed)> {
    let mut all = Vec::new();
    for message in &world.sent {
        all.extend(readings(*message, setting, epochs));
    }
    let knowledge = Knowledge { world, setting, epochs };
    invented_exchange(&knowledge, &mut all);
    invented_group(&knowledge, &mut all);
    all
}

/// Who would look at a message, and as what.
fn readings(message: Message, setting: &Setting, epochs: &Epochs) -> Vec<(Who, Handed)> {
    match message {
        Message::Knock(knock) => vec![(Who::Host, Handed::Knock(knock))],
        Message::Challenge(challenge) => vec![(Who::A, Handed::Challenge(challenge))],
        Message::Proof(proof) => vec![(Who::Host, Handed::Proof(proof))],
        Message::Confirm(confirm) => vec![(Who::A, Handed::Confirm(Some(confirm)))],
        Message::Commit(epoch) => {
            let Some(commit) = epochs.group(epoch).commit else { return Vec::new() };
            to_members(setting, commit).chain([(Who::A, Handed::Welcome(commit))]).collect()
        }
        // Members hear of it among themselves: `staffed` has what they do then.
        Message::Leave(..) => Vec::new(),
    }
}

/// Whether a client in this state looks at the message at all; without it, most copies of the world are made for nothing.
fn heeds(world: &World, to: Who, what: &Handed) -> bool {
    match what {
        Handed::Knock(_) | Handed::Proof(_) => !world.desk.consumed,
        Handed::Challenge(_) => matches!(world.phase, Phase::Knocked(_)),
        Handed::Confirm(_) => matches!(world.phase, Phase::Answered(..)),
        Handed::Welcome(_) => matches!(world.phase, Phase::Confirmed(..)),
        Handed::Commit(commit) => world.member(to).epoch == Some(commit.parent),
    }
}

fn to_members(setting: &Setting, commit: Commit) -> impl Iterator<Item = (Who, Handed)> {
    let setting = *setting;
    let members = CLIENTS.into_iter().filter(move |who| setting.is_honest(*who));
    members.map(move |who| (who, Handed::Commit(commit)))
}

/// Messages 1 to 4 as the server would make them up.
fn invented_exchange(knowledge: &Knowledge<'_>, all: &mut Vec<(Who, Handed)>) {
    let (world, setting) = (knowledge.world, knowledge.setting);
    let own = Package { owner: Who::Server, nonce: 0 };
    if world.desk.exchanges.len() < EXCHANGES {
        let made = world.desk.exchanges.iter().filter(|exchange| exchange.challenge.knock.ke1.by == Who::Server);
        let ke1 = Ke1 { by: Who::Server, nonce: made.count() as u8, right: setting.knows_password() };
        let proof = setting.knows_link();
        all.push((Who::Host, Handed::Knock(Knock { leaf: Who::Server, ke1, proof })));
        // Somebody else's KE1 under a leaf key of its own, and the other way round.
        let stolen = world.sent.iter().filter_map(|message| match message {
            Message::Knock(knock) => Some(Handed::Knock(Knock { leaf: Who::Server, proof, ..*knock })),
            _ => None,
        });
        all.extend(stolen.map(|knock| (Who::Host, knock)));
    }
    if let Phase::Knocked(knock) = world.phase {
        let challenge = Challenge { knock, by: Who::Server, right: setting.knows_password(), attempt: 0 };
        all.push((Who::A, Handed::Challenge(challenge)));
    }
    for message in &world.sent {
        match *message {
            Message::Challenge(challenge) => {
                let covers = knowledge.session(&challenge).then_some(own);
                all.push((Who::Host, Handed::Proof(Proof { challenge, package: own, covers })));
            }
            // Somebody else's proof around a package of its own.
            Message::Proof(proof) => all.push((Who::Host, Handed::Proof(Proof { package: own, ..proof }))),
            _ => {}
        }
    }
    if let Phase::Answered(challenge, package) = world.phase {
        let confirm = knowledge.session(&challenge).then_some(Confirm { challenge, package });
        all.push((Who::A, Handed::Confirm(confirm)));
    }
}

/// Commits and Welcomes that its ally, or a leaf of the server's own, can sign; and a group out of thin air.
fn invented_group(knowledge: &Knowledge<'_>, all: &mut Vec<(Who, Handed)>) {
    let (world, setting, epochs) = (knowledge.world, knowledge.setting, knowledge.epochs);
    let own = Package { owner: Who::Server, nonce: 1 };
    let mut parents: Vec<Epoch> = world.members.iter().filter_map(|member| member.epoch).collect();
    parents.push(Epochs::START);
    parents.sort_unstable();
    parents.dedup();
    for by in setting.ally.member().into_iter().chain([Who::Server]) {
        for &parent in parents.iter().filter(|epoch| epochs.group(**epoch).has(by) && knowledge.epoch(**epoch)) {
            let hosts = epochs.group(parent).hosts;
            let mut changes = vec![Change::Add { package: own, psk: None }, Change::Remove(Who::Host)];
            if epochs.group(parent).has(Who::Deputy) {
                let lists = [hosts.with(by), hosts.with(Who::Deputy), hosts.with(Who::Server), Hosts::only(by)];
                changes.extend(lists.into_iter().filter(|list| *list != hosts).map(Change::Hosts));
                changes.push(Change::Leave { who: Who::Host, asked: None });
            } else {
                // See `World::staffed`.
                changes.push(Change::Update);
            }
            for change in changes {
                all.extend(to_members(setting, Commit { parent, by, change }));
            }
            all.extend(welcome(knowledge, parent, by));
        }
    }
    all.extend(welcome(knowledge, Epochs::INVENTED, Who::Server));
}

/// A Welcome for A's key package into a group of the server's or its ally's, with the pre-shared key if that is known.
fn welcome(knowledge: &Knowledge<'_>, parent: Epoch, by: Who) -> Option<(Who, Handed)> {
    let Phase::Confirmed(challenge, package) = knowledge.world.phase else { return None };
    let psk = Psk { challenge, package };
    let psk = knowledge.psk(&psk).then_some(psk);
    Some((Who::A, Handed::Welcome(Commit { parent, by, change: Change::Add { package, psk } })))
}
