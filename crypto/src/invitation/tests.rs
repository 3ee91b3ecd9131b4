use super::*;
use crate::testing::{Clinic, NOW, card, exchange};

#[test]
fn a_guest_with_link_and_code_is_verified_and_its_card_opens() {
    let clinic = Clinic::new();
    let call = clinic.call();
    let (owned, guest, verified) = clinic.lobby(&call);
    assert_eq!(verified.invite_id(), owned.invite_id());
    assert_eq!(owned.tries_left(), 3);
    let message5 = guest.card(&card()).unwrap();
    assert_eq!(owned.on_card(&message5).unwrap(), card());
    assert_eq!(guest.host().unwrap().display_name, "Dr Ada Example");
}
