use telstack_catalog::product::Product;
use telstack_diagnostics::{Diagnostic, Fix, RuleInfo, Severity};
use telstack_system::{Instances, Node, Platform, Sourced};

use crate::{Cx, Rule, facts, repair};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "L004",
        name: "replication-factor-exceeds-replicas",
        severity: Severity::Error,
        summary: "A store is to write everything several times, and there are too few of it to do so, or they cannot \
                  find each other.",
        why: "A write counts when more than half of the replicas have taken it. With `replication_factor: 3`, which is \
              Loki's own default, a single Loki refuses every write: `at least 2 live replicas required, could only \
              find 1`.",
        bad: r"common:
  replication_factor: 3
  ring:
    kvstore:
      store: inmemory",
        good: r"common:
  replication_factor: 1
  ring:
    kvstore:
      store: inmemory",
        silent: "Nothing says where the ring is kept. There are several services of the store; it runs only one of its parts (`-target`); how many run, or \
                 the factor, comes from the environment or a flag. A stack description need not say it.",
        sources: &[
            "https://github.com/grafana/loki/issues/6231",
            "https://github.com/grafana/loki/issues/14606",
            "https://github.com/grafana/dskit/blob/main/ring/replication_strategy.go",
        ],
    },
    check,
};

/// Flags that say what the configuration then does not.
const FACTOR: &str = "replication-factor";
const TARGET: &str = "target";
/// How flags end that say where the ring is kept.
const STORE: &str = "store";
/// All parts in one process.
const ALL: &str = "all";

fn check(cx: &mut Cx<'_>) {
    for (_, node) in cx.system.nodes() {
        let Some(factor) = node.store().and_then(|store| store.replication.as_ref()) else { continue };
        let Some(members) = members(cx, node) else { continue };
        let needed = factor.value / 2 + 1;
        if let Some(finding) = alone(cx, node, needed, &members) {
            cx.report(finding);
            continue;
        }
        if members.count.value >= needed {
            continue;
        }
        let most = if members.scaled { "at most " } else { "" };
        let Sourced { value: count, origin } = &members.count;
        let many = if *count == 1 { format!("there is {most}1") } else { format!("there are {most}{count}") };
        let message = format!(
            "`{}` writes everything to {} of its kind, of which {needed} must answer, and {}",
            node.name, factor.value, many
        );
        let default = factor.origin == node.origin;
        let remark =
            if default { format!("its own default is {}", factor.value) } else { "refuses every write".to_owned() };
        let mut finding = cx.finding(message, &factor.origin, remark);
        if *origin != factor.origin {
            finding = finding.label(origin.span(), format!("{many} of it"));
        }
        let setting = node.product().and_then(Product::ring).map_or("replication_factor", |ring| &ring.factor);
        let finding = finding.help(if default {
            format!("write `{setting}: {count}`")
        } else {
            format!("set `replication_factor` to {count}")
        });
        let (from, to) = (factor.value.to_string(), count.to_string());
        // How many are fine where their number changes, somebody has to say.
        let changes = repair::word(&factor.origin, &from, &to).filter(|_| !default && !members.scaled);
        let fix = changes.map(|changes| Fix::safe(format!("set it to {to}"), changes));
        cx.report(repair::with(finding, fix));
    }
}

/// Several that cannot find each other: each is a ring of one.
fn alone(cx: &Cx<'_>, node: &Node, needed: u64, members: &Members) -> Option<Diagnostic> {
    let ring = node.store()?.ring_alone.as_ref()?;
    let Sourced { value: count, origin } = &members.count;
    let told = facts::flags(node).iter().any(|flag| flag.name.ends_with(STORE));
    if *count < 2 || members.scaled || told {
        return None;
    }
    let message = format!("`{}` runs {count} times, and each keeps the ring for itself and finds no other", node.name);
    let (severity, remark) = if needed > 1 {
        (Severity::Error, format!("each is alone, and refuses every write: {needed} must answer"))
    } else {
        (Severity::Warning, "each is alone: a query sees what one of them took lately".to_owned())
    };
    let setting = node.product()?.ring()?;
    Some(
        cx.finding(message, ring, remark)
            .severity(severity)
            .label(origin.span(), format!("runs {count} times"))
            .help(format!("let them find each other: `{}: memberlist`, and `memberlist.join_members`", setting.store))
            .help("run one of it"),
    )
}

/// How many of a store there are.
struct Members {
    count: Sourced<u64>,
    /// Is that the most that an autoscaler makes?
    scaled: bool,
}

