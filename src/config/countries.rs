//! Countries and how their numbers begin: ISO 3166-1 codes beside ITU-T E.164 country codes (list of 2016-11-15,
//! with its changes).
//!
//! Easy to get wrong: `+1` is twenty-five countries, among them those that toll fraud likes best; so what lies
//! elsewhere, and what costs more than a call, is left out by its beginning. And a number may hide another one: a
//! carrier that puts the 0 of `+81 0 10 1 876…` back reads a call to Jamaica, so beginnings that no national number
//! has, and wrong lengths, are refused.

/// How the numbers of a country are made.
#[derive(Debug)]
pub struct Plan {
    /// Without its `+`.
    pub code: &'static str,
    /// What stands before a national number at home.
    pub trunk: &'static str,
    /// What is dialled at home before a country code.
    pub international: &'static str,
    /// Beginnings behind the code that lie elsewhere or cost more than a call.
    pub except: &'static [&'static str],
    /// Beginnings behind the code that no national number has: what a switch at home would take for something else.
    pub never: &'static [&'static str],
    /// The fewest and the most digits behind the code.
    pub digits: (usize, usize),
    /// `N` for 2 to 9, `.` for any digit; empty where nothing is known.
    pub shape: &'static str,
}

/// The fewest and the most digits of any whole number (E.164 §6.2 has the 15).
pub const DIGITS: (usize, usize) = (7, 15);

/// The plan that a whole number without its `+`, or its beginning, belongs to.
pub fn plan_of(digits: &str) -> Option<&'static Plan> {
    let all = KNOWN.iter().chain(PLAIN).map(|(_, plan)| plan);
    all.filter(|plan| digits.starts_with(plan.code)).max_by_key(|plan| plan.code.len())
}

/// The plan of a country by its two letters.
pub fn plan(iso: &str) -> Option<&'static Plan> {
    let upper = iso.to_ascii_uppercase();
    if let Some((_, plan)) = KNOWN.iter().find(|(name, _)| name.split(' ').any(|name| name == upper)) {
        return Some(plan);
    }
    PLAIN.iter().find(|(name, _)| *name == upper).map(|(_, plan)| plan)
}

/// Area codes of `+1` that are neither in the United States nor in Canada, and 900, which costs the caller.
const NOT_US_OR_CA: &[&str] = &[
    "242", "246", "264", "268", "284", "340", "345", "441", "473", "649", "658", "664", "670", "671", "684", "721",
    "758", "767", "784", "787", "809", "829", "849", "868", "869", "876", "939", "900",
];

/// Countries with something of their own.
const KNOWN: &[(&str, Plan)] = &[
    (
        "JP",
        Plan {
            code: "81",
            trunk: "0",
            international: "010",
            except: &["990", "570", "180"],
            never: &["0", "10"],
            digits: (9, 10),
            shape: "",
        },
    ),
    (
        "US CA",
        Plan {
            code: "1",
            trunk: "1",
            international: "011",
            except: NOT_US_OR_CA,
            never: &[],
            digits: (10, 10),
            shape: "N..N......",
        },
    ),
    (
        "RU",
        Plan {
            code: "7",
            trunk: "8",
            international: "810",
            except: &["6", "7"],
            never: &["0"],
            digits: (10, 10),
            shape: "",
        },
    ),
    (
        "GB",
        Plan {
            code: "44",
            trunk: "0",
            international: "00",
            except: &["9", "871", "872", "70"],
            never: &["0"],
            digits: (7, 10),
            shape: "",
        },
    ),
    (
        "IT SM VA",
        Plan { code: "39", trunk: "", international: "00", except: &["89"], never: &[], digits: (6, 11), shape: "" },
    ),
    (
        "AU",
        Plan {
            code: "61",
            trunk: "0",
            international: "0011",
            except: &["190"],
            never: &["0"],
            digits: (9, 9),
            shape: "",
        },
    ),
    (
        "KR",
        Plan {
            code: "82",
            trunk: "0",
            international: "001",
            except: &["60"],
            never: &["0"],
            digits: (8, 10),
            shape: "",
        },
    ),
    (
        "HK",
        Plan {
            code: "852",
            trunk: "",
            international: "001",
            except: &["900"],
            never: &["0"],
            digits: (8, 8),
            shape: "",
        },
    ),
    (
        "SG",
        Plan {
            code: "65",
            trunk: "",
            international: "001",
            except: &["1900"],
            never: &["0"],
            digits: (8, 8),
            shape: "",
        },
    ),
    (
        "TW",
        Plan { code: "886", trunk: "0", international: "002", except: &[], never: &["0"], digits: (8, 9), shape: "" },
    ),
    (
        "TH",
        Plan {
            code: "66",
            trunk: "0",
            international: "001",
            except: &["1900"],
            never: &["0"],
            digits: (8, 9),
            shape: "",
        },
    ),
    (
        "DE",
        Plan {
            code: "49",
            trunk: "0",
            international: "00",
            except: &["900", "137", "118"],
            never: &["0"],
            digits: (6, 13),
            shape: "",
        },
    ),
    (
        "FR",
        Plan {
            code: "33",
            trunk: "0",
            international: "00",
            except: &["89", "81", "82"],
            never: &["0"],
            digits: (9, 9),
            shape: "",
        },
    ),
];

