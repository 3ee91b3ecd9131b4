//! Which role may do what over REST: default deny.

use crate::protocol::StaffRole;

/// What a route does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    /// Reserve, move or cancel slots: a host its own only.
    Book,
    CreateUsers,
    /// Make and withdraw invitations of one's own appointments.
    Invite,
    ListStaff,
    ReadAudit,
    /// A host sees its own only.
    SeeAppointments,
    /// Which colleagues are in their rooms now.
    SeeRooms,
    /// Leave one's own device's certificate, and read those of colleagues.
    ShareCertificates,
}

/// The table.
pub(super) const fn may(role: StaffRole, deed: Deed) -> bool {
    match role {
        StaffRole::Admin => matches!(deed, Deed::Book | Deed::CreateUsers | Deed::ListStaff | Deed::SeeAppointments),
        StaffRole::Auditor => matches!(deed, Deed::ReadAudit),
        StaffRole::FrontDesk => {
            matches!(deed, Deed::Book | Deed::ListStaff | Deed::SeeAppointments)
        }
        StaffRole::Host => {
            matches!(
                deed,
                Deed::Book
                    | Deed::Invite
                    | Deed::ListStaff
                    | Deed::SeeAppointments
                    | Deed::SeeRooms
                    | Deed::ShareCertificates
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Deed::*, *};

    #[test]
    fn every_cell_is_as_the_table_says() {
        let deeds = [Book, CreateUsers, Invite, ListStaff, ReadAudit, SeeAppointments, SeeRooms, ShareCertificates];
        for (role, row) in [
            (StaffRole::Admin, "xx-x-x--"),
            (StaffRole::Auditor, "----x---"),
            (StaffRole::FrontDesk, "x--x-x--"),
            (StaffRole::Host, "x-xx-xxx"),
        ] {
            assert_eq!(row.len(), deeds.len());
            for (deed, cell) in deeds.into_iter().zip(row.chars()) {
                assert_eq!(may(role, deed), cell == 'x', "{role:?} × {deed:?}");
            }
        }
    }
}
