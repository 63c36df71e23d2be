//! A port for administrators or a database, open to the internet.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/open-admin-port",
    title: "the internet reaches a port for administrators or a database",
    severity: Severity::High,
    help: "\
Ports such as 22, 3389 and those of databases are tried by machines all day, and each weakness of the service is open to all.
Let in single networks, or come through a gateway.

Bad:

```hcl
resource \"aws_security_group\" \"a\" {
  ingress {
    from_port   = 22
    to_port     = 22
    protocol    = \"tcp\"
    cidr_blocks = [\"0.0.0.0/0\"]
  }
}
```

Good:

```hcl
resource \"aws_security_group\" \"a\" {
  ingress {
    from_port   = 22
    to_port     = 22
    protocol    = \"tcp\"
    cidr_blocks = [\"198.51.100.0/24\"]
  }
}
```",
    references: &["https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html"],
};

/// Ports that nobody but administrators and services of one's own need.
const PORTS: &[(u32, &str)] = &[
    (22, "SSH"), (23, "Telnet"), (135, "RPC"), (445, "SMB"), (1433, "SQL Server"), (1521, "Oracle"), (2375, "Docker"),
    (2376, "Docker"), (2379, "etcd"), (3306, "MySQL"), (3389, "RDP"), (5432, "PostgreSQL"), (5601, "Kibana"), (5900, "VNC"),
    (5985, "WinRM"), (5986, "WinRM"), (6379, "Redis"), (9042, "Cassandra"), (9200, "Elasticsearch"), (10250, "kubelet"),
    (11211, "memcached"), (27017, "MongoDB"),
];

pub(crate) fn check(stack: &Stack<'_>, found: &mut Found<'_>, undecided: &mut Undecided) {
    for resource in stack.resources {
        for opening in openings(resource) {
            let Some(source) = opening.sources.iter().flat_map(|hit| world(hit)).next() else {
                undecided.0 += u64::from(opening.sources.iter().any(|hit| matches!(hit, Hit::Unknown(_))));
                continue;
            };
            match opening.ports() {
                None => undecided.0 += 1,
                Some(ranges) => {
                    let hit = PORTS.iter().find(|(port, _)| ranges.iter().any(|range| range.contains(port)));
                    let Some((port, service)) = hit else { continue };
                    found
                        .at(&resource.source, &source.span, format!("the internet reaches port {port} ({service}) of `{}`", resource.name))
                        .subject(&resource.name)
                        .identity(port.to_string())
                        .fix("let in single networks only");
                }
            }
        }
    }
}

/// The parts of a list of sources that are the whole internet.
fn world<'a>(hit: &Hit<'a>) -> Option<&'a Attribute> {
    let Hit::Known(attribute) = hit else { return None };
    let open = ["0.0.0.0/0", "::/0", "*", "Internet", "0.0.0.0", "any"];
    let is_open = |item: &&'a Attribute| matches!(&item.value, Value::Text(text) if open.contains(&text.as_str()));
    attribute.each().iter().find(is_open)
}

/// Traffic that a rule lets in.
struct Opening<'a> {
    sources: Vec<Hit<'a>>,
    /// First and last port; or ports as a list of texts.
    from: Hit<'a>,
    to: Hit<'a>,
    list: Option<Hit<'a>>,
    all: bool,
}

impl Opening<'_> {
    /// The ports that are open; none where they are not known.
    fn ports(&self) -> Option<Vec<std::ops::RangeInclusive<u32>>> {
        if self.all {
            return Some(vec![0..=65_535]);
        }
        if let Some(list) = &self.list {
            let Hit::Known(attribute) = list else { return None };
            return attribute.each().iter().map(|item| range(&item.value)).collect();
        }
        let number = |hit: &Hit<'_>| match hit {
            Hit::Known(attribute) => attribute.value.number().map(|number| number as i64),
            _ => None,
        };
        let (from, to) = (number(&self.from)?, number(&self.to)?);
        // -1 stands for every type of a protocol without ports, or for all of them.
        Some(vec![u32::try_from(from).unwrap_or(0)..=u32::try_from(to).unwrap_or(0)])
    }
}

/// `22`, `20-25`, `*`.
fn range(value: &Value) -> Option<std::ops::RangeInclusive<u32>> {
    let text = match value {
        Value::Unknown(_) => return None,
        value => value.shown(),
    };
    if text == "*" {
        return Some(0..=65_535);
    }
    let (from, to) = text.split_once('-').unwrap_or((&text, &text));
    Some(from.trim().parse().ok()?..=to.trim().parse().ok()?)
}

fn openings(resource: &Resource) -> Vec<Opening<'_>> {
    let body = &resource.body;
    match resource.kind.as_str() {
        "aws_security_group" | "aws_default_security_group" => each(body.get("ingress"), amazon),
        "aws_security_group_rule" if body.text(&["type"]) == Some("ingress") => vec![amazon(body)],
        "aws_vpc_security_group_ingress_rule" => vec![amazon(body)],
        "AWS::EC2::SecurityGroup" => each(body.get("SecurityGroupIngress"), template),
        "AWS::EC2::SecurityGroupIngress" => vec![template(body)],
        "google_compute_firewall" if body.text(&["direction"]) != Some("EGRESS") => google(body),
        "azurerm_network_security_rule" => azure(body).into_iter().collect(),
        "azurerm_network_security_group" => each(body.get("security_rule"), azure).into_iter().flatten().collect(),
        _ => Vec::new(),
    }
}

