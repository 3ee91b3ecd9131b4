//! The window: `logic()` takes over what is new, `ui()` paints the screen of the phase.
//!
//! It never blocks: commands leave through a bounded queue, views come by `watch`, pictures by newest-wins slots.
//! It repaints for input, for a new view and for a new picture; a clock on screen asks for one repaint when it next changes.

use std::mem::discriminant;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use eframe::{CreationContext, NativeOptions};
use egui::{Context, Ui, ViewportBuilder, ViewportCommand};

use crate::session::{Command, Phase, View};
use crate::ui::{Forms, Tiles, install_theme, window_ui};
use crate::{AppHandle, invitation_file};

/// `request_repaint()` repaints twice; asking for it in a moment repaints once.
const SOON: Duration = Duration::from_nanos(1);
/// The level meter of a device check without a picture that would wake the window.
const METER: Duration = Duration::from_millis(100);

/// The window's own state; everything that is true comes from the session's view.
#[derive(Debug)]
pub struct App {
    handle: AppHandle,
    view: View,
    tiles: Tiles,
    forms: Forms,
}

impl App {
    /// Sets the theme, and has the session wake the window.
    #[must_use]
    pub fn new(context: &CreationContext<'_>, handle: AppHandle) -> Self {
        Self::on(&context.egui_ctx, handle)
    }

    fn on(ctx: &Context, mut handle: AppHandle) -> Self {
        install_theme(ctx);
        let waker = ctx.clone();
        handle.wake.register(move || waker.request_repaint_after(SOON));
        let view = handle.view.borrow_and_update().clone();
        Self { handle, view, tiles: Tiles::default(), forms: Forms::default() }
    }

    /// Takes the newest view and pictures over. What was typed goes with its phase, and so do textures.
    fn refresh(&mut self, ctx: &Context) {
        if self.handle.view.has_changed().unwrap_or(false) {
            let view = self.handle.view.borrow_and_update().clone();
            if discriminant(&view.phase) != discriminant(&self.view.phase) || page(&view) != page(&self.view) {
                let help = self.forms.help;
                self.forms = Forms { help, ..Forms::default() };
                self.tiles = Tiles::default();
                // Text fields keep undo copies and cursors by id: they go too.
                ctx.memory_mut(|memory| memory.data.clear());
            }
            if waiting(&view.phase) > waiting(&self.view.phase) {
                // Hosts look at their notes, not at this window: the task bar says that somebody knocked.
                let attention = egui::UserAttentionType::Informational;
                ctx.send_viewport_cmd(ViewportCommand::RequestUserAttention(attention));
            }
            self.view = view;
        }
        self.tiles.refresh(ctx, &self.handle.pictures, &leaves(&self.view.phase));
    }

    /// An invitation's file that was dropped on the window, where a link could be pasted.
    fn take_dropped(&self, ctx: &Context) {
        if !matches!(self.view.phase, Phase::Start | Phase::JoinLink(_)) {
            return;
        }
        let dropped = ctx.input(|input| input.raw.dropped_files.first().map(|file| file.path().to_owned()));
        if let Some(path) = dropped {
            // What cannot be read is no link, and the page says so.
            let text = invitation_file::read(&path).unwrap_or_default();
            self.send(ctx, Command::PasteLink { text });
        }
    }

    fn send(&self, ctx: &Context, command: Command) {
        if matches!(command, Command::Quit) {
            ctx.send_viewport_cmd(ViewportCommand::Close);
        }
        if self.handle.commands.try_send(command).is_err() {
            // 64 commands wait: the session is gone or stuck, and a click more helps neither.
            tracing::warn!("a command was dropped");
        }
    }
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &Context, _frame: &mut eframe::Frame) {
        self.refresh(ctx);
        self.take_dropped(ctx);
        if ctx.input(|input| input.viewport().close_requested())
            && self.handle.commands.try_send(Command::Quit).is_err()
        {
            tracing::warn!("the session did not hear of the closed window");
        }
    }

    fn ui(&mut self, ui: &mut Ui, _frame: &mut eframe::Frame) {
        let now = unix_now();
        let ctx = ui.ctx().clone();
        if let Some(command) = window_ui(ui, &self.view, now.as_secs(), &self.tiles, &mut self.forms) {
            self.send(&ctx, command);
        }
        if let Some(after) = next_change(&self.view.phase, now, &self.tiles) {
            ctx.request_repaint_after(after);
        }
    }
}

/// Opens the window and runs until it is closed.
///
/// # Errors
///
/// When no window can be opened: no display, or no OpenGL.
pub fn run(handle: AppHandle) -> eframe::Result {
    run_with(handle, |_| ())
}

/// Opens the window, lets `setup` add to its context (the lab's self-driving does), and runs until it is closed.
///
/// # Errors
///
/// When no window can be opened: no display, or no OpenGL.
pub fn run_with(handle: AppHandle, setup: impl FnOnce(&Context) + 'static) -> eframe::Result {
    let options = NativeOptions {
        viewport: ViewportBuilder::default()
            .with_title("Quietroom")
            .with_inner_size([1100.0, 760.0])
            .with_min_inner_size([640.0, 480.0]),
        renderer: eframe::Renderer::Glow,
        // Smooths gradients, of which there are none, and costs a tenth of the software renderer's time.
        dithering: false,
        ..NativeOptions::default()
    };
    eframe::run_native(
        "quietroom",
        options,
        Box::new(|context| {
            setup(&context.egui_ctx);
            Ok(Box::new(App::new(context, handle)))
        }),
    )
}

