//! How wide text is, and how it is written into XML. Pictures are drawn by programs with fonts of their own,
//! so the widths are those of the widest common sans serif: what fits here fits with the others.

/// Advance of the ASCII characters from the space to the tilde, in hundredths of the font size.
const WIDTHS: [u8; 95] = [
    32, 40, 46, 84, 64, 95, 78, 28, 39, 39, 56, 84, 32, 36, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 34, 34, 84,
    84, 84, 56, 102, 69, 69, 72, 77, 67, 61, 78, 75, 30, 50, 67, 57, 86, 75, 79, 67, 79, 72, 67, 62, 74, 69, 99, 69,
    67, 69, 39, 34, 39, 84, 56, 50, 61, 63, 56, 63, 62, 36, 63, 63, 28, 28, 59, 28, 97, 63, 61, 63, 63, 41, 53, 40, 63,
    60, 82, 60, 60, 53, 64, 34, 64, 84,
];
/// Signs of our own labels: dots, dashes, arrows.
const SIGN: i32 = 84;
/// Anything else, which may be as wide as it is high.
const WIDE: i32 = 105;
/// How much wider bold text is, in percent.
const BOLD: i32 = 116;

/// The width of a line of text in pixels, rounded up, for a font size in pixels.
pub fn width(text: &str, size: i32, bold: bool) -> i32 {
    let mut sum: i32 = 0;
    for c in text.chars() {
        let ascii = u32::from(c).checked_sub(32).and_then(|at| WIDTHS.get(at as usize));
        let one = match ascii {
            Some(width) => i32::from(*width),
            None if matches!(c, '·' | '→' | '–' | '…' | '×') => SIGN,
            None => WIDE,
        };
        sum = sum.saturating_add(one);
    }
    let weight = if bold { BOLD } else { 100 };
    let wide = i64::from(sum) * i64::from(size) * i64::from(weight);
    i32::try_from((wide + 9_999) / 10_000).unwrap_or(i32::MAX)
}

/// Breaks words into lines of at most `limit` pixels; a word that is wider stands alone.
pub fn wrap(words: &[String], between: &str, size: i32, limit: i32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let tail = if at + 1 < words.len() { between.trim_end() } else { "" };
        let word = format!("{word}{tail}");
        match lines.last_mut() {
            Some(line) if width(&format!("{line} {word}"), size, false) <= limit => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}

/// Cuts a text that is wider than `limit` pixels, and says so with dots.
pub fn fit(text: &str, size: i32, bold: bool, limit: i32) -> String {
    if width(text, size, bold) <= limit {
        return text.to_owned();
    }
    let mut short = String::new();
    for c in text.chars() {
        short.push(c);
        if width(&short, size, bold) > limit - width("…", size, bold) {
            short.pop();
            break;
        }
    }
    format!("{}…", short.trim_end())
}

/// Text as XML holds it, in an element or between quotes. Characters that XML forbids become a sign for them.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push(' '),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            // They turn the reading direction of what follows.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wider_text_is_wider() {
        assert_eq!(width("", 12, false), 0);
        assert_eq!(width("a", 100, false), 61);
        assert!(width("abc", 12, true) > width("abc", 12, false));
        assert!(width("集", 12, false) >= 12);
    }

    #[test]
    fn lines_stay_below_the_limit() {
        let words: Vec<String> = (0..9).map(|at| format!("component_{at}")).collect();
        let lines = wrap(&words, " →", 11, 200);
        assert!(lines.len() > 1 && lines.iter().all(|line| width(line, 11, false) <= 200), "{lines:?}");
        assert!(width(&fit(&words.join(" "), 11, false, 200), 11, false) <= 200);
        assert_eq!(fit("short", 11, false, 200), "short");
    }

    #[test]
    fn nothing_in_a_name_is_markup() {
        assert_eq!(escape("a<b>&\"\u{1}\u{202e}"), "a&lt;b&gt;&amp;&quot;\u{fffd}\u{fffd}");
    }
}
