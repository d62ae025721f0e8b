//! Alertmanager: who is told.

use telstack_system::{Alerter, Node, System, Value};

use crate::{
    Artefact,
    doc::{self, Block},
};

/// What one notification is about.
const GROUP_BY: [&str; 2] = ["alertname", "severity"];

pub(crate) fn emit(system: &System, node: &Node, alerter: &Alerter) -> Vec<Artefact> {
    let Some(file) = node.container.as_ref().and_then(|container| container.file("config")) else {
        return Vec::new();
    };
    vec![doc::node_yaml(system, node, file, None, &document(node, alerter))]
}

fn document(node: &Node, alerter: &Alerter) -> Value {
    let receiver = receiver(node, alerter);
    let name = receiver.at("name").cloned();
    let grouped = doc::chosen("one notification for an alert, however many series it fires on", &node.origin);
    let mut route = Block::new();
    route.put_some("receiver", name);
    route.put("group_by", grouped.flow(GROUP_BY.map(|label| grouped.string(label))));
    if let Some(interval) = &alerter.repeat_interval {
        route.put("repeat_interval", interval.origin.string(interval.value.prometheus()));
    }
    let mut out = Block::new();
    out.put("route", route.finish(&doc::follows("every alert takes this route", &[&node.origin])));
    out.gap();
    if alerter.webhooks.is_empty() {
        out.comment(
            "Nobody is told: alerts show in Alertmanager's own page only. A `webhook` in the stack changes that.",
        );
    }
    out.put("receivers", receiver.mark.clone().block([receiver]));
    out.finish(&node.origin)
}

fn receiver(node: &Node, alerter: &Alerter) -> Value {
    if alerter.webhooks.is_empty() {
        let nobody = doc::chosen("the stack names nobody to tell, and a route needs a receiver", &node.origin);
        return nobody.map([("name", nobody.string("none"))]);
    }
    let origins = alerter.webhooks.iter().map(|webhook| &webhook.origin);
    let origin = doc::follows_all("who the stack says is told", origins, &node.origin);
    let hooks =
        alerter.webhooks.iter().map(|webhook| webhook.origin.map([("url", webhook.origin.string(&webhook.url))]));
    origin.map([("name", origin.string("webhooks")), ("webhook_configs", origin.block(hooks))])
}

#[cfg(test)]
mod tests {
    use crate::testing::{Choice, parsed, part, stack, text, written};

    const PATH: &str = "configs/alertmanager.yml";

    #[test]
    fn webhooks_are_told() {
        let artefacts = written(&stack(&Choice::default()));
        let document = parsed(&artefacts, PATH);
        assert_eq!(part(&document, &["route", "receiver"]), part(&document, &["receivers", "0", "name"]));
        let url = part(&document, &["receivers", "0", "webhook_configs", "0", "url"]);
        assert_eq!(url, "\"http://chat.example.com/hook?token=$x\"");
    }

    #[test]
    fn nobody_is_said_plainly() {
        let artefacts = written(&stack(&Choice { webhook: None, ..Choice::default() }));
        let document = parsed(&artefacts, PATH);
        assert_eq!(part(&document, &["receivers"]), r#"[ { "name": "none" } ]"#);
        assert!(text(&artefacts, PATH).contains("# Nobody is told"));
    }
}
