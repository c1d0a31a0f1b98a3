//! What the well formed messages of RFC 4475 and RFC 5118 say, field by field, and where they end.
//!
//! `torture_fields.txt` was written from the RFCs and not by this reader. The files are kept from any change on their
//! way through git by `.gitattributes`; the sums below are those of the archive in RFC 4475's appendix A.

use crate::torture_files::{bytes, names, read};
use hansho::wire::sip::{Broken, Malformed, Message, Method, Name, NameAddr, Piece, Start, Stream, Uri, Via};
use sha2::{Digest, Sha256};

const FIELDS: &str = include_str!("torture_fields.txt");

/// The messages of RFC 4475 §3.1.1.
const SUMS: [(&str, &str); 13] = [
    ("wsinv", "d6f6cdee99cd0a1f8e3d9a0fdd67c877700e19ab86d8186dada06f61260e3e61"),
    ("intmeth", "b957a8292c1c0a9851fe94705b90f94320738f43aacde64998e401f742ef688d"),
    ("esc01", "be3a316d4ce5f69cad474646191e390dd4b50fc8371e44b5197fe1237781973e"),
    ("escnull", "263fe2ecd12a5ccbb6c67b3174e9211d11da9b600e7d69666a86d2ee42873e90"),
    ("esc02", "9a9c59449f00327b02071feafc8e5c2a261c98c818044167894cc17809a12199"),
    ("lwsdisp", "d1b36b6316c12824f6f04bf6b1fd1f021cade9b74871693b9c3474cd9fa7f4e6"),
    ("longreq", "185739292bc676760e5b1cca77c87705aa570240171c506ad76f8c35af0ecdaa"),
    ("dblreq", "a6be48426565c2a705389c4ce2ea17e57b891cb13f80490a2cb9392c797b46ef"),
    ("semiuri", "87bbaed6b4b354dbd3c5c7a20e66686303c63e43a0aa19b89de1ac75231611a2"),
    ("transports", "33b4553a3b9418121b099ff07882535151edd6a1e81898c63a916aad2cbf90bc"),
    ("mpart01", "92147c8e24997bac59629e1b163767697d0d6d499af87f89e325d69968bec3ba"),
    ("unreason", "4f939d6ebf4817eea70f011d3209e83732872ffc20ffd304b244084dc392f4d7"),
    ("noreason", "07e11e470a69fffa3674de805e5165d1351a9439a91045ee70c9570ea24ab4fe"),
];

/// Content-Length and body of those messages where the two do not fit: three on purpose, one that holds two messages,
/// one of a time without Content-Length, and three that RFC 5118 counted wrongly.
const UNFIT: [(&str, &str, usize); 8] = [
    ("dblreq", "0", 450),
    ("clerr", "9999", 154),
    ("ncl", "-999", 152),
    ("mcl01", "13 5", 67),
    ("inv2543", "", 105),
    ("ipv6-in-sdp", "268", 251),
    ("mult-ip-in-sdp", "181", 189),
    ("ipv4-mapped-ipv6", "236", 245),
];

#[test]
fn the_messages_say_what_the_rfcs_say_they_do() {
    let well_formed = |name: &str| Message::parse(&bytes(name)).is_ok_and(|message| message.check().is_ok());
    let said: String = names().filter(|name| well_formed(name)).map(fields).collect();
    for (said, expected) in said.lines().zip(FIELDS.lines()) {
        assert_eq!(said, expected);
    }
    assert_eq!(said.lines().count(), FIELDS.lines().count());
}

#[test]
fn the_bytes_are_those_of_the_archive() {
    for (name, sum) in SUMS {
        let found: String = Sha256::digest(bytes(name)).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(found, sum, "{name}");
    }
}

#[test]
fn content_length_fits_the_body_but_where_the_rfcs_have_it_otherwise() {
    for name in names() {
        let bytes = bytes(name);
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            assert_eq!(name, "baddn", "it ends with its last header line in the archive");
            continue;
        };
        let (head, body) = (String::from_utf8_lossy(&bytes[..end]), bytes.len() - end - 4);
        assert_eq!(head.matches('\n').count(), head.matches("\r\n").count(), "{name}: every line end is CRLF");
        let lengths = head.lines().filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            ["l", "content-length"].contains(&name.trim().to_lowercase().as_str()).then(|| value.trim())
        });
        let declared = lengths.collect::<Vec<_>>().join(" ");
        match UNFIT.iter().find(|unfit| unfit.0 == name) {
            Some((_, length, found)) => assert_eq!((declared.as_str(), body), (*length, *found), "{name}"),
            None => assert_eq!(declared, body.to_string(), "{name}"),
        }
    }
}

