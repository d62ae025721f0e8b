//! From the text of a settings file to settings: what is wrong with it is said at its place.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use globset::{GlobBuilder, GlobMatcher};
use serde::Deserialize as _;
use telstack_catalog::{otelcol, product::Product};
use telstack_diagnostics::{Diagnostic, Diagnostics, FileId, RuleInfo, SourceMap, Span};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{Built, BuiltOne, Codes, CollectorOf, ProductOf, Release, Runs, Settings, SettingsFile, settings_schema};
use crate::{
    acting::{
        codes::{INVALID_MANIFEST, INVALID_SETTING, UNKNOWN_SETTING},
        suppress::unknown_code,
    },
    check::{Assumed, AssumedError, BuiltBy},
    explain::nearest,
    files::{Files, ReadFailure, tidy},
};

/// Reads the settings file at `path`. What is wrong with it goes to `out`; there are settings all the same.
pub(in crate::acting) fn read(
    files: &dyn Files,
    path: &Path,
    sources: &mut SourceMap,
    out: &mut Diagnostics,
) -> Result<Settings, ReadFailure> {
    let text = files.read(path)?;
    let file = sources.add(crate::compile::shown(path), &*text);
    let folder = tidy(&files.absolute(path)).parent().map(Path::to_owned).unwrap_or_default();
    let shown = path.parent().map(Path::to_owned).unwrap_or_default();
    let mut reader = Reader { files, file, folder, shown, out };
    Ok(reader.read(&text))
}

struct Reader<'a> {
    files: &'a dyn Files,
    file: FileId,
    /// The folder of the settings file, absolute, and as reports show it.
    folder: PathBuf,
    shown: PathBuf,
    out: &'a mut Diagnostics,
}

