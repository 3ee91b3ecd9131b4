//! Drives the window by role and label, for the demo and for pictures of every screen; only with the feature `lab`.
//!
//! Steps come as JSON lines on standard input, one answer line each on standard output.
//! What a step finds is the window's own AccessKit tree; what it does is a pointer or a keyboard event, never a command,
//! so a step can do nothing that a person at this window could not do.
//!
//! ```text
//! {"click":{"role":"button","label":"Continue"}}      → {"ok":true}
//! {"type":{"label":"Full name","text":"Mia Okafor"}}  → {"ok":true}            (replaces what stands there)
//! {"wait":{"label":"You are in the right place"}}     → {"ok":true}            (part of a label or value is enough)
//! {"read":{"label":"Invitation link"}}                → {"ok":true,"value":"quietroom:…"}
//! {"labels":{}}                                       → {"ok":true,"labels":["button: Continue", …]}
//! a step that fails                                   → {"ok":false,"error":"…","labels":[…]}
//! ```
//!
//! Each step may say `"timeout_ms"` (10 s otherwise): it is tried again until then.

use std::io::Write as _;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use egui::accesskit::{Action, ActionRequest, Node, NodeId, TreeId};
use egui::{Context, Event, FullOutput, Key, Modifiers, Plugin, PointerButton, Pos2, RawInput, Ui};
use serde::{Deserialize, Serialize};

/// How long a step is tried when it says nothing.
const PATIENCE: Duration = Duration::from_secs(10);
/// Steps that may wait to be done; the reader of standard input blocks when there are more.
const QUEUE: usize = 64;
/// Passes that a target must stay in its place before the pointer goes there.
const STILL: u8 = 10;
/// How soon the window paints again while a step is under way.
const PACE: Duration = Duration::from_millis(20);

/// Starts to read steps, and has the window do them.
pub fn install(ctx: &Context) {
    let (lines, steps) = sync_channel(QUEUE);
    let waker = ctx.clone();
    let reader = std::thread::Builder::new().name("auto-steps".into()).spawn(move || {
        let mut input = match crate::headless::stdin_lines() {
            Ok(input) => input,
            Err(error) => return tracing::error!(%error, "no steps can be read"),
        };
        while let Some(line) = input.blocking_recv() {
            if lines.send(String::from_utf8_lossy(&line).trim_end().to_owned()).is_err() {
                break;
            }
            waker.request_repaint_after(PACE);
        }
    });
    if let Err(error) = reader {
        tracing::error!(%error, "no steps can be read");
    }
    ctx.add_plugin(Auto { steps: Mutex::new(steps), tree: Vec::new(), running: None, awake: false });
}

/// What a step looks for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Target {
    /// AccessKit role in snake case; any when absent.
    role: Option<String>,
    label: String,
    /// Of `type`.
    text: String,
    timeout_ms: Option<u64>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Step {
    Click(Target),
    Type(Target),
    Wait(Target),
    Read(Target),
    Labels(Target),
}

#[derive(Debug, Default, Serialize)]
struct Answer {
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<Vec<String>>,
}

/// One event a frame, as fast hands would: a press and its release in one frame can miss a widget that just appeared.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    Scroll,
    Still { at: Pos2, passes: u8 },
    Move,
    Press,
    Release,
    SelectAll,
    Text,
    Settle,
}

struct Running {
    step: Step,
    stage: Stage,
    deadline: Instant,
}

struct Auto {
    /// A plugin must be `Sync`, which a receiver is not; `get_mut` never locks.
    steps: Mutex<Receiver<String>>,
    tree: Vec<(NodeId, Node)>,
    running: Option<Running>,
    /// A step was under way in this frame: the next may follow.
    awake: bool,
}

impl Plugin for Auto {
    fn debug_name(&self) -> &'static str {
        "auto"
    }

    fn input_hook(&mut self, ctx: &Context, input: &mut RawInput) {
        // The tree is made only when somebody asks; the desktop may have said that nobody does.
        ctx.enable_accesskit();
        input.focused = true;
        if self.running.is_none() {
            self.next();
        }
        if let Some(mut running) = self.running.take() {
            match self.advance(&mut running, input) {
                Some(answer) => answer_line(&answer),
                None => self.running = Some(running),
            }
            self.awake = true;
        }
    }

    /// A repaint asked for before the pass is forgotten with the pass, so it is asked for here.
    fn on_end_pass(&mut self, ui: &mut Ui) {
        if std::mem::take(&mut self.awake) {
            ui.ctx().request_repaint_after(PACE);
        }
    }

    fn output_hook(&mut self, _ctx: &Context, output: &mut FullOutput) {
        if let Some(update) = &output.platform_output.accesskit_update {
            self.tree.clone_from(&update.nodes);
            // In reading order: egui's own order changes from frame to frame, and of two equal labels the upper one counts.
            let place = |node: &Node| node.bounds().map_or((0, 0), |bounds| (bounds.y0 as i64, bounds.x0 as i64));
            self.tree.sort_by_key(|(_, node)| place(node));
        }
    }
}

