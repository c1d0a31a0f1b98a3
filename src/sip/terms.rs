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

    /// Our offer.
    pub fn offer(&mut self) -> Vec<u8> {
        self.say(|local| Ok((offer::offer(local), ()))).map_or_else(|_| Vec::new(), |(sdp, ())| sdp)
    }

    /// What an answer to our offer agrees to.
    pub fn read_answer(&self, body: &[u8]) -> Result<Stream, String> {
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
