//! The one type for fixed-size key material.

use std::fmt;

use ring::rand::{SecureRandom, SystemRandom};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Key material of `N` bytes: wiped on drop, neither `Clone` nor `Copy`, never printed,
/// compared in constant time.
///
/// The bytes lie on the heap, so that moving the value leaves no copy behind.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Secret<const N: usize>(Box<[u8; N]>);

impl<const N: usize> Secret<N> {
    /// Takes over the bytes and wipes the given array.
    #[must_use]
    pub fn take(bytes: &mut [u8; N]) -> Self {
        let mut secret = Self(Box::new([0; N]));
        secret.0.copy_from_slice(bytes);
        bytes.zeroize();
        secret
    }

    /// Copies the bytes of a slice of exactly `N` bytes.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        let mut secret = Self(Box::new([0; N]));
        if bytes.len() != N {
            return None;
        }
        secret.0.copy_from_slice(bytes);
        Some(secret)
    }

    /// The bytes, for as short as possible.
    #[must_use]
    pub fn expose(&self) -> &[u8; N] {
        &self.0
    }

    pub(crate) fn random() -> Option<Self> {
        Self::filled(|bytes| SystemRandom::new().fill(bytes).ok())
    }

    pub(crate) fn filled(fill: impl FnOnce(&mut [u8]) -> Option<()>) -> Option<Self> {
        let mut secret = Self(Box::new([0; N]));
        fill(secret.0.as_mut_slice())?;
        Some(secret)
    }
}

impl<const N: usize> PartialEq for Secret<N> {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_slice().ct_eq(other.0.as_slice()).into()
    }
}

impl<const N: usize> Eq for Secret<N> {}

impl<const N: usize> fmt::Debug for Secret<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({N} bytes)")
    }
}

/// Random public bytes: ids and nonces.
pub(crate) fn random_bytes<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taking_wipes_the_source() {
        let mut source = [7_u8; 32];
        let secret = Secret::take(&mut source);
        assert_eq!(source, [0; 32]);
        assert_eq!(secret.expose(), &[7; 32]);
    }

    #[test]
    fn printing_shows_only_the_length() {
        let secret = Secret::<4>::from_slice(&[1, 2, 3, 4]).unwrap();
        assert_eq!(format!("{secret:?}"), "Secret(4 bytes)");
        assert!(Secret::<4>::from_slice(&[1]).is_none());
    }
}
