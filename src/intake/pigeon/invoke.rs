//! What `POST …/chain/invoke` and `…/chain/abort` ask for.

use crate::base::{CallFlowId, Digit, GuidanceId};
use crate::intake::IntakeError;
use crate::intake::json::{self, Node};
use crate::intake::limit::{self, Parameters};
use crate::intake::plain::id;
use serde_json::Value;
use std::collections::BTreeMap;

/// The most people of an inline call flow, and the most phones of one of them.
const CONTACTS_MAX: usize = 100;
const PHONES_MAX: usize = 10;
/// The most rounds of an inline call flow.
const LOOPS_MAX: u64 = 100;
/// The longest text of a phone.
const PHONE_CHARS_MAX: usize = 64;

const BEHAVIORS: &str = "`terminate`, `continue` or `leave`";

/// Something the configuration keeps, or the thing itself.
#[derive(Clone, PartialEq, Debug)]
pub enum IdOr<I, T> {
    /// Its id.
    Id(I),
    /// All of it.
    Inline(T),
}

/// A callout that somebody asks for.
#[derive(Clone, PartialEq, Debug)]
pub struct Invoke {
    /// Whom to call.
    pub callflow: IdOr<CallFlowId, CallFlow>,
    /// What to say.
    pub guidance: IdOr<GuidanceId, Guidance>,
    /// Values for the `{{parameter}}`s.
    pub parameters: BTreeMap<String, String>,
    /// `params` as they came, for the answer.
    pub params: Value,
}

/// An inline call flow.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallFlow {
    /// How many rounds, from 1.
    pub loop_limit: u32,
    /// Whom, in order.
    pub contacts: Vec<Contact>,
}

/// A person of an inline call flow.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Contact {
    /// The name people know; 「不明」 where there is none.
    pub display_name: String,
    /// Numbers as they were written, in order; at least one.
    pub phones: Vec<String>,
}

/// An inline guidance.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Guidance {
    /// What is read out, with `{{parameter}}`s.
    pub message_template: String,
    /// What each key does.
    pub reactions: BTreeMap<Digit, Reaction>,
}

/// What a key does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reaction {
    /// What follows.
    pub behavior: Behavior,
    /// What is said first.
    pub message_template: Option<String>,
}

/// What follows a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Behavior {
    /// Done: this person takes it.
    Terminate,
    /// The next person.
    Continue,
    /// The next person, and this one is not called again in this callout.
    Leave,
}

impl Behavior {
    /// The word of this API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Behavior::Terminate => "terminate",
            Behavior::Continue => "continue",
            Behavior::Leave => "leave",
        }
    }
}

impl Invoke {
    /// Reads a body: `{"params": {…}}`.
    pub fn read(body: &[u8]) -> Result<Invoke, IntakeError> {
        let body = json::parse(body, "JSON with `params`")?;
        let whole = Node::root(&body)?;
        let place = whole.get("params");
        let params = place.value().filter(|params| params.is_object()).ok_or_else(|| place.wrong("an object"))?;
        let mut parameters = Parameters::default();
        place.get("parameters").put_all(&mut parameters);
        Ok(Invoke {
            callflow: either(&place, "callflowId", "callflow", call_flow)?,
            guidance: either(&place, "guidanceId", "guidance", guidance)?,
            parameters: parameters.done(),
            params: params.clone(),
        })
    }
}

/// A callout that somebody wants stopped.
#[derive(Clone, PartialEq, Debug)]
pub struct Abort {
    /// Which, by the id that its invocation was answered with.
    pub result_id: String,
    /// `params` as they came, for the answer.
    pub params: Value,
}

impl Abort {
    /// Reads a body: `{"params": {"resultId"}}`.
    pub fn read(body: &[u8]) -> Result<Abort, IntakeError> {
        let body = json::parse(body, "JSON with `params`")?;
        let place = Node::root(&body)?.get("params");
        let result_id = place.get("resultId").needed("the id that the invocation was answered with")?;
        Ok(Abort { result_id, params: place.value().cloned().unwrap_or_default() })
    }
}

