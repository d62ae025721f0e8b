//! What is said of text that is not KDL: in the words of somebody who wrote a stack, not of a grammar.

use telstack_diagnostics::Span;

use super::{
    SyntaxError,
    braces::Slip,
    text::{Fault, shortened},
};

/// A message and what to write instead.
pub(super) struct Said {
    pub message: String,
    pub help: Option<String>,
    /// See [`SyntaxError::grammatical`].
    pub grammatical: bool,
}

impl Said {
    /// The same, of text that is KDL by its grammar.
    pub(super) fn grammatical(self) -> Self {
        Self { grammatical: true, ..self }
    }

    pub(super) fn at(self, span: Span) -> SyntaxError {
        SyntaxError { message: self.message, span, help: self.help, grammatical: self.grammatical }
    }
}

pub(super) fn say(message: impl Into<String>, help: impl Into<String>) -> Said {
    Said { message: message.into(), help: Some(help.into()), grammatical: false }
}

impl From<Fault> for Said {
    fn from(fault: Fault) -> Self {
        Self { message: fault.message, help: fault.help, grammatical: false }
    }
}

pub(super) fn brace(slip: Slip) -> Said {
    match slip {
        Slip::Open { sure: true, .. } => {
            say("this block is not closed", "add its `}` where the lines inside it end, going by their indentation")
        }
        Slip::Open { sure: false, .. } => {
            say("this block is not closed", "add the `}` of this block, or of one inside it")
        }
        Slip::Missing { .. } => say(
            "the `{` of this line's block is missing",
            "add it at the end of the line: what follows is indented as its block",
        ),
        Slip::Close { .. } => say("this `}` closes nothing", "take it out, or look for a `}` too many before it"),
    }
}

pub(super) fn too_much() -> Said {
    say("this file is too large for a stack: the rest of it is not read", "split it, and `include` the parts")
}

pub(super) fn too_deep(most: usize) -> Said {
    say(format!("blocks are nested more than {most} deep"), "what is inside this one is not read")
}

pub(super) fn off_nothing() -> Said {
    say("this `/-` has nothing to switch off", "put it in front of a line, a value, a property or a block")
}

pub(super) fn stray_block(name: Option<&str>) -> Said {
    match name {
        Some(name) => {
            say("this block has no word in front of it", format!("open it on the line of `{name}`: `{name} … {{`"))
        }
        None => say("this block has no word in front of it", "write its word first: `word { … }`"),
    }
}

pub(super) fn second_block(name: &str) -> Said {
    say(format!("`{name}` has a second block"), "put all its lines into one block")
}

pub(super) fn behind_block(name: &str) -> Said {
    say(
        format!("this stands behind the block of `{name}`"),
        "put it in front of the `{`, or start a new line or write `;` for the next word",
    )
}

pub(super) fn no_word(word: &str) -> Said {
    let word = shortened(word);
    say(format!("a line cannot start with `{word}`"), "a line starts with a word, and its values follow")
}

pub(super) fn no_key(key: &str, tagged: bool) -> Said {
    if tagged {
        return say("a tag cannot stand in front of a key", "put it in front of the value: `key=(secret)\"name/key\"`");
    }
    let key = shortened(key);
    say(format!("`{key}` cannot be a key"), format!("a key is a word, or a text in quotes: `\"{key}\"=…`"))
}

pub(super) fn no_value(key: &str) -> Said {
    let key = shortened(key);
    say(format!("`{key}=` has no value"), format!("write the value behind it: `{key}=\"…\"`"))
}

pub(super) fn no_tag() -> Said {
    say("a tag is one word in parentheses", "write `(secret)\"name/key\"`, `(env)\"NAME\"` or `(let)\"name\"`")
}

pub(super) fn open_tag() -> Said {
    say("this `(` is not closed", "write the tag in parentheses, and the value behind it: `(env)\"NAME\"`")
}

pub(super) fn hash_comment() -> Said {
    say("`#` starts no comment in KDL", "write `//`")
}

pub(super) fn keyword(word: &str) -> Said {
    let bare = word.trim_start_matches('#').to_lowercase();
    let near = match bare.as_str() {
        "true" | "yes" | "on" => Some("#true"),
        "false" | "no" | "off" => Some("#false"),
        "null" | "none" | "nil" | "~" => Some("#null"),
        "inf" | "infinity" | "+inf" => Some("#inf"),
        "-inf" => Some("#-inf"),
        "nan" => Some("#nan"),
        _ => None,
    };
    let word = shortened(word);
    match near {
        Some(near) => say(format!("`{word}` means nothing"), format!("did you mean `{near}`?")),
        None => say(
            format!("`{word}` means nothing"),
            format!("for a text write `\"{word}\"`, for a comment `//`; there are `#true`, `#false` and `#null`"),
        ),
    }
}

/// For a text or comment without an end; also how many bytes of it to point at.
pub(super) fn unclosed(text: &str) -> (Said, usize) {
    let hashes = text.len() - text.trim_start_matches('#').len();
    if text.starts_with("/*") {
        return (say("this comment is not closed", "close it with `*/`"), 2);
    }
    let several = text.trim_start_matches('#').starts_with("\"\"\"");
    let marks = "#".repeat(hashes);
    let quotes = if several { "\"\"\"" } else { "\"" };
    let help = format!("close it with `{quotes}{marks}`");
    if several {
        return (say("this text does not end", help + " on a line of its own"), hashes + 3);
    }
    (say("this text does not end on its line", help), text.trim_end().len().max(1))
}
