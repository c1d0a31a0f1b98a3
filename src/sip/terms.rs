//! Our side of what is agreed on in one call: the port, the codecs, and the numbers SDP wants.
//!
//! Easy to get wrong: where we have an address of IPv4 and one of IPv6, an offer is answered with that of its own family
//! (RFC 6157 §4.2); what answers ours may name the other family, and voice goes there all the same.

use core::net::SocketAddr;

use crate::base::{Codec, Stream};
use crate::sip::offer::{self, Local, Refusal};
use crate::sip::srtp::OurKeys;

/// Our side.
#[derive(Clone, PartialEq, Debug)]
pub struct Terms {
    media: SocketAddr,
    /// The same of the other family.
    other: Option<SocketAddr>,
    codecs: Vec<Codec>,
    session: u64,
    version: u64,
    /// What our voice is encrypted with, where it may be.
    keys: Option<Box<OurKeys>>,
    /// What we said last; only a change of it counts the version up (RFC 3264 §8).
    said: Option<String>,
}

impl Terms {
    /// Terms nobody has heard yet.
    pub fn new(media: SocketAddr, codecs: &[Codec], session: u64) -> Terms {
        Terms { media, other: None, codecs: codecs.to_vec(), session, version: 1, keys: None, said: None }
    }

    /// The same; of the other family we have this address.
    pub fn or_at(self, other: Option<SocketAddr>) -> Terms {
        Terms { other, ..self }
    }

    /// The same with keys for voice that is encrypted.
    pub fn with_keys(self, keys: Option<OurKeys>) -> Terms {
        Terms { keys: keys.map(Box::new), ..self }
    }

    /// Our offer; in the middle of a call one that keeps what was agreed on in its place.
    pub fn offer(&mut self) -> Vec<u8> {
        let said = self.said.clone();
        let write = |local: &Local<'_>| match &said {
            None => offer::offer(local),
            Some(said) => offer::offer_again(local, said),
        };
        self.say(|local| Ok((write(local), ()))).map_or_else(|_: Refusal| Vec::new(), |(sdp, ())| sdp)
    }

    /// What an answer to our offer agrees to.
    pub fn read_answer(&self, body: &[u8]) -> Result<Stream, String> {
        if body.is_empty() {
            return Err("our offer was not answered: there is no session description".to_owned());
        }
        let local = self.local(self.version);
        let agreed = match (offer::read_answer(&local, body), self.other) {
            (Err(Refusal::OtherFamily(_)), Some(media)) => offer::read_answer(&Local { media, ..local }, body),
            (agreed, _) => agreed,
        };
        agreed.map_err(|refusal| refusal.to_string())
    }

    /// Our answer to an offer, and what it agrees to.
    pub fn answer(&mut self, body: &[u8]) -> Result<(Vec<u8>, Stream), String> {
        let write = |local: &Local<'_>| offer::answer(local, body);
        let said = match (self.say(write), self.other) {
            (Err(Refusal::OtherFamily(_)), Some(other)) => {
                let before = core::mem::replace(&mut self.media, other);
                let said = self.say(write);
                match said {
                    Ok(_) => self.other = Some(before),
                    Err(_) => self.media = before,
                }
                said
            }
            (said, _) => said,
        };
        said.map_err(|refusal| refusal.to_string())
    }

    fn say<T>(&mut self, write: impl Fn(&Local<'_>) -> Result<(String, T), Refusal>) -> Result<(Vec<u8>, T), Refusal> {
        let (mut sdp, agreed) = write(&self.local(self.version))?;
        if self.said.as_ref().is_some_and(|said| *said != sdp) {
            self.version += 1;
            sdp = write(&self.local(self.version))?.0;
        }
        self.said = Some(sdp.clone());
        Ok((sdp.into_bytes(), agreed))
    }

    fn local(&self, version: u64) -> Local<'_> {
        Local { session: self.session, version, media: self.media, codecs: &self.codecs, keys: self.keys.as_deref() }
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

    const SIX: &str =
        "v=0\r\no=- 1 1 IN IP6 2001:db8::9\r\ns=-\r\nc=IN IP6 2001:db8::9\r\nt=0 0\r\nm=audio 5004 RTP/AVP 0\r\n";

    #[test]
    fn an_offer_is_answered_in_its_own_family_and_what_we_offer_next_stays_in_it() {
        assert!(terms().answer(SIX.as_bytes()).unwrap_err().contains("2001:db8::9, which cannot be reached"));
        let mut both = terms().or_at("[2001:db8::1]:20000".parse().ok());
        let (sdp, stream) = both.answer(SIX.as_bytes()).unwrap();
        assert_eq!(stream.remote.to_string(), "[2001:db8::9]:5004");
        assert_eq!(said(sdp)[0], "o=- 7 1 IN IP6 2001:db8::1");
        assert_eq!(said(both.offer())[0], "o=- 7 2 IN IP6 2001:db8::1");
        both.answer(format!("{HEAD}m=audio 5004 RTP/AVP 0\r\n").as_bytes()).unwrap();
        assert_eq!(said(both.offer())[0], "o=- 7 4 IN IP4 192.0.2.1", "and moves with them");
    }

    #[test]
    fn an_answer_may_name_the_other_family_where_we_have_it() {
        assert!(terms().read_answer(SIX.as_bytes()).is_err());
        let mut both = terms().or_at("[2001:db8::1]:20000".parse().ok());
        both.offer();
        let stream = both.read_answer(SIX.as_bytes()).unwrap();
        assert_eq!(stream.remote.to_string(), "[2001:db8::9]:5004");
        assert_eq!(said(both.offer())[0], "o=- 7 1 IN IP4 192.0.2.1", "what we said holds");
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
