//! What all text protocols are cut with: white space, words, numbers written in digits.
//!
//! Everything here looks at single bytes and cuts at ASCII ones only, so that every piece of a `str` stays one. Most texts
//! that are trimmed have nothing to trim, and that is asked first.

/// `text` without the white space at its ends.
#[inline]
pub(super) fn trim(text: &str) -> &str {
    match text.as_bytes() {
        [only] if *only > b' ' => text,
        [first, .., last] if *first > b' ' && *last > b' ' => text,
        _ => text.trim_ascii(),
    }
}

/// `text` without the white space at its end.
#[inline]
pub(super) fn trim_end(text: &str) -> &str {
    match text.as_bytes() {
        [.., last] if *last > b' ' => text,
        _ => text.trim_ascii_end(),
    }
}

/// `text` without the white space before it.
#[inline]
pub(super) fn trim_start(text: &str) -> &str {
    match text.as_bytes() {
        [first, ..] if *first > b' ' => text,
        _ => text.trim_ascii_start(),
    }
}

/// A number written in digits alone.
#[inline]
pub(super) fn number<T: TryFrom<u64>>(text: &str) -> Option<T> {
    leading_number(text).filter(|(_, rest)| rest.is_empty()).map(|(number, _)| number)
}

/// The number that the digits at the head of `text` are, and what follows them; `None` where there are none, or where it
/// does not fit.
#[inline]
pub(super) fn leading_number<T: TryFrom<u64>>(text: &str) -> Option<(T, &str)> {
    let (mut sum, mut length) = (0_u64, 0);
    for byte in text.bytes() {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        sum = sum.checked_mul(10)?.checked_add(digit.into())?;
        length += 1;
    }
    if length == 0 { None } else { Some((T::try_from(sum).ok()?, text.get(length..)?)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_is_taken_from_the_ends_alone() {
        for text in ["", " ", "a", " a", "a\t", "\r\n a b \x0c", "a b", "é ", " é"] {
            assert_eq!(trim(text), text.trim_ascii(), "{text:?}");
            assert_eq!(trim_start(text), text.trim_ascii_start(), "{text:?}");
            assert_eq!(trim_end(text), text.trim_ascii_end(), "{text:?}");
        }
    }

    #[test]
    fn a_number_is_digits_that_fit() {
        for (text, value) in [("0", Some(0)), ("0068", Some(68)), ("65535", Some(65_535)), ("65536", None)] {
            assert_eq!(number::<u16>(text), value, "{text}");
        }
        for text in ["", "+1", "-1", " 1", "1 ", "1a", "１", "99999999999999999999"] {
            assert_eq!(number::<u64>(text), None, "{text:?}");
        }
        assert_eq!(number("18446744073709551615"), Some(u64::MAX));
        assert_eq!(leading_number("5004/2"), Some((5_004_u16, "/2")));
        assert_eq!((leading_number::<u8>("/2"), leading_number::<u8>("256/")), (None, None));
    }
}
