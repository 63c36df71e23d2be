//! The gateway end to end over loopback. The network is a table: it says where a name leads, and stands a local server
//! behind every address, so that the shipped judgement of addresses is in force.

use crate::{Gateway, Upstream, hello::tests::hello_to};
use plimsoll_engine::ports::{AllowedHost, EgressLimits, EgressRecord, EgressRules};
use std::{
    collections::BTreeMap,
    io::{self, Read as _, Write as _},
    net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        mpsc::{self, Receiver},
    },
    thread,
    time::Duration,
};

/// A network in which every address is one local server.
struct Table {
    names: BTreeMap<&'static str, Vec<IpAddr>>,
    own: Vec<IpAddr>,
    server: SocketAddr,
}

impl Upstream for Table {
    fn resolve(&self, name: &str, _: Duration) -> io::Result<Vec<IpAddr>> {
        self.names.get(name).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn is_own(&self, address: IpAddr) -> bool {
        self.own.contains(&address)
    }

    fn connect(&self, _: SocketAddr, limit: Duration) -> io::Result<TcpStream> {
        TcpStream::connect_timeout(&self.server, limit)
    }
}

/// Gives back what it receives, and tells afterwards what that was, for each connection.
fn echo_server() -> (SocketAddr, Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (tell, mut stream) = (tell.clone(), stream.unwrap());
            thread::spawn(move || {
                let mut received = Vec::new();
                let mut buffer = [0; 4096];
                while let Ok(count @ 1..) = stream.read(&mut buffer) {
                    received.extend_from_slice(&buffer[..count]);
                    if stream.write_all(&buffer[..count]).is_err() {
                        break;
                    }
                }
                let _ = tell.send(received);
            });
        }
    });
    (address, told)
}

struct World {
    address: SocketAddr,
    handle: crate::GatewayHandle,
    arrived: Receiver<Vec<u8>>,
}

fn names() -> BTreeMap<&'static str, Vec<IpAddr>> {
    let at = |addresses: &[&str]| addresses.iter().map(|text| text.parse().unwrap()).collect();
    BTreeMap::from([
        ("registry.example", at(&["203.0.113.80"])),
        ("index.registry.example", at(&["203.0.113.80"])),
        ("evil.example", at(&["203.0.113.66"])),
        ("loop.registry.example", at(&["127.0.0.1"])),
        ("mapped.registry.example", at(&["::ffff:169.254.169.254"])),
        ("inside.registry.example", at(&["10.1.2.3"])),
        ("own.registry.example", at(&["203.0.113.99"])),
        ("mixed.registry.example", at(&["169.254.169.254", "203.0.113.80"])),
        ("nowhere.registry.example", at(&[])),
        ("mirror.corp.example", at(&["10.1.2.3"])),
        ("bad-mirror.corp.example", at(&["127.0.0.1"])),
    ])
}

fn allowed(host: &str, subdomains: bool, private: bool) -> AllowedHost {
    AllowedHost { subdomains, private, ..AllowedHost::exactly(host.parse().unwrap()) }
}

fn world(limits: EgressLimits) -> World {
    let (server, arrived) = echo_server();
    let own = vec!["203.0.113.99".parse().unwrap()];
    let gateway = Gateway::new(Arc::new(Table { names: names(), own, server }), Arc::new(|_| {}));
    let hosts = vec![
        allowed("registry.example", true, false),
        allowed("mirror.corp.example", false, true),
        allowed("bad-mirror.corp.example", false, true),
        allowed("10.9.9.9", false, true),
    ];
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    World { address, handle: gateway.serve(listener, EgressRules { hosts, limits }).unwrap(), arrived }
}

impl World {
    fn client(&self) -> TcpStream {
        let client = TcpStream::connect(self.address).unwrap();
        client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        client
    }

    /// Sends a request and gives the first line of the answer.
    fn ask(&self, request: &str) -> (TcpStream, String) {
        let mut client = self.client();
        client.write_all(request.as_bytes()).unwrap();
        let answer = read_head(&mut client);
        (client, answer)
    }

    fn open(&self, host: &str) -> TcpStream {
        let (client, answer) = self.ask(&connect(host));
        assert!(answer.starts_with("HTTP/1.1 200 "), "{host}: {answer}");
        client
    }

    fn finish(self) -> EgressRecord {
        self.handle.finish()
    }
}

fn connect(host: &str) -> String {
    format!("CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n")
}

