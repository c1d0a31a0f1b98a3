//! When a person accepts calls: days and times of day in the person's own time zone.
//!
//! A pure word: it is asked about a moment on a wall clock ([`WallTime`]) and knows neither a clock nor the zones of
//! the world; whoever knows them is a [`Calendar`]. Easy to get wrong: 22:00-06:00 belongs to the day on which it
//! begins, so on Saturday morning it is Friday's span that counts.

use core::fmt;
use core::str::FromStr;
use serde::{Deserialize, Serialize};

use super::holidays::{Date, Holidays};
use super::time::Stamp;

/// Minutes of a day.
const DAY: u16 = 24 * 60;
/// The names of the weekdays, Monday first.
const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const BUSINESS: u16 = 1 << 7;
const HOLIDAY: u16 = 1 << 8;

/// What a text of accepting hours may be, for complaints.
pub const SPAN_ACCEPTED: &str = "days and times such as \"business-days 09:00-18:00\", \"sat,sun 10:00-12:00\" or \
     \"mon-fri 22:00-06:00\" (mon to sun, every-day, weekdays, weekends, business-days, holidays; the time may be away)";

/// When somebody accepts calls.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Hours {
    /// In which time zone: an IANA name; empty where it does not matter.
    #[serde(default)]
    pub zone: String,
    /// Whose holidays count.
    #[serde(default)]
    pub holidays: Holidays,
    /// The spans; none: always.
    #[serde(default)]
    pub spans: Vec<Span>,
}

/// Days, and from when until when on each of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Span {
    /// Monday to Sunday, business days, holidays: a bit each.
    days: u16,
    from: u16,
    /// At or before `from`: on the next day.
    until: u16,
}

/// A moment as a clock on the wall shows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WallTime {
    /// The day.
    pub date: Date,
    /// Minutes since its midnight, as the clock shows them.
    pub minute: u16,
}

/// Knows what the clocks on the walls of the world show.
pub trait Calendar: fmt::Debug + Send {
    /// What a clock shows at `at` in a zone of this IANA name; `None` where no such zone is known.
    fn wall(&self, at: Stamp, zone: &str) -> Option<WallTime>;
}

/// A calendar that knows one zone and calls it by any name.
#[derive(Clone, Copy, Debug, Default)]
pub struct Utc;

impl Calendar for Utc {
    fn wall(&self, at: Stamp, _: &str) -> Option<WallTime> {
        let minutes = at.as_unix_micros().div_euclid(60_000_000);
        let minute = u16::try_from(minutes.rem_euclid(i64::from(DAY))).ok()?;
        Some(WallTime { date: Date::of_day(minutes.div_euclid(i64::from(DAY))), minute })
    }
}

impl Hours {
    /// True when every moment is right.
    pub fn is_always(&self) -> bool {
        self.spans.is_empty()
    }

    /// True when calls are accepted at this moment. Where the zone is unknown they are: a call too many is better
    /// than none.
    pub fn accept(&self, at: Stamp, calendar: &dyn Calendar) -> bool {
        self.is_always() || calendar.wall(at, &self.zone).is_none_or(|wall| self.accept_wall(wall))
    }

    fn accept_wall(&self, wall: WallTime) -> bool {
        let yesterday = wall.date.yesterday();
        self.spans.iter().any(|span| {
            let today = span.is_on(wall.date, self.holidays);
            if span.from < span.until {
                return today && (span.from..span.until).contains(&wall.minute);
            }
            let last_night = || span.is_on(yesterday, self.holidays) && wall.minute < span.until;
            today && wall.minute >= span.from || last_night()
        })
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_always() {
            return f.write_str("always");
        }
        for (place, span) in self.spans.iter().enumerate() {
            write!(f, "{}{span}", if place == 0 { "" } else { ", " })?;
        }
        if self.zone.is_empty() { Ok(()) } else { write!(f, " ({})", self.zone) }
    }
}

impl Span {
    fn is_on(self, date: Date, holidays: Holidays) -> bool {
        let weekday = date.weekday();
        let holiday = self.days & (BUSINESS | HOLIDAY) != 0 && holidays.has(date);
        self.days & (1 << weekday) != 0
            || (self.days & BUSINESS != 0 && weekday < 5 && !holiday)
            || (self.days & HOLIDAY != 0 && holiday)
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Span, String> {
        let wrong = || format!("`{text}` are no accepting hours: {SPAN_ACCEPTED}");
        let (names, times) = text.trim().split_once(' ').unwrap_or((text.trim(), "00:00-24:00"));
        let days = names.split(',').try_fold(0, |all, name| Some(all | days_of(name)?)).ok_or_else(wrong)?;
        let (from, until) = times.trim().split_once('-').ok_or_else(wrong)?;
        let (from, until) = (minute(from).ok_or_else(wrong)?, minute(until).ok_or_else(wrong)?);
        if from == until || from == DAY {
            return Err(wrong());
        }
        Ok(Span { days, from, until })
    }
}

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Span, String> {
        text.parse()
    }
}

