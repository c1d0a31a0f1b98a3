//! The test vectors of RFC 5769, and requests as they should not be.

use super::*;
use proptest::prelude::*;

/// RFC 5769 §2.1: asks as ICE does.
const VECTOR: [u8; 108] = [
    0x00, 0x01, 0x00, 0x58, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf,
    0xae, 0x80, 0x22, 0x00, 0x10, 0x53, 0x54, 0x55, 0x4e, 0x20, 0x74, 0x65, 0x73, 0x74, 0x20, 0x63, 0x6c, 0x69, 0x65,
    0x6e, 0x74, 0x00, 0x24, 0x00, 0x04, 0x6e, 0x00, 0x01, 0xff, 0x80, 0x29, 0x00, 0x08, 0x93, 0x2f, 0xf9, 0xb1, 0x51,
    0x26, 0x3b, 0x36, 0x00, 0x06, 0x00, 0x09, 0x65, 0x76, 0x74, 0x6a, 0x3a, 0x68, 0x36, 0x76, 0x59, 0x20, 0x20, 0x20,
    0x00, 0x08, 0x00, 0x14, 0x9a, 0xea, 0xa7, 0x0c, 0xbf, 0xd8, 0xcb, 0x56, 0x78, 0x1e, 0xf2, 0xb5, 0xb2, 0xd3, 0xf2,
    0x49, 0xc1, 0xb5, 0x71, 0xa2, 0x80, 0x28, 0x00, 0x04, 0xe5, 0x7a, 0x3b, 0xcf,
];

fn transaction() -> [u8; 12] {
    *VECTOR[8..].first_chunk().unwrap()
}

/// A request with these attributes.
fn request(attributes: &[&[u8]]) -> Vec<u8> {
    let attributes = attributes.concat();
    let head = [0, 1, 0, attributes.len() as u8];
    [&head[..], &COOKIE, &transaction(), &attributes].concat()
}

fn answered(bytes: &[u8], seen: &str) -> Vec<u8> {
    let mut out = [0; ANSWER_MAX];
    let length = Request::read(bytes).unwrap().answer(seen.parse().unwrap(), &mut out);
    out[..length].to_vec()
}

#[test]
fn whoever_asks_plainly_is_told_where_they_are_as_the_standard_s_examples_tell_it() {
    let head = |length: u8| [&[1, 1, 0, length][..], &COOKIE, &transaction()].concat();
    let v4 = [0x00, 0x20, 0x00, 0x08, 0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43];
    for seen in ["192.0.2.1:32853", "[::ffff:192.0.2.1]:32853"] {
        assert_eq!(answered(&request(&[]), seen), [&head(12)[..], &v4].concat());
    }
    let v6 = [
        0x00, 0x20, 0x00, 0x14, 0x00, 0x02, 0xa1, 0x47, 0x01, 0x13, 0xa9, 0xfa, 0xa5, 0xd3, 0xf1, 0x79, 0xbc, 0x25,
        0xf4, 0xb5, 0xbe, 0xd2, 0xb9, 0xd9,
    ];
    let seen = "[2001:db8:1234:5678:11:2233:4455:6677]:32853";
    assert_eq!(answered(&request(&[]), seen), [&head(24)[..], &v6].concat());
}

#[test]
fn a_fingerprint_is_checked_and_answered_with_one() {
    let mut broken = VECTOR;
    broken[30] ^= 1;
    assert_eq!(Request::read(&broken), Err(BadStun::Fingerprint));
    assert!(Request::read(&VECTOR).is_ok());
    // RFC 5769 §2.2: the fingerprint of an answer.
    let mut covered = vec![0x01, 0x01, 0x00, 0x3c];
    covered.extend(COOKIE);
    covered.extend(transaction());
    covered.extend(b"\x80\x22\x00\x0btest vector \x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43\x00\x08\x00\x14");
    covered.extend(b"\x2b\x91\xf5\x99\xfd\x9e\x90\xc3\x8c\x74\x89\xf9\x2a\xf9\xba\x53\xf0\x6b\xe7\xd7");
    assert_eq!(fingerprint(&covered), 0xc07d_4c96);
    let answer = answered(&VECTOR, "192.0.2.1:32853");
    let (covered, last) = answer.split_at(answer.len() - 8);
    assert_eq!(last, [&[0x80, 0x28, 0, 4][..], &fingerprint(covered).to_be_bytes()].concat());
    let not_last = request(&[&[0x80, 0x28, 0, 4, 0, 0, 0, 0], &[0x80, 0x22, 0, 0]]);
    assert_eq!(Request::read(&not_last), Err(BadStun::Fingerprint));
}

