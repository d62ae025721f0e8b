//! The words of a line: its name, tags, values and properties.

use telstack_diagnostics::Span;

use super::{
    chars::starts_like_number,
    habits,
    lex::Kind,
    parse::{Broken, Entry, Line, Parser},
    say::{self, Said},
    text,
};
use crate::stack::{Atom, Scalar, Spanned};

impl Parser<'_> {
    /// `/-`, tag and word. The last is whether the word was mended.
    #[allow(clippy::type_complexity)]
    pub(super) fn head(&mut self, off: bool) -> Result<(Option<Spanned<String>>, Spanned<String>, bool), Broken> {
        if off {
            self.at += 1;
            self.line_spaces();
            if matches!(self.peek(), None | Some(Kind::Close)) {
                let span = self.span(self.at.saturating_sub(1));
                return Err(self.fault(say::off_nothing(), span));
            }
        }
        let tag = self.tag()?;
        match self.peek() {
            Some(Kind::Quoted | Kind::Raw) => {
                let span = self.span(self.at);
                let (value, mended) = self.decoded();
                Ok((tag, Spanned { value, span }, mended))
            }
            Some(Kind::Word) => {
                let span = self.span(self.at);
                let word = self.slice(self.at).to_owned();
                if matches!(word.as_str(), "true" | "false" | "null" | "inf" | "-inf" | "nan")
                    || starts_like_number(&word)
                {
                    return Err(self.fault(say::no_word(&word), span));
                }
                self.at += 1;
                let (value, habit) = habits::name(&word);
                if let Some(habit) = habit {
                    self.habits.push(habit.at(span));
                    return Ok((tag, Spanned { value: value.to_owned(), span }, true));
                }
                Ok((tag, Spanned { value: word, span }, false))
            }
            _ => {
                let (said, span) = habits::unexpected(self, self.at, true);
                Err(self.fault(said, span))
            }
        }
    }

    /// A value or a property.
    pub(super) fn entry(&mut self, line: &mut Line, off: bool, first: usize) -> Result<(), Broken> {
        if line.blocks.iter().any(|block| !block.off) || (!line.blocks.is_empty() && !off) {
            let span = self.span(self.at);
            return Err(self.fault(say::behind_block(&line.name.value), span));
        }
        let start = self.at;
        let tagged = self.peek() == Some(Kind::OpenTag);
        let (value, mended) = self.value()?;
        let end = self.at;
        self.spaces();
        if self.peek() != Some(Kind::Equals) {
            self.at = end;
            line.entries.push(Entry { off, first, end, key: None, value });
            line.end = end;
            return if mended { Err(Broken) } else { Ok(()) };
        }
        let key_token = end - 1;
        let is_text = matches!(value.scalar, Scalar::String(_));
        if tagged || !is_text || mended {
            let span = self.span(if tagged { start } else { key_token });
            let said = say::no_key(self.slice(key_token), tagged);
            return Err(if mended { Broken } else { self.fault(said, span) });
        }
        let Scalar::String(key) = value.scalar else { return Err(Broken) };
        let key = Spanned { value: key, span: value.span };
        self.at += 1;
        self.spaces();
        if matches!(
            self.peek(),
            None | Some(Kind::Newline | Kind::LineComment | Kind::Semicolon | Kind::Close | Kind::Open)
        ) {
            let span = self.span(key_token);
            return Err(self.fault(say::no_value(&key.value), span));
        }
        let (value, mended) = self.value()?;
        line.entries.push(Entry { off, first, end: self.at, key: Some(key), value });
        line.end = self.at;
        if mended { Err(Broken) } else { Ok(()) }
    }

    /// `(tag)`, and the space behind it.
    fn tag(&mut self) -> Result<Option<Spanned<String>>, Broken> {
        if self.peek() != Some(Kind::OpenTag) {
            return Ok(None);
        }
        let open = self.span(self.at);
        self.at += 1;
        self.spaces();
        let span = self.span(self.at);
        let value = match self.peek() {
            Some(Kind::Quoted | Kind::Raw) => self.decoded().0,
            Some(Kind::Word) if habits::scalar(self.slice(self.at)).is_none() => {
                self.at += 1;
                self.slice(self.at - 1).to_owned()
            }
            _ => return Err(self.fault(say::no_tag(), open)),
        };
        self.spaces();
        if self.peek() != Some(Kind::CloseTag) {
            return Err(self.fault(say::open_tag(), open));
        }
        self.at += 1;
        self.spaces();
        Ok(Some(Spanned { value, span }))
    }

    /// A value with its tag. The last is whether it had to be mended, which was reported.
    fn value(&mut self) -> Result<(Atom, bool), Broken> {
        let start = self.span(self.at);
        let tag = self.tag()?;
        let at = self.at;
        let span = self.span(at);
        let (scalar, mended) = match self.peek() {
            Some(Kind::Quoted | Kind::Raw) => {
                let (value, mended) = self.decoded();
                (Scalar::String(value), mended)
            }
            Some(Kind::Keyword) => {
                let word = self.slice(at);
                let Some(scalar) = text::keyword(word) else {
                    let said = say::keyword(word);
                    return Err(self.fault(said, span));
                };
                (scalar, false)
            }
            Some(Kind::Word) => {
                let word = self.slice(at).to_owned();
                match habits::scalar(&word) {
                    None => {
                        let (value, habit) = habits::value(self, at);
                        if let Some(habit) = habit {
                            self.at += 1;
                            self.habits.push(habit);
                            // A key is no value: what is behind it would be misread.
                            let key = word.strip_suffix(':') == Some(value.as_str());
                            return Ok((Atom { tag, scalar: Scalar::String(value), span: start.to(span) }, key));
                        }
                        (Scalar::String(word), false)
                    }
                    Some(Ok(scalar)) => (scalar, false),
                    Some(Err((said, scalar))) => {
                        let (said, span) = habits::whole_word(self, at, said);
                        self.fault(said, span);
                        (scalar, true)
                    }
                }
            }
            Some(Kind::Unclosed) => {
                let word = self.slice(at).to_owned();
                let (said, cut) = say::unclosed(&word);
                self.fault(said, Span { end: span.start + u32::try_from(cut).unwrap_or(1), ..span });
                let value = word.trim_start_matches(['#', '"']).trim_end().to_owned();
                (Scalar::String(value), true)
            }
            _ => {
                let (said, span) = habits::unexpected(self, at, false);
                return Err(self.fault(said, span));
            }
        };
        // A text was decoded, and stepped over with it.
        self.at = at + 1;
        Ok((Atom { tag, scalar, span: start.to(span) }, mended))
    }

    /// The text of the current token, which is stepped over, and whether something in it was wrong.
    fn decoded(&mut self) -> (String, bool) {
        let at = self.at;
        self.at += 1;
        let slice = self.slice(at);
        let decoded = if self.tokens[at].kind == Kind::Raw { text::raw(slice) } else { text::quoted(slice) };
        match decoded {
            Ok(text) => (text, false),
            Err(fault) => {
                let bare = slice.trim_matches(['#', '"']).trim().to_owned();
                let start = self.span(at).start as usize + fault.at;
                let span = Span::new(self.file, start, start + fault.length);
                self.fault(Said::from(fault), span);
                (bare, true)
            }
        }
    }
}
