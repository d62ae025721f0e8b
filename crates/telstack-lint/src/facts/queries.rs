//! Which metrics the queries of a System ask for: those of dashboards, of alerts and of rules that record.

use std::{collections::BTreeSet, convert::Infallible};

use promql_parser::{
    label::MatchOp,
    parser::{Expr, VectorSelector},
    util::{ExprVisitor, walk_expr},
};
use telstack_diagnostics::Span;
use telstack_system::{Origin, Sourced, System};

/// A metric that a query asks for.
#[derive(Debug)]
pub(crate) struct AskedMetric {
    /// Its name.
    pub(crate) name: String,
    /// Where it stands, or the whole query where that cannot be told.
    pub(crate) at: Origin,
    /// The whole query.
    pub(crate) query: Origin,
    /// Who asks: ``alert `Down` ``.
    pub(crate) by: String,
}

/// Longer queries are nobody's.
const LONGEST: usize = 16_384;
/// Deeper ones neither; the parser's tree is gone through by functions that call themselves.
const DEEPEST: usize = 100;

/// Every metric that is asked for and `wanted`, where it can be read out of its query. What rules record is no
/// metric of anybody else.
pub(crate) fn asked_metrics(system: &System, wanted: impl Fn(&str) -> bool) -> Vec<AskedMetric> {
    let mut found = Vec::new();
    let mut recorded = BTreeSet::new();
    for facet in system.nodes().filter_map(|(_, node)| node.store()?.prometheus()) {
        for rule in &facet.recorded {
            recorded.insert(rule.name.as_str());
            of(&rule.expr, || format!("the rule that records `{}`", rule.name), &wanted, &mut found);
        }
        for alert in &facet.alerts {
            of(&alert.expr, || format!("alert `{}`", alert.name), &wanted, &mut found);
        }
    }
    for dashboard in system.nodes().filter_map(|(_, node)| node.viewer()).flat_map(|viewer| &viewer.dashboards) {
        for panel in &dashboard.panels {
            for query in &panel.queries {
                let by = || match panel.title.as_str() {
                    "" => format!("a panel without a title of dashboard `{}`", dashboard.title),
                    title => format!("panel `{title}` of dashboard `{}`", dashboard.title),
                };
                of(&query.expr, by, &wanted, &mut found);
            }
        }
    }
    found.retain(|it| !recorded.contains(it.name.as_str()));
    found
}

fn of(expr: &Sourced<String>, by: impl Fn() -> String, wanted: &impl Fn(&str) -> bool, found: &mut Vec<AskedMetric>) {
    for (name, at) in selectors(&expr.value) {
        if wanted(&name) {
            found.push(AskedMetric { name, at: within(expr, at), query: expr.origin.clone(), by: by() });
        }
    }
}

/// The place of a part of a query, where it is written in one piece.
fn within(expr: &Sourced<String>, part: Option<(usize, usize)>) -> Origin {
    let whole = || expr.origin.clone();
    let (Some((start, end)), Some(span)) = (part, expr.origin.span().filter(|_| expr.origin.is_written())) else {
        return whole();
    };
    let range = span.range();
    // Quotes around it, and nothing else that would move it.
    if expr.value.contains(['"', '\'', '\\', '\n']) && range.len() != expr.value.len() {
        return whole();
    }
    let quotes = match range.len().checked_sub(expr.value.len()) {
        Some(0) => 0,
        Some(2) => 1,
        _ => return whole(),
    };
    Origin::written(Span::new(span.file, range.start + quotes + start, range.start + quotes + end))
}

/// The metrics that a query selects, in order, each with its place in the text. None of a query that does not parse,
/// which is not known to be `PromQL`.
fn selectors(query: &str) -> Vec<(String, Option<(usize, usize)>)> {
    if query.len() > LONGEST || query.matches(['(', '{']).count() > DEEPEST {
        return Vec::new();
    }
    let filled = without_variables(query);
    let Ok(tree) = promql_parser::parser::parse(&filled) else { return Vec::new() };
    let mut names = Names::default();
    let Ok(_) = walk_expr(&mut names, &tree);
    let words = words(query);
    let place = |name: &String| {
        let mut places = words.iter().filter(|(start, end)| query[*start..*end] == **name);
        // Which of several is meant, nobody can tell.
        places.next().copied().filter(|_| places.next().is_none())
    };
    names.0.into_iter().map(|name| (name.clone(), place(&name))).collect()
}

/// Every name that a tree selects, once.
#[derive(Default)]
struct Names(BTreeSet<String>);

