//! No secret can be copied, and printing one shows nothing of it.

use crate::{
    CallGroup, CallRole, DeviceKey, DisclosedKey, GuestInvitation, Inbound, InvitationCode, InvitationLink,
    KeyDisclosure, KeyRing, LeafIndex, LobbyToken, MediaKeys, OpenedFrame, OpeningKeys, OwnedInvitation, PracticeKey,
    SafetyCheck, SealingKey, Secret, SenderKeys, StaffEntry, StaffRole, VerifiedGuest,
    identity::SigningKey,
    testing::{Clinic, NOW, card},
};

/// Does not compile for a type that is `Clone`, and so for none that is `Copy`: the path below
/// would be ambiguous.
macro_rules! cannot_be_copied {
    ($($secret:ty),* $(,)?) => {
        $(const _: fn() = || {
            trait Ambiguous<A> {
                fn item() {}
            }
            impl<T: ?Sized> Ambiguous<()> for T {}
            struct ForClone;
            impl<T: ?Sized + Clone> Ambiguous<ForClone> for T {}
            <$secret as Ambiguous<_>>::item();
        };)*
    };
}

cannot_be_copied! {
    Secret<32>, SigningKey, PracticeKey, DeviceKey, InvitationLink, InvitationCode, LobbyToken, OwnedInvitation,
    GuestInvitation, VerifiedGuest, StaffEntry, CallGroup, MediaKeys, SenderKeys, SealingKey, OpeningKeys, KeyRing,
    OpenedFrame, KeyDisclosure, DisclosedKey, SafetyCheck,
}

/// Whether a run of hexadecimal digits, or a list of numbers, is long enough to be a secret.
fn shows_bytes(text: &str) -> bool {
    let digits = text.split(|character: char| !character.is_ascii_hexdigit()).any(|run| run.len() > 8);
    let numbers = text.split(", ").filter(|piece| piece.parse::<u8>().is_ok()).count();
    digits || numbers > 4
}

#[test]
fn printing_a_secret_shows_its_kind_and_no_bytes() {
    let clinic = Clinic::new();
    let mut call = clinic.call();
    let (owned, guest, verified) = clinic.lobby(&call);
    let (_, link, code) = clinic.invite(CallRole::Patient);
    let (device, certificate) = clinic.colleague(StaffRole::Clinician);
    let terms = crate::CallTerms { call_id: call.call_id(), mode: call.mode() };
    let entry = StaffEntry::new(NOW, &device, &certificate, CallRole::Interpreter, call.group_id(), terms).unwrap();
    let keys = call.media_keys().unwrap();
    let data = Inbound::Application { sender: LeafIndex::new(2).unwrap(), data: b"clinical text".to_vec() };
    let printed = [
        format!("{:?}", Secret::<32>::from_slice(&[7; 32]).unwrap()),
        format!("{:?}", clinic.practice),
        format!("{device:?}"),
        format!("{link:?}"),
        format!("{code:?}"),
        format!("{:?}", link.lobby_token().unwrap()),
        format!("{owned:?}"),
        format!("{guest:?}"),
        format!("{verified:?}"),
        format!("{entry:?}"),
        format!("{call:?}"),
        format!("{keys:?}"),
        format!("{:?}", card()),
        format!("{data:?}"),
    ];
    for text in &printed {
        assert!(!shows_bytes(text), "{text}");
        assert!(!text.contains("Example") && !text.contains("clinical"), "{text}");
    }
    assert_eq!(printed[13], "Application(leaf 2, 13 bytes)");
    assert!(shows_bytes(&format!("{:?}", [7; 32])) && shows_bytes("0707070707070707"));
}