fn either<I: core::str::FromStr, T>(
    params: &Node<'_>,
    by_id: &str,
    inline: &str,
    read: impl Fn(&Node<'_>) -> Result<T, IntakeError>,
) -> Result<IdOr<I, T>, IntakeError> {
    let whole = params.get(inline);
    match (id(&params.get(by_id))?, whole.value()) {
        (Some(_), Some(_)) => Err(whole.wrong(&format!("`{by_id}` or `{inline}`, not both"))),
        (Some(id), None) => Ok(IdOr::Id(id)),
        (None, Some(Value::Object(_))) => read(&whole).map(IdOr::Inline),
        (None, Some(_)) => Err(whole.wrong("an object")),
        (None, None) => Err(params.get(by_id).wrong(&format!("an id, or the object `{inline}`"))),
    }
}

fn call_flow(place: &Node<'_>) -> Result<CallFlow, IntakeError> {
    let limit = place.get("loopLimit");
    let accepted = format!("a whole number from 1 to {LOOPS_MAX}");
    let loops = limit.needed(&accepted)?.parse::<u64>().ok().filter(|loops| (1..=LOOPS_MAX).contains(loops));
    let loops = loops.and_then(|loops| u32::try_from(loops).ok()).ok_or_else(|| limit.wrong(&accepted))?;
    let people = place.get("contacts");
    let contacts = some(&people, CONTACTS_MAX, "contacts")?.iter().map(contact).collect::<Result<_, _>>()?;
    Ok(CallFlow { loop_limit: loops, contacts })
}

fn contact(place: &Node<'_>) -> Result<Contact, IntakeError> {
    let phone = |phone: &Node<'_>| {
        let number = phone.get("phoneNumber");
        let accepted = format!("a phone number of at most {PHONE_CHARS_MAX} characters");
        let text = number.needed(&accepted)?;
        if text.chars().count() <= PHONE_CHARS_MAX { Ok(text) } else { Err(number.wrong(&accepted)) }
    };
    let phones = some(&place.get("phones"), PHONES_MAX, "phones")?.iter().map(phone).collect::<Result<_, _>>()?;
    let name = place.get("displayName").text("a text")?.as_deref().and_then(limit::name);
    Ok(Contact { display_name: name.unwrap_or_else(|| "不明".to_owned()), phones })
}

fn guidance(place: &Node<'_>) -> Result<Guidance, IntakeError> {
    let message = place.get("messageTemplate").needed("the text to read out")?;
    let reactions = place.get("reactions");
    let mut keys = BTreeMap::new();
    for (key, reaction) in reactions.members() {
        let mut all = key.chars();
        let digit = all.next().and_then(Digit::from_char).filter(|_| all.next().is_none());
        let digit = digit.ok_or_else(|| IntakeError::text(reaction.path(), key, "a key: 0 to 9, `*` or `#`"))?;
        keys.insert(digit, self::reaction(&reaction)?);
    }
    if keys.is_empty() {
        return Err(reactions.wrong("an object with a reaction for one key at least"));
    }
    Ok(Guidance { message_template: limit::spoken(&message).unwrap_or_default(), reactions: keys })
}

fn reaction(place: &Node<'_>) -> Result<Reaction, IntakeError> {
    let behavior = place.get("behavior");
    let behavior = match behavior.needed(BEHAVIORS)?.as_str() {
        "terminate" => Behavior::Terminate,
        "continue" => Behavior::Continue,
        "leave" => Behavior::Leave,
        other => return Err(IntakeError::text(behavior.path(), other, BEHAVIORS)),
    };
    let message = place.get("messageTemplate").text("a text")?;
    Ok(Reaction { behavior, message_template: message.as_deref().and_then(limit::spoken) })
}

