//! Numbers that are refused at the door, before there is an incident: facts and events as the guard's own are.
//!
//! So many an hour and token are kept, and no more: a token that asks in a loop must not fill the journal.

use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::time::Duration;

use super::House;
use super::reply::Refused;
use crate::base::Time;
use crate::incident::Token;
use crate::shell::ask::NotDialled;
use crate::shell::control::Request;

/// Of one token, within the window.
const KEPT_MAX: u32 = 60;
const WINDOW: Duration = Duration::from_secs(3_600);

/// How many of each token's were kept.
#[derive(Debug, Default)]
pub(super) struct Refusals(BTreeMap<u32, (Time, u32)>);

impl Refusals {
    /// True while one more of this token's is to be kept.
    fn keep(&mut self, token: u32, now: Time) -> bool {
        self.0.retain(|_, (since, _)| now.since(*since) < WINDOW);
        let (_, kept) = self.0.entry(token).or_insert((now, 0));
        *kept = kept.saturating_add(1);
        *kept <= KEPT_MAX
    }
}

impl House {
    /// Writes a refusal down, where it is about a number, and gives it back.
    pub(super) async fn kept(&self, token: &Token, refused: Refused) -> Refused {
        if let Some(number) = refused.number.clone()
            && self.keeps(token)
        {
            let why = refused.failure.message.clone();
            // Where the disk takes nothing, it is refused all the same.
            let _ = self.ask(Request::NotDialled(NotDialled { number, why }), &token.name).await;
        }
        refused
    }

    fn keeps(&self, token: &Token) -> bool {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner).keep(token.id, self.clock.now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixty_an_hour_and_token_are_kept() {
        let mut refusals = Refusals::default();
        assert!((0..60).all(|_| refusals.keep(1, Time::ZERO)) && !refusals.keep(1, Time::ZERO));
        assert!(refusals.keep(2, Time::ZERO), "another token");
        assert!(refusals.keep(1, Time::ZERO + WINDOW));
    }
}
