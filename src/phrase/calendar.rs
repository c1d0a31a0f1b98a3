//! Dates and times as tools write them.
//!
//! Read are ISO 8601 and RFC 3339 in their usual shapes (`2023-10-03T13:20:52.123+09:00`, `2023/10/03 13:20`,
//! `20231003T042052Z`), those of Unix, of mail and of web servers (`Tue Oct  3 13:20:52 JST 2023`,
//! `03/Oct/2023:13:20:52 +0900`), `October 3, 2023`, Japanese ones (`2023年10月3日 13時20分`), and a time alone. A date
//! of figures and slashes that ends in the year is read only where its day cannot be a month: `10/03/2023` is two
//! dates, and is left alone.
//!
//! Nothing is converted here: a time is in the zone it was written in, and the [listener](super::Listener) may have
//! another.

/// A date, a time, or both.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Moment {
    pub(super) date: Option<Date>,
    pub(super) time: Option<Clock>,
    pub(super) zone: Option<Zone>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Date {
    pub(super) year: Option<u16>,
    /// 1 to 12.
    pub(super) month: u8,
    /// 1 to 31; `None`: a month alone.
    pub(super) day: Option<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Clock {
    pub(super) hour: u8,
    pub(super) minute: u8,
    pub(super) second: Option<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Zone {
    Utc,
    /// `+09:00` and JST.
    Japan,
    /// Minutes east of Greenwich.
    Offset(i16),
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const WEEKDAYS: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

impl Moment {
    pub(super) fn date_alone(self) -> Option<Moment> {
        Some(Moment { date: Some(self.date?), time: None, zone: None })
    }

    pub(super) fn time_alone(self) -> Option<Moment> {
        let time = self.time.map(|time| Clock { second: None, ..time })?;
        Some(Moment { date: None, time: Some(time), zone: self.zone })
    }
}

/// The moment at the beginning of `text`, and how many bytes of it that was.
pub(super) fn read(text: &str) -> Option<(Moment, usize)> {
    let cursor = Cursor { bytes: text.as_bytes(), at: 0 };
    let readers: [fn(&mut Cursor<'_>) -> Option<Moment>; 8] =
        [year_first, compact, day_month_year, figures, named, day_first, japanese, clock_alone];
    readers.into_iter().find_map(|reader| {
        let mut cursor = cursor;
        let moment = reader(&mut cursor)?;
        cursor.ends_well().then_some((moment, cursor.at))
    })
}

/// `2023-10-03`, `2023/10/3`, `2023.10.03`, `2023-10`; with or without a time.
fn year_first(cursor: &mut Cursor<'_>) -> Option<Moment> {
    let year = year(cursor)?;
    let sign = cursor.one_of(b"-/.")?;
    let month = month(cursor)?;
    let mut behind = *cursor;
    if behind.one_of(&[sign]).is_none() {
        // A month alone; with a dot it is a number, and behind a slash a fraction.
        return (sign == b'-' && (1_990..2_100).contains(&year))
            .then_some(Moment { date: Some(Date { year: Some(year), month, day: None }), ..Moment::default() });
    }
    let day = day(&mut behind)?;
    *cursor = behind;
    Some(with_time(date(Some(year), month, day)?, cursor))
}

/// `20231003T132052Z`.
fn compact(cursor: &mut Cursor<'_>) -> Option<Moment> {
    let (year, month, day) = (cursor.number(4)?, cursor.number(2)?, cursor.number(2)?);
    cursor.one_of(b"T")?;
    let (hour, minute) = (cursor.number(2)?, cursor.number(2)?);
    let second = cursor.number(2);
    let date = date(u16::try_from(year).ok(), u8::try_from(month).ok()?, u8::try_from(day).ok()?)?;
    let time = clock(hour, minute, second)?;
    Some(Moment { date: Some(date), time: Some(time), zone: zone(cursor) })
}

/// `03/Oct/2023:13:20:52 +0900`, `3-Oct-2023`.
fn day_month_year(cursor: &mut Cursor<'_>) -> Option<Moment> {
    let day = day(cursor)?;
    let sign = cursor.one_of(b"/-")?;
    let month = month_name(cursor)?;
    cursor.one_of(&[sign])?;
    let year = year(cursor)?;
    let date = date(Some(year), month, day)?;
    let mut behind = *cursor;
    if behind.one_of(b":").is_some()
        && let Some(time) = time(&mut behind)
    {
        *cursor = behind;
        return Some(Moment { date: Some(date), time: Some(time), zone: zone(cursor) });
    }
    Some(with_time(date, cursor))
}

/// `10/13/2023` or `13/10/2023`, where only one of the two can be meant.
fn figures(cursor: &mut Cursor<'_>) -> Option<Moment> {
    let first = cursor.few(2)?;
    let sign = cursor.one_of(b"/-")?;
    let second = cursor.few(2)?;
    cursor.one_of(&[sign])?;
    let year = year(cursor)?;
    let (first, second) = (u8::try_from(first).ok()?, u8::try_from(second).ok()?);
    let date = match (first > 12, second > 12) {
        (true, false) => date(Some(year), second, first),
        (false, true) => date(Some(year), first, second),
        (false, false) if first == second => date(Some(year), first, second),
        _ => None,
    }?;
    Some(with_time(date, cursor))
}

/// `Tue Oct  3 13:20:52 JST 2023`, `Oct  3 13:20:52`, `October 3, 2023`, `Tue, 03 Oct 2023 13:20:52 +0900`.
fn named(cursor: &mut Cursor<'_>) -> Option<Moment> {
    let mut behind = *cursor;
    if behind.name(&WEEKDAYS).is_some() {
        behind.one_of(b",");
        behind.blanks()?;
        *cursor = behind;
        if let Some(moment) = day_first(&mut behind) {
            *cursor = behind;
            return Some(moment);
        }
        let mut behind = *cursor;
        if let Some(moment) = year_first(&mut behind) {
            *cursor = behind;
            return Some(moment);
        }
    }
    let month = month_name(cursor)?;
    cursor.blanks()?;
    let day = day(cursor)?;
    for ending in [b"st", b"nd", b"rd", b"th"] {
        cursor.word(ending);
    }
    let mut moment = Moment { date: Some(date(None, month, day)?), ..Moment::default() };
    let mut behind = *cursor;
    behind.one_of(b",");
    if behind.blanks().is_some() {
        let mut with_year = behind;
        match year(&mut with_year) {
            Some(found) if with_year.ends_well() => {
                *cursor = with_year;
                let date = date(Some(found), month, day)?;
                return Some(with_time(date, cursor));
            }
            _ => {}
        }
        if let Some(time) = time(&mut behind) {
            *cursor = behind;
            (moment.time, moment.zone) = (Some(time), zone(cursor));
            let mut behind = *cursor;
            if behind.blanks().is_some()
                && let Some(found) = year(&mut behind)
                && behind.ends_well()
            {
                *cursor = behind;
                moment.date = Some(date(Some(found), month, day)?);
            }
        }
    }
    Some(moment)
}

/// `3 October 2023`, `03 Oct 2023 13:20:52 +0900`.
fn day_first(cursor: &mut Cursor<'_>) -> Option<Moment> {
    let day = day(cursor)?;
    cursor.blanks()?;
    let month = month_name(cursor)?;
    cursor.blanks()?;
    let year = year(cursor)?;
    Some(with_time(date(Some(year), month, day)?, cursor))
}

/// `2023年10月3日 13時20分52秒`, `10月3日`.
fn japanese(cursor: &mut Cursor<'_>) -> Option<Moment> {
    let mut behind = *cursor;
    let found = year(&mut behind).filter(|_| behind.word("年".as_bytes()).is_some());
    if found.is_some() {
        behind.blanks();
        *cursor = behind;
    }
    let month = u8::try_from(cursor.few(2)?).ok()?;
    cursor.word("月".as_bytes())?;
    cursor.blanks();
    let day = u8::try_from(cursor.few(2)?).ok()?;
    cursor.word("日".as_bytes())?;
    let date = date(found, month, day)?;
    let mut moment = Moment { date: Some(date), ..Moment::default() };
    let mut behind = *cursor;
    behind.blanks();
    if let Some(time) = japanese_time(&mut behind).or_else(|| time(&mut behind)) {
        *cursor = behind;
        moment.time = Some(time);
    }
    Some(moment)
}

fn japanese_time(cursor: &mut Cursor<'_>) -> Option<Clock> {
    let mut behind = *cursor;
    let hour = behind.few(2)?;
    behind.word("時".as_bytes())?;
    if behind.word("間".as_bytes()).is_some() {
        return None;
    }
    *cursor = behind;
    let minute = behind.few(2).filter(|_| behind.word("分".as_bytes()).is_some());
    if minute.is_none() {
        return clock(hour, 0, None);
    }
    *cursor = behind;
    let second = behind.few(2).filter(|_| behind.word("秒".as_bytes()).is_some());
    if second.is_some() {
        *cursor = behind;
    }
    clock(hour, minute?, second)
}

/// `13:20`, `9:05:07`.
fn clock_alone(cursor: &mut Cursor<'_>) -> Option<Moment> {
    let time = time(cursor)?;
    Some(Moment { date: None, time: Some(time), zone: zone(cursor) })
}

fn with_time(date: Date, cursor: &mut Cursor<'_>) -> Moment {
    let mut moment = Moment { date: Some(date), ..Moment::default() };
    let mut behind = *cursor;
    if behind.one_of(b"T_,").is_none() || behind.peek() == Some(b' ') {
        behind.blanks();
    }
    if behind.at > cursor.at
        && let Some(found) = time(&mut behind)
    {
        *cursor = behind;
        (moment.time, moment.zone) = (Some(found), zone(cursor));
    }
    moment
}

/// `13:20`, `13:20:52`, `13:20:52.123`, `1:20 PM`.
fn time(cursor: &mut Cursor<'_>) -> Option<Clock> {
    let mut hour = cursor.few(2)?;
    cursor.one_of(b":")?;
    let minute = cursor.number(2)?;
    let mut behind = *cursor;
    let second = behind.one_of(b":").and_then(|_| behind.number(2));
    if second.is_some() {
        *cursor = behind;
        if behind.one_of(b".,").is_some() && behind.skip_digits() > 0 {
            *cursor = behind;
        }
    }
    let mut behind = *cursor;
    behind.blanks();
    let half =
        [(b"AM", 0), (b"PM", 12), (b"am", 0), (b"pm", 12)].into_iter().find(|(word, _)| behind.word(*word).is_some());
    if let Some((_, more)) = half.filter(|_| (1..=12).contains(&hour) && behind.ends_well()) {
        *cursor = behind;
        hour = hour % 12 + more;
    }
    clock(hour, minute, second)
}

fn zone(cursor: &mut Cursor<'_>) -> Option<Zone> {
    let mut behind = *cursor;
    behind.blanks();
    for (name, zone) in [("Z", Zone::Utc), ("UTC", Zone::Utc), ("GMT", Zone::Utc), ("JST", Zone::Japan)] {
        let mut named = behind;
        if named.word(name.as_bytes()).is_some() && named.ends_well() {
            *cursor = named;
            return Some(zone);
        }
    }
    let sign = match behind.one_of(b"+-")? {
        b'-' => -1,
        _ => 1,
    };
    let hours = i16::try_from(behind.number(2)?).ok().filter(|hours| *hours <= 14)?;
    behind.one_of(b":");
    let minutes = i16::try_from(behind.number(2).unwrap_or(0)).ok().filter(|minutes| *minutes < 60)?;
    if !behind.ends_well() {
        return None;
    }
    *cursor = behind;
    Some(match sign * (hours * 60 + minutes) {
        0 => Zone::Utc,
        540 => Zone::Japan,
        offset => Zone::Offset(offset),
    })
}

fn year(cursor: &mut Cursor<'_>) -> Option<u16> {
    u16::try_from(cursor.number(4)?).ok().filter(|year| (1_000..2_200).contains(year))
}

fn month(cursor: &mut Cursor<'_>) -> Option<u8> {
    u8::try_from(cursor.few(2)?).ok().filter(|month| (1..=12).contains(month))
}

fn day(cursor: &mut Cursor<'_>) -> Option<u8> {
    u8::try_from(cursor.few(2)?).ok().filter(|day| (1..=31).contains(day))
}

fn month_name(cursor: &mut Cursor<'_>) -> Option<u8> {
    cursor.name(&MONTHS).and_then(|place| u8::try_from(place + 1).ok())
}

/// A day that the month has.
fn date(year: Option<u16>, month: u8, day: u8) -> Option<Date> {
    let leap = year.is_none_or(|year| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
    let last = match month {
        2 => 28 + u8::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    (1..=last).contains(&day).then_some(Date { year, month, day: Some(day) })
}

/// A time that a clock shows; a leap second is one.
fn clock(hour: u32, minute: u32, second: Option<u32>) -> Option<Clock> {
    // 24:00 is the end of its day.
    let is_end = hour == 24 && minute == 0 && second.is_none_or(|second| second == 0);
    let right = is_end || (hour < 24 && minute < 60 && second.is_none_or(|second| second <= 60));
    let small = |number: u32| u8::try_from(number).ok();
    right.then_some(Clock { hour: small(hour)?, minute: small(minute)?, second: second.and_then(small) })
}

#[derive(Clone, Copy)]
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn one_of(&mut self, set: &[u8]) -> Option<u8> {
        let found = self.peek().filter(|byte| set.contains(byte))?;
        self.at += 1;
        Some(found)
    }

    /// Exactly so many digits.
    fn number(&mut self, digits: usize) -> Option<u32> {
        let part = self.bytes.get(self.at..self.at + digits)?;
        let number = part.iter().try_fold(0u32, |sum, b| b.is_ascii_digit().then(|| sum * 10 + u32::from(b - b'0')))?;
        self.at += digits;
        Some(number)
    }

    /// One digit or more, and no more than `most` of them.
    fn few(&mut self, most: usize) -> Option<u32> {
        let have = self.bytes[self.at..].iter().take(most + 1).take_while(|b| b.is_ascii_digit()).count();
        if (1..=most).contains(&have) { self.number(have) } else { None }
    }

    fn skip_digits(&mut self) -> usize {
        let have = self.bytes[self.at..].iter().take(9).take_while(|b| b.is_ascii_digit()).count();
        self.at += have;
        have
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        self.bytes[self.at..].starts_with(word).then(|| self.at += word.len())
    }

    /// A name of the list, whole or its first three letters, in any case.
    fn name(&mut self, list: &[&str]) -> Option<usize> {
        let letters = self.bytes[self.at..].iter().take(12).take_while(|b| b.is_ascii_alphabetic()).count();
        let found = &self.bytes[self.at..self.at + letters];
        let place = list.iter().position(|name| {
            let name = name.as_bytes();
            found.eq_ignore_ascii_case(name) || found.eq_ignore_ascii_case(&name[..3])
        })?;
        self.at += letters;
        Some(place)
    }

    /// One blank or a few.
    fn blanks(&mut self) -> Option<()> {
        let have = self.bytes[self.at..].iter().take(4).take_while(|b| **b == b' ').count();
        self.at += have;
        (have > 0).then_some(())
    }

    /// True where a word or a number ends.
    fn ends_well(&self) -> bool {
        let next = |at: usize| self.bytes.get(self.at + at).copied();
        match next(0) {
            Some(byte) if byte.is_ascii_alphanumeric() || byte == b'_' => false,
            Some(b'.' | b':' | b'/' | b'-' | b',') => !next(1).is_some_and(|byte| byte.is_ascii_digit()),
            _ => true,
        }
    }
}