impl Auto {
    fn next(&mut self) {
        let steps = self.steps.get_mut().unwrap_or_else(PoisonError::into_inner);
        let line = match steps.try_recv() {
            Ok(line) => line,
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => return,
        };
        match serde_json::from_str::<Step>(&line) {
            Ok(step) => {
                let patience = step.target().timeout_ms.map_or(PATIENCE, Duration::from_millis);
                self.running = Some(Running { step, stage: Stage::Scroll, deadline: Instant::now() + patience });
            }
            Err(error) => answer_line(&Answer { error: Some(error.to_string()), ..Answer::default() }),
        }
    }

    /// Does the next bit of a step; an answer ends it.
    fn advance(&self, running: &mut Running, input: &mut RawInput) -> Option<Answer> {
        let done = Answer { ok: true, ..Answer::default() };
        let target = running.step.target().clone();
        let found = match &running.step {
            Step::Labels(_) => return Some(Answer { labels: Some(self.labels()), ..done }),
            Step::Wait(_) => {
                let shown = self.tree.iter().any(|(_, node)| target.part_of(node));
                return if shown { Some(done) } else { self.give_up(running) };
            }
            Step::Read(_) => self.find(&target, false),
            Step::Click(_) => self.find(&target, false),
            Step::Type(_) => self.find(&target, true),
        };
        if running.stage == Stage::Settle {
            return Some(done);
        }
        let Some((id, node)) = found else {
            // What was under the pointer may go with the press; the click was done all the same.
            return if running.stage == Stage::Release { Some(done) } else { self.give_up(running) };
        };
        if matches!(running.step, Step::Read(_)) {
            return Some(Answer { value: node.value().map(str::to_owned), ..done });
        }
        let centre = centre(node)?;
        running.stage = match running.stage {
            Stage::Scroll => {
                input.events.push(Event::AccessKitActionRequest(ActionRequest {
                    action: Action::ScrollIntoView,
                    target_tree: TreeId::ROOT,
                    target_node: *id,
                    data: None,
                }));
                Stage::Still { at: centre, passes: 0 }
            }
            // The way there is animated: a click on the way would hit what lies beneath.
            Stage::Still { at, .. } if at != centre => Stage::Still { at: centre, passes: 0 },
            Stage::Still { at, passes } if passes < STILL => Stage::Still { at, passes: passes + 1 },
            Stage::Still { .. } => Stage::Move,
            Stage::Move => {
                input.events.push(Event::PointerMoved(centre));
                Stage::Press
            }
            Stage::Press => {
                input.events.push(button(centre, true));
                Stage::Release
            }
            Stage::Release => {
                input.events.push(button(centre, false));
                if matches!(running.step, Step::Type(_)) { Stage::SelectAll } else { Stage::Settle }
            }
            Stage::SelectAll => {
                for pressed in [true, false] {
                    input.events.push(Event::Key {
                        key: Key::A,
                        physical_key: None,
                        pressed,
                        repeat: false,
                        modifiers: Modifiers::COMMAND | Modifiers::CTRL,
                    });
                }
                Stage::Text
            }
            Stage::Text => {
                input.events.push(Event::Text(target.text));
                Stage::Settle
            }
            Stage::Settle => Stage::Settle,
        };
        None
    }

    fn give_up(&self, running: &Running) -> Option<Answer> {
        (Instant::now() > running.deadline).then(|| Answer {
            error: Some(format!("nothing here is {:?}", running.step.target().label)),
            labels: Some(self.labels()),
            ..Answer::default()
        })
    }

    /// The first enabled node with this label and role; `field` asks for something to type into.
    fn find(&self, target: &Target, field: bool) -> Option<&(NodeId, Node)> {
        self.tree.iter().find(|(_, node)| {
            let role = role(node);
            let fits = target.role.as_ref().is_none_or(|wanted| wanted.replace('_', "") == role);
            fits && (!field || role.ends_with("input"))
                && !node.is_disabled()
                && self.label(node).as_deref() == Some(&target.label)
        })
    }

