//! Ugly and valid: messages in the manner of RFC 4475 §3.1.1 and RFC 5118 §4 that must be understood.

use crate::read;
use hansho::wire::sip::{CSeq, Message, Method, Name, NameAddr, Start, Uri, Via};

#[test]
fn white_space_folds_and_compact_names_wherever_the_grammar_allows_them() {
    let message = read(
        "INVITE sip:ring@bell.example;maddr=198.51.100.3 SIP/2.0\n\
         tO :\n sip:ring@bell.example ;   tag    = 1918181833n\n\
         FROM   : \"Fire \\\\ \\\"Watch\\\"\"       <sip:watch@tower.example>\n  ;\n  tag = 98asjd8\n\
         MaX-fOrWaRdS: 0068\n\
         Call-ID:   wsinv.ndaksdj@192.0.2.1\n\
         Content-Length   : 7\n\
         cseq: 0009\n  INVITE\n\
         Via  : SIP  /   2.0\n /UDP\n    192.0.2.2;branch=390skdjuw\n\
         s :\n\
         NewFangledHeader:   newfangled value\n continued newfangled value\n\
         UnknownHeaderWithUnusualValue: ;;,,;;,;\n\
         Content-Type: application/sdp\n\
         Route:\n <sip:services.example;lr;unknownwith=value;unknown-no-value>\n\
         v:  SIP  / 2.0  / TCP     spindle.example   ;\n  branch  =   z9hG4bK9ikj8  ,\n \
          SIP  /    2.0   / UDP  192.168.255.111   ; branch=\n z9hG4bK30239\n\
         m:\"Quoted \\\"string\\\"\" <sip:watch@tower.example> ; newparam =\n      newvalue ;\n  secondparam ; q = 0.33\n\
         \n\
         v=0\n\
         x\n",
    );
    assert_eq!(message.check(), Ok(()));
    assert_eq!(message.to().unwrap().tag(), Some("1918181833n"));
    let from = message.from().unwrap();
    assert_eq!(from.display_name().unwrap(), r#"Fire \ "Watch""#);
    assert_eq!(from.tag(), Some("98asjd8"));
    assert_eq!(message.max_forwards(), Some(68));
    assert_eq!(message.cseq(), Ok(CSeq { number: 9, method: Method::Invite }));
    assert_eq!(message.header(&Name::Subject), Some(""));
    let newfangled = message.header(&Name::Other("newfangledheader")).unwrap();
    assert_eq!(
        newfangled.split_whitespace().collect::<Vec<_>>().join(" "),
        "newfangled value continued newfangled value"
    );
    let vias: Vec<_> = message.list(&Name::Via).map(|via| Via::parse(via).unwrap()).collect();
    let hosts: Vec<_> = vias.iter().map(|via| (via.transport, via.host, via.branch().unwrap())).collect();
    let spindle = ("TCP", "spindle.example", "z9hG4bK9ikj8");
    assert_eq!(hosts, [("UDP", "192.0.2.2", "390skdjuw"), spindle, ("UDP", "192.168.255.111", "z9hG4bK30239")]);
    let contact = message.contact().unwrap().unwrap();
    assert_eq!(
        (contact.param("newparam"), contact.param("secondparam"), contact.param("q")),
        (Some("newvalue"), Some(""), Some("0.33"))
    );
    let route = NameAddr::parse(message.list(&Name::Route).next().unwrap()).unwrap();
    assert_eq!(route.uri().unwrap().param("lr"), Some(""));
    assert_eq!(message.body(), b"v=0\r\nx\r");
}

#[test]
fn a_method_and_a_header_name_of_every_token_character() {
    let name = "!interesting-Method0123456789_*+`.%indeed'~";
    let text = format!(
        "{name} sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@host.example SIP/2.0\n\
         Via: SIP/2.0/TCP host1.example;branch=z9hG4bK-.!%66*_+`'~\n\
         To: \"BEL:\\\x07 NUL:\\\x01 DEL:\\\x7F\" <sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*@host.example>\n\
         From: token1~` token2'+_ token3*%!.- <sip:mundane@host.example>;fromParam''~+*_!.-%=\"\u{442}\u{435}\u{441}\u{442}\";tag=_token~1'+`*%!-.\n\
         Call-ID: intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}}{{\n\
         CSeq: 139122385 {name}\n\
         Max-Forwards: 255\n\
         extensionHeader-!.%*+_`'~: \u{feff}\u{5927}\u{505c}\u{96fb}\n\
         Content-Length: 0\n\n"
    );
    let message = read(&text);
    assert_eq!(message.check(), Ok(()));
    assert_eq!(message.method(), Method::parse(name).unwrap());
    let uri = Uri::parse(message.uri().unwrap()).unwrap();
    assert_eq!((uri.host, uri.user), ("host.example", Some("1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*")));
    assert_eq!(uri.password, Some("&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"));
    assert_eq!(uri.to_string(), message.uri().unwrap());
    assert_eq!(message.from().unwrap().tag(), Some("_token~1'+`*%!-."));
    assert_eq!(message.header(&Name::Other("extensionheader-!.%*+_`'~")), Some("\u{feff}大停電"));
    assert!(message.call_id().unwrap().ends_with("}{"));
}

#[test]
fn escapes_stay_as_they_are_written() {
    let uri = Uri::parse("sip:sips%3Auser%40example.com@example.net;%6C%72?Route=%3Csip:a%3E").unwrap();
    assert_eq!(
        (uri.user, uri.host, uri.headers),
        (Some("sips%3Auser%40example.com"), "example.net", Some("Route=%3Csip:a%3E"))
    );
    assert_eq!((uri.param("lr"), uri.param("%6c%72")), (None, Some("")));
    let null = Uri::parse("sip:null-%00-null@example.com").unwrap();
    assert_eq!(null.user, Some("null-%00-null"));
}

#[test]
fn a_semicolon_in_the_user_part_is_no_parameter() {
    let uri = Uri::parse("sip:user;par=u%40example.net@example.com;x=1").unwrap();
    assert_eq!((uri.user, uri.param("par"), uri.param("x")), (Some("user;par=u%40example.net"), None, Some("1")));
}

#[test]
fn a_display_name_may_touch_its_address() {
    let caller = NameAddr::parse("caller<sip:caller@example.com>;tag=323").unwrap();
    assert_eq!((caller.display, caller.uri, caller.tag()), ("caller", "sip:caller@example.com", Some("323")));
}

#[test]
fn commas_and_semicolons_in_quotes_and_angles_separate_nothing() {
    let message = read(
        "REGISTER sip:r.example SIP/2.0\n\
         Contact: \"a, b; <c> \\\", d\" <sip:x,y@h;p=1,2>;q=1;s=\"1,2;3\", <sip:z@h>,,\n\
         Contact: *\n\n",
    );
    let contacts: Vec<_> = message.list(&Name::Contact).map(|c| NameAddr::parse(c).unwrap()).collect();
    assert_eq!(contacts.iter().map(|c| c.uri).collect::<Vec<_>>(), ["sip:x,y@h;p=1,2", "sip:z@h", "*"]);
    assert_eq!(
        (contacts[0].display_name().unwrap().as_ref(), contacts[0].param("s")),
        ("a, b; <c> \", d", Some("\"1,2;3\""))
    );
    assert!(contacts[2].uri().is_err());
}

#[test]
fn parameters_outside_the_angles_are_the_header_s() {
    let bare = NameAddr::parse("sip:user@example.com;expires=5;unknown").unwrap();
    assert_eq!((bare.uri, bare.expires()), ("sip:user@example.com", Some(5)));
    let inside = NameAddr::parse("<sip:user@example.com;expires=5>;expires=4294967297").unwrap();
    assert_eq!((inside.uri().unwrap().param("expires"), inside.expires()), (Some("5"), Some(u32::MAX)));
}

#[test]
fn what_lies_beyond_content_length_is_discarded() {
    let message = read("REGISTER sip:a.example SIP/2.0\nl: 2\n\nokINVITE sip:b.example SIP/2.0\n\n");
    assert_eq!((message.method(), message.body()), (Method::Register, &b"ok"[..]));
}

#[test]
fn empty_lines_before_the_start_line_are_skipped_and_lf_alone_ends_a_line() {
    let message =
        Message::parse(b"\r\n\r\n\nOPTIONS sip:a SIP/2.0\nVia: SIP/2.0/UDP h\n ;branch=z9hG4bK1\n\nbody").unwrap();
    assert_eq!(message.via().unwrap().branch(), Some("z9hG4bK1"));
    assert_eq!(message.body(), b"body");
}

#[test]
fn a_reason_phrase_may_be_empty_missing_or_of_any_script() {
    let start = |line: &str| match read(&format!("{line}\n\n")).start() {
        Start::Response { code, reason } => (code, reason.to_owned()),
        request => panic!("{request:?}"),
    };
    assert_eq!(start("SIP/2.0 100 "), (100, String::new()));
    assert_eq!(start("SIP/2.0 100"), (100, String::new()));
    assert_eq!(start("sip/2.0 200 = 2**3 * 5**2 \u{5927}\u{4e08}\u{592b}"), (200, "= 2**3 * 5**2 大丈夫".into()));
}

#[test]
fn a_response_s_method_is_its_cseq_s() {
    assert_eq!(read("SIP/2.0 487 x\nCSeq: 3 INVITE\n\n").method(), Method::Invite);
    assert_eq!(read("SIP/2.0 487 x\nCSeq: junk\n\n").method(), Method::Other("".into()));
}

#[test]
fn a_body_of_any_bytes_is_kept() {
    let mut bytes =
        b"MESSAGE sip:a SIP/2.0\r\nContent-Type: application/octet-stream\r\nContent-Length: 7\r\n\r\n".to_vec();
    bytes.extend([0, 255, 13, 10, 13, 10, 128]);
    assert_eq!(Message::parse(&bytes).unwrap().body(), [0, 255, 13, 10, 13, 10, 128]);
}

#[test]
fn text_that_is_not_utf8_spoils_its_own_value_only() {
    let message = Message::parse(b"BYE sip:a SIP/2.0\r\nSubject: caf\xe9 \xff\r\nCall-ID: 1\r\n\r\n").unwrap();
    assert_eq!((message.header(&Name::Subject), message.call_id()), (Some("caf? ?"), Some("1")));
}

#[test]
fn case_counts_in_methods_and_nowhere_else() {
    assert_eq!(read("invite sip:a SIP/2.0\n\n").method(), Method::Other("invite".into()));
    let message = read("INVITE SIP:a SIP/2.0\nCALL-id: 1\nfrOM: <SIP:b@C>;TAG=X\n\n");
    assert_eq!((message.call_id(), message.from().unwrap().tag()), (Some("1"), Some("X")));
    assert!(message.from().unwrap().uri().unwrap().is_sip());
}

#[test]
fn transports_nobody_knows_are_carried() {
    let transports = ["UDP", "SCTP", "TLS", "UNKNOWN", "TLS-SCTP"].map(|transport| {
        let text = format!("SIP/2.0/{transport} t1.example;branch=z9hG4bK1");
        Via::parse(&text).map(|via| via.transport == transport)
    });
    assert_eq!(transports, [Ok(true); 5]);
}

#[test]
fn schemes_nobody_knows_are_carried() {
    for (text, user) in [
        ("nobodyKnowsThisScheme:totallyopaquecontent", "totallyopaquecontent"),
        ("soap.beep://192.0.2.103:3002", "//192.0.2.103:3002"),
        ("isbn:2983792873", "2983792873"),
        ("urn:service:sos", "service:sos"),
    ] {
        let uri = Uri::parse(text).unwrap();
        assert_eq!((uri.user, uri.host, uri.is_sip(), uri.to_string()), (Some(user), "", false, text.to_owned()));
    }
    let tel = Uri::parse("tel:+81-3-1234-5678;phone-context=example.com;ext=12").unwrap();
    assert_eq!((tel.user, tel.param("ext")), (Some("+81-3-1234-5678"), Some("12")));
}

#[test]
fn ipv6_stands_in_brackets_and_a_port_behind_them() {
    let uri = Uri::parse("sip:user@[2001:db8::10]:5070;maddr=[2001:db8::1]").unwrap();
    assert_eq!((uri.host, uri.host_str(), uri.port), ("[2001:db8::10]", "2001:db8::10", Some(5070)));
    assert_eq!(uri.ip(), Some("2001:db8::10".parse().unwrap()));
    assert_eq!(uri.to_string(), "sip:user@[2001:db8::10]:5070;maddr=[2001:db8::1]");
    let mapped = Uri::parse("sip:user@[::ffff:192.0.2.10]").unwrap();
    assert_eq!((mapped.host_str(), mapped.port), ("::ffff:192.0.2.10", None));
    for received in ["2001:db8::9:255", "[2001:db8::9:255]"] {
        let text = format!("SIP/2.0/UDP [2001:db8::9:1]:7;received={received};rport=9;branch=z9hG4bKas3-111");
        let reply = Via::parse(&text).unwrap().reply_address();
        assert_eq!(reply, Some("[2001:db8::9:255]:9".parse().unwrap()));
    }
}

#[test]
fn a_via_says_where_the_response_goes() {
    let reply = |via: &str| Via::parse(via).unwrap().reply_address().map(|to| to.to_string());
    assert_eq!(reply("SIP/2.0/UDP 192.0.2.1"), Some("192.0.2.1:5060".into()));
    assert_eq!(reply("SIP/2.0/UDP 192.0.2.1:5070;rport"), Some("192.0.2.1:5070".into()));
    assert_eq!(reply("SIP/2.0/UDP 192.0.2.1:5070;received=198.51.100.1"), Some("198.51.100.1:5070".into()));
    assert_eq!(reply("SIP/2.0/UDP pc.example;received=198.51.100.1;rport=1024"), Some("198.51.100.1:1024".into()));
    assert_eq!(reply("SIP/2.0/UDP pc.example:5070"), None);
}

#[test]
fn a_via_is_stamped_with_what_was_seen_and_not_with_what_was_claimed() {
    let stamp = |via: &str| Via::parse(via).unwrap().stamped("192.0.2.1:9".parse().unwrap());
    assert_eq!(stamp("SIP/2.0/UDP 192.0.2.1:5060;branch=b"), "SIP/2.0/UDP 192.0.2.1:5060;branch=b");
    assert_eq!(stamp("SIP/2.0/UDP 10.0.0.1;branch=b"), "SIP/2.0/UDP 10.0.0.1;branch=b;received=192.0.2.1");
    let asked = stamp("SIP/2.0/UDP 192.0.2.1;rport;branch=b;alias");
    assert_eq!(asked, "SIP/2.0/UDP 192.0.2.1;branch=b;alias;received=192.0.2.1;rport=9");
    let claimed = stamp("SIP/2.0/UDP h;rport=5;received=203.0.113.5;branch=b");
    assert_eq!(claimed, "SIP/2.0/UDP h;branch=b;received=192.0.2.1;rport=9");
}

#[test]
fn numbers_come_with_comments_parameters_and_too_many_digits() {
    let message = read(
        "SIP/2.0 503 x\nRetry-After: 18000;duration=3600\nExpires: 10000000000000000000\nMin-Expires: 60 (sorry)\n\n",
    );
    assert_eq!(
        (message.retry_after(), message.expires(), message.min_expires()),
        (Some(18_000), Some(u32::MAX), Some(60))
    );
    let message = read("SIP/2.0 503 x\nRetry-After: Thu, 01 Dec 1994 16:00:00 GMT\nExpires: -1\nMin-Expires: 1h\n\n");
    assert_eq!((message.retry_after(), message.expires(), message.min_expires()), (None, None, None));
}

#[test]
fn software_of_rfc_2543_gets_through() {
    let message = read(
        "INVITE sip:UserB@example.com SIP/2.0\nVia: SIP/2.0/UDP iftgw.example.com\nFrom: <sip:+13035551111@ift.example.net;user=phone>\n\
         Record-Route: <sip:UserB@example.com;maddr=ss1.example.com>\nTo: sip:+16505552222@ss1.example.net;user=phone\n\
         Call-ID: inv2543.1717@ift.example.com\nCSeq: 56 INVITE\nContact: sip:+13035551111@gw.example.com;user=phone\n\n",
    );
    assert_eq!(message.check(), Ok(()));
    assert_eq!(
        (message.max_forwards(), message.from().unwrap().tag(), message.via().unwrap().branch()),
        (None, None, None)
    );
}
