//! Ladders as JSON: what is asked about them on the control socket and over HTTP.
//!
//! Copies of a message, as a transaction sends them again, are one line with several times. An answer is bounded; calls
//! that have no room in it are counted, and can be asked for one attempt at a time.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::keeper::Keeper;
use super::pcap::Pcap;
use crate::base::{AttemptId, IncidentId, Stamp};
use crate::shell::control::Failure;
use crate::sip;
use crate::sip::rung::{Rung, Says, parties, rung};
use crate::store::{History, Ladder, Passed, StoreError, record_of};

/// Messages in one answer.
const MESSAGES_MAX: usize = 2_000;
/// Bytes of messages in one answer.
const BYTES_MAX: usize = 4 << 20;
/// Calls that are listed.
const LATEST: u32 = 20;

/// An attempt, and the calls that were made for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Call {
    of: AttemptId,
    contact: String,
    name: String,
    phone: String,
    called_in: bool,
    call_ids: Vec<String>,
}

/// The calls that these facts tell of, oldest first; only those of one attempt, where that is asked for.
pub(super) fn calls(id: IncidentId, attempt: Option<u32>, facts: &History) -> Result<Vec<Call>, Failure> {
    let not_found = |what: String| Err(Failure::new("not_found", what));
    if facts.is_empty() {
        return not_found(format!("no incident {id}: `hansho status` lists them"));
    }
    let record = record_of(facts);
    if let Some(number) = attempt.filter(|number| record.attempt(*number).is_none()) {
        return not_found(format!("incident {id} has no attempt {number}: `hansho status {id}` lists them"));
    }
    let mut call_ids: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for (number, handle) in facts.iter().filter_map(|(_, fact)| fact.call()) {
        let known = call_ids.entry(number).or_default();
        if let Some(call_id) = sip::call_id_of(&handle.0).filter(|call_id| !known.contains(call_id)) {
            known.push(call_id);
        }
    }
    let wanted = record.attempts.iter().filter(|it| attempt.is_none_or(|number| number == it.number));
    let calls = wanted.map(|it| Call {
        of: AttemptId { incident: id, number: it.number },
        contact: it.contact.to_string(),
        name: it.name.clone(),
        phone: it.phone.to_string(),
        called_in: it.inbound,
        call_ids: call_ids.remove(&it.number).unwrap_or_default(),
    });
    Ok(calls.collect())
}

/// The ladders of these calls.
pub(super) fn incident(keeper: &Keeper, id: IncidentId, calls: &[Call], pcap: bool) -> Result<Value, Failure> {
    let mut sheet = Sheet::new(pcap);
    let failed = |error: StoreError| Failure::new("ladder", error.to_string());
    for call in calls {
        let noted = keeper.ways_of(call.of).map_err(failed)?;
        let noted = noted.into_iter().filter(|call_id| !call.call_ids.contains(call_id));
        let ways: Vec<String> = call.call_ids.iter().cloned().chain(noted).collect();
        let ladders = ways.into_iter().map(|call_id| Ok((keeper.of(&call_id).map_err(failed)?, call_id)));
        let mut ladders: Vec<(Ladder, String)> = ladders.collect::<Result<_, _>>()?;
        ladders.sort_by_key(|(ladder, _)| ladder.messages.first().map(|first| first.at));
        for (ladder, call_id) in ladders {
            let head = json!({
                "attempt": call.of.number,
                "contact": call.contact,
                "name": call.name,
                "phone": call.phone,
                "called_in": call.called_in,
                "call_id": call_id,
            });
            sheet.add(head, ladder);
        }
    }
    let mut answer = sheet.finish(keeper);
    answer["incident"] = id.to_string().into();
    Ok(answer)
}

/// What was said outside of calls lately: registrations, questions whether somebody is there, short messages. And which
/// calls there were, as many of them belong to no incident: those to a hotline, and those that were turned away.
pub(super) fn house(keeper: &Keeper, pcap: bool) -> Value {
    let mut sheet = Sheet::new(pcap);
    for (hop, messages) in keeper.outside() {
        let ladder = Ladder { messages: messages.iter().cloned().collect(), gap: None };
        sheet.add(json!({ "with": hop.to_string() }), ladder);
    }
    let mut answer = sheet.finish(keeper);
    let latest = keeper.latest(LATEST).unwrap_or_default();
    answer["calls"] = latest.iter().filter_map(|call_id| Some(entry(call_id, &keeper.of(call_id).ok()?))).collect();
    answer
}

