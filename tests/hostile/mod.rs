//! The server gone bad: it has the operator's TLS key, so clients take it for the real one.
//!
//! [`Hostile`] stands between the clients and an unchanged server. It ends the clients' TLS with the key of the server's
//! data folder, passes REST calls and live messages on, and lets an [`Operator`] change, drop, delay, invent and swap
//! each of them. That is all the power that whoever runs the real server has, without a line of the real server changed.
//!
//! - [`attack`]: the attacks by name, with what each tries and what a client must do.
//! - [`operator`]: what an attack is made of.
//! - `door`, `log`: the attacks on the admission and on the call's log.
//! - `front`, `rest`, `live`, `tls`: connections.
//!
//! Everything is bounded: connections, the size of a request and of a message, and what waits to be written; a client
//! that does not read is disconnected.

pub mod attack;
mod door;
mod front;
mod live;
mod log;
pub mod operator;
mod rest;
mod tls;

pub use attack::Attack;
pub use door::{key_package, swap_key_package, welcome};
pub use front::Hostile;
pub use operator::{Answer, Honest, Line, Operator, Said, Way};
