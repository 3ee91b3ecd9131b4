//! What we write into session descriptions, and what we demand of those of a peer.

use super::signal::{MAX_SDP_BYTES, SdpError, fingerprint_of};
use super::track::Flow;

/// Says that media is SFrame from end to end (draft-ietf-avtcore-rtp-sframe section 6).
const SFRAME: &str = "a=sframe";

/// Adds what the crate below does not write: `a=sframe` in each media section, and the retransmission flow of the audio
/// section, which it writes for video alone.
pub(crate) fn complete(sdp: &str, audio_flow: Flow) -> String {
    let mut out = String::with_capacity(sdp.len() + 128);
    let mut audio = false;
    let mut in_media = false;
    for line in sdp.lines().filter(|line| !line.is_empty()) {
        if line.starts_with("m=") {
            if in_media {
                end_section(&mut out, audio.then_some(audio_flow));
            }
            in_media = true;
            audio = line.starts_with("m=audio ");
        }
        out.push_str(line);
        out.push_str("\r\n");
    }
    if in_media {
        end_section(&mut out, audio.then_some(audio_flow));
    }
    out
}

fn end_section(out: &mut String, audio_flow: Option<Flow>) {
    if let Some(Flow { ssrc, rtx_ssrc: rtx, .. }) = audio_flow {
        // RFC 5576 section 4.2, RFC 4588 section 8.
        out.push_str(&format!("a=ssrc-group:FID {ssrc} {rtx}\r\na=ssrc:{rtx} cname:quietroom\r\n"));
    }
    out.push_str(SFRAME);
    out.push_str("\r\n");
}

/// Accepts a description of exactly one audio and one video section, each with `a=sframe`, and one fingerprint.
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
    // Per media section: what it is, and whether it promises SFrame.
    let mut sections: Vec<(&str, bool)> = Vec::new();
    for line in sdp.lines() {
        if let Some(media) = line.strip_prefix("m=") {
            sections.push((media.split(' ').next().unwrap_or_default(), false));
        } else if line.trim_end() == SFRAME
            && let Some((_, sframe)) = sections.last_mut()
        {
            *sframe = true;
        }
    }
    if sections.iter().any(|(_, sframe)| !sframe) {
        return Err(SdpError::NoSframe);
    }
    let mut kinds: Vec<&str> = sections.into_iter().map(|(kind, _)| kind).collect();
    kinds.sort_unstable();
    if kinds != ["audio", "video"] {
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
        let bare = format!("v=0\r\n{FINGERPRINT}m=audio 9 RTP 111\r\na=mid:0\r\nm=video 9 RTP 96\r\na=mid:1\r\n");
        complete(&bare, Flow { ssrc: 11, rtx_ssrc: 12, first_sequence: 0 })
    }

    #[test]
    fn a_completed_description_passes_the_check() {
        let sdp = description();
        assert_eq!(check(&sdp), Ok(()));
        assert_eq!(sdp.matches("a=sframe\r\n").count(), 2);
        assert!(sdp.contains("a=mid:0\r\na=ssrc-group:FID 11 12\r\n"));
        let expected: Vec<u8> = (0..32).collect();
        assert_eq!(fingerprint_of(&sdp).unwrap().0.to_vec(), expected);
    }

    #[test]
    fn a_section_without_sframe_is_refused() {
        let sdp = description();
        assert_eq!(check(&sdp.replace("a=sframe", "a=other")), Err(SdpError::NoSframe));
        assert_eq!(check(&sdp.replacen("a=sframe", "a=other", 1)), Err(SdpError::NoSframe));
        assert_eq!(check(&sdp.replace("a=sframe", "a=sframe-not")), Err(SdpError::NoSframe));
        let session_level = format!("v=0\r\na=sframe\r\n{FINGERPRINT}m=audio 9 RTP 111\r\nm=video 9 RTP 96\r\n");
        assert_eq!(check(&session_level), Err(SdpError::NoSframe));
    }

    #[test]
    fn other_sections_are_refused() {
        let sdp = description();
        assert_eq!(check(&format!("{sdp}m=application 9 UDP webrtc\r\na=sframe\r\n")), Err(SdpError::Sections));
        assert_eq!(check(&sdp.replace("m=video", "m=audio")), Err(SdpError::Sections));
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
