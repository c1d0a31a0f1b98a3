//! Days of the calendar, and Japan's public holidays.
//!
//! The holidays follow the Act on National Holidays (国民の祝日に関する法律, Act No. 178 of 1948) as it stands since
//! 2022, with its two rules for days between and behind holidays. The two equinoxes are computed with the formula of
//! the Hydrographic Department for 1980 to 2099; the Cabinet Office declares them in the February before, and has not
//! differed from it so far. Known from 2022 to 2099; in other years no day is a holiday. Easy to get wrong: a
//! substitute is the next day that is no holiday, which need not be the Monday.

use serde::{Deserialize, Serialize};

/// A day of the Gregorian calendar.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Date {
    /// 2026, say.
    pub year: i32,
    /// From 1.
    pub month: u8,
    /// From 1.
    pub day: u8,
}

/// Whose public holidays count.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holidays {
    /// Nobody's.
    #[default]
    None,
    /// Japan's.
    Japan,
}

impl Holidays {
    /// True when this day is one of them.
    pub fn has(self, date: Date) -> bool {
        match self {
            Holidays::None => false,
            Holidays::Japan => (2022..2100).contains(&date.year) && in_japan(date),
        }
    }
}

impl Date {
    /// The day so many days after 1970-01-01.
    pub fn of_day(days: i64) -> Date {
        // Years begin in March here, so that the leap day is the last one of a year.
        let days = days.saturating_add(719_468);
        let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let (day, month) = (day - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
        let year = year + era * 400 + i64::from(month <= 2);
        Date {
            year: i32::try_from(year).unwrap_or(i32::MAX),
            month: u8::try_from(month).unwrap_or(1),
            day: u8::try_from(day).unwrap_or(1),
        }
    }

    /// Days since 1970-01-01.
    pub fn days(self) -> i64 {
        let (month, day) = (i64::from(self.month), i64::from(self.day));
        let year = i64::from(self.year) - i64::from(month <= 2);
        let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
        let day = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
        era * 146_097 + year * 365 + year / 4 - year / 100 + day - 719_468
    }

    /// From 0, a Monday, to 6.
    pub fn weekday(self) -> u8 {
        // 1970-01-01 was a Thursday.
        u8::try_from((self.days() + 3).rem_euclid(7)).unwrap_or(0)
    }

    /// The day before.
    pub fn yesterday(self) -> Date {
        Date::of_day(self.days() - 1)
    }

    fn tomorrow(self) -> Date {
        Date::of_day(self.days() + 1)
    }
}

fn in_japan(date: Date) -> bool {
    is_named(date) || is_substitute(date) || is_between(date)
}

/// The sixteen days of Article 2.
fn is_named(date: Date) -> bool {
    let monday = |place: u8| date.weekday() == 0 && date.day.div_ceil(7) == place;
    match (date.month, date.day) {
        (1, 1) | (2, 11 | 23) | (4, 29) | (5, 3..=5) | (8, 11) | (11, 3 | 23) => true,
        (1 | 10, _) => monday(2),
        (7 | 9, _) if monday(3) => true,
        (3, day) => day == equinox(20_843_100, date.year),
        (9, day) => day == equinox(23_248_800, date.year),
        _ => false,
    }
}

/// The day of an equinox: where it stood in 1980 in millionths of a day, and the drift of the leap years.
fn equinox(in_1980: i64, year: i32) -> u8 {
    let years = i64::from(year) - 1980;
    u8::try_from((in_1980 + 242_194 * years).div_euclid(1_000_000) - years.div_euclid(4)).unwrap_or(0)
}

/// Article 3 (2): where a named day is a Sunday, the next day that is not named.
fn is_substitute(date: Date) -> bool {
    let mut before = date.yesterday();
    while !is_named(date) && is_named(before) {
        if before.weekday() == 6 {
            return true;
        }
        before = before.yesterday();
    }
    false
}

/// Article 3 (3): between two named days.
fn is_between(date: Date) -> bool {
    !is_named(date) && is_named(date.yesterday()) && is_named(date.tomorrow())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days_of(year: i32) -> impl Iterator<Item = Date> {
        let first = Date { year, month: 1, day: 1 }.days();
        (first..first + 366).map(Date::of_day).filter(move |date| date.year == year)
    }

    fn holidays_of(year: i32) -> Vec<(u8, u8)> {
        let dates = days_of(year).filter(|date| Holidays::Japan.has(*date));
        dates.map(|date| (date.month, date.day)).collect()
    }

    #[test]
    fn the_holidays_are_those_that_the_cabinet_office_published() {
        // Cabinet Office of Japan, 国民の祝日について, the tables for 2026 and 2027.
        let in_2026 = "1-1 1-12 2-11 2-23 3-20 4-29 5-3 5-4 5-5 5-6 7-20 8-11 9-21 9-22 9-23 10-12 11-3 11-23";
        let in_2027 = "1-1 1-11 2-11 2-23 3-21 3-22 4-29 5-3 5-4 5-5 7-19 8-11 9-20 9-23 10-11 11-3 11-23";
        for (year, table) in [(2026, in_2026), (2027, in_2027)] {
            let found: Vec<String> = holidays_of(year).iter().map(|(month, day)| format!("{month}-{day}")).collect();
            assert_eq!(found.join(" "), table, "{year}");
        }
    }

    #[test]
    fn over_all_the_years_there_are_as_many_as_others_count() {
        // jpholiday 1.0.3 (PyPI) names the same 1,395 days; compared day by day.
        assert_eq!((2022..2100).map(|year| holidays_of(year).len()).sum::<usize>(), 1_395);
        assert_eq!(holidays_of(2021).len() + holidays_of(2100).len(), 0);
    }

    #[test]
    fn a_day_between_two_holidays_and_the_day_behind_a_sunday_are_holidays() {
        let has = |year, month, day| Holidays::Japan.has(Date { year, month, day });
        assert!(has(2026, 9, 22), "between Respect for the Aged Day and the equinox");
        assert!(has(2026, 5, 6) && !has(2026, 5, 7), "3 May is a Sunday, and 4 and 5 May are taken");
        assert!(!Holidays::None.has(Date { year: 2026, month: 1, day: 1 }));
    }

    #[test]
    fn days_are_counted_and_named_as_in_the_calendar() {
        for (date, days, weekday) in [((1970, 1, 1), 0, 3), ((2000, 2, 29), 11_016, 1), ((2026, 11, 21), 20_778, 5)] {
            let date = Date { year: date.0, month: date.1, day: date.2 };
            assert_eq!((date.days(), Date::of_day(days), date.weekday()), (days, date, weekday));
        }
        assert_eq!(Date { year: 2024, month: 3, day: 1 }.yesterday(), Date { year: 2024, month: 2, day: 29 });
        assert_eq!(Date::of_day(-1), Date { year: 1969, month: 12, day: 31 });
    }
}
