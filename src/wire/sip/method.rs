//! Request methods. Case matters: `invite` is another, unknown method (RFC 3261 §7.1).

use core::fmt;
use std::sync::Arc;

use super::scan;

macro_rules! methods {
    ($($variant:ident $text:literal,)*) => {
        /// A request's method.
        #[derive(Clone, PartialEq, Eq, Hash, Debug)]
        pub enum Method {
            $(#[doc = concat!("`", $text, "`")] $variant,)*
            /// Any other token.
            Other(Arc<str>),
        }

        impl Method {
            /// The method as it is written.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Method::$variant => $text,)*
                    Method::Other(text) => text,
                }
            }

            /// Reads a method; `None` for what is no token.
            pub fn parse(text: &str) -> Option<Method> {
                match text {
                    $($text => Some(Method::$variant),)*
                    other => scan::is_token(other).then(|| Method::Other(other.into())),
                }
            }
        }
    };
}

methods! {
    Invite "INVITE",
    Ack "ACK",
    Bye "BYE",
    Cancel "CANCEL",
    Options "OPTIONS",
    Register "REGISTER",
    Info "INFO",
    Message "MESSAGE",
    Prack "PRACK",
    Update "UPDATE",
    Refer "REFER",
    Notify "NOTIFY",
    Subscribe "SUBSCRIBE",
    Publish "PUBLISH",
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
