//! Offers and answers, as carriers and telephones write them.

use super::*;
use proptest::prelude::*;

const LOCAL: Local<'_> = Local {
    session: 7,
    version: 1,
    media: SocketAddr::new(IpAddr::V4(core::net::Ipv4Addr::new(192, 0, 2, 1)), 20_000),
    codecs: &Codec::ALL,
    keys: None,
};

const HEAD: &str = "v=0\r\no=- 1 1 IN IP4 198.51.100.9\r\ns=-\r\nc=IN IP4 198.51.100.9\r\nt=0 0\r\n";

fn answered(media: &str) -> Result<(String, Stream), Refusal> {
    answer(&LOCAL, format!("{HEAD}{media}").as_bytes())
}

fn agreed(media: &str) -> Stream {
    answered(media).unwrap().1
}

#[test]
fn our_offer_is_word_for_word_what_it_should_be() {
    let expected = "v=0\r\no=- 7 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
        m=audio 20000 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n\
        a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=rtcp-mux\r\na=sendrecv\r\n";
    assert_eq!(offer(&LOCAL), expected);
}

#[test]
fn our_own_offer_is_answered_and_both_sides_agree() {
    let callee = Local { media: "192.0.2.2:30000".parse().unwrap(), codecs: &[Codec::Pcma], ..LOCAL };
    let (body, theirs) = answer(&callee, offer(&LOCAL).as_bytes()).unwrap();
    let ours = read_answer(&LOCAL, body.as_bytes()).unwrap();
    assert_eq!((ours.remote, theirs.remote), (callee.media, LOCAL.media));
    assert!(ours.is_muxed() && theirs.is_muxed());
    assert_eq!(Stream { remote: theirs.remote, reports: theirs.reports, ..ours }, theirs);
    assert_eq!((ours.codec, ours.payload_type, ours.event_payload_type), (Codec::Pcma, 8, Some(101)));
    assert_eq!((ours.packet_time.as_millis(), ours.send, ours.receive), (20, true, true));
}

#[test]
fn the_first_audio_that_will_do_is_taken_and_the_rest_refused() {
    let (body, stream) = answered(
        "m=video 5000 RTP/AVP 31 32\r\nm=audio 5002 RTP/SAVP 0\r\nm=audio 5004 RTP/AVP 9 8 96\r\n\
         c=IN IP4 198.51.100.10\r\na=rtpmap:96 telephone-event/8000\r\nm=audio 5006 RTP/AVP 0\r\n",
    )
    .unwrap();
    assert_eq!(stream.remote, "198.51.100.10:5004".parse::<core::net::SocketAddr>().unwrap());
    assert_eq!((stream.codec, stream.event_payload_type), (Codec::Pcma, Some(96)));
    let lines: Vec<_> = body.lines().filter(|line| line.starts_with("m=")).collect();
    let expected =
        ["m=video 0 RTP/AVP 31 32", "m=audio 0 RTP/SAVP 0", "m=audio 20000 RTP/AVP 8 96", "m=audio 0 RTP/AVP 0"];
    assert_eq!(lines, expected);
    assert!(body.contains("a=rtpmap:96 telephone-event/8000\r\na=fmtp:96 0-15\r\n"), "{body}");
}

#[test]
fn the_direction_is_mirrored_and_hold_means_silence() {
    let of = |attribute: &str| {
        let (body, stream) = answered(&format!("m=audio 5000 RTP/AVP 0\r\na={attribute}\r\n")).unwrap();
        let direction = body.lines().last().unwrap().trim_start_matches("a=").to_owned();
        (direction, stream.send, stream.receive)
    };
    assert_eq!(of("sendrecv"), ("sendrecv".into(), true, true));
    assert_eq!(of("sendonly"), ("recvonly".into(), false, true));
    assert_eq!(of("recvonly"), ("sendonly".into(), true, false));
    assert_eq!(of("inactive"), ("inactive".into(), false, false));
    let held = agreed("m=audio 5000 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n");
    assert!(!held.send && held.receive);
    assert!(!answer(&LOCAL, b"v=0\r\nc=IN IP4 198.51.100.9\r\na=sendonly\r\nm=audio 5 RTP/AVP 0\r\n").unwrap().1.send);
}

