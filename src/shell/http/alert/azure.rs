//! System A: what a tool asks for that can only call a URL, perhaps with nothing behind it.
//!
//! Whatever neither the URL nor the block of the call flow chooses is as the users of such a tool know it: a shuffled
//! order, three rounds, and the guidance `azure` (1 takes it, 2 calls the next person, two minutes for the first key).
//! A `[[guidance]]` or `[[call_flow]]` with the id `azure` takes the place of what is built in.
//!
//! Easy to get wrong: a call flow that says `strategy = "sequential"` means it, and one that says nothing does not.

use core::time::Duration;

use super::{contacts, own, phones, plan, room_of};
use crate::base::{CallFlowId, GuidanceId};
use crate::config::{AZURE, Chosen, Settings};
use crate::incident::{Answer, CallFlow, Guidance, Plan, Strategy, Token};
use crate::intake::Draft;
use crate::shell::ask::Raise;
use crate::shell::control::Failure;
use crate::shell::http::reply::Refused;

const ROUNDS: u32 = 3;

/// The incident that such a tool asks for. `usual`: the call flow of whoever names none.
pub(in crate::shell::http) fn raise(
    settings: &Settings,
    token: &Token,
    draft: Draft,
    usual: Result<CallFlowId, Refused>,
) -> Result<Raise, Refused> {
    let azure: CallFlowId = own(AZURE)?;
    let room = room_of(settings, token, &draft)?;
    let people = phones(settings, &draft)?;
    let named = draft.call_flow.clone().or_else(|| token.call_flow.clone());
    let call_flow = match named.or_else(|| settings.call_flows.contains_key(&azure).then(|| azure.clone())) {
        Some(call_flow) => call_flow,
        // A list of contacts says all that a call flow has to.
        None if !people.is_empty() => usual.unwrap_or(azure),
        None => usual?,
    };
    let to = people.iter().map(|(phone, _)| phone.clone()).collect();
    let trigger = draft.trigger(Some(&call_flow), to, Some(token.name.clone()));
    let mut trigger = trigger.ok_or_else(|| Refused::bad("`call_flow`: which?"))?;
    let configured = settings.call_flows.get(&trigger.call_flow);
    let chosen = configured.map(|flow| flow.chosen).unwrap_or_default();
    let mut plan = match configured.map(|flow| flow.flow.clone()).or_else(|| built_in_flow(&trigger.call_flow)) {
        Some(flow) if !people.is_empty() => {
            let named = trigger.guidance.as_ref().and_then(|id| settings.guidances.get(id)).cloned();
            let guidance = named.map_or_else(|| guidance(settings), Ok)?;
            Plan { call_flow: flow, contacts: contacts(settings, token, &people)?, guidance, then: None }
        }
        _ => plan(settings, token, &trigger, &people)?,
    };
    usual_to_them(settings, chosen, trigger.guidance.is_some(), &mut plan)?;
    trigger.guidance = Some(plan.guidance.id.clone());
    plan.guidance.room = room.or(plan.guidance.room);
    Ok(Raise { trigger, plan })
}

/// Puts what is usual in the place of what nobody chose.
fn usual_to_them(settings: &Settings, chosen: Chosen, guided: bool, plan: &mut Plan) -> Result<(), Refused> {
    if !chosen.strategy {
        plan.call_flow.strategy = Strategy::Shuffled;
    }
    if !chosen.rounds {
        plan.call_flow.rounds = ROUNDS;
    }
    if !guided && !chosen.guidance {
        plan.guidance = guidance(settings)?;
    }
    Ok(())
}

fn built_in_flow(id: &CallFlowId) -> Option<CallFlow> {
    (id.as_str() == AZURE).then(|| CallFlow {
        id: id.clone(),
        strategy: Strategy::Shuffled,
        answer: Answer::One,
        rounds: ROUNDS,
        ring_timeout: Duration::from_secs(30),
        between_rounds: Duration::from_secs(10),
        bundle: Duration::ZERO,
        taken_for: Duration::ZERO,
    })
}

