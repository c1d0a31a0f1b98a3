//! What the well formed messages of RFC 4475 and RFC 5118 say, field by field, and where they end.
//!
//! `torture_fields.txt` was written from the RFCs and not by this reader. The files are kept from any change on their
//! way through git by `.gitattributes`; the sums below are those of the archives in appendix A of either RFC, as others
//! who unpacked them have published them, file by file.

use crate::torture_files::{bytes, names, read};
use hansho::wire::sip::{Broken, Malformed, Message, Method, Name, NameAddr, Piece, Start, Stream, Uri, Via};
use sha2::{Digest, Sha256};

const FIELDS: &str = include_str!("torture_fields.txt");

/// The messages of RFC 4475 as its archive (SHA-256 4ce03214…fb0f819dd) has them, from end to end.
const SUMS: [(&str, &str); 49] = [
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
    ("badinv01", "9ee2b88f2e0b5a9eeb9bf729b6177f0a0c7d0b5e6c84be593e0480d7962f3ab8"),
    ("clerr", "d9da629086a38df433438fb0fb19a8730f34516f049a5520dd0cac3285485290"),
    ("ncl", "7ea6538edc1f054fdb6cd1c821040460cffca3cb682fa2e8e2a502d92170b4c2"),
    ("scalar02", "53158177326568e9964bce5dcfac27a2bf8a90953bbc03f6c5e2775864a97e4b"),
    ("scalarlg", "0957eca31737e3592eb1418bb41e9f5219278a78ff420111620d7fb60175b551"),
    ("quotbal", "e61978a2ea359fc666f0336fe4dbc623447532280e3273ea98119b3d3f788c84"),
    ("ltgtruri", "bcacb2dc17610e8cc8f9b8b0e3d6ee65ab473f93787a03bbd33579e1cea473df"),
    ("lwsruri", "3e22ceeca585ad23cc180208e2dad94e0a5aa4bb877a61cac443aa927f758b9e"),
    ("lwsstart", "f884e5626c6c5b1210cfc4a3540b8a28bd52939cff092f3f0c5c971e032adb0e"),
    ("trws", "64ae20694026e28c10746b57386b7fd1276de02b6f8d42d418070e87d6f4499f"),
    ("escruri", "c3cf30af13a9d107829cc105effd79355f1139c6ecc683a048b4c27951f8f416"),
    ("baddate", "1208a6e3e0c8a8c33a06a1f3733d158413cb72e58c379d094c4ecea11e9d4c28"),
    ("regbadct", "575d27530275814c1c98be164808fac89a0e2b4fc899dadcd97e6ba499437bda"),
    ("badaspec", "f8f6e2f4247287b0be6adb5ac222a6db4759395e44d27d2ddb9b39393e94867e"),
    ("baddn", "9d9428e8017092f194ec11077ba6865c251308cdfd7fd9db6a993b28e5748951"),
    ("badvers", "037d702d19e934bfeebbd2609050d7d54928d590cf90c78f3914522771dd8e03"),
    ("mismatch01", "a2c285636e451e75420da0cc62ee55ca3e398827008418befbfb078726bf0793"),
    ("mismatch02", "01b287f9a9c492f7f57405c36c8a2af0e2393896ed2d25fb92b502f2a6722bc4"),
    ("bigcode", "f79450070975da54c3525c9a5cbe75bae3c9d8cb92eba609772c26f66f225c2e"),
    ("badbranch", "cb049c727f16b5ec49e822f9e8b7d0ee20ca2d20ffb50baecd0b411a5e64fa7d"),
    ("insuf", "1e3efd9f3b238c6351ba12bc7eb46d843f2761b5d4a6b82b63bffdf07f2c5aee"),
    ("unkscm", "81be1a6a566c7ab52fe1c58c4a75440dfd697ad04c5e09fa71340de7da7b8bbb"),
    ("novelsc", "9a50a7343fcf685e77c4d0f477138a28f32a41c75aa566d200f3df210b01e648"),
    ("unksm2", "f6914409ced613ef5eb56e264d2f096dac26ab9e397d6a638934d2027f1f6acb"),
    ("bext01", "57181987c02c4f5752b7aa8c2847311f6184216ce7621e40303015949e70761c"),
    ("invut", "9b39e824947df46f90f824cd308fb3c118f548d94637f581101e355b381a0d92"),
    ("regaut01", "885ba0488872cfc04a3c7622854b8381955a5ee890745d6010834e3731a73faa"),
    ("multi01", "d156ab12105b4bfd8a6498de6f7195087058162b8cda1606169855b722411791"),
    ("mcl01", "887191619bf003b7e87399200b5cf4c3b5397344dbf70288ad5e23bd157b7fe4"),
    ("bcast", "073637c63597199179cf5fc91b980b2d530c066a0048ea3b908772def57b4c36"),
    ("zeromf", "50954ef47acca4f9f5263ded06246d06dee4e2ee508a8d284191795d7fddf365"),
    ("cparam01", "dfa6b5cdb289adc694b9b7e103ebfa7a2167335c46e5dc9de67055021910ae1c"),
    ("cparam02", "e93574215bd1d804bb46cc15ca6176b567def7ea1b15f72ab2c2dcf598af465a"),
    ("regescrt", "dab4087c133348b06fd7b3c4c7ef15094f8754e265e4e8c2137bb3ecda2ef477"),
    ("sdp01", "497c5f1ced6c7b579b48075e2dca919ce9b819a735964128a6e744a3a0b9e57f"),
    ("inv2543", "76fac8afe22dee49ea696b511621946694897ac7030fc5d07f57c8b487ce0521"),
];

