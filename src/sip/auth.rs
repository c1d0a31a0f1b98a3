//! Saying who we are when a trunk asks (RFC 3261 §22, RFC 7616).
//!
//! A nonce that served is used again until the trunk wants another, so that most requests need one round trip.
//!
//! Easy to get wrong: a wrong password shows as the same question asked again after we answered it, and must
//! not be answered for ever; `stale=true` means only the nonce was wrong. Proxies and far ends may all ask, at once or one
//! after another, and then all want their answer in the same request.

use crate::base::token;
use crate::sip::context::Ctx;
use crate::sip::digest::{Challenge, Session, strongest_of_each};
use crate::sip::message::Request;
use crate::wire::sip::{Message, Method, Name};

/// A trunk with more realms than this is no trunk.
const MAX_REALMS: usize = 8;
/// A nonce that is stale this often within one request is not going to get any fresher.
const MAX_STALE: u32 = 2;

/// The nonces that a trunk gave us.
#[derive(Debug, Default)]
pub struct Keys {
    known: Vec<Key>,
}

#[derive(Debug)]
struct Key {
    place: Place,
    session: Session,
}

/// Who asked, and for what kind of request: a registrar's nonce is not shown to a far end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Place {
    proxy: bool,
    register: bool,
}

/// What one request was asked already.
#[derive(Debug, Default)]
pub struct Tries {
    answered: Vec<(Place, String)>,
    stale: u32,
}

impl Tries {
    /// Credentials for the first try: whatever served last time.
    pub fn first(&mut self, ctx: &mut Ctx<'_>, request: &Request) -> Vec<(Name, String)> {
        let register = request.method == Method::Register;
        let trunk = &ctx.line.trunk;
        let keys = ctx.line.keys.known.iter_mut().filter(|key| key.place.register == register);
        keys.map(|key| key.header(&trunk.username, &trunk.password, request)).collect()
    }

    /// Credentials for the next try, or why there is none.
    pub fn answer(
        &mut self,
        ctx: &mut Ctx<'_>,
        request: &Request,
        response: &Message,
    ) -> Result<Vec<(Name, String)>, String> {
        let register = request.method == Method::Register;
        let asks = |name: Name, proxy: bool| {
            let place = Place { proxy, register };
            strongest_of_each(response.headers(&name)).into_iter().map(move |challenge| (place, challenge))
        };
        let all: Vec<(Place, Challenge)> =
            asks(Name::ProxyAuthenticate, true).chain(asks(Name::WwwAuthenticate, false)).collect();
        let Some((_, first)) = all.first() else {
            return Err("the trunk asks who we are in a way hansho does not know (only Digest is)".to_owned());
        };
        if ctx.line.trunk.password.is_empty() {
            return Err("the trunk asks for a password, and none is configured".to_owned());
        }
        let is_new = |(place, challenge): &(Place, Challenge)| {
            !self.answered.iter().any(|(known, realm)| known == place && *realm == challenge.realm)
        };
        if !all.iter().any(is_new) {
            self.stale += 1;
            if !all.iter().any(|(_, challenge)| challenge.stale) || self.stale > MAX_STALE {
                return Err(format!("the trunk refuses the username or the password (realm {:?})", first.realm));
            }
        }
        for (place, challenge) in all {
            let asked = (place, challenge.realm.clone());
            if !self.answered.contains(&asked) {
                if self.answered.len() >= MAX_REALMS {
                    return Err("the trunk asks for too many passwords".to_owned());
                }
                self.answered.push(asked);
            }
            let known = &mut ctx.line.keys.known;
            known.retain(|key| key.place != place || key.session.challenge().realm != challenge.realm);
            if known.len() >= MAX_REALMS {
                known.remove(0);
            }
            known.push(Key { place, session: Session::new(challenge, &token(ctx.rng, 16)) });
        }
        let (known, trunk) = (&mut ctx.line.keys.known, &ctx.line.trunk);
        let asked = |key: &&mut Key| {
            let realm = &key.session.challenge().realm;
            self.answered.iter().any(|(place, known)| *place == key.place && known == realm)
        };
        let keys = known.iter_mut().filter(asked);
        Ok(keys.map(|key| key.header(&trunk.username, &trunk.password, request)).collect())
    }
}

impl Key {
    fn header(&mut self, username: &str, password: &str, request: &Request) -> (Name, String) {
        let name = if self.place.proxy { Name::ProxyAuthorization } else { Name::Authorization };
        (name, self.session.authorize(username, password, &request.method, &request.uri))
    }
}
