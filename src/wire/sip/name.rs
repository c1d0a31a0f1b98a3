//! Header names: canonical, compact, in any case (RFC 3261 §7.3.3, §20).

use core::fmt;

macro_rules! header_names {
    ($($variant:ident $text:literal $($compact:literal)?,)*) => {
        /// A header's name.
        ///
        /// To look up or write a header that has no variant, use [`Name::Other`]; it finds the header in any
        /// case, but not by a compact form it does not know of.
        #[derive(Clone, Copy, Debug)]
        pub enum Name {
            $(#[doc = concat!("`", $text, "`")] $variant,)*
            /// Any other header.
            Other(&'static str),
        }

        impl Name {
            /// The canonical spelling.
            pub const fn as_str(&self) -> &'static str {
                match self {
                    $(Name::$variant => $text,)*
                    Name::Other(text) => text,
                }
            }
        }

        /// A name that has a variant, in one byte: what each line of a message is indexed by.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(super) enum Known {
            $($variant,)*
        }

        impl Known {
            /// `None` for a name without a variant, though it may be spelt as one that has: see [`Known::read`].
            const fn variant(name: &Name) -> Option<Known> {
                match name {
                    $(Name::$variant => Some(Known::$variant),)*
                    Name::Other(_) => None,
                }
            }

            const fn name(self) -> Name {
                match self {
                    $(Known::$variant => Name::$variant,)*
                }
            }
        }

        /// Every spelling of every name.
        const SPELLINGS: &[(&str, Known)] = &[$(($text, Known::$variant), $(($compact, Known::$variant),)?)*];
    };
}

header_names! {
    Via "Via" "v",
    From "From" "f",
    To "To" "t",
    CallId "Call-ID" "i",
    CSeq "CSeq",
    Contact "Contact" "m",
    MaxForwards "Max-Forwards",
    ContentType "Content-Type" "c",
    ContentLength "Content-Length" "l",
    ContentEncoding "Content-Encoding" "e",
    ContentDisposition "Content-Disposition",
    Expires "Expires",
    MinExpires "Min-Expires",
    Route "Route",
    RecordRoute "Record-Route",
    Path "Path",
    ServiceRoute "Service-Route",
    WwwAuthenticate "WWW-Authenticate",
    ProxyAuthenticate "Proxy-Authenticate",
    Authorization "Authorization",
    ProxyAuthorization "Proxy-Authorization",
    AuthenticationInfo "Authentication-Info",
    Allow "Allow",
    AllowEvents "Allow-Events" "u",
    Supported "Supported" "k",
    Require "Require",
    ProxyRequire "Proxy-Require",
    Unsupported "Unsupported",
    UserAgent "User-Agent",
    Server "Server",
    Reason "Reason",
    RetryAfter "Retry-After",
    PAssertedIdentity "P-Asserted-Identity",
    PPreferredIdentity "P-Preferred-Identity",
    Privacy "Privacy",
    Diversion "Diversion",
    Warning "Warning",
    Accept "Accept",
    AcceptEncoding "Accept-Encoding",
    AcceptLanguage "Accept-Language",
    Date "Date",
    Timestamp "Timestamp",
    Subject "Subject" "s",
    Organization "Organization",
    ReplyTo "Reply-To",
    AlertInfo "Alert-Info",
    CallInfo "Call-Info",
    ErrorInfo "Error-Info",
    Priority "Priority",
    InReplyTo "In-Reply-To",
    MimeVersion "MIME-Version",
    RSeq "RSeq",
    RAck "RAck",
    Event "Event" "o",
    SubscriptionState "Subscription-State",
    ReferTo "Refer-To" "r",
    ReferredBy "Referred-By" "b",
    Replaces "Replaces",
    SessionExpires "Session-Expires" "x",
    MinSe "Min-SE",
}

impl Name {
    /// The name of a header that has a variant, from its full or compact form in any case.
    pub fn known(text: &str) -> Option<Name> {
        Known::read(text).map(Known::name)
    }
}

impl Known {
    /// Which name is wanted by `name`; one given as `Other` may still be one that has a variant.
    pub(super) fn of(name: &Name) -> Option<Known> {
        Known::variant(name).or_else(|| Known::read(name.as_str()))
    }

    /// As [`Name::known`].
    pub(super) fn read(text: &str) -> Option<Known> {
        match key_of(text.as_bytes()) {
            Some(key) => Known::of_key(key),
            None => SPELLINGS.iter().find(|(spelling, _)| spelling.eq_ignore_ascii_case(text)).map(|(_, known)| *known),
        }
    }

