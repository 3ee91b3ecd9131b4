//! Which candidates are taken from a peer, and given to one.

use rtc::ice::candidate::unmarshal_candidate;

/// Whether a candidate says where UDP reaches somebody. Everything else is left out, both ways:
///
/// - TCP: the crate below connects there at once, past the policy that leaves relayed paths alone, and would tell the peer this
///   computer's address. We offer none.
/// - A name (`….local`): looking it up asks everybody on the local network, and tells the peer where we are as well.
/// - An address that is nobody's: the crate below has `0.0.0.0` and `::` where the machine has no address of that family.
///   A check sent there stays on the machine of its sender.
///
/// `None` when it is no candidate.
pub(super) fn reaches(candidate: &str) -> Option<bool> {
    let fields = candidate.strip_prefix("candidate:").unwrap_or(candidate);
    let candidate = unmarshal_candidate(fields).ok()?;
    // Of a name that was not looked up the crate says `0.0.0.0`.
    let address = candidate.addr().ip();
    Some(candidate.network_type().is_udp() && !address.is_unspecified() && !address.is_multicast())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_udp_is_taken_whatever_its_family_and_kind() {
        for candidate in [
            "candidate:1 1 udp 2130706431 192.168.1.20 50000 typ host",
            "1 1 UDP 2130706431 2001:db8::20 50000 typ host",
            "candidate:1 1 udp 41885439 203.0.113.9 3478 typ relay raddr 0.0.0.0 rport 9",
        ] {
            assert_eq!(reaches(candidate), Some(true), "{candidate}");
        }
    }

    #[test]
    fn what_would_connect_look_up_or_stay_here_is_left_out() {
        for candidate in [
            "candidate:1 1 tcp 1518280447 192.168.1.20 50000 typ host tcptype passive",
            "candidate:1 1 tcp 1518280447 192.168.1.20 9 typ host tcptype active",
            "candidate:1 1 udp 2130706431 4f7a7c36-3a5b-4b0b-9d7e-2d4f7d1c0c11.local 50000 typ host",
            "candidate:1 1 udp 2130706431 0.0.0.0 50000 typ host",
            "candidate:1 1 udp 2130706431 :: 50000 typ host",
            "candidate:1 1 udp 2130706431 224.0.0.251 5353 typ host",
            "candidate:1 1 udp 2130706431 ff02::fb 5353 typ host",
        ] {
            assert_eq!(reaches(candidate), Some(false), "{candidate}");
        }
    }

    #[test]
    fn what_is_no_candidate_is_told_apart() {
        let named = "candidate:1 1 udp 2130706431 host.example 50000 typ host";
        for text in ["", "candidate:", "candidate:rubbish", named] {
            assert_eq!(reaches(text), None, "{text}");
        }
    }
}
