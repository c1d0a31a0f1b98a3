//! What the clocks on the walls of the world show.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::base::{Calendar, Date, Stamp, WallTime};

/// The time zones of the system, or those that hansho carries with it.
#[derive(Clone, Copy, Debug)]
pub struct Zones;

impl Calendar for Zones {
    fn wall(&self, at: Stamp, zone: &str) -> Option<WallTime> {
        let zone = if zone.is_empty() { TimeZone::system() } else { TimeZone::get(zone).ok()? };
        let wall = Timestamp::from_microsecond(at.as_unix_micros()).ok()?.to_zoned(zone).datetime();
        let date = Date {
            year: i32::from(wall.year()),
            month: u8::try_from(wall.month()).ok()?,
            day: u8::try_from(wall.day()).ok()?,
        };
        let minutes = i32::from(wall.hour()) * 60 + i32::from(wall.minute());
        Some(WallTime { date, minute: u16::try_from(minutes).ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Hours, Utc};

    /// 2026-11-20T23:30:00Z, a Friday.
    const FRIDAY_NIGHT: Stamp = Stamp::from_unix_micros(1_795_217_400_000_000);

    #[test]
    fn the_same_moment_is_another_day_elsewhere() {
        let wall = |zone| Zones.wall(FRIDAY_NIGHT, zone).map(|wall| (wall.date.day, wall.date.weekday(), wall.minute));
        assert_eq!(wall("Asia/Tokyo"), Some((21, 5, 8 * 60 + 30)));
        assert_eq!(wall("America/New_York"), Some((20, 4, 18 * 60 + 30)));
        assert_eq!(
            wall("UTC"),
            Utc.wall(FRIDAY_NIGHT, "").map(|wall| (wall.date.day, wall.date.weekday(), wall.minute))
        );
        assert_eq!(wall("Moon/Copernicus"), None);
    }

    #[test]
    fn hours_follow_the_clock_on_the_wall_when_it_is_set_for_summer() {
        let spans = vec!["sun 02:30-03:30".parse().unwrap()];
        let hours = Hours { zone: "Europe/Berlin".to_owned(), spans, ..Hours::default() };
        let at = |minutes: i64| Stamp::from_unix_micros((1_774_746_000 + minutes * 60) * 1_000_000);
        // 2026-03-29T01:00:00Z: it is 03:00 there, and 02:30 never was.
        assert!(!hours.accept(at(-1), &Zones) && hours.accept(at(0), &Zones));
        assert!(hours.accept(at(29), &Zones) && !hours.accept(at(30), &Zones));
    }
}
