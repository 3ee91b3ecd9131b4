//! Who somebody is: the practice vouches for devices of its staff, an invitation for a guest.
//!
//! ```text
//! practice key (owner's machine) ── signs ──> device certificate (≤ 30 days)
//!      │ fingerprint in every link                  │ device signs (leaf key, group, suite, role)
//!      v                                            v
//!  guest's client checks both  <───────────  leaf key of one call, in the MLS tree
//! ```

mod credential;
mod deny;
mod device;
mod practice;
mod signing;
mod succession;
#[cfg(test)]
mod tests;

pub use deny::{DenyList, DenyTerms};
pub use device::{CertificateTerms, DeviceCertificate, DeviceKey, DevicePublicKey, DeviceRequest};
pub use practice::{PracticeFingerprint, PracticeKey, PracticePublicKey};
pub use succession::PracticeSuccession;

pub(crate) use credential::LeafCredential;
pub(crate) use signing::{SigningKey, verify_parts};