    /// The name at the head of `line` and its length, where it is a short one with a colon right behind it, as most are.
    /// There must be no CR in the line; behind the line anything may follow.
    ///
    /// It neither loops nor branches on what it finds, because each line of a message is another case: guesses of the
    /// processor that go wrong cost more than all of this.
    #[inline]
    pub(super) fn at_head(line: &[u8]) -> Option<(Known, usize)> {
        let window = Key::from_le_bytes(*line.first_chunk()?);
        // The highest bit of each byte that is a colon, and perhaps of some behind the first one.
        let differ = window ^ (ONES * b':' as Key);
        let colons = differ.wrapping_sub(ONES) & !differ & (ONES << 7);
        let bits = colons.trailing_zeros() & !7;
        let key = (window | CASE) & 1_u128.checked_shl(bits)?.wrapping_sub(1);
        Some((Known::of_key(key)?, bits as usize / 8))
    }

    #[inline]
    fn of_key(key: Key) -> Option<Known> {
        let (found, known) = KEYS.get(slot_of(key))?;
        (*found == key && key != 0).then_some(*known)
    }
}

/// A name of fewer than sixteen bytes, its first one the lowest, with the bit set in each that tells `a` from `A`. That
/// makes a hyphen of a CR, and of nothing else that can stand in a name something else.
type Key = u128;

const KEY_BYTES: usize = 15;
const ONES: Key = Key::MAX / 0xff;
const CASE: Key = ONES * 0x20;

const fn key_of(text: &[u8]) -> Option<Key> {
    let (mut key, mut at) = (0, 0);
    while at < text.len() {
        if at == KEY_BYTES || text[at] == b'\r' {
            return None;
        }
        key |= ((text[at] | 0x20) as Key) << (8 * at);
        at += 1;
    }
    Some(key)
}

/// Every spelling that has a key, in the slot of its key.
static KEYS: [(Key, Known); 256] = {
    let mut keys = [(0, Known::Via); 256];
    let mut place = 0;
    while place < SPELLINGS.len() {
        if let Some(key) = key_of(SPELLINGS[place].0.as_bytes()) {
            assert!(keys[slot_of(key)].0 == 0, "two names share a slot: look for another multiplier");
            keys[slot_of(key)] = (key, SPELLINGS[place].1);
        }
        place += 1;
    }
    keys
};

/// A number from 0 to 255, another one for each key in [`KEYS`].
const fn slot_of(key: Key) -> usize {
    // Tried by chance until no two names shared a slot.
    const MULTIPLIER: u64 = 0x9730_82D6_09B4_E5D3;
    let folded = (key as u64) ^ ((key >> 64) as u64).rotate_left(21);
    (folded.wrapping_mul(MULTIPLIER) >> 56) as usize
}

impl PartialEq for Name {
    /// Names are equal without regard to case, however they are spelt.
    fn eq(&self, other: &Name) -> bool {
        self.as_str().eq_ignore_ascii_case(other.as_str())
    }
}

impl Eq for Name {}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_read_in_any_case_and_at_the_head_of_a_line() {
        for (spelling, known) in SPELLINGS {
            for text in [(*spelling).to_owned(), spelling.to_uppercase(), spelling.to_lowercase()] {
                assert_eq!(Known::read(&text), Some(*known), "{text}");
                let line = format!("{text}: the value: of a line");
                let short = spelling.len() <= KEY_BYTES;
                let expected = short.then_some((*known, spelling.len()));
                assert_eq!(Known::at_head(line.as_bytes()), expected, "{line}");
                assert_eq!(Known::at_head(line.replace(':', " :").as_bytes()), None, "{line}");
            }
        }
    }

    #[test]
    fn what_is_almost_a_name_is_none() {
        for (spelling, _) in SPELLINGS {
            for at in 0..spelling.len() {
                for other in [b'q', b'.', b'\r', b'\t', 0, 0x80 | spelling.as_bytes()[at]] {
                    let mut bytes = spelling.as_bytes().to_vec();
                    bytes[at] = other;
                    let text = String::from_utf8_lossy(&bytes).into_owned();
                    let same = SPELLINGS.iter().find(|(name, _)| name.eq_ignore_ascii_case(&text));
                    assert_eq!(Known::read(&text), same.map(|(_, known)| *known), "{text:?}");
                    bytes.extend(b": the value of a line");
                    let read = Known::at_head(&bytes).filter(|_| other != b'\r');
                    assert_eq!(read, same.map(|(name, known)| (*known, name.len())), "{text:?}");
                }
            }
        }
        assert_eq!((Known::read(""), Known::at_head(b": a value without a name")), (None, None));
    }
}
