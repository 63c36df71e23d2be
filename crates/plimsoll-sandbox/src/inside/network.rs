//! How often something in the sandbox asked for another machine. There is none to reach: the kernel refuses, and counts
//! each refusal for the network namespace. Nothing inside has the right to reset its counters or to make a route.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _},
};

/// The counters of IPv4 and UDP (proc_net(5), RFC 1213) and those of version 6, which a kernel without it does not have.
pub(super) struct Counters {
    four: File,
    six: Option<File>,
}

impl Counters {
    /// Those of this process's network namespace; none where the kernel keeps none.
    pub(super) fn open() -> Option<Self> {
        let six = File::open("/proc/self/net/snmp6").ok();
        Some(Self { four: File::open("/proc/self/net/snmp").ok()?, six })
    }

    /// What had no route, and the datagrams that nobody listened for; none when a counter cannot be read.
    pub(super) fn attempts(self) -> Option<u64> {
        let four = text(self.four).ok()?;
        let six = self.six.map_or_else(|| Ok(String::new()), text).ok()?;
        let counted = [in_columns(&four, "Ip:", "OutNoRoutes"), in_columns(&four, "Udp:", "NoPorts")];
        let counted = counted.into_iter().collect::<Option<Vec<u64>>>()?;
        let lines = ["Ip6OutNoRoutes", "Udp6NoPorts"].map(|name| in_lines(&six, name));
        Some(counted.into_iter().chain(lines).fold(0, u64::saturating_add))
    }
}

fn text(mut file: File) -> io::Result<String> {
    let mut text = String::new();
    file.rewind()?;
    file.read_to_string(&mut text)?;
    Ok(text)
}

/// A counter of `/proc/net/snmp`: a line of names and one of values, both with the same first word.
fn in_columns(text: &str, group: &str, name: &str) -> Option<u64> {
    let mut lines = text.lines().filter(|line| line.split_ascii_whitespace().next() == Some(group));
    let (names, values) = (lines.next()?, lines.next()?);
    let column = names.split_ascii_whitespace().position(|word| word == name)?;
    values.split_ascii_whitespace().nth(column)?.parse().ok()
}

/// A counter of `/proc/net/snmp6`: a line of its own.
fn in_lines(text: &str, name: &str) -> u64 {
    let of = |line: &str| line.strip_prefix(name)?.trim().parse().ok();
    text.lines().find_map(of).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOUR: &str = "Ip: Forwarding DefaultTTL OutNoRoutes ReasmTimeout\nIp: 1 64 2 0\n\
                        IcmpMsg: OutType3\nIcmpMsg: 7\nUdp: InDatagrams NoPorts\nUdp: 5 3\nUdpLite: InDatagrams NoPorts\nUdpLite: 9 9\n";
    const SIX: &str = "Ip6InNoRoutes                   \t4\nIp6OutNoRoutes                  \t1\n";

    #[test]
    fn a_counter_is_found_by_its_name_wherever_it_stands() {
        assert_eq!(in_columns(FOUR, "Ip:", "OutNoRoutes"), Some(2));
        assert_eq!(in_columns(FOUR, "Udp:", "NoPorts"), Some(3));
        assert_eq!(in_columns(FOUR, "Tcp:", "NoPorts"), None);
        assert_eq!(in_columns("Ip: OutNoRoutes\n", "Ip:", "OutNoRoutes"), None);
        assert_eq!((in_lines(SIX, "Ip6OutNoRoutes"), in_lines(SIX, "Udp6NoPorts")), (1, 0));
    }

    #[test]
    fn this_kernel_counts() {
        assert!(Counters::open().and_then(Counters::attempts).is_some());
    }
}