impl Names {
    fn see(&mut self, selector: &VectorSelector) {
        let named = |it: &&promql_parser::label::Matcher| it.name == "__name__" && it.op == MatchOp::Equal;
        let by_label = || selector.matchers.matchers.iter().find(named).map(|it| it.value.clone());
        self.0.extend(selector.name.clone().or_else(by_label));
    }
}

impl ExprVisitor for Names {
    type Error = Infallible;

    fn pre_visit(&mut self, expr: &Expr) -> Result<bool, Infallible> {
        match expr {
            Expr::VectorSelector(selector) => self.see(selector),
            Expr::MatrixSelector(matrix) => self.see(&matrix.vs),
            _ => {}
        }
        Ok(true)
    }
}

fn is_part_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == ':'
}

/// Where the words of a query stand, quoted text left out.
fn words(query: &str) -> Vec<(usize, usize)> {
    let (mut found, mut quote, mut start, mut escaped) = (Vec::new(), None, None, false);
    for (at, c) in query.char_indices().chain([(query.len(), ' ')]) {
        if let Some(open) = quote {
            quote = Some(open).filter(|_| c != open || escaped);
            escaped = c == '\\' && !escaped && open != '`';
            continue;
        }
        if is_part_of_name(c) {
            start.get_or_insert(at);
            continue;
        }
        if let Some(start) = start.take() {
            found.push((start, at));
        }
        quote = Some(c).filter(|it| matches!(it, '"' | '\'' | '`'));
    }
    found
}

/// A query with something in place of Grafana's variables that has the same form: a duration in brackets, part of a
/// name, or a number.
fn without_variables(query: &str) -> String {
    let mut out = String::with_capacity(query.len());
    let mut rest = query;
    let mut quote: Option<char> = None;
    while let Some(c) = rest.chars().next() {
        let (taken, after) = rest.split_at(c.len_utf8());
        if quote.is_none() && c == '$' {
            let name = after.strip_prefix('{').and_then(|it| it.find('}').map(|end| &after[..end + 2]));
            let plain =
                || &after[..after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len())];
            let name = name.unwrap_or_else(plain);
            rest = &after[name.len()..];
            let in_brackets = out.ends_with(['[', ':']) && (rest.starts_with([']', ':']));
            let in_name =
                out.ends_with(is_part_of_name) || rest.starts_with(|c| is_part_of_name(c) || "{[".contains(c));
            out.push_str(match (in_brackets, in_name) {
                (true, _) => "5m",
                (false, true) => "x",
                (false, false) => "1",
            });
            continue;
        }
        match quote {
            Some(open) if c == open => quote = None,
            Some(open) if c == '\\' && open != '`' => {
                // The next one is no end.
                if let Some(next) = after.chars().next() {
                    out.push_str(taken);
                    out.push(next);
                    rest = &after[next.len_utf8()..];
                    continue;
                }
            }
            None if matches!(c, '"' | '\'' | '`') => quote = Some(c),
            _ => {}
        }
        out.push_str(taken);
        rest = after;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(query: &str) -> Vec<String> {
        selectors(query).into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn every_selector_is_found() {
        assert_eq!(names("sum by (job) (rate(a_total{x=\"b\"}[5m])) / on (job) c > 0"), ["a_total", "c"]);
        assert_eq!(
            names("histogram_quantile(0.9, sum(rate(d_bucket[1h:5m] offset 1w)) by (le)) or -e"),
            ["d_bucket", "e"]
        );
        assert_eq!(names("{__name__=\"f\", job=~\"g|h\"}"), ["f"]);
        assert!(names("{job=\"a\"} |= `error`").is_empty(), "that is Loki's");
        assert!(names("").is_empty() && names("rate(a[").is_empty());
    }

    #[test]
    fn variables_of_grafana_stand_for_something() {
        assert_eq!(names("rate(a_total{job=~\"$job\"}[$__rate_interval])"), ["a_total"]);
        assert_eq!(names("topk($n, increase(a{x=\"${x:regex}\"}[${__range}]))"), ["a"]);
        assert_eq!(names("rate(${metric}_total[5m]) + b"), ["b", "x_total"]);
        assert_eq!(names("a[$__range:$__interval]"), ["a"]);
    }

    #[test]
    fn places_of_names_that_stand_once() {
        let place = |query: &str| selectors(query).remove(0).1.map(|(start, end)| query[start..end].to_owned());
        assert_eq!(place("rate(a_total{b=\"a_total\"}[5m])").as_deref(), Some("a_total"));
        assert_eq!(place("a / a"), None);
        assert_eq!(words("a{b='c\\'d'}").len(), 2);
    }
}
