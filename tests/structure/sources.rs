//! What source files may hold.

use std::path::Path;

use super::{rust_files, text};

/// Longest file, in lines.
const MAX_LINES: usize = 400;

/// Folders and files that compute and do nothing else.
const PURE: [&str; 8] = [
    "client/src/session/",
    "crypto/src/",
    "media/src/jitter/",
    "media/src/packet.rs",
    "media/src/payload.rs",
    "media/src/rate/",
    "signaling/src/protocol/",
    "signaling/src/room/",
];

/// The parts of those folders that drive the pure ones.
const DRIVERS: [&str; 1] = ["client/src/session/driver"];

/// Clocks, tasks, sockets, files.
const IMPURE: [&str; 9] = [
    "Instant::now",
    "SystemTime::now",
    ".await",
    "tokio::",
    "std::net",
    "std::fs",
    "std::thread",
    "UnixStream",
    "thread::sleep",
];

/// The code of a file: no comments, no tests at its bottom.
fn code(path: &Path) -> String {
    let text = text(path);
    let text = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn below(path: &Path, folders: &[&str]) -> bool {
    let path = path.to_str().unwrap();
    folders.iter().any(|folder| path.starts_with(folder))
}

fn is_test(path: &Path) -> bool {
    path.starts_with("tests")
        || path.components().any(|part| ["tests", "tests.rs"].map(AsRef::as_ref).contains(&part.as_os_str()))
}

#[test]
fn pure_modules_hold_no_clock_task_socket_or_file() {
    let pure = rust_files().into_iter().filter(|path| below(path, &PURE) && !below(path, &DRIVERS) && !is_test(path));
    for path in pure {
        let code = code(&path);
        for word in IMPURE {
            assert!(!code.contains(word), "{} holds {word}", path.display());
        }
    }
}

#[test]
fn no_file_is_longer_than_a_reader_likes() {
    let long: Vec<_> = rust_files()
        .into_iter()
        .map(|path| (text(&path).lines().count(), path))
        .filter(|(lines, _)| *lines > MAX_LINES)
        .collect();
    assert!(long.is_empty(), "{long:?}");
}

#[test]
fn only_the_codecs_bindings_are_unsafe() {
    for path in rust_files() {
        if path.starts_with("media/src/codec/sys") || path.starts_with("tests/structure") {
            continue;
        }
        let code = code(&path);
        let words = code.split(|c: char| !c.is_alphanumeric() && c != '_');
        assert!(words.into_iter().all(|word| word != "unsafe"), "{} is unsafe", path.display());
    }
}

#[test]
fn every_crate_says_so_at_its_top() {
    for (path, attribute) in [
        ("client/src/lib.rs", "#![forbid(unsafe_code)]"),
        ("crypto/src/lib.rs", "#![forbid(unsafe_code)]"),
        ("media/src/lib.rs", "#![deny(unsafe_code)]"),
        ("signaling/src/lib.rs", "#![forbid(unsafe_code)]"),
        ("tests/main.rs", "#![forbid(unsafe_code)]"),
    ] {
        assert!(text(path).contains(attribute), "{path}");
    }
}

#[test]
fn foreign_types_stay_in_the_crate_that_wraps_them() {
    let homes = [
        ("openmls", "crypto/"),
        ("opaque_ke", "crypto/"),
        ("webrtc", "media/src/transport"),
        ("cpal", "media/"),
        ("nokhwa", "media/src/source"),
        ("egui", "client/"),
        ("sqlx", "signaling/"),
    ];
    for path in rust_files() {
        let code = code(&path);
        for (name, home) in homes {
            let used = code.contains(&format!("use {name}::")) || code.contains(&format!(" {name}::"));
            assert!(!used || below(&path, &[home, "tests/structure"]), "{} uses {name}", path.display());
        }
    }
}

#[test]
fn a_sealed_frame_is_made_by_the_sealing_key_alone() {
    for path in rust_files() {
        let code = code(&path);
        let made = code.matches("SealedFrame(").count() + code.matches("SealedFrame {").count();
        let declared = code.matches("struct SealedFrame").count()
            + code.matches("for SealedFrame {").count()
            + code.matches("impl SealedFrame {").count();
        assert!(
            made <= declared || path.starts_with("crypto/src/sframe") || path.starts_with("tests/structure"),
            "{}",
            path.display()
        );
    }
}

#[test]
fn our_queues_are_bounded() {
    for path in rust_files() {
        if path.starts_with("tests/structure") {
            continue;
        }
        let code = code(&path);
        for word in ["unbounded_channel", "mpsc::channel()", "flume::unbounded"] {
            assert!(!code.contains(word), "{} holds {word}", path.display());
        }
    }
}