/// How many of a store there are, if that is known.
fn members(cx: &Cx<'_>, node: &Node) -> Option<Members> {
    let same = cx.system.nodes().filter(|(_, it)| it.product() == node.product()).count();
    let given = facts::flags(node);
    let split = given.iter().any(|flag| flag.name == TARGET && flag.value != Some(ALL));
    if same > 1 || split || given.iter().any(|flag| flag.name.ends_with(FACTOR)) {
        return None;
    }
    let known = |count, origin, scaled| Some(Members { count: Sourced::new(count, origin), scaled });
    match node.container.as_ref()?.instances() {
        Instances::UpTo(most, origin) => known(most, origin, true),
        Instances::Count(0, _) => None,
        Instances::Count(count, Some(origin)) => known(count, origin, false),
        Instances::Count(count, None) if cx.system.platform.value == Platform::Compose => {
            known(count, node.origin.clone(), false)
        }
        Instances::Count(_, None) | Instances::EachMachine(_) | Instances::Unknown => None,
    }
}

#[cfg(test)]
mod tests {
    use telstack_catalog::product::Product;
    use telstack_diagnostics::Severity;
    use telstack_system::{Known, Sourced};

    use crate::test_support::Bench;

    fn loki(factor: Option<u64>, replicas: Known<u64>, flag: &str) -> Bench {
        let mut bench = Bench::new("factor replicas flag");
        let id = bench.add(Product::Loki, "3.7.6");
        let (at, many, given) = (bench.at("factor"), bench.at("replicas"), bench.at("flag"));
        bench.node(id).store_mut().expect("store").replication = factor.map(|it| Sourced::new(it, at));
        let container = bench.container(id);
        container.replicas = replicas.map(|it| Sourced::new(it, many));
        container.command.push(Sourced::new(flag.to_owned(), given));
        bench
    }

    #[test]
    fn fails_where_too_few_can_answer() {
        assert_eq!(loki(Some(3), Known::Absent, "").finds("L004", "factor"), Severity::Error);
        loki(Some(2), Known::Absent, "").finds("L004", "factor");
        loki(Some(5), Known::Value(2), "").finds("L004", "factor");
    }

    #[test]
    fn an_autoscaler_decides_how_many_there_are() {
        let scaled = |factor: u64, most: u64| {
            let mut bench = loki(Some(factor), Known::Value(1), "");
            let origin = bench.at("replicas");
            let id = bench.system.node_ids()[0];
            bench.container(id).most_replicas = Known::Value(Sourced::new(most, origin));
            bench
        };
        scaled(3, 3).silent("L004");
        let few = scaled(5, 2);
        few.finds("L004", "factor");
        few.leaves("L004");
    }

    #[test]
    fn several_that_do_not_find_each_other() {
        let loki = |store: &str, factor: u64, flag: &str, replicas: u64| {
            let compose = format!(
                "services:\n  loki:\n    image: grafana/loki:3.5.0\n    command: [-config.file=/l.yml{flag}]\n    volumes: \
                 ['./l.yml:/l.yml']\n    deploy: {{replicas: {replicas}}}\n"
            );
            let config = format!("common: {{replication_factor: {factor}, ring: {{kvstore: {{store: {store}}}}}}}\n");
            Bench::project(&[("compose.yaml", &compose), ("l.yml", &config)])
        };
        assert_eq!(loki("inmemory", 3, "", 3).finds("L004", "inmemory"), Severity::Error);
        assert_eq!(loki("inmemory", 1, "", 3).finds("L004", "inmemory"), Severity::Warning);
        loki("memberlist", 1, "", 3).silent("L004");
        loki("inmemory", 1, "", 1).silent("L004");
        loki("inmemory", 1, ", -ring.store=memberlist", 3).silent("L004");
        loki("${STORE}", 1, "", 3).silent("L004");
    }

    #[test]
    fn says_which_setting() {
        let compose = "services:\n  mimir:\n    image: grafana/mimir:2.17.1\n    command: [-config.file=/m.yml]\n    volumes: \
                       ['./m.yml:/m.yml']\n";
        let bench = Bench::project(&[("compose.yaml", compose), ("m.yml", "target: all\n")]);
        assert_eq!(bench.helps("L004"), ["write `ingester.ring.replication_factor: 1`"]);
    }

    #[test]
    fn passes_where_enough_answer() {
        loki(Some(1), Known::Absent, "-target=all").silent("L004");
        loki(Some(3), Known::Value(2), "").silent("L004");
    }

    #[test]
    fn silent_when_it_is_not_known() {
        loki(None, Known::Absent, "").silent("L004");
        loki(Some(3), Known::Unknown, "").silent("L004");
        loki(Some(3), Known::Absent, "-target=write").silent("L004");
        loki(Some(3), Known::Absent, "-ingester.replication-factor=1").silent("L004");
        let mut several = loki(Some(3), Known::Absent, "");
        several.add(Product::Loki, "3.7.6");
        several.silent("L004");
    }
}
