//! `clusters from="fleet.csv"`: a fleet is data, one row a cluster.

use std::{collections::BTreeMap, sync::Arc};

use telstack_diagnostics::{Diagnostic, Diagnostics, FileId, SourceMap, Span};
use telstack_syntax::stack::{Atom, Node as Line, Scalar};
use telstack_system::{Origin, Sourced};

use super::Member;
use crate::{Loader, codes, names::did_you_mean, words::is_host_name};

/// The column with the name of the cluster.
const NAME: &str = "name";

/// The clusters of a `clusters` line; none where it is reported what is wrong with them.
pub(super) fn members(
    line: &Line,
    sources: &mut SourceMap,
    loader: &dyn Loader,
    out: &mut Diagnostics,
) -> Option<Vec<Member>> {
    let from = line.prop("from")?;
    let path = from.as_str()?;
    let including = sources.file(from.span.file).name().to_owned();
    let table = match loader.load(&including, path) {
        Ok(table) => table,
        Err(why) => {
            let finding = Diagnostic::new(&codes::INCLUDE_FAILS, format!("cannot read the fleet `{path}`: {why}"));
            out.push(finding.at(from.span, "cannot be read").note(format!("paths are relative to `{including}`")));
            return None;
        }
    };
    let file = sources.add(table.name, table.text);
    let text = sources.file(file).text().to_owned();
    let lines: Arc<[Line]> = line.children().to_vec().into();
    let rows = Table { file, text: &text, out }.rows(from.span).filter(|rows| !rows.is_empty())?;
    let member = |(name, facts, head)| Member { name: Some(name), facts, lines: lines.clone(), head, in_table: true };
    Some(rows.into_iter().map(member).collect())
}

type Row = (Sourced<String>, BTreeMap<String, Atom>, Span);

struct Table<'a> {
    file: FileId,
    text: &'a str,
    out: &'a mut Diagnostics,
}

