//! An invitation as a file, `NAME.quietroom`: one line, the link. Never the code.
//!
//! A file is opened by its path, which is no secret, while a link that the system hands to a program stands in the list of
//! processes for everybody to read.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::Private;

/// Ending of the name.
const ENDING: &str = "quietroom";
/// Longest file that is read, in bytes; a link has some 400.
const LONGEST: u64 = 4_096;
/// Names that are tried before it is given up: `R-1042.quietroom`, `R-1042 (2).quietroom`, …
const NAMES: u32 = 100;

/// Writes a link to a new file among the person's downloads, for its owner's eyes only. Gives its path.
///
/// # Errors
/// Those of the file system; nothing is ever written over.
pub(crate) fn save(label: &str, link: &str) -> io::Result<PathBuf> {
    let folder = dirs::download_dir().or_else(dirs::home_dir).ok_or(ErrorKind::NotFound)?;
    save_in(&folder, label, link)
}

fn save_in(folder: &Path, label: &str, link: &str) -> io::Result<PathBuf> {
    let name: String = label.chars().map(|c| if c.is_alphanumeric() || "-_ .".contains(c) { c } else { '_' }).collect();
    let name = name.trim_start_matches('.');
    let name = if name.is_empty() { "invitation" } else { name };
    for number in 1..=NAMES {
        let suffix = if number == 1 { String::new() } else { format!(" ({number})") };
        let path = folder.join(format!("{name}{suffix}.{ENDING}"));
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
            Ok(mut file) => {
                file.write_all(link.as_bytes())?;
                file.write_all(b"\n")?;
                file.sync_all()?;
                return Ok(path);
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

/// Reads what a file holds, to be taken as a pasted link: whatever it is, the session judges it.
///
/// # Errors
/// Those of the file system; [`ErrorKind::InvalidData`] for a file that is too long or no text.
pub(crate) fn read(path: &Path) -> io::Result<Private> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST as usize + 1));
    // A pipe that somebody put there would be waited for.
    let file = OpenOptions::new().read(true).custom_flags(rustix::fs::OFlags::NONBLOCK.bits() as i32).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(ErrorKind::InvalidData.into());
    }
    file.take(LONGEST + 1).read_to_end(&mut bytes)?;
    let text = std::str::from_utf8(&bytes).ok().filter(|text| text.len() as u64 <= LONGEST);
    text.map(|text| Private::new(text.trim())).ok_or_else(|| ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const LINK: &str = "quietroom:abc";

    #[test]
    fn what_is_saved_is_read_and_nobody_elses() {
        let folder = tempfile::tempdir().unwrap();
        let path = save_in(folder.path(), "R-1042", LINK).unwrap();
        assert_eq!(path.file_name().unwrap(), "R-1042.quietroom");
        assert_eq!(read(&path).unwrap().as_str(), LINK);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn nothing_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let first = save_in(folder.path(), "R-1042", LINK).unwrap();
        let second = save_in(folder.path(), "R-1042", "quietroom:def").unwrap();
        assert_eq!(second.file_name().unwrap(), "R-1042 (2).quietroom");
        assert_eq!(read(&first).unwrap().as_str(), LINK);
    }

    #[test]
    fn a_reference_names_a_file_and_no_place() {
        let folder = tempfile::tempdir().unwrap();
        for label in ["../../etc/passwd", "..", "a/b", "", "\u{0}"] {
            let path = save_in(folder.path(), label, LINK).unwrap();
            assert_eq!(path.parent().unwrap(), folder.path(), "{label}");
        }
    }

    #[test]
    fn what_is_no_invitation_is_refused_unread() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("long.quietroom");
        std::fs::write(&path, vec![b'a'; 5_000]).unwrap();
        assert_eq!(read(&path).unwrap_err().kind(), ErrorKind::InvalidData);
        std::fs::write(&path, [0xff; 20]).unwrap();
        assert_eq!(read(&path).unwrap_err().kind(), ErrorKind::InvalidData);
        assert_eq!(read(folder.path()).unwrap_err().kind(), ErrorKind::InvalidData);
        assert_eq!(read(Path::new("/dev/zero")).unwrap_err().kind(), ErrorKind::InvalidData);
        assert!(read(&folder.path().join("missing")).is_err());
    }
}
