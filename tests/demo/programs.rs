//! Child processes: one-shot commands, the server, and clients that speak JSON lines.
//!
//! Secrets go to a child's standard input, never into its arguments.
//! Every child is killed by its own id when its handle is dropped.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

/// Longest wait for one step of a person's journey.
pub(crate) const STEP: Duration = Duration::from_secs(30);
/// Longest time a program takes to end by itself once told.
const GOODBYE: Duration = Duration::from_secs(10);

/// Tells the person at the terminal.
pub(crate) fn say(text: &str) {
    // A closed terminal must not end the consultation.
    writeln!(std::io::stdout(), "{text}").ok();
}

/// A program that was built beside this one.
pub(crate) fn program(name: &str) -> Result<PathBuf> {
    let own = std::env::current_exe().context("cannot tell where this program lies")?;
    let path = own.with_file_name(name);
    ensure!(path.is_file(), "{} is missing: run scripts/demo.sh, which builds it", path.display());
    Ok(path)
}

/// What of this machine a program gets: everything, unless another network or sound server is named.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Place<'a> {
    /// File of its network namespace.
    pub(crate) network: Option<&'a Path>,
    /// Address of its sound server.
    pub(crate) sound: Option<&'a str>,
}

fn command(path: &Path, arguments: &[OsString], place: Place<'_>) -> Command {
    let mut command = match place.network {
        None => Command::new(path),
        Some(network) => {
            let mut enter = Command::new("nsenter");
            enter.arg(format!("--net={}", network.display())).arg("--").arg(path);
            enter
        }
    };
    if let Some(server) = place.sound {
        command.env("PULSE_SERVER", server);
    }
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    command
}

/// Runs a command to its end, gives it `secrets` a line each on standard input, and returns its standard output.
pub(crate) async fn once(
    step: &str,
    name: &str,
    arguments: &[OsString],
    secrets: &[&str],
    place: Place<'_>,
) -> Result<String> {
    let mut child =
        command(&program(name)?, arguments, place).spawn().with_context(|| format!("{step}: {name} did not start"))?;
    if let Some(mut input) = child.stdin.take() {
        for secret in secrets {
            input
                .write_all(format!("{secret}\n").as_bytes())
                .await
                .with_context(|| format!("{step}: {name} closed its input"))?;
        }
    }
    let output =
        timeout(STEP, child.wait_with_output()).await.with_context(|| format!("{step}: {name} did not end"))??;
    ensure!(output.status.success(), "{step}: {name} ended with {}", output.status);
    String::from_utf8(output.stdout).with_context(|| format!("{step}: {name} did not print text"))
}

/// A program that keeps running and prints lines.
#[derive(Debug)]
pub(crate) struct Running {
    name: String,
    child: Child,
    input: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    /// Starts a program of ours; its complaints go to `log`.
    pub(crate) fn start(name: &str, arguments: &[OsString], log: &Path, place: Place<'_>) -> Result<Self> {
        Self::start_at(&program(name)?, arguments, log, place)
    }

    /// Starts the program that lies there.
    pub(crate) fn start_at(path: &Path, arguments: &[OsString], log: &Path, place: Place<'_>) -> Result<Self> {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        let mut command = command(path, arguments, place);
        let log = std::fs::File::create(log).with_context(|| format!("no log for {name}"))?;
        let mut child = command.stderr(log).spawn().with_context(|| format!("{name} did not start"))?;
        let output = child.stdout.take().with_context(|| format!("{name} has no output"))?;
        let input = child.stdin.take();
        Ok(Self { name: name.into_owned(), child, input, lines: BufReader::new(output).lines() })
    }

    /// Its process id, while it runs.
    pub(crate) fn id(&self) -> Result<u32> {
        self.child.id().with_context(|| format!("{} has ended", self.name))
    }

    /// The next line it prints, or an error once it has ended.
    pub(crate) async fn line(&mut self) -> Result<String> {
        let line = self.lines.next_line().await.with_context(|| format!("{} cannot be read", self.name))?;
        match line {
            Some(line) => Ok(line),
            None => bail!("{} ended: {}", self.name, self.child.wait().await?),
        }
    }

    /// Writes a line to its standard input.
    pub(crate) async fn write(&mut self, line: &str) -> Result<()> {
        let input = self.input.as_mut().with_context(|| format!("the input of {} is closed", self.name))?;
        input
            .write_all(format!("{line}\n").as_bytes())
            .await
            .with_context(|| format!("{} closed its input", self.name))?;
        Ok(input.flush().await?)
    }

