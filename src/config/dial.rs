//! `[dial]`: what may be dialled beyond the rosters, and how often anything may.

use super::countries;
use super::reader::Section;
use super::value;
use crate::base::Phone;
use crate::switch::{Country, DialRules};

/// The most entries of `countries`.
const COUNTRIES: usize = 250;
/// How much of each cap is the rosters' own unless the file says otherwise, in percent.
const RESERVE: u32 = 50;

/// `[dial]`.
#[derive(Clone, Debug)]
pub struct Dial {
    /// What the guard judges by.
    pub rules: DialRules,
    /// The country in which a number without a country code lies.
    home: Option<&'static countries::Plan>,
}

pub(super) fn dial(root: &mut Section<'_>) -> Dial {
    let mut dial = root.table("dial");
    let accepted = "a country such as \"JP\", or the beginning of its numbers such as \"+8190\"";
    let countries = dial.list("countries", COUNTRIES, accepted, country);
    let home = dial.text("country", "a country such as \"JP\"", countries::plan);
    let max_concurrent = value::number(&mut dial, "max_concurrent", 1..=10_000);
    let max_per_minute = value::number(&mut dial, "max_per_minute", 1..=100_000);
    let max_per_day = value::number(&mut dial, "max_per_day", 1..=10_000_000);
    let reserve = value::number(&mut dial, "reserve_percent", 0..=100);
    dial.finish();
    let countries = countries.into_iter().flatten().map(|country| country.value).collect();
    let rules = DialRules {
        countries,
        max_concurrent,
        max_per_minute,
        max_per_day,
        reserve_percent: reserve.unwrap_or(RESERVE),
    };
    Dial { rules, home }
}

impl Dial {
    /// True when a number of no roster may be dialled; the error says why not.
    pub fn allows(&self, phone: &Phone) -> Result<(), String> {
        self.rules.allows(phone)
    }

    /// A number as people write it, as E.164: full-width digits, spaces and hyphens, `00` or `010` before the country
    /// code, a national number where `country` is set. A SIP URI stays what it is.
    pub fn phone(&self, text: &str) -> Option<Phone> {
        let plain: String = text.trim().chars().filter_map(narrow).collect();
        if plain.contains(':') {
            return Phone::parse(text).ok();
        }
        // Written for people: +81 (0)80 …
        let plain = plain.replace("(0)", "");
        let digits: String = plain.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')' | '/')).collect();
        let international = if let Some(rest) = digits.strip_prefix('+') {
            rest.to_owned()
        } else {
            let prefix = self.home.map(|home| home.international).into_iter().chain(["00"]);
            let rest = prefix.filter_map(|prefix| digits.strip_prefix(prefix)).next();
            match (rest, self.home) {
                (Some(rest), _) => rest.to_owned(),
                (None, Some(home)) => format!("{}{}", home.code, digits.strip_prefix(home.trunk).unwrap_or(&digits)),
                (None, None) => return None,
            }
        };
        Phone::parse(&format!("+{international}")).ok()
    }
}

/// One character as a keyboard has it: full-width forms become narrow ones, and every dash is a hyphen.
fn narrow(c: char) -> Option<char> {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0),
        '\u{3000}' | '\u{a0}' => Some(' '),
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{30fc}' => Some('-'),
        // Marks that say only in which direction text runs; people copy them along.
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' => None,
        _ => Some(c),
    }
}

