//! The session as a whole, without I/O.
