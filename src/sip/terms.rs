//! Our side of what is agreed on in one call: the port, the codecs, and the numbers SDP wants.

use core::net::SocketAddr;

use crate::base::{Codec, Stream};
use crate::sip::offer::{self, Local};

/// Our side.
#[derive(Clone, PartialEq, Debug)]
pub struct Terms {
    media: SocketAddr,
    codecs: Vec<Codec>,
    session: u64,
    version: u64,
    /// What we said last; only a change of it counts the version up (RFC 3264 §8).
    said: Option<String>,
}

impl Terms {
    /// Terms nobody has heard yet.
    pub fn new(media: SocketAddr, codecs: &[Codec], session: u64) -> Terms {
        Terms { media, codecs: codecs.to_vec(), session, version: 1, said: None }
    }

    /// Our offer; in the middle of a call one that keeps what was agreed on in its place.
    pub fn offer(&mut self) -> Vec<u8> {
        let said = self.said.clone();
        let write = |local: &Local<'_>| match &said {
            None => offer::offer(local),
            Some(said) => offer::offer_again(local, said),
        };
        self.say(|local| Ok((write(local), ()))).map_or_else(|_| Vec::new(), |(sdp, ())| sdp)
    }

    /// What an answer to our offer agrees to.
    pub fn read_answer(&self, body: &[u8]) -> Result<Stream, String> {
        if body.is_empty() {
            return Err("our offer was not answered: there is no session description".to_owned());
        }
        offer::read_answer(&self.local(self.version), body).map_err(|refusal| refusal.to_string())
    }

    /// Our answer to an offer, and what it agrees to.
    pub fn answer(&mut self, body: &[u8]) -> Result<(Vec<u8>, Stream), String> {
        self.say(|local| offer::answer(local, body).map_err(|refusal| refusal.to_string()))
    }

    fn say<T>(&mut self, write: impl Fn(&Local<'_>) -> Result<(String, T), String>) -> Result<(Vec<u8>, T), String> {
        let (mut sdp, agreed) = write(&self.local(self.version))?;
        if self.said.as_ref().is_some_and(|said| *said != sdp) {
            self.version += 1;
            sdp = write(&self.local(self.version))?.0;
        }
        self.said = Some(sdp.clone());
        Ok((sdp.into_bytes(), agreed))
    }

    fn local(&self, version: u64) -> Local<'_> {
        Local { session: self.session, version, media: self.media, codecs: &self.codecs }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "v=0\r\no=- 1 1 IN IP4 198.51.100.9\r\ns=-\r\nc=IN IP4 198.51.100.9\r\nt=0 0\r\n";

    fn said(sdp: Vec<u8>) -> Vec<String> {
        let text = String::from_utf8(sdp).unwrap();
        let told = |line: &&str| line.starts_with("o=") || line.starts_with("m=") || line.contains("rtpmap");
        text.lines().filter(told).map(str::to_owned).collect()
    }

    fn terms() -> Terms {
        Terms::new("192.0.2.1:20000".parse().unwrap(), &Codec::ALL, 7)
    }

    #[test]
    fn an_offer_in_mid_call_keeps_every_section_in_its_place_and_every_number_for_what_it_stood_for() {
        let mut terms = terms();
        let theirs = "m=video 5000 RTP/AVP 31\r\nm=audio 5004 RTP/AVPF 101 97 126\r\na=rtpmap:101 iLBC/8000\r\n\
            a=rtpmap:97 PCMA/8000\r\na=rtpmap:126 telephone-event/8000\r\na=rtcp-mux\r\n";
        terms.answer(format!("{HEAD}{theirs}").as_bytes()).unwrap();
        let expected = [
            "o=- 7 2 IN IP4 192.0.2.1",
            "m=video 0 RTP/AVP 31",
            "m=audio 20000 RTP/AVPF 97 0 126",
            "a=rtpmap:97 PCMA/8000",
            "a=rtpmap:0 PCMU/8000",
            "a=rtpmap:126 telephone-event/8000",
        ];
        assert_eq!(said(terms.offer()), expected);
        assert_eq!(said(terms.offer()), expected, "what is said again has the same version");
    }

    #[test]
    fn an_offer_that_was_not_changed_is_the_same_offer() {
        let mut terms = terms();
        assert_eq!(terms.offer(), terms.offer());
    }

    #[test]
    fn keys_that_were_not_agreed_on_are_not_offered_under_a_number_that_may_be_something_else() {
        let mut terms = terms();
        terms.answer(format!("{HEAD}m=audio 5004 RTP/AVP 0 101\r\na=rtpmap:101 iLBC/8000\r\n").as_bytes()).unwrap();
        assert_eq!(said(terms.offer())[1], "m=audio 20000 RTP/AVP 0 8");
    }
}
