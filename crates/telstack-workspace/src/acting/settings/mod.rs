//! `telstack.toml`: what is reported, how bad it is, and which programs run what.

mod read;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use globset::GlobMatcher;
use schemars::JsonSchema;
use serde::Deserialize;
use telstack_catalog::{Version, product::Product};
use telstack_diagnostics::Severity;
use toml::Spanned;

use super::codes::{INVALID_SETTING, UNKNOWN_SETTING};
use crate::{
    check::BuiltBy,
    explain::{all_rules, rule},
};

pub(super) use read::read;

/// The name of a settings file.
pub const SETTINGS: &str = "telstack.toml";

/// Stands for every code.
const ALL: &str = "ALL";

/// A settings file. Codes are codes (`N002`), names (`protocol-port-mismatch`), letters of families (`N`), or `ALL`.
/// Globs are relative to the folder of the file; `*` stays in a folder, `**` does not.
#[derive(Deserialize, JsonSchema, Debug, Default)]
#[serde(rename_all = "kebab-case", default)]
#[schemars(deny_unknown_fields, title = "telstack.toml")]
pub struct SettingsFile {
    /// Only these codes are reported; without it, all.
    #[schemars(with = "Option<Vec<String>>")]
    select: Option<Vec<Spanned<String>>>,
    /// These codes are not reported.
    #[schemars(with = "Vec<String>")]
    ignore: Vec<Spanned<String>>,
    /// How bad a code is, instead of what telstack thinks.
    #[schemars(with = "BTreeMap<String, SeverityName>")]
    severity: BTreeMap<Spanned<String>, SeverityName>,
    /// Codes that are not reported in files of some paths: `"legacy/**" = ["V001"]`.
    #[schemars(with = "BTreeMap<String, Vec<String>>")]
    per_path_ignores: BTreeMap<Spanned<String>, Vec<Spanned<String>>>,
    /// Which collector runs the configurations of some paths, where nothing nearer says so. The first that fits counts.
    collector: Vec<CollectorOf>,
    /// Which release of a product reads its files of some paths that stand by themselves, where they do not say so. The
    /// first that fits counts.
    product: Vec<ProductOf>,
    /// Distributions that somebody built, by name.
    distributions: BTreeMap<String, Built>,
}

/// Which collector runs the configurations of some paths.
#[derive(Deserialize, JsonSchema, Debug)]
#[schemars(deny_unknown_fields)]
pub struct CollectorOf {
    /// Globs of the configurations; without it, all.
    #[serde(default)]
    #[schemars(with = "Option<Vec<String>>")]
    paths: Option<Vec<Spanned<String>>>,
    /// The release that runs.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    version: Option<Spanned<String>>,
    /// The distribution that runs: one of upstream's, or one of `distributions`.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    distribution: Option<Spanned<String>>,
}

/// Which release of a product reads its files of some paths.
#[derive(Deserialize, JsonSchema, Debug)]
#[schemars(deny_unknown_fields)]
pub struct ProductOf {
    /// The product: `loki`.
    #[schemars(with = "String")]
    name: Spanned<String>,
    /// The release that runs.
    #[schemars(with = "String")]
    version: Spanned<String>,
    /// Globs of its files; without it, all.
    #[serde(default)]
    #[schemars(with = "Option<Vec<String>>")]
    paths: Option<Vec<Spanned<String>>>,
}

/// A distribution that somebody built.
#[derive(Deserialize, JsonSchema, Debug)]
#[schemars(deny_unknown_fields)]
pub struct Built {
    /// The manifest that the OpenTelemetry Collector Builder made it from, relative to the settings file.
    #[schemars(with = "String")]
    manifest: Spanned<String>,
}

/// How bad something is.
#[derive(Clone, Copy, Deserialize, JsonSchema, PartialEq, Eq, Debug)]
#[serde(rename_all = "lowercase")]
pub enum SeverityName {
    /// Fails a check.
    Error,
    /// Fails a check with `--fail-on warning`.
    Warning,
    /// Fails a check with `--fail-on info`.
    Info,
}

impl From<SeverityName> for Severity {
    fn from(name: SeverityName) -> Self {
        match name {
            SeverityName::Error => Severity::Error,
            SeverityName::Warning => Severity::Warning,
            SeverityName::Info => Severity::Info,
        }
    }
}

/// The JSON Schema of a settings file.
pub fn settings_schema() -> serde_json::Value {
    let inline = schemars::generate::SchemaSettings::default().with(|it| it.inline_subschemas = true);
    inline.into_generator().into_root_schema_for::<SettingsFile>().to_value()
}

/// Which codes are meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Codes {
    All,
    /// All whose code starts with that letter.
    Family(char),
    One(&'static str),
}