fn each<'a, T>(list: Option<&'a Attribute>, read: fn(&'a Attribute) -> T) -> Vec<T> {
    list.map_or(&[][..], Attribute::each).iter().map(read).collect()
}

fn amazon(rule: &Attribute) -> Opening<'_> {
    let sources = ["cidr_blocks", "ipv6_cidr_blocks", "cidr_ipv4", "cidr_ipv6"].iter().map(|key| rule.at(&[key])).collect();
    let protocol = rule.text(&["protocol"]).or(rule.text(&["ip_protocol"]));
    let all = matches!(protocol, Some("-1" | "all")) || matches!(rule.at(&["protocol"]), Hit::Known(Attribute { value: Value::Number(-1.0), .. }));
    Opening { sources, from: rule.at(&["from_port"]), to: rule.at(&["to_port"]), list: None, all }
}

fn template(rule: &Attribute) -> Opening<'_> {
    let sources = ["CidrIp", "CidrIpv6"].iter().map(|key| rule.at(&[key])).collect();
    let protocol = rule.get("IpProtocol").map(|protocol| protocol.value.shown());
    Opening { sources, from: rule.at(&["FromPort"]), to: rule.at(&["ToPort"]), list: None, all: protocol.as_deref() == Some("-1") }
}

fn google(firewall: &Attribute) -> Vec<Opening<'_>> {
    let sources = || vec![firewall.at(&["source_ranges"])];
    let allowed = firewall.get("allow").map_or(&[][..], Attribute::each);
    let tcp = allowed.iter().filter(|allow| matches!(allow.text(&["protocol"]), Some("tcp" | "all")));
    tcp.map(|allow| {
        let ports = allow.at(&["ports"]);
        let all = matches!(ports, Hit::Absent(_));
        Opening { sources: sources(), from: ports, to: ports, list: Some(ports), all }
    })
    .collect()
}

fn azure(rule: &Attribute) -> Option<Opening<'_>> {
    let is = |key: &str, wanted: &str| rule.text(&[key]).is_some_and(|text| text.eq_ignore_ascii_case(wanted));
    if !is("access", "Allow") || !is("direction", "Inbound") || is("protocol", "Udp") || is("protocol", "Icmp") {
        return None;
    }
    let ports = match rule.at(&["destination_port_range"]) {
        Hit::Absent(_) => rule.at(&["destination_port_ranges"]),
        hit => hit,
    };
    let sources = vec![rule.at(&["source_address_prefix"]), rule.at(&["source_address_prefixes"])];
    Some(Opening { sources, from: ports, to: ports, list: Some(ports), all: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(kind: &str, body: &str) -> String {
        format!("resource \"{kind}\" \"a\" {{\n{body}}}\n")
    }

    #[test]
    fn fires_in_each_cloud() {
        let all = "  type = \"ingress\"\n  protocol = \"-1\"\n  from_port = 0\n  to_port = 0\n  cidr_blocks = [\"10.0.0.0/8\", \"0.0.0.0/0\"]\n";
        fires_on(&RULE, FILE, &resource("aws_security_group_rule", all), &["6:32"]);
        let google = "  source_ranges = [\"0.0.0.0/0\"]\n  allow {\n    protocol = \"tcp\"\n    ports = [\"80\", \"20-25\"]\n  }\n";
        fires_on(&RULE, FILE, &resource("google_compute_firewall", google), &["2:20"]);
        let azure = "  access = \"Allow\"\n  direction = \"Inbound\"\n  protocol = \"Tcp\"\n  destination_port_range = \"3389\"\n  source_address_prefix = \"*\"\n";
        fires_on(&RULE, FILE, &resource("azurerm_network_security_rule", azure), &["6:27"]);
        let text = "Resources:\n  A:\n    Type: AWS::EC2::SecurityGroup\n    Properties:\n      SecurityGroupIngress:\n        - {IpProtocol: tcp, FromPort: 5432, ToPort: 5432, CidrIp: 0.0.0.0/0}\n";
        fires_on(&RULE, "stack.yaml", text, &["6:67"]);
    }

    #[test]
    fn is_silent_on_other_ports_and_networks_and_what_it_cannot_know() {
        for rule in [
            "  ingress {\n    from_port = 443\n    to_port = 443\n    cidr_blocks = [\"0.0.0.0/0\"]\n  }\n",
            "  ingress {\n    from_port = 22\n    to_port = 22\n    cidr_blocks = [var.office]\n  }\n",
            "  egress {\n    from_port = 22\n    to_port = 22\n    cidr_blocks = [\"0.0.0.0/0\"]\n  }\n",
        ] {
            is_silent_on(&RULE, FILE, &resource("aws_security_group", rule));
        }
    }
}
