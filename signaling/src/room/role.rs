//! The one table of who may do what in a room: default deny.
//!
//! ```text
//!                host     host   guest    waiting  admitted  denied  gone  stranger
//!                outside         outside
//! OpenRoom         x        x
//! EnterLobby                       x         x        x        x      x
//! VisitRoom
//! Relay                     x                x        x
//! Admit, Deny               x
//! RemoveMember              x
//! RemoveLeaver              x                         x
//! Update                    x                         x
//! Application               x                         x
//! Replay                    x                         x
//! Leave                     x                x        x        x      x
//! EndCall                   x
//! Hello
//!
//!                colleague colleague colleague colleague colleague
//!                outside   waiting   admitted  denied    gone
//! OpenRoom
//! EnterLobby
//! VisitRoom        x         x         x         x         x
//! Relay                      x         x
//! Admit, Deny
//! RemoveMember
//! RemoveLeaver                         x
//! Update                               x
//! Application                          x
//! Replay                               x
//! Leave                      x         x         x         x
//! EndCall
//! Hello
//! ```
//!
//! A colleague is staff with the role host at an appointment of another host: but for the way in, it stands as a guest.

use crate::protocol::ErrorCode;

/// What a message asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Admit,
    Application,
    Deny,
    EndCall,
    EnterLobby,
    Hello,
    Leave,
    OpenRoom,
    Relay,
    /// Remove somebody who did not ask for it.
    RemoveMember,
    /// Remove somebody who left.
    RemoveLeaver,
    Replay,
    Update,
    VisitRoom,
}

/// How a sender stands to the room at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// The appointment's host, not in the room.
    HostOutside,
    /// The host in the room: holds keys.
    Host,
    /// A guest with an invitation for this room who did not enter.
    GuestOutside,
    /// A guest in the lobby.
    Waiting,
    /// A guest who was admitted.
    Admitted,
    /// A guest who was not admitted.
    Denied,
    /// A guest who was admitted, and left or was removed.
    Gone,
    /// Another host of the practice who did not come in.
    ColleagueOutside,
    /// The same, in the lobby.
    ColleagueWaiting,
    /// The same, admitted.
    ColleagueAdmitted,
    /// The same, not admitted.
    ColleagueDenied,
    /// The same, admitted before, and left or removed.
    ColleagueGone,
    /// Anybody else.
    Stranger,
}

/// Whether the action is allowed.
pub(crate) const fn allows(standing: Standing, action: Action) -> bool {
    use Action::{
        Admit, Application, Deny, EndCall, EnterLobby, Leave, OpenRoom, Relay, RemoveLeaver, RemoveMember, Replay,
        Update, VisitRoom,
    };
    match standing {
        Standing::HostOutside => matches!(action, OpenRoom),
        Standing::Host => matches!(
            action,
            OpenRoom
                | Relay
                | Admit
                | Deny
                | RemoveMember
                | RemoveLeaver
                | Update
                | Application
                | Replay
                | Leave
                | EndCall
        ),
        Standing::GuestOutside => matches!(action, EnterLobby),
        Standing::Waiting => matches!(action, EnterLobby | Relay | Leave),
        // Relay: a member that lost its group asks the host to be brought back.
        Standing::Admitted => {
            matches!(action, EnterLobby | Relay | RemoveLeaver | Update | Application | Replay | Leave)
        }
        Standing::Denied => matches!(action, EnterLobby | Leave),
        // To be told that it is over; and a word of leaving that crossed the removal is none that is refused.
        Standing::Gone => matches!(action, EnterLobby | Leave),
        Standing::ColleagueOutside => matches!(action, VisitRoom),
        Standing::ColleagueWaiting => matches!(action, VisitRoom | Relay | Leave),
        Standing::ColleagueAdmitted => {
            matches!(action, VisitRoom | Relay | RemoveLeaver | Update | Application | Replay | Leave)
        }
        Standing::ColleagueDenied => matches!(action, VisitRoom | Leave),
        Standing::ColleagueGone => matches!(action, VisitRoom | Leave),
        Standing::Stranger => false,
    }
}

