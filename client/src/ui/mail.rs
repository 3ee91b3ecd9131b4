//! `mailto:` addresses (RFC 6068), so that the practice's own mail program sends the link.

/// An address that opens a new message with this subject and text.
#[must_use]
pub(crate) fn address(to: &str, subject: &str, body: &str) -> String {
    // RFC 6068 section 5: line breaks are CRLF.
    let body = body.replace("\r\n", "\n").replace('\n', "\r\n");
    format!("mailto:{}?subject={}&body={}", encoded(to), encoded(subject), encoded(&body))
}

/// Percent-encodes everything but the unreserved characters of RFC 3986 section 2.3.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 3);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_characters_are_escaped() {
        assert_eq!(address("", "A & b?", "x\ny"), "mailto:?subject=A%20%26%20b%3F&body=x%0D%0Ay");
    }

    #[test]
    fn umlauts_are_escaped_as_utf8() {
        assert_eq!(encoded("ö"), "%C3%B6");
    }
}
