use super::*;

fn shown(message: &str) -> Rung {
    rung(message.as_bytes())
}

fn kept(message: &str) -> String {
    let kept = masked(message.as_bytes().to_vec());
    assert_eq!(kept.len(), message.len(), "a mask is as long as what it hides");
    String::from_utf8(kept).unwrap()
}

#[test]
fn a_request_says_its_method_and_what_happened_to_it_on_the_way() {
    let rung = shown(
        "INVITE sip:bell@192.0.2.1 SIP/2.0\r\ni: x\r\nCSeq: 7 INVITE\r\nc: application/sdp;x=y\r\nDiversion: \
         <sip:+8150@pbx>\r\n ;reason=unconditional\r\nhistory-info: <sip:a@b>;index=1, <sip:c@d>;index=1.1\r\n\r\nv=0\r\n",
    );
    assert_eq!(rung.what, Says::Request { method: "INVITE".into(), uri: "sip:bell@192.0.2.1".into() });
    assert_eq!((rung.cseq.as_str(), rung.sdp), ("7 INVITE", true));
    let headers = [
        ("Diversion", "<sip:+8150@pbx> ;reason=unconditional".to_owned()),
        ("History-Info", "<sip:a@b>;index=1, <sip:c@d>;index=1.1".to_owned()),
    ];
    assert_eq!(rung.headers, headers);
}

#[test]
fn what_is_longer_than_anybody_reads_is_cut() {
    let long = "x".repeat(9_000);
    let rung = shown(&format!("SIP/2.0 480 {long}\r\nCSeq: 1 {long}\r\nReason: {long}\r\n\r\n"));
    assert_eq!(rung.what, Says::Response { code: 480, reason: "x".repeat(400) });
    assert_eq!((rung.cseq.len(), rung.headers[0].1.len()), (48, 400));
    assert!(matches!(shown(&format!("SIP/2.0 {long}")).what, Says::Nonsense(said) if said.len() == 400));
}

#[test]
fn both_ends_are_named_as_they_name_themselves() {
    let message = "INVITE sip:a@b SIP/2.0\r\nf: \"Anna\"\r\n <sip:anna@pbx>;tag=1\r\nTo: <sip:bell@pbx>\r\n\r\n";
    assert_eq!(parties(message.as_bytes()), ["\"Anna\" <sip:anna@pbx>;tag=1", "<sip:bell@pbx>"]);
    assert_eq!(parties(b"what is this"), ["", ""]);
}

#[test]
fn a_response_says_its_status_and_why() {
    let rung = shown("SIP/2.0 302 Moved  \nCSeq: 1 INVITE\nm: <sip:x@y>\nReason: Q.850;cause=16\nRetry-After: 5\n\n");
    assert_eq!(rung.what, Says::Response { code: 302, reason: "Moved".into() });
    let names: Vec<_> = rung.headers.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(names, ["Contact=<sip:x@y>", "Reason=Q.850;cause=16", "Retry-After=5"]);
    assert!(shown("SIP/2.0 200 OK\r\nContact: <sip:x@y>\r\n\r\n").headers.is_empty(), "no redirect");
}

#[test]
fn a_message_that_is_refused_as_nonsense_is_shown_all_the_same() {
    let broken = "INVITE sip:a@b SIP/2.0\r\nno header at all\r\nCall-ID: z\r\nCSeq: x\r\nContent-Length: 999\r\n\r\n";
    assert_eq!(whose(broken.as_bytes()), Some(Whose { call_id: "z".into(), of_call: true }));
    assert_eq!(shown(broken).cseq, "x");
    assert_eq!(shown("SIP/2.0 abc\r\n\r\n").what, Says::Nonsense("SIP/2.0 abc".into()));
    assert_eq!(shown("\r\n\r\n").what, Says::Nonsense(String::new()));
    for nobodys in ["", "\r\n\r\n", "hello", "INVITE sip:a@b SIP/2.0\r\n\r\n", "X y z\r\nCall-ID:\r\n\r\n"] {
        assert_eq!(whose(nobodys.as_bytes()), None, "{nobodys}");
    }
}

#[test]
fn a_registration_begins_no_ladder_of_a_call_and_an_answer_counts_as_its_request() {
    let of = |text: &str| whose(text.as_bytes()).unwrap().of_call;
    assert!(!of("REGISTER sip:a SIP/2.0\r\nCall-ID: z\r\nCSeq: 1 REGISTER\r\n\r\n"));
    assert!(!of("SIP/2.0 200 OK\r\nCall-ID: z\r\nCSeq: 1 OPTIONS\r\n\r\n"));
    assert!(of("SIP/2.0 200 OK\r\nCall-ID: z\r\nCSeq: 1 BYE\r\n\r\n"));
}

#[test]
fn no_proof_of_who_somebody_is_is_kept() {
    let message = "INVITE sip:a@b SIP/2.0\r\nproxy-authorization : Digest username=\"be\\\"ll, x\", RESPONSE=\"0af\\\"1\",\r\n \
                   cnonce=abc, nonce=\"n,1\", made-up=7\r\nAuthorization: Basic YTpi\r\n Yzpk\r\nTo: <sip:a@b>\r\n\r\nv=0\r\n\
                   a=crypto:1 AES inline:c2VjcmV0\r\na=ptime:20\r\n";
    let expected = "INVITE sip:a@b SIP/2.0\r\nproxy-authorization : Digest username=\"be\\\"ll, x\", RESPONSE=\"****\"*\",\r\n \
                    cnonce=***, nonce=\"n,1\", made-up=*\r\nAuthorization: Basic ****\r\n ****\r\nTo: <sip:a@b>\r\n\r\nv=0\r\n\
                    a=crypto:1 AES inline:********\r\na=ptime:20\r\n";
    assert_eq!(kept(message), expected);
    let answer = kept("SIP/2.0 200 OK\r\nAuthentication-Info: rspauth=\"6a\", qop=auth\r\n\r\n");
    assert_eq!(answer, "SIP/2.0 200 OK\r\nAuthentication-Info: rspauth=\"**\", qop=auth\r\n\r\n");
}

#[test]
fn what_is_written_or_pressed_in_confidence_is_not_kept() {
    let info = kept("INFO sip:a SIP/2.0\r\nCall-ID: x\r\n\r\nSignal=5\r\nDuration=160\r\n");
    assert_eq!(info, "INFO sip:a SIP/2.0\r\nCall-ID: x\r\n\r\n********\r\n************\r\n");
    assert!(!kept("MESSAGE sip:a SIP/2.0\nCall-ID: x\n\nhttps://x/hotline/S").contains("hotline"));
}

#[test]
fn any_bytes_are_read_and_masked_without_a_panic() {
    let message = b"INVITE sip:a@b SIP/2.0\r\nAuthorization: Digest a=\"b\\\r\n c\"\r\nCSeq: 1 X\r\n\r\na=crypto:1\r\n";
    for cut in 0..message.len() {
        for odd in [b'"', b'\\', b'\n', b'\0', 0xff, b':', b','] {
            let mut bytes = message.to_vec();
            bytes[cut] = odd;
            assert_eq!(rung(&bytes), rung(&bytes.clone()));
            let _ = whose(&bytes);
            assert_eq!(masked(bytes.clone()).len(), bytes.len());
            assert_eq!(masked(bytes[cut..].to_vec()).len(), bytes.len() - cut);
        }
    }
}