impl From<Span> for String {
    fn from(span: Span) -> String {
        span.to_string()
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = WEEKDAYS.into_iter().chain(["business-days", "holidays"]).enumerate();
        let names: Vec<&str> = match self.days {
            0b111_1111 => vec!["every-day"],
            days => named.filter(|(bit, _)| days & (1 << bit) != 0).map(|(_, name)| name).collect(),
        };
        let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        write!(f, "{} {}-{}", names.join(","), clock(self.from), clock(self.until))
    }
}

/// The days of one name or of a range such as `mon-fri`.
fn days_of(name: &str) -> Option<u16> {
    let weekday = |name: &str| WEEKDAYS.iter().position(|known| *known == name);
    Some(match name {
        "every-day" => 0b111_1111,
        "weekdays" => 0b001_1111,
        "weekends" => 0b110_0000,
        "business-days" => BUSINESS,
        "holidays" => HOLIDAY,
        _ => {
            let (first, last) = name.split_once('-').unwrap_or((name, name));
            let (first, last) = (weekday(first)?, weekday(last)?);
            let length = (last + 7 - first) % 7;
            (0..=length).fold(0, |days, step| days | 1 << ((first + step) % 7))
        }
    })
}

/// `09:30` as minutes; `24:00` is the end of the day.
fn minute(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let number =
        |text: &str| (text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?;
    let (hours, minutes): (u16, u16) = (number(hours)?, number(minutes)?);
    let minute = hours.checked_mul(60)?.checked_add(minutes)?;
    (minutes < 60 && minute <= DAY).then_some(minute)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(spans: &[&str]) -> Hours {
        let spans = spans.iter().map(|text| text.parse().unwrap()).collect();
        Hours { zone: "Asia/Tokyo".to_owned(), holidays: Holidays::Japan, spans }
    }

    fn at(year: i32, month: u8, day: u8, clock: &str) -> WallTime {
        WallTime { date: Date { year, month, day }, minute: minute(clock).unwrap() }
    }

    #[test]
    fn business_days_are_neither_weekends_nor_holidays() {
        let office = hours(&["business-days 09:00-18:00", "sat 10:00-12:00"]);
        // 2026-11-20 is a Friday, 11-23 Labour Thanksgiving Day on a Monday.
        assert!(office.accept_wall(at(2026, 11, 20, "09:00")));
        assert!(office.accept_wall(at(2026, 11, 20, "17:59")));
        assert!(!office.accept_wall(at(2026, 11, 20, "18:00")));
        assert!(office.accept_wall(at(2026, 11, 21, "11:00")));
        assert!(!office.accept_wall(at(2026, 11, 22, "11:00")));
        assert!(!office.accept_wall(at(2026, 11, 23, "11:00")));
        let abroad = Hours { holidays: Holidays::None, ..office };
        assert!(abroad.accept_wall(at(2026, 11, 23, "11:00")));
    }

    #[test]
    fn a_night_belongs_to_the_day_on_which_it_begins() {
        let night = hours(&["mon-fri 22:00-06:00"]);
        assert!(night.accept_wall(at(2026, 11, 20, "23:00")));
        assert!(night.accept_wall(at(2026, 11, 21, "05:59")));
        assert!(!night.accept_wall(at(2026, 11, 21, "06:00")));
        assert!(!night.accept_wall(at(2026, 11, 21, "23:00")));
        assert!(!night.accept_wall(at(2026, 11, 23, "05:00")), "Sunday's night is not wanted");
    }

    #[test]
    fn a_span_is_written_as_it_is_read() {
        for (text, written) in [
            ("every-day 00:00-24:00", "every-day 00:00-24:00"),
            ("sun", "sun 00:00-24:00"),
            ("fri-mon 10:00-12:30", "mon,fri,sat,sun 10:00-12:30"),
            ("business-days,holidays 08:00-09:00", "business-days,holidays 08:00-09:00"),
            ("weekends 22:00-06:00", "sat,sun 22:00-06:00"),
        ] {
            let span: Span = text.parse().unwrap();
            assert_eq!(span.to_string(), written);
            let json = serde_json::to_string(&hours(&[text])).unwrap();
            assert_eq!(serde_json::from_str::<Hours>(&json).unwrap().spans, [span]);
        }
    }

    #[test]
    fn what_is_no_span_is_refused() {
        for text in
            ["", "someday", "mon 9:00-10:00", "mon 09:00", "mon 09:00-25:00", "mon 10:60-11:00", "mon 09:00-09:00"]
        {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }

    #[test]
    fn where_the_zone_is_unknown_calls_are_accepted() {
        #[derive(Debug)]
        struct Nowhere;
        impl Calendar for Nowhere {
            fn wall(&self, _: Stamp, _: &str) -> Option<WallTime> {
                None
            }
        }
        assert!(hours(&["sun 00:00-00:01"]).accept(Stamp::default(), &Nowhere));
        // 1970-01-01 was a Thursday.
        assert!(!hours(&["sun 00:00-00:01"]).accept(Stamp::default(), &Utc));
        assert!(hours(&["thu 00:00-00:01"]).accept(Stamp::default(), &Utc));
    }
}
