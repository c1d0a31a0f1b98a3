//! A received message: its text, an index of its header lines, its body.

use super::frame::{Field, Index, Lines, Span, StartLine, endless_head, header_line, split_head, unfolded};
use super::name::Known;
use super::scan::{self, List};
use super::{CSeq, MAX_HEADERS, MAX_MESSAGE, Malformed, Method, Name, NameAddr, Uri, Via};

/// A SIP message as it came, apart from this: line folds are spaces, bytes of the head that are not UTF-8 are
/// `?`, and what lay beyond Content-Length is gone.
#[derive(Clone, Debug)]
pub struct Message {
    /// The head, and behind it the body where that is text too.
    text: String,
    /// How much of the text is the head, without its last line end.
    head: usize,
    start: StartLine,
    fields: Vec<Field>,
    body: Body,
}

/// Where a message's body is.
#[derive(Clone, Debug)]
enum Body {
    /// In the message's text, from there to its end.
    In(usize),
    Apart(Box<[u8]>),
}

/// A message's first line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Start<'a> {
    /// A request line.
    Request {
        /// What is asked.
        method: Method,
        /// The Request-URI.
        uri: &'a str,
    },
    /// A status line.
    Response {
        /// 100 to 699.
        code: u16,
        /// The reason phrase; may be empty.
        reason: &'a str,
    },
}

impl Message {
    /// Reads one datagram. Empty lines before the start line are skipped (RFC 3261 §7.5).
    pub fn parse(datagram: &[u8]) -> Result<Message, Malformed> {
        if datagram.len() > MAX_MESSAGE {
            return Err(Malformed::TooLong(datagram.len()));
        }
        if datagram.iter().all(|b| matches!(b, b'\r' | b'\n' | b' ' | b'\t' | 0)) {
            return Err(Malformed::KeepAlive);
        }
        let skipped = datagram.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        let bytes = datagram.get(skipped..).unwrap_or_default();
        // That the head has no end is told before all else that is wrong with it.
        let index = |text| Index::of(text).map_err(|why| split_head(bytes).err().unwrap_or(why));
        if let Ok(text) = core::str::from_utf8(bytes)
            && let Some(index) = index(text)?
        {
            return Message::whole(text, index);
        }
        let cut = split_head(bytes)?;
        let head = unfolded(&cut) + "\n\n";
        let index = index(&head)?.ok_or(Malformed::NoEnd)?;
        Message::apart(head, index, cut.body)
    }

    /// A message whose head is text as it came, with a body that is text too: one copy holds both.
    fn whole(text: &str, index: Index) -> Result<Message, Malformed> {
        let (body, bytes) = (index.body, text.as_bytes().get(index.body..).unwrap_or_default());
        let length = length_of(text, &index.fields, bytes.len())?;
        match text.get(..body + length) {
            Some(text) => {
                let Index { start, fields, head, .. } = index;
                Ok(Message { text: text.to_owned(), head, start, fields, body: Body::In(body) })
            }
            // The length ends in the middle of a character.
            None => Message::apart(text.get(..body).unwrap_or_default().to_owned(), index, bytes),
        }
    }

    /// A message with a head that had to be made readable.
    fn apart(text: String, index: Index, body: &[u8]) -> Result<Message, Malformed> {
        let Index { start, fields, head, .. } = index;
        let length = length_of(&text, &fields, body.len())?;
        let body = Body::Apart(body.get(..length).unwrap_or_default().into());
        Ok(Message { text, head, start, fields, body })
    }

    /// What can be read of a request that [`Message::parse`] refuses, so that its sender can be told why: lines that
    /// are none are left out, and so are the Request-URI and the body; the end of the head may be missing. `None` for a
    /// response, and for what has no Via to be answered by.
    pub fn salvage(datagram: &[u8]) -> Option<Message> {
        let datagram = datagram.get(..MAX_MESSAGE.min(datagram.len())).unwrap_or_default();
        let skipped = datagram.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        let datagram = datagram.get(skipped..).unwrap_or_default();
        let text = unfolded(&split_head(datagram).unwrap_or_else(|_| endless_head(datagram)));
        let mut lines = Lines::of(&text);
        let first = lines.next()?;
        let method = first.text.split_ascii_whitespace().next().and_then(Method::parse)?;
        let start = StartLine::Request { method, uri: Span::default() };
        let fields =
            lines.take(MAX_HEADERS).filter_map(|line| Some(Field::of(&text, &header_line(line).ok()?))).collect();
        let message = Message { head: text.len(), body: Body::In(text.len()), text, start, fields };
        message.header(&Name::Via).is_some().then_some(message)
    }

