//! Lines of standard input, asked for on a terminal.

use std::cell::RefCell;
use std::io::{BufRead, IsTerminal, Write, stdin, stdout};
use std::process::{Command, Stdio};

use zeroize::Zeroizing;

use crate::error::ClientError;

/// A longer line is refused.
const LINE: usize = 4_096;

/// Reads answers and prints sentences.
pub struct Ask {
    /// A person sits there: what is wanted is said, and a slip may be typed again.
    terminal: bool,
    input: RefCell<Box<dyn BufRead>>,
    output: RefCell<Box<dyn Write>>,
}

impl std::fmt::Debug for Ask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ask")
    }
}

impl Ask {
    /// Standard input and output.
    pub fn standard() -> Self {
        let (input, output) = (RefCell::new(Box::new(stdin().lock()) as _), RefCell::new(Box::new(stdout()) as _));
        Self { terminal: stdin().is_terminal(), input, output }
    }

    /// Answers from elsewhere, such as a script: nothing is asked for, and a slip ends the command.
    pub fn scripted(answers: impl BufRead + 'static, said: impl Write + 'static) -> Self {
        Self { terminal: false, input: RefCell::new(Box::new(answers)), output: RefCell::new(Box::new(said)) }
    }

    /// Whether a slip may be typed again.
    pub(super) fn can_retry(&self) -> bool {
        self.terminal
    }

    /// A line that may be seen.
    pub(super) fn line(&self, what: &'static str) -> Result<Zeroizing<String>, ClientError> {
        self.read(what)
    }

    /// A line that is not echoed.
    pub(super) fn secret(&self, what: &'static str) -> Result<Zeroizing<String>, ClientError> {
        if !self.terminal {
            return self.read(what);
        }
        let hidden = Hidden::new();
        let secret = self.read(what);
        drop(hidden);
        self.say("")?;
        secret
    }

    /// A new passphrase, twice on a terminal.
    pub(super) fn new_passphrase(&self) -> Result<Zeroizing<String>, ClientError> {
        let passphrase = self.secret("New passphrase")?;
        if passphrase.chars().count() < 8 {
            return Err(ClientError::Invalid("a passphrase of fewer than 8 characters"));
        }
        if self.terminal && *self.secret("The same again")? != *passphrase {
            return Err(ClientError::Invalid("the second passphrase"));
        }
        Ok(passphrase)
    }

    /// One sentence for the person.
    pub(super) fn say(&self, text: &str) -> Result<(), ClientError> {
        let mut out = self.output.borrow_mut();
        writeln!(out, "{text}")?;
        Ok(out.flush()?)
    }

    fn read(&self, what: &'static str) -> Result<Zeroizing<String>, ClientError> {
        if self.terminal {
            let mut out = self.output.borrow_mut();
            write!(out, "{what}: ")?;
            out.flush()?;
        }
        let mut line = Zeroizing::new(String::with_capacity(LINE));
        self.input.borrow_mut().read_line(&mut line)?;
        if line.len() > LINE {
            return Err(ClientError::Invalid(what));
        }
        let text = Zeroizing::new(line.trim().to_owned());
        if text.is_empty() { Err(ClientError::InputMissing(what)) } else { Ok(text) }
    }
}

/// The terminal does not echo while this lives. Where `stty` is missing, it does, and nothing is lost but privacy on screen.
struct Hidden;

impl Hidden {
    fn new() -> Self {
        stty("-echo");
        Self
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        stty("echo");
    }
}

fn stty(argument: &str) {
    let status = Command::new("stty").arg(argument).stdin(Stdio::inherit()).stderr(Stdio::null()).status();
    if let Err(error) = status {
        tracing::debug!(%error, "the terminal's echo was left as it is");
    }
}
