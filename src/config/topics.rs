//! `events = […]`: which events a notifier tells, by name or by the first word of it.

use super::reader::Section;
use crate::switch::{FAILED_ATTEMPT, TOPICS};

/// More than there are names.
const MOST: usize = 100;

/// Which events are told.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Topics(Vec<Pattern>);

#[derive(Clone, PartialEq, Eq, Debug)]
enum Pattern {
    /// `*`.
    Every,
    /// `incident.*`: what begins so, the full stop included.
    Group(String),
    /// `incident.accepted`.
    One(String),
}

impl Topics {
    /// Those that `patterns` name; what is no pattern names nothing.
    pub fn of(patterns: &[&str]) -> Topics {
        Topics(patterns.iter().filter_map(|text| pattern(text)).collect())
    }

    /// Is the event of this name told? `failed`: it is the end of a call that hansho could not make.
    pub fn want(&self, event: &str, failed: bool) -> bool {
        self.0.iter().any(|pattern| match pattern {
            Pattern::Every => true,
            Pattern::Group(start) => event.starts_with(start.as_str()),
            Pattern::One(name) => name == event || (failed && name == FAILED_ATTEMPT),
        })
    }

    /// True when nothing is told.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Reads the list; `usual` where there is none.
pub(super) fn read(block: &mut Section<'_>, key: &'static str, usual: &[&str]) -> Topics {
    let accepted = format!("\"*\", a group such as \"incident.*\", or one of {}", TOPICS.join(", "));
    let found = block.list(key, MOST, &accepted, pattern);
    let named = block.has(key);
    if named { Topics(found.into_iter().flatten().map(|found| found.value).collect()) } else { Topics::of(usual) }
}

fn pattern(text: &str) -> Option<Pattern> {
    match text.strip_suffix('*') {
        Some("") => Some(Pattern::Every),
        Some(start) => {
            let group = start.ends_with('.') && TOPICS.iter().any(|topic| topic.starts_with(start));
            group.then(|| Pattern::Group(start.to_owned()))
        }
        None => TOPICS.contains(&text).then(|| Pattern::One(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_wanted_by_its_name_by_its_group_or_by_all() {
        assert!(Topics::of(&["*"]).want("room.left", false));
        let some = Topics::of(&["incident.*", "trunk.failed"]);
        assert!(some.want("incident.exhausted", false) && some.want("trunk.failed", false));
        assert!(!some.want("trunk.registered", false) && !some.want("attempt.ended", true));
    }

    #[test]
    fn only_the_calls_that_failed_may_be_wanted() {
        let failed = Topics::of(&["attempt.failed"]);
        assert!(failed.want("attempt.ended", true));
        assert!(!failed.want("attempt.ended", false));
    }

    #[test]
    fn a_name_that_no_event_has_is_no_pattern() {
        for wrong in ["", "incident", "incident.", "incident.acceptd", "incidents.*", "*.failed", "inc*"] {
            assert_eq!(pattern(wrong), None, "{wrong}");
        }
    }
}