impl Reader<'_> {
    fn span(&self, range: std::ops::Range<usize>) -> Span {
        Span::new(self.file, range.start, range.end)
    }

    fn report(&mut self, rule: &'static RuleInfo, at: Span, message: String, remark: &str, help: Option<String>) {
        let finding = Diagnostic::new(rule, message).at(at, remark);
        self.out.push(match help {
            Some(help) => finding.help(help),
            None => finding,
        });
    }

    fn read(&mut self, text: &str) -> Settings {
        let table = match DeTable::parse(text) {
            Ok(table) => table,
            Err(error) => {
                self.toml(&error);
                return Settings::default();
            }
        };
        self.unknown(table.get_ref(), &settings_schema());
        match SettingsFile::deserialize(toml::Deserializer::from(table)) {
            Ok(file) => self.understand(file),
            Err(error) => {
                self.toml(&error);
                Settings::default()
            }
        }
    }

    fn toml(&mut self, error: &toml::de::Error) {
        let at = self.span(error.span().unwrap_or(0..0));
        let message = error.message().lines().next().unwrap_or("it is no TOML").to_owned();
        self.report(&INVALID_SETTING, at, message, "cannot be read", None);
    }

    /// Reports the keys of a table that its schema does not have.
    fn unknown(&mut self, table: &DeTable<'_>, schema: &serde_json::Value) {
        let known = schema["properties"].as_object();
        let any = &schema["additionalProperties"];
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            let below = known.and_then(|it| it.get(name));
            if let Some(schema) = below.or_else(|| any.is_object().then_some(any)) {
                self.unknown_below(value.get_ref(), schema);
                continue;
            }
            let names = known.into_iter().flat_map(|it| it.keys()).map(String::as_str);
            let listed: Vec<String> = names.clone().map(|name| format!("`{name}`")).collect();
            let help = match nearest(name, names) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there is {}", listed.join(", ")),
            };
            let at = self.span(key.span());
            self.report(&UNKNOWN_SETTING, at, format!("there is no setting `{name}`"), "not known", Some(help));
        }
    }

    fn unknown_below(&mut self, value: &DeValue<'_>, schema: &serde_json::Value) {
        match value {
            DeValue::Table(table) => self.unknown(table, schema),
            DeValue::Array(items) => {
                for item in items {
                    self.unknown_below(item.get_ref(), &schema["items"]);
                }
            }
            _ => {}
        }
    }

    fn understand(&mut self, file: SettingsFile) -> Settings {
        let select = file.select.map(|it| self.codes(&it));
        let ignore = self.codes(&file.ignore);
        let severity =
            file.severity.into_iter().filter_map(|(code, it)| Some((self.code(&code)?, it.into()))).collect();
        let mut per_path = Vec::new();
        for (glob, codes) in &file.per_path_ignores {
            let codes = self.codes(codes);
            per_path.extend(self.glob(glob).map(|glob| (glob, codes)));
        }
        let collectors = file.collector.iter().map(|it| self.runs(it, &file.distributions)).collect();
        let products = file.product.iter().filter_map(|it| self.release(it)).collect();
        let mut built = BTreeMap::new();
        for (name, it) in file.distributions {
            built.extend(self.manifest(&name, &it.manifest).map(|it| (name, it)));
        }
        Settings { folder: self.folder.clone(), select, ignore, severity, per_path, collectors, products, built }
    }

    fn codes(&mut self, texts: &[Spanned<String>]) -> Vec<Codes> {
        texts.iter().filter_map(|it| self.code(it)).collect()
    }

    fn code(&mut self, text: &Spanned<String>) -> Option<Codes> {
        let found = Codes::parse(text.get_ref());
        if found.is_none() {
            let at = self.span(text.span());
            self.out.push(unknown_code(text.get_ref(), at));
        }
        found
    }

    fn glob(&mut self, text: &Spanned<String>) -> Option<GlobMatcher> {
        let span = self.span(text.span());
        match GlobBuilder::new(text.get_ref()).literal_separator(true).build() {
            Ok(glob) => Some(glob.compile_matcher()),
            Err(error) => {
                let message = format!("`{}` is no glob: {}", text.get_ref(), error.kind());
                self.report(&INVALID_SETTING, span, message, "cannot be read", None);
                None
            }
        }
    }

    fn globs(&mut self, texts: Option<&[Spanned<String>]>) -> Option<Vec<GlobMatcher>> {
        texts.map(|texts| texts.iter().filter_map(|it| self.glob(it)).collect())
    }

    /// A release of a product; none of one that there is not, which is said.
    fn release(&mut self, it: &ProductOf) -> Option<Release> {
        let paths = self.globs(it.paths.as_deref());
        let (name, version) = (it.name.get_ref().as_str(), it.version.get_ref().as_str());
        let wrong = match Product::parse(name) {
            Some(Product::Otelcol) => {
                let help = "`[[collector]]` says which collector runs what".to_owned();
                (&it.name, "`[[product]]` is for products other than the collector".to_owned(), help)
            }
            Some(product) => match product.release(version) {
                Ok(version) => return Some(Release { paths, product, version }),
                Err(nearest) => {
                    let help = format!("the nearest is {nearest}");
                    (&it.version, format!("no {product} release `{version}` is known"), help)
                }
            },
            None => {
                let known = || Product::ALL.iter().filter(|it| **it != Product::Otelcol).map(|it| it.id());
                let help = match nearest(name, known()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("there is {}", known().collect::<Vec<_>>().join(", ")),
                };
                (&it.name, format!("there is no product `{name}`"), help)
            }
        };
        let (place, message, help) = wrong;
        self.report(&INVALID_SETTING, self.span(place.span()), message, "not understood", Some(help));
        None
    }

    fn manifest(&mut self, name: &str, manifest: &Spanned<String>) -> Option<BuiltOne> {
        let at = self.span(manifest.span());
        let path = tidy(&self.shown.join(manifest.get_ref()));
        let shown = crate::compile::shown(&path);
        let read = self.files.read(&path).map_err(|failure| failure.to_string()).and_then(|text| {
            // Where its values stand is only asked when something is checked by it.
            let file = SourceMap::default().add(&*shown, &*text);
            let manifest = telstack_tools::collector::manifest(file, &text, name)?;
            Ok((text, manifest.version))
        });
        match read {
            Ok((text, version)) => {
                let version = version.filter(|it| otelcol::is_released(*it));
                let by = BuiltBy { distribution: name.to_owned(), name: shown, text };
                Some(BuiltOne { by, version })
            }
            Err(why) => {
                let message = format!("the manifest {shown} cannot be read: {why}");
                self.report(&INVALID_MANIFEST, at, message, "describes the distribution", None);
                None
            }
        }
    }

    fn runs(&mut self, it: &CollectorOf, built: &BTreeMap<String, Built>) -> Runs {
        let paths = self.globs(it.paths.as_deref());
        let distribution = it.distribution.as_ref().map(|it| it.get_ref().clone());
        let upstream = distribution.as_deref().filter(|name| !built.contains_key(*name));
        let version = it.version.as_ref().map(|it| it.get_ref().clone());
        if let Err(error) = Assumed::new(version.as_deref(), upstream) {
            let place = match error {
                AssumedError::NoDistribution { .. } => it.distribution.as_ref(),
                _ => it.version.as_ref().or(it.distribution.as_ref()),
            };
            let at = self.span(place.map_or(0..0, Spanned::span));
            let asked = place.map(|it| it.get_ref().as_str()).unwrap_or_default();
            let (message, help) = match error {
                AssumedError::NoRelease(near) => {
                    (format!("no collector release `{asked}` is known"), format!("the nearest is {near}"))
                }
                AssumedError::NoDistribution { known, .. } => {
                    let all = known.into_iter().chain(built.keys().map(String::as_str));
                    let help = match nearest(asked, all.clone()) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("there is {}", all.collect::<Vec<_>>().join(", ")),
                    };
                    (format!("there is no distribution `{asked}`"), help)
                }
                AssumedError::NotTogether { distribution, first } => {
                    let message = format!("the distribution `{distribution}` was not published at that release");
                    let help = first.map(|it| format!("its first release is {it}"));
                    (message, help.unwrap_or_else(|| "leave one of the two out".to_owned()))
                }
            };
            self.report(&INVALID_SETTING, at, message, "there is none", Some(help));
        }
        Runs { paths, version, distribution }
    }
}
