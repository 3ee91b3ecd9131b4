//! Both windows, clicked through by role and label: what a person would do, step by step.
//!
//! Each window reads steps as JSON lines and does them as pointer and keyboard events; it tells what it found.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tokio::process::Command;
use tokio::time::timeout;

use crate::bootstrap::House;
use crate::canaries::Canaries;
use crate::journey::{Invitation, LABEL, PATIENT, REST};
use crate::options::Options;
use crate::programs::{Running, STEP, say};

/// A window that does steps.
pub(crate) struct Window {
    running: Running,
    who: &'static str,
}

impl Window {
    /// Takes over a running window.
    pub(crate) fn new(running: Running, who: &'static str) -> Self {
        Self { running, who }
    }

    /// Waits until it has closed itself.
    pub(crate) async fn closed(mut self) -> Result<()> {
        timeout(STEP, self.running.closed())
            .await
            .with_context(|| format!("the {}'s window did not close", self.who))?
    }

    async fn step(&mut self, verb: &str, mut target: Value) -> Result<Value> {
        let what = format!("step \"{}: {verb} {}\"", self.who, target["label"].as_str().unwrap_or_default());
        target["timeout_ms"] = json!(STEP.as_millis() as u64 - 5_000);
        self.running.write(&json!({ verb: target }).to_string()).await.with_context(|| what.clone())?;
        let line =
            timeout(STEP, self.running.line()).await.with_context(|| what.clone())?.with_context(|| what.clone())?;
        let answer: Value = serde_json::from_str(&line).context("an answer that is no JSON")?;
        if answer["ok"] != true {
            bail!("{what}: {}; the window shows {}", answer["error"], answer["labels"]);
        }
        Ok(answer)
    }

    async fn click(&mut self, label: &str) -> Result<()> {
        self.step("click", json!({ "role": "button", "label": label })).await.map(drop)
    }

    async fn tick(&mut self, label: &str) -> Result<()> {
        self.step("click", json!({ "role": "check_box", "label": label })).await.map(drop)
    }

    async fn type_into(&mut self, label: &str, text: &str) -> Result<()> {
        self.step("type", json!({ "label": label, "text": text })).await.map(drop)
    }

    async fn wait(&mut self, label: &str) -> Result<()> {
        self.step("wait", json!({ "label": label })).await.map(drop)
    }

