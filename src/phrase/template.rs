//! Templates with `{{parameter}}`s: read once and judged, then filled for every incident.
//!
//! A template is text with `{{ name }}`, `{{ name | filter }}` and `{% if name %} … {% else %} … {% endif %}`. A name is
//! whatever a parameter may be called, `server`, `check.name` or `サーバー`; so each gets an alias before minijinja
//! sees it. Only these two forms are let through: no loop, no function, no arithmetic on sequences, so that a
//! template from outside costs what its length says and no more.
//!
//! It never fails a call: a parameter that is missing is left out, and [`Filled::missing`] says which. What is wrong
//! with a template is found when it is read, and `hansho check` prints it.
//!
//! Easy to get wrong: a text that came with an alert may hold `{{` or `{%` of its own. [`fill`] takes such a text as
//! it stands and puts parameters only where their names stand alone.

use std::collections::BTreeMap;

use minijinja::value::Value;
use minijinja::{Environment, UndefinedBehavior};

use super::filters;
use crate::base::Language;

/// The longest template, in characters: what the configuration takes, twice.
const TEMPLATE_MAX: usize = 5_000;
/// Of a parameter, so many characters are put in.
const PARAMETER_MAX: usize = 2_000;
/// The longest text a template makes, in characters.
const FILLED_MAX: usize = 10_000;
/// The most names of one template.
const NAMES_MAX: usize = 100;
/// How deep conditions and parentheses may be nested.
const DEPTH_MAX: usize = 20;
/// Words of a condition that are no names.
const KEYWORDS: [&str; 9] = ["if", "else", "and", "or", "not", "in", "is", "true", "false"];
/// What may stand behind `{%`.
const TAGS: [&str; 4] = ["if", "elif", "else", "endif"];

/// For eyes or for ears: some filters read a value out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// For a screen.
    Written,
    /// For a voice.
    Spoken,
}

/// What is wrong with a template, in a sentence.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Fault(String);

/// A template that can be filled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Template {
    /// With aliases in the place of names.
    source: String,
    /// Names by the number of their alias.
    names: Vec<String>,
}

/// A template's text.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filled {
    /// The text.
    pub text: String,
    /// The parameters it wanted and did not get, in order.
    pub missing: Vec<String>,
}

impl Template {
    /// Reads a template: its syntax, its filters and their arguments.
    pub fn parse(text: &str) -> Result<Template, Fault> {
        if text.chars().count() > TEMPLATE_MAX {
            return Err(Fault(format!("it is longer than {TEMPLATE_MAX} characters")));
        }
        let mut reader = Reader { source: String::with_capacity(text.len()), names: Vec::new(), depth: 0 };
        reader.read(text)?;
        let template = Template { source: reader.source, names: reader.names };
        // Everything given, and nothing given: an argument that does not fit shows in one of the two.
        let given = |_: &str| Some("1".to_owned());
        for language in Language::ALL {
            template.rendered(Form::Spoken, language, UndefinedBehavior::Lenient, given).map_err(|e| sentence(&e))?;
            template
                .rendered(Form::Written, language, UndefinedBehavior::Lenient, |_| None)
                .map_err(|e| sentence(&e))?;
        }
        Ok(template)
    }

    /// The parameters it may use, in order of appearance.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// The text for these parameters.
    pub fn fill(&self, form: Form, language: Language, parameters: &BTreeMap<String, String>) -> Filled {
        let given = |name: &str| parameters.get(name).map(|text| text.chars().take(PARAMETER_MAX).collect());
        // First with holes as errors, so that a name in a branch that was not taken is not missed.
        if let Ok(text) = self.rendered(form, language, UndefinedBehavior::SemiStrict, given) {
            return Filled { text: cut(text), missing: Vec::new() };
        }
        let text = self.rendered(form, language, UndefinedBehavior::Lenient, given).unwrap_or_default();
        let missing = self.names.iter().filter(|name| !parameters.contains_key(*name)).cloned().collect();
        Filled { text: cut(text), missing }
    }

    fn rendered(
        &self,
        form: Form,
        language: Language,
        holes: UndefinedBehavior,
        given: impl Fn(&str) -> Option<String>,
    ) -> Result<String, minijinja::Error> {
        let mut environment = Environment::empty();
        environment.set_undefined_behavior(holes);
        environment.set_keep_trailing_newline(true);
        filters::add(&mut environment, form, language);
        let values = self.names.iter().enumerate();
        let context: BTreeMap<String, Value> =
            values.filter_map(|(place, name)| Some((alias(place), Value::from(given(name)?)))).collect();
        environment.template_from_str(&self.source)?.render(context)
    }
}