impl Table<'_> {
    fn rows(&mut self, named: Span) -> Option<Vec<Row>> {
        let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(self.text.as_bytes());
        let header = match reader.headers() {
            Ok(header) => header.clone(),
            Err(error) => return self.unreadable(&error, named),
        };
        let columns: Vec<String> =
            header.iter().map(|it| it.trim().trim_start_matches('\u{feff}').to_owned()).collect();
        let head = self.span_of(header.position().map_or(0, csv::Position::byte));
        let Some(of_name) = columns.iter().position(|it| it == NAME) else {
            let finding = Diagnostic::new(&codes::MISSING_PART, "the fleet has no column `name`");
            let known: Vec<&str> = columns.iter().map(String::as_str).collect();
            let finding = finding.at(head, "the columns").label(named, "read as a fleet here");
            self.out.push(
                did_you_mean(finding, NAME, &known, "columns")
                    .help("give each cluster a name: it becomes that of its folder"),
            );
            return None;
        };
        if let Some(again) = (1..columns.len()).find(|at| columns[..*at].contains(&columns[*at])) {
            let message = format!("the fleet has two columns `{}`", columns[again]);
            let finding = Diagnostic::new(&codes::DECLARED_TWICE, message).at(head, "the columns");
            self.out.push(finding.label(named, "read as a fleet here").help("give one of the two another name"));
            return None;
        }
        let mut rows = Vec::new();
        let mut none = true;
        for record in reader.records() {
            let record = match record {
                Ok(record) => record,
                Err(error) => return self.unreadable(&error, named),
            };
            none = false;
            let start = record.position().map_or(0, csv::Position::byte);
            if self.is_open_from(start) {
                let finding = Diagnostic::new(&codes::SYNTAX_ERROR, "a quote is opened in this row, and never closed");
                let finding = finding.at(self.span_of(start), "takes in all that follows");
                self.out
                    .push(finding.label(named, "read as a fleet here").help("close it behind the value: `\"a, b\"`"));
                return None;
            }
            let row = self.span_of(record.position().map_or(0, csv::Position::byte));
            let mut facts = BTreeMap::new();
            let mut places = self.places(row, &record);
            for (column, value) in columns.iter().zip(&record) {
                let span = places.next().unwrap_or(row);
                facts.insert(column.clone(), Atom { tag: None, scalar: scalar(value.trim()), span });
            }
            let Some(atom) = facts.get(NAME).cloned() else { continue };
            let name = record.get(of_name).unwrap_or_default().trim().to_owned();
            if !is_host_name(&name) {
                let finding = Diagnostic::new(&codes::WRONG_VALUE, format!("`{name}` is no name of a cluster"));
                let finding = finding.at(atom.span, "becomes the name of a folder");
                self.out.push(finding.help("write lower case letters, digits and `-`, a letter first"));
                continue;
            }
            // A name is a text, whatever it looks like.
            facts.insert(NAME.to_owned(), Atom { scalar: Scalar::String(name.clone()), ..atom.clone() });
            rows.push((Sourced::new(name, Origin::written(atom.span)), facts, row));
        }
        if none {
            let finding = Diagnostic::new(&codes::MISSING_PART, "the fleet has no row, so there is no cluster");
            let finding = finding.at(head, "columns alone").label(named, "read as a fleet here");
            self.out.push(finding.help("write a row for each cluster below the columns"));
        }
        Some(rows)
    }

    /// Is a quote of the record that starts there still open at the end of the text?
    fn is_open_from(&self, byte: u64) -> bool {
        let text = usize::try_from(byte).ok().and_then(|start| self.text.get(start..)).unwrap_or_default();
        let (mut quoted, mut before) = (false, '\n');
        for c in text.trim_start_matches(['\n', '\r']).chars() {
            match (quoted, c) {
                // A doubled one closes and opens again.
                (true, '"') => quoted = false,
                (false, '"') => quoted = matches!(before, ',' | '\n' | '\r' | '"'),
                (false, '\n' | '\r') => return false,
                _ => {}
            }
            before = c;
        }
        quoted
    }

    fn unreadable(&mut self, error: &csv::Error, named: Span) -> Option<Vec<Row>> {
        let at = error.position().map_or(0, csv::Position::byte);
        let message = match error.kind() {
            csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                let values = if *len == 1 { "value" } else { "values" };
                format!("this row has {len} {values}, and there are {expected_len} columns")
            }
            _ => format!("the fleet is no CSV: {error}"),
        };
        let finding = Diagnostic::new(&codes::SYNTAX_ERROR, message).at(self.span_of(at), "here");
        self.out.push(
            finding
                .label(named, "read as a fleet here")
                .help("write one value for each column, with commas between them"),
        );
        None
    }

    /// The line of the text that a record starts in.
    fn span_of(&self, byte: u64) -> Span {
        let start = usize::try_from(byte).unwrap_or(0).min(self.text.len());
        let start = start + self.text[start..].find(|c: char| c != '\n' && c != '\r').unwrap_or(0);
        let length = self.text[start..].find(['\n', '\r']).unwrap_or(self.text.len() - start);
        Span::new(self.file, start, start + length)
    }

    /// The place of each field, where none is quoted; else the row stands for all.
    fn places(&self, row: Span, record: &csv::StringRecord) -> std::vec::IntoIter<Span> {
        let text = &self.text[row.range()];
        let mut at = row.range().start;
        let mut out = Vec::new();
        if !text.contains('"') && text.split(',').count() == record.len() {
            for field in text.split(',') {
                let before = field.len() - field.trim_start().len();
                out.push(Span::new(self.file, at + before, at + before + field.trim().len()));
                at += field.len() + 1;
            }
        }
        out.into_iter()
    }
}

/// What a field says: a number where it is written like one.
fn scalar(text: &str) -> Scalar {
    match text.parse::<i64>() {
        Ok(number) if number.to_string() == text => Scalar::Int(number),
        _ => Scalar::String(text.to_owned()),
    }
}
