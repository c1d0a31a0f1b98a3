//! Two ends on loopback. The certificates in `tests/` were made for this and are trusted by nobody: an authority
//! (`ca`), one for trunk.example by DNS name (`dns`), one by SIP URI (`uri`), one long expired, and one that signed
//! itself (`own`); each with its key behind it.

use super::*;

const OPTIONS: &[u8] = b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n";
const ANSWER: &[u8] = b"SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n";
const CA: &str = include_str!("tests/ca.pem");

fn plain() -> Streams {
    Streams::new(Tls::new(&TlsSettings::default()).unwrap(), PerFamily::default())
}

fn server(pem: &str) -> Streams {
    let own = Some((pem.to_owned(), pem.to_owned()));
    Streams::new(Tls::new(&TlsSettings { own, trunks: Vec::new() }).unwrap(), PerFamily::default())
}

fn client(names: &[&str], ca: &str) -> Streams {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    let trunks = vec![Some(TrunkTls { names, ca: Some(ca.to_owned()) })];
    Streams::new(Tls::new(&TlsSettings { own: None, trunks }).unwrap(), PerFamily::default())
}

fn listen(at: &Streams, transport: Transport) -> Hop {
    let address = at.listen(transport, "127.0.0.1:0".parse().unwrap()).unwrap();
    Hop { transport, address, line: (transport == Transport::Tls).then_some(0) }
}

/// How long anything may take that must happen. Long, because a busy machine is no failure.
const LIMIT: Duration = Duration::from_secs(60);

/// What the other side says, whoever connects being let in.
async fn hears(at: &mut Streams) -> Arrived {
    let hearing = async {
        loop {
            match at.arrived().await {
                Arrived::Came(newcomer) => at.admit(newcomer),
                other => return other,
            }
        }
    };
    tokio::time::timeout(LIMIT, hearing).await.expect("something is heard")
}

async fn message(at: &mut Streams) -> (Hop, Vec<u8>) {
    match hears(at).await {
        Arrived::Message { from, bytes } => (from, bytes),
        other => panic!("{other:?}"),
    }
}