#[test]
fn what_must_be_understood_and_is_not_is_named_in_a_refusal() {
    // PRIORITY, which is ICE's.
    let answer = answered(&VECTOR, "192.0.2.1:32853");
    let expected: &[&[u8]] = &[
        &[1, 0x11, 0, 44],
        &COOKIE,
        &transaction(),
        &[0, 9, 0, 21, 0, 0, 4, 20],
        b"Unknown Attribute\0\0\0",
        &[0, 10, 0, 2, 0, 0x24, 0, 0],
    ];
    assert_eq!(answer[..answer.len() - 8], expected.concat());
    let many: Vec<u8> = (0x30..0x60).flat_map(|kind| [0x01, kind, 0, 0]).collect();
    assert_eq!(answered(&request(&[&many]), "192.0.2.1:1").len(), ANSWER_MAX - 8);
    // What may be passed over, who they say they are, and what stands behind the integrity.
    let known =
        request(&[&[0x80, 0x99, 0, 1, 7, 0, 0, 0], &[0, 6, 0, 1, b'a', 0, 0, 0], &[0, 8, 0, 0], &[0x7f, 1, 0, 0]]);
    assert_eq!(answered(&known, "192.0.2.1:1")[..2], [1, 1]);
}

#[test]
fn what_is_no_request_or_lies_about_its_length_is_refused() {
    let plain = request(&[]);
    let with = |place: usize, byte: u8| {
        let mut bytes = plain.clone();
        bytes[place] = byte;
        Request::read(&bytes).unwrap_err()
    };
    assert_eq!(with(0, 0x40), BadStun::NoStun);
    assert_eq!(with(4, 0), BadStun::NoStun, "the first STUN had no cookie");
    assert_eq!(Request::read(&plain[..19]), Err(BadStun::NoStun));
    assert_eq!(with(3, 4), BadStun::Length(20));
    assert_eq!(with(1, 0x11), BadStun::Kind(0x11), "an indication");
    assert_eq!(with(0, 1), BadStun::Kind(0x101), "an answer");
    assert_eq!(Request::read(&request(&[&[0, 6, 0, 5, 1, 2, 3, 4]])), Err(BadStun::Attribute(6)));
    assert_eq!(Request::read(&request(&[&[1, 2]])), Err(BadStun::Length(22)));
    let mut long = request(&[]);
    long.resize(REQUEST_MAX + 4, 0);
    [long[2], long[3]] = ((REQUEST_MAX + 4 - 20) as u16).to_be_bytes();
    assert_eq!(Request::read(&long), Err(BadStun::Length(REQUEST_MAX + 4)));
}

proptest! {
    #[test]
    fn any_request_is_answered_under_its_own_name_or_refused(
        attributes in prop::collection::vec((any::<u16>(), prop::collection::vec(any::<u8>(), 0..9), any::<u8>()), 0..6),
        cut in 0usize..4,
    ) {
        let attributes: Vec<u8> = attributes.into_iter().flat_map(|(kind, value, length)| {
            let said = if length < 200 { value.len() as u16 } else { u16::from(length) };
            [&kind.to_be_bytes()[..], &said.to_be_bytes(), &value, &[0; 3][..value.len().next_multiple_of(4) - value.len()]].concat()
        }).collect();
        let bytes = request(&[&attributes]);
        if let Ok(read) = Request::read(&bytes[..bytes.len() - cut]) {
            let mut out = [0; ANSWER_MAX];
            let length = read.answer("192.0.2.1:1".parse().unwrap(), &mut out);
            prop_assert!(is_stun(&out[..length]));
            prop_assert_eq!(&out[8..20], &bytes[8..20]);
            prop_assert_eq!(usize::from(u16::from_be_bytes([out[2], out[3]])), length - 20);
        }
    }
}