/// The pages within a phase that count as screens of their own.
fn page(view: &View) -> Option<u8> {
    match &view.phase {
        Phase::SignIn(sign_in) => Some(sign_in.step as u8),
        Phase::Invite(invite) => Some(match invite.page {
            crate::session::InvitePage::Link { .. } => 0,
            crate::session::InvitePage::Code { .. } => 1,
        }),
        _ => None,
    }
}

/// How many people a host could let in.
fn waiting(phase: &Phase) -> usize {
    match phase {
        Phase::Today(today) => today.appointments.iter().map(|row| row.waiting as usize).sum(),
        Phase::LobbyHost(lobby) => lobby.waiting.len(),
        Phase::Call(call) => call.waiting.len(),
        _ => 0,
    }
}

fn leaves(phase: &Phase) -> Vec<u32> {
    match phase {
        Phase::Call(call) => call.members.iter().filter(|member| !member.you).map(|member| member.leaf).collect(),
        _ => Vec::new(),
    }
}

/// When a clock on this screen shows something else, if there is one.
fn next_change(phase: &Phase, now: Duration, tiles: &Tiles) -> Option<Duration> {
    let to_second = Duration::from_secs(1) - Duration::from_nanos(u64::from(now.subsec_nanos()));
    let to_minute = |since: u64| {
        let into = now.as_secs().saturating_sub(since) % 60;
        to_second + Duration::from_secs(59 - into)
    };
    match phase {
        Phase::Call(_) => Some(to_second),
        Phase::DeviceCheck(_) if tiles.level_dbov.is_some() => Some(METER),
        Phase::LobbyGuest(lobby) => Some(to_minute(lobby.waiting_since)),
        Phase::LobbyHost(lobby) => lobby.waiting.iter().map(|knocker| to_minute(knocker.waiting_since)).min(),
        Phase::JoinCode(code) => code.opens_at.map(|_| to_minute(0)),
        _ => None,
    }
}

/// A clock before 1970 counts as 1970.
fn unix_now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use tokio::sync::{mpsc, watch};

    use super::*;
    use crate::pictures::Pictures;
    use crate::session::{InvitePage, SignIn, SignInStep};
    use crate::ui::sample;

    fn app() -> (App, watch::Sender<View>, mpsc::Receiver<Command>, Context) {
        let (commands, received) = mpsc::channel(2);
        let (sender, view) = watch::channel(sample::view());
        let handle = AppHandle { commands, view, pictures: Pictures::default(), wake: crate::Waker::default() };
        let ctx = Context::default();
        (App::on(&ctx, handle), sender, received, ctx)
    }

    fn with(phase: Phase) -> View {
        View { phase, ..sample::view() }
    }

    #[test]
    fn what_was_typed_goes_with_its_page() {
        let (mut app, view, _commands, ctx) = app();
        let sign_in = |step| with(Phase::SignIn(SignIn { step, name: "ada".into(), busy: false }));
        view.send_replace(sign_in(SignInStep::Passphrase));
        app.refresh(&ctx);
        app.forms.sign_in.passphrase = "correct horse".into();
        view.send_replace(View { connection: crate::session::ConnectionState::Reconnecting, ..app.view.clone() });
        app.refresh(&ctx);
        assert_eq!(app.forms.sign_in.passphrase.as_str(), "correct horse");
        view.send_replace(sign_in(SignInStep::SecondFactor));
        app.refresh(&ctx);
        assert!(app.forms.sign_in.passphrase.is_blank());
    }

    #[test]
    fn copied_is_said_of_the_link_and_not_of_the_code_after_it() {
        let (mut app, view, _commands, ctx) = app();
        view.send_replace(with(Phase::Invite(sample::invite_link())));
        app.refresh(&ctx);
        app.forms.copied = true;
        view.send_replace(with(Phase::Invite(sample::invite_code())));
        app.refresh(&ctx);
        assert!(!app.forms.copied);
        assert!(matches!(&app.view.phase, Phase::Invite(invite) if matches!(invite.page, InvitePage::Code { .. })));
    }

    #[test]
    fn a_knock_asks_for_the_hosts_attention() {
        let (mut app, view, _commands, ctx) = app();
        view.send_replace(with(Phase::Call(sample::call(true))));
        app.refresh(&ctx);
        let mut call = sample::call(true);
        call.waiting.push(sample::knocker());
        view.send_replace(with(Phase::Call(call)));
        let output = ctx.run_ui(egui::RawInput::default(), |ui| app.refresh(ui.ctx()));
        let commands = &output.viewport_output[&egui::ViewportId::ROOT].commands;
        assert!(commands.iter().any(|command| matches!(command, ViewportCommand::RequestUserAttention(_))));
        output.drop_without_applying_deltas();
    }

    #[test]
    fn a_full_queue_loses_the_click_and_not_the_window() {
        let (app, _view, mut commands, ctx) = app();
        for _ in 0..5 {
            app.send(&ctx, Command::Refresh);
        }
        assert!(commands.try_recv().is_ok());
    }

    #[test]
    fn a_waiting_window_sleeps_until_its_clock_changes() {
        let now = Duration::from_secs(sample::NOW);
        let lobby = Phase::LobbyGuest(sample::lobby_guest());
        let wait = next_change(&lobby, now, &Tiles::default()).unwrap();
        // 247 s have passed: the next whole minute is 53 s away.
        assert_eq!(wait, Duration::from_secs(53));
        assert_eq!(next_change(&Phase::Start, now, &Tiles::default()), None);
        assert_eq!(next_change(&Phase::Call(sample::call(true)), now, &Tiles::default()), Some(Duration::from_secs(1)));
    }
}
