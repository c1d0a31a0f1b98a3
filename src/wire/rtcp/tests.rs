//! Reports byte by byte, as they should be and as they should not.

use super::*;
use proptest::prelude::*;

const NAME: &[u8; 16] = b"abcdefghijklmnop";
const SENT: Sent = Sent { ntp: 0x0102_0304_0506_0708, timestamp: 160, packets: 3, octets: 480 };
const BLOCK_HEARD: Block = Block {
    ssrc: 0x0a0b_0c0d,
    fraction_lost: 64,
    lost: -2,
    highest: 0x0001_0005,
    jitter: 24,
    last_report: 0x0304_0506,
    delay: 65_536,
};

fn written(report: &Report<'_>) -> Vec<u8> {
    let mut out = [0; WRITTEN_MAX];
    let length = report.write(&mut out);
    out[..length].to_vec()
}

fn whole() -> Report<'static> {
    Report { ssrc: 0xdead_beef, sent: Some(SENT), heard: Some(BLOCK_HEARD), name: NAME, goodbye: true }
}

#[test]
fn a_compound_is_byte_by_byte_what_the_standard_draws() {
    let bytes = written(&whole());
    let expected: &[&[u8]] = &[
        &[0x81, 200, 0, 12, 0xde, 0xad, 0xbe, 0xef],
        &[1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 160, 0, 0, 0, 3, 0, 0, 1, 0xe0],
        &[10, 11, 12, 13, 64, 0xff, 0xff, 0xfe, 0, 1, 0, 5, 0, 0, 0, 24, 3, 4, 5, 6, 0, 1, 0, 0],
        &[0x81, 202, 0, 6, 0xde, 0xad, 0xbe, 0xef, 1, 16],
        NAME,
        &[0, 0],
        &[0x81, 203, 0, 1, 0xde, 0xad, 0xbe, 0xef],
    ];
    assert_eq!(bytes, expected.concat());
    assert_eq!(bytes.len(), WRITTEN_MAX);
}

#[test]
fn what_is_written_is_read_again() {
    let bytes = written(&whole());
    let packets: Vec<Packet> = Compound::read(&bytes).unwrap().packets().collect();
    let [Packet::Report { ssrc: 0xdead_beef, sent, blocks }, Packet::Names(names), Packet::Goodbye(sources)] =
        packets[..]
    else {
        panic!("{packets:?}")
    };
    assert_eq!((sent, blocks.collect::<Vec<_>>()), (Some(SENT), vec![BLOCK_HEARD]));
    assert_eq!(names.collect::<Vec<_>>(), [(0xdead_beef, &NAME[..])]);
    assert_eq!(sources.collect::<Vec<_>>(), [0xdead_beef]);
    let silent = written(&Report { sent: None, heard: None, goodbye: false, ..whole() });
    let first = Compound::read(&silent).unwrap().packets().next();
    assert_eq!(
        (silent.len(), first),
        (36, Some(Packet::Report { ssrc: 0xdead_beef, sent: None, blocks: Blocks(&[]) }))
    );
}

#[test]
fn more_lost_than_can_be_said_is_as_much_as_can_be_said() {
    for (lost, said) in [(i32::MAX, 0x7f_ffff), (i32::MIN, -0x80_0000), (-1, -1), (0x7f_ffff, 0x7f_ffff)] {
        let bytes = written(&Report { heard: Some(Block { lost, ..BLOCK_HEARD }), ..whole() });
        let Some(Packet::Report { mut blocks, .. }) = Compound::read(&bytes).unwrap().packets().next() else {
            panic!("no report")
        };
        assert_eq!(blocks.next().unwrap().lost, said);
    }
}

#[test]
fn packets_we_have_no_use_for_are_passed_over_and_padding_is_no_content() {
    let report = [0x80, 201, 0, 1, 0, 0, 0, 1];
    let app = [0x80, 204, 0, 2, 0, 0, 0, 1, b'n', b'a', b'm', b'e'];
    let feedback = [0x81, 205, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 5, 0, 0];
    let two = [0x82, 203, 0, 4, 0, 0, 0, 1, 0, 0, 0, 2, 3, b'b', b'y', b'e', 0, 0, 0, 0];
    let padded = [0xa1, 203, 0, 2, 0, 0, 0, 7, 0, 0, 0, 4];
    let bytes = [&report[..], &app, &feedback, &two, &padded].concat();
    let packets: Vec<Packet> = Compound::read(&bytes).unwrap().packets().collect();
    assert_eq!(packets[1..3], [Packet::Other(204), Packet::Other(205)]);
    let goodbyes: Vec<u32> = packets[3..]
        .iter()
        .flat_map(|packet| if let Packet::Goodbye(sources) = packet { *sources } else { panic!("{packet:?}") })
        .collect();
    assert_eq!(goodbyes, [1, 2, 7]);
}

