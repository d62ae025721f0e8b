//! Where text goes, and in which colours.

use std::{
    borrow::Cow,
    fmt,
    io::{IsTerminal, Write},
    process::ExitCode,
};

use miette::{GraphicalReportHandler, GraphicalTheme};
use telstack_diagnostics::render::{Colour, printable};

use crate::args::When;

/// `1 file`, `2 files`.
pub fn counted(count: usize, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

/// How a command ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Nothing at or above the failing level.
    Clean,
    /// Findings at or above the failing level.
    Findings,
    /// The command could not do its work.
    CouldNotRun,
    /// Somebody wanted it to end.
    Interrupted,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        ExitCode::from(match outcome {
            Outcome::Clean => 0,
            Outcome::Findings => 1,
            Outcome::CouldNotRun => 2,
            // What shells say of a program that Ctrl-C ended.
            Outcome::Interrupted => 130,
        })
    }
}

/// Why a command could not run: one sentence, and what to do about it.
#[derive(Debug)]
pub struct Fatal {
    message: String,
    help: Option<String>,
}

impl Fatal {
    /// A reason without a remedy.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    /// What to do about it.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Fatal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fatal {}

impl miette::Diagnostic for Fatal {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }
}

/// Standard output and standard error.
pub struct Output {
    out: Colour,
    err: Colour,
    /// Is standard output a terminal, which obeys what it is sent?
    terminal: bool,
}

impl Output {
    /// Decides on colours once.
    pub fn new(when: When) -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let choose = |terminal: bool| match when {
            When::Always => Colour::On,
            When::Auto if terminal && !plain => Colour::On,
            When::Auto | When::Never => Colour::Off,
        };
        let terminal = std::io::stdout().is_terminal();
        Self { out: choose(terminal), err: choose(std::io::stderr().is_terminal()), terminal }
    }

    /// The colours of standard output.
    pub fn colour(&self) -> Colour {
        self.out
    }

    /// Results. A reader that went away (`| head`) is not an error of ours.
    pub fn print(&self, text: &str) {
        let text = if self.terminal { harmless(text) } else { Cow::Borrowed(text) };
        let _ = std::io::stdout().lock().write_all(text.as_bytes());
    }

    /// Remarks on the run, kept apart from results.
    #[allow(clippy::unused_self)]
    pub fn remark(&self, text: &str) {
        let _ = writeln!(std::io::stderr().lock(), "{}", harmless(text));
    }

    /// Why a command could not run.
    pub fn fatal(&self, fatal: &Fatal) {
        let theme = if self.err == Colour::On { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        let mut text = String::new();
        let handler = GraphicalReportHandler::new_themed(theme).with_links(false);
        if handler.render_report(&mut text, fatal).is_err() {
            text = format!("{fatal}\n");
        }
        let _ = std::io::stderr().lock().write_all(harmless(text.trim_start_matches('\n')).as_bytes());
    }

    /// Bold text on a coloured standard output.
    pub fn strong(&self, text: &str) -> String {
        self.styled("1", text)
    }

    /// Faint text on a coloured standard output.
    pub fn faint(&self, text: &str) -> String {
        self.styled("2", text)
    }

    /// What is new, green on a coloured standard output.
    pub fn added(&self, text: &str) -> String {
        self.styled("32", text)
    }

    /// What is gone, red on a coloured standard output.
    pub fn removed(&self, text: &str) -> String {
        self.styled("31", text)
    }

    /// What differs, yellow on a coloured standard output.
    pub fn changed(&self, text: &str) -> String {
        self.styled("33", text)
    }

    fn styled(&self, code: &str, text: &str) -> String {
        match self.out {
            Colour::On => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            Colour::Off => text.to_owned(),
        }
    }
}

/// Text with its colours, and nothing else that a terminal would obey: names and values are what files say.
fn harmless(text: &str) -> Cow<'_, str> {
    if matches!(printable(text), Cow::Borrowed(_)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("\u{1b}[") {
        let (before, code) = rest.split_at(at);
        let length = code[2..].find(|c: char| !c.is_ascii_digit() && c != ';').map_or(code.len(), |end| end + 2);
        // Colours end in `m`.
        let end = if code[length..].starts_with('m') { length + 1 } else { 0 };
        out += &printable(before);
        out += &code[..end];
        let next = end.max(1);
        if end == 0 {
            out += &printable(&code[..next]);
        }
        rest = &code[next..];
    }
    out += &printable(rest);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn colours_pass_and_nothing_else() {
        assert_eq!(harmless("\u{1b}[1;31merror\u{1b}[0m: é\n"), "\u{1b}[1;31merror\u{1b}[0m: é\n");
        assert_eq!(harmless("a\u{1b}[2Jb\u{1b}]0;t\u{7}\u{1b}["), "a␛[2Jb␛]0;t␇␛[");
        assert_eq!(harmless("\u{1b}\u{1b}[0m\r"), "␛\u{1b}[0m␍");
    }
}
