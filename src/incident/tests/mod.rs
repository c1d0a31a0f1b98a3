//! Nights told to one incident in virtual time: what the corridor would do is done at once, people act when
//! the story says so.

mod crashes;
mod night;
mod promises;
mod stories;
pub(super) mod table;
mod turns;

use super::{Plan, Strategy, Trigger};

pub(super) fn any_plan() -> Plan {
    night::plan(Strategy::Sequential)
}

pub(super) fn any_trigger() -> Trigger {
    night::trigger()
}
