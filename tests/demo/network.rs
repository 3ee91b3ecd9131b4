//! What lies between server, host and patient: three network namespaces and a bad network, made by the program `netlab`.
//!
//! The host is its side a, the patient b, the server s, where further guests are as well. Nothing leads out of them, not even to this
//! machine's loopback.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv6Addr};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;
use tokio::time::timeout;

use crate::options::{Options, Side};
use crate::programs::{Place, Running, STEP, text};

/// The server's address where there is nothing but IPv6, as netlab gives it.
const SERVER_V6: Ipv6Addr = Ipv6Addr::new(0xfd77, 0x77, 0x77, 3, 0, 0, 0, 1);

/// The running network. It ends with this handle.
pub(crate) struct Network {
    lab: Running,
    host: PathBuf,
    patient: PathBuf,
    server: PathBuf,
    server_address: IpAddr,
}

impl Network {
    /// Makes it; its schedule waits for [`Network::begin`].
    pub(crate) async fn start(program: &Path, folder: &Path, options: &Options) -> Result<Self> {
        let mut arguments: Vec<OsString> =
            ["--server", "--stdin-ctl", "--wait-go", "--quiet", "--interval", "100ms"].map(Into::into).to_vec();
        let longest = options.seconds + 120;
        arguments.extend(["--duration".into(), format!("{longest}s").into()]);
        if let Some(folder) = &options.timeline {
            std::fs::create_dir_all(folder).context("the folder of --timeline")?;
            arguments.extend(["--stats".into(), folder.join("link.csv").into()]);
        }
        if options.ipv6 {
            arguments.push("--ipv6".into());
            if let Some(folder) = &options.timeline {
                arguments.extend(["--pcap".into(), folder.join("packets.pcap").into()]);
            }
        }
        for link in &options.link {
            arguments.extend(["--link".into(), link.into()]);
        }
        for at in &options.at {
            arguments.extend(["--at".into(), at.into()]);
        }
        let mut lab = Running::start_at(program, &arguments, &folder.join("network.log"), Place::default())?;
        let line = timeout(STEP, lab.line()).await.context("step \"network\": it printed nothing")??;
        let made: Value = serde_json::from_str(&line).context("step \"network\": it did not say where it is")?;
        let find = |what: &str| text(&made, what).with_context(|| format!("step \"network\": no {what}"));
        let namespace = |side: &str| find(&format!("/ns/{side}")).map(PathBuf::from);
        let server_address = find("/addr/s")?.parse().context("step \"network\": no address of the server")?;
        let mut network =
            Self { host: namespace("a")?, patient: namespace("b")?, server: namespace("s")?, server_address, lab };
        if options.ipv6 {
            network.without_ipv4().await?;
        }
        Ok(network)
    }

    /// Takes the addresses of IPv4 away from every side.
    async fn without_ipv4(&mut self) -> Result<()> {
        let arguments = ["-4", "addr", "flush", "dev", "net0"].map(OsString::from);
        for network in [&self.host, &self.patient, &self.server] {
            let place = Place { network: Some(network), sound: None };
            let ip = Running::start_at(Path::new("ip"), &arguments, Path::new("/dev/null"), place)?;
            ip.ended().await.context("step \"network\": an address of IPv4 stays")?;
        }
        self.server_address = SERVER_V6.into();
        Ok(())
    }

    /// Where the server runs, and the owner who sets it up.
    pub(crate) fn server(&self) -> Place<'_> {
        Place { network: Some(&self.server), sound: None }
    }

    /// Its address there.
    pub(crate) fn server_address(&self) -> IpAddr {
        self.server_address
    }

    /// Where this client runs.
    pub(crate) fn client(&self, side: Side) -> Place<'_> {
        let network = match side {
            Side::Host => &self.host,
            Side::Patient => &self.patient,
            Side::Further(_) => &self.server,
        };
        Place { network: Some(network), sound: None }
    }

    /// Begins the schedule.
    pub(crate) async fn begin(&mut self) -> Result<()> {
        self.lab.write("go").await
    }

    /// Takes it down.
    pub(crate) async fn close(mut self) -> Result<()> {
        self.lab.write("stop").await?;
        self.lab.ended().await
    }
}