fn country(text: &str) -> Option<Country> {
    if let Some(digits) = text.strip_prefix('+') {
        let fits = (1..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        // Whoever names a beginning means it, also where it costs more; but it stays the beginning of a number.
        return fits.then(|| numbers(text.to_owned(), countries::plan_of(digits), &[]));
    }
    let plan = countries::plan(text)?;
    Some(numbers(format!("+{}", plan.code), Some(plan), plan.except))
}

/// Numbers that begin so and are made as the plan says.
fn numbers(prefix: String, plan: Option<&countries::Plan>, except: &[&str]) -> Country {
    let (code, never) = plan.map_or(("", &[][..]), |plan| (plan.code, plan.never));
    let (least, most) = plan.map_or(countries::DIGITS, |plan| plan.digits);
    let except = except.iter().chain(never).map(|part| format!("+{code}{part}")).collect();
    let digits = least + code.len()..=most + code.len();
    let shape = plan.filter(|plan| !plan.shape.is_empty()).map(|plan| format!("+{code}{}", plan.shape));
    Country { prefix, except, digits, shape }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_home(country: Option<&str>) -> Dial {
        let home = country.map(|text| countries::plan(text).unwrap());
        Dial { rules: DialRules::default(), home }
    }

    #[test]
    fn a_number_is_read_however_people_write_it() {
        let read = |text| at_home(Some("JP")).phone(text).map(|phone| phone.to_string());
        for text in [
            "+818012345678",
            "+81 (0)80-1234-5678",
            "080-1234-5678",
            "０８０－１２３４－５６７８",
            "080ー1234ー5678",
            "010 81 80 1234 5678",
            "0081-80-1234-5678",
            "\u{202a}+81 80 1234 5678\u{202c}",
        ] {
            assert_eq!(read(text).as_deref(), Some("+818012345678"), "{text}");
        }
        assert_eq!(read("sip:sato@pbx.example").as_deref(), Some("sip:sato@pbx.example"));
        for wrong in ["", "080-CALL-ME", "+", "+8180123456789012"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn without_a_country_only_whole_numbers_are_read() {
        let dial = at_home(None);
        assert_eq!(dial.phone("080-1234-5678"), None);
        assert_eq!(dial.phone("0081 80 1234 5678").unwrap().as_str(), "+818012345678");
        let america = at_home(Some("US"));
        assert_eq!(america.phone("(212) 555-0100").unwrap().as_str(), "+12125550100");
        assert_eq!(america.phone("1-212-555-0100").unwrap().as_str(), "+12125550100");
        assert_eq!(america.phone("011 81 80 1234 5678").unwrap().as_str(), "+818012345678");
    }

    #[test]
    fn a_country_leaves_out_what_only_looks_like_it() {
        let rules = DialRules { countries: vec![country("US").unwrap()], ..DialRules::default() };
        let allows = |text| rules.allows(&Phone::parse(text).unwrap()).is_ok();
        assert!(allows("+12125550100"));
        assert!(!allows("+18765550100"), "Jamaica");
        assert!(!allows("+19005550100"), "premium rate");
        assert!(country("+8190").is_some() && country("XX").is_none() && country("+x").is_none());
    }

    #[test]
    fn a_number_that_no_country_has_is_not_dialled_whatever_it_hides() {
        let of = |named: &[&str], text: &str| {
            let countries = named.iter().map(|text| country(text).unwrap()).collect();
            DialRules { countries, ..DialRules::default() }.allows(&Phone::parse(text).unwrap()).is_ok()
        };
        for named in ["JP", "+81"] {
            assert!(of(&[named], "+818012345678") && of(&[named], "+81312345678"), "{named}");
            for hidden in ["+81010187655501", "+8110187655501", "+81101876555010", "+81801234567", "+8180123456789"] {
                let short = hidden == "+81801234567";
                assert_eq!(of(&[named], hidden), short, "{named} {hidden}");
            }
        }
        for named in ["US", "+1"] {
            assert!(of(&[named], "+12125550100"), "{named}");
            for hidden in
                ["+1011818012345", "+10118180123", "+11125550100", "+12121550100", "+1212555010", "+121255501000"]
            {
                assert!(!of(&[named], hidden), "{named} {hidden}");
            }
        }
        assert!(of(&["IT"], "+390612345678"), "the 0 of Rome belongs to it");
        assert!(of(&["CI"], "+2250712345678") && !of(&["BR"], "+5501187654321"));
        assert!(of(&["+81990"], "+81990123456"), "who names it means it");
        assert!(!of(&["+9"], "+912345") && of(&["+9"], "+9123456"), "seven digits at least");
    }
}
