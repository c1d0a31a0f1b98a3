//! Texts that are no UTF-8, as old monitoring scripts in Japan send them: Shift_JIS, EUC-JP and the others of the
//! Encoding Standard, where `charset` names one, in the `Content-Type` or in the query.
//!
//! Nothing is guessed, because a wrong guess is read out at night: what is neither UTF-8 nor named is refused, with a
//! sentence that says so. Easy to get wrong: some libraries name Latin-1 behind every text, also behind UTF-8; and in a
//! form it is the bytes behind the percent signs that are in the charset.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

use super::error::IntakeError;

/// What is accepted.
const ACCEPTED: &str = "UTF-8, or `charset=Shift_JIS` (or another one) in the Content-Type or the query";
/// The most fields of a query or a form that are looked at.
const FIELDS_MAX: usize = 1_000;

/// A query, decoded, in its order.
pub fn query(raw: &str) -> Result<Vec<(String, String)>, IntakeError> {
    let named = form_urlencoded::parse(raw.as_bytes()).find(|(name, _)| name == "charset");
    let charset = named.map(|(_, label)| known("charset", &label)).transpose()?;
    pairs("the query", raw.as_bytes(), charset)
}

/// A body in UTF-8; as it came where it is that already, and where it holds files.
pub fn body<'a>(
    content_type: Option<&str>,
    query: &[(String, String)],
    body: &'a [u8],
) -> Result<Cow<'a, [u8]>, IntakeError> {
    let told = content_type.unwrap_or_default();
    let kind = told.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let label = told.split(';').skip(1).find_map(|item| {
        let (name, label) = item.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| label.trim().trim_matches('"'))
    });
    let label = label.or_else(|| query.iter().find(|(name, _)| name == "charset").map(|(_, label)| label.as_str()));
    let charset = label.map(|label| known("charset", label)).transpose()?;
    if kind == "application/x-www-form-urlencoded" {
        let foreign = charset.is_some_and(|charset| charset != UTF_8) || !is_utf8_form(body);
        if !foreign {
            return Ok(Cow::Borrowed(body));
        }
        let mut written = form_urlencoded::Serializer::new(String::new());
        written.extend_pairs(pairs("the body", body, charset)?);
        return Ok(Cow::Owned(written.finish().into_bytes()));
    }
    if core::str::from_utf8(body).is_ok() && charset.is_none_or(|charset| [UTF_8, WINDOWS_1252].contains(&charset)) {
        return Ok(Cow::Borrowed(body));
    }
    match charset {
        // JSON names its own place; of a form with files each part is looked at.
        None if kind.ends_with("json") || kind == "multipart/form-data" => Ok(Cow::Borrowed(body)),
        _ => Ok(Cow::Owned(text("the body", body, charset)?.into_owned().into_bytes())),
    }
}

/// A byte string in a charset, or in UTF-8 where none is named.
fn text<'a>(place: &str, bytes: &'a [u8], charset: Option<&'static Encoding>) -> Result<Cow<'a, str>, IntakeError> {
    let charset = charset.unwrap_or(UTF_8);
    if charset == WINDOWS_1252
        && let Ok(text) = core::str::from_utf8(bytes)
    {
        return Ok(Cow::Borrowed(text));
    }
    let (text, _, broken) = charset.decode(bytes);
    let wrong = || IntakeError::wrong(place, format!("bytes that are not {}", charset.name()), ACCEPTED);
    if broken { Err(wrong()) } else { Ok(text) }
}

fn known(place: &str, label: &str) -> Result<&'static Encoding, IntakeError> {
    Encoding::for_label(label.as_bytes()).ok_or_else(|| IntakeError::text(place, label, ACCEPTED))
}

