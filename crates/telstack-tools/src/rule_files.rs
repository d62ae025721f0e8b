//! Files of rules, which Prometheus and the ruler of Loki read alike.

use telstack_system::{AlertRule, Recorded, Sourced, Value, units::Period};

use crate::reading::{items, period, text};

/// The alerts of a file of rules, and the series that it records.
pub(crate) fn read(document: &Value, found: &mut Vec<AlertRule>, recorded: &mut Vec<Recorded>) {
    for group in items(document, "groups") {
        let name = text(group, "name").map(|it| it.value).unwrap_or_default();
        for rule in items(group, "rules") {
            let of = |path: &str| text(rule, path).map(|it| it.value).unwrap_or_default();
            let expr = text(rule, "expr").unwrap_or_else(|| Sourced::new(String::new(), rule.mark.clone()));
            if let Some(name) = text(rule, "record").map(|it| it.value) {
                recorded.push(Recorded { name, expr });
                continue;
            }
            let Some(alert) = text(rule, "alert") else { continue };
            found.push(AlertRule {
                group: name.clone(),
                name: alert.value,
                expr,
                hold: period(rule, "for").map_or(Period::from_secs(0), |it| it.value),
                severity: of("labels.severity"),
                summary: of("annotations.summary"),
                description: of("annotations.description"),
                origin: rule.mark.clone(),
            });
        }
    }
}
