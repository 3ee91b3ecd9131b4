//! Errors of the transport, by who must act.

/// Why a call on the transport failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The caller named a peer that was not added, or was removed.
    #[error("no such peer")]
    UnknownPeer,
    /// The caller added a peer twice, or more peers than a call may have.
    #[error("peer cannot be added: it exists or the call is full")]
    PeerExists,
    /// The caller passed a signal that this role cannot take now, such as an answer to an answer.
    #[error("signal does not fit the state of the negotiation")]
    UnexpectedSignal,
    /// The transport was closed.
    #[error("transport is closed")]
    Closed,
    /// The peer sent a session description that cannot be used.
    #[error("session description of the peer refused: {0}")]
    Description(#[from] super::SdpError),
    /// The peer sent a candidate that cannot be parsed.
    #[error("candidate of the peer refused")]
    Candidate,
    /// The system has no randomness to give.
    #[error("no randomness")]
    Random,
    /// Sockets could not be bound or the connection could not be made.
    #[error("could not open the peer connection")]
    Open(#[source] webrtc::error::Error),
    /// The negotiation failed locally.
    #[error("could not negotiate")]
    Negotiate(#[source] webrtc::error::Error),
}