    /// The whole text of the first label that begins with `beginning`.
    async fn words(&mut self, beginning: &str) -> Result<String> {
        let answer = self.step("labels", json!({})).await?;
        let labels = answer["labels"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let mut words = labels.filter_map(|label| label.strip_prefix("label: "));
        words
            .find(|words| words.starts_with(beginning))
            .map(str::to_owned)
            .with_context(|| format!("the {}'s window shows no \"{beginning}\"", self.who))
    }

    async fn read(&mut self, label: &str) -> Result<String> {
        let answer = self.step("read", json!({ "label": label })).await?;
        answer["value"].as_str().map(str::to_owned).with_context(|| format!("\"{label}\" says nothing"))
    }
}

/// Goes through the whole consultation, from two fresh windows to two closed ones.
pub(crate) async fn run(mut host: Window, mut patient: Window, house: &House, options: &Options) -> Result<()> {
    let shots = Shots::new(options.shots.clone())?;
    host.wait("I work here").await?;
    patient.wait("I have an invitation").await?;
    shots.take("start").await?;

    host.click("I work here").await?;
    host.type_into("Name", house.staff.name).await?;
    host.type_into("Passphrase", &house.staff.passphrase).await?;
    patient.click("I have an invitation").await?;
    patient.wait("Your invitation link").await?;
    shots.take("sign-in").await?;
    host.click("Sign in").await?;
    host.wait("Second factor").await?;
    shots.take("second-factor").await?;
    host.type_into("Authenticator code", &house.staff.authenticator.next_code().await?).await?;
    host.click("Confirm").await?;
    host.wait("Signed in as").await?;
    shots.take("today").await?;

    host.click("Book an appointment…").await?;
    host.type_into("Reference", LABEL).await?;
    shots.take("booking").await?;
    host.click("Book").await?;
    host.click(&format!("Make invitation, {LABEL}")).await?;
    let link = host.read("Invitation link").await?;
    shots.take("invitation-link").await?;
    host.click("The link is sent. Show the code").await?;
    let code: String = host.read("Code for the patient").await?.chars().filter(char::is_ascii_digit).collect();
    ensure!(code.len() == 8, "step \"host reads the code\": it has {} digits", code.len());
    shots.take("invitation-code").await?;
    host.click("The code is passed on. Done").await?;
    host.click(&format!("Open the room, {LABEL}")).await?;
    host.wait("The room is open").await?;

    patient.type_into("Invitation link", &link).await?;
    patient.click("Continue").await?;
    patient.wait("Your code").await?;
    patient.type_into("Code of 8 digits", &code).await?;
    shots.take("join-code").await?;
    patient.click("Continue").await?;
    let (name, birth_date, phone) = PATIENT;
    patient.type_into("Full name", name).await?;
    patient.type_into("Birth date", birth_date).await?;
    patient.type_into("Phone number to call you on", phone).await?;
    patient.tick("I agree to a consultation by video. It is not recorded.").await?;
    shots.take("about-you").await?;
    patient.click("Continue").await?;
    patient.wait("Your devices").await?;
    patient.wait("Works.").await?;
    shots.take("device-check").await?;
    patient.click("Continue").await?;
    patient.wait("You are in the right place").await?;

    let admit = format!("Admit {name}");
    host.wait(&admit).await?;
    shots.take("lobby").await?;
    host.click(&admit).await?;
    host.tick("I have compared name and birth date. This is the person I expect.").await?;
    shots.take("confirm-identity").await?;
    host.click("Admit").await?;
    host.wait("End-to-end encrypted").await?;
    patient.wait("End-to-end encrypted").await?;
    host.wait("Direct connection").await?;
    host.click("Compare words").await?;
    host.wait("Safety words:").await?;
    patient.wait("Safety words:").await?;
    let words = host.words("Safety words:").await?;
    patient.wait(&words).await.context("the safety words differ")?;
    shots.take("safety-words").await?;
    host.click("They match").await?;
    patient.click("They match").await?;
    host.wait("The words matched").await?;
    say("both are in the call, and the safety words match");
    let invitation = Invitation { link, code };
    let mut canaries = options.canaries.then(|| Canaries::new(house, &invitation)).transpose()?;
    if let Some(canaries) = &mut canaries {
        canaries.during(house, host.running.id()?, patient.running.id()?)?;
    }
    tokio::time::sleep(Duration::from_secs(options.seconds)).await;
    shots.take("call").await?;
    for window in [&mut host, &mut patient] {
        window.click("Connection").await?;
        window.wait("Your connection, over the last two seconds").await?;
    }
    shots.take("connection").await?;
    for window in [&mut host, &mut patient] {
        window.click("Hide connection").await?;
    }

    patient.click("Leave").await?;
    patient.click("Leave now").await?;
    patient.wait("Camera and microphone are off.").await?;
    host.click("End for all").await?;
    host.click("End for all now").await?;
    host.wait("Camera and microphone are off.").await?;
    shots.take("goodbye").await?;
    if let Some(canaries) = canaries {
        tokio::time::sleep(REST).await;
        canaries.after(house, host.running.id()?, patient.running.id()?)?;
    }
    patient.click("Close Quietroom").await?;
    host.click("Close Quietroom").await?;
    tokio::try_join!(patient.closed(), host.closed())?;
    Ok(())
}

/// Pictures of the whole display, one a step.
struct Shots(Option<PathBuf>);

impl Shots {
    fn new(folder: Option<PathBuf>) -> Result<Self> {
        if let Some(folder) = &folder {
            std::fs::create_dir_all(folder).context("no folder for the screenshots")?;
        }
        Ok(Self(folder))
    }

    /// Uses ImageMagick, which `scripts/setup.sh display` installs.
    async fn take(&self, name: &str) -> Result<()> {
        let Some(folder) = &self.0 else { return Ok(()) };
        // The window paints what the last step did.
        tokio::time::sleep(Duration::from_millis(700)).await;
        let path = folder.join(format!("{name}.png"));
        let status = Command::new("import").args(["-window", "root"]).arg(&path).status().await;
        ensure!(status.context("ImageMagick's import is missing")?.success(), "no screenshot of {name}");
        Ok(())
    }
}
