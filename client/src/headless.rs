//! The same session without a window: commands as JSON lines in, views as JSON lines out.
//!
//! In: one [`Command`] a line, such as `{"command":"enter_code","code":"1234 5678"}`. Secrets come this way only, never as arguments.
//! Out: `{"view":{…}}` after each change of the view, `{"error":"…"}` for a line that is no command, `{"done":true}` at the end.
//! Painting is all that is left out: identity, consent and admission are the same explicit commands.

use std::io::{Read, Write};
use std::os::fd::AsFd;

use serde::Serialize;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use zeroize::{Zeroize, Zeroizing};

use crate::AppHandle;
use crate::session::{Command, View};

/// Bytes of the longest line; a longer one falls apart and is no command.
const LINE: usize = 64 * 1024;

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Line<'a> {
    View(&'a View),
    Error(&'a str),
    Done(bool),
}

/// Runs until `Quit`, the end of the input, or the end of the driver. The end of the input counts as `Quit`.
///
/// # Errors
/// Those of starting a thread and of standard output.
pub async fn run(handle: AppHandle, driver: JoinHandle<()>, out: impl Write) -> std::io::Result<()> {
    drive(handle, driver, stdin_lines()?, out).await
}

/// The lines of standard input, each with its line break, and wiped behind the reader.
pub(crate) fn stdin_lines() -> std::io::Result<mpsc::Receiver<Zeroizing<Vec<u8>>>> {
    // Not by `Stdin`, which has a buffer of its own.
    lines_of(std::fs::File::from(std::io::stdin().as_fd().try_clone_to_owned()?))
}

/// Reads lines on a thread of their own: it ends with the input or with the program, and waits while eight lines wait.
///
/// What was read is wiped as soon as it is passed on: a buffered reader would keep the last of it for good.
fn lines_of(mut input: impl Read + Send + 'static) -> std::io::Result<mpsc::Receiver<Zeroizing<Vec<u8>>>> {
    let (sender, lines) = mpsc::channel(8);
    std::thread::Builder::new().name("stdin".to_owned()).spawn(move || {
        let mut held = Zeroizing::new([0; LINE]);
        let mut length = 0;
        while let Ok(read @ 1..) = input.read(&mut held[length..]) {
            length += read;
            while let Some(end) = end_of_line(&held[..length]) {
                if sender.blocking_send(Zeroizing::new(held[..end].to_vec())).is_err() {
                    return;
                }
                held.copy_within(end..length, 0);
                held[length - end..length].zeroize();
                length -= end;
            }
        }
        if length > 0 {
            // The last line has no end; nobody may be there any more to take it.
            sender.blocking_send(Zeroizing::new(held[..length].to_vec())).ok();
        }
    })?;
    Ok(lines)
}

/// Where the first line ends, its line break included; a line as long as the whole buffer ends there.
fn end_of_line(held: &[u8]) -> Option<usize> {
    let end = held.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
    end.or_else(|| (held.len() == LINE).then_some(LINE))
}

async fn drive(
    mut handle: AppHandle,
    mut driver: JoinHandle<()>,
    mut lines: mpsc::Receiver<Zeroizing<Vec<u8>>>,
    mut out: impl Write,
) -> std::io::Result<()> {
    let shown = handle.view.borrow_and_update().clone();
    print(&mut out, &Line::View(&shown))?;
    let mut open = true;
    loop {
        tokio::select! {
            line = lines.recv(), if open => match line {
                None => {
                    open = false;
                    // A driver that has ended already needs no command.
                    handle.commands.send(Command::Quit).await.ok();
                }
                Some(line) if line.trim_ascii().is_empty() => {}
                Some(line) => match serde_json::from_slice::<Command>(&line) {
                    Ok(command) => {
                        handle.commands.send(command).await.ok();
                    }
                    // The parser's words name fields, not values.
                    Err(error) => print(&mut out, &Line::Error(category(&error)))?,
                },
            },
            changed = handle.view.changed() => {
                if changed.is_err() {
                    break;
                }
                let view = handle.view.borrow_and_update().clone();
                print(&mut out, &Line::View(&view))?;
            }
            _ended = &mut driver => return print(&mut out, &Line::Done(true)),
        }
    }
    // Views end a moment before the task does: devices and socket are closed when it has ended.
    driver.await.ok();
    print(&mut out, &Line::Done(true))
}

fn category(error: &serde_json::Error) -> &'static str {
    match error.classify() {
        serde_json::error::Category::Data => "no such command, or a field is missing or unknown",
        _ => "the line is not JSON",
    }
}