impl Codes {
    fn parse(text: &str) -> Option<Self> {
        if text.eq_ignore_ascii_case(ALL) {
            return Some(Codes::All);
        }
        let mut letters = text.chars();
        if let (Some(letter), None) = (letters.next(), letters.next()) {
            let letter = letter.to_ascii_uppercase();
            return all_rules().iter().any(|it| it.code.starts_with(letter)).then_some(Codes::Family(letter));
        }
        rule(text).map(|rule| Codes::One(rule.code))
    }

    fn has(self, code: &str) -> bool {
        match self {
            Codes::All => true,
            Codes::Family(letter) => code.starts_with(letter),
            Codes::One(one) => one == code,
        }
    }
}

/// Codes given on the command line; they stand above those of settings files.
#[derive(Clone, Debug, Default)]
pub struct Chosen {
    select: Option<Vec<Codes>>,
    ignore: Vec<Codes>,
}

impl Chosen {
    /// Codes by their texts; the first that does not exist otherwise.
    pub fn new(select: &[String], ignore: &[String]) -> Result<Self, String> {
        let parse = |texts: &[String]| {
            texts.iter().map(|it| Codes::parse(it).ok_or_else(|| it.clone())).collect::<Result<Vec<_>, _>>()
        };
        let select = if select.is_empty() { None } else { Some(parse(select)?) };
        Ok(Self { select, ignore: parse(ignore)? })
    }
}

/// A distribution that somebody built, and the release that it is of, if its manifest says it.
#[derive(Debug)]
pub(in crate::acting) struct BuiltOne {
    pub(in crate::acting) by: BuiltBy,
    pub(in crate::acting) version: Option<Version>,
}

#[derive(Debug)]
struct Runs {
    paths: Option<Vec<GlobMatcher>>,
    version: Option<String>,
    distribution: Option<String>,
}

#[derive(Debug)]
struct Release {
    paths: Option<Vec<GlobMatcher>>,
    product: Product,
    version: Version,
}

/// Settings, read and understood.
#[derive(Debug, Default)]
pub struct Settings {
    /// The folder that its paths start from, absolute.
    folder: PathBuf,
    select: Option<Vec<Codes>>,
    ignore: Vec<Codes>,
    severity: Vec<(Codes, Severity)>,
    per_path: Vec<(GlobMatcher, Vec<Codes>)>,
    collectors: Vec<Runs>,
    products: Vec<Release>,
    /// Distributions that somebody built, by name.
    pub(in crate::acting) built: BTreeMap<String, BuiltOne>,
}

impl Settings {
    /// Is a code reported in a file? `path` is absolute; none for a finding about the run as a whole.
    pub(in crate::acting) fn reports(&self, chosen: &Chosen, path: Option<&Path>, code: &'static str) -> bool {
        let any = |codes: &[Codes]| codes.iter().any(|it| it.has(code));
        // What is wrong with the settings themselves cannot be talked away by them.
        if code == INVALID_SETTING.code || code == UNKNOWN_SETTING.code {
            return true;
        }
        let select = chosen.select.as_ref().or(self.select.as_ref());
        if !select.is_none_or(|it| any(it)) || any(&chosen.ignore) {
            return false;
        }
        // Who selects a code by hand wants to see it.
        if chosen.select.is_some() {
            return true;
        }
        let here = |glob: &GlobMatcher| path.is_some_and(|path| self.fits(glob, path));
        !any(&self.ignore) && !self.per_path.iter().any(|(glob, codes)| here(glob) && any(codes))
    }

    /// How bad a code is by these settings. The nearest name counts: a code before its family, a family before all.
    pub(in crate::acting) fn severity(&self, code: &str) -> Option<Severity> {
        let rank = |codes: Codes| match codes {
            Codes::One(_) => 2,
            Codes::Family(_) => 1,
            Codes::All => 0,
        };
        let fitting = self.severity.iter().filter(|(codes, _)| codes.has(code));
        fitting.max_by_key(|(codes, _)| rank(*codes)).map(|(_, severity)| *severity)
    }

    /// The release and the distribution of the collector that runs the configuration at an absolute path.
    pub(crate) fn collector(&self, path: &Path) -> (Option<&str>, Option<&str>) {
        let found = self.collectors.iter().find(|it| self.fit(it.paths.as_deref(), path));
        found.map_or((None, None), |it| (it.version.as_deref(), it.distribution.as_deref()))
    }

    /// The releases of products that read a file at an absolute path.
    pub(in crate::acting) fn products(&self, path: &Path) -> BTreeMap<Product, Version> {
        let fitting = self.products.iter().filter(|it| self.fit(it.paths.as_deref(), path));
        // The first that fits counts.
        fitting.rev().map(|it| (it.product, it.version)).collect()
    }

    fn fit(&self, globs: Option<&[GlobMatcher]>, path: &Path) -> bool {
        globs.is_none_or(|globs| globs.iter().any(|it| self.fits(it, path)))
    }

    fn fits(&self, glob: &GlobMatcher, path: &Path) -> bool {
        path.strip_prefix(&self.folder).is_ok_and(|path| glob.is_match(path))
    }
}
