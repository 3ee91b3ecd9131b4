//! Sign-in: passphrase, second factor, sessions, throttle. Pure but for the passphrase's work; time is given.
//!
//! ```text
//! name + passphrase --throttle--> Argon2id --> ticket (5 min) --+
//! ticket + code     --throttle--> TOTP, step > last used -------+--> session (idle 15 min, life 12 h)
//! ```

mod password;
mod throttle;
mod token;
mod totp;

pub use self::password::PasswordCost;
pub(crate) use self::{
    password::Passwords,
    throttle::{Lock, Tries},
    token::{
        ENROL_TICKET_LIFE_S, ENROLMENT_LIFE_S, GUEST_LIFE_S, IDLE_S, LOGIN_TICKET_LIFE_S, STAFF_LIFE_S, TokenHash,
        new_token, random,
    },
    totp::{SecretSeal, TotpSecret},
};