    /// A node's own label, or the words of those that label it.
    fn label(&self, node: &Node) -> Option<String> {
        if let Some(label) = node.label() {
            return Some(label.to_owned());
        }
        let words: Vec<&str> = node
            .labelled_by()
            .iter()
            .filter_map(|id| self.tree.iter().find(|(other, _)| other == id))
            .filter_map(|(_, other)| other.label().or_else(|| other.value()))
            .collect();
        (!words.is_empty()).then(|| words.join(" "))
    }

    /// Role and words of everything that has words. Typed text is left out: it may be a passphrase.
    fn labels(&self) -> Vec<String> {
        let words = |node: &Node| {
            self.label(node).or_else(|| node.value().filter(|_| role(node) == "label").map(str::to_owned))
        };
        self.tree.iter().filter_map(|(_, node)| Some(format!("{}: {}", role(node), words(node)?))).collect()
    }
}

impl Step {
    const fn target(&self) -> &Target {
        match self {
            Self::Click(target)
            | Self::Type(target)
            | Self::Wait(target)
            | Self::Read(target)
            | Self::Labels(target) => target,
        }
    }
}

impl Target {
    fn part_of(&self, node: &Node) -> bool {
        let fits = self.role.as_ref().is_none_or(|wanted| wanted.replace('_', "") == role(node));
        fits && [node.label(), node.value()].into_iter().flatten().any(|words| words.contains(&self.label))
    }
}

/// "textinput" for `Role::TextInput`.
fn role(node: &Node) -> String {
    format!("{:?}", node.role()).to_lowercase()
}

fn centre(node: &Node) -> Option<Pos2> {
    let bounds = node.bounds()?;
    Some(Pos2::new(((bounds.x0 + bounds.x1) / 2.0) as f32, ((bounds.y0 + bounds.y1) / 2.0) as f32))
}

const fn button(pos: Pos2, pressed: bool) -> Event {
    Event::PointerButton { pos, button: PointerButton::Primary, pressed, modifiers: Modifiers::NONE }
}

fn answer_line(answer: &Answer) {
    let mut line =
        serde_json::to_string(answer).unwrap_or_else(|error| format!("{{\"ok\":false,\"error\":\"{error}\"}}"));
    // In one piece, which passes the buffer by: it would keep what the window showed.
    line.push('\n');
    let mut out = std::io::stdout().lock();
    if out.write_all(line.as_bytes()).and_then(|()| out.flush()).is_err() {
        tracing::warn!("nobody reads the answers");
    }
}

#[cfg(test)]
mod tests {
    use egui_kittest::Harness;

    use super::*;

    /// Runs the steps in a window with a field and a button; gives what was typed when the button was pressed.
    fn drive(lines: &[&str]) -> (String, bool) {
        let (sender, steps) = sync_channel(QUEUE);
        for line in lines {
            sender.send((*line).to_owned()).unwrap();
        }
        let mut auto = Some(Auto { steps: Mutex::new(steps), tree: Vec::new(), running: None, awake: false });
        let mut harness = Harness::new_ui_state(
            move |ui, (typed, pressed): &mut (String, bool)| {
                if let Some(auto) = auto.take() {
                    ui.ctx().add_plugin(auto);
                }
                let label = ui.label("Full name");
                ui.text_edit_singleline(typed).labelled_by(label.id);
                *pressed |= ui.button("Continue").clicked();
            },
            (String::from("old"), false),
        );
        harness.run_steps(30);
        harness.into_state()
    }

    #[test]
    fn a_step_types_into_a_field_and_replaces_what_stood_there() {
        let (typed, _) = drive(&[r#"{"type":{"label":"Full name","text":"Mia Okafor"}}"#]);
        assert_eq!(typed, "Mia Okafor");
    }

    #[test]
    fn a_step_clicks_by_role_and_label() {
        assert!(drive(&[r#"{"click":{"role":"button","label":"Continue"}}"#]).1);
        assert!(!drive(&[r#"{"click":{"role":"link","label":"Continue","timeout_ms":0}}"#]).1);
    }

    #[test]
    fn a_line_that_is_no_step_does_no_harm() {
        let (typed, pressed) = drive(&["nonsense", r#"{"click":{"lable":"Continue"}}"#]);
        assert_eq!((typed.as_str(), pressed), ("old", false));
    }
}
