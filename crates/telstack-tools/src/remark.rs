//! What a file says of the program that reads it: `# telstack: otelcol=0.135.0 distribution=contrib`,
//! `# telstack: loki=3.5.0`.

use telstack_catalog::{Distribution, Version, product::Product};
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
const DISTRIBUTION: &str = "distribution=";

/// What the comments of a collector's file say. Other words that they say are somebody else's matter.
pub fn remarks(file: FileId, text: &str, out: &mut Diagnostics) -> Remark {
    remark(file, text, Place::Start, out)
}

/// The same of a text that stands inside of a file.
pub fn remarks_of_loose(loose: &Loose, out: &mut Diagnostics) -> Remark {
    remark(loose.file, &loose.text, loose.place, out)
}

/// The same of a text inside of a file.
pub(crate) fn remark(file: FileId, text: &str, place: Place, out: &mut Diagnostics) -> Remark {
    let mut found = Remark { version: release(Product::Otelcol, file, text, place, out), distribution: None };
    for (word, span) in words(file, text, place) {
        let Some(name) = word.strip_prefix(DISTRIBUTION) else { continue };
        match Distribution::parse(name) {
            Some(distribution) => found.distribution = Some(Sourced::new(distribution, Origin::written(span))),
            None => unknown(out, span, &format!("there is no distribution `{name}`"), || {
                let known: Vec<&str> = Distribution::ALL.iter().map(|it| it.as_str()).collect();
                format!("there is {}", known.join(", "))
            }),
        }
    }
    found
}

/// The release of a product that the comments of a file name.
pub(crate) fn release(
    product: Product,
    file: FileId,
    text: &str,
    place: Place,
    out: &mut Diagnostics,
) -> Option<Sourced<Version>> {
    let mut found = None;
    for (word, span) in words(file, text, place) {
        let Some(name) = word.strip_prefix(product.id()).and_then(|it| it.strip_prefix('=')) else { continue };
        match product.release(name) {
            Ok(version) => found = Some(Sourced::new(version, Origin::written(span))),
            Err(nearest) => {
                let what = if product == Product::Otelcol { "collector".to_owned() } else { product.to_string() };
                unknown(out, span, &format!("no {what} release `{name}` is known"), || {
                    format!("the nearest is {nearest}")
                });
            }
        }
    }
    found
}

/// The words of comments that speak to telstack, with their places.
fn words(file: FileId, text: &str, place: Place) -> impl Iterator<Item = (&str, Span)> {
    let lines = text.split_inclusive('\n').filter_map(|line| {
        let comment = line.trim_start().strip_prefix(['#', ';']).map(str::trim_start)?;
        comment.strip_prefix(MARK)
    });
    lines.flat_map(str::split_whitespace).map(move |word| {
        let from = word.as_ptr() as usize - text.as_ptr() as usize;
        (word, place.of(Span::new(file, from, from + word.len())))
    })
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
            assert!(text[span.range()].starts_with("otelcol="), "{span:?}");
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

    #[test]
    fn comments_name_releases_of_products() {
        let of = |text: &str| {
            let file = SourceMap::default().add("t", text);
            let mut out = Diagnostics::default();
            let found = release(Product::Loki, file, text, Place::Start, &mut out);
            (found.map(|it| it.value.to_string()), out.iter().count())
        };
        assert_eq!(of("# telstack: loki=3.5.1\n"), (Some("3.5.1".to_owned()), 0));
        assert_eq!(of("; telstack: loki=v3.5.1 tempo=1\n"), (Some("3.5.1".to_owned()), 0));
        assert_eq!(of("# telstack: loki=9.9.0\n"), (None, 1));
        assert_eq!(of("# telstack: lokix=3.5.1\n"), (None, 0));
    }
}