    /// Waits until it ends by itself, with an error when it fails or has to be killed.
    pub(crate) async fn ended(mut self) -> Result<()> {
        self.input = None;
        let rest = async { while let Ok(Some(_)) = self.lines.next_line().await {} };
        let done = async {
            rest.await;
            self.child.wait().await
        };
        match timeout(GOODBYE, done).await {
            Ok(status) => {
                let status = status?;
                ensure!(status.success(), "{} ended with {status}", self.name);
                Ok(())
            }
            Err(_) => {
                self.child.kill().await?;
                bail!("{} did not end by itself", self.name)
            }
        }
    }

    /// Waits as long as it takes for it to end, for windows that a person closes.
    pub(crate) async fn closed(&mut self) -> Result<()> {
        while self.lines.next_line().await?.is_some() {}
        let status = self.child.wait().await?;
        ensure!(status.success(), "{} ended with {status}", self.name);
        Ok(())
    }

    /// Ends it now.
    pub(crate) async fn kill(mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }
}

/// A client without a window: commands in, views out.
#[derive(Debug)]
pub(crate) struct Client {
    running: Running,
    view: Value,
}

impl Client {
    /// Starts it.
    pub(crate) fn start(name: &str, arguments: &[OsString], log: &Path, place: Place<'_>) -> Result<Self> {
        Ok(Self { running: Running::start(name, arguments, log, place)?, view: Value::Null })
    }

    /// Gives a command.
    pub(crate) async fn tell(&mut self, command: Value) -> Result<()> {
        self.running.write(&command.to_string()).await
    }

    /// Reads views until `found` finds what it looks for in one, the present one included.
    ///
    /// On a notice that nobody expects, the error names it.
    pub(crate) async fn until<T>(&mut self, step: &str, mut found: impl FnMut(&Value) -> Option<T>) -> Result<T> {
        let wait = async {
            loop {
                if let Some(value) = found(&self.view) {
                    return Ok::<_, anyhow::Error>(value);
                }
                self.read().await?;
            }
        };
        match timeout(STEP, wait).await {
            Ok(result) => result.with_context(|| format!("step \"{step}\"")),
            Err(_) => bail!("step \"{step}\" took longer than {} s; {}", STEP.as_secs(), self.whereabouts()),
        }
    }

    /// Reads views until the phase has the name `phase`.
    pub(crate) async fn phase(&mut self, step: &str, phase: &str) -> Result<()> {
        self.until(step, |view| (name_of(view) == phase).then_some(())).await
    }

    /// Reads views for `duration`, so that the client never waits for its reader; fails when it leaves `phase`.
    pub(crate) async fn stay(&mut self, step: &str, phase: &str, duration: Duration) -> Result<()> {
        let watch = async {
            loop {
                if name_of(&self.view) != phase {
                    return Err::<(), _>(anyhow!("step \"{step}\": {}", self.whereabouts()));
                }
                self.read().await?;
            }
        };
        match timeout(duration, watch).await {
            Ok(result) => result,
            Err(_) => Ok(()),
        }
    }

    /// Its process id, while it runs.
    pub(crate) fn id(&self) -> Result<u32> {
        self.running.id()
    }

    /// The newest view.
    pub(crate) fn view(&self) -> &Value {
        &self.view
    }

    /// Asks it to end, and waits for that.
    pub(crate) async fn quit(mut self) -> Result<()> {
        self.tell(serde_json::json!({ "command": "quit" })).await?;
        self.running.ended().await
    }

    async fn read(&mut self) -> Result<()> {
        let line = self.running.line().await?;
        let mut value: Value = serde_json::from_str(&line).context("a line that is no JSON")?;
        if value.get("phase").is_some() {
            self.view = value;
        } else if let Some(view) = value.get_mut("view") {
            self.view = view.take();
        } else if let Some(error) = value.get("error").and_then(Value::as_str) {
            bail!("a command was not understood: {error}");
        }
        Ok(())
    }

    /// Phase and notice, without anything private.
    fn whereabouts(&self) -> String {
        let code = self.view.pointer("/notice/code").and_then(Value::as_str).unwrap_or("none");
        format!("the client stands at \"{}\", notice {code}", name_of(&self.view))
    }
}

/// Name of the view's phase.
pub(crate) fn name_of(view: &Value) -> &str {
    view.pointer("/phase/name").and_then(Value::as_str).unwrap_or("nowhere")
}

/// A text at a place of the view.
pub(crate) fn text(view: &Value, pointer: &str) -> Option<String> {
    view.pointer(pointer).and_then(Value::as_str).map(str::to_owned)
}

/// Whether a place of the view holds `true`.
pub(crate) fn holds(view: &Value, pointer: &str) -> bool {
    view.pointer(pointer).and_then(Value::as_bool).unwrap_or(false)
}
