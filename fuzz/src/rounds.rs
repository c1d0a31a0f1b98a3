//! The rounds: which target gets which input. A round is its number alone, so that it can be played again.

use std::path::Path;

use rand::SeedableRng;
use rand::rngs::StdRng;

use super::{agent, mutate, targets};

/// A target's name, and what it does with an input.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 8] = [
    ("message", targets::message),
    ("sdp", targets::sdp),
    ("rtp", targets::rtp),
    ("rtcp", targets::rtcp),
    ("srtp", targets::srtp),
    ("stun", targets::stun),
    ("digest", targets::digest),
    ("agent", agent::agent),
];

const SDP: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP6 2001:db8::9\r\nt=0 0\r\na=sendonly\r\n\
    m=video 1/2 RTP/AVP 31\r\nm=audio 5000 RTP/AVP 96 0 101\r\nc=IN IP4 192.0.2.7/127\r\na=rtpmap:96 PCMA/8000/1\r\n\
    a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:30\r\na=maxptime:60\r\na=rtcp-mux\r\na=recvonly\r\n";

const CHALLENGE: &str = "Digest realm=\"a, \\\"b\", nonce=\"c\", qop=\"auth,auth-int\", algorithm=SHA-256-sess, \
    opaque=\"\", stale=TRUE, domain=\"sip:x\", Digest realm=x, nonce=y, algorithm=MD5";

/// What the inputs of `target` are made of; `root` is the folder of hansho's source.
pub fn corpus(target: &str, root: &Path) -> Vec<Vec<u8>> {
    match target {
        "sdp" => vec![
            SDP.into(),
            SDP.replace("96 0", "0 8").into_bytes(),
            SDP.replace("IP6 2001:db8::9", "IP4 0.0.0.0").into(),
        ],
        "digest" => vec![CHALLENGE.into(), CHALLENGE.replace("Digest realm=x", "Basic realm=x").into_bytes()],
        "rtp" => {
            let voice = [&[0x80, 0, 0, 1, 0, 0, 0, 160, 1, 2, 3, 4][..], &[0xff; 160]].concat();
            let key = vec![0x80, 0xe5, 0, 2, 0, 0, 0, 160, 1, 2, 3, 4, 5, 0x8a, 3, 0x20];
            let much =
                [&[0xb3, 0, 0, 1, 0, 0, 0, 160, 1, 2, 3, 4][..], &[0; 12], &[0, 0, 0, 1, 9, 9, 9, 9], &[7, 7, 7, 3]]
                    .concat();
            vec![voice, key, much]
        }
        "rtcp" => {
            let heard = [0, 0, 0, 9, 64, 0xff, 0xff, 0xfe, 0, 1, 0, 5, 0, 0, 0, 24, 3, 4, 5, 6, 0, 1, 0, 0];
            let sent = [0, 0, 0, 7, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 160, 0, 0, 0, 3, 0, 0, 1, 0xe0];
            let name = [0x81, 202, 0, 3, 0, 0, 0, 7, 1, 2, b'a', b'b', 0, 0, 0, 0];
            let leaves = [0xa1, 203, 0, 4, 0, 0, 0, 7, 3, b'b', b'y', b'e', 0, 0, 0, 4, 0, 0, 0, 4];
            vec![
                [&[0x81, 200, 0, 12][..], &sent, &heard, &name, &leaves].concat(),
                [&[0x82, 201, 0, 13, 0, 0, 0, 7][..], &heard, &heard, &name].concat(),
                [&[0x80, 201, 0, 1, 0, 0, 0, 7, 0x81, 205, 0, 2, 0, 0, 0, 7, 0, 0, 0, 9][..], &name].concat(),
            ]
        }
        "srtp" => {
            let [voice, _, much] = &corpus("rtp", root)[..] else { unreachable!("it has three") };
            let reports = corpus("rtcp", root);
            let sealed = [targets::sealed(voice), targets::sealed(much), targets::sealed_report(&reports[0])];
            let line = b"1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^31|1:4 WSH=64";
            sealed.into_iter().flatten().chain([voice.clone(), much.clone(), line.to_vec()]).chain(reports).collect()
        }
        "stun" => {
            let head = |length| [0, 1, 0, length, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
            let print = [0x80, 0x28, 0, 4, 0x5b, 0x20, 0xf9, 0xcc];
            let asks =
                [0x00, 0x24, 0, 4, 0x6e, 0, 1, 0xff, 0, 6, 0, 3, b'a', b':', b'b', 0, 0x80, 0x22, 0, 1, b'x', 0, 0, 0];
            vec![head(0).into(), [&head(24)[..], &asks].concat(), [&head(8)[..], &print].concat()]
        }
        _ => {
            let folder = std::fs::read_dir(root.join("tests/sip/torture")).expect("the torture messages are there");
            let mut files: Vec<_> = folder.filter_map(|entry| Some(entry.ok()?.path())).collect();
            files.sort();
            files.iter().filter_map(|file| std::fs::read(file).ok()).collect()
        }
    }
}

/// The input of one round.
pub fn input(target: &str, corpus: &[Vec<u8>], round: u64) -> Vec<u8> {
    let mut rng = StdRng::seed_from_u64(round);
    if target == "agent" { mutate::random(&mut rng, 1_200) } else { mutate::mutated(&mut rng, corpus) }
}