/// The ladder of one call, whatever it was for.
pub(super) fn one(keeper: &Keeper, call_id: &str, pcap: bool) -> Result<Value, Failure> {
    let ladder = keeper.of(call_id).map_err(|error| Failure::new("ladder", error.to_string()))?;
    if ladder.messages.is_empty() {
        let why = "no messages of a call with this Call-ID are kept: `hansho status --ladder` lists the latest calls";
        return Err(Failure::new("not_found", why));
    }
    let mut sheet = Sheet::new(pcap);
    sheet.add(entry(call_id, &ladder), ladder);
    Ok(sheet.finish(keeper))
}

/// What is said of a call over its ladder, and in a list of calls.
fn entry(call_id: &str, ladder: &Ladder) -> Value {
    let first = ladder.messages.first();
    let [from, to] = first.map(|first| parties(&first.bytes)).unwrap_or_default();
    let status = |passed: &Passed| match rung(&passed.bytes) {
        Rung { what: Says::Response { code: code @ 200.., .. }, cseq, .. } if cseq.ends_with("INVITE") => Some(code),
        _ => None,
    };
    json!({
        "call_id": call_id,
        "called_in": first.is_some_and(|first| !first.sent),
        "from": from,
        "to": to,
        "began_at": first.map(|first| time(first.at)),
        "code": ladder.messages.iter().rev().find_map(status),
    })
}

/// An answer being written.
struct Sheet {
    ladders: Vec<Value>,
    pcap: Option<Vec<Passed>>,
    messages: usize,
    bytes: usize,
    left_out: usize,
}

impl Sheet {
    fn new(pcap: bool) -> Sheet {
        Sheet { ladders: Vec::new(), pcap: pcap.then(Vec::new), messages: 0, bytes: 0, left_out: 0 }
    }

    fn add(&mut self, mut head: Value, ladder: Ladder) {
        let bytes: usize = ladder.messages.iter().map(|message| message.bytes.len()).sum();
        let fits = self.messages + ladder.messages.len() <= MESSAGES_MAX && self.bytes + bytes <= BYTES_MAX;
        // One call always fits alone.
        if !fits && self.messages > 0 {
            self.left_out += 1;
            return;
        }
        self.messages += ladder.messages.len();
        self.bytes += bytes;
        if let Some(all) = &mut self.pcap {
            all.extend(ladder.messages);
            return;
        }
        head["gap"] = ladder.gap.map_or(Value::Null, |(missing, after)| json!({ "missing": missing, "after": after }));
        head["messages"] = folded(&ladder.messages);
        self.ladders.push(head);
    }

    fn finish(self, keeper: &Keeper) -> Value {
        let mut answer = json!({ "left_out": self.left_out, "lost": keeper.lost(), "trouble": keeper.trouble() });
        match self.pcap {
            None => answer["ladders"] = self.ladders.into(),
            Some(mut all) => {
                all.sort_by_key(|passed| passed.at);
                let mut pcap = Pcap::new();
                all.iter().for_each(|passed| pcap.add(passed));
                answer["messages"] = all.len().into();
                answer["pcap"] = STANDARD.encode(pcap.finish()).into();
            }
        }
        answer
    }
}

/// The messages, each with the times at which it and its copies went by.
fn folded(messages: &[Passed]) -> Value {
    let mut lines: Vec<(&Passed, usize, Vec<String>)> = Vec::new();
    for (place, passed) in messages.iter().enumerate() {
        let same = |it: &Passed| it.sent == passed.sent && it.remote == passed.remote && it.bytes == passed.bytes;
        match lines.iter_mut().find(|(first, ..)| same(first)) {
            Some((_, _, times)) => times.push(time(passed.at)),
            None => lines.push((passed, place, vec![time(passed.at)])),
        }
    }
    lines.into_iter().map(|(passed, place, times)| line(passed, place, times)).collect()
}

fn line(passed: &Passed, place: usize, times: Vec<String>) -> Value {
    let Rung { what, cseq, sdp, headers } = rung(&passed.bytes);
    let headers: Vec<Value> =
        headers.into_iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
    let mut line = json!({
        "place": place,
        "at": times,
        "sent": passed.sent,
        "transport": passed.remote.transport.as_str(),
        "local": passed.local.to_string(),
        "remote": passed.remote.address.to_string(),
        "cseq": cseq,
        "sdp": sdp,
        "headers": headers,
        "bytes": passed.bytes.len(),
    });
    match what {
        Says::Request { method, uri } => {
            line["method"] = method.into();
            line["uri"] = uri.into();
        }
        Says::Response { code, reason } => {
            line["code"] = code.into();
            line["reason"] = reason.into();
        }
        Says::Nonsense(text) => line["nonsense"] = text.into(),
    }
    line
}

/// To the microsecond, so that the order of messages can be read.
fn time(at: Stamp) -> String {
    let at = Timestamp::from_microsecond(at.as_unix_micros()).unwrap_or_default();
    at.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}
