//! What is asked of the core, on the control socket and over HTTP.
//!
//! Easy to get wrong: whatever changed something is answered when its facts are on the disk, and not before; whoever only
//! looks is answered at once.

use serde_json::{Value, json};

use super::ask::{Ask, NotDialled, Raise, Reply, Settle, Write, not_stored};
use super::control::{Failure, Request, Status, TriggerRequest};
use super::core::Core;
use super::gate::Answer;
use super::history::Unfinished;
use crate::base::{IdError, IncidentId};
use crate::incident::Trigger;
use crate::switch::{HotlineAnswer, NotOpen, Raised};

impl Core {
    /// Serves a request; true when it asks the daemon to end.
    pub(super) fn serve(&mut self, Ask { request, by, reply }: Ask) -> bool {
        let by = by.as_deref().unwrap_or("control");
        let now = self.clock.now();
        match request {
            Request::Trigger(trigger) => self.trigger(trigger, by, reply),
            Request::Status { incident } => self.status(incident, reply),
            Request::Ladder(wanted) => self.ladder(wanted, reply),
            Request::Acknowledge { incident, by: who } => {
                let by = who.as_deref().unwrap_or(by);
                let id = self.named(&incident);
                let done = id.and_then(|id| self.switch.acknowledge(now, id, by).map_err(not_open));
                self.answer(done.map(|()| json!({})), reply);
            }
            Request::Cancel { incident } => {
                let id = self.named(&incident);
                let done = id.and_then(|id| self.switch.cancel(now, id, by).map_err(not_open));
                self.answer(done.map(|()| json!({})), reply);
            }
            Request::Resolve { dedup } => {
                let done = self.switch.resolve(now, &dedup, by).map_err(not_open);
                self.answer(done.map(|_| json!({})), reply);
            }
            Request::Suppress(wanted) => {
                let done = self.suppress(wanted, by);
                self.answer(done, reply);
            }
            Request::Suppressions => at_once(reply, self.suppressions()),
            Request::Lift { suppression } => {
                let done = self.lift(suppression, by);
                self.answer(done, reply);
            }
            Request::Raise(raise) => self.raise(*raise, true, reply),
            Request::Settle(settle) => self.settle(&settle, by, reply),
            Request::Write(Write { to, text }) => {
                to.into_iter().for_each(|phone| {
                    self.switch.send_message(now, phone, &text);
                });
                self.answer(Ok(json!({})), reply);
            }
            Request::NotDialled(NotDialled { number, why }) => {
                self.switch.refused_at_the_door(now, &number, by, &why);
                self.answer(Ok(json!({})), reply);
            }
            Request::Directory(change) => self.change_directory(*change, reply),
            Request::Reload => self.reload(by, reply),
            Request::TokenCreate(wanted) => self.token_create(wanted, by, reply),
            Request::TokenList => at_once(reply, json!({ "tokens": self.tokens.list() })),
            Request::TokenRevoke { token } => self.token_revoke(token, by, reply),
            Request::HotlinePage { link } => {
                let _ = reply.send(self.switch.hotline_page(&link).map(page).ok_or_else(no_such_link));
            }
            Request::HotlineAccept { link } => {
                let accepted = self.switch.hotline_accept(now, &link).map(page).ok_or_else(no_such_link);
                self.answer(accepted, reply);
            }
            Request::Shutdown => {
                at_once(reply, json!({}));
                return true;
            }
            about_rooms => self.order(about_rooms, by, reply),
        }
        false
    }

    /// Answers what was done when it is on the disk, and what cannot be done with the reason.
    pub(super) fn answer(&mut self, done: Result<Value, Failure>, reply: Reply) {
        match done {
            Ok(answer) => self.flush(Some(when_stored(reply, answer))),
            Err(failure) => self.refuse(failure, reply),
        }
    }

    /// Answers with a failure. That something is not there, or not open, is true when what ended it is on the disk:
    /// whoever asks for the same thing again while the disk refuses hears that it is not stored.
    pub(super) fn refuse(&mut self, failure: Failure, reply: Reply) {
        if !matches!(failure.code.as_str(), "not_found" | "not_open") {
            let _ = reply.send(Err(failure));
            return;
        }
        self.flush(Some(Answer::new(move |stored| {
            let _ = reply.send(stored.map_err(not_stored).and(Err(failure)));
        })));
    }