fn print(out: &mut impl Write, line: &Line<'_>) -> std::io::Result<()> {
    let mut text = Zeroizing::new(serde_json::to_vec(line)?);
    text.push(b'\n');
    out.write_all(&text)?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Pictures, Waker};
    use tokio::sync::watch;

    /// Runs the lines against a driver that only takes commands, and gives these and what was printed.
    fn talk(input: &'static [u8]) -> (Vec<Command>, String) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (commands, mut taken) = mpsc::channel(8);
            let (shown, view) = watch::channel(View::start());
            let handle = AppHandle { commands, view, pictures: Pictures::default(), wake: Waker::default() };
            let (report, reported) = tokio::sync::oneshot::channel();
            let driver = tokio::spawn(async move {
                let mut all = Vec::new();
                while let Some(command) = taken.recv().await {
                    let over = matches!(command, Command::Quit);
                    all.push(command);
                    if over {
                        break;
                    }
                }
                drop(shown);
                report.send(all).unwrap();
            });
            let mut out = Vec::new();
            drive(handle, driver, lines_of(input).unwrap(), &mut out).await.unwrap();
            (reported.await.unwrap(), String::from_utf8(out).unwrap())
        })
    }

    #[test]
    fn lines_become_commands_and_the_end_of_input_quits() {
        let (commands, out) = talk(b"{\"command\":\"choose_guest\"}\n\n{\"command\":\"done\"}");
        assert!(matches!(commands[..], [Command::ChooseGuest, Command::Done, Command::Quit]));
        assert!(out.starts_with("{\"view\":{\"phase\":{\"name\":\"start\"}"), "{out}");
        assert!(out.ends_with("{\"done\":true}\n"), "{out}");
    }

    /// Gives its pieces one read after the other.
    struct Pieces(std::vec::IntoIter<Vec<u8>>);

    impl Read for Pieces {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let piece = self.0.next().unwrap_or_default();
            buffer[..piece.len()].copy_from_slice(&piece);
            Ok(piece.len())
        }
    }

    #[test]
    fn lines_are_found_however_the_input_is_cut() {
        let pieces = vec![b"on".to_vec(), b"e\ntwo\nth".to_vec(), b"ree\n\nla".to_vec(), b"st".to_vec()];
        let mut lines = lines_of(Pieces(pieces.into_iter())).unwrap();
        let mut found = Vec::new();
        while let Some(line) = lines.blocking_recv() {
            found.push(String::from_utf8(line.to_vec()).unwrap());
        }
        assert_eq!(found, ["one\n", "two\n", "three\n", "\n", "last"]);
    }

    #[test]
    fn a_line_that_is_too_long_falls_apart() {
        let pieces = vec![vec![b'x'; LINE], b"rest\n".to_vec()];
        let mut lines = lines_of(Pieces(pieces.into_iter())).unwrap();
        assert_eq!(lines.blocking_recv().unwrap().len(), LINE);
        assert_eq!(lines.blocking_recv().unwrap().as_slice(), b"rest\n");
    }

    #[test]
    fn a_line_that_is_no_command_is_told_without_repeating_it() {
        let (commands, out) = talk(b"{\"command\":\"enter_code\",\"cod\":\"12345678\"}\nnonsense\n");
        assert!(matches!(commands[..], [Command::Quit]));
        assert!(out.contains("no such command") && out.contains("not JSON") && !out.contains("1234"), "{out}");
    }
}
