//! Texts from outside within HTML and XML.

/// As it may stand between tags and in quoted attributes. Control characters become blanks: XML 1.0 has no room for them,
/// not even as numbers.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => out.push(' '),
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_text_is_markup() {
        assert_eq!(escaped("<b onclick='x'>\"&\u{1}"), "&lt;b onclick=&#39;x&#39;&gt;&quot;&amp; ");
    }
}