/// The text for these parameters, of a template that nobody has judged: where it is none, it is taken as it stands,
/// and parameters are put where their names stand alone.
pub fn fill(text: &str, form: Form, language: Language, parameters: &BTreeMap<String, String>) -> Filled {
    if !text.contains("{{") && !text.contains("{%") && !text.contains("{#") {
        return Filled { text: text.to_owned(), missing: Vec::new() };
    }
    match Template::parse(text) {
        Ok(template) => template.fill(form, language, parameters),
        Err(_) => plain(text, parameters),
    }
}

/// Every `{{name}}` replaced, and nothing else.
fn plain(text: &str, parameters: &BTreeMap<String, String>) -> Filled {
    let mut filled = Filled::default();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        filled.text.push_str(before);
        let Some((name, behind)) = after.split_once("}}") else {
            filled.text.push_str("{{");
            rest = after;
            continue;
        };
        match parameters.get(name.trim()) {
            Some(value) => filled.text.push_str(value),
            None => filled.missing.push(name.trim().to_owned()),
        }
        rest = behind;
    }
    filled.text.push_str(rest);
    Filled { text: cut(filled.text), ..filled }
}

fn cut(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(FILLED_MAX) {
        text.truncate(end);
    }
    text
}

fn alias(place: usize) -> String {
    format!("v{place}")
}

fn sentence(error: &minijinja::Error) -> Fault {
    let detail = error.detail().map(str::to_owned).unwrap_or_else(|| error.kind().to_string());
    Fault(detail)
}

/// Copies a template, with aliases for names and an eye on what is allowed.
struct Reader {
    source: String,
    names: Vec<String>,
    depth: usize,
}

