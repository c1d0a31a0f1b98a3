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
        let mut slot = slot_of(text.as_bytes());
        // There are more slots than spellings, so an empty one ends every search.
        while let Some(Some(place)) = SLOTS.get(slot) {
            let (spelling, known) = SPELLINGS.get(usize::from(*place))?;
            // Most spell it as the standard does.
            if *spelling == text || spelling.eq_ignore_ascii_case(text) {
                return Some(*known);
            }
            slot = (slot + 1) % SLOTS.len();
        }
        None
    }
}

/// The place of each spelling, in the slot that [`slot_of`] gives it or in the next one that was free.
static SLOTS: [Option<u8>; 256] = {
    let mut slots = [None; 256];
    let mut place = 0;
    while place < SPELLINGS.len() {
        let mut slot = slot_of(SPELLINGS[place].0.as_bytes());
        while slots[slot].is_some() {
            slot = (slot + 1) % slots.len();
        }
        slots[slot] = Some(place as u8);
        place += 1;
    }
    slots
};

/// A number from 0 to 255, the same for a name in any case. Names differ in their length and their ends.
const fn slot_of(text: &[u8]) -> usize {
    let (first, last) = match text {
        [first, .., last] => (*first | 0x20, *last | 0x20),
        [only] => (*only | 0x20, 0),
        [] => (0, 0),
    };
    (text.len() * 31 + first as usize * 7 + last as usize) % 256
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
