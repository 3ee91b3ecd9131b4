//! Breadth first over every state: fewest messages first, so that a counterexample is a short one.

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};
use std::rc::Rc;

use super::property::{Knowledge, PROPERTIES};
use super::server::{Step, steps};
use super::term::Epochs;
use super::world::{Setting, World};

/// What an exploration found.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) states: usize,
    pub(crate) transitions: usize,
    /// Steps of the longest of the shortest ways to a state.
    pub(crate) depth: u16,
    pub(crate) violation: Option<Violation>,
    /// How many states show each of the sights that were asked for.
    pub(crate) sights: Vec<usize>,
}

/// A property that does not hold, and the way there.
#[derive(Debug)]
pub(crate) struct Violation {
    pub(crate) property: &'static str,
    pub(crate) trace: Vec<Step>,
}

struct Node {
    world: Rc<World>,
    before: Option<(usize, Step)>,
    depth: u16,
}

/// A sight that makes a property worth something: a state in which it could have failed.
pub(crate) type Sight = fn(&World, &Epochs) -> bool;

/// Explores everything within `messages` messages from the server, until a property is violated.
///
/// A state is kept once, with the fewest messages that lead to it: whatever is possible after more of them is possible
/// after fewer. States are compared whole, not by a hash.
pub(crate) fn explore(start: World, mut epochs: Epochs, setting: &Setting, messages: usize, sights: &[Sight]) -> Found {
    let mut known: HashSet<Rc<World>, BuildHasherDefault<Quick>> = HashSet::default();
    let mut nodes = vec![Node { world: Rc::new(start), before: None, depth: 0 }];
    let mut found = Found { states: 0, transitions: 0, depth: 0, violation: None, sights: vec![0; sights.len()] };
    let mut queues: Vec<VecDeque<usize>> = (0..=messages).map(|_| VecDeque::new()).collect();
    queues[0].push_back(0);
    for handed in 0..=messages {
        while let Some(at) = queues[handed].pop_front() {
            let world = Rc::clone(&nodes[at].world);
            if !known.insert(Rc::clone(&world)) {
                continue;
            }
            found.states += 1;
            found.depth = found.depth.max(nodes[at].depth);
            for (count, sight) in found.sights.iter_mut().zip(sights) {
                *count += usize::from(sight(&world, &epochs));
            }
            let knowledge = Knowledge { world: &world, setting, epochs: &epochs };
            if let Some((property, _)) = PROPERTIES.iter().find(|(_, holds)| !holds(&knowledge)) {
                found.violation = Some(Violation { property, trace: trace(&nodes, at) });
                return found;
            }
            for (step, after) in steps(&world, setting, &mut epochs) {
                let next = handed + usize::from(step.is_message());
                if next > messages {
                    continue;
                }
                found.transitions += 1;
                if known.contains(&after) {
                    continue;
                }
                let depth = nodes[at].depth + 1;
                nodes.push(Node { world: Rc::new(after), before: Some((at, step)), depth });
                queues[next].push_back(nodes.len() - 1);
            }
        }
    }
    found
}

fn trace(nodes: &[Node], at: usize) -> Vec<Step> {
    let mut steps: Vec<_> =
        std::iter::successors(Some(&nodes[at]), |node| node.before.map(|(before, _)| &nodes[before]))
            .filter_map(|node| node.before.map(|(_, step)| step))
            .collect();
    steps.reverse();
    steps
}

/// A hash of many small fields; the standard one takes most of the time in a build without optimisation.
#[derive(Default)]
struct Quick(u64);

impl Hasher for Quick {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u8(*byte));
    }

    fn write_u8(&mut self, value: u8) {
        self.write_u64(u64::from(value));
    }

    fn write_u16(&mut self, value: u16) {
        self.write_u64(u64::from(value));
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(5) ^ value).wrapping_mul(0x517c_c1b7_2722_0a95);
    }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }

    fn write_isize(&mut self, value: isize) {
        self.write_u64(value as u64);
    }
}
