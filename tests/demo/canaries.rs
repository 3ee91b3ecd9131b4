//! Looks for the consultation's secrets where they must not be: `--canaries`.
//!
//! | place | during the call | after it |
//! | --- | --- | --- |
//! | memory of the server | nothing | nothing |
//! | memory of both clients | the patient's name and the keys: the search finds them where they must be | nothing, though the program still runs |
//! | the server's folder, all logs | | nothing |
//!
//! The keys are those that lie in the clients' memory during the call, found by their shape: nothing in the clients
//! names them for this.
//!
//! In each place the same search must also find something harmless that lies there, or it is blind and fails:
//! in memory the path of the data folder, outside the stack; in the database the appointment's label; in a log a line
//! that is put there for it.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lab::keys;
use lab::memory;
use lab::search::Search;
use lab::totp;

use crate::bootstrap::House;
use crate::journey::{Invitation, LABEL, PATIENT};
use crate::options::Side;
use crate::programs::say;

/// What is written into every log, so that the search can be seen to find it.
const LOGGED: &str = "canary: a line that is meant to be found";
/// Name of the patient among the secrets.
const NAME: &str = "the patient's name";
/// Name of an AES-256 key that both clients hold.
const MEDIA_KEY: &str = "a media key";
/// Name of what only a member of the group knows.
const MLS_SECRET: &str = "an MLS secret";
/// SFrame's for voice and picture of both sides (E2EE 7), and SRTP's for RTP and RTCP of both directions.
const MEDIA_KEYS: usize = 8;
/// An epoch has seven secrets and the leaf its own keys (RFC 9420 §8); fewer means that their form has changed.
const MLS_SECRETS: usize = 7;

/// The group's state is written anew with every message, and can so evade one reading.
const READINGS: usize = 3;

/// One thing that is looked for.
struct Canary {
    what: &'static str,
    bytes: Vec<u8>,
}

/// The search, and what it found so far.
pub(crate) struct Canaries {
    secrets: Vec<Canary>,
    folder: PathBuf,
    failures: usize,
}

impl Canaries {
    /// Collects the secrets of this consultation.
    pub(crate) fn new(house: &House, invitation: &Invitation) -> Result<Self> {
        let (name, birth_date, phone) = PATIENT;
        let digits: String = invitation.code.chars().filter(char::is_ascii_digit).collect();
        let (_, body) = invitation.link.split_once(':').context("a link without a scheme")?;
        let totp = house.staff.authenticator.secret();
        let canary = |what, bytes: &[u8]| Canary { what, bytes: bytes.to_vec() };
        let secrets = vec![
            canary(NAME, name.as_bytes()),
            canary("the birth date", birth_date.as_bytes()),
            canary("the patient's phone", phone.as_bytes()),
            canary("the link", body.as_bytes()),
            canary("the link's secret", &link_secret(body).context("a link of another version")?),
            canary("the code", invitation.code.as_bytes()),
            canary("the code's digits", digits.as_bytes()),
            canary("the passphrase", house.staff.passphrase.as_bytes()),
            canary("the second factor's secret, as text", totp.as_bytes()),
            canary("the second factor's secret", &totp::base32(totp)?),
        ];
        Ok(Self { secrets, folder: house.folder().to_owned(), failures: 0 })
    }

    /// While both are in the call.
    ///
    /// `host` and `patient` are the process ids of their programs.
    ///
    /// # Errors
    /// When the memory of one of the three programs cannot be read.
    pub(crate) fn during(&mut self, house: &House, host: u32, patient: u32) -> Result<()> {
        self.collect_keys(host, patient)?;
        self.memory("server, in the call", house.server_id()?, "server")?;
        for (side, id) in [(Side::Host, host), (Side::Patient, patient)] {
            let place = format!("{}, in the call", side.name());
            let (found, _) = self.scan(&place, id, side.name())?;
            // Other secrets may be there now; these must be, or the search would not see them afterwards either.
            for what in [NAME, MEDIA_KEY, MLS_SECRET] {
                self.require(&place, what, found.contains(&what));
            }
        }
        Ok(())
    }

    /// Adds the keys of the call to what is looked for.
    fn collect_keys(&mut self, host: u32, patient: u32) -> Result<()> {
        let (of_host, of_patient) = (Keys::read(host)?, Keys::read(patient)?);
        // The host also holds the key of its own key store, which outlives the call.
        let media: Vec<_> = of_host.aes.intersection(&of_patient.aes).collect();
        say(&format!(
            "canaries: {} keys that both clients hold, {} MLS secrets of the host's, {} of the patient's",
            media.len(),
            of_host.mls.len(),
            of_patient.mls.len()
        ));
        self.require("the clients", "every media key", media.len() >= MEDIA_KEYS);
        for (place, keys) in [("host", &of_host), ("patient", &of_patient)] {
            self.require(place, "every MLS secret", keys.mls.len() >= MLS_SECRETS);
        }
        let media = media.into_iter().map(|key| Canary { what: MEDIA_KEY, bytes: key.to_vec() });
        let mls = of_host.mls.union(&of_patient.mls).map(|key| Canary { what: MLS_SECRET, bytes: key.clone() });
        self.secrets.extend(media.chain(mls));
        Ok(())
    }

