//! `[sms] events`: the people of an incident are told by short message.
//!
//! The corridor keeps these messages in its own queue with all the others, so that they leave by the way that is
//! configured, and are delivered when they are on disk there.

use std::collections::BTreeMap;

use tokio::sync::{mpsc, oneshot};

use super::parcel::{Deliver, Parcel, Trouble};
use crate::base::{ContactId, Phone};
use crate::shell::ask::{Ask, Write};
use crate::shell::control::Request;

/// The contacts who have an `sms`.
pub(super) struct SmsPost {
    pub(super) phones: BTreeMap<ContactId, Phone>,
    pub(super) core: mpsc::Sender<Ask>,
}

impl Deliver for SmsPost {
    fn deliver(&mut self, parcel: &Parcel) -> Result<(), Trouble> {
        let people = parcel.notice.people.iter();
        let to: Vec<Phone> = people.filter_map(|contact| self.phones.get(contact)).cloned().collect();
        if to.is_empty() {
            return Ok(());
        }
        let (reply, answer) = oneshot::channel();
        let text = parcel.notice.text.clone();
        let ask = Ask { request: Request::Write(Write { to, text }), by: None, reply };
        let ends = || Trouble::later("the daemon ends");
        self.core.blocking_send(ask).map_err(|_| ends())?;
        match answer.blocking_recv() {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(failure)) => Err(Trouble::later(failure.message)),
            Err(_) => Err(ends()),
        }
    }
}