    /// The first line.
    pub fn start(&self) -> Start<'_> {
        match &self.start {
            StartLine::Request { method, uri } => Start::Request { method: method.clone(), uri: self.text(*uri) },
            StartLine::Response { code, reason } => Start::Response { code: *code, reason: self.text(*reason) },
        }
    }

    /// A request's method, or the method of a response's CSeq; [`Method::Other`] with no text when that cannot
    /// be read.
    pub fn method(&self) -> Method {
        match &self.start {
            StartLine::Request { method, .. } => method.clone(),
            StartLine::Response { .. } => self.cseq().map_or_else(|_| Method::Other("".into()), |cseq| cseq.method),
        }
    }

    /// A response's status; `None` for a request.
    pub fn code(&self) -> Option<u16> {
        match self.start {
            StartLine::Request { .. } => None,
            StartLine::Response { code, .. } => Some(code),
        }
    }

    /// Is it a request?
    pub fn is_request(&self) -> bool {
        self.code().is_none()
    }

    /// A request's URI as written; `None` for a response.
    pub fn uri(&self) -> Option<&str> {
        match self.start {
            StartLine::Request { uri, .. } => Some(self.text(uri)),
            StartLine::Response { .. } => None,
        }
    }

    /// A response's reason phrase; empty for a request.
    pub fn reason(&self) -> &str {
        match self.start {
            StartLine::Request { .. } => "",
            StartLine::Response { reason, .. } => self.text(reason),
        }
    }

    /// The first line called `name`, white space trimmed.
    pub fn header(&self, name: &Name) -> Option<&str> {
        match Known::of(name) {
            // Looked up for most of what a message says.
            wanted @ Some(_) => {
                self.fields.iter().find(|field| field.known == wanted).map(|field| self.text(field.value))
            }
            None => self.headers(name).next(),
        }
    }

    /// Every line called `name`, in order.
    pub fn headers<'a>(&'a self, name: &Name) -> impl Iterator<Item = &'a str> + use<'a> {
        let (wanted, other) = (Known::of(name), name.as_str());
        self.fields
            .iter()
            .filter(move |field| match wanted {
                Some(_) => field.known == wanted,
                None => field.known.is_none() && self.text(field.name).eq_ignore_ascii_case(other),
            })
            .map(|field| self.text(field.value))
    }

    /// Every value of the lists called `name`: all lines, cut at commas outside of quotes and `<>`.
    pub fn list<'a>(&'a self, name: &Name) -> impl Iterator<Item = &'a str> + use<'a> {
        self.headers(name).flat_map(List::of)
    }

    /// Every header line in order: its name as written, its value.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|field| (self.text(field.name), self.text(field.value)))
    }

    /// The topmost Via.
    pub fn via(&self) -> Result<Via<'_>, Malformed> {
        let value = self.first(&Name::Via).ok_or(Malformed::Missing(Name::Via))?;
        Via::parse(value).map_err(|why| Malformed::Value { name: Name::Via, why })
    }

    /// From.
    pub fn from(&self) -> Result<NameAddr<'_>, Malformed> {
        self.name_addr(Name::From)
    }

    /// To.
    pub fn to(&self) -> Result<NameAddr<'_>, Malformed> {
        self.name_addr(Name::To)
    }

    /// CSeq.
    pub fn cseq(&self) -> Result<CSeq, Malformed> {
        CSeq::parse(self.header(&Name::CSeq).ok_or(Malformed::Missing(Name::CSeq))?)
    }

    /// Call-ID.
    pub fn call_id(&self) -> Option<&str> {
        self.header(&Name::CallId)
    }

    /// The first Contact.
    pub fn contact(&self) -> Option<Result<NameAddr<'_>, Malformed>> {
        let value = self.first(&Name::Contact)?;
        Some(NameAddr::parse(value).map_err(|why| Malformed::Value { name: Name::Contact, why }))
    }

    /// Max-Forwards; `None` when there is none or it is no number from 0 to 255.
    pub fn max_forwards(&self) -> Option<u8> {
        self.header(&Name::MaxForwards).and_then(scan::number)
    }

    /// Expires in seconds; a larger number than fits counts as the largest.
    pub fn expires(&self) -> Option<u32> {
        self.header(&Name::Expires).and_then(scan::leading_number)
    }

    /// Min-Expires in seconds.
    pub fn min_expires(&self) -> Option<u32> {
        self.header(&Name::MinExpires).and_then(scan::leading_number)
    }

    /// Retry-After in seconds, without its comment.
    pub fn retry_after(&self) -> Option<u32> {
        self.header(&Name::RetryAfter).and_then(scan::leading_number)
    }

    /// The body; what Content-Length left out is not in it.
    pub fn body(&self) -> &[u8] {
        match &self.body {
            Body::In(start) => self.text.as_bytes().get(*start..).unwrap_or_default(),
            Body::Apart(bytes) => bytes,
        }
    }

    /// Content-Type without its parameters.
    pub fn content_type(&self) -> Option<&str> {
        let value = self.header(&Name::ContentType)?;
        Some(scan::trim(scan::split(value, b';').map_or(value, |(bare, _)| bare)))
    }

    /// The start line and header lines, folds undone, without the empty line behind them.
    pub fn head(&self) -> &str {
        self.text.get(..self.head).unwrap_or_default()
    }

    /// Has it all that every message must have (RFC 3261 §8.1.1), once and readable? The error says what a
    /// 400 should say.
    ///
    /// Forgiven, as RFC 2543 software sends it so: no Max-Forwards, no tag in From, and no Contact in an INVITE whose
    /// branch is of that time.
    pub fn check(&self) -> Result<(), Malformed> {
        for name in [Name::From, Name::To, Name::CallId, Name::CSeq] {
            if self.headers(&name).take(2).count() > 1 {
                return Err(Malformed::Repeated(name));
            }
        }
        let mut vias =
            self.list(&Name::Via).map(|via| Via::parse(via).map_err(|why| Malformed::Value { name: Name::Via, why }));
        let top = vias.next().ok_or(Malformed::Missing(Name::Via))??;
        vias.try_for_each(|via| via.map(drop))?;
        self.from()?.uri()?;
        self.to()?.uri()?;
        self.call_id().filter(|id| !id.is_empty()).ok_or(Malformed::Missing(Name::CallId))?;
        let cseq = self.cseq()?;
        let StartLine::Request { method, uri } = &self.start else { return Ok(()) };
        // Headers in it would become ours (RFC 3261 §19.1.5).
        if Uri::parse(self.text(*uri))?.headers.is_some() {
            return Err(Malformed::Uri("headers in the Request-URI"));
        }
        if cseq.method != *method {
            return Err(Malformed::Value { name: Name::CSeq, why: "not the method of the request" });
        }
        if self.header(&Name::MaxForwards).is_some() && self.max_forwards().is_none() {
            return Err(Malformed::Value { name: Name::MaxForwards, why: "no number from 0 to 255" });
        }
        match self.contact() {
            Some(contact) if *method == Method::Invite => contact?.uri().map(drop),
            None if *method == Method::Invite && top.is_modern() => Err(Malformed::Missing(Name::Contact)),
            _ => Ok(()),
        }
    }

    /// The first value of a list.
    fn first(&self, name: &Name) -> Option<&str> {
        self.headers(name).find_map(|line| List::of(line).next())
    }

    fn name_addr(&self, name: Name) -> Result<NameAddr<'_>, Malformed> {
        let value = self.header(&name).ok_or(Malformed::Missing(name))?;
        NameAddr::parse(value).map_err(|why| Malformed::Value { name, why })
    }

    fn text(&self, span: Span) -> &str {
        span.text(&self.text)
    }
}

/// How much of a body of `found` bytes is the message's: what Content-Length says, where there is one. Several that
/// agree count as one.
fn length_of(text: &str, fields: &[Field], found: usize) -> Result<usize, Malformed> {
    let bad = Malformed::Value { name: Name::ContentLength, why: "no number" };
    let mut lengths = fields
        .iter()
        .filter(|field| field.known == Some(Known::ContentLength))
        .map(|field| scan::number::<usize>(field.value.text(text)).ok_or(bad));
    let Some(declared) = lengths.next().transpose()? else { return Ok(found) };
    for other in lengths {
        if other? != declared {
            return Err(Malformed::Repeated(Name::ContentLength));
        }
    }
    match declared {
        _ if declared <= found => Ok(declared),
        // Of a stream no more is read than says so.
        _ if declared > MAX_MESSAGE => Err(Malformed::TooLong(declared)),
        _ => Err(Malformed::Truncated { declared, found }),
    }
}
