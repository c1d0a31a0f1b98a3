//! The crate rtp 0.17 as a witness for RTP headers. It takes any version and a padding of 0, which we refuse.

use hansho::wire::rtp::{BadRtp, Header, Packet};
use proptest::prelude::*;
use webrtc_util::marshal::Unmarshal;

fn theirs(bytes: &[u8]) -> Option<(Header, Vec<u8>)> {
    let packet = rtp::packet::Packet::unmarshal(&mut &*bytes).ok()?;
    let read = packet.header;
    let header = Header {
        marker: read.marker,
        payload_type: read.payload_type,
        sequence: read.sequence_number,
        timestamp: read.timestamp,
        ssrc: read.ssrc,
    };
    Some((header, packet.payload.to_vec()))
}

proptest! {
    #[test]
    fn what_we_write_both_read(
        (marker, payload_type, sequence) in (any::<bool>(), 0u8..64, any::<u16>()),
        (timestamp, ssrc) in any::<(u32, u32)>(),
        payload in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let header = Header { marker, payload_type, sequence, timestamp, ssrc };
        let bytes = [header.to_bytes().as_slice(), &payload].concat();
        prop_assert_eq!(Packet::read(&bytes), Ok(Packet { header, payload: &payload }));
        prop_assert_eq!(theirs(&bytes), Some((header, payload)));
    }

    #[test]
    fn what_we_accept_it_accepts_and_sees_alike(
        flags in 0u8..=0x3f,
        second in any::<u8>(),
        rest in prop::collection::vec(prop_oneof![0u8..8, any::<u8>()], 0..120),
    ) {
        // Extensions of other profiles than its two it keeps elsewhere; ours are only skipped.
        let bytes = [&[0x80 | flags, second][..], &rest].concat();
        match Packet::read(&bytes) {
            Ok(ours) => {
                let (header, payload) = theirs(&bytes).expect("what we accept is RTP");
                prop_assert_eq!((ours.header, ours.payload), (header, payload.as_slice()));
            }
            Err(BadRtp::Rtcp(_) | BadRtp::Padding(0)) => {}
            Err(why) => prop_assert!(theirs(&bytes).is_none(), "{}: {:?}", why, bytes),
        }
    }
}

#[test]
fn it_takes_a_version_that_is_none() {
    let mut bytes = [0u8; 12];
    bytes[0] = 0x40;
    assert!(theirs(&bytes).is_some());
    assert_eq!(Packet::read(&bytes), Err(BadRtp::Version(1)));
}
