//! What we write into session descriptions, and what we demand of those of a peer.

use super::signal::{MAX_SDP_BYTES, SdpError, fingerprint_of};
use super::track::Flow;

/// Says that media is SFrame from end to end (draft-ietf-avtcore-rtp-sframe section 6).
const SFRAME: &str = "a=sframe";

/// The data channel's section after `m=application` and the port (RFC 8841 section 4).
const CHANNEL: &str = "UDP/DTLS/SCTP webrtc-datachannel";

/// Adds what the crate below does not write: `a=sframe` in the sections of audio and video, and the retransmission flow of
/// the audio section, which it writes for video alone.
pub(crate) fn complete(sdp: &str, audio_flow: Flow) -> String {
    let mut out = String::with_capacity(sdp.len() + 128);
    let mut section = Section::None;
    for line in sdp.lines().filter(|line| !line.is_empty()) {
        if let Some(media) = line.strip_prefix("m=") {
            section.end(&mut out, audio_flow);
            section = Section::of(media).unwrap_or(Section::None);
        }
        out.push_str(line);
        out.push_str("\r\n");
    }
    section.end(&mut out, audio_flow);
    out
}

/// Where a line stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Section {
    None,
    Audio,
    Video,
    Channel,
}

impl Section {
    /// The section that the rest of an `m=` line begins, if it is one of ours.
    fn of(media: &str) -> Option<Self> {
        let (kind, rest) = media.trim_end().split_once(' ')?;
        match kind {
            "audio" => Some(Self::Audio),
            "video" => Some(Self::Video),
            "application" => rest.split_once(' ').is_some_and(|(_, what)| what == CHANNEL).then_some(Self::Channel),
            _ => None,
        }
    }

    /// Whether it carries media, which must be sealed.
    fn is_media(self) -> bool {
        matches!(self, Self::Audio | Self::Video)
    }

    fn end(self, out: &mut String, audio_flow: Flow) {
        if self == Self::Audio {
            // RFC 5576 section 4.2, RFC 4588 section 8.
            let Flow { ssrc, rtx_ssrc: rtx, .. } = audio_flow;
            out.push_str(&format!("a=ssrc-group:FID {ssrc} {rtx}\r\na=ssrc:{rtx} cname:quietroom\r\n"));
        }
        if self.is_media() {
            out.push_str(SFRAME);
            out.push_str("\r\n");
        }
    }
}

