//! Every parser over the corpus that the fuzzer kept (`corpus/<name>/`), in the normal tests.
//!
//! `./scripts/fuzz.sh` runs the same functions in the fuzzer and adds what it finds.

mod targets;

use std::{collections::BTreeSet, fs, path::PathBuf};

use self::targets::Target;
use crate::structure::root;

/// The corpus is kept small: it is run at each test.
const MOST_FILES: usize = 96;
const MOST_BYTES: usize = 1_000_000;

fn all() -> Vec<Target> {
    #[cfg_attr(not(feature = "lab"), expect(unused_mut, reason = "the measuring aids add theirs"))]
    let mut all = targets::targets();
    #[cfg(feature = "lab")]
    all.extend(media::transport::FUZZ_TARGETS.iter().chain(client::session::FUZZ_TARGETS));
    all
}

/// Inputs of one target, by name.
fn corpus(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = root().join("tests/fuzz/corpus").join(name);
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

#[test]
fn every_parser_bears_its_corpus() {
    for (name, target) in all() {
        for (path, bytes) in corpus(name) {
            let outcome = std::panic::catch_unwind(|| target(&bytes));
            assert!(outcome.is_ok(), "{name} failed on {}", path.display());
        }
    }
}

#[test]
fn every_parser_has_a_small_corpus() {
    let mut total = 0;
    for (name, _) in all() {
        let files = corpus(name);
        assert!((1..=MOST_FILES).contains(&files.len()), "{name} has {} files", files.len());
        total += files.iter().map(|(_, bytes)| bytes.len()).sum::<usize>();
    }
    assert!(total < MOST_BYTES, "the corpus has {total} bytes");
}

#[test]
fn names_of_parsers_are_distinct_and_no_corpus_is_forgotten() {
    let names: Vec<_> = all().into_iter().map(|(name, _)| name.to_owned()).collect();
    let distinct: BTreeSet<_> = names.iter().cloned().collect();
    assert_eq!(distinct.len(), names.len());
    let of_the_lab =
        ["call_message", "candidate", "relay_message", "relay_stream", "rtcp", "rtp", "rtp_descriptor", "sdp"]
            .map(str::to_owned);
    for folder in fs::read_dir(root().join("tests/fuzz/corpus")).unwrap() {
        let name = folder.unwrap().file_name().into_string().unwrap();
        assert!(distinct.contains(&name) || of_the_lab.contains(&name), "{name} is no parser's name");
    }
}
