//! `[sms] events`: the people of an incident are told by short message.
//!
//! The corridor keeps these messages in its own queue with all the others, so that they leave by the way that is
//! configured, and are delivered when they are on disk there.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};

use super::parcel::{Deliver, Parcel, Trouble};
use crate::base::Phone;
use crate::config::Directory;
use crate::shell::ask::{Ask, Write};
use crate::shell::control::Request;

/// To the contacts who have an `sms`.
pub(super) struct SmsPost {
    pub(super) shelf: watch::Receiver<Arc<Directory>>,
    pub(super) core: mpsc::Sender<Ask>,
}

impl Deliver for SmsPost {
    fn deliver(&mut self, parcel: &Parcel) -> Result<(), Trouble> {
        let people = parcel.notice.people.iter();
        let settings = self.shelf.borrow().settings().clone();
        let to: Vec<Phone> = people.filter_map(|contact| settings.sms_phones.get(contact)).cloned().collect();
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
