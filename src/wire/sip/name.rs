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

            /// The name of a header that has a variant, from its full or compact form in any case.
            pub fn known(text: &str) -> Option<Name> {
                $($(if text.eq_ignore_ascii_case($compact) { return Some(Name::$variant); })?)*
                $(if text.eq_ignore_ascii_case($text) { return Some(Name::$variant); })*
                None
            }
        }
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