    /// Once both have said goodbye, and both programs still run: memory and disk.
    ///
    /// # Errors
    /// When something was found where it must not be, or not found where it must, or could not be read.
    pub(crate) fn after(mut self, house: &House, host: u32, patient: u32) -> Result<()> {
        self.memory("server, afterwards", house.server_id()?, "server")?;
        self.memory("host, afterwards", host, Side::Host.name())?;
        self.memory("patient, afterwards", patient, Side::Patient.name())?;
        self.disk()?;
        ensure!(self.failures == 0, "the scan for canaries failed in {} places", self.failures);
        say("canaries: none found where none may be, and every planted one was found");
        Ok(())
    }

    /// What lies on disk.
    fn disk(&mut self) -> Result<()> {
        let mut files = Vec::new();
        collect(&self.folder.join("server"), &mut files)?;
        let database = files.iter().any(|path| fs::read(path).is_ok_and(|bytes| contains(&bytes, LABEL)));
        self.require("the server's folder", "the appointment's label", database);
        for log in ["server.log", "host.log", "patient.log"].map(|name| self.folder.join(name)) {
            let mut open = OpenOptions::new().append(true).open(&log).context("a log is missing")?;
            writeln!(open, "{LOGGED}").context("a log cannot be written")?;
            let found = contains(&fs::read(&log)?, LOGGED);
            self.require(&log.display().to_string(), "the planted line", found);
            files.push(log);
        }
        let search = self.search(None);
        for path in &files {
            let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
            let mut found: Vec<_> = search.find(&bytes).map(|(secret, _)| self.secrets[secret].what).collect();
            found.dedup();
            self.refuse(&path.display().to_string(), &found);
        }
        say(&format!("canaries: {} files of the server and logs searched", files.len()));
        Ok(())
    }

    /// Scans a process that must hold no secret.
    fn memory(&mut self, place: &str, id: u32, folder: &str) -> Result<()> {
        let (found, lines) = self.scan(place, id, folder)?;
        lines.iter().for_each(|line| say(line));
        self.refuse(place, &found);
        Ok(())
    }

    /// Scans a process whose data folder is `folder`, and gives the secrets found and where.
    fn scan(&mut self, place: &str, id: u32, folder: &str) -> Result<(Vec<&'static str>, Vec<String>)> {
        let planted = self.folder.join(folder);
        let planted = planted.to_str().context("a folder with an odd name")?;
        let search = self.search(Some(planted));
        let scan = memory::scan(id, &search)?;
        let own = self.secrets.len();
        let seen = scan.hits.iter().any(|hit| hit.secret == own && hit.place != "[stack]");
        self.require(place, "the path of its folder", seen);
        let mut lines: Vec<String> = Vec::new();
        let mut found = Vec::new();
        for hit in scan.hits.iter().filter(|hit| hit.secret < own) {
            let what = self.secrets[hit.secret].what;
            lines.push(format!("    {what} at {:#x} in {}: {}", hit.address, hit.place, hit.around.escape_ascii()));
            if !found.contains(&what) {
                found.push(what);
            }
        }
        let megabytes = scan.bytes / 1_000_000;
        say(&format!(
            "canaries: {place}: {megabytes} MB searched, {} places hold {} secrets",
            lines.len(),
            found.len()
        ));
        Ok((found, lines))
    }

    fn search(&self, planted: Option<&str>) -> Search {
        Search::new(self.secrets.iter().map(|secret| secret.bytes.as_slice()).chain(planted.map(str::as_bytes)))
    }

    fn require(&mut self, place: &str, what: &str, found: bool) {
        if !found {
            say(&format!("canaries: {place}: BLIND, {what} was not found"));
            self.failures += 1;
        }
    }

    fn refuse(&mut self, place: &str, found: &[&str]) {
        if !found.is_empty() {
            say(&format!("canaries: {place}: HOLDS {}", found.join(", ")));
            self.failures += 1;
        }
    }
}

/// The keys in a client's memory.
#[derive(Default)]
struct Keys {
    aes: BTreeSet<[u8; 32]>,
    mls: BTreeSet<Vec<u8>>,
}

impl Keys {
    fn read(id: u32) -> Result<Self> {
        let mut keys = Self::default();
        for _ in 0..READINGS {
            memory::read(id, keys::SCHEDULE.max(keys::STORED), |_, _, bytes| {
                keys.aes.extend(keys::aes256(bytes));
                keys.mls.extend(keys::mls(bytes));
            })?;
        }
        Ok(keys)
    }
}

fn contains(bytes: &[u8], text: &str) -> bool {
    lab::search::holds(bytes, text.as_bytes())
}

/// The 32 secret bytes of a link: behind version, mode, server, its pin and the invitation's id.
fn link_secret(body: &str) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(body).ok()?;
    let server = usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?));
    let at = 4 + server + 32 + 16;
    Some(bytes.get(at..at + 32)?.to_vec())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    ensure!(!files.is_empty(), "{} is empty", folder.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_is_cut_out_of_a_link_by_its_layout() {
        let mut bytes = vec![2, 0, 0, 9];
        bytes.extend_from_slice(b"host:8443");
        bytes.extend_from_slice(&[2; 48]);
        bytes.extend_from_slice(&[7; 32]);
        bytes.extend_from_slice(&[3; 100]);
        assert_eq!(link_secret(&URL_SAFE_NO_PAD.encode(&bytes)), Some(vec![7; 32]));
        assert_eq!(link_secret("AQD_"), None);
    }
}
