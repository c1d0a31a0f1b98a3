//! Who listens: a language, and the clock on their wall.
//!
//! A time that says in which zone it is (`2023-10-03T04:20:52Z`) is said as the listener's own clock shows it, date
//! included: at three in the morning nobody wants to reckon. Easy to get wrong: a time without a zone is nobody's to
//! convert, and neither is one without a date or a year, because summer time depends on them.

use core::fmt;
use std::collections::BTreeMap;

use super::calendar::{self, Clock, Date, Moment, Zone};
use crate::base::{self, Calendar, Language, Stamp, Utc};

/// Somebody who is spoken to.
#[derive(Clone, Copy)]
pub struct Listener<'a> {
    /// What is spoken.
    pub language: Language,
    /// The IANA name of their time zone; empty: times are said in the zone they were written in.
    pub zone: &'a str,
    /// Who knows that zone.
    pub calendar: &'a dyn Calendar,
}

impl fmt::Debug for Listener<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {:?}", self.language, self.zone)
    }
}

impl From<Language> for Listener<'static> {
    /// Somebody anywhere.
    fn from(language: Language) -> Listener<'static> {
        Listener { language, zone: "", calendar: &Utc }
    }
}

impl Listener<'_> {
    /// The parameters as this person hears them: what is nothing but a time with its zone becomes one of theirs, so
    /// that the filters of templates give their date and their hour.
    pub fn parameters(&self, parameters: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let own = |text: &String| self.own_time(text).unwrap_or_else(|| text.clone());
        parameters.iter().map(|(name, text)| (name.clone(), own(text))).collect()
    }

    fn own_time(&self, text: &str) -> Option<String> {
        let text = text.trim();
        let (moment, _) = calendar::read(text).filter(|(_, length)| *length == text.len())?;
        let Moment { date: Some(date), time: Some(time), .. } = self.converted(moment)? else { return None };
        let (year, day) = (date.year?, date.day?);
        let second = time.second.map(|second| format!(":{second:02}")).unwrap_or_default();
        Some(format!("{year:04}-{:02}-{day:02} {:02}:{:02}{second}", date.month, time.hour, time.minute))
    }

    /// The moment on this person's clock; as it is where it says too little.
    pub(super) fn here(&self, moment: Moment) -> Moment {
        self.converted(moment).unwrap_or(moment)
    }

    fn converted(&self, moment: Moment) -> Option<Moment> {
        let (date, time) = (moment.date?, moment.time?);
        let offset = match moment.zone.filter(|_| !self.zone.is_empty())? {
            Zone::Utc => 0,
            Zone::Japan => 9 * 60,
            Zone::Offset(minutes) => i64::from(minutes),
        };
        let day = base::Date { year: i32::from(date.year?), month: date.month, day: date.day? };
        let minutes = day.days() * 24 * 60 + i64::from(time.hour) * 60 + i64::from(time.minute) - offset;
        let wall = self.calendar.wall(Stamp::from_unix_micros(minutes * 60_000_000), self.zone)?;
        let (hour, minute) = (u8::try_from(wall.minute / 60).ok()?, u8::try_from(wall.minute % 60).ok()?);
        let year = u16::try_from(wall.date.year).ok();
        let date = Date { year, month: wall.date.month, day: Some(wall.date.day) };
        Some(Moment { date: Some(date), time: Some(Clock { hour, minute, second: time.second }), zone: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::WallTime;
    use crate::phrase::{Dictionary, Form, fill};

    /// Knows Tokyo, half past Delhi, and New York in winter.
    #[derive(Debug)]
    struct Three;

    impl Calendar for Three {
        fn wall(&self, at: Stamp, zone: &str) -> Option<WallTime> {
            let east = match zone {
                "Asia/Tokyo" => 540,
                "Asia/Kolkata" => 330,
                "America/New_York" => -300,
                _ => return None,
            };
            Utc.wall(Stamp::from_unix_micros(at.as_unix_micros() + east * 60_000_000), zone)
        }
    }

    fn heard(text: &str, language: Language, zone: &str) -> String {
        Dictionary::default().spoken_to(text, &Listener { language, zone, calendar: &Three })
    }

    #[test]
    fn a_time_with_a_zone_is_said_on_the_listener_s_clock() {
        for (written, zone, said) in [
            ("2023-10-03T04:20:52Z", "Asia/Tokyo", "2023年10月3日13時20分"),
            ("2023-10-03T16:00:00+00:00", "Asia/Tokyo", "2023年10月4日1時"),
            ("2023-12-31T23:30:00-05:00", "Asia/Tokyo", "2024年1月ついたち13時30分"),
            ("2024-03-01T02:00:00+09:00", "America/New_York", "2024年2月29日12時"),
            ("2023-10-03T04:20:52Z", "Asia/Kolkata", "2023年10月3日9時50分"),
            ("03/Oct/2023:13:20:52 +0900", "Asia/Tokyo", "2023年10月3日13時20分"),
            ("Tue Oct  3 13:20:52 JST 2023", "America/New_York", "2023年10月2日23時20分"),
            // Nobody's to convert.
            ("2023-10-03 13:20:52", "America/New_York", "2023年10月3日13時20分"),
            ("2023-10-03T04:20:52Z", "", "協定世界時2023年10月3日4時20分"),
            ("2023-10-03T04:20:52Z", "Moon/Copernicus", "協定世界時2023年10月3日4時20分"),
        ] {
            assert_eq!(heard(written, Language::Ja, zone), said, "{written} in {zone}");
        }
        let english = heard("down since 2023-10-03T04:20:52Z", Language::En, "America/New_York");
        assert_eq!(english, "down since October second, twenty twenty-three, twenty-three twenty");
    }

    #[test]
    fn the_date_alone_is_the_listener_s_date() {
        let parameters = BTreeMap::from([
            ("at".to_owned(), "2023-10-03T16:00:00Z".to_owned()),
            ("id".to_owned(), "2023-10-03T16:00:00Z-7".to_owned()),
        ]);
        let of = |zone| {
            let listener = Listener { language: Language::Ja, zone, calendar: &Three };
            let own = listener.parameters(&parameters);
            assert_eq!(own["id"], parameters["id"]);
            fill("{{at | date}}、{{at | time}}", Form::Spoken, Language::Ja, &own).text
        };
        assert_eq!(of("Asia/Tokyo"), "2023年10月4日、1時");
        assert_eq!(of("America/New_York"), "2023年10月3日、11時");
    }
}
