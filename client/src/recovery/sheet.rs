//! The text of the sheet, for a printer or a pen.

use crypto::PracticeFingerprint;
use zeroize::Zeroizing;

use super::rows;

/// What stands on a sheet.
#[derive(Debug)]
pub struct Sheet<'a> {
    /// Name of the practice.
    pub practice: &'a str,
    /// Fingerprint of its key.
    pub fingerprint: PracticeFingerprint,
    /// Day it is made, year-month-day.
    pub date: &'a str,
    /// Server and pin, for the command to type; a sheet is good without.
    pub server: Option<(&'a str, &'a str)>,
}

impl Sheet<'_> {
    /// The whole sheet, at most 76 columns wide and 50 lines long: one page.
    pub fn text(&self, seed: &[u8; 32]) -> Zeroizing<String> {
        // Enough from the start: a growing string would leave copies of the words behind.
        let mut text = Zeroizing::new(String::with_capacity(8 * 1024));
        let mut line = |line: &str| {
            text.push_str(line);
            text.push('\n');
        };
        line("QUIETROOM RECOVERY SHEET: THE PRACTICE KEY");
        line("");
        line(&format!("Practice     {}", self.practice));
        line(&format!("Fingerprint  {}", spelled(&self.fingerprint)));
        line(&format!("Made on      {}", self.date));
        line("");
        line("These words are the key of your practice. Whoever reads them can certify");
        line("devices and make invitations in the practice's name. Keep the sheet where");
        line("only you, or your deputy, can open it: a safe, a sealed envelope. Make no");
        line("photo of it, and type it into nothing but the command below.");
        line("");
        for (at, row) in rows(seed).iter().enumerate() {
            let [one, two, three, four] = row;
            line(&format!("   {}   {one:<12} {two:<12} {three:<12} {four}", at + 1));
        }
        line("");
        line("IF THE COMPUTER WITH THE PRACTICE KEY IS LOST OR BROKEN");
        line("");
        line("1. Install Quietroom on another computer.");
        line("2. Open a terminal there and type");
        match self.server {
            Some((server, pin)) => {
                line("      quietroom practice recover");
                line(&format!("      --server {server}"));
                line(&format!("      --pin {pin}"));
                line("   on one line.");
            }
            None => line("      quietroom practice recover"),
        }
        line("3. Type the nine rows when you are asked for them. A wrong word is named by");
        line("   its row, and you type that row again.");
        line("4. Compare the fingerprint that you are shown with the one above.");
        line("");
        line("IF THIS SHEET IS LOST, OR SOMEBODY ELSE MAY HAVE READ IT");
        line("");
        line("On the computer with the practice key type");
        line("      quietroom practice replace");
        line("It makes a new key, and this sheet opens nothing any more.");
        text
    }
}

/// A fingerprint as people compare it: 40 hexadecimal digits in groups of four.
pub fn spelled(fingerprint: &PracticeFingerprint) -> String {
    let groups = fingerprint.as_bytes().chunks(2).map(|pair| pair.iter().map(|byte| format!("{byte:02x}")).collect());
    groups.collect::<Vec<String>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet() -> Zeroizing<String> {
        Sheet {
            practice: "Banksia Street Practice",
            fingerprint: PracticeFingerprint::from_bytes([0xab; 20]),
            date: "2026-11-27",
            server: Some(("quietroom.example:8443", &"7".repeat(64))),
        }
        .text(&[7; 32])
    }

    #[test]
    fn the_sheet_names_practice_fingerprint_date_and_the_command() {
        let text = sheet();
        for part in ["Banksia Street Practice", "abab abab", "2026-11-27", "practice recover", "quietroom.example:8443"]
        {
            assert!(text.contains(part), "{part}");
        }
    }

    #[test]
    fn the_sheet_fits_one_page() {
        let text = sheet();
        assert!(text.lines().count() <= 50, "{}", text.lines().count());
        assert!(text.lines().all(|line| line.chars().count() <= 76));
    }

    #[test]
    fn the_sheet_reads_back() {
        let text = sheet();
        let mut reading = super::super::Reading::default();
        let rows = text
            .lines()
            .filter(|line| line.starts_with("   ") && line.trim().starts_with(|c: char| c.is_ascii_digit()));
        let mut seed = None;
        for row in rows {
            let words: Vec<&str> = row.split_whitespace().skip(1).collect();
            seed = reading.take(&words).unwrap();
        }
        assert_eq!(*seed.unwrap(), [7; 32]);
    }
}
