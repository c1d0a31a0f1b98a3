//! A name server in the test itself, which answers what it is told to, or nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hickory_resolver::proto::op::{Message, MessageType, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, AAAA, NAPTR, SRV};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use tokio::net::UdpSocket;

use super::*;

/// Answers from these records; silent while `mute`.
struct Server {
    at: SocketAddr,
    mute: Arc<AtomicBool>,
}

fn name(text: &str) -> Name {
    Name::from_ascii(text).unwrap()
}

fn srv(priority: u16, port: u16, target: &str) -> RData {
    RData::SRV(SRV::new(priority, 0, port, name(target)))
}

fn naptr(order: u16, service: &str, replacement: &str) -> RData {
    let text = |text: &str| text.as_bytes().to_vec().into_boxed_slice();
    RData::NAPTR(NAPTR::new(order, 0, text("s"), text(service), text(""), name(replacement)))
}

fn aaaa(last: u16) -> RData {
    RData::AAAA(AAAA::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last))
}

fn a(last: u8) -> RData {
    RData::A(A::new(192, 0, 2, last))
}

impl Server {
    async fn start(zone: Vec<(&str, RecordType, Vec<RData>)>) -> Server {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let (at, mute) = (socket.local_addr().unwrap(), Arc::new(AtomicBool::new(false)));
        let zone: BTreeMap<(Name, RecordType), Vec<RData>> =
            zone.into_iter().map(|(host, kind, records)| ((name(host), kind), records)).collect();
        let silent = mute.clone();
        tokio::spawn(async move {
            let mut buffer = [0; 2_048];
            while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
                let asked = Message::from_vec(&buffer[..length]).unwrap();
                if silent.load(Ordering::Relaxed) {
                    continue;
                }
                let query = asked.queries[0].clone();
                let mut answer = Message::response(asked.metadata.id, asked.metadata.op_code);
                answer.metadata.message_type = MessageType::Response;
                answer.metadata.recursion_available = true;
                answer.queries.push(query.clone());
                let known = zone.iter().find(|((host, kind), _)| host == query.name() && *kind == query.query_type());
                match known {
                    Some((_, records)) => answer
                        .answers
                        .extend(records.iter().map(|data| Record::from_rdata(query.name().clone(), 120, data.clone()))),
                    // As some routers at home answer what they do not know.
                    None if *query.name() == name("closed.test.") && query.query_type() == RecordType::NAPTR => {
                        answer.metadata.response_code = ResponseCode::Refused;
                    }
                    None => answer.metadata.response_code = ResponseCode::NXDomain,
                }
                let _ = socket.send_to(&answer.to_vec().unwrap(), from).await;
            }
        });
        Server { at, mute }
    }

    async fn finds(&self, host: &str, transport: Option<Transport>) -> Result<Found, String> {
        NameServers::At(self.at).find(&wanted(host, transport), &mut seeded(1)).await
    }
}

fn wanted(host: &str, transport: Option<Transport>) -> Wanted {
    let (host, port) = host.split_once(':').map_or((host, None), |(host, port)| (host, port.parse().ok()));
    let host = Host { name: host.into(), port: port.unwrap_or(5060), written: port.is_some() };
    let own = PerFamily::from(IpAddr::from([192, 0, 2, 1]));
    Wanted { trunk: TrunkId::parse("main").unwrap(), host, transport, line: Some(3), own }
}

fn hops(found: &Result<Found, String>) -> Vec<String> {
    found.as_ref().unwrap().targets.iter().map(|(transport, address)| format!("{transport}:{address}")).collect()
}

fn zone() -> Vec<(&'static str, RecordType, Vec<RData>)> {
    vec![
        (
            "carrier.test.",
            RecordType::NAPTR,
            vec![naptr(20, "SIP+D2U", "_sip._udp.carrier.test."), naptr(10, "SIP+D2T", "_sip._tcp.carrier.test.")],
        ),
        (
            "_sip._udp.carrier.test.",
            RecordType::SRV,
            vec![srv(20, 5070, "b.carrier.test."), srv(10, 5060, "a.carrier.test.")],
        ),
        ("_sip._tcp.carrier.test.", RecordType::SRV, vec![srv(0, 5080, "a.carrier.test.")]),
        ("a.carrier.test.", RecordType::A, vec![a(2), a(1)]),
        ("b.carrier.test.", RecordType::A, vec![a(3)]),
        ("plain.test.", RecordType::A, vec![a(9)]),
        ("both.test.", RecordType::A, vec![a(9)]),
        ("both.test.", RecordType::AAAA, vec![aaaa(9), aaaa(1)]),
        ("closed.test.", RecordType::A, vec![a(9)]),
        ("_sip._udp.closed.test.", RecordType::SRV, vec![srv(0, 0, ".")]),
    ]
}

#[tokio::test]
async fn naptr_leads_to_srv_and_srv_to_addresses_each_in_its_order() {
    let server = Server::start(zone()).await;
    let found = server.finds("carrier.test", None).await;
    let tcp = ["tcp:192.0.2.1:5080", "tcp:192.0.2.2:5080"];
    let udp = ["udp:192.0.2.1:5060", "udp:192.0.2.2:5060", "udp:192.0.2.3:5070"];
    assert_eq!(hops(&found), [&tcp[..], &udp[..]].concat());
    let found = found.unwrap();
    assert_eq!(found.doubt, None);
    assert!((100..=120).contains(&found.valid.as_secs()), "{:?}", found.valid);
    // A transport that was written down leaves NAPTR out.
    assert_eq!(hops(&server.finds("carrier.test", Some(Transport::Udp)).await), udp);
}