fn pairs(place: &str, raw: &[u8], charset: Option<&'static Encoding>) -> Result<Vec<(String, String)>, IntakeError> {
    let fields = raw.split(|byte| *byte == b'&').filter(|field| !field.is_empty()).take(FIELDS_MAX);
    fields
        .map(|field| {
            let (name, value) = match field.iter().position(|byte| *byte == b'=') {
                Some(place) => (&field[..place], &field[place + 1..]),
                None => (field, &[][..]),
            };
            let name = text(place, &unescaped(name), charset)?.into_owned();
            let place = if name.is_empty() { place } else { name.as_str() };
            let value = text(place, &unescaped(value), charset)?.into_owned();
            Ok((name, value))
        })
        .collect()
}

/// The bytes behind the percent signs; a plus is a space.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let spaced: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    super::form::unescaped(&spaced)
}

fn is_utf8_form(body: &[u8]) -> bool {
    core::str::from_utf8(&super::form::unescaped(body)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: Option<&str> = Some("application/x-www-form-urlencoded");

    fn said(raw: &str) -> Result<String, IntakeError> {
        query(raw).map(|pairs| pairs[0].1.clone())
    }

    #[test]
    fn a_query_in_shift_jis_is_understood_where_it_says_so_and_refused_where_it_does_not() {
        // 障害 in Shift_JIS, and in EUC-JP.
        assert_eq!(said("message=%8F%E1%8AQ&charset=Shift_JIS").unwrap(), "障害");
        assert_eq!(said("message=%BE%E3%B3%B2+1&charset=euc-jp").unwrap(), "障害 1");
        assert_eq!(said("message=%E9%9A%9C%E5%AE%B3&charset=utf-8").unwrap(), "障害");
        assert_eq!(said("message=%E9%9A%9C%E5%AE%B3&a&&b=%zz").unwrap(), "障害");
        let error = said("message=%8F%E1%8AQ").unwrap_err();
        assert_eq!(error.field(), Some("message"));
        assert!(error.to_string().contains("not UTF-8") && error.to_string().contains("Shift_JIS"), "{error}");
        assert_eq!(said("message=a&charset=klingon").unwrap_err().field(), Some("charset"));
        assert!(said("message=%81&charset=Shift_JIS").is_err(), "half of a character");
    }

    #[test]
    fn a_body_is_read_in_the_charset_that_it_names() {
        let sjis = b"{\"message\":\"\x8f\xe1\x8aQ\"}";
        let json = body(Some("application/json; charset=\"Shift_JIS\""), &[], sjis).unwrap();
        assert_eq!(json.as_ref(), "{\"message\":\"障害\"}".as_bytes());
        let form = body(Some("application/x-www-form-urlencoded; Charset=sjis"), &[], b"message=%8F%E1%8AQ+%261");
        assert_eq!(form_urlencoded::parse(&form.unwrap()).next().unwrap().1, "障害 &1");
        let named = [("charset".to_owned(), "windows-31j".to_owned())];
        assert_eq!(body(Some("text/plain"), &named, b"\x8f\xe1\x8aQ").unwrap().as_ref(), "障害".as_bytes());
        for kind in [FORM, Some("text/plain"), None] {
            assert!(body(kind, &[], b"message=\x8f\xe1\x8aQ").is_err(), "{kind:?}");
        }
        assert_eq!(body(FORM, &[], b"message=%8F%E1").unwrap_err().field(), Some("message"));
    }

    #[test]
    fn what_is_utf8_stays_as_it_came_whatever_a_library_calls_it() {
        let utf8 = "message=障害".as_bytes();
        for kind in ["text/plain; charset=ISO-8859-1", "text/plain", "application/json;charset=UTF-8", ""] {
            assert_eq!(body(Some(kind), &[], utf8).unwrap().as_ref(), utf8, "{kind}");
        }
        assert_eq!(body(Some("text/plain; charset=ISO-8859-1"), &[], b"caf\xe9").unwrap().as_ref(), "café".as_bytes());
        let file = b"--X\r\n\xff\xd8";
        assert_eq!(body(Some("multipart/form-data; boundary=X"), &[], file).unwrap().as_ref(), file);
    }
}
