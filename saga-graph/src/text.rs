//! The user's words in somebody else's syntax.

use std::fmt::Write as _;

/// `text` on one line, without what cannot be seen or may not stand in an XML document.
pub(crate) fn clean(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    let mut gap = false;
    for c in text.chars() {
        if c.is_whitespace() || c.is_control() {
            gap = !line.is_empty();
            continue;
        }
        if gap {
            line.push(' ');
            gap = false;
        }
        line.push(if is_invisible(c) { '\u{fffd}' } else { c });
    }
    line
}

/// Not characters of XML, or such that turn the order of those around them.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
    )
}

/// [`clean`], with at most `max` characters.
pub(crate) fn short(text: &str, max: usize) -> String {
    let line = clean(text);
    if line.chars().count() <= max {
        return line;
    }
    let mut start: String = line.chars().take(max.saturating_sub(1)).collect();
    start.truncate(start.trim_end().len());
    start.push('…');
    start
}

/// Text and attributes of XML and HTML.
pub(crate) fn xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in clean(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// A piece of code in a cell of a Markdown table.
pub(crate) fn code(text: &str) -> String {
    let text = clean(text);
    let is_plain = !text.is_empty() && !text.contains(['`', '|', '\\']);
    if is_plain {
        return format!("`{text}`");
    }
    let mut escaped = String::from("<code>");
    for c in text.chars() {
        if c.is_ascii_punctuation() {
            let _ = write!(escaped, "&#{};", u32::from(c));
        } else {
            escaped.push(c);
        }
    }
    escaped + "</code>"
}

/// A label of Mermaid: whatever could mean something there becomes an entity. A label is never empty.
pub(crate) fn mermaid(text: &str) -> String {
    let text = clean(text);
    let mut escaped = String::with_capacity(text.len());
    let mut before = ' ';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let after = chars.peek().copied().unwrap_or(' ');
        let is_plain = match c {
            '(' | ')' | ',' | '=' | '\'' | '?' | '…' => true,
            // Elsewhere they are Markdown: of a list or of an emphasis.
            '.' | '_' => before.is_alphanumeric() && after.is_alphanumeric(),
            // `style:` and what follows is taken for a style.
            ':' => after == ' ',
            c => c.is_alphanumeric() || c == ' ',
        };
        if is_plain {
            escaped.push(c);
        } else {
            let _ = write!(escaped, "#{};", u32::from(c));
        }
        before = c;
    }
    if escaped.is_empty() { "·".to_owned() } else { escaped }
}

/// What stands between the quotes of a label of Graphviz.
pub(crate) fn dot(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in clean(text).chars() {
        match c {
            '"' => escaped.push_str("\\\""),
            '\\' => escaped.push_str("\\\\"),
            // Graphviz reads the entities of HTML in any label.
            '&' => escaped.push_str("&amp;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_one_line_of_what_can_be_seen() {
        assert_eq!(clean(" a\n\t b\u{0}c \u{202e}x\u{1f}"), "a b c \u{fffd}x");
        assert_eq!(short("order.lines.iter()", 8), "order.l…");
    }

    #[test]
    fn code_stays_in_its_cell() {
        assert_eq!(code("trip.wants_car"), "`trip.wants_car`");
        assert_eq!(code("a || b"), "<code>a &#124;&#124; b</code>");
        assert_eq!(code("`"), "<code>&#96;</code>");
    }

    #[test]
    fn nothing_ends_a_label_early() {
        assert_eq!(mermaid("Trip(trip: a.b)"), "Trip(trip: a.b)");
        assert_eq!(mermaid("1. _x_ style:#"), "1#46; #95;x#95; style#58;#35;");
        assert_eq!(mermaid("x[\"%%{\"]"), "x#91;#34;#37;#37;#123;#34;#93;");
        assert_eq!(dot("a\"b\\"), "a\\\"b\\\\");
        assert_eq!(xml("<b a='\"'>&"), "&lt;b a=&#39;&quot;&#39;&gt;&amp;");
    }
}