#[tokio::test]
async fn a_port_means_this_host_and_an_address_means_itself() {
    let server = Server::start(zone()).await;
    assert_eq!(hops(&server.finds("a.carrier.test:5999", None).await), ["udp:192.0.2.1:5999", "udp:192.0.2.2:5999"]);
    server.mute.store(true, Ordering::Relaxed);
    assert_eq!(hops(&server.finds("192.0.2.7", Some(Transport::Tcp)).await), ["tcp:192.0.2.7:5060"]);
    let other = NameServers::At(server.at);
    let six = Wanted { own: PerFamily::from(IpAddr::V6(Ipv6Addr::UNSPECIFIED)), ..wanted("192.0.2.7", None) };
    assert!(other.find(&six, &mut seeded(1)).await.unwrap_err().contains("is IPv4, and [sip] listen names no"));
}

#[tokio::test]
async fn a_name_in_both_families_leads_to_ipv6_first_and_to_what_cannot_be_reached_last() {
    let server = Server::start(zone()).await;
    assert_eq!(hops(&server.finds("both.test", None).await), ["udp:192.0.2.9:5060"], "nothing of ours is IPv6");
    let everywhere = PerFamily { v4: Some(Ipv4Addr::UNSPECIFIED.into()), v6: Some(Ipv6Addr::UNSPECIFIED.into()) };
    let both = Wanted { own: everywhere, ..wanted("both.test", None) };
    let found = NameServers::At(server.at).find(&both, &mut seeded(1)).await;
    let (six, four) = (["udp:[2001:db8::1]:5060", "udp:[2001:db8::9]:5060"], ["udp:192.0.2.9:5060"]);
    assert_eq!(hops(&found), [&six[..], &four[..]].concat());
    let found = found.unwrap();
    let (own_six, own_four): (IpAddr, IpAddr) = ("2001:db8::5".parse().unwrap(), [198, 51, 100, 5].into());
    let all = both.whereabouts(&found, |there| Some(if there.is_ipv4() { own_four } else { own_six }));
    assert_eq!(all.local, PerFamily { v4: Some(own_four), v6: Some(own_six) });
    assert!(all.targets[0].address.is_ipv6());
    let no_six = both.whereabouts(&found, |there| there.is_ipv4().then_some(own_four));
    assert_eq!(no_six.local, PerFamily::from(own_four));
    let order: Vec<String> = no_six.targets.iter().map(|hop| format!("udp:{}", hop.address)).collect();
    assert_eq!(order, [&four[..], &six[..]].concat());
    let bound = Wanted { own: PerFamily::from(own_six), ..both };
    assert!(bound.whereabouts(&found, |_| Some(own_six)).local.is_empty(), "that is known already");
    let nowhere = Wanted { own: everywhere, ..wanted("x.test", None) };
    let nothing = NameServers::At(server.at).find(&nowhere, &mut seeded(1)).await;
    assert_eq!(nothing.unwrap_err(), "there is no IPv6 or IPv4 address behind the name `x.test`");
}

#[tokio::test]
async fn a_name_without_srv_is_a_host_and_one_whose_srv_is_a_dot_has_no_service() {
    let server = Server::start(zone()).await;
    assert_eq!(hops(&server.finds("plain.test", None).await), ["udp:192.0.2.9:5060"]);
    assert_eq!(hops(&server.finds("plain.test", Some(Transport::Tls)).await), ["tls:192.0.2.9:5060"]);
    assert!(server.finds("closed.test", None).await.unwrap_err().contains("has no SIP service"));
    let nothing = server.finds("nowhere.test", None).await.unwrap_err();
    assert_eq!(nothing, "there is no IPv4 address behind the name `nowhere.test`");
}

#[tokio::test]
async fn a_hop_over_tls_knows_whose_certificate_it_wants() {
    let wanted = wanted("plain.test", None);
    let at: SocketAddr = "192.0.2.9:5061".parse().unwrap();
    assert_eq!(wanted.hop((Transport::Tls, at)).line, Some(3));
    assert_eq!(wanted.hop((Transport::Tcp, at)).line, None);
}

#[tokio::test]
async fn what_was_found_serves_on_while_no_name_server_answers() {
    let server = Server::start(zone()).await;
    let (core, mut inputs) = mpsc::channel(8);
    let wanted = wanted("carrier.test", Some(Transport::Tcp));
    let task = tokio::spawn(keep_looking(wanted.clone(), NameServers::At(server.at), core));
    let told = async |inputs: &mut mpsc::Receiver<Input>| match inputs.recv().await {
        Some(Input::TrunkAddress { found, .. }) => found,
        other => panic!("{other:?}"),
    };
    assert_eq!(told(&mut inputs).await.unwrap().targets.len(), 2);
    assert!(inputs.try_recv().is_err());
    task.abort();
    // Nothing was known yet: whoever waits is told why.
    server.mute.store(true, Ordering::Relaxed);
    let (core, mut inputs) = mpsc::channel(8);
    let task = tokio::spawn(keep_looking(wanted, NameServers::At(server.at), core));
    let why = told(&mut inputs).await.unwrap_err();
    assert!(why.contains("cannot be looked up: no name server answers"), "{why}");
    task.abort();
}
