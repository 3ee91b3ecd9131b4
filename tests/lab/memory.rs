//! Reads the memory of a running process (Linux, `/proc/PID/mem`) and looks for secrets in it.
//!
//! The process goes on meanwhile, so what moves at that moment may be missed: scan twice, or when it rests.
//! The house's client forbids it to others of the same user, so this needs root or `CAP_SYS_PTRACE`.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;

use anyhow::{Context, Result, ensure};

use crate::search::Search;

/// Bytes that are read at a time.
const PIECE: usize = 1 << 20;
/// Bytes that are shown before and after the beginning of a hit.
const AROUND: usize = 48;

/// A place where a secret was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Number of the secret in the search.
    pub secret: usize,
    /// Name of the mapping: `[heap]`, `[stack]`, a file, or `anonymous`.
    pub place: String,
    /// Address.
    pub address: u64,
    /// Some bytes before and after its beginning, which tell what holds it.
    pub around: Vec<u8>,
}

/// What a scan saw.
#[derive(Debug)]
pub struct Scan {
    /// Bytes that were read.
    pub bytes: u64,
    /// What was found.
    pub hits: Vec<Hit>,
}

struct Mapping {
    from: u64,
    to: u64,
    place: String,
}

/// Looks for secrets in all memory of process `pid` that can hold what it wrote.
///
/// # Errors
/// As of [`read`].
pub fn scan(pid: u32, search: &Search) -> Result<Scan> {
    let mut hits = Vec::new();
    let bytes = read(pid, search.longest(), |place, address, piece| {
        hits.extend(search.find(piece).map(|(secret, offset)| Hit {
            secret,
            place: place.to_owned(),
            address: address + offset as u64,
            around: piece[offset.saturating_sub(AROUND)..piece.len().min(offset + AROUND)].to_vec(),
        }));
    })?;
    hits.sort_by_key(|hit| (hit.address, hit.secret));
    hits.dedup_by_key(|hit| (hit.address, hit.secret));
    Ok(Scan { bytes, hits })
}

/// Shows all memory of process `pid` that can hold what it wrote, piece by piece with its mapping and address: every
/// readable mapping but files that it cannot write. What is not longer than `longest` lies in some piece as a whole.
/// Gives the number of bytes that were read.
///
/// # Errors
/// When the memory cannot be read, with what is missing, or hardly any of it could be.
pub fn read(pid: u32, longest: usize, mut show: impl FnMut(&str, u64, &[u8])) -> Result<u64> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps"));
    let maps = maps.with_context(|| format!("the memory of process {pid} is not to be seen: {NEEDED}"))?;
    let memory = File::open(format!("/proc/{pid}/mem"));
    let memory = memory.with_context(|| format!("the memory of process {pid} cannot be read: {NEEDED}"))?;
    // Pieces begin at whole words, as keys do.
    let overlap = longest.next_multiple_of(8);
    let (mut bytes, mut unread) = (0, 0);
    let mut piece = vec![0; PIECE];
    for mapping in maps.lines().filter_map(mapping) {
        let mut at = mapping.from;
        while at < mapping.to {
            let wanted = PIECE.min((mapping.to - at) as usize);
            let Ok(read @ 1..) = memory.read_at(&mut piece[..wanted], at) else {
                // Gone meanwhile, or of a device.
                unread += mapping.to - at;
                break;
            };
            show(&mapping.place, at, &piece[..read]);
            bytes += read as u64;
            // What lies across the end of a piece is found in the next one.
            let whole = at + (read as u64) < mapping.to && read > overlap;
            at += if whole { read - overlap } else { read } as u64;
        }
    }
    ensure!(bytes > 10 * unread, "{unread} bytes of process {pid} could not be read: {NEEDED}");
    Ok(bytes)
}

const NEEDED: &str = "it takes Linux, and root or CAP_SYS_PTRACE";

/// A line of `/proc/PID/maps`: `from-to rwxp offset device inode path`.
fn mapping(line: &str) -> Option<Mapping> {
    let mut words = line.split_ascii_whitespace();
    let (from, to) = words.next()?.split_once('-')?;
    let rights = words.next()?;
    let name = words.skip(3).collect::<Vec<_>>().join(" ");
    let kernel = name.starts_with("[v");
    let untouched_file = name.starts_with('/') && !rights.contains('w');
    if !rights.starts_with('r') || kernel || untouched_file {
        return None;
    }
    let place = if name.is_empty() { "anonymous".to_owned() } else { name };
    Some(Mapping { from: u64::from_str_radix(from, 16).ok()?, to: u64::from_str_radix(to, 16).ok()?, place })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_process_can_have_written_is_read() {
        let read = |line| mapping(line).map(|mapping| mapping.place);
        assert_eq!(read("55d0-55e0 rw-p 00000000 00:00 0 [heap]").as_deref(), Some("[heap]"));
        assert_eq!(read("7f00-7f10 rw-p 00000000 00:00 0").as_deref(), Some("anonymous"));
        assert_eq!(read("7f00-7f10 rw-p 00001000 08:01 77 /usr/lib/a b.so").as_deref(), Some("/usr/lib/a b.so"));
        assert_eq!(read("7f00-7f10 r-xp 00001000 08:01 77 /usr/lib/a.so"), None);
        assert_eq!(read("7f00-7f10 ---p 00000000 00:00 0"), None);
        assert_eq!(read("7f00-7f10 r--p 00000000 00:00 0 [vvar]"), None);
    }

    #[test]
    fn a_secret_in_memory_is_found_where_it_lies() {
        // Where tests may not look into themselves, the tool says so and fails; that is its own behaviour.
        let planted: Vec<u8> = b"terces detnalp eht".iter().rev().copied().collect();
        match scan(std::process::id(), &Search::new([planted.as_slice()])) {
            Ok(scan) => {
                let address = planted.as_ptr() as u64;
                assert!(scan.hits.iter().any(|hit| hit.address == address), "{:?}", scan.hits);
            }
            Err(error) => assert!(format!("{error:#}").contains("root"), "{error:#}"),
        }
    }

    #[test]
    fn a_process_that_is_not_there_is_an_error() {
        assert!(scan(u32::MAX, &Search::new([&b"whatever"[..]])).is_err());
    }
}
