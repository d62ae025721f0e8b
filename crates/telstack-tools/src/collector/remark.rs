//! What a configuration says of the collector that runs it: `# telstack: otelcol=0.135.0 distribution=contrib`.

use telstack_catalog::{Distribution, Version, otelcol};
use telstack_diagnostics::{Diagnostic, Diagnostics, FileId, Span};
use telstack_system::{Origin, Sourced};

use crate::{
    folder::Loose,
    reading::{Place, UNKNOWN_REMARK},
};

/// The release and the distribution that comments name.
#[derive(Clone, Debug, Default)]
pub struct Remark {
    /// The release.
    pub version: Option<Sourced<Version>>,
    /// The distribution.
    pub distribution: Option<Sourced<Distribution>>,
}

impl Remark {
    /// What another file says goes before this one.
    pub fn extend(&mut self, other: Self) {
        self.version = other.version.or(self.version.take());
        self.distribution = other.distribution.or(self.distribution.take());
    }
}

/// What starts a comment that speaks to telstack.
const MARK: &str = "telstack:";
const VERSION: &str = "otelcol=";
const DISTRIBUTION: &str = "distribution=";

/// What the comments of a file say. Other words that they say are somebody else's matter.
pub fn remarks(file: FileId, text: &str, out: &mut Diagnostics) -> Remark {
    remark(file, text, Place::Start, out)
}

/// The same of a text that stands inside of a file.
pub fn remarks_of_loose(loose: &Loose, out: &mut Diagnostics) -> Remark {
    remark(loose.file, &loose.text, loose.place, out)
}

/// The same of a text inside of a file.
pub(super) fn remark(file: FileId, text: &str, place: Place, out: &mut Diagnostics) -> Remark {
    let mut found = Remark::default();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let at = start;
        start += line.len();
        let Some(comment) = line.trim_start().strip_prefix('#').map(str::trim_start) else { continue };
        let Some(words) = comment.strip_prefix(MARK) else { continue };
        for word in words.split_whitespace() {
            let from = at + (word.as_ptr() as usize - line.as_ptr() as usize);
            let span = place.of(Span::new(file, from, from + word.len()));
            if let Some(name) = word.strip_prefix(VERSION) {
                let version = Version::parse(name.strip_prefix('v').unwrap_or(name));
                match version.filter(|it| otelcol::is_released(*it)) {
                    Some(version) => found.version = Some(Sourced::new(version, Origin::written(span))),
                    None => unknown(out, span, &format!("no collector release `{name}` is known"), || {
                        format!("the nearest is {}", version.map_or_else(otelcol::newest, otelcol::nearest_release))
                    }),
                }
            } else if let Some(name) = word.strip_prefix(DISTRIBUTION) {
                match Distribution::parse(name) {
                    Some(distribution) => found.distribution = Some(Sourced::new(distribution, Origin::written(span))),
                    None => unknown(out, span, &format!("there is no distribution `{name}`"), || {
                        let known: Vec<&str> = Distribution::ALL.iter().map(|it| it.as_str()).collect();
                        format!("there is {}", known.join(", "))
                    }),
                }
            }
        }
    }
    found
}

fn unknown(out: &mut Diagnostics, at: Span, message: &str, help: impl Fn() -> String) {
    out.push(Diagnostic::new(&UNKNOWN_REMARK, message).at(at, "not known, so not heeded").help(help()));
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::SourceMap;

    use super::*;

    fn read(text: &str) -> (Option<String>, Option<Distribution>, usize) {
        let file = SourceMap::default().add("t", text);
        let mut out = Diagnostics::default();
        let found = remarks(file, text, &mut out);
        for origin in found.version.iter().map(|it| &it.origin) {
            let span = origin.span().expect("written");
            assert!(text[span.range()].starts_with(VERSION), "{span:?}");
        }
        (found.version.map(|it| it.value.to_string()), found.distribution.map(|it| it.value), out.iter().count())
    }

    #[test]
    fn comments_name_release_and_distribution() {
        let text = "# a file\n  #telstack: otelcol=v0.135.0 distribution=core\nreceivers:\n";
        assert_eq!(read(text), (Some("0.135.0".to_owned()), Some(Distribution::Core), 0));
        assert_eq!(read("# telstack: otelcol=0.76.0\n# telstack: distribution=mine\n"), (None, None, 2));
        // What is no comment, and what is said to others.
        for text in ["a: telstack: otelcol=0.135.0\n", "# telstack: ignore[N001] why\n", "# otelcol=0.135.0\n"] {
            assert_eq!(read(text), (None, None, 0), "{text}");
        }
    }
}
