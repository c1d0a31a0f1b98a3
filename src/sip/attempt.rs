//! A request on its way, sent again when the trunk asks who we are (RFC 3261 §22).
//!
//! Each try is a new transaction: a new branch and the next CSeq number, everything else the same.
//!
//! Easy to get wrong: the branches of one request are made of one secret and the number of the try, so that
//! whoever knows the first can cancel the last, after a restart too. And a request that is too long for a datagram goes
//! over a connection (RFC 3261 §18.1.1), with another Via; where nobody takes one, it is sent as a datagram after all.

use crate::sip::Hop;
use crate::sip::context::Ctx;
use crate::sip::dialog::Dialog;
use crate::sip::message::Request;
use crate::sip::transactions::{Owner, TxId};
use crate::wire::sip::{MAGIC_COOKIE, Message, Method, Name};

use super::auth::Tries;

/// One challenge by a proxy, one by the far end, and a stale nonce each.
pub const MAX_TRIES: u32 = 4;

/// A longer request may be torn on its way, and a part of it lost: so much fits where the path is not known.
const DATAGRAM_MAX: usize = 1_300;

/// The request and how far it got.
#[derive(Debug)]
pub struct Attempt {
    request: Request,
    owner: Owner,
    secret: String,
    number: u32,
    tries: Tries,
    credentials: Vec<(Name, String)>,
    tx: TxId,
}

/// The branch of the try with this number.
pub fn branch(secret: &str, number: u32) -> String {
    [MAGIC_COOKIE, secret, ".", &number.to_string()].concat()
}

impl Attempt {
    /// Sends `request`, with credentials where the trunk's last challenge still serves.
    pub fn send(ctx: &mut Ctx<'_>, owner: Owner, secret: String, mut request: Request) -> Attempt {
        let mut tries = Tries::default();
        let credentials = tries.first(&mut *ctx, &request);
        let tx = transmit(ctx, owner, &branch(&secret, 1), &mut request, &credentials);
        Attempt { request, owner, secret, number: 1, tries, credentials, tx }
    }

    /// An INVITE that a former life of the process sent, in its try `number`.
    pub fn resume(ctx: &mut Ctx<'_>, owner: Owner, secret: String, number: u32, request: Request) -> Attempt {
        let branch = branch(&secret, number);
        let bytes = request.bytes(ctx.identity, &branch, &[]);
        let tx = ctx.transactions.resume_invite(owner, &branch, request.hop, bytes);
        Attempt { request, owner, secret, number, tries: Tries::default(), credentials: Vec::new(), tx }
    }

    /// The request as it was last sent.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// What it carried to say who we are; the ACK to a 200 carries the same (RFC 3261 §13.2.2.4).
    pub fn credentials(&self) -> &[(Name, String)] {
        &self.credentials
    }

    /// The transaction of the last try.
    pub fn tx(&self) -> TxId {
        self.tx
    }

    /// A 401 or 407 came: sends the request again, or says why that is pointless.
    pub fn on_challenge(&mut self, ctx: &mut Ctx<'_>, response: &Message) -> Result<(), String> {
        if self.number >= MAX_TRIES {
            return Err(format!("the trunk challenged {MAX_TRIES} times"));
        }
        self.credentials = self.tries.answer(ctx, &self.request, response)?;
        self.again(ctx);
        Ok(())
    }

    /// The same for a request in a dialog, whose numbers other requests take as well.
    pub fn on_challenge_in(
        &mut self,
        ctx: &mut Ctx<'_>,
        dialog: &mut Dialog,
        response: &Message,
    ) -> Result<(), String> {
        self.request.seq = dialog.seq;
        self.on_challenge(ctx, response)?;
        dialog.seq = self.request.seq;
        Ok(())
    }

    /// The connection that it went over is gone. One that had served may have been forgotten on the way, so it goes over
    /// a new one; where nobody takes one, and it was to go over one because it is long, as a datagram. False: neither.
    pub fn fall_back(&mut self, ctx: &mut Ctx<'_>) -> bool {
        if self.number < MAX_TRIES && ctx.line.targets.has_served(self.request.hop) {
            self.again(ctx);
            return true;
        }
        let datagram = Hop::udp(self.request.hop.address);
        let is_switched = self.request.hop == Hop::tcp(datagram.address) && ctx.line.targets.has(datagram);
        if is_switched && self.number < MAX_TRIES {
            ctx.line.targets.takes_no_connections(datagram, ctx.now);
            self.request.hop = datagram;
            self.again(ctx);
        }
        is_switched && self.request.hop == datagram
    }

    /// Sends it again, changed, with credentials that fit the change; or says that this was tried too often.
    pub fn retry(&mut self, ctx: &mut Ctx<'_>, change: impl FnOnce(&mut Request)) -> Result<(), String> {
        if self.number >= MAX_TRIES {
            return Err(format!("the trunk wanted {MAX_TRIES} changes"));
        }
        change(&mut self.request);
        self.tries = Tries::default();
        self.credentials = self.tries.first(ctx, &self.request);
        self.again(ctx);
        Ok(())
    }

    fn again(&mut self, ctx: &mut Ctx<'_>) {
        self.number += 1;
        self.request.seq = self.request.seq.saturating_add(1);
        let branch = branch(&self.secret, self.number);
        self.tx = transmit(ctx, self.owner, &branch, &mut self.request, &self.credentials);
    }
}

fn transmit(ctx: &mut Ctx<'_>, owner: Owner, branch: &str, request: &mut Request, keys: &[(Name, String)]) -> TxId {
    let mut bytes = request.bytes(ctx.identity, branch, keys);
    if bytes.len() > DATAGRAM_MAX && ctx.line.targets.may_take_connections(request.hop, ctx.now) {
        request.hop = Hop::tcp(request.hop.address);
        bytes = request.bytes(ctx.identity, branch, keys);
    }
    match request.method {
        Method::Invite => ctx.transactions.invite(ctx.now, owner, branch, request.hop, bytes, ctx.out),
        _ => ctx.transactions.request(ctx.now, owner, branch, &request.method, request.hop, bytes, ctx.out),
    }
}
