//! Why the engine refuses.

/// Why the engine did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The caller gave a heartbeat that is empty or longer than 512 bytes.
    #[error("a heartbeat of {0} bytes cannot be sent")]
    HeartbeatLength(usize),
    /// The caller outran the engine: more than 256 commands wait.
    #[error("too many media commands wait")]
    Overloaded,
    /// The engine was stopped.
    #[error("the media engine has stopped")]
    Stopped,
    /// The machine could not start a media thread.
    #[error("starting a media thread failed")]
    Thread(#[source] std::io::Error),
}
