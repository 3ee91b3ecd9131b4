//! Commit, Welcome, joining and processing by size of the group.

use crypto::{
    Bundle, CallGroup, CallId, CallMode, CallRole, CallTerms, CertificateTerms, DeviceCertificate, DeviceKey,
    GuestInvitation, InvitationTerms, LogEntry, OwnedInvitation, PracticeKey, StaffRole, VerifiedGuest,
};

use super::{figure, median, timed};

const NOW: u64 = 1_800_000_000;
const ROUNDS: usize = 7;

/// Seconds for one operation in a call of two.
#[derive(Default)]
pub(crate) struct Costs {
    pub(crate) update: f64,
    pub(crate) process: f64,
    pub(crate) message: f64,
}

pub(crate) fn figures() -> Costs {
    let mut costs = Costs::default();
    for size in [2, 4, 8, 16] {
        let mut call = Call::of(size);
        let update = call.updates();
        let admit = call.admissions();
        // Among two nobody else is there to process an admission, or to need its key.
        let line = |name: &str, value: f64, unit| {
            if value > 0.0 {
                figure("P6", &format!("{name}, {size} members"), value, unit, None);
            }
        };
        line("path update: commit made", update.made * 1e3, "ms");
        line("path update: commit processed", update.processed * 1e3, "ms");
        line("path update: commit", update.commit, "B");
        line("admission: commit and Welcome made", admit.made * 1e3, "ms");
        line("admission: commit processed", admit.processed * 1e3, "ms");
        line("admission: joined by the Welcome", admit.joined * 1e3, "ms");
        line("admission: commit", admit.commit, "B");
        line("admission: Welcome", admit.welcome, "B");
        line("admission: pre-shared key for the others", admit.invite_psk, "B");
        if size == 2 {
            costs = Costs { update: update.made, process: update.processed, message: call.message() };
            line("message sealed and opened", costs.message * 1e3, "ms");
        }
    }
    costs
}

/// Medians, in seconds and bytes.
#[derive(Default)]
struct Medians {
    made: f64,
    processed: f64,
    joined: f64,
    commit: f64,
    welcome: f64,
    invite_psk: f64,
}

/// A practice and its call.
pub(crate) struct Call {
    practice: PracticeKey,
    pub(crate) members: Vec<CallGroup>,
}

impl Call {
    /// A host with guests, `size` members in all.
    pub(crate) fn of(size: usize) -> Self {
        let (practice, _) = PracticeKey::generate().expect("there are random bytes");
        let device = DeviceKey::generate().expect("there are random bytes");
        let certificate = certify(&practice, &device);
        let terms = CallTerms { call_id: CallId::from_bytes([9; 16]), mode: CallMode::Real };
        let host = CallGroup::create(NOW, &device, &certificate, terms).expect("a host opens a call");
        let mut call = Self { practice, members: vec![host] };
        while call.members.len() < size {
            call.grow();
        }
        call
    }

    /// A guest that proved link and code, and what the host knows of it.
    fn lobby(&self) -> (GuestInvitation, VerifiedGuest) {
        let phone = "02 5550 0100";
        let terms = InvitationTerms {
            server: "127.0.0.1:7443".into(),
            server_pin: [4; 32],
            practice: self.practice.public(),
            practice_phone: phone.into(),
            phone_signature: self.practice.sign_phone(phone).expect("the key signs"),
            role: CallRole::Patient,
            mode: CallMode::Real,
            least_deny_list: 0,
            not_before: NOW - 60,
            expires_at: NOW + 3600,
            appointment: "a1".into(),
        };
        let (mut owned, link, code) = OwnedInvitation::create(terms).expect("the terms are in bounds");
        let mut guest = GuestInvitation::new(link);
        let message1 = guest.knock(&code).expect("a first knock");
        let knock = owned.on_knock(NOW, &message1, &self.members[0]).expect("the host answers");
        let message3 = guest.on_challenge(NOW, &knock.message2).expect("the code is right");
        let proof = owned.on_proof(NOW, &message3).expect("the code is right");
        guest.on_confirm(&proof.message4).expect("the host knows the code");
        (guest, proof.guest)
    }

