use std::collections::BTreeMap;
use std::sync::Arc;

use super::town::{plan, trigger};
use super::world::{World, seconds};
use crate::base::{Calendar, Digit, Language, Stamp, Utc, WallTime};
use crate::incident::{Plan, Trigger};
use crate::phrase::Dictionary;
use crate::switch::{Notice, What};

/// Of people who are spoken to in Japanese.
fn japanese(people: &[&str]) -> Plan {
    let mut plan = plan(people, None);
    for contact in &mut plan.contacts {
        contact.language = Language::Ja;
    }
    plan
}

fn with(parameters: &[(&str, &str)]) -> Trigger {
    let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Trigger { message: None, parameters, ..trigger(None) }
}

fn texts(world: &World) -> Vec<&str> {
    world.texts.iter().map(|(.., text)| text.as_str()).collect()
}

#[test]
fn the_voice_gets_words_and_the_screen_what_was_written() {
    let mut world = World::new();
    let sentence = "2023年10月3日にシステム名XYZのserver1でCPU Utilizationのアラートが発生しました";
    let message = Trigger { message: Some(sentence.to_owned()), ..trigger(None) };
    let id = world.raise(message, japanese(&["ann"]));
    let spoken = "2023年10月3日にシステム名エックスワイゼットのサーバー1でシーピーユー ユーティライゼーションのアラートが発生しました";
    assert_eq!(texts(&world), [spoken]);
    let (at, fact) = world.facts.iter().find_map(|entry| Some((entry.at(), entry.fact()?.clone()))).unwrap();
    let notice = Notice::of_fact(id, at, &fact, world.switch.record(id).unwrap(), Language::Ja).unwrap();
    assert_eq!(notice.subject.as_deref(), Some(sentence));
}

#[test]
fn a_guidance_is_filled_for_each_language_and_says_the_date_alone() {
    let mut world = World::new();
    let mut both = japanese(&["ann", "bob"]);
    both.contacts[1].language = Language::En;
    both.guidance.message = BTreeMap::from([
        (Language::Ja, "{{ lastcheck | date }}、{{server}}で障害です。".to_owned()),
        (Language::En, "{{server}} failed on {{ lastcheck | date }}.".to_owned()),
    ]);
    both.guidance.keys.get_mut(&Digit::from_char('1').unwrap()).unwrap().say = Some("{{server}} OK".to_owned());
    world.raise(with(&[("server", "db-01"), ("lastcheck", "2023-10-03 13:20:52")]), both);
    assert_eq!(
        texts(&world),
        [
            "D B dash zero one failed on October third, twenty twenty-three.",
            "D B dash zero one OK",
            "2023年10月3日、ディービーハイフンゼロイチで障害です。",
            "ディービーハイフンゼロイチ オーケー",
        ]
    );
    assert_eq!(world.told(|what| matches!(what, What::VoiceIncomplete { .. })), 0);
}

/// Two hours are all that lie between any two places.
#[derive(Debug)]
struct TwoHoursEast;

impl Calendar for TwoHoursEast {
    fn wall(&self, at: Stamp, zone: &str) -> Option<WallTime> {
        Utc.wall(at + seconds(7_200), zone)
    }
}

#[test]
fn everybody_hears_a_time_with_a_zone_on_their_own_clock() {
    let mut world = World::new();
    world.switch.keep_calendar(Box::new(TwoHoursEast));
    let mut both = japanese(&["ann", "bob"]);
    both.contacts[1].hours.zone = "Somewhere/East".to_owned();
    both.guidance.message = BTreeMap::from([(Language::Ja, "{{at | date}}、{{at | time}}、{{at}}".to_owned())]);
    world.raise(with(&[("at", "2023-10-03T23:10:00Z")]), both);
    assert_eq!(
        texts(&world),
        ["2023年10月3日、23時10分、協定世界時2023年10月3日23時10分", "2023年10月4日、1時10分、2023年10月4日1時10分",]
    );
    world.spoken(Ok(()));
    let ann = world.rings("ann");
    world.answers(&ann);
    assert_eq!(world.hears(&ann)[1], "spoken");
    world.presses(&ann, '2');
    let bob = world.rings("bob");
    world.answers(&bob);
    assert_eq!(world.hears(&bob)[1], "spoken", "what was made is what is looked for");
}

