//! Changes bytes in the ways that break readers: single bytes, whole lines, pieces of other messages, numbers that are
//! too large, and the characters the grammar lives on.

use rand::RngExt;
use rand::rngs::StdRng;

/// What grammars trip over.
const WORDS: &[&str] = &[
    "\r\n",
    "\r\n ",
    "\n",
    "\r",
    "\0",
    "\"",
    "\\",
    "<",
    ">",
    ";",
    ",",
    ":",
    "@",
    "?",
    "=",
    "[",
    "]",
    "%",
    "%00",
    "*",
    "/",
    "sip:",
    "sips:",
    "tel:",
    "SIP/2.0",
    "tag=",
    "branch=z9hG4bK",
    ";lr",
    ";rport",
    ";received=",
    "[::1]",
    "0.0.0.0",
    "255.255.255.255",
    "65536",
    "4294967296",
    "-1",
    "99999999999999999999",
    "Content-Length: ",
    "Require: 100rel\r\n",
    "RSeq: 4294967295\r\n",
    "RAck: 1 1 INVITE\r\n",
    "Session-Expires: 90\r\n",
    "Min-SE: 90\r\n",
    "CSeq: 0 INVITE\r\n",
    "m=audio 0 RTP/AVP 0\r\n",
    "m=audio 9 RTP/AVP\r\n",
    "a=rtpmap:0 ",
    "c=IN IP4 0.0.0.0\r\n",
    "c=IN IP6 ::\r\n",
    "a=sendonly\r\n",
    "a=inactive\r\n",
    "a=ptime:",
    "Digest realm=\"",
    "nonce=\"",
    "qop=\"auth,auth-int\"",
    "\u{feff}",
];

/// One of `corpus`, changed.
pub fn mutated(rng: &mut StdRng, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = pick(rng, corpus).to_vec();
    for _ in 0..rng.random_range(0..8) {
        change(rng, &mut bytes, corpus);
    }
    bytes
}

/// Bytes of any kind, for a script.
pub fn random(rng: &mut StdRng, most: usize) -> Vec<u8> {
    let length = rng.random_range(0..most);
    (0..length).map(|_| rng.random()).collect()
}

fn change(rng: &mut StdRng, bytes: &mut Vec<u8>, corpus: &[Vec<u8>]) {
    let at = rng.random_range(0..=bytes.len());
    let end = (at + rng.random_range(0..32)).min(bytes.len());
    match rng.random_range(0..9) {
        0 => drop(bytes.drain(at..end)),
        1 => bytes.truncate(at),
        2 => insert(bytes, at, WORDS[rng.random_range(0..WORDS.len())].as_bytes()),
        3 => bytes[at..end].iter_mut().for_each(|byte| *byte = rng.random()),
        4 => insert(bytes, at, &bytes[at..end].to_vec().repeat(rng.random_range(1..20))),
        5 => {
            let other = pick(rng, corpus);
            let from = rng.random_range(0..=other.len());
            let to = (from + rng.random_range(0..200)).min(other.len());
            insert(bytes, at, &other[from..to]);
        }
        6 => {
            let mut lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
            if !lines.is_empty() {
                let (a, b) = (rng.random_range(0..lines.len()), rng.random_range(0..lines.len()));
                lines.swap(a, b);
                *bytes = lines.concat();
            }
        }
        7 => insert(bytes, at, rng.random::<u64>().to_string().as_bytes()),
        _ => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << rng.random_range(0..8);
            }
        }
    }
    bytes.truncate(20_000);
}

fn insert(bytes: &mut Vec<u8>, at: usize, piece: &[u8]) {
    bytes.splice(at..at, piece.iter().copied());
}

fn pick<'a>(rng: &mut StdRng, corpus: &'a [Vec<u8>]) -> &'a [u8] {
    &corpus[rng.random_range(0..corpus.len())]
}
