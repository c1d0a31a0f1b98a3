//! Descriptions as phones write them.

use super::*;

const PHONE: &str = "v=0\r\no=My Phone 8000 8001.5 IN IP4 192.0.2.7\r\ns=\r\nb=AS:many\r\nt=0 0\r\n\
    a=sendonly\r\nc=IN IP4 192.0.2.7\r\n\
    m=audio 16384/2  RTP/AVP 8 0 101\r\na=rtpmap:8 pcma/8000\r\na=rtpmap:101 telephone-event/8000\r\n\
    a=fmtp:101 0-16\r\na=ptime:20.0\r\na=rtcp:16400 IN IP4 192.0.2.8\r\na=candidate:1 1 UDP 2130706431\r\n\
    m=video 0 RTP/AVP 31\nc=IN IP6 2001:db8::1\na=inactive";

#[test]
fn a_sloppy_phone_is_understood() {
    let read = Description::parse(PHONE).unwrap();
    let [audio, video] = read.media.as_slice() else { panic!("{read:?}") };
    assert_eq!((audio.kind, audio.port, audio.proto), ("audio", 16_384, "RTP/AVP"));
    assert_eq!(audio.payload_types().collect::<Vec<_>>(), [8, 0, 101]);
    assert_eq!(audio.rtpmap(101).unwrap().encoding, "telephone-event");
    assert_eq!((audio.rtpmap(0), audio.ptime_ms, &*audio.fmtps), (None, Some(20), &[(101, "0-16")][..]));
    assert_eq!(audio.rtcp, Some((16_400, Some(Address::Ip([192, 0, 2, 8].into())))));
    assert_eq!(read.address_of(audio), Some(Address::Ip([192, 0, 2, 7].into())));
    assert_eq!((read.direction_of(audio), read.direction_of(video)), (Direction::SendOnly, Direction::Inactive));
    assert_eq!(read.address_of(video), Some(Address::Ip("2001:db8::1".parse().unwrap())));
}

#[test]
fn what_is_written_is_read_again() {
    let read = Description::parse(PHONE).unwrap();
    assert_eq!(Description::parse(&read.to_string()), Ok(read));
}

#[test]
fn a_line_that_matters_names_itself_when_it_cannot_be_read() {
    let line = |n: usize, text: &str| {
        let why = Description::parse(text).unwrap_err();
        assert!(matches!(why, BadSdp::Line { line, .. } if line == n), "{text}: {why}");
    };
    line(2, "v=0\nm=audio");
    line(2, "v=0\nm=audio 70000 RTP/AVP 0");
    line(2, "v=0\nc=IN IP5 1.2.3.4");
    line(2, &format!("v=0\nm=audio 1 RTP/AVP{}", " 0".repeat(MAX_FORMATS + 1)));
    line(MAX_MEDIA + 2, &format!("v=0{}", "\nm=audio 1 RTP/AVP 0".repeat(MAX_MEDIA + 1)));
    assert_eq!(Description::parse(""), Err(BadSdp::Version));
    assert_eq!(Description::parse(&" ".repeat(MAX_SDP + 1)), Err(BadSdp::TooLong(MAX_SDP + 1)));
}

#[test]
fn an_attribute_that_cannot_be_read_is_skipped() {
    for attribute in ["rtpmap:0", "rtpmap:200 PCMU/8000", "rtpmap:0 PCMU", "rtpmap:0 /8000", "fmtp:x 1", "ptime:soon"] {
        let text = format!("v=0\nm=audio 1 RTP/AVP 0\na={attribute}\na=inactive");
        let read = Description::parse(&text).unwrap();
        let media = Media { direction: Some(Direction::Inactive), ..Media::new("audio", 1, "RTP/AVP", "0") };
        assert_eq!(read.media, [media], "{attribute}");
    }
}