/// A country whose numbers need no more than its code.
const fn plain(code: &'static str) -> Plan {
    let digits = (DIGITS.0 - code.len(), DIGITS.1 - code.len());
    Plan { code, trunk: "0", international: "00", except: &[], never: &["0"], digits, shape: "" }
}

/// The same where a 0 belongs to the number itself.
const fn with_zero(code: &'static str) -> Plan {
    Plan { trunk: "", never: &[], ..plain(code) }
}

/// The others; a leading 0 at home is what most of them have.
#[rustfmt::skip]
const PLAIN: &[(&str, Plan)] = &[
    ("AD", plain("376")), ("AE", plain("971")), ("AF", plain("93")), ("AL", plain("355")),
    ("AM", plain("374")), ("AO", plain("244")), ("AR", plain("54")), ("AT", plain("43")),
    ("AW", plain("297")), ("AZ", plain("994")), ("BA", plain("387")), ("BD", plain("880")),
    ("BE", plain("32")), ("BF", plain("226")), ("BG", plain("359")), ("BH", plain("973")),
    ("BI", plain("257")), ("BJ", with_zero("229")), ("BN", plain("673")), ("BO", plain("591")),
    ("BR", plain("55")), ("BT", plain("975")), ("BW", plain("267")), ("BY", plain("375")),
    ("BZ", plain("501")), ("CD", plain("243")), ("CF", plain("236")), ("CG", with_zero("242")),
    ("CH", plain("41")), ("CI", with_zero("225")), ("CL", plain("56")), ("CM", plain("237")),
    ("CN", plain("86")), ("CO", plain("57")), ("CR", plain("506")), ("CU", plain("53")),
    ("CV", plain("238")), ("CY", plain("357")), ("CZ", plain("420")), ("DJ", plain("253")),
    ("DK", plain("45")), ("DZ", plain("213")), ("EC", plain("593")), ("EE", plain("372")),
    ("EG", plain("20")), ("ER", plain("291")), ("ES", plain("34")), ("ET", plain("251")),
    ("FI", plain("358")), ("FJ", plain("679")), ("FM", plain("691")), ("GA", plain("241")),
    ("GE", plain("995")), ("GH", plain("233")), ("GI", plain("350")), ("GL", plain("299")),
    ("GM", plain("220")), ("GN", plain("224")), ("GQ", plain("240")), ("GR", plain("30")),
    ("GT", plain("502")), ("GW", plain("245")), ("GY", plain("592")), ("HN", plain("504")),
    ("HR", plain("385")), ("HT", plain("509")), ("HU", plain("36")), ("ID", plain("62")),
    ("IE", plain("353")), ("IL", plain("972")), ("IN", plain("91")), ("IQ", plain("964")),
    ("IR", plain("98")), ("IS", plain("354")), ("JO", plain("962")), ("KE", plain("254")),
    ("KG", plain("996")), ("KH", plain("855")), ("KI", plain("686")), ("KM", plain("269")),
    ("KP", plain("850")), ("KW", plain("965")), ("LA", plain("856")), ("LB", plain("961")),
    ("LI", plain("423")), ("LK", plain("94")), ("LR", plain("231")), ("LS", plain("266")),
    ("LT", plain("370")), ("LU", plain("352")), ("LV", plain("371")), ("LY", plain("218")),
    ("MA", plain("212")), ("MC", plain("377")), ("MD", plain("373")), ("ME", plain("382")),
    ("MG", plain("261")), ("MH", plain("692")), ("MK", plain("389")), ("ML", plain("223")),
    ("MM", plain("95")), ("MN", plain("976")), ("MO", plain("853")), ("MR", plain("222")),
    ("MT", plain("356")), ("MU", plain("230")), ("MV", plain("960")), ("MW", plain("265")),
    ("MX", plain("52")), ("MY", plain("60")), ("MZ", plain("258")), ("NA", plain("264")),
    ("NC", plain("687")), ("NE", plain("227")), ("NG", plain("234")), ("NI", plain("505")),
    ("NL", plain("31")), ("NO", plain("47")), ("NP", plain("977")), ("NR", plain("674")),
    ("NZ", plain("64")), ("OM", plain("968")), ("PA", plain("507")), ("PE", plain("51")),
    ("PG", plain("675")), ("PH", plain("63")), ("PK", plain("92")), ("PL", plain("48")),
    ("PS", plain("970")), ("PT", plain("351")), ("PW", plain("680")), ("PY", plain("595")),
    ("QA", plain("974")), ("RO", plain("40")), ("RS", plain("381")), ("RW", plain("250")),
    ("SA", plain("966")), ("SB", plain("677")), ("SC", plain("248")), ("SD", plain("249")),
    ("SE", plain("46")), ("SI", plain("386")), ("SK", plain("421")), ("SL", plain("232")),
    ("SN", plain("221")), ("SO", plain("252")), ("SR", plain("597")), ("SS", plain("211")),
    ("ST", plain("239")), ("SV", plain("503")), ("SY", plain("963")), ("SZ", plain("268")),
    ("TD", plain("235")), ("TG", plain("228")), ("TJ", plain("992")), ("TL", plain("670")),
    ("TM", plain("993")), ("TN", plain("216")), ("TO", plain("676")), ("TR", plain("90")),
    ("TV", plain("688")), ("TZ", plain("255")), ("UA", plain("380")), ("UG", plain("256")),
    ("UY", plain("598")), ("UZ", plain("998")), ("VE", plain("58")), ("VN", plain("84")),
    ("VU", plain("678")), ("WS", plain("685")), ("YE", plain("967")), ("ZA", plain("27")),
    ("ZM", plain("260")), ("ZW", plain("263")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_country_is_there_once_with_a_code_of_one_to_three_digits() {
        let mut seen = std::collections::BTreeSet::new();
        let all = KNOWN.iter().flat_map(|(names, plan)| names.split(' ').map(move |name| (name, plan)));
        for (name, plan) in all.chain(PLAIN.iter().map(|(name, plan)| (*name, plan))) {
            assert!(seen.insert(name), "{name} twice");
            assert!((1..=3).contains(&plan.code.len()) && plan.code.bytes().all(|b| b.is_ascii_digit()), "{name}");
        }
        assert_eq!((plan("jp").unwrap().code, plan("BR").unwrap().code), ("81", "55"));
        assert_eq!(plan_of("818012345678").map(|plan| plan.code), Some("81"));
        assert!(plan_of("8").is_none());
        assert!(plan("XX").is_none() && plan("").is_none() && plan("US CA").is_none());
    }
}