#[test]
fn a_parameter_that_nobody_brought_is_left_out_and_told_once() {
    let mut world = World::new();
    let mut plan = japanese(&["ann"]);
    plan.guidance.message = BTreeMap::from([
        (Language::Ja, "{{server}}で{{incident}}が発生しました。".to_owned()),
        (Language::En, "{{nobody hears this}}".to_owned()),
    ]);
    let id = world.raise(with(&[("server", "本番")]), plan);
    assert_eq!(texts(&world), ["本番でが発生しました。"]);
    let named = |what: &What| matches!(what, What::VoiceIncomplete { missing } if *missing == ["incident"]);
    assert_eq!(world.told(named), 1);
    let ann = world.rings("ann");
    world.spoken(Ok(()));
    world.answers(&ann);
    assert_eq!(world.told(named), 1);
    assert_eq!(world.events_of(id).iter().filter(|name| *name == "voice.incomplete").count(), 1);
}

#[test]
fn the_house_s_own_readings_are_said() {
    let mut world = World::new();
    let words = BTreeMap::from([(Language::Ja, BTreeMap::from([("Kubernetes".to_owned(), "クーベ".to_owned())]))]);
    world.switch.settings.dictionary = Arc::new(Dictionary::new(&words).unwrap());
    let message = Trigger { message: Some("Kubernetesが停止".to_owned()), ..trigger(None) };
    world.raise(message, japanese(&["ann"]));
    assert_eq!(texts(&world), ["クーベが停止"]);
}

#[test]
fn a_message_with_nothing_to_say_in_a_language_is_said_in_general_words() {
    let mut world = World::new();
    world.raise(Trigger { message: Some("緊急".to_owned()), ..trigger(None) }, plan(&["ann"], None));
    assert_eq!(texts(&world), [] as [&str; 0]);
    let ann = world.rings("ann");
    world.answers(&ann);
    assert_eq!(world.hears(&ann)[..2], ["intro", "general"]);
}

/// A guidance whose message says what the keys do.
fn explains() -> Plan {
    let mut plan = plan(&["ann"], None);
    plan.guidance.message = BTreeMap::from([(Language::En, "Press 1 or 2.".to_owned())]);
    plan.guidance.explains_keys = true;
    plan.guidance.repeats = 2;
    plan
}

#[test]
fn what_a_message_says_of_the_keys_is_not_said_again_by_the_menu() {
    let mut world = World::new();
    world.raise(with(&[]), explains());
    let ann = world.rings("ann");
    world.spoken(Ok(()));
    world.answers(&ann);
    assert_eq!(world.hears(&ann), ["intro", "spoken"]);
    world.presses(&ann, '7');
    assert_eq!(world.hears(&ann)[..3], ["not-a-key", "press-1", "do-take"], "whoever is lost is told");
}

#[test]
fn where_no_voice_speaks_the_keys_or_another_message_is_spoken_the_menu_says_them() {
    let mut world = World::new();
    world.raise(with(&[]), explains());
    let ann = world.rings("ann");
    world.spoken(Err("no voice"));
    world.answers(&ann);
    assert_eq!(world.hears(&ann)[..4], ["intro", "general", "press-1", "do-take"]);
    let mut drawn = explains();
    drawn.guidance.challenge = true;
    for (trigger, plan) in [(trigger(None), explains()), (with(&[]), drawn)] {
        let mut world = World::new();
        world.raise(trigger, plan);
        let ann = world.rings("ann");
        world.spoken(Ok(()));
        world.answers(&ann);
        let heard = world.hears(&ann);
        assert_eq!(heard[..2], ["intro", "spoken"]);
        assert!(heard[2].starts_with("press-"), "{heard:?}");
    }
}

#[test]
fn a_message_that_looks_like_a_broken_template_is_said_as_it_stands() {
    let mut world = World::new();
    let message = Trigger { message: Some("{% for %} {{ disk }} is full".to_owned()), ..with(&[("disk", "sda")]) };
    world.raise(message, plan(&["ann"], None));
    assert_eq!(texts(&world), ["percent for percent, sda is full"]);
}
