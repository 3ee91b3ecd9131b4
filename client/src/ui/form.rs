//! What the person is typing or has opened on the current screen.
//!
//! It lives as long as the phase: [`Forms::default`] takes its place when the phase changes, which wipes the typed text.

use zeroize::Zeroizing;

use super::roster::Question;
use crate::session::Device;

/// Text being typed. The buffer is large enough from the start, so that growing leaves no copies behind.
#[derive(Clone)]
pub(crate) struct Typed(Zeroizing<String>);

impl Typed {
    /// The buffer for a field.
    pub(crate) fn buffer(&mut self) -> &mut String {
        &mut self.0
    }

    /// What stands there.
    #[must_use]
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands there, without white space around it.
    #[must_use]
    pub(crate) fn trimmed(&self) -> &str {
        self.0.trim()
    }

    /// Whether nothing but white space stands there.
    #[must_use]
    pub(crate) fn is_blank(&self) -> bool {
        self.trimmed().is_empty()
    }
}

impl Default for Typed {
    fn default() -> Self {
        Self(Zeroizing::new(String::with_capacity(512)))
    }
}

impl From<&str> for Typed {
    fn from(text: &str) -> Self {
        let mut typed = Self::default();
        typed.0.push_str(text);
        typed
    }
}

impl std::fmt::Debug for Typed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Typed(…)")
    }
}

/// Sign-in.
#[derive(Clone, Debug, Default)]
pub(crate) struct SignInForm {
    /// Account name.
    pub(crate) name: Typed,
    /// The remembered name was filled in.
    pub(crate) prefilled: bool,
    /// Passphrase.
    pub(crate) passphrase: Typed,
    /// The passphrase is readable.
    pub(crate) show: bool,
    /// Second factor.
    pub(crate) code: Typed,
}

/// Booking.
#[derive(Clone, Debug, Default)]
pub(crate) struct BookingForm {
    /// Practice's reference.
    pub(crate) label: Typed,
    /// Date as typed.
    pub(crate) date: Typed,
    /// Time as typed.
    pub(crate) time: Typed,
    /// Date and time were filled in.
    pub(crate) prefilled: bool,
    /// The person pressed the button: complaints may show.
    pub(crate) tried: bool,
}

/// The lobby card.
#[derive(Clone, Debug, Default)]
pub(crate) struct AboutForm {
    /// Full name.
    pub(crate) name: Typed,
    /// Birth date as typed.
    pub(crate) birth_date: Typed,
    /// Phone number.
    pub(crate) phone: Typed,
    /// The optional part is open.
    pub(crate) more: bool,
    /// Who is with the guest.
    pub(crate) with_them: Typed,
    /// Consent is ticked.
    pub(crate) consent: bool,
    /// The person pressed the button: complaints may show.
    pub(crate) tried: bool,
}

/// A question that is open in the waiting panel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DoorQuestion {
    /// Admit this participant?
    Admit {
        /// Id from the waiting list.
        participant: String,
        /// The host ticked that the person is the expected one.
        compared: bool,
    },
    /// Turn this participant away?
    Deny {
        /// Id from the waiting list.
        participant: String,
    },
}

/// A question about an appointment of today's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TodayQuestion {
    /// Withdraw its invitation?
    Revoke(String),
    /// Make an invitation to a call whose keys are disclosed?
    Assessor(String),
}

/// Everything that is typed or opened.
#[derive(Clone, Debug, Default)]
pub struct Forms {
    /// Sign-in.
    pub(crate) sign_in: SignInForm,
    /// Booking.
    pub(crate) booking: BookingForm,
    /// The lobby card.
    pub(crate) about: AboutForm,
    /// The invitation link.
    pub(crate) link: Typed,
    /// The invitation code.
    pub(crate) code: Typed,
    /// Something was copied on this page.
    pub(crate) copied: bool,
    /// A question in today's list.
    pub(crate) today: Option<TodayQuestion>,
    /// A question in the waiting panel.
    pub(crate) door: Option<DoorQuestion>,
    /// What the host is asked about a member.
    pub(crate) asked: Option<Question>,
    /// The person may leave: asked once more.
    pub(crate) leaving: bool,
    /// The self view is hidden.
    pub(crate) hide_self: bool,
    /// The card about the connection is open.
    pub(crate) health: bool,
    /// The picker of windows to share is open.
    pub(crate) sharing: bool,
    /// The card with devices and background is open.
    pub(crate) settings: bool,
    /// The device that another one is being chosen for.
    pub(crate) choosing: Option<Device>,
    /// The help card is open.
    pub(crate) help: bool,
}