/// The code of a refusal, which tells a guest no more than how it stands itself.
pub(crate) const fn refusal(standing: Standing, action: Action) -> ErrorCode {
    let of_members = matches!(
        action,
        Action::Application | Action::Replay | Action::Update | Action::RemoveLeaver | Action::RemoveMember
    );
    match standing {
        // The other kind's way in, however it stands.
        _ if matches!(action, Action::EnterLobby | Action::VisitRoom) => ErrorCode::NotAllowed,
        Standing::Waiting | Standing::GuestOutside | Standing::ColleagueWaiting | Standing::ColleagueOutside
            if of_members =>
        {
            ErrorCode::NotAdmittedYet
        }
        Standing::Denied | Standing::ColleagueDenied => ErrorCode::NotAdmitted,
        _ => ErrorCode::NotAllowed,
    }
}

#[cfg(test)]
mod tests {
    use super::{Action::*, Standing::*, *};

    const ACTIONS: [Action; 14] = [
        OpenRoom,
        EnterLobby,
        VisitRoom,
        Relay,
        Admit,
        Deny,
        RemoveMember,
        RemoveLeaver,
        Update,
        Application,
        Replay,
        Leave,
        EndCall,
        Hello,
    ];

    /// Rows in the order of `ACTIONS`, columns as in the module's table.
    const TABLE: [(Standing, &str); 13] = [
        (HostOutside, "x-------------"),
        (Host, "x--xxxxxxxxxx-"),
        (GuestOutside, "-x------------"),
        (Waiting, "-x-x-------x--"),
        (Admitted, "-x-x---xxxxx--"),
        (Denied, "-x---------x--"),
        (Gone, "-x---------x--"),
        (Stranger, "--------------"),
        (ColleagueOutside, "--x-----------"),
        (ColleagueWaiting, "--xx-------x--"),
        (ColleagueAdmitted, "--xx---xxxxx--"),
        (ColleagueDenied, "--x--------x--"),
        (ColleagueGone, "--x--------x--"),
    ];

    #[test]
    fn every_cell_is_as_the_table_says() {
        for (standing, row) in TABLE {
            assert_eq!(row.len(), ACTIONS.len());
            for (action, cell) in ACTIONS.into_iter().zip(row.chars()) {
                assert_eq!(allows(standing, action), cell == 'x', "{standing:?} × {action:?}");
            }
        }
    }

    #[test]
    fn a_waiting_guest_hears_that_it_is_not_admitted_yet() {
        assert_eq!(refusal(Waiting, Application), ErrorCode::NotAdmittedYet);
        assert_eq!(refusal(Waiting, Admit), ErrorCode::NotAllowed);
        assert_eq!(refusal(Denied, Application), ErrorCode::NotAdmitted);
        assert_eq!(refusal(Stranger, Replay), ErrorCode::NotAllowed);
    }

    #[test]
    fn a_colleague_stands_as_a_guest_but_for_the_way_in() {
        for (guest, colleague) in [
            (GuestOutside, ColleagueOutside),
            (Waiting, ColleagueWaiting),
            (Admitted, ColleagueAdmitted),
            (Denied, ColleagueDenied),
            (Gone, ColleagueGone),
        ] {
            for action in ACTIONS.into_iter().filter(|action| !matches!(action, EnterLobby | VisitRoom)) {
                assert_eq!(allows(guest, action), allows(colleague, action), "{colleague:?} × {action:?}");
                assert_eq!(refusal(guest, action), refusal(colleague, action), "{colleague:?} × {action:?}");
            }
            assert_eq!(refusal(guest, VisitRoom), ErrorCode::NotAllowed);
            assert_eq!(refusal(colleague, EnterLobby), ErrorCode::NotAllowed);
        }
    }
}
