//! Workflow commands, which GitHub shows as annotations beside the lines.

use crate::{Diagnostic, Severity, SourceMap};

/// One annotation a finding, a line each.
pub fn github(diagnostics: &[Diagnostic], sources: &SourceMap) -> String {
    diagnostics.iter().fold(String::new(), |out, it| out + &annotation(it, sources))
}

fn annotation(it: &Diagnostic, sources: &SourceMap) -> String {
    let command = match it.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "notice",
    };
    let mut properties = Vec::new();
    if let Some(label) = &it.primary {
        let (start, end) = (sources.start(label.span), sources.end(label.span));
        properties.push(format!("file={}", property(sources.file(label.span.file).name())));
        properties.push(format!("line={}", start.line));
        properties.push(format!("endLine={}", end.line));
        // Columns of several lines are refused. The last one is part of what is marked there.
        if start.line == end.line {
            properties.push(format!("col={}", start.column));
            properties.push(format!("endColumn={}", end.column.saturating_sub(1).max(start.column)));
        }
    }
    properties.push(format!("title={}", property(&format!("{} {}", it.rule.code, it.rule.name))));
    let mut message = it.message.clone();
    for label in &it.labels {
        let start = sources.start(label.span);
        let place = format!("{}:{}:{}", sources.file(label.span.file).name(), start.line, start.column);
        message.push_str(&format!("\n{place}: {}", label.message));
    }
    for (kind, lines) in [("note", &it.notes), ("help", &it.help)] {
        for line in lines {
            message.push_str(&format!("\n{kind}: {line}"));
        }
    }
    format!("::{command} {}::{}\n", properties.join(","), data(&message))
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
