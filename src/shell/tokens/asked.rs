//! What operators ask about tokens: to make one, to take one back.
//!
//! Easy to get wrong: a token that nobody was shown must not open one day, so one whose fact the disk refuses never was.

use core::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::{NewToken, shown};
use crate::base::{CallFlowId, Stamp};
use crate::incident::HouseFact;
use crate::shell::ask::{Reply, not_stored};
use crate::shell::control::{Failure, TokenRequest};
use crate::shell::core::Core;
use crate::shell::gate::{Answer, Unstored};
use crate::shell::requests::when_stored;

impl Core {
    /// Answers `token.create`: with the token itself, when its fact is on disk.
    pub(in crate::shell) fn token_create(&mut self, wanted: TokenRequest, by: &str, reply: Reply) {
        let trouble = self.gate.trouble().map(|why| not_stored(Unstored::Never(why.to_owned())));
        let wanted = trouble.map_or_else(|| self.new_token(wanted), Err);
        let created = wanted.and_then(|new| self.tokens.create(new, by, self.clock.calendar()));
        let (fact, secret) = match created {
            Ok(created) => created,
            Err(failure) => {
                let _ = reply.send(Err(failure));
                return;
            }
        };
        let tokens = self.tokens.clone();
        let told = fact.clone();
        let answer = Answer::new(move |stored| {
            let stored = stored.map_err(not_stored).map(|()| {
                tokens.note(&told);
                let HouseFact::TokenCreated { token, .. } = &told else { return Value::Null };
                json!({ "token": shown(token, None), "secret": secret })
            });
            let _ = reply.send(stored);
        });
        // A token that nobody was shown must not open one day.
        self.keep(vec![fact], answer.or_never());
    }

    /// Answers `token.revoke`. It opens nothing from now on, also while the disk does not take the fact.
    pub(in crate::shell) fn token_revoke(&mut self, token: u32, by: &str, reply: Reply) {
        match self.tokens.revoke(token, by) {
            Ok(fact) => {
                self.keep(vec![fact], when_stored(reply, json!({})));
            }
            Err(failure) => self.refuse(failure, reply),
        }
    }

    fn new_token(&self, wanted: TokenRequest) -> Result<NewToken, Failure> {
        let TokenRequest { name, scopes, expires_in_s, expires, call_flow } = wanted;
        let known = |text: String| {
            let id: Option<CallFlowId> = text.parse().ok();
            id.filter(|id| self.settings.call_flows.contains_key(id))
                .ok_or_else(|| Failure::new("unknown_call_flow", format!("there is no call flow `{text}`")))
        };
        let call_flow = call_flow.map(known).transpose()?;
        let expires_in = match (expires_in_s, expires) {
            (length, None) => length.map(Duration::from_secs),
            (None, Some(until)) => Some(left(self.clock.calendar(), &until, &self.settings.node.time_zone)?),
            (Some(_), Some(_)) => {
                return Err(Failure::new("bad_request", "either `expires_in_s` or `expires` says when it ends"));
            }
        };
        Ok(NewToken { name, scopes, expires_in, call_flow })
    }
}

/// How long it is until a moment, or until the end of a day where people live.
fn left(now: Stamp, until: &str, zone: &TimeZone) -> Result<Duration, Failure> {
    let end_of = |date: Date| date.tomorrow().ok()?.to_zoned(zone.clone()).ok();
    let moment = until.parse::<Timestamp>().ok();
    let moment = moment.or_else(|| Some(end_of(until.parse().ok()?)?.timestamp()));
    let end = moment.map(|moment| Stamp::from_unix_micros(moment.as_microsecond())).ok_or_else(|| {
        Failure::new("bad_request", format!("`expires`: `{until}` is neither a date nor an RFC 3339 time"))
    })?;
    if end <= now {
        return Err(Failure::new("bad_request", format!("`expires`: `{until}` is over")));
    }
    Ok(end.since(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_last_day_ends_where_people_live_and_a_moment_where_it_is() {
        let tokyo = TimeZone::get("Asia/Tokyo").unwrap();
        let now = Stamp::from_unix_micros(1_000_000);
        let left = |until: &str| left(now, until, &tokyo).map(|left| left.as_secs());
        assert_eq!(left("1970-01-01"), Ok(15 * 3_600 - 1), "midnight is nearly fifteen hours away");
        assert_eq!(left("1970-01-01T00:01:00Z"), Ok(59));
        for wrong in ["1969-12-31", "1970-01-01T00:00:00Z", "soon", "1970-13-01", ""] {
            assert_eq!(left(wrong).map_err(|failure| failure.code), Err("bad_request".to_owned()), "{wrong}");
        }
    }
}