#[test]
fn the_packet_time_is_honoured_from_10_to_60_ms() {
    let of = |attributes: &str| agreed(&format!("m=audio 5000 RTP/AVP 0\r\n{attributes}")).packet_time.as_millis();
    assert_eq!([of(""), of("a=ptime:10\r\n"), of("a=ptime:40\r\n"), of("a=ptime:60\r\n")], [20, 10, 40, 60]);
    assert_eq!([of("a=ptime:0\r\n"), of("a=ptime:25\r\n"), of("a=ptime:200\r\n")], [20, 20, 20]);
    assert_eq!([of("a=ptime:40\r\na=maxptime:30\r\n"), of("a=maxptime:1\r\n")], [30, 10]);
}

#[test]
fn telephone_event_is_taken_under_any_number_and_at_the_voice_s_rate_before_another() {
    let of = |media: &str| {
        let (body, stream) = answered(media).unwrap();
        let line = body.lines().find(|line| line.contains("telephone-event")).unwrap_or_default().to_owned();
        (stream.event_payload_type, line)
    };
    let both =
        "m=audio 5000 RTP/AVP 0 126 97\r\na=rtpmap:126 telephone-event/48000\r\na=rtpmap:97 Telephone-Event/8000\r\n";
    assert_eq!(of(both), (Some(97), "a=rtpmap:97 telephone-event/8000".to_owned()));
    let other = "m=audio 5000 RTP/AVP 0 126\r\na=rtpmap:126 telephone-event/16000\r\n";
    assert_eq!(of(other), (Some(126), "a=rtpmap:126 telephone-event/16000".to_owned()));
    assert_eq!(of("m=audio 5000 RTP/AVP 0 101\r\n"), (None, String::new()), "a number without a map is nobody's");
}

#[test]
fn an_offer_full_of_what_we_do_not_do_is_answered_with_what_we_do() {
    let (body, stream) = answered(
        "m=audio 5000 RTP/AVP 111 0 101\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 useinbandfec=1\r\n\
         a=rtpmap:101 telephone-event/8000\r\na=ice-ufrag:x\r\na=ice-pwd:y\r\na=setup:actpass\r\n\
         a=candidate:1 1 UDP 2130706431 10.0.0.1 5000 typ host\r\na=rtcp:5001 IN IP4 198.51.100.9\r\na=rtcp-mux\r\n\
         a=ssrc:1 cname:z\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:k\r\na=silenceSupp:off - - - -\r\n",
    )
    .unwrap();
    assert_eq!(
        (stream.codec, stream.remote),
        (Codec::Pcmu, "198.51.100.9:5000".parse::<core::net::SocketAddr>().unwrap())
    );
    let attributes: Vec<&str> = body.lines().filter(|line| line.starts_with("a=")).collect();
    assert_eq!(
        attributes,
        [
            "a=rtpmap:0 PCMU/8000",
            "a=rtpmap:101 telephone-event/8000",
            "a=fmtp:101 0-15",
            "a=ptime:20",
            "a=rtcp-mux",
            "a=sendrecv"
        ]
    );
    assert!(!answered("m=audio 5000 RTP/AVP 0\r\n").unwrap().0.contains("rtcp-mux"));
}

#[test]
fn reports_go_where_they_are_wanted() {
    let of = |attributes: &str| agreed(&format!("m=audio 5000 RTP/AVP 0\r\n{attributes}")).reports;
    let at = |text: &str| Some(text.parse().unwrap());
    assert_eq!(of(""), at("198.51.100.9:5001"));
    assert_eq!(of("a=rtcp-mux\r\na=rtcp:5009\r\n"), at("198.51.100.9:5000"));
    assert_eq!(of("a=rtcp:5009\r\n"), at("198.51.100.9:5009"));
    assert_eq!(of("a=rtcp:5009 IN IP4 198.51.100.10\r\n"), at("198.51.100.10:5009"));
    assert_eq!(agreed("m=audio 65535 RTP/AVP 0\r\n").reports, None);
    for none in [
        "5009 IN IP6 2001:db8::1",
        "5009 IN IP4 224.2.1.1",
        "5009 IN IP4 255.255.255.255",
        "0",
        "5009 IN IP4 a.example",
    ] {
        assert_eq!(of(&format!("a=rtcp:{none}\r\n")), None, "{none}");
    }
    assert_eq!(of("c=IN IP4 0.0.0.0\r\n"), None, "who holds wants nothing");
}

