//! What an IP address is for. A name that an attacker can steer must not lead to this machine, its network or a
//! metadata service, so addresses are refused by their purpose; ranges without one (documentation, benchmarks) are
//! ordinary, because registries do stand there behind some proxies.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why an address is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Reaches a host elsewhere.
    Ordinary,
    /// Reaches a host of a private network.
    Private,
    /// Reaches this machine, its neighbours without a router, a group, or a service that trusts whoever can ask it.
    Inside(&'static str),
}

/// The purpose of `address`, looking through IPv6 forms that carry an IPv4 address.
pub(crate) fn purpose(address: IpAddr) -> Purpose {
    match address {
        IpAddr::V4(address) => purpose_v4(address),
        IpAddr::V6(address) => embedded(address).map_or_else(|| purpose_v6(address), purpose_v4),
    }
}

/// Metadata and host services of clouds that stand outside of the link-local range.
const SERVICES_V4: [Ipv4Addr; 3] =
    [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(168, 63, 129, 16), Ipv4Addr::new(192, 0, 0, 192)];
const SERVICES_V6: [Ipv6Addr; 2] =
    [Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)];

fn purpose_v4(address: Ipv4Addr) -> Purpose {
    let [a, b, ..] = address.octets();
    match () {
        () if SERVICES_V4.contains(&address) => Purpose::Inside("a metadata service"),
        () if a == 0 => Purpose::Inside("an unspecified address"),
        () if address.is_loopback() => Purpose::Inside("a loopback address"),
        () if address.is_link_local() => Purpose::Inside("a link-local or metadata address"),
        () if address.is_multicast() => Purpose::Inside("a multicast address"),
        () if address.is_broadcast() => Purpose::Inside("a broadcast address"),
        () if address.is_private() || (a == 100 && (b & 0xc0) == 64) || a >= 240 => Purpose::Private,
        () => Purpose::Ordinary,
    }
}

fn purpose_v6(address: Ipv6Addr) -> Purpose {
    let [first, second, ..] = address.segments();
    match () {
        () if SERVICES_V6.contains(&address) => Purpose::Inside("a metadata service"),
        () if address.is_unspecified() => Purpose::Inside("an unspecified address"),
        () if address.is_loopback() => Purpose::Inside("a loopback address"),
        () if first & 0xffc0 == 0xfe80 => Purpose::Inside("a link-local address"),
        () if address.is_multicast() => Purpose::Inside("a multicast address"),
        () if (first, second) == (0x2001, 0) => Purpose::Inside("a Teredo address, which hides another"),
        () if first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfec0 => Purpose::Private,
        () => Purpose::Ordinary,
    }
}

/// The IPv4 address that an IPv6 address stands for: compatible and mapped (RFC 4291 2.5.5), translated (RFC 2765
/// 2.1), NAT64 (RFC 6052 2.1, RFC 8215), 6to4 (RFC 3056 2), ISATAP (RFC 5214 6.1).
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let of = |high: u16, low: u16| {
        let [w, x] = high.to_be_bytes();
        let [y, z] = low.to_be_bytes();
        Ipv4Addr::new(w, x, y, z)
    };
    match (a, b, c, d, e, f) {
        (0, 0, 0, 0, 0, 0) if g == 0 && h <= 1 => None,
        (0, 0, 0, 0, 0, 0 | 0xffff) | (0, 0, 0, 0, 0xffff, 0) => Some(of(g, h)),
        (0x64, 0xff9b, 0, 0, 0, 0) | (0x64, 0xff9b, 1, _, _, _) => Some(of(g, h)),
        (0x2002, ..) => Some(of(b, c)),
        (_, _, _, _, 0 | 0x200, 0x5efe) => Some(of(g, h)),
        _ => None,
    }
}