fn read_head(client: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && client.read(&mut byte).is_ok_and(|count| count == 1) {
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap().lines().next().unwrap_or_default().to_owned()
}

/// Reads to the end; a reset is an end too.
fn drain(client: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = client.read_to_end(&mut bytes);
    bytes
}

#[test]
fn an_allowed_host_is_reached_and_recorded() {
    let world = world(EgressLimits::default());
    let mut client = world.open("Index.Registry.Example");
    let hello = hello_to(Some("index.registry.example"), false);
    client.write_all(&hello).unwrap();
    client.write_all(b"and more").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let expected = [&hello[..], b"and more"].concat();
    assert_eq!(drain(&mut client), expected);
    assert_eq!(world.arrived.recv().unwrap(), expected);
    let record = world.finish();
    let [event] = &record.events[..] else { panic!("{record:?}") };
    assert_eq!((event.host.as_str(), event.port), ("index.registry.example", 443));
    assert_eq!(event.address.as_deref(), Some("203.0.113.80"));
    assert_eq!(event.refused, None);
    assert_eq!((event.sent, event.received), (expected.len() as u64, expected.len() as u64));
}

#[test]
fn a_greeting_may_come_with_the_request_or_byte_by_byte() {
    let world = world(EgressLimits::default());
    let hello = hello_to(Some("registry.example"), false);
    let mut together = world.client();
    together.write_all(&[connect("registry.example").as_bytes(), &hello].concat()).unwrap();
    assert!(read_head(&mut together).starts_with("HTTP/1.1 200 "));
    let mut dripping = world.open("registry.example");
    dripping.set_nodelay(true).unwrap();
    hello.chunks(1).for_each(|byte| dripping.write_all(byte).unwrap());
    for mut client in [together, dripping] {
        let mut echoed = vec![0; hello.len()];
        client.read_exact(&mut echoed).unwrap();
        assert_eq!(echoed, hello);
    }
}

#[test]
fn what_the_rules_do_not_name_is_refused_before_any_connection() {
    for (request, problem) in [
        (
            connect("evil.example"),
            "E-NET-DENIED evil.example:443: it is not a host that this fetch may reach",
        ),
        (connect("registry.example.evil.example"), "may reach"),
        (connect("notregistry.example"), "may reach"),
        (connect("index.mirror.corp.example"), "may reach"),
        (connect("203.0.113.80"), "may reach"),
        (connect("loop.registry.example"), "127.0.0.1, a loopback address"),
        (connect("mapped.registry.example"), "a link-local or metadata address"),
        (connect("inside.registry.example"), "10.1.2.3, a private address, without `private: true`"),
        (connect("own.registry.example"), "203.0.113.99, an address of this machine"),
        (connect("bad-mirror.corp.example"), "127.0.0.1, a loopback address"),
        (connect("nowhere.registry.example"), "cannot be looked up"),
        (connect("unknown.registry.example"), "cannot be looked up"),
        ("CONNECT registry.example:80 HTTP/1.1\r\n\r\n".into(), "E-NET-DENIED registry.example:80"),
        ("CONNECT user@registry.example:443 HTTP/1.1\r\n\r\n".into(), "not a host and a port"),
        ("CONNECT registry.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n".into(), "names another host"),
        ("GET http://registry.example/a?secret HTTP/1.1\r\n\r\n".into(), "plain HTTP is refused"),
        ("\r\n\r\n".into(), "malformed"),
        (
            format!("CONNECT registry.example:443 HTTP/1.1\r\nA: {}\r\n\r\n", "a".repeat(9000)),
            "larger than 8192",
        ),
    ] {
        let world = world(EgressLimits::default());
        let (_, answer) = world.ask(&request);
        let refused = answer.starts_with("HTTP/1.1 403 E-NET-DENIED ")
            || answer.starts_with("HTTP/1.1 502 E-NET-DENIED ");
        assert!(refused && answer.contains(problem), "{request:?}: {answer}");
        let World { handle, arrived, .. } = world;
        let record = handle.finish();
        assert_eq!(record.events.len(), 1, "{request:?}");
        assert!(record.events[0].refused.is_some() && record.events[0].address.is_none(), "{record:?}");
        assert!(!record.events[0].host.contains("secret"), "{record:?}");
        assert!(arrived.try_recv().is_err(), "{request:?} reached the host");
    }
}

#[test]
fn a_host_may_stand_at_a_private_address_when_its_rule_says_so() {
    let world = world(EgressLimits::default());
    for (host, name) in [("mirror.corp.example", Some("mirror.corp.example")), ("10.9.9.9", None)] {
        let mut client = world.open(host);
        let hello = hello_to(name, false);
        client.write_all(&hello).unwrap();
        let mut echoed = vec![0; hello.len()];
        client.read_exact(&mut echoed).unwrap();
        assert_eq!(echoed, hello, "{host}");
    }
}

#[test]
fn only_the_address_that_passed_is_connected_to() {
    let world = world(EgressLimits::default());
    let mut client = world.open("mixed.registry.example");
    client.write_all(&hello_to(Some("mixed.registry.example"), false)).unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    drain(&mut client);
    assert_eq!(world.finish().events[0].address.as_deref(), Some("203.0.113.80"));
}

#[test]
fn nothing_is_sent_before_the_greeting_names_the_same_host() {
    let mut fragmented_other = hello_to(Some("evil.example"), false);
    fragmented_other.truncate(fragmented_other.len() - 1);
    for (what, bytes, problem) in [
        ("another name", hello_to(Some("evil.example"), false), "names evil.example instead"),
        ("a name below", hello_to(Some("index.registry.example"), false), "instead"),
        ("a trailing dot", hello_to(Some("registry.example."), false), "instead"),
        ("no name", hello_to(None, false), "names no server"),
        ("an encrypted name", hello_to(Some("registry.example"), true), "hides its server name"),
        ("plain HTTP", b"GET /?stolen=secret HTTP/1.1\r\n\r\n".to_vec(), "not TLS"),
        ("half a greeting", fragmented_other, "closed the connection"),
        ("nothing", Vec::new(), "closed the connection"),
    ] {
        let world = world(EgressLimits::default());
        let mut client = world.open("registry.example");
        client.write_all(&bytes).unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        assert_eq!(drain(&mut client), b"", "{what}");
        assert_eq!(world.arrived.recv().unwrap(), b"", "{what} reached the host");
        let record = world.finish();
        let refused = record.events[0].refused.as_deref().unwrap_or_default();
        assert!(refused.contains(problem), "{what}: {refused}");
    }
}

#[test]
fn limits_cut_a_connection_and_say_so() {
    let short = Duration::from_millis(50);
    let usual = EgressLimits::default();
    for (limits, problem) in [
        (EgressLimits { connection_bytes: 100, ..usual }, "the limit of one connection"),
        (EgressLimits { total_bytes: 100, ..usual }, "all connections together"),
        (EgressLimits { idle: short, ..usual }, "of silence"),
        (EgressLimits { connection_time: short, ..usual }, "the end of its time"),
    ] {
        let world = world(limits);
        let mut client = world.open("registry.example");
        client.write_all(&hello_to(Some("registry.example"), false)).unwrap();
        drain(&mut client);
        let record = world.finish();
        let refused = record.events[0].refused.as_deref().unwrap_or_default();
        assert!(refused.contains(problem), "{problem}: {record:?}");
    }
}

#[test]
fn a_client_that_drips_its_request_is_cut_off() {
    let world = world(EgressLimits { greeting_time: Duration::from_millis(50), ..EgressLimits::default() });
    let (_, answer) = world.ask("CONNECT regis");
    assert!(answer.contains("did not finish its request in time"), "{answer}");
}

#[test]
fn more_connections_than_allowed_are_refused_and_the_others_go_on() {
    let world = world(EgressLimits { connections: 1, ..EgressLimits::default() });
    let mut first = world.open("registry.example");
    let answer = read_head(&mut world.client());
    assert!(answer.contains("too many connections"), "{answer}");
    let hello = hello_to(Some("registry.example"), false);
    first.write_all(&hello).unwrap();
    let mut echoed = vec![0; hello.len()];
    first.read_exact(&mut echoed).unwrap();
    assert_eq!(echoed, hello);
}

#[test]
fn the_end_of_the_gateway_ends_its_connections_and_counts_what_it_does_not_keep() {
    let world = world(EgressLimits { events: 2, ..EgressLimits::default() });
    for _ in 0..4 {
        world.ask(&connect("evil.example"));
    }
    let mut open = world.open("registry.example");
    let address = world.address;
    let record = world.finish();
    assert_eq!((record.events.len(), record.unrecorded), (2, 3));
    assert_eq!(drain(&mut open), b"");
    assert!(TcpStream::connect(address).is_err(), "nobody listens any more");
}

#[test]
fn large_transfers_pass_whole_in_both_directions() {
    let world = world(EgressLimits::default());
    let client = world.open("registry.example");
    let hello = hello_to(Some("registry.example"), false);
    let sent: Vec<u8> = hello.iter().copied().chain((0..3_000_000_u32).map(|n| n.to_le_bytes()[0])).collect();
    let mut writer = client.try_clone().unwrap();
    let to_send = sent.clone();
    let writing = thread::spawn(move || {
        writer.write_all(&to_send).unwrap();
        writer.shutdown(Shutdown::Write).unwrap();
    });
    let mut client = client;
    assert!(drain(&mut client) == sent, "what comes back is what was sent");
    writing.join().unwrap();
}
