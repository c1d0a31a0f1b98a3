//! Packets of two sides that know each other's keys, and of others.

use super::*;
use proptest::prelude::*;

fn hex(text: &str) -> Vec<u8> {
    let text: String = text.split_whitespace().collect();
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn keys(suite: Suite, ours: u8, theirs: u8) -> Keys {
    Keys { suite, ours: MasterKey([ours; 30]), theirs: MasterKey([theirs; 30]), name_bytes: 0 }
}

fn pair(suite: Suite) -> [Protection; 2] {
    [Protection::new(&keys(suite, 1, 2)), Protection::new(&keys(suite, 2, 1))]
}

/// An RTP packet with this number, from sender 7.
fn rtp(number: u16) -> Vec<u8> {
    let [high, low] = number.to_be_bytes();
    [&[0x80, 0, high, low, 0, 0, 0, 1, 0, 0, 0, 7], &[number as u8; 160][..]].concat()
}

fn protected(by: &mut Protection, packet: &[u8]) -> Vec<u8> {
    let mut room = [packet, &[0; GROWTH_MAX]].concat();
    let length = by.protect(&mut room, packet.len()).unwrap();
    room.truncate(length);
    room
}

fn report(by: &mut Protection, packet: &[u8]) -> Vec<u8> {
    let mut room = [packet, &[0; GROWTH_MAX]].concat();
    let length = by.protect_report(&mut room, packet.len()).unwrap();
    room.truncate(length);
    room
}

fn clear(by: &mut Protection, packet: &[u8]) -> Result<Vec<u8>, BadSrtp> {
    let mut packet = packet.to_vec();
    by.unprotect(&mut packet).map(|length| packet[..length].to_vec())
}

fn clear_report(by: &mut Protection, packet: &[u8]) -> Result<Vec<u8>, BadSrtp> {
    let mut packet = packet.to_vec();
    by.unprotect_report(&mut packet).map(|length| packet[..length].to_vec())
}

/// The packet that other implementations try themselves with: the master key of RFC 3711 appendix B.3.
#[test]
fn a_packet_is_protected_as_others_protect_it() {
    let master = hex("E1F97A0D3E018BE0D64FA32C06DE4139 0EC675AD498AFEEBB6960B3AABE6");
    let key = MasterKey(master.try_into().unwrap());
    let keys = Keys { suite: Suite::Tag80, ours: key, theirs: key, name_bytes: 0 };
    let packet = hex("800f1234decafbadcafebabe abababababababababababababababab");
    let expected = hex("800f1234decafbadcafebabe 4e55dc4ce79978d88ca4d215949d2402 b78d6acc99ea179b8dbb");
    assert_eq!(protected(&mut Protection::new(&keys), &packet), expected);
    assert_eq!(clear(&mut Protection::new(&keys), &expected), Ok(packet));
}

#[test]
fn what_is_protected_is_taken_once_and_only_with_the_right_key() {
    for suite in Suite::ALL {
        let [mut ours, mut theirs] = pair(suite);
        let packet = protected(&mut ours, &rtp(5));
        assert_eq!(packet.len(), 172 + if suite == Suite::Tag80 { 10 } else { 4 });
        assert!(packet[12..172].iter().any(|byte| *byte != 5), "it is encrypted");
        for at in [0, 1, 3, 11, 12, 171, packet.len() - 1] {
            let mut changed = packet.clone();
            changed[at] ^= 1;
            assert!(clear(&mut theirs, &changed).is_err(), "byte {at}");
        }
        assert_eq!(clear(&mut theirs, &packet), Ok(rtp(5)));
        assert_eq!(clear(&mut theirs, &packet), Err(BadSrtp::Replayed));
        assert_eq!(clear(&mut ours, &packet), Err(BadSrtp::Forged), "it is our own key");
        assert_eq!(clear(&mut theirs, &rtp(6)), Err(BadSrtp::Forged), "it is not protected at all");
    }
}

#[test]
fn the_sequence_number_may_wrap_in_any_order_and_with_packets_lost() {
    let [mut ours, mut theirs] = pair(Suite::Tag80);
    let first = [65_533, 65_534, 65_535, 0, 1, 2].map(|number| (number, protected(&mut ours, &rtp(number))));
    for at in [0, 1, 3, 2, 5, 4] {
        let (number, packet) = &first[at];
        assert_eq!(clear(&mut theirs, packet), Ok(rtp(*number)), "{number}");
    }
    // A long silence on the line, and a second round.
    for round in 0..3u16 {
        for number in [20_000, 40_000, 60_000, 10_000] {
            let packet = protected(&mut ours, &rtp(number));
            assert_eq!(clear(&mut theirs, &packet), Ok(rtp(number)), "{number} of round {round}");
        }
    }
    assert_eq!(clear(&mut theirs, &first[0].1), Err(BadSrtp::Replayed), "it is too old");
}

#[test]
fn who_comes_to_listen_after_the_numbers_have_wrapped_is_not_deaf() {
    let [mut ours, mut theirs] = pair(Suite::Tag80);
    let _early_media = protected(&mut ours, &rtp(65_535));
    let packet = protected(&mut ours, &rtp(0));
    assert_eq!(clear(&mut theirs, &packet), Ok(rtp(0)));
    let packet = protected(&mut ours, &rtp(1));
    assert_eq!(clear(&mut theirs, &packet), Ok(rtp(1)));
}

#[test]
fn reports_are_protected_with_keys_and_an_index_of_their_own() {
    let [mut ours, mut theirs] = pair(Suite::Tag32);
    let said = hex("81c8000c 00000007 11111111 22222222 33333333 44444444");
    let [first, second] = [report(&mut ours, &said), report(&mut ours, &said)];
    assert_eq!(first.len(), said.len() + 14, "80 bits in either suite");
    assert_eq!(first[..8], said[..8]);
    assert_ne!(first[8..24], second[8..24]);
    assert_eq!([&first[24..28], &second[24..28]], [[0x80, 0, 0, 0], [0x80, 0, 0, 1]]);
    assert_eq!(clear_report(&mut theirs, &second), Ok(said.clone()));
    assert_eq!(clear_report(&mut theirs, &first), Ok(said.clone()));
    assert_eq!(clear_report(&mut theirs, &first), Err(BadSrtp::Replayed));
    let mut changed = report(&mut ours, &said);
    changed[25] ^= 1;
    assert_eq!(clear_report(&mut theirs, &changed), Err(BadSrtp::Forged));
}

#[test]
fn a_name_of_the_key_is_passed_over() {
    let mut theirs = Protection::new(&Keys { name_bytes: 4, ..keys(Suite::Tag80, 2, 1) });
    let mut packet = protected(&mut pair(Suite::Tag80)[0], &rtp(5));
    packet.splice(172..172, [0, 0, 0, 1]);
    assert_eq!(clear(&mut theirs, &packet), Ok(rtp(5)));
}

#[test]
fn sources_and_an_extension_stay_readable_and_are_vouched_for() {
    let [mut ours, mut theirs] = pair(Suite::Tag80);
    let mut packet = rtp(9);
    packet[0] |= 0x11;
    packet.splice(12..12, hex("00000001 bede0001 01020304"));
    let whole = protected(&mut ours, &packet);
    assert_eq!(whole[..24], packet[..24]);
    assert_eq!(clear(&mut theirs, &whole), Ok(packet));
}

#[test]
fn a_key_that_is_kept_goes_on_counting_and_another_begins_anew() {
    let [mut ours, mut theirs] = pair(Suite::Tag80);
    let sent = |by: &mut Protection| [65_535, 0].map(|number| protected(by, &rtp(number)));
    let before = sent(&mut ours);
    before.iter().for_each(|packet| assert!(clear(&mut theirs, packet).is_ok()));
    // They change their key and we keep ours, and then the other way round.
    ours.renew(&mut Protection::new(&keys(Suite::Tag80, 1, 3)));
    theirs.renew(&mut Protection::new(&keys(Suite::Tag80, 3, 1)));
    let packet = protected(&mut ours, &rtp(1));
    assert_eq!(clear(&mut theirs, &packet), Ok(rtp(1)));
    assert_eq!(clear(&mut theirs, &before[1]), Err(BadSrtp::Replayed), "what was taken stays taken");
    let packet = protected(&mut theirs, &rtp(1));
    assert_eq!(clear(&mut ours, &packet), Ok(rtp(1)));
    ours.renew(&mut Protection::new(&keys(Suite::Tag80, 4, 3)));
    let packet = protected(&mut ours, &rtp(2));
    assert_eq!(clear(&mut theirs, &packet), Err(BadSrtp::Forged));
    theirs.renew(&mut Protection::new(&keys(Suite::Tag80, 3, 4)));
    assert_eq!(clear(&mut theirs, &packet), Ok(rtp(2)));
}

#[test]
fn no_index_is_used_twice_with_one_key_however_often_the_suite_changes() {
    let [mut ours, mut theirs] = pair(Suite::Tag80);
    for packet in [65_535, 0].map(|number| protected(&mut ours, &rtp(number))) {
        assert!(clear(&mut theirs, &packet).is_ok());
    }
    ours.renew(&mut Protection::new(&keys(Suite::Tag32, 5, 2)));
    protected(&mut ours, &rtp(1));
    ours.renew(&mut Protection::new(&keys(Suite::Tag80, 1, 2)));
    let packet = protected(&mut ours, &rtp(2));
    assert_eq!(clear(&mut theirs, &packet), Ok(rtp(2)), "it is in its second round still");
}

proptest! {
    #[test]
    fn any_bytes_are_refused_without_a_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        name_bytes in 0..8u8,
        first in prop::option::of(0x80..0xc0u8),
    ) {
        let mut bytes = bytes;
        if let (Some(first), Some(byte)) = (first, bytes.first_mut()) {
            *byte = first;
        }
        for suite in Suite::ALL {
            let mut ours = Protection::new(&Keys { name_bytes, ..keys(suite, 1, 2) });
            prop_assert!(ours.unprotect(&mut bytes.clone()).is_err());
            prop_assert!(ours.unprotect_report(&mut bytes.clone()).is_err());
            let length = bytes.len();
            let _ = ours.protect(&mut bytes.clone(), length);
            let _ = ours.protect_report(&mut bytes.clone(), length / 2);
        }
    }
}