/// Why a connection to `address` is refused; none when it may be made. `own` says that the address belongs to this
/// machine, `private` that the host may stand in a private network.
pub(crate) fn objection(address: IpAddr, own: bool, private: bool) -> Option<String> {
    match purpose(address) {
        Purpose::Inside(what) => Some(format!("it resolves to {address}, {what}")),
        _ if own => Some(format!("it resolves to {address}, an address of this machine")),
        Purpose::Private if !private => {
            Some(format!("it resolves to {address}, a private address, without `private: true`"))
        }
        Purpose::Private | Purpose::Ordinary => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_judged_by_their_purpose() {
        use Purpose::{Ordinary, Private};
        for (address, expected) in [
            ("1.1.1.1", Some(Ordinary)),
            ("192.0.2.1", Some(Ordinary)),
            ("198.51.100.7", Some(Ordinary)),
            ("203.0.113.80", Some(Ordinary)),
            ("198.18.0.1", Some(Ordinary)),
            ("2606:4700::1111", Some(Ordinary)),
            ("2001:db8::1", Some(Ordinary)),
            ("10.0.0.1", Some(Private)),
            ("172.16.0.1", Some(Private)),
            ("172.32.0.1", Some(Ordinary)),
            ("192.168.1.1", Some(Private)),
            ("100.64.0.1", Some(Private)),
            ("100.128.0.1", Some(Ordinary)),
            ("240.0.0.1", Some(Private)),
            ("fd12::1", Some(Private)),
            ("fec0::1", Some(Private)),
            ("0.0.0.0", None),
            ("0.1.2.3", None),
            ("127.0.0.1", None),
            ("127.255.255.254", None),
            ("169.254.169.254", None),
            ("169.254.0.1", None),
            ("168.63.129.16", None),
            ("100.100.100.200", None),
            ("192.0.0.192", None),
            ("224.0.0.1", None),
            ("255.255.255.255", None),
            ("::", None),
            ("::1", None),
            ("fe80::1", None),
            ("ff02::1", None),
            ("fd00:ec2::254", None),
            ("fd20:ce::254", None),
            ("2001::1", None),
        ] {
            let actual = purpose(address.parse().unwrap());
            let inside = matches!(actual, Purpose::Inside(_));
            assert_eq!(if inside { None } else { Some(actual) }, expected, "{address}");
        }
    }

    #[test]
    fn an_ipv4_address_keeps_its_purpose_in_every_ipv6_form() {
        let inside = Ipv4Addr::new(169, 254, 169, 254);
        let ordinary = Ipv4Addr::new(203, 0, 113, 80);
        for form in [
            "::ffff:X",
            "::X",
            "::ffff:0:X",
            "64:ff9b::X",
            "64:ff9b:1::X",
            "fd12::5efe:X",
            "fd12::200:5efe:X",
        ] {
            let address = |v4: Ipv4Addr| form.replace('X', &v4.to_string()).parse().unwrap();
            assert!(matches!(purpose(address(inside)), Purpose::Inside(_)), "{form}");
            assert_eq!(purpose(address(ordinary)), Purpose::Ordinary, "{form}");
        }
        assert!(matches!(purpose("2002:a9fe:a9fe::1".parse().unwrap()), Purpose::Inside(_)));
        assert!(matches!(purpose("2002:7f00:1::".parse().unwrap()), Purpose::Inside(_)));
    }

    #[test]
    fn only_private_ranges_can_be_allowed() {
        for (address, own, private, refused) in [
            ("203.0.113.80", false, false, false),
            ("203.0.113.80", true, true, true),
            ("10.0.0.1", false, false, true),
            ("10.0.0.1", false, true, false),
            ("10.0.0.1", true, true, true),
            ("127.0.0.1", true, true, true),
            ("169.254.169.254", false, true, true),
            ("::ffff:127.0.0.1", false, true, true),
        ] {
            let objection = objection(address.parse().unwrap(), own, private);
            assert_eq!(objection.is_some(), refused, "{address} own={own} private={private}: {objection:?}");
        }
    }
}
