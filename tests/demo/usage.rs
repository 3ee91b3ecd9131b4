//! What processes take, read from `/proc`.

use std::fs;
use std::time::Instant;

use anyhow::{Context, Result};

/// Clock ticks a second in `/proc` (`USER_HZ`, fixed at 100 on Linux).
const TICKS: f64 = 100.0;

/// CPU time of some processes from one moment on.
pub(crate) struct Usage {
    begun: Instant,
    ids: Vec<u32>,
    cpu: Vec<f64>,
}

impl Usage {
    /// From now on.
    pub(crate) fn begin(ids: Vec<u32>) -> Result<Self> {
        let cpu = ids.iter().map(|id| cpu_seconds(*id)).collect::<Result<_>>()?;
        Ok(Self { begun: Instant::now(), ids, cpu })
    }

    /// CPU seconds a second since then, and proportional memory now in MB, of each.
    pub(crate) fn now(&self) -> Result<Vec<(f64, f64)>> {
        let seconds = self.begun.elapsed().as_secs_f64().max(0.001);
        let each = self.ids.iter().zip(&self.cpu);
        each.map(|(id, before)| Ok(((cpu_seconds(*id)? - before) / seconds, memory_mb(*id)?))).collect()
    }
}

/// User and system time of all threads.
fn cpu_seconds(id: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).context("a client has ended")?;
    // The name in field 2 may hold blanks and brackets (proc_pid_stat(5)).
    let fields = stat.rsplit_once(')').context("a line of /proc")?.1;
    let ticks: f64 = fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    Ok(ticks / TICKS)
}

/// Its own memory and its share of what it shares, in MB of 1,000,000 bytes.
fn memory_mb(id: u32) -> Result<f64> {
    let rollup = fs::read_to_string(format!("/proc/{id}/smaps_rollup")).context("a client has ended")?;
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:")).context("no Pss")?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib * 1_024.0 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_takes_something() {
        let usage = Usage::begin(vec![std::process::id()]).unwrap();
        let now = usage.now().unwrap();
        assert!(now[0].1 > 1.0 && now[0].0 >= 0.0);
        assert!(Usage::begin(vec![u32::MAX]).is_err());
    }
}