/// Asks over a new connection, and both ends talk; or why not.
async fn talk(ours: &mut Streams, theirs: &mut Streams, there: Hop) -> Result<(), String> {
    ours.send(there, OPTIONS.to_vec());
    // Where we refuse them, they lose us, and may know it first.
    let heard = async {
        loop {
            match hears(theirs).await {
                Arrived::Message { from, bytes } => break (from, bytes),
                Arrived::Lost { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    };
    let (from, bytes) = tokio::select! {
        heard = heard => heard,
        arrived = hears(ours) => match arrived {
            Arrived::Lost { hop, why } if hop == there => return Err(why),
            other => panic!("{other:?}"),
        },
    };
    assert_eq!(bytes, OPTIONS);
    theirs.send(from, ANSWER.to_vec());
    assert_eq!(message(ours).await, (there, ANSWER.to_vec()));
    Ok(())
}

#[tokio::test]
async fn whoever_sends_what_cannot_be_taken_is_told_so_and_then_it_is_over() {
    let long = [b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 99999\r\n\r\n".to_vec(), vec![b'x'; 99_999]].concat();
    for bytes in [&b"OPTIONS sip:a SIP/2.0\r\nContent-Length: -1\r\n\r\nnobody knows where this ends"[..], &long] {
        let mut ours = plain();
        let there = listen(&ours, Transport::Tcp);
        let (from, bytes) = (std::net::TcpStream::connect(there.address).unwrap(), bytes.to_vec());
        let sender = std::thread::spawn(move || {
            use std::io::{Read, Write};
            let mut from = from;
            from.write_all(&bytes).unwrap();
            let mut heard = Vec::new();
            from.read_to_end(&mut heard).unwrap();
            heard
        });
        let (from, heard) = message(&mut ours).await;
        assert!(heard.starts_with(b"OPTIONS sip:a "));
        ours.send(from, ANSWER.to_vec());
        assert!(matches!(hears(&mut ours).await, Arrived::Lost { hop, .. } if hop == from));
        assert_eq!(sender.join().unwrap(), ANSWER);
    }
}

#[tokio::test]
async fn our_end_of_a_connection_is_known_before_it_stands_and_is_what_the_far_end_sees() {
    let (mut ours, mut theirs) = (plain(), plain());
    let there = listen(&theirs, Transport::Tcp);
    assert_eq!(ours.local_of(there), None);
    ours.send(there, OPTIONS.to_vec());
    let end = ours.local_of(there);
    let (from, _) = message(&mut theirs).await;
    assert_eq!((end, theirs.local_of(from)), (Some(from.address), Some(there.address)));
    assert_eq!(ours.local_of(Hop::udp(there.address)), None);
}

#[tokio::test]
async fn an_answer_comes_back_over_the_connection_of_its_request_and_the_next_request_uses_it_again() {
    let (mut ours, mut theirs) = (plain(), plain());
    let there = listen(&theirs, Transport::Tcp);
    talk(&mut ours, &mut theirs, there).await.unwrap();
    talk(&mut ours, &mut theirs, there).await.unwrap();
    assert_eq!((ours.open.len(), theirs.open.len()), (1, 1));
}

#[tokio::test]
async fn a_connection_that_cannot_be_made_is_reported_and_an_answer_makes_none() {
    let mut ours = plain();
    let nobody = listen(&plain(), Transport::Udp);
    let nobody = Hop::tcp(nobody.address);
    ours.send(nobody, ANSWER.to_vec());
    assert!(ours.open.is_empty());
}

#[tokio::test]
async fn whoever_begins_no_message_that_ends_is_cut_off_and_the_core_hears_of_it() {
    let mut theirs = plain();
    let there = listen(&theirs, Transport::Tcp);
    let mut liar = TcpStream::connect(there.address).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut liar, b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 99999\r\n\r\n")
        .await
        .unwrap();
    message(&mut theirs).await;
    let Arrived::Lost { why, .. } = hears(&mut theirs).await else { panic!("he is still there") };
    assert!(why.contains("longer than 16384 bytes"), "{why}");
}

#[tokio::test]
async fn a_ping_is_answered_with_a_pong() {
    let mut theirs = plain();
    let there = listen(&theirs, Transport::Tcp);
    let mut phone = TcpStream::connect(there.address).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut phone, b"\r\n\r\n").await.unwrap();
    let mut pong = [0; 2];
    tokio::select! {
        read = tokio::io::AsyncReadExt::read_exact(&mut phone, &mut pong) => assert_eq!(read.unwrap(), 2),
        arrived = hears(&mut theirs) => panic!("{arrived:?}"),
    }
    assert_eq!(&pong, b"\r\n");
}

#[tokio::test]
async fn connections_that_never_said_anything_make_room_for_others_and_those_that_did_stay() {
    let mut theirs = plain();
    let there = listen(&theirs, Transport::Tcp);
    let mut phones = Vec::new();
    // More than may be silent say something each.
    for _ in 0..SILENT_MAX + 8 {
        let mut phone = TcpStream::connect(there.address).await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut phone, OPTIONS).await.unwrap();
        assert_eq!(message(&mut theirs).await.1, OPTIONS);
        phones.push(phone);
    }
    let mut idle = Vec::new();
    for _ in 0..=SILENT_MAX {
        idle.push(TcpStream::connect(there.address).await.unwrap());
        let Arrived::Came(newcomer) = theirs.arrived().await else { panic!("somebody connects") };
        theirs.admit(newcomer);
    }
    assert_eq!(theirs.open.len(), phones.len() + SILENT_MAX, "the first of the idle ones is gone");
    let read = tokio::io::AsyncReadExt::read(&mut idle[0], &mut [0; 16]).await;
    assert_eq!(read.unwrap_or(0), 0);
    let at = |phone: &TcpStream| Hop { transport: Transport::Tcp, address: phone.local_addr().unwrap(), line: None };
    assert!(phones.iter().all(|phone| theirs.open.contains_key(&at(phone))));
    assert!(theirs.open.contains_key(&at(&idle[SILENT_MAX])));
}

#[tokio::test]
async fn one_address_makes_so_many_connections_and_no_more() {
    let mut theirs = plain();
    let ip = IpAddr::from([192, 0, 2, 1]);
    for port in 0..SOURCE_MAX as u16 {
        assert!(theirs.make_room(ip));
        let hop = Hop::tcp(SocketAddr::new(ip, 1_000 + port));
        theirs.put(hop, Open { number: 0, out: mpsc::channel(1).0, theirs: true, local: None, spoke: false });
        theirs.sort(Told::Message { from: hop, bytes: Vec::new() });
    }
    assert!(!theirs.make_room(ip) && theirs.make_room(IpAddr::from([192, 0, 2, 2])));
}

#[tokio::test]
async fn whoever_is_turned_away_hears_nothing_and_is_counted() {
    let mut theirs = plain();
    let there = listen(&theirs, Transport::Tcp);
    let mut stranger = TcpStream::connect(there.address).await.unwrap();
    let Arrived::Came(newcomer) = theirs.arrived().await else { panic!("somebody connects") };
    theirs.turn_away(newcomer);
    let read = tokio::io::AsyncReadExt::read(&mut stranger, &mut [0; 16]).await;
    assert_eq!((read.unwrap_or(0), theirs.turned_away(), theirs.open.len()), (0, 1, 0));
}

#[tokio::test]
async fn a_certificate_with_the_trunk_s_name_is_taken_whether_it_stands_there_as_dns_name_or_as_sip_uri() {
    for pem in [include_str!("tests/dns.pem"), include_str!("tests/uri.pem")] {
        let (mut ours, mut theirs) = (client(&["trunk.example"], CA), server(pem));
        let there = listen(&theirs, Transport::Tls);
        talk(&mut ours, &mut theirs, there).await.unwrap();
    }
}

#[tokio::test]
async fn a_certificate_that_signed_itself_is_taken_where_it_is_in_the_file() {
    let own = include_str!("tests/own.pem");
    let (mut ours, mut theirs) = (client(&["192.0.2.1"], own), server(own));
    let there = listen(&theirs, Transport::Tls);
    talk(&mut ours, &mut theirs, there).await.unwrap();
}

/// The server name indication of TLS.
#[tokio::test]
async fn the_name_of_the_trunk_is_shown_to_whoever_has_several_and_an_address_is_not() {
    for (name, shown) in [("trunk.example", Some("trunk.example")), ("192.0.2.1", None)] {
        let door = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let there = Hop { transport: Transport::Tls, address: door.local_addr().unwrap(), line: Some(0) };
        let mut ours = client(&[name], CA);
        ours.send(there, OPTIONS.to_vec());
        let hello = async {
            let (stream, _) = door.accept().await.unwrap();
            let begun = tokio_rustls::LazyConfigAcceptor::new(Default::default(), stream).await.unwrap();
            begun.client_hello().server_name().map(str::to_owned)
        };
        let heard = tokio::time::timeout(LIMIT, hello).await.expect("somebody says hello");
        assert_eq!(heard.as_deref(), shown);
    }
}

#[tokio::test]
async fn a_certificate_that_is_not_taken_says_why_in_a_sentence() {
    let mozilla = || {
        let trunks = vec![Some(TrunkTls { names: vec!["trunk.example".into()], ca: None })];
        Streams::new(Tls::new(&TlsSettings { own: None, trunks }).unwrap(), PerFamily::default())
    };
    let (dns, expired) = (include_str!("tests/dns.pem"), include_str!("tests/expired.pem"));
    for (mut ours, pem, sentence) in [
        (client(&["trunk.example"], CA), expired, "the certificate of trunk.example expired on 2021-02-03"),
        (
            mozilla(),
            dns,
            "the certificate of trunk.example comes from an unknown authority; name its file with ca_file",
        ),
        (
            client(&["trunk.example"], CA),
            include_str!("tests/own.pem"),
            "the certificate of trunk.example signed itself; name its file with ca_file",
        ),
        (
            client(&["pbx.example"], CA),
            dns,
            "the certificate there is made out to trunk.example and not to pbx.example",
        ),
    ] {
        let mut theirs = server(pem);
        let there = listen(&theirs, Transport::Tls);
        let why = talk(&mut ours, &mut theirs, there).await.unwrap_err();
        assert!(why.contains(sentence), "{why}");
    }
}

#[tokio::test]
async fn a_port_that_speaks_no_tls_is_named_as_such() {
    let mut ours = client(&["trunk.example"], CA);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let there = Hop { transport: Transport::Tls, address: listener.local_addr().unwrap(), line: Some(0) };
    ours.send(there, OPTIONS.to_vec());
    let (mut stream, _) = listener.accept().await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stream, b"SIP/2.0 400 Bad Request\r\n\r\n").await.unwrap();
    let Arrived::Lost { why, .. } = hears(&mut ours).await else { panic!("a handshake") };
    assert!(why.contains("trunk.example does not speak TLS"), "{why}");
}