/// The elements of an array that must have one and may not have too many.
fn some<'a>(place: &Node<'a>, most: usize, what: &str) -> Result<Vec<Node<'a>>, IntakeError> {
    let items = place.items()?;
    if (1..=most).contains(&items.len()) { Ok(items) } else { Err(place.wrong(&format!("1 to {most} {what}"))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INLINE: &str = r#"{"params": {
        "callflow": {"loopLimit": 3, "contacts": [
            {"displayName": "田中さん", "phones": [{"phoneNumber": "0999001122"}, {"phoneNumber": "+81999001123"}]},
            {"phones": [{"phoneNumber": "0999334455"}]}]},
        "guidance": {"messageTemplate": "{{server}}で障害です", "reactions": {
            "1": {"behavior": "terminate", "messageTemplate": "お願いします"},
            "2": {"behavior": "continue"}, "3": {"behavior": "leave"}}},
        "parameters": {"server": "db-01", "load": 97}}}"#;

    fn wrong(body: &str) -> Option<String> {
        Invoke::read(body.as_bytes()).unwrap_err().field().map(str::to_owned)
    }

    #[test]
    fn ids_are_read() {
        let body = r#"{"params": {"callflowId": "049de6fc-c1a7-4963-af43-616cce2492c6", "guidanceId": "570e6f71",
                       "parameters": {"server": "テスト用サーバー", "incident": "軽度の障害"}}}"#;
        let invoke = Invoke::read(body.as_bytes()).unwrap();
        assert!(matches!(&invoke.callflow, IdOr::Id(id) if id.as_str().starts_with("049de6fc")));
        assert_eq!(invoke.parameters["incident"], "軽度の障害");
        assert_eq!(invoke.params["guidanceId"], "570e6f71");
    }

    #[test]
    fn whole_objects_are_read_and_mixed_with_ids() {
        let invoke = Invoke::read(INLINE.as_bytes()).unwrap();
        let (IdOr::Inline(flow), IdOr::Inline(guidance)) = (&invoke.callflow, &invoke.guidance) else { panic!() };
        assert_eq!((flow.loop_limit, flow.contacts[0].phones.len()), (3, 2));
        assert_eq!(flow.contacts[1].display_name, "不明");
        let behaviors: Vec<_> = guidance.reactions.values().map(|reaction| reaction.behavior).collect();
        assert_eq!(behaviors, [Behavior::Terminate, Behavior::Continue, Behavior::Leave]);
        let mixed = r#"{"params": {"callflowId": "night", "guidance":
            {"messageTemplate": "m", "reactions": {"9": {"behavior": "continue"}}}}}"#;
        assert!(matches!(Invoke::read(mixed.as_bytes()).unwrap().guidance, IdOr::Inline(_)));
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(wrong("{}").as_deref(), Some("params"));
        assert_eq!(wrong(r#"{"params": {}}"#).as_deref(), Some("params.callflowId"));
        assert_eq!(wrong(r#"{"params": {"callflowId": "a"}}"#).as_deref(), Some("params.guidanceId"));
        for (from, to, field) in [
            ("\"loopLimit\": 3", "\"loopLimit\": 0", "params.callflow.loopLimit"),
            ("\"loopLimit\": 3", "\"loopLimit\": 1.5", "params.callflow.loopLimit"),
            ("\"leave\"", "\"explode\"", "params.guidance.reactions.3.behavior"),
            ("\"3\":", "\"33\":", "params.guidance.reactions.33"),
            ("{\"phoneNumber\": \"0999334455\"}", "", "params.callflow.contacts[1].phones"),
            ("\"callflow\":", "\"callflowId\": \"a\", \"callflow\":", "params.callflow"),
        ] {
            assert_eq!(wrong(&INLINE.replace(from, to)).as_deref(), Some(field), "{to}");
        }
    }

    #[test]
    fn an_abort_names_its_result() {
        let abort = Abort::read(br#"{"params": {"resultId": "0abc"}}"#).unwrap();
        assert_eq!(abort.result_id, "0abc");
        assert_eq!(Abort::read(b"{}").unwrap_err().field(), Some("params.resultId"));
    }
}