#[test]
fn from_a_connection_each_comes_out_as_it_went_in_and_so_does_the_next() {
    let next = b"OPTIONS sip:next@example.com SIP/2.0\r\nl: 0\r\n\r\n";
    for name in names().filter(|name| *name != "baddn" && UNFIT.iter().all(|unfit| unfit.0 != *name)) {
        for size in [1, 7, 65_535] {
            let (mut stream, mut pieces) = (Stream::default(), Vec::new());
            for chunk in [&bytes(name)[..], next].concat().chunks(size) {
                stream.push(chunk);
                pieces.extend(core::iter::from_fn(|| stream.next_piece().unwrap()));
            }
            assert_eq!(pieces, [Piece::Message(bytes(name)), Piece::Message(next.to_vec())], "{name} by {size}");
        }
    }
}

#[test]
fn on_a_connection_two_requests_are_two_a_short_one_is_waited_for_and_a_doubtful_length_ends_it() {
    let stream = |name: &str| {
        let mut stream = Stream::default();
        stream.push(&bytes(name));
        stream
    };
    let mut two = stream("dblreq");
    let mut message = || match two.next_piece() {
        Ok(Some(Piece::Message(bytes))) => Some(Message::parse(&bytes).unwrap()),
        other => {
            assert_eq!(other, Ok(Some(Piece::Pong)), "an empty line between the two");
            None
        }
    };
    assert_eq!(message().unwrap().call_id(), Some("dblreq.0ha0isndaksdj99sdfafnl3lk233412"));
    assert!(message().is_none());
    let second = message().unwrap();
    assert_eq!((second.call_id(), second.body().len()), (Some("dblreq.0ha0isnda977644900765@192.0.2.15"), 150));
    let mut short = stream("clerr");
    assert_eq!((short.next_piece(), short.is_waiting()), (Ok(None), true));
    for name in ["ncl", "mcl01"] {
        assert_eq!(stream(name).next_piece(), Err(Broken::Length), "{name}");
    }
}