    fn grow(&mut self) {
        let (mut guest, verified) = self.lobby();
        let bundle = self.members[0].admit(&verified).expect("the host admits");
        self.deliver(&bundle);
        let welcome = bundle.welcome.expect("an admission has a Welcome");
        self.members.push(guest.join(NOW, &welcome).expect("the guest joins"));
    }

    /// Gives a commit to everybody; the median of the seconds that others than its maker took.
    fn deliver(&mut self, bundle: &Bundle) -> f64 {
        let seconds = self.members.iter_mut().map(|member| {
            let own = member.is_pending();
            let (seconds, handled) = timed(|| {
                let entry = LogEntry::Commit { commit: &bundle.commit, invite_psk: bundle.invite_psk.as_deref() };
                member.handle(NOW, entry)
            });
            handled.expect("an honest commit");
            (!own).then_some(seconds)
        });
        median(seconds.flatten().collect())
    }

    fn updates(&mut self) -> Medians {
        let (mut made, mut processed, mut commit) = (vec![], vec![], vec![]);
        for _ in 0..ROUNDS {
            let (seconds, bundle) = timed(|| self.members[0].update());
            let bundle = bundle.expect("the host updates");
            made.push(seconds);
            commit.push(bundle.commit.len() as f64);
            processed.push(self.deliver(&bundle));
        }
        Medians { made: median(made), processed: median(processed), commit: median(commit), ..Medians::default() }
    }

    /// The admission that makes the group as large as it is now.
    fn admissions(&mut self) -> Medians {
        let mut rounds = [const { Vec::new() }; 6];
        for _ in 0..ROUNDS {
            let last = self.members.pop().expect("a group of two at least");
            let removal = self.members[0].remove(last.own_leaf()).expect("the host removes");
            self.deliver(&removal);
            let (mut guest, verified) = self.lobby();
            let (made, bundle) = timed(|| self.members[0].admit(&verified));
            let bundle = bundle.expect("the host admits");
            let processed = self.deliver(&bundle);
            let welcome = bundle.welcome.expect("an admission has a Welcome");
            let (joined, member) = timed(|| guest.join(NOW, &welcome));
            self.members.push(member.expect("the guest joins"));
            let psk = bundle.invite_psk.map_or(0, |psk| psk.len());
            let bytes = [bundle.commit.len(), welcome.len(), psk].map(|length| length as f64);
            let values = [made, processed, joined].into_iter().chain(bytes);
            rounds.iter_mut().zip(values).for_each(|(round, value)| round.push(value));
        }
        let [made, processed, joined, commit, welcome, invite_psk] = rounds.map(median);
        Medians { made, processed, joined, commit, welcome, invite_psk }
    }

    /// Seconds to seal a message of 200 bytes and to open it.
    fn message(&mut self) -> f64 {
        let [host, guest, ..] = &mut self.members[..] else { return f64::NAN };
        let rounds = (0..50).map(|_| {
            let (seconds, handled) = timed(|| {
                let (_, body) = host.seal(&[7; 200]).expect("a member seals");
                guest.handle(NOW, LogEntry::Application { body: &body })
            });
            handled.expect("a member opens");
            seconds
        });
        median(rounds.collect())
    }
}

fn certify(practice: &PracticeKey, device: &DeviceKey) -> DeviceCertificate {
    let terms = CertificateTerms {
        display_name: "Dr Ada Example".into(),
        roles: vec![StaffRole::Clinician],
        registration: None,
        serial: 1,
        not_before: NOW - 1000,
        not_after: NOW + 1_000_000,
    };
    practice.certify(&device.request().expect("a device asks"), terms).expect("the terms are in bounds")
}
