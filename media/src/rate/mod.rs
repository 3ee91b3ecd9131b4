//! How fast packets may leave, and how much the path carries.

mod arrivals;
mod delay;
mod drain;
mod estimator;
mod flight;
mod history;
mod ladder;
mod loss;
mod pacer;
mod probe;
mod throughput;
mod voice;

pub(crate) use estimator::Estimator;
pub(crate) use history::History;
pub(crate) use ladder::{Ladder, Rung};
pub(crate) use pacer::{Class, Pacer};
pub(crate) use voice::{Voice, VoicePlan};

#[cfg(test)]
mod tests;
