//! The shape of the house, read from its own files and from cargo.

mod dependencies;
mod documents;
mod sources;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// Root of the workspace.
///
/// Asked for when the test runs: a build folder that several clones share may hold a test that another one compiled.
pub(crate) fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> =
        LazyLock::new(|| Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).parent().unwrap().to_owned());
    &ROOT
}

/// Every Rust file of the workspace, by its path from the root.
pub(crate) fn rust_files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    for part in ["client", "crypto", "media", "signaling", "tests"] {
        collect(&root().join(part), &mut files);
    }
    assert!(files.len() > 50, "only {} files were found", files.len());
    files.sort();
    files
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "target") {
                collect(&path, files);
            }
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            files.push(path.strip_prefix(root()).unwrap().to_owned());
        }
    }
}

/// A file of the workspace.
pub(crate) fn text(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
