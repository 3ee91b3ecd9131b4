//! Which protocol the packets of a call were of, read from what the network kept of it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

/// UDP among the protocols that the header of an IP packet names.
const UDP: u8 = 17;

/// Packets that came to the network, by protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Packets {
    pub(crate) ipv4: u64,
    /// UDP over IPv6: what is neither the server's nor the system's.
    pub(crate) ipv6_udp: u64,
}

impl Packets {
    /// Counts those in the folder of a call.
    ///
    /// # Errors
    /// When there is no file of packets, or no such file.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        count(&fs::read(folder.join("packets.pcap")).context("no packets.pcap")?)
    }
}

/// A header of 24 bytes; then of each packet 16 bytes, the third word of which is its length, and the packet from its IP header
/// on.
fn count(file: &[u8]) -> Result<Packets> {
    let mut packets = Packets::default();
    let mut rest = file.get(24..).context("too short for a file of packets")?;
    while let Some((header, after)) = rest.split_at_checked(16) {
        let length = header.get(8..12).and_then(|word| word.try_into().ok()).map_or(0, u32::from_le_bytes);
        // The last one may be cut off where the network was ended.
        let Some((packet, after)) = after.split_at_checked(length as usize) else { break };
        match (packet.first().map(|byte| byte >> 4), packet.get(6)) {
            (Some(4), _) => packets.ipv4 += 1,
            (Some(6), Some(&UDP)) => packets.ipv6_udp += 1,
            (Some(6), _) => {}
            _ => ensure!(false, "a packet that is none of IP"),
        }
        rest = after;
    }
    Ok(packets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_counted_by_protocol() {
        let mut file = vec![0; 24];
        let mut put = |version: u8, next: u8, length: u32| {
            let mut packet = vec![0; length as usize];
            (packet[0], packet[6]) = (version << 4, next);
            file.extend([[0; 4], [0; 4], length.to_le_bytes(), length.to_le_bytes()].concat());
            file.extend(packet);
        };
        put(6, 17, 60);
        put(4, 0, 40);
        put(6, 6, 80);
        put(6, 17, 1_200);
        assert_eq!(count(&file).unwrap(), Packets { ipv4: 1, ipv6_udp: 2 });
        assert_eq!(count(&file[..file.len() - 1]).unwrap(), Packets { ipv4: 1, ipv6_udp: 1 });
        assert!(count(&file[..10]).is_err());
        file[40] = 0;
        assert!(count(&file).is_err());
    }
}