#[test]
fn both_families_of_addresses_are_spoken_and_not_mixed() {
    let v6 = Local { media: "[2001:db8::1]:20000".parse().unwrap(), ..LOCAL };
    let offer =
        "v=0\r\no=- 1 1 IN IP6 2001:db8::9\r\ns=-\r\nc=IN IP6 2001:db8::9\r\nt=0 0\r\nm=audio 5000 RTP/AVP 0\r\n";
    let (body, stream) = answer(&v6, offer.as_bytes()).unwrap();
    assert_eq!(stream.remote, "[2001:db8::9]:5000".parse::<core::net::SocketAddr>().unwrap());
    assert!(body.contains("c=IN IP6 2001:db8::1\r\n") && body.contains("IN IP6 2001:db8::1\r\ns="), "{body}");
    assert!(answer(&LOCAL, offer.as_bytes()).is_err());
    let mapped = offer.replace("2001:db8::9", "::ffff:198.51.100.9");
    assert_eq!(
        answer(&LOCAL, mapped.as_bytes()).unwrap().1.remote,
        "198.51.100.9:5000".parse::<core::net::SocketAddr>().unwrap()
    );
}

#[test]
fn a_codec_counts_by_its_map_before_its_number() {
    assert_eq!(agreed("m=audio 5000 RTP/AVP 97\r\na=rtpmap:97 pcmu/8000/1\r\n").payload_type, 97);
    let wide = answered("m=audio 5000 RTP/AVP 97\r\na=rtpmap:97 PCMU/16000\r\n");
    assert_eq!(wide, Err(Refusal::NoCommonCodec));
    let renamed = answered("m=audio 5000 RTP/AVP 0\r\na=rtpmap:0 L16/8000\r\n");
    assert_eq!(renamed, Err(Refusal::NoCommonCodec));
}

#[test]
fn no_agreement_says_why() {
    assert_eq!(answered("m=audio 5000 RTP/AVP 9 18\r\n"), Err(Refusal::NoCommonCodec));
    assert_eq!(answered("m=audio 0 RTP/AVP 0\r\n"), Err(Refusal::NoCommonCodec));
    assert_eq!(answered(""), Err(Refusal::NoCommonCodec));
    assert_eq!(answered("m=audio 5000 RTP/AVP 0\r\nc=IN IP4 media.example\r\n"), Err(Refusal::NoAddress));
    let v6 = "2001:db8::1".parse().unwrap();
    assert_eq!(answered("m=audio 5000 RTP/AVP 0\r\nc=IN IP6 2001:db8::1\r\n"), Err(Refusal::OtherFamily(v6)));
    for many in ["224.2.1.1", "255.255.255.255"] {
        let refusal = Refusal::ManyMachines(many.parse().unwrap());
        assert_eq!(answered(&format!("m=audio 5000 RTP/AVP 0\r\nc=IN IP4 {many}\r\n")), Err(refusal));
    }
    assert_eq!(answer(&LOCAL, b"hello"), Err(Refusal::Unreadable(BadSdp::Version)));
    assert!(matches!(read_answer(&LOCAL, &[b' '; MAX_SDP + 1]), Err(Refusal::Unreadable(BadSdp::TooLong(_)))));
}

proptest! {
    #[test]
    fn whatever_is_offered_our_answer_is_one_that_can_be_read(
        sections in prop::collection::vec(
            ("(audio|video|image)", any::<u16>(), "(RTP/AVP|RTP/SAVP|udptl)", "( (0|8|9|18|96|101|t38)){1,5}",
             "(a=(sendonly|inactive|ptime:[0-9]{1,3}|rtpmap:96 (PCMA|telephone-event)/8000)\r\n){0,3}"),
            0..5,
        )
    ) {
        let media: String = sections.iter().map(|(k, port, proto, f, a)| format!("m={k} {port} {proto}{f}\r\n{a}")).collect();
        if let Ok((body, stream)) = answered(&media) {
            let ours = Description::parse(&body).unwrap();
            prop_assert_eq!(ours.media.len(), sections.len());
            let open: Vec<_> = ours.media.iter().filter(|m| m.port != 0).collect();
            prop_assert_eq!(open.len(), 1);
            prop_assert_eq!(open[0].payload_types().next(), Some(stream.payload_type));
            prop_assert!((10..=60).contains(&stream.packet_time.as_millis()));
        }
    }
}