#[test]
fn white_space_is_nothing_where_the_grammar_allows_it() {
    let message = read("wsinv");
    assert_eq!(message.check(), Ok(()));
    assert_eq!(message.to().unwrap().tag(), Some("1918181833n"));
    let from = message.from().unwrap();
    assert_eq!((from.display_name().unwrap().as_ref(), from.tag()), ("J Rosenberg \\\"", Some("98asjd8")));
    assert_eq!((message.max_forwards(), message.cseq().unwrap().number), (Some(68), 9));
    let vias: Vec<Via<'_>> = message.list(&Name::Via).map(|via| Via::parse(via).unwrap()).collect();
    let hops: Vec<_> = vias.iter().map(|via| (via.transport, via.host, via.branch().unwrap())).collect();
    assert_eq!(
        hops,
        [
            ("UDP", "192.0.2.2", "390skdjuw"),
            ("TCP", "spindle.example.com", "z9hG4bK9ikj8"),
            ("UDP", "192.168.255.111", "z9hG4bK30239")
        ]
    );
    assert_eq!(message.header(&Name::Subject), Some(""));
    let contact = message.contact().unwrap().unwrap();
    assert_eq!((contact.param("newparam"), contact.param("q")), (Some("newvalue"), Some("0.33")));
    assert_eq!(contact.display_name().unwrap(), r#"Quoted string """#);
    let route = NameAddr::parse(message.header(&Name::Route).unwrap()).unwrap().uri().unwrap();
    assert_eq!((route.param("unknownwith"), route.param("unknown-no-value")), (Some("value"), Some("")));
    assert_eq!(message.header(&Name::Other("UnknownHeaderWithUnusualValue")), Some(";;,,;;,;"));
}

#[test]
fn names_of_every_character_that_they_may_hold_are_read_whole() {
    let message = read("intmeth");
    assert_eq!(message.check(), Ok(()));
    assert_eq!(message.method().as_str(), "!interesting-Method0123456789_*+`.%indeed'~");
    let uri = Uri::parse(message.uri().unwrap()).unwrap();
    assert_eq!((uri.host, uri.password), ("example.com", Some("&it+has=1,weird!*pas$wo~d_too.(doesn't-it)")));
    assert_eq!(message.from().unwrap().tag(), Some("_token~1'+`*%!-."));
    assert_eq!(message.to().unwrap().display_name().unwrap(), "BEL:\x07 NUL:\0 DEL:\x7f");
    let extension = message.header(&Name::Other("extensionHeader-!.%*+_`'~"));
    assert_eq!(extension, Some("\u{feff}大停電"));
    assert_eq!(message.from().unwrap().param("fromParam''~+*_!.-%"), Some("\"работающий\""));
}

#[test]
fn escapes_are_kept_and_mean_no_structure() {
    let message = read("esc01");
    let uri = Uri::parse(message.uri().unwrap()).unwrap();
    assert_eq!((uri.user, uri.host), (Some("sips%3Auser%40example.com"), "example.net"));
    assert_eq!(message.contact().unwrap().unwrap().uri().unwrap().param("lr"), None);
    assert_eq!(message.contact().unwrap().unwrap().uri().unwrap().param("n%61me"), Some("v%61lue%25%34%31"));
    let users = |name: &str| -> Vec<String> {
        let message = read(name);
        let contacts = message.list(&Name::Contact).map(|text| NameAddr::parse(text).unwrap().uri().unwrap());
        contacts.map(|uri| uri.user.unwrap().to_owned()).collect()
    };
    assert_eq!(users("escnull"), ["%00", "%00%00"], "two contacts, and not one");
    assert_eq!(read("escnull").to().unwrap().uri().unwrap().user, Some("null-%00-null"), "not cut short");
    assert_eq!(users("esc02"), ["alias1", "alias3"]);
    let another = read("esc02");
    assert_eq!(another.header(&Name::Other("C%6Fntact")), Some("<sip:alias2@host2.example.com>"));
    assert_eq!(
        (another.method(), another.from().unwrap().display),
        (Method::Other("RE%47IST%45R".into()), r#""%Z%45""#)
    );
}

#[test]
fn a_long_request_is_read_to_its_last_value() {
    let message = read("longreq");
    assert_eq!(message.check(), Ok(()));
    assert_eq!(message.list(&Name::Via).count(), 34);
    let numbered: Vec<String> =
        message.list(&Name::Via).take(33).map(|via| Via::parse(via).unwrap().host.to_owned()).collect();
    assert_eq!(numbered, (1..=33).rev().map(|number| format!("sip{number}.example.com")).collect::<Vec<_>>());
    let last = message.list(&Name::Via).last().map(|via| Via::parse(via).unwrap()).unwrap();
    assert_eq!((last.host, last.received()), ("host.example.com", "192.0.2.5".parse().ok()));
    assert_eq!(last.branch(), Some(format!("very{}branchvalue", "long".repeat(50)).as_str()));
    let (to, from) = (message.to().unwrap(), message.from().unwrap());
    assert_eq!(to.display_name().unwrap(), format!("I have a user name of {} proportion", "extreme".repeat(10)));
    let to = to.uri().unwrap();
    assert_eq!((to.port, to.param(&format!("longparam{}", "name".repeat(25)))), (Some(6000), Some("shortvalue")));
    assert_eq!(from.tag(), Some(format!("12{}424", "982".repeat(50)).as_str()));
    assert_eq!(from.param(&format!("unknownValueless{}", "paramname".repeat(10))), Some(""));
}

#[test]
fn the_first_of_two_requests_in_one_datagram_is_taken_alone() {
    let message = read("dblreq");
    assert_eq!((message.method(), message.body().len()), (Method::Register, 0));
    assert!(message.call_id().unwrap().starts_with("dblreq.0ha0isndaksdj99"));
}

#[test]
fn a_body_in_parts_is_kept_byte_by_byte() {
    let (message, whole) = (read("mpart01"), bytes("mpart01"));
    assert!(message.body().len() == 553 && whole.ends_with(message.body()));
    assert_eq!(message.body().iter().filter(|byte| **byte == 0).count(), 2);
    assert_eq!(message.header(&Name::ContentType), Some("multipart/mixed;boundary=7a9cbec02ceef655"));
}

#[test]
fn a_reason_phrase_is_any_text_or_none() {
    let message = read("unreason");
    assert_eq!(message.code(), Some(200));
    assert_eq!(message.reason(), "= 2**3 * 5**2 но сто девяносто девять - простое");
    assert_eq!((read("noreason").code(), read("noreason").reason().is_empty()), (Some(100), true));
}

#[test]
fn what_is_no_message_says_what_is_wrong_with_it() {
    let parse = |name: &str| Message::parse(&bytes(name)).map(drop);
    assert!(matches!(parse("clerr"), Err(Malformed::Truncated { declared: 9_999, .. })));
    assert!(matches!(parse("ncl"), Err(Malformed::Value { name: Name::ContentLength, .. })));
    assert!(matches!(parse("mcl01"), Err(Malformed::Repeated(Name::ContentLength))));
    assert!(matches!(parse("badvers"), Err(Malformed::Version)));
    for name in ["lwsruri", "lwsstart", "bigcode"] {
        assert!(matches!(parse(name), Err(Malformed::StartLine(_))), "{name}");
    }
    let check = |name: &str| read(name).check();
    assert!(matches!(check("scalar02"), Err(Malformed::Value { name: Name::CSeq, .. })));
    assert!(matches!(check("scalarlg"), Err(Malformed::Value { name: Name::CSeq, .. })));
    assert!(matches!(check("quotbal"), Err(Malformed::Value { name: Name::To, .. })));
    assert!(matches!(check("badinv01"), Err(Malformed::Value { name: Name::Via, .. })));
    assert!(matches!(check("mismatch01"), Err(Malformed::Value { name: Name::CSeq, .. })));
    assert!(matches!(check("ltgtruri"), Err(Malformed::Uri(_))) && matches!(check("escruri"), Err(Malformed::Uri(_))));
    assert!(matches!(check("mismatch02"), Err(Malformed::Value { name: Name::CSeq, .. })));
    assert_eq!(check("multi01"), Err(Malformed::Repeated(Name::From)));
    assert_eq!(check("insuf"), Err(Malformed::Missing(Name::From)));
    assert_eq!(parse("baddn"), Err(Malformed::NoEnd));
    assert_eq!(read("scalarlg").retry_after(), Some(u32::MAX), "too large counts as the largest");
}

#[test]
fn a_contact_s_parameters_are_the_header_s_or_the_uri_s_by_its_angles() {
    let contact = |name: &str| {
        let message = read(name);
        let contact = message.contact().unwrap().unwrap();
        (contact.param("unknownparam").is_some(), contact.uri().unwrap().param("unknownparam").is_some())
    };
    assert_eq!((contact("cparam01"), contact("cparam02")), ((true, false), (false, true)));
    let route = read("regescrt");
    let route = NameAddr::parse(route.header(&Name::Contact).unwrap()).unwrap().uri().unwrap();
    assert_eq!(route.headers, Some("Route=%3Csip:sip.example.com%3E"));
}

#[test]
fn addresses_of_ipv6_are_read_with_their_brackets_and_their_ports() {
    let uri = |name: &str| {
        let message = read(name);
        let uri = Uri::parse(message.uri().unwrap()).unwrap();
        (uri.ip().map(|ip| ip.to_string()), uri.port)
    };
    assert_eq!(uri("ipv6-good"), (Some("2001:db8::10".into()), None));
    assert_eq!(uri("port-ambiguous"), (Some("2001:db8::10:5070".into()), None));
    assert_eq!(uri("port-unambiguous"), (Some("2001:db8::10".into()), Some(5070)));
    assert!(matches!(read("ipv6-bad").check(), Err(Malformed::Uri(_))));
    let embedded = (Some("2001:db8::c000:201".into()), None);
    assert_eq!((uri("ipv6-bug-abnf-3-colons"), uri("ipv6-correct-abnf-2-colons")), (embedded.clone(), embedded));
    for name in ["via-received-param-with-delim", "via-received-param-no-delim"] {
        assert_eq!(read(name).via().unwrap().received(), "2001:db8::9:255".parse().ok(), "{name}");
    }
    let mixed = read("mult-ip-in-header");
    let hosts: Vec<_> = mixed.list(&Name::Via).map(|via| Via::parse(via).unwrap().host_str().to_owned()).collect();
    assert_eq!(hosts, ["2001:db8::9:1", "192.0.2.1", "2001:db8::9:255"]);
}

/// A message in the form of `torture_fields.txt`.
fn fields(name: &str) -> String {
    let message = read(name);
    let address = |value: NameAddr<'_>| {
        assert_eq!(value.uri().map(|uri| uri.to_string()).as_deref(), Ok(value.uri), "{name}: written as it was read");
        value.uri.to_owned() + &value.tag().map(|tag| format!(" tag {tag}")).unwrap_or_default()
    };
    let start = match message.start() {
        Start::Request { method, uri } => {
            assert_eq!(Uri::parse(uri).map(|uri| uri.to_string()).as_deref(), Ok(uri), "{name}");
            format!("{method} {uri}")
        }
        Start::Response { code, reason } => format!("{code} {reason}").trim_end().to_owned(),
    };
    let cseq = message.cseq().unwrap();
    let vias: Vec<Via<'_>> = message.list(&Name::Via).map(|via| Via::parse(via).unwrap()).collect();
    let port = vias[0].port.map(|port| format!(":{port}")).unwrap_or_default();
    let contacts: Vec<&str> = message.list(&Name::Contact).map(|text| NameAddr::parse(text).unwrap().uri).collect();
    let contacts = if contacts.is_empty() { "-".into() } else { contacts.join(" ") };
    format!(
        "{name}: {start}\n  from {}\n  to {}\n  call {}\n  seq {} {}\n  hops {}\n  via {} {}{port} {} first of {}\n  \
         contacts {contacts}\n  {} lines, {} bytes{}\n",
        address(message.from().unwrap()),
        address(message.to().unwrap()),
        message.call_id().unwrap(),
        cseq.number,
        cseq.method,
        message.max_forwards().map_or("-".into(), |hops| hops.to_string()),
        vias[0].transport,
        vias[0].host,
        vias[0].branch().unwrap_or("-"),
        vias.len(),
        message.fields().count(),
        message.body().len(),
        message.content_type().map(|kind| format!(" of {kind}")).unwrap_or_default(),
    )
}
