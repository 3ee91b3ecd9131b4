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
//! HandOver                  x
//! StepIn
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
//! HandOver
//! StepIn                               x
//! Application                          x
//! Replay                               x
//! Leave                      x         x         x         x
//! EndCall
//! Hello
//! ```
//!
//! A colleague is staff with the role host at a room that another one hosts: but for the way in, and for stepping in when
//! the host is lost, it stands as a guest. After a handover the former host is a colleague, and the new one the host.

use crate::protocol::ErrorCode;

/// What a message asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Admit,
    Application,
    Deny,
    EndCall,
    EnterLobby,
    /// Give the host's seat away.
    HandOver,
    Hello,
    Leave,
    OpenRoom,
    Relay,
    /// Remove somebody who did not ask for it.
    RemoveMember,
    /// Remove somebody who left.
    RemoveLeaver,
    Replay,
    /// Take the seat of a host who is not there.
    StepIn,
    Update,
    VisitRoom,
}

/// How a sender stands to the room at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Who may hold the host's seat and does not now: whoever lost its socket in it, another device, the owner.
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
        Admit, Application, Deny, EndCall, EnterLobby, HandOver, Leave, OpenRoom, Relay, RemoveLeaver, RemoveMember,
        Replay, StepIn, Update, VisitRoom,
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
                | HandOver
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
            matches!(action, VisitRoom | Relay | RemoveLeaver | Update | StepIn | Application | Replay | Leave)
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
        Action::Application
            | Action::HandOver
            | Action::RemoveLeaver
            | Action::RemoveMember
            | Action::Replay
            | Action::StepIn
            | Action::Update
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

    const ACTIONS: [Action; 16] = [
        OpenRoom,
        EnterLobby,
        VisitRoom,
        Relay,
        Admit,
        Deny,
        RemoveMember,
        RemoveLeaver,
        Update,
        HandOver,
        StepIn,
        Application,
        Replay,
        Leave,
        EndCall,
        Hello,
    ];

    /// Rows in the order of `ACTIONS`, columns as in the module's table.
    const TABLE: [(Standing, &str); 13] = [
        (HostOutside, "x---------------"),
        (Host, "x--xxxxxxx-xxxx-"),
        (GuestOutside, "-x--------------"),
        (Waiting, "-x-x---------x--"),
        (Admitted, "-x-x---xx--xxx--"),
        (Denied, "-x-----------x--"),
        (Gone, "-x-----------x--"),
        (Stranger, "----------------"),
        (ColleagueOutside, "--x-------------"),
        (ColleagueWaiting, "--xx---------x--"),
        (ColleagueAdmitted, "--xx---xx-xxxx--"),
        (ColleagueDenied, "--x----------x--"),
        (ColleagueGone, "--x----------x--"),
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
        for action in [HandOver, StepIn] {
            assert_eq!(refusal(ColleagueWaiting, action), ErrorCode::NotAdmittedYet);
            assert_eq!(refusal(Admitted, action), ErrorCode::NotAllowed);
            assert_eq!(refusal(ColleagueDenied, action), ErrorCode::NotAdmitted);
        }
        assert_eq!(refusal(Host, StepIn), ErrorCode::NotAllowed);
        assert_eq!(refusal(ColleagueAdmitted, HandOver), ErrorCode::NotAllowed);
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
            for action in ACTIONS.into_iter().filter(|action| !matches!(action, EnterLobby | VisitRoom | StepIn)) {
                assert_eq!(allows(guest, action), allows(colleague, action), "{colleague:?} × {action:?}");
                assert_eq!(refusal(guest, action), refusal(colleague, action), "{colleague:?} × {action:?}");
            }
            assert_eq!(allows(colleague, StepIn), colleague == ColleagueAdmitted);
            assert_eq!(refusal(guest, VisitRoom), ErrorCode::NotAllowed);
            assert_eq!(refusal(colleague, EnterLobby), ErrorCode::NotAllowed);
        }
    }
}