/// The file's guidance of this name, or what is built in.
fn guidance(settings: &Settings) -> Result<Guidance, Refused> {
    let guidance = settings.guidances.get(&own::<GuidanceId>(AZURE)?).cloned();
    guidance.ok_or_else(|| Refused::from(Failure::new("internal", "a guidance that is built in is not there")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Language;
    use crate::incident::Behaviour;
    use crate::intake::{Callee, UNKNOWN};
    use crate::shell::http::bench::{self, ONE_PERSON, token};

    fn settings(flows: &str) -> Settings {
        bench::settings(&[ONE_PERSON, flows].concat())
    }

    fn flow(id: &str, more: &str) -> String {
        format!("[[call_flow]]\nid = \"{id}\"\nroster = \"r\"\n{more}")
    }

    fn raised(settings: &Settings, draft: Draft) -> Result<Raise, Refused> {
        let only = settings.call_flows.keys().next().filter(|_| settings.call_flows.len() == 1);
        raise(settings, &token(&["trigger"]), draft, only.cloned().ok_or_else(|| Refused::bad("which?")))
    }

    #[test]
    fn a_url_with_nothing_behind_it_has_a_guidance_an_order_and_rounds_of_its_own() {
        let Raise { plan, trigger } = raised(&settings(&flow("oncall", "")), Draft::default()).unwrap();
        let keys: Vec<(char, Behaviour)> =
            plan.guidance.keys.iter().map(|(digit, key)| (digit.as_char(), key.behaviour)).collect();
        assert_eq!(keys, [('1', Behaviour::Take), ('2', Behaviour::Next)]);
        let spoken = "障害通知システムです。1番で対応開始、2番で次の担当者に転送します。";
        assert_eq!(plan.guidance.message[&Language::Ja], spoken);
        assert!(plan.guidance.message[&Language::En].contains("Press 1"));
        let waits = (plan.guidance.first_key_timeout.as_secs(), plan.guidance.inter_key_timeout.as_secs());
        assert_eq!(waits, (120, 15));
        assert_eq!((plan.call_flow.strategy, plan.call_flow.rounds), (Strategy::Shuffled, 3));
        assert_eq!((plan.call_flow.id.as_str(), trigger.guidance.unwrap().as_str()), ("oncall", "azure"));
    }

    #[test]
    fn what_the_file_or_the_url_chooses_is_kept() {
        let own = "[[guidance]]\nid = \"calm\"\nkeys.5 = { do = \"take\" }\n";
        let chosen = "strategy = \"sequential\"\nrounds = 7\nguidance = \"calm\"\n";
        let plan = raised(&settings(&format!("{}{own}", flow("oncall", chosen))), Draft::default()).unwrap().plan;
        let kept = (plan.call_flow.strategy, plan.call_flow.rounds, plan.guidance.id.as_str());
        assert_eq!(kept, (Strategy::Sequential, 7, "calm"));
        let settings = settings(&format!("{}{own}", flow("oncall", "")));
        for (named, told) in [("calm", "calm"), ("azure", "azure")] {
            let draft = Draft { guidance: named.parse().ok(), ..Draft::default() };
            assert_eq!(raised(&settings, draft).unwrap().plan.guidance.id.as_str(), told);
        }
        let unknown = Draft { guidance: "nobody".parse().ok(), ..Draft::default() };
        assert_eq!(raised(&settings, unknown).unwrap_err().failure.code, "unknown_guidance");
    }

    #[test]
    fn a_call_flow_and_a_guidance_of_that_name_take_the_place_of_what_is_built_in() {
        let own = "[[guidance]]\nid = \"azure\"\nkeys.5 = { do = \"take\" }\n";
        let settings = settings(&format!("{}{}{own}", flow("other", ""), flow("azure", "ring_timeout = \"9s\"\n")));
        let plan = raised(&settings, Draft::default()).unwrap().plan;
        assert_eq!((plan.call_flow.id.as_str(), plan.call_flow.ring_timeout.as_secs()), ("azure", 9));
        assert_eq!(plan.guidance.keys.len(), 1);
        assert_eq!(plan.call_flow.strategy, Strategy::Shuffled, "it says nothing of it");
    }

    #[test]
    fn listed_contacts_are_called_one_after_another_by_the_names_that_came() {
        let one = |number: &str, name: &str| Callee { number: number.to_owned(), name: Some(name.to_owned()) };
        let draft = Draft { to: vec![one("+818012345678", "佐藤")], ..Draft::default() };
        let two = settings(&format!("{}{}", flow("oncall", ""), flow("other", "")));
        let plan = raised(&two, draft).unwrap().plan;
        let called: Vec<(&str, &str)> = plan.contacts.iter().map(|it| (it.id.as_str(), it.name.as_str())).collect();
        assert_eq!((called, plan.call_flow.id.as_str()), (vec![("yamada", "佐藤")], "azure"));
        assert_eq!((plan.call_flow.strategy, plan.guidance.id.as_str()), (Strategy::Shuffled, "azure"));
        let stranger = Draft { to: vec![one("+819000000001", UNKNOWN)], ..Draft::default() };
        assert_eq!(raised(&two, stranger).unwrap_err().failure.code, "not_a_roster_number");
        assert!(raised(&two, Draft::default()).is_err(), "nobody says whom to call");
    }
}
