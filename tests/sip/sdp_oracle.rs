//! sdp-types 0.3 as a witness for session descriptions.
//!
//! It reads the whole grammar and is a good oracle, but it refuses a call for lines nobody needs: an origin
//! with a space in its user name or a version that is no number, a bandwidth with a fraction, a second `s=`,
//! a session name in another encoding, two spaces in `m=`. Phones and gateways send all of these.

use hansho::base::Codec;
use hansho::sip::offer::{Local, answer, offer};
use hansho::wire::sdp::{Address, Description, Direction};
use proptest::prelude::*;

fn local(media: &str, codecs: &'static [Codec]) -> Local<'static> {
    Local { session: 1_795_000_000, version: 2, media: media.parse().unwrap(), codecs, keys: None }
}

fn same(text: &str) {
    let theirs = sdp_types::Session::parse(text.as_bytes()).unwrap_or_else(|why| panic!("{why}: {text}"));
    let ours = Description::parse(text).unwrap();
    assert_eq!(ours.media.len(), theirs.medias.len());
    let session = theirs.connection.map(|c| c.connection_address);
    assert_eq!(ours.connection.map(address), session);
    for (ours, theirs) in ours.media.iter().zip(&theirs.medias) {
        assert_eq!((ours.kind, ours.port, ours.proto), (theirs.media.as_str(), theirs.port, theirs.proto.as_str()));
        assert_eq!(ours.formats, theirs.fmt);
        assert_eq!(ours.connection.map(address), theirs.connections.first().map(|c| c.connection_address.clone()));
        let of = |name: &'static str| {
            theirs.attributes.iter().filter(move |a| a.attribute == name).map(|a| a.value.clone().unwrap_or_default())
        };
        let maps: Vec<_> =
            ours.rtpmaps.iter().map(|m| format!("{} {}/{}", m.payload_type, m.encoding, m.clock_hz)).collect();
        assert_eq!(maps, of("rtpmap").collect::<Vec<_>>());
        assert_eq!(ours.ptime_ms.map(|ms| ms.to_string()), of("ptime").next());
        let direction = ours.direction.map(Direction::as_str);
        assert!(direction.is_none_or(|direction| theirs.has_attribute(direction)), "{text}");
    }
}

fn address(address: Address<'_>) -> String {
    match address {
        Address::Ip(ip) => ip.to_string(),
        Address::Name(name) => name.to_owned(),
    }
}

#[test]
fn our_offers_and_answers_are_read_alike() {
    for media in ["192.0.2.1:20000", "[2001:db8::1]:20000"] {
        let ours = offer(&local(media, &Codec::ALL));
        same(&ours);
        same(&answer(&local(media, &[Codec::Pcma]), ours.as_bytes()).unwrap().0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn ordinary_descriptions_are_read_alike(
        sections in prop::collection::vec(
            ("(audio|video)", any::<u16>(), "(RTP/AVP|RTP/SAVPF)", "( (0|8|9|96|101)){1,4}",
             "(c=IN IP4 198\\.51\\.100\\.[1-9]\r\n)?", "(a=rtpmap:9[67] (PCMA|opus)/(8|48)000\r\n){0,3}",
             "(a=ptime:[1-9]0\r\n)?", "(a=(sendrecv|sendonly|recvonly|inactive)\r\n)?"),
            0..4,
        )
    ) {
        let head = "v=0\r\no=- 1 1 IN IP4 198.51.100.9\r\ns=x\r\nc=IN IP4 media.example\r\nb=AS:64\r\nt=0 0\r\n";
        let media = sections.iter().map(|(k, port, proto, f, c, maps, ptime, d)| format!("m={k} {port} {proto}{f}\r\n{c}{maps}{ptime}{d}"));
        same(&(head.to_owned() + &media.collect::<String>()));
    }
}

#[test]
fn what_it_refuses_a_call_for() {
    let text = "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nb=AS:64\r\nt=0 0\r\nm=audio 5000 RTP/AVP 0\r\n";
    same(text);
    for (from, to) in [
        ("o=- 1 1", "o=My Phone 1 1"),
        ("o=- 1 1", "o=- 1 1.5"),
        ("b=AS:64", "b=AS:63.5"),
        ("s=-", "s=-\r\ns=again"),
        ("m=audio 5000", "m=audio  5000"),
    ] {
        let text = text.replace(from, to);
        assert!(sdp_types::Session::parse(text.as_bytes()).is_err(), "{to}");
        assert!(answer(&local("192.0.2.1:20000", &Codec::ALL), text.as_bytes()).is_ok(), "{to}");
    }
}