/// A piece of what stands between `{{` and `}}`.
enum Piece<'a> {
    /// A name, a filter, a keyword or a number.
    Word(&'a str),
    /// A text in quotes, with its quotes.
    Text(&'a str),
    /// Anything else.
    Sign(char),
}

impl Reader {
    fn read(&mut self, text: &str) -> Result<(), Fault> {
        let mut rest = text;
        while let Some(at) = rest.find('{').filter(|at| at + 1 < rest.len()) {
            let (before, open) = rest.split_at(at);
            self.source.push_str(before);
            let close = match open.as_bytes().get(1) {
                Some(b'{') => "}}",
                Some(b'%') => "%}",
                Some(b'#') => return Err(Fault("`{#` begins a comment, and there are none".into())),
                _ => {
                    self.source.push('{');
                    rest = &open[1..];
                    continue;
                }
            };
            let inner = &open[2..];
            let end = end_of(inner, close)
                .ok_or_else(|| Fault(format!("`{}` is never closed with `{close}`", &open[..2])))?;
            self.expression(&inner[..end], close == "%}")?;
            rest = &inner[end + 2..];
        }
        self.source.push_str(rest);
        if self.depth > 0 {
            return Err(Fault("`{% if … %}` is never closed with `{% endif %}`".into()));
        }
        Ok(())
    }

    fn expression(&mut self, inner: &str, is_tag: bool) -> Result<(), Fault> {
        // `{{-` and `-}}` eat the blanks beside them.
        let (eats_before, inner) = inner.strip_prefix('-').map_or((false, inner), |inner| (true, inner));
        let (eats_behind, inner) = inner.strip_suffix('-').map_or((false, inner), |inner| (true, inner));
        let mut pieces = pieces(inner)?;
        if pieces.is_empty() {
            return Err(Fault("there is no name between the braces".into()));
        }
        self.source.push_str(if is_tag { "{%" } else { "{{" });
        self.source.push_str(if eats_before { "-" } else { "" });
        if is_tag {
            let tag = match pieces.remove(0) {
                Piece::Word(tag) if TAGS.contains(&tag) => tag,
                _ => return Err(Fault("behind `{%` only `if`, `elif`, `else` and `endif` are known".into())),
            };
            match tag {
                "if" => self.depth += 1,
                "endif" => {
                    self.depth = self.depth.checked_sub(1).ok_or_else(|| Fault("`endif` without `if`".into()))?
                }
                _ => {}
            }
            if self.depth > DEPTH_MAX {
                return Err(Fault(format!("conditions are nested deeper than {DEPTH_MAX}")));
            }
            self.source.extend([" ", tag]);
        }
        self.pieces(&pieces)?;
        self.source.push_str(if eats_behind { " -" } else { " " });
        self.source.push_str(if is_tag { "%}" } else { "}}" });
        Ok(())
    }

    fn pieces(&mut self, pieces: &[Piece<'_>]) -> Result<(), Fault> {
        let mut before = None;
        let mut open = 0usize;
        let mut words = pieces.iter().peekable();
        while let Some(piece) = words.next() {
            self.source.push(' ');
            match piece {
                Piece::Text(text) => self.source.push_str(text),
                Piece::Sign(sign) => {
                    open = open.saturating_add(usize::from(*sign == '('));
                    if open > DEPTH_MAX {
                        return Err(Fault("too many parentheses".into()));
                    }
                    if self.source.ends_with("= ")
                        || self.source.ends_with("! ")
                        || self.source.ends_with("< ")
                        || self.source.ends_with("> ")
                    {
                        self.source.pop();
                    }
                    self.source.push(*sign);
                }
                Piece::Word(word) if before == Some('|') => {
                    if !filters::NAMES.contains(word) {
                        let known = filters::NAMES.join("`, `");
                        return Err(Fault(format!("there is no filter `{word}`; there are `{known}`")));
                    }
                    self.source.push_str(word);
                }
                Piece::Word("defined") if before == Some('?') => self.source.push_str("defined"),
                Piece::Word(word) if KEYWORDS.contains(word) => {
                    self.source.push_str(word);
                    // What follows `is` is a test.
                    before = Some(if *word == "is" || (*word == "not" && before == Some('?')) { '?' } else { ' ' });
                    continue;
                }
                Piece::Word(word) if before == Some('?') => {
                    return Err(Fault(format!("`is {word}` is not known; `is defined` is")));
                }
                Piece::Word(number) if number.bytes().all(|b| b.is_ascii_digit()) && open > 0 => {
                    self.source.push_str(number);
                }
                Piece::Word(first) => {
                    let mut name = (*first).to_owned();
                    while let Some(Piece::Word(more)) = words.next_if(|next| joins(next)) {
                        name.extend([" ", more]);
                    }
                    if matches!(words.peek(), Some(Piece::Sign('('))) {
                        return Err(Fault(format!("there is no function `{name}`")));
                    }
                    self.name(name)?;
                }
            }
            before = match piece {
                Piece::Sign(sign) => Some(*sign),
                _ => None,
            };
        }
        Ok(())
    }

    fn name(&mut self, name: String) -> Result<(), Fault> {
        let place = self.names.iter().position(|known| *known == name).unwrap_or(self.names.len());
        if place == NAMES_MAX {
            return Err(Fault(format!("it has more than {NAMES_MAX} names")));
        }
        if place == self.names.len() {
            self.names.push(name);
        }
        self.source.push_str(&alias(place));
        Ok(())
    }
}

/// True for a second word of a name: names may have blanks in them.
fn joins(piece: &Piece<'_>) -> bool {
    matches!(piece, Piece::Word(word) if !KEYWORDS.contains(word))
}

/// Where `close` stands in `inner`, outside of quotes.
fn end_of(inner: &str, close: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in inner.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if inner[at..].starts_with(close) => return Some(at),
            None if c == '"' || c == '\'' => quote = Some(c),
            None => {}
        }
    }
    None
}

fn pieces(inner: &str) -> Result<Vec<Piece<'_>>, Fault> {
    let in_word = |c: char| {
        c.is_alphanumeric() || "_.-:/@#$%".contains(c) || (!c.is_ascii() && !c.is_whitespace() && !c.is_control())
    };
    let mut pieces = Vec::new();
    let mut rest = inner.trim_start();
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '"' | '\'' => {
                let close = rest[1..].find(first).ok_or_else(|| Fault("a text in quotes is never closed".into()))?;
                if rest[1..=close].contains('\\') {
                    return Err(Fault("a text in quotes has no `\\`".into()));
                }
                pieces.push(Piece::Text(&rest[..close + 2]));
                close + 2
            }
            c if in_word(c) => {
                let end = rest.find(|c| !in_word(c)).unwrap_or(rest.len());
                pieces.push(Piece::Word(&rest[..end]));
                end
            }
            '|' | '(' | ')' | '=' | '!' | '<' | '>' | ',' | '~' => {
                pieces.push(Piece::Sign(first));
                1
            }
            other => return Err(Fault(format!("`{other}` has no meaning between the braces"))),
        };
        rest = rest[end..].trim_start();
    }
    Ok(pieces)
}