    fn trigger(&mut self, request: TriggerRequest, by: &str, reply: Reply) {
        let planned = request.trigger().and_then(|trigger| {
            let trigger = Trigger { by: Some(by.to_owned()), ..trigger };
            let plan = self.settings.plan(&trigger);
            plan.map(|plan| (trigger, plan)).map_err(|refusal| Failure::new(refusal.code(), refusal.to_string()))
        });
        match planned {
            Ok((trigger, plan)) => self.raise(Raise { trigger, plan }, false, reply),
            Err(failure) => {
                let _ = reply.send(Err(failure));
            }
        }
    }

    /// `named`: say who is called first, too.
    fn raise(&mut self, Raise { trigger, plan }: Raise, named: bool, reply: Reply) {
        let first = plan.contacts.first().map(|contact| contact.name.clone());
        let raised = self.switch.raise(self.clock.now(), trigger, plan);
        let id = raised.incident();
        let mut answer = match raised {
            Raised::New(_) => json!({ "incident": id }),
            Raised::Joined(_) => json!({ "incident": id, "joined": true }),
            Raised::Bundled(_) => json!({ "incident": id, "bundled": true }),
            Raised::Suppressed(_, suppression) => {
                json!({ "incident": id, "suppressed": true, "suppression": suppression })
            }
        };
        if named {
            let called = self.switch.record(id).and_then(|record| record.attempts.first());
            let called = called.map(|attempt| attempt.name.clone()).or_else(|| self.first_who_waits(id));
            answer["name"] = called.or(first).into();
        }
        self.flush(Some(when_stored(reply, answer).about(id)));
    }

    /// Whose turn it is, where a call cannot be made at once: in a shuffled order it is not the first of the roster.
    fn first_who_waits(&self, id: IncidentId) -> Option<String> {
        let contact = self.switch.waiting(id).next()?.contact;
        Some(self.switch.record(id)?.plan.as_ref()?.contact(contact)?.name.clone())
    }

    /// Ends or takes every open incident with a key. That there is none is no failure: tools send their "it is over"
    /// whether anybody was called or not.
    fn settle(&mut self, Settle { dedup, taken }: &Settle, by: &str, reply: Reply) {
        let now = self.clock.now();
        let settled = if *taken {
            let about = self.switch.open().filter(|(_, record)| !record.state.is_final() && record.has_key(dedup));
            let ids: Vec<IncidentId> = about.map(|(id, _)| id).collect();
            ids.into_iter().filter(|id| self.switch.acknowledge(now, *id, by).is_ok()).count()
        } else {
            self.switch.resolve(now, dedup, by).map_or(0, |ids| ids.len())
        };
        self.flush(Some(when_stored(reply, json!({ "incidents": settled }))));
    }

    fn status(&self, incident: Option<String>, reply: Reply) {
        let incident = match incident.map(|text| self.named(&text)).transpose() {
            Ok(incident) => incident,
            Err(failure) => {
                let _ = reply.send(Err(failure));
                return;
            }
        };
        let status = Status::of(self, incident);
        self.history.finish(Unfinished { status, incident, reply });
    }

    pub(super) fn named(&self, text: &str) -> Result<IncidentId, Failure> {
        text.parse().map_err(|error: IdError| Failure::new("bad_request", error.to_string()))
    }
}

/// Gives this answer when everything that was done before is on the disk.
pub(super) fn when_stored(reply: Reply, answer: Value) -> Answer {
    Answer::new(move |stored| {
        let _ = reply.send(stored.map(|()| answer).map_err(not_stored));
    })
}

/// Answers whoever only looked.
pub(super) fn at_once(reply: Reply, answer: Value) {
    // Whoever asked may be gone.
    let _ = reply.send(Ok(answer));
}

fn not_open(error: NotOpen) -> Failure {
    Failure::new("not_open", error.to_string())
}

fn page(answer: HotlineAnswer) -> Value {
    json!({ "language": answer.language, "text": answer.text, "button": answer.button })
}

fn no_such_link() -> Failure {
    Failure::new("not_found", "there is no such link, or its day is over")
}