/// Accepts a description of exactly one audio and two video sections, those of camera and shared window, each with
/// `a=sframe`, one section of the data channel, and one fingerprint.
///
/// # Errors
///
/// [`SdpError`], the first thing that is wrong.
pub(crate) fn check(sdp: &str) -> Result<(), SdpError> {
    if sdp.len() > MAX_SDP_BYTES {
        return Err(SdpError::TooLong);
    }
    if !sdp.starts_with("v=0") {
        return Err(SdpError::Malformed);
    }
    // Per section: what it is, and whether it promises SFrame.
    let mut sections: Vec<(Section, bool)> = Vec::new();
    for line in sdp.lines() {
        if let Some(media) = line.strip_prefix("m=") {
            sections.push((Section::of(media).ok_or(SdpError::Sections)?, false));
        } else if line.trim_end() == SFRAME
            && let Some((_, sframe)) = sections.last_mut()
        {
            *sframe = true;
        }
    }
    if sections.iter().any(|(section, sframe)| section.is_media() && !sframe) {
        return Err(SdpError::NoSframe);
    }
    sections.sort_unstable();
    if !sections.iter().map(|(section, _)| *section).eq([
        Section::Audio,
        Section::Video,
        Section::Video,
        Section::Channel,
    ]) {
        return Err(SdpError::Sections);
    }
    fingerprint_of(sdp).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FINGERPRINT: &str = "a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:\
                               10:11:12:13:14:15:16:17:18:19:1a:1b:1c:1d:1e:1f\r\n";

    fn description() -> String {
        let bare = format!(
            "v=0\r\n{FINGERPRINT}m=audio 9 RTP 111\r\na=mid:0\r\nm=video 9 RTP 96\r\na=mid:1\r\n\
             m=video 9 RTP 96\r\na=mid:2\r\nm=application 9 {CHANNEL}\r\na=mid:3\r\n"
        );
        complete(&bare, Flow { ssrc: 11, rtx_ssrc: 12, first_sequence: 0 })
    }

    #[test]
    fn a_completed_description_passes_the_check() {
        let sdp = description();
        assert_eq!(check(&sdp), Ok(()));
        assert_eq!(sdp.matches("a=sframe\r\n").count(), 3);
        assert!(
            sdp.ends_with("a=mid:2\r\na=sframe\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:3\r\n")
        );
        assert!(sdp.contains("a=mid:0\r\na=ssrc-group:FID 11 12\r\n"));
        let expected: Vec<u8> = (0..32).collect();
        assert_eq!(fingerprint_of(&sdp).unwrap().0.to_vec(), expected);
    }

    #[test]
    fn a_section_without_sframe_is_refused() {
        let sdp = description();
        assert_eq!(check(&sdp.replace("a=sframe", "a=other")), Err(SdpError::NoSframe));
        assert_eq!(check(&sdp.replacen("a=sframe", "a=other", 1)), Err(SdpError::NoSframe));
        // Promised for the data channel it says nothing about the picture.
        let moved = sdp.replace("a=mid:1\r\na=sframe\r\n", "a=mid:1\r\n") + "a=sframe\r\n";
        assert_eq!(check(&moved), Err(SdpError::NoSframe));
        assert_eq!(check(&sdp.replace("a=sframe", "a=sframe-not")), Err(SdpError::NoSframe));
        let session_level = format!("v=0\r\na=sframe\r\n{FINGERPRINT}m=audio 9 RTP 111\r\nm=video 9 RTP 96\r\n");
        assert_eq!(check(&session_level), Err(SdpError::NoSframe));
    }

    #[test]
    fn other_sections_are_refused() {
        let sdp = description();
        let channel = format!("m=application 9 {CHANNEL}\r\n");
        assert_eq!(check(&format!("{sdp}{channel}a=sframe\r\n")), Err(SdpError::Sections));
        assert_eq!(check(&sdp.replace(&channel, "")), Err(SdpError::Sections));
        for other in
            ["m=application 9 UDP webrtc", "m=application 9 RTP/SAVPF 120", "m=message 9 TCP", "m=application", "m="]
        {
            assert_eq!(check(&sdp.replace(channel.trim_end(), other)), Err(SdpError::Sections), "{other}");
            assert_eq!(check(&format!("{sdp}{other}\r\na=sframe\r\n")), Err(SdpError::Sections), "{other}");
        }
        assert_eq!(check(&sdp.replace("m=video", "m=audio")), Err(SdpError::Sections));
        assert_eq!(check(&format!("{sdp}m=video 9 RTP 96\r\na=sframe\r\n")), Err(SdpError::Sections));
        assert_eq!(check("v=0\r\n"), Err(SdpError::Sections));
    }

    #[test]
    fn two_certificates_or_none_are_refused() {
        let sdp = description();
        assert_eq!(check(&sdp.replace(FINGERPRINT, "")), Err(SdpError::Fingerprint));
        let second = FINGERPRINT.replace("00:01", "FF:01");
        assert_eq!(check(&format!("{sdp}{second}")), Err(SdpError::Fingerprint));
        assert_eq!(check(&sdp.replace("sha-256", "sha-1")), Err(SdpError::Fingerprint));
        assert_eq!(check(&sdp.replace("00:01", "0:001")), Err(SdpError::Fingerprint));
    }

    #[test]
    fn rubbish_and_oversized_text_is_refused() {
        assert_eq!(check(""), Err(SdpError::Malformed));
        assert_eq!(check("\u{0}\u{ffff}m="), Err(SdpError::Malformed));
        assert_eq!(check(&format!("v=0{}", " ".repeat(MAX_SDP_BYTES))), Err(SdpError::TooLong));
    }
}