#[test]
fn names_of_several_sources_are_read_and_a_list_that_does_not_end_is_not() {
    let report = [0x80, 201, 0, 1, 0, 0, 0, 1];
    // A note (7) and a name (1); nothing at all; a name that fills its word, and a word of zeros behind it.
    let chunks: &[&[u8]] = &[
        &[0, 0, 0, 1, 7, 1, b'n', 1, 1, b'a', 0, 0],
        &[0, 0, 0, 2, 0, 0, 0, 0],
        &[0, 0, 0, 3, 1, 2, b'b', b'c', 0, 0, 0, 0],
    ];
    let chunks = chunks.concat();
    let with =
        |count: u8, chunks: &[u8]| [&report[..], &[0x80 | count, 202, 0, (chunks.len() / 4) as u8], chunks].concat();
    let bytes = with(3, &chunks);
    let Some(Packet::Names(names)) = Compound::read(&bytes).unwrap().packets().nth(1) else { panic!("no names") };
    assert_eq!(names.collect::<Vec<_>>(), [(1, &b"a"[..]), (3, &b"bc"[..])]);
    for bytes in [with(4, &chunks), with(1, &[0, 0, 0, 1, 1, 2, b'b', b'c']), with(1, &[0, 0, 0, 1, 1, 9, b'b', 0])] {
        assert_eq!(Compound::read(&bytes), Err(BadRtcp::Count(202)), "{bytes:?}");
    }
}

#[test]
fn lengths_that_lie_are_refused() {
    let read = |bytes: &[u8]| Compound::read(bytes).unwrap_err();
    assert_eq!(read(&[]), BadRtcp::Short(0));
    assert_eq!(read(&[0x80, 201, 0]), BadRtcp::Short(3));
    assert_eq!(read(&[0x80, 201, 0, 2, 0, 0, 0, 1]), BadRtcp::Short(8));
    assert_eq!(read(&[0x40, 201, 0, 1, 0, 0, 0, 1]), BadRtcp::Version(1));
    assert_eq!(read(&[0x80, 202, 0, 0]), BadRtcp::First(202));
    assert_eq!(read(&[0x80, 201, 0, 0]), BadRtcp::Count(201));
    assert_eq!(read(&[0x81, 201, 0, 1, 0, 0, 0, 1]), BadRtcp::Count(201));
    assert_eq!(read(&[&[0x80, 200, 0, 5][..], &[0; 20]].concat()), BadRtcp::Count(200));
    assert_eq!(read(&[0xa0, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0]), BadRtcp::Padding(0));
    assert_eq!(read(&[0xa0, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3]), BadRtcp::Padding(3));
    assert_eq!(read(&[0xa0, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, 12]), BadRtcp::Padding(12));
    let early = [&[0xa0, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, 4][..], &[0x80, 203, 0, 0]].concat();
    assert_eq!(read(&early), BadRtcp::Padding(4));
    assert_eq!(read(&[0x80, 201, 0, 1, 0, 0, 0, 1, 0x82, 203, 0, 1, 0, 0, 0, 1]), BadRtcp::Count(203));
    assert_eq!(read(&[0x80, 201, 0, 1, 0, 0, 0, 1, 0x80, 203, 0, 1, 4, 1, 2, 3]), BadRtcp::Count(203));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused_and_what_is_read_has_no_more_than_it_holds(
        mut bytes in prop::collection::vec(any::<u8>(), 0..200), kind in 200u8..206, words in 0u8..50,
    ) {
        if let [first, second, third, fourth, ..] = bytes.as_mut_slice() {
            (*first, *second, *third, *fourth) = (0x80 | (*first & 0x3f), kind, 0, words);
        }
        if let Ok(compound) = Compound::read(&bytes) {
            let mut held = 0;
            for packet in compound.packets() {
                held += match packet {
                    Packet::Report { blocks, .. } => 8 + blocks.count() * BLOCK,
                    Packet::Names(names) => 4 + names.map(|(_, name)| 6 + name.len()).sum::<usize>(),
                    Packet::Goodbye(sources) => 4 + sources.count() * 4,
                    Packet::Other(_) => 4,
                };
            }
            prop_assert!(held <= bytes.len());
        }
    }
}
