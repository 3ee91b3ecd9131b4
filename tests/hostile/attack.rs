//! The attacks by name.

use super::operator::{Honest, Operator};
use super::{door, log};

macro_rules! attacks {
    ($($name:ident = $text:literal, $tries:literal, $must:literal, $operator:expr;)*) => {
        /// What the operator of the server tries.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Attack {
            $(#[doc = $tries] $name,)*
        }

        impl Attack {
            /// Every attack.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its name on the command line.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// What it tries, in one sentence.
            #[must_use]
            pub fn tries(self) -> &'static str {
                match self { $(Self::$name => $tries,)* }
            }

            /// What the clients must do, in one sentence.
            #[must_use]
            pub fn must(self) -> &'static str {
                match self { $(Self::$name => $must,)* }
            }

            /// Whoever carries it out.
            #[must_use]
            pub fn operator(self) -> Box<dyn Operator> {
                match self { $(Self::$name => Box::new($operator),)* }
            }
        }
    };
}

attacks! {
    None = "none",
        "Passes everything on unchanged.",
        "The consultation works as with the real server.",
        Honest;
    OtherKey = "other-key",
        "Shows every client a TLS key that nobody pinned.",
        "Clients refuse before a word is said (AUTH-05).",
        Honest;
    OldVersion = "old-version",
        "Writes an older profile version into the messages of the invitation exchange.",
        "The clinician's client refuses the knock, no try of the code is spent, and nobody is proven (INV-01).",
        door::old_version();
    SwapKeyPackage = "swap-key-package",
        "Puts another key package in place of the patient's.",
        "The clinician's client refuses the proof, and the patient cannot be admitted (INV-01).",
        door::swap_key_package(None);
    FakeHost = "fake-host",
        "Plays the clinician, with the clinician's certificate and a key of its own.",
        "The patient's client ends the visit: nobody of the practice is there (INV-12).",
        door::fake_host();
    ReplayKnock = "replay-knock",
        "Lists somebody invented who repeats every message of the waiting patient.",
        "The invented one is never ready to be admitted, and the patient still is.",
        door::replay_knock();
    OfferUsedAgain = "offer-used-again",
        "Lets a link that was used open once more, and brings whoever holds it to the clinician's door.",
        "The clinician's client has the link down as used and does not answer the code (INV-08).",
        door::OfferUsedAgain::default();
    EarlyAdmission = "early-admission",
        "Tells the waiting patient that it is admitted before the clinician said a word.",
        "The patient's client drops it and goes on waiting.",
        door::early_admission();
    ForgeWelcome = "forge-welcome",
        "Hands the patient a Welcome of its own making.",
        "The patient's client refuses it and proves itself anew without its code; the fourth ends the visit (E2E-05).",
        door::forge_welcome();
    ReplayWelcome = "replay-welcome",
        "Hands every patient the Welcome that was made for the first one, and the first one its own twice.",
        "The first joins once; every other refuses and ends the visit (E2E-05).",
        door::replay_welcome();
    ForgePresence = "forge-presence",
        "Invents people in the call and at the door, and says that those who are there have gone.",
        "The list of members stays as it is, and nobody invented can be admitted.",
        log::forge_presence();
    DuplicateLog = "duplicate-log",
        "Delivers every entry of the call's log three times.",
        "The consultation works; each entry counts once.",
        log::duplicate();
    ReorderLog = "reorder-log",
        "Delivers every second entry of the call's log late, so that later ones overtake it.",
        "The consultation works; entries are taken in their order.",
        log::reorder();
    AlterEcho = "alter-echo",
        "Changes one byte of the admission before the clinician gets it back.",
        "The clinician's client stops: the group is not what it should be (E2E-09).",
        log::alter_echo();
    AlterMessages = "alter-messages",
        "Changes one byte of every message that members send each other, such as addresses and fingerprints.",
        "None opens, so no connection for picture and sound is made.",
        log::alter_messages();
    StrangerCommit = "stranger-commit",
        "Puts a commit of somebody outside the call into the log of everybody in it.",
        "Each client refuses it and says so once (E2E-12), and the call goes on as it was.",
        log::stranger_commit();
    DropRemoval = "drop-removal",
        "Swallows every commit that takes somebody out of the call.",
        "Whoever was taken out gets nothing more from the click on, and nobody seals under the old keys for long.",
        log::drop_removal();
    WithholdCommits = "withhold-commits",
        "Keeps every commit, and what comes behind it, from the guests who are in the call.",
        "A guest's client finds that something is withheld, stops sending, and says so.",
        log::withhold_commits();
}

impl std::str::FromStr for Attack {
    type Err = UnknownAttack;

    fn from_str(text: &str) -> Result<Self, UnknownAttack> {
        Self::ALL.iter().find(|attack| attack.name() == text).copied().ok_or(UnknownAttack)
    }
}

/// No attack has this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownAttack;

impl std::fmt::Display for UnknownAttack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no attack has this name; --list prints them all")
    }
}

impl std::error::Error for UnknownAttack {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_attack_is_found_by_its_name_and_says_what_it_tries() {
        for attack in Attack::ALL {
            assert_eq!(attack.name().parse(), Ok(*attack));
            for sentence in [attack.tries(), attack.must()] {
                assert!(sentence.ends_with('.') && sentence.matches(". ").count() == 0, "{sentence}");
            }
        }
        assert_eq!("whisper".parse::<Attack>(), Err(UnknownAttack));
    }
}
