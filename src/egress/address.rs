//! Which addresses are everybody's: what a name stands for may not lead back into our networks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Networks of IPv4 that are somebody's own, or nobody's: base and length of the prefix.
const NOT_PUBLIC_4: &[([u8; 4], u32)] = &[
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    // Shared by providers with their customers; one cloud keeps its metadata there.
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    // Link-local, and with it the metadata service of most clouds.
    ([169, 254, 0, 0], 16),
    // The host agent of a cloud, a public number that leads inside.
    ([168, 63, 129, 16], 32),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    // Documentation.
    ([192, 0, 2, 0], 24),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    // Relays of 6to4.
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    // Benchmarks.
    ([198, 18, 0, 0], 15),
    // Multicast, reserved, broadcast.
    ([224, 0, 0, 0], 4),
    ([240, 0, 0, 0], 4),
];
/// The only part of IPv6 that is given out, and what of it leads elsewhere.
const PUBLIC_6: ([u16; 8], u32) = ([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);
const NOT_PUBLIC_6: &[([u16; 8], u32)] = &[
    // Protocol assignments, with Teredo, which carries IPv4 addresses.
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 23),
    // Documentation.
    ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32),
    ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20),
    // 6to4, which carries IPv4 addresses.
    ([0x2002, 0, 0, 0, 0, 0, 0, 0], 16),
];

/// Whether the address is one that anybody on the internet could mean. Mapped, translated
/// (`64:ff9b::`), unique local, link-local and all the others are outside what is given out.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !NOT_PUBLIC_4.iter().any(|network| in_4(address, *network)),
        IpAddr::V6(address) => {
            in_6(address, PUBLIC_6) && !NOT_PUBLIC_6.iter().any(|network| in_6(address, *network))
        }
    }
}

fn in_4(address: Ipv4Addr, (base, length): ([u8; 4], u32)) -> bool {
    let shift = 32 - length;
    address.to_bits().checked_shr(shift) == Ipv4Addr::from(base).to_bits().checked_shr(shift)
}

fn in_6(address: Ipv6Addr, (base, length): ([u16; 8], u32)) -> bool {
    let shift = 128 - length;
    address.to_bits().checked_shr(shift) == Ipv6Addr::from(base).to_bits().checked_shr(shift)
}

/// Addresses that no way out leads to, for tests of this and of the adapter.
#[cfg(test)]
pub(super) const INSIDE: &[&str] = &[
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:8.8.8.8",
    "::ffff:127.0.0.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:10::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "3fff::1",
    "3fff:fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn public(text: &str) -> bool {
        is_public(text.parse().unwrap())
    }

    #[test]
    fn only_what_is_given_out_to_everybody_is_public() {
        for address in INSIDE {
            assert!(!public(address), "{address}");
        }
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "140.82.121.4",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2001:200::1",
            "2606:50c0:8000::153",
            "2a00:1450::1",
            "3fff:1000::1",
        ] {
            assert!(public(address), "{address}");
        }
    }
}