/// The messages of RFC 5118 as its archive (SHA-256 5a4dbe78…3fa9067) has them: LF alone ends a line, and the last two
/// have no empty line.
const SUMS_OF_IPV6: [(&str, &str); 12] = [
    ("ipv6-good", "80654d05559d5bda7d584b39e0f4dbf69b23189cb140754ef889a4996a3505ed"),
    ("ipv6-bad", "f6ffa0b2e664d05dbecde6bd7eb6fd71a9f01d43a3a0d3e084766c6240be4972"),
    ("port-ambiguous", "e1925cfd89436c36025fd21d144b7788cb988bfd752498cf767e3303426f2e7d"),
    ("port-unambiguous", "be3a4dbac87b1cdabde97595d117773e3864ffd2ff7ab645bfd5773e280bcd4e"),
    ("via-received-param-with-delim", "568255f70f186f7d09fe437a662bb32a7b14285c5243222a1a401004b7e6ba80"),
    ("via-received-param-no-delim", "45f233fd536e7d4d9f47be5098992cd912394a80460dd6b16979f61a713b9dd9"),
    ("ipv6-in-sdp", "c09ab30a92e790ecd261aadbb3876f8043307bffec3103f5add052d64a125532"),
    ("mult-ip-in-header", "ace698f6827e940812cfe26c48960f9069b02291b0022b0777cf00f37405f83a"),
    ("mult-ip-in-sdp", "c50fb1a29fdf4f0c3c12cf9cf5b490df1bb86d6dfacf7bc807e2c3e7e8660013"),
    ("ipv4-mapped-ipv6", "b3d7df025b6465461741c3788fa3b48af25b08d6a2fdb59ded815cc0afc04a68"),
    ("ipv6-bug-abnf-3-colons", "e542604dca3aed5c346a549c1f692aecf98a12353b38283be3e199664abeb43e"),
    ("ipv6-correct-abnf-2-colons", "6a8c09976009aab0159cf1b8cc3e2964b3853557102b5b86bf2b6b2c48c0779e"),
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
fn the_bytes_are_those_of_the_archives() {
    let sum = |bytes: &[u8]| -> String { Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect() };
    for (name, expected) in SUMS {
        assert_eq!(sum(&bytes(name)), expected, "{name}");
    }
    for (name, expected) in SUMS_OF_IPV6 {
        let mut archived = bytes(name);
        archived.retain(|byte| *byte != b'\r');
        if name.contains("-colons") {
            assert!(archived.ends_with(b"\n\n"), "{name}");
            archived.pop();
        }
        assert_eq!(sum(&archived), expected, "{name}");
    }
    let listed: Vec<&str> = SUMS.iter().chain(&SUMS_OF_IPV6).map(|(name, _)| *name).collect();
    assert_eq!(listed, names().collect::<Vec<_>>(), "none is left out");
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
        let mut stream = stream(name);
        assert_eq!(stream.next_piece(), Err(Broken::Length), "{name}");
        assert_eq!(stream.rest(), bytes(name), "{name}: for the agent, who refuses it");
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
