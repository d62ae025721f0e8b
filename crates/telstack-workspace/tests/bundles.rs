//! Compose projects as people keep them: what belongs together is read together, and what cannot be known is not
//! guessed at.

mod common;

use common::{checked, checked_for, found, found_for};
use telstack_diagnostics::Severity;
use telstack_workspace::{Assumed, Checked};

/// A collector that sends traces to an address.
fn collector(endpoint: &str) -> String {
    format!(
        "receivers:\n  otlp:\n    protocols:\n      grpc:\n        endpoint: 0.0.0.0:4317\nexporters:\n  otlp:\n    \
         endpoint: {endpoint}\n    tls:\n      insecure: true\nservice:\n  pipelines:\n    traces:\n      receivers: \
         [otlp]\n      exporters: [otlp]\n"
    )
}

/// A project of a collector, configured by `otel.yaml`, and Jaeger.
fn compose(image: &str, more: &str) -> String {
    format!(
        "services:\n  otel:\n    image: {image}\n    command: [--config=/etc/otel.yaml]\n    volumes: \
         [./otel.yaml:/etc/otel.yaml]\n{more}  jaeger:\n    image: jaegertracing/all-in-one:1.53\n"
    )
}

const CONTRIB: &str = "otel/opentelemetry-collector-contrib:0.120.0";
const COMPOSE: &str = "d/compose.yaml";
const OTEL: &str = "d/otel.yaml";

#[test]
fn links_are_followed_from_file_to_file() {
    let of = |endpoint: &str| found([(COMPOSE, &compose(CONTRIB, "")), (OTEL, &collector(endpoint))]);
    assert!(of("jaeger:4317").is_empty());
    // Jaeger listens elsewhere.
    assert_eq!(of("jaeger:4319"), ["N003 d/otel.yaml jaeger:4319"]);
    // Something outside of the project.
    assert!(of("tempo:4319").is_empty());
    // However the name is looked up.
    for scheme in ["dns:///", "dns://10.0.0.2/", "passthrough:///"] {
        assert!(of(&format!("{scheme}jaeger:4317")).is_empty());
        assert_eq!(of(&format!("{scheme}jaeger:4319")), [format!("N003 d/otel.yaml {scheme}jaeger:4319")]);
    }
}

const LOGGING: &str = "receivers:\n  otlp:\n    protocols:\n      grpc:\nexporters:\n  logging:\nservice:\n  \
                       pipelines:\n    traces:\n      receivers: [otlp]\n      exporters: [logging]\n";
const REMOVED: [&str; 1] = ["V001 d/otel.yaml logging"];

#[test]
fn the_image_says_which_release_runs() {
    let of = |tag: &str| {
        let image = format!("otel/opentelemetry-collector-contrib:{tag}");
        found([(COMPOSE, &compose(&image, "")), (OTEL, LOGGING)])
    };
    assert_eq!(of("0.120.0"), REMOVED);
    assert!(of("0.100.0").is_empty());
    // Nobody can tell.
    for tag in ["latest", "${OTEL_TAG}", "${OTEL_TAG:?set it}", "nightly"] {
        assert!(of(tag).is_empty(), "{tag}");
    }
    assert_eq!(of("${OTEL_TAG:-0.120.0}"), REMOVED);
    let compose = compose("otel/opentelemetry-collector-contrib:$OTEL_TAG", "");
    let env = ("d/.env", "TAG=0.120.0\nOTEL_TAG=${TAG} # the newest\n");
    assert_eq!(found([(COMPOSE, &compose), env, (OTEL, LOGGING)]), REMOVED);
}

#[test]
fn whoever_asks_and_the_file_itself_know_better() {
    let old = compose("otel/opentelemetry-collector-contrib:0.90.0", "");
    let raised = Assumed::new(Some("0.120.0"), None).expect("a release");
    assert_eq!(found_for([(COMPOSE, &old), (OTEL, LOGGING)], raised), REMOVED);
    let remark = format!("# telstack: otelcol=0.120.0\n{LOGGING}");
    assert_eq!(found([(COMPOSE, &old), (OTEL, &remark)]), REMOVED);
    let lowered = Assumed::new(Some("0.90.0"), None).expect("a release");
    assert!(found_for([(COMPOSE, &old), (OTEL, &remark)], lowered).is_empty());
    // A file by itself.
    assert_eq!(found([(OTEL, &remark)]), REMOVED);
    assert!(found([(OTEL, &remark.replace("0.120.0", "0.90.0"))]).is_empty());
    let unknown = found([(OTEL, &remark.replace("0.120.0", "0.76.0"))]);
    assert_eq!(unknown[0], "R008 d/otel.yaml otelcol=0.76.0");
}

#[test]
fn a_release_that_nothing_says_is_said_once() {
    let notes = |checked: &Checked| {
        let notes = checked.diagnostics.iter().flat_map(|it| &it.notes);
        notes.filter(|note| note.contains("nothing says which collector runs")).count()
    };
    let two = checked([("d/a.yaml", LOGGING), ("d/b.yaml", LOGGING)]);
    assert_eq!((two.diagnostics.len(), notes(&two)), (2, 1));
    let said = Assumed::new(Some("0.120.0"), None).expect("a release");
    assert_eq!(notes(&checked_for([("d/a.yaml", LOGGING)], said)), 0);
    let compose = compose(CONTRIB, "");
    assert_eq!(notes(&checked([(COMPOSE, &compose), (OTEL, LOGGING)])), 0);
}

#[test]
fn images_of_ones_own_may_hold_anything() {
    let odd = LOGGING.replace("logging", "acme_cloud");
    let of = |service: &str| {
        let compose = format!(
            "services:\n  otel:\n    {service}\n    command: --config /etc/otel.yaml\n    volumes: \
             ['./otel.yaml:/etc/otel.yaml']\n"
        );
        found([(COMPOSE, &compose), (OTEL, &odd)])
    };
    for service in [
        "image: acme/otelcol:1.2.3",
        "build: ./otel",
        "image: ${IMAGE}",
        "build: .\n    image: otel/opentelemetry-collector:0.100.0",
    ] {
        assert!(of(service).is_empty(), "{service}");
    }
    assert_eq!(of(&format!("image: {CONTRIB}")), ["Y006 d/otel.yaml acme_cloud"]);
    // Its wires are known all the same.
    let miswired = odd.replace("exporters: [acme_cloud]", "exporters: [nothing]");
    let wires = found([(COMPOSE, &compose("acme/otelcol:1", "")), (OTEL, &miswired)]);
    assert_eq!(wires, ["P005 d/otel.yaml acme_cloud", "P001 d/otel.yaml nothing"]);
}

#[test]
fn files_that_an_unknown_image_is_given_are_not_known_to_be_all() {
    let config = LOGGING.replace("exporters: [logging]", "exporters: [theirs]");
    let compose = |mount: &str| format!("services:\n  hub:\n    image: acme/hub:1\n    volumes: ['{mount}']\n");
    assert!(found([(COMPOSE, &compose("./otel.yaml:/etc/hub/custom.yaml")), (OTEL, &config)]).is_empty());
    // It is not given that one.
    let other = found([(COMPOSE, &compose("./other.yaml:/etc/hub/custom.yaml")), (OTEL, &config)]);
    assert_eq!(other, ["P005 d/otel.yaml logging", "P001 d/otel.yaml theirs"]);
}

#[test]
fn a_section_of_a_vendor_is_no_error_while_nobody_names_the_distribution() {
    let severity = |text: &str, assumed: Assumed| {
        let checked = checked_for([(OTEL, text)], assumed);
        let mut all = checked.diagnostics.iter().filter(|it| it.rule.code == "R004").map(|it| it.severity);
        all.next().expect("found")
    };
    let good = LOGGING.replace("logging", "debug");
    let (theirs, slip) = (format!("config_sources:\n  env:\n{good}"), format!("sources:\n  env:\n{good}"));
    let contrib = Assumed::new(None, Some("contrib")).expect("a distribution");
    assert_eq!(severity(&theirs, Assumed::default()), Severity::Warning);
    assert_eq!(severity(&theirs, contrib), Severity::Error);
    assert_eq!(severity(&slip, Assumed::default()), Severity::Error);
}

#[test]
fn several_configurations_are_merged_as_the_collector_does() {
    let base = collector("jaeger:4319");
    let compose = compose(CONTRIB, "")
        .replace("[--config=/etc/otel.yaml]", "[--config, /etc/otel.yaml, --config=/etc/more.yaml]")
        .replace("[./otel.yaml:/etc/otel.yaml]", "[./otel.yaml:/etc/otel.yaml, ./more.yaml:/etc/more.yaml]");
    let of = |more: &str| found([(COMPOSE, &compose), (OTEL, &base), ("d/more.yaml", more)]);
    assert_eq!(of("exporters: {}\n"), ["N003 d/otel.yaml jaeger:4319"]);
    assert_eq!(of("# nothing\n"), ["N003 d/otel.yaml jaeger:4319"]);
    // Maps go into each other: what is not written again stays.
    assert!(of("exporters:\n  otlp:\n    endpoint: jaeger:4317\n").is_empty());
    let tls = "exporters:\n  otlp:\n    tls:\n      insecure: false\n    endpoint: jaeger:4317\n";
    assert_eq!(of(tls), ["N006 d/more.yaml jaeger:4317"]);
    // Lists are replaced.
    let debug = "exporters: {debug: {}}\nservice: {pipelines: {traces: {exporters: [debug]}}}\n";
    assert_eq!(of(debug), ["E004 d/more.yaml [debug]"]);
    // One that is not here may say anything.
    let gone = compose.replace("./more.yaml:/etc", "./gone.yaml:/etc");
    let unknown = found([(COMPOSE, &gone), (OTEL, &base.replace("exporters: [otlp]", "exporters: [x]"))]);
    assert_eq!(unknown, ["C002 d/compose.yaml ./gone.yaml:/etc/more.yaml"]);
    // A single value.
    let set = compose.replace("--config=/etc/more.yaml", "--set=exporters.otlp.endpoint=jaeger:4317");
    assert!(found([(COMPOSE, &set), (OTEL, &base)]).is_empty());
}

#[test]
fn the_environment_is_filled_in_where_it_is_known() {
    let config = collector("${env:TARGET}");
    let of = |more: &str, env: &str| found([(COMPOSE, &compose(CONTRIB, more)), (OTEL, &config), ("d/otel.env", env)]);
    let n003 = ["N003 d/otel.yaml ${env:TARGET}"];
    assert_eq!(of("    environment: {TARGET: 'jaeger:4319'}\n", ""), n003);
    assert_eq!(of("    environment:\n      - TARGET=jaeger:${PORT:-4319}\n", ""), n003);
    assert_eq!(of("    env_file: otel.env\n", "TARGET=jaeger:4319\n"), n003);
    for unknown in [
        "    environment: [TARGET]\n",
        "    environment: {TARGET: '${TARGET}'}\n",
        "    environment: {TARGET: 'jaeger:${PORT}'}\n",
        "    env_file: {path: none.env, required: false}\n",
        "    environment: {TARGET: 'jaeger:4317'}\n",
    ] {
        assert!(of(unknown, "").is_empty(), "{unknown}");
    }
    // What a file that is not here may set, no default stands for.
    let with_default = collector("${env:TARGET:-jaeger:4319}");
    let of = |more: &str| found([(COMPOSE, &compose(CONTRIB, more)), (OTEL, &with_default)]);
    assert_eq!(of(""), ["N003 d/otel.yaml ${env:TARGET:-jaeger:4319}"]);
    assert!(of("    env_file: none.env\n").is_empty());
}

#[test]
fn a_secret_of_the_environment_is_no_literal_in_the_configuration() {
    let headers = "    headers:\n      authorization: ${env:TOKEN}\n    tls:\n";
    let config = collector("jaeger:4317").replace("    tls:\n", headers);
    let env = "    environment: {TOKEN: 'Bearer 8f14e45fceea167a5a36dedd4bea2543'}\n";
    let of = |config: &str, env: &str| found([(COMPOSE, &compose(CONTRIB, env)), (OTEL, config)]);
    let written = config.replace("${env:TOKEN}", "Bearer 8f14e45fceea167a5a36dedd4bea2543");
    assert_eq!(of(&written, "").len(), 1);
    // It is one where it is written, and there only.
    let found = of(&config, env);
    assert!(matches!(found.as_slice(), [one] if one.starts_with("X001 d/compose.yaml")), "{found:?}");
    assert!(of(&config, "    environment: {TOKEN: '${TOKEN}'}\n").is_empty());
}

#[test]
fn overrides() {
    // It adds a mount, in place of the other one.
    let over = "services:\n  otel:\n    environment: [A=1]\n    volumes: ['./other.yaml:/etc/otel.yaml']\n";
    let base = compose(CONTRIB, "");
    let of = |over: &str, endpoint: &str| {
        let other = collector(endpoint);
        found([
            (COMPOSE, &base),
            ("d/compose.override.yaml", over),
            ("d/other.yaml", &other),
            (OTEL, &collector("jaeger:4317")),
        ])
    };
    assert!(of(over, "jaeger:4317").is_empty());
    assert_eq!(of(over, "jaeger:4319"), ["N003 d/other.yaml jaeger:4319"]);
    // Without it the other file is by itself.
    let without = of("services: {otel: {volumes: !reset []}}\n", "jaeger:4319");
    assert_eq!(without, ["C002 d/compose.yaml --config=/etc/otel.yaml"]);
    let replaced = over.replace("volumes: [", "volumes: !override [");
    assert_eq!(of(&replaced, "jaeger:4319"), ["N003 d/other.yaml jaeger:4319"]);
}

#[test]
fn included_and_extended_files() {
    let config = collector("jaeger:4319");
    let main =
        "include:\n  - path: otel/compose.yaml\nservices:\n  jaeger:\n    image: jaegertracing/all-in-one:1.53\n";
    let part =
        format!("services:\n  otel:\n    image: {CONTRIB}\n    command: [--config=/c]\n    volumes: [./o.yaml:/c]\n");
    let files = [("d/docker-compose.yml", main), ("d/otel/compose.yaml", &part), ("d/otel/o.yaml", &config)];
    assert_eq!(found(files), ["N003 d/otel/o.yaml jaeger:4319"]);

    let main = "services:\n  otel:\n    extends: {file: common/c.yml, service: collector}\n    command: \
                [--config=/etc/otel.yaml]\n    volumes: [./otel.yaml:/etc/otel.yaml]\n  jaeger:\n    extends: base\n  \
                base:\n    image: jaegertracing/all-in-one:1.53\n";
    let common = format!("services:\n  collector:\n    image: {CONTRIB}\n    volumes: [./x:/x]\n");
    let files = [("d/docker-compose.yml", main), ("d/common/c.yml", &common), (OTEL, &config)];
    assert_eq!(found(files), ["N003 d/otel.yaml jaeger:4319"]);
    // What it extends is not here.
    assert!(found([("d/docker-compose.yml", main), (OTEL, &config)]).is_empty());
    // Round and round.
    let round = "services:\n  a: {extends: b}\n  b: {extends: a, image: x}\ninclude: [compose.yaml]\n";
    assert!(found([(COMPOSE, round)]).is_empty());
}

#[test]
fn anchors_and_extension_fields() {
    let text = format!(
        "x-otel: &otel\n  image: {CONTRIB}\n  command: [--config=/etc/otel.yaml]\nservices:\n  otel:\n    <<: *otel\n    \
         volumes: [./otel.yaml:/etc/otel.yaml]\n  jaeger:\n    profiles: [debug]\n    image: \
         jaegertracing/all-in-one:1.53\n"
    );
    assert_eq!(found([(COMPOSE, &text), (OTEL, &collector("jaeger:4319"))]), ["N003 d/otel.yaml jaeger:4319"]);
}

/// A project whose compose file holds the configuration of its collector.
fn inline(text: &str) -> String {
    let text = text.lines().map(|line| format!("      {line}")).collect::<Vec<_>>().join("\n");
    format!(
        "services:\n  otel:\n    image: {CONTRIB}\n    command: [--config=/etc/o.yaml]\n    configs: [{{source: c, \
         target: /etc/o.yaml}}]\n  jaeger:\n    image: jaegertracing/all-in-one:1.53\nconfigs:\n  c:\n    content: \
         |\n{text}\n"
    )
}

#[test]
fn a_configuration_inside_of_the_compose_file_is_found_where_it_stands() {
    let file = inline(&collector("jaeger:4319"));
    let all = checked([(COMPOSE, &file)]);
    let finding = all.diagnostics.iter().find(|it| it.rule.code == "N003").expect("found");
    let span = finding.primary.as_ref().expect("a place").span;
    assert_eq!(all.sources.slice(span), "jaeger:4319");
    assert_eq!(file.lines().nth(all.sources.start(span).line - 1), Some("          endpoint: jaeger:4319"));
    // Compose takes one `$` of two.
    assert_eq!(found([(COMPOSE, &inline(&collector("$${env:NOWHERE}")))]), ["E002 d/compose.yaml $${env:NOWHERE}"]);
    // It is not by itself what it is only there.
    let other = found([(COMPOSE, &file.replace("/etc/o.yaml]", "/etc/other.yaml]"))]);
    assert_eq!(other, ["C002 d/compose.yaml --config=/etc/other.yaml"]);
    // In a variable.
    let variable = file
        .replace("--config=/etc/o.yaml", "--config=env:OTEL")
        .replace("configs: [{source: c, target: /etc/o.yaml}]", "environment: {OTEL: 'a: 1'}");
    assert_eq!(found([(COMPOSE, &variable)])[0], "R004 d/compose.yaml 'a: 1'");
}

#[test]
fn in_networks_that_are_shared_others_reach_localhost() {
    // On the host's network `localhost` is where others reach it.
    let loopback = collector("jaeger:4317").replace("0.0.0.0:4317", "localhost:4317");
    let ports = "    ports: ['4317:4317']\n";
    let of = |more: &str| found([(COMPOSE, &compose(CONTRIB, more)), (OTEL, &loopback)]);
    assert_eq!(of(ports), ["N001 d/otel.yaml localhost:4317"]);
    assert_eq!(of(&format!("{ports}    network_mode: host\n")), ["C005 d/otel.yaml jaeger:4317"]);
    // Where both take OTLP on one port, only one of them does.
    assert_eq!(of(&format!("{ports}    network_mode: service:jaeger\n")), ["N008 d/compose.yaml jaeger"]);
}

#[test]
fn one_file_of_two_projects_is_reported_once() {
    let base = compose(CONTRIB, "");
    let files = [(COMPOSE, base.as_str()), ("d/compose.prod.yaml", &base), (OTEL, &collector("jaeger:4319"))];
    assert_eq!(found(files), ["N003 d/otel.yaml jaeger:4319"]);
}

#[test]
fn files_outside_of_the_folder_belong_to_it_when_they_are_mounted() {
    for mounted in ["../conf/otel.yaml:", "${PWD}/../conf/otel.yaml:"] {
        let compose =
            compose(CONTRIB, "").replace("[./otel.yaml:/etc/otel.yaml]", &format!("['{mounted}/etc/otel.yaml']"));
        let files = [(COMPOSE, compose.as_str()), ("conf/otel.yaml", &collector("jaeger:4319"))];
        assert_eq!(found(files), ["N003 conf/otel.yaml jaeger:4319"], "{mounted}");
    }
}

#[test]
fn alternatives_do_not_meet() {
    let two = |one: &str, other: &str| {
        let text = format!(
            "services:\n  a:\n    image: nginx:1\n    ports: ['80:80']\n{one}  b:\n    image: nginx:1\n    ports: \
             ['80:80']\n{other}"
        );
        found([(COMPOSE, &text)])
    };
    assert_eq!(two("", ""), ["N008 d/compose.yaml '80:80'"]);
    let (dev, prod) = ("    profiles: [dev]\n", "    profiles: [prod]\n");
    assert_eq!(two(dev, dev).len(), 1);
    assert!(two(dev, prod).is_empty());
    // One name, two services: which one answers is not known.
    let text = format!(
        "services:\n  otel:\n    image: {CONTRIB}\n    command: [--config=/c.yaml]\n    volumes: \
         [./otel.yaml:/c.yaml]\n  a:\n    image: jaegertracing/all-in-one:1.53\n    hostname: jaeger\n  b:\n    image: \
         grafana/tempo:2.4.0\n    hostname: jaeger\n"
    );
    assert!(found([(COMPOSE, &text), (OTEL, &collector("jaeger:4319"))]).is_empty());
    // A port that two files publish is published once.
    let base = "services: {a: {image: 'nginx:1', ports: ['80:80']}}\n";
    assert!(found([(COMPOSE, base), ("d/compose.override.yaml", base)]).is_empty());
}

#[test]
fn what_runs_no_times_meets_nobody() {
    let two = |more: &str, env: &str| {
        let text = format!(
            "services:\n  a:\n    image: nginx:1\n    ports: ['80:80']\n  b:\n    image: nginx:1\n    ports: \
             ['80:80']\n{more}"
        );
        found([(COMPOSE, &text), ("d/.env", env)])
    };
    for none in [
        "    deploy: {replicas: 0}\n",
        "    scale: 0\n",
        "    deploy: {replicas: $N}\n",
        "    deploy:\n      replicas: \"${N:-1}\"\n",
        "    scale: ${NONE:-0}\n",
    ] {
        assert!(two(none, "N=0\n").is_empty(), "{none}");
    }
    // What is not known, and what is.
    for one in ["    deploy: {replicas: $NONE}\n", "    deploy: {replicas: 1}\n", "    scale: ${N:-0}\n"] {
        assert_eq!(two(one, "N=2\n"), ["N008 d/compose.yaml '80:80'"], "{one}");
    }
    // Whether anything answers there is not known.
    let of = |more: &str| {
        let text = format!("{}{more}", compose(CONTRIB, ""));
        found([(COMPOSE, &text), (OTEL, &collector("jaeger:4319"))])
    };
    assert!(of("    deploy: {replicas: 0}\n").is_empty());
    assert_eq!(of("    deploy: {replicas: 1}\n"), ["N003 d/otel.yaml jaeger:4319"]);
    // The one that is to dial does not run.
    let asleep = compose(CONTRIB, "    scale: 0\n");
    assert!(found([(COMPOSE, &asleep), (OTEL, &collector("jaeger:4319"))]).is_empty());
    // Its configuration is judged all the same.
    let wrong = collector("jaeger:4317").replace("exporters: [otlp]", "exporters: [otlq]");
    let text = compose(CONTRIB, "    scale: 0\n");
    assert_eq!(found([(COMPOSE, &text), (OTEL, &wrong)]), ["P005 d/otel.yaml otlp", "P001 d/otel.yaml otlq"]);
}

/// A project of a collector that sends to an address, and whatever else.
fn with(more: &str, endpoint: &str) -> Vec<String> {
    let compose = format!(
        "services:\n  otel:\n    image: {CONTRIB}\n    command: [--config=/etc/otel.yaml]\n    volumes: \
         [./otel.yaml:/etc/otel.yaml]\n{more}"
    );
    found([(COMPOSE, &compose), (OTEL, &collector(endpoint))])
}

const JAEGER: &str = "  jaeger:\n    image: jaegertracing/all-in-one:1.53\n";

#[test]
fn names_mean_what_they_mean_in_the_networks_of_whoever_dials() {
    let apart = format!("    networks: [a]\n{JAEGER}    networks: [b]\n");
    assert_eq!(with(&apart, "jaeger:4317"), ["C005 d/otel.yaml jaeger:4317"]);
    let both = format!("    networks: [a, b]\n{JAEGER}    networks: [b]\n");
    assert!(with(&both, "jaeger:4317").is_empty());
    // Two that go by one name: the one in the same network answers.
    let two = format!(
        "    networks: [a]\n{JAEGER}    networks: {{b: {{aliases: [traces]}}}}\n  tempo:\n    image: \
         jaegertracing/all-in-one:1.53\n    networks: {{a: {{aliases: [traces]}}}}\n"
    );
    assert!(with(&two, "traces:4317").is_empty());
    assert_eq!(with(&two, "traces:4319"), ["N003 d/otel.yaml traces:4319"]);
    // An address of its own stands for the name.
    let pinned = format!("    extra_hosts: ['jaeger:10.0.0.1']\n{JAEGER}");
    assert!(with(&pinned, "jaeger:4319").is_empty());
}

#[test]
fn services_may_share_a_network_of_one_of_them() {
    let beside =
        format!("{JAEGER}    network_mode: service:otel\n    environment: {{COLLECTOR_OTLP_ENABLED: 'false'}}\n");
    // On one `localhost`; nobody knows it by its own name; others dial it by the other's.
    assert_eq!(with(&beside, "localhost:14250"), ["N002 d/otel.yaml localhost:14250"]);
    assert_eq!(with(&beside, "jaeger:14250"), ["C005 d/otel.yaml jaeger:14250"]);
    let third = format!(
        "  side:\n    image: jaegertracing/all-in-one:1.53\n    network_mode: service:web\n  web:\n    image: acme/web:1\n{JAEGER}"
    );
    assert!(with(&third, "web:4317").is_empty());
    assert!(with(&third, "web:9999").is_empty(), "nobody knows what `web` listens on");
}

#[test]
fn what_is_built_here_is_known_by_what_it_starts_from() {
    let of = |dockerfile: &str, service: &str| {
        let compose = format!("services:\n  otel:\n    build: {service}\n");
        found([(COMPOSE, &compose), (OTEL, LOGGING), ("d/img/Dockerfile", dockerfile)])
    };
    let base = "FROM otel/opentelemetry-collector-contrib:${TAG:-0.120.0}\n";
    let copied = format!("ARG TAG=0.120.0\n{base}COPY otel.yaml /etc/otel.yaml\nCMD [\"--config=/etc/otel.yaml\"]\n");
    let here = "{context: ., dockerfile: img/Dockerfile}";
    assert_eq!(of(&copied, here), REMOVED);
    assert!(of(&copied, "{context: ., dockerfile: img/Dockerfile, args: {TAG: 0.100.0}}").is_empty());
    // What it is given may be anywhere.
    assert!(of(base, here).is_empty());
    assert!(of("FROM alpine\nCOPY otel.yaml /etc/otel.yaml\n", here).is_empty());
}

#[test]
fn lines_of_a_shell_start_programs_too() {
    let of = |entry: &str| {
        let compose = format!(
            "services:\n  otel:\n    image: {CONTRIB}\n    entrypoint: {entry}\n    volumes: [./otel.yaml:/etc/otel.yaml]\n"
        );
        found([(COMPOSE, &compose), (OTEL, LOGGING)])
    };
    assert_eq!(of("[sh, -c, 'mkdir /x && exec /otelcol-contrib --config=/etc/otel.yaml']"), REMOVED);
    // It may read whatever it likes.
    assert!(of("[/start.sh]").is_empty());
}

#[test]
fn a_project_may_be_made_of_the_files_that_env_names() {
    let image = "services:\n  otel:\n    image: otel/opentelemetry-collector-contrib:0.120.0\n";
    let rest =
        "services:\n  otel:\n    command: [--config=/etc/otel.yaml]\n    volumes: [./otel.yaml:/etc/otel.yaml]\n";
    let files = [("d/base.yml", image), ("d/more.yml", rest), (OTEL, LOGGING)];
    assert_eq!(found([files[0], files[1], files[2], ("d/.env", "COMPOSE_FILE=base.yml:more.yml\n")]), REMOVED);
    let split = "COMPOSE_PATH_SEPARATOR=;\nCOMPOSE_FILE=base.yml;./more.yml\n";
    assert_eq!(found([files[0], files[1], files[2], ("d/.env", split)]), REMOVED);
}

#[test]
fn what_compose_fills_in_at_run_time_is_none_of_the_containers_variables() {
    let project = |set: &str| {
        format!(
            "services:\n  c:\n    image: otel/opentelemetry-collector-contrib:0.135.0\n    command: ['--config=/etc/c.yaml', \
             '--set=exporters.otlp.endpoint={set}']\n    configs: [{{source: c, target: /etc/c.yaml}}]\nconfigs:\n  \
             c:\n    content: |\n      receivers: {{otlp: {{protocols: {{grpc: {{endpoint: '0.0.0.0:4317'}}}}}}}}\n      \
             exporters: {{otlp: {{endpoint: '{set}'}}}}\n      service: {{pipelines: {{traces: {{receivers: [otlp], \
             exporters: [otlp]}}}}}}\n"
        )
    };
    assert_eq!(found([(COMPOSE, project("${SOMEBODYS_SHELL}:4317").as_str())]), [""; 0]);
    let inside = "E002 d/compose.yaml \"--set=exporters.otlp.endpoint=$${INSIDE}:4317\"";
    let inside = inside.replace('"', "'");
    assert!(found([(COMPOSE, project("$${INSIDE}:4317").as_str())]).contains(&inside));
}

#[test]
fn compose_reads_every_dollar_first() {
    let inline = |content: &str| {
        let compose = format!(
            "services:\n  otel:\n    image: {CONTRIB}\n    environment: {{GATEWAY: 'jaeger:4317'}}\n    command: \
             [--config=/etc/otel.yaml]\n    configs: [{{source: otel, target: /etc/otel.yaml}}]\n{JAEGER}configs:\n  otel:\n    \
             content: |\n      {content}\n"
        );
        found([(COMPOSE, &compose)])
    };
    let exporter = |endpoint: &str| {
        format!(
            "receivers: {{otlp: {{protocols: {{grpc: }}}}}}\n      exporters: {{otlp: {{endpoint: '{endpoint}', tls: {{insecure: \
             true}}}}}}\n      service: {{pipelines: {{traces: {{receivers: [otlp], exporters: [otlp]}}}}}}"
        )
    };
    assert_eq!(inline(&exporter("${env:GATEWAY}"))[0], "E003 d/compose.yaml ${env:GATEWAY}");
    assert_eq!(inline(&exporter("${GATEWAY}"))[0], "E003 d/compose.yaml ${GATEWAY}");
    assert!(inline(&exporter("$${env:GATEWAY}")).is_empty());
    // Every `$` that compose does not understand is doubled, and nothing else.
    let before = "services:\n  a:\n    image: x\n    command: >-\n      a $1 $$2\n      ${env:X} $B ${C:-$D}\n    labels: \
                  {l: '^(.*)$'}\n";
    let after = before.replace("${env", "$${env");
    let all = checked([(COMPOSE, before)]);
    let fixes = all.diagnostics.iter().filter_map(|it| it.fix.as_ref());
    let edits: Vec<_> = fixes.flat_map(|fix| &fix.edits).collect();
    assert_eq!(telstack_diagnostics::apply(before, &edits), after);
    // What stands once is said once, however many name it.
    let named = "x-a: &a '${env:X}'\nservices:\n  a: {image: x, command: *a}\n  b: {image: x, command: *a}\n";
    assert_eq!(found([(COMPOSE, named)]), ["E003 d/compose.yaml ${env:X}"]);
    let all = checked([(COMPOSE, named)]);
    let help = all.diagnostics.iter().flat_map(|it| &it.help).next().expect("a way out");
    assert!(help.starts_with("write `$${env:X}`"), "{help}");
    assert!(found([(COMPOSE, &named.replace("{env:X}", "(date)"))]).is_empty());
}

#[test]
fn what_compose_fills_in_both_for_a_container_and_its_command() {
    let service = |name: &str, user: &str, probe: &str| {
        format!("  {name}:\n    image: example.com/db:1\n    environment: {{DB_USER: {user}}}\n    command: {probe}\n")
    };
    let other = service("other", "admin", "serve");
    let both = |user: &str, probe: &str| {
        let compose = format!("services:\n{}{other}", service("db", user, probe));
        found([(COMPOSE, compose.as_str())])
    };
    // Its own variable comes from where the command's does; that another container has one of that name is its affair.
    assert_eq!(both("'${DB_USER}'", "ready -U ${DB_USER}"), Vec::<String>::new());
    assert_eq!(both("admin", "ready -U ${DB_USER}"), ["E003 d/compose.yaml ${DB_USER}"]);
    assert_eq!(both("admin", "ready -U $${DB_USER}"), Vec::<String>::new());
}

#[test]
fn each_service_reads_its_own_variable() {
    let service = |name: &str, endpoint: &str| {
        let config = collector(endpoint).replace('\n', "\n        ");
        format!(
            "  {name}:\n    image: {CONTRIB}\n    command: [--config=env:CONFIG]\n    environment:\n      CONFIG: \
             |\n        {config}\n"
        )
    };
    let of = |second: &str| {
        let compose = format!("services:\n{}{}{JAEGER}", service("one", "jaeger:4317"), service("two", second));
        let found = checked([(COMPOSE, &compose)]).diagnostics;
        found.into_iter().filter(|it| it.rule.code == "N003").map(|it| it.message).collect::<Vec<_>>()
    };
    assert!(of("jaeger:4317").is_empty());
    let wrong = of("jaeger:4319");
    assert!(wrong.len() == 1 && wrong[0].contains("`two`"), "{wrong:?}");
}

#[test]
fn later_configurations_replace_lists() {
    let compose = |more: &str| {
        format!(
            "services:\n  otel:\n    image: {CONTRIB}\n    command: [--config=/a.yaml, --config=/b.yaml{more}]\n    volumes: \
             ['./a.yaml:/a.yaml', './b.yaml:/b.yaml']\n{JAEGER}"
        )
    };
    let base = collector("jaeger:4317");
    let over =
        |list: &str| format!("exporters:\n  debug:\nservice:\n  pipelines:\n    traces:\n      exporters: {list}\n");
    let of = |list: &str, more: &str| {
        let found = found([(COMPOSE, &compose(more)), ("d/a.yaml", &base), ("d/b.yaml", &over(list))]);
        found.into_iter().filter(|it| it.starts_with('E')).collect::<Vec<_>>()
    };
    assert_eq!(of("[debug]", ""), ["E004 d/b.yaml [debug]"]);
    assert!(of("[otlp, debug]", "").is_empty());
    let appended = ", --feature-gates=confmap.enableMergeAppendOption";
    assert!(of("[debug]", appended).is_empty());
    assert!(of("[debug]", ", --feature-gates, '+confmap.enableMergeAppendOption,-some.other'").is_empty());
    assert_eq!(of("[debug]", ", --feature-gates=-confmap.enableMergeAppendOption").len(), 1);
    // What is named before stays, and is used.
    let all = found([(COMPOSE, &compose(appended)), ("d/a.yaml", &base), ("d/b.yaml", &over("[debug]"))]);
    assert_eq!(all, [""; 0]);
    // An empty file adds nothing, and takes nothing.
    let empty = found([(COMPOSE, &compose(appended)), ("d/a.yaml", &base), ("d/b.yaml", "# later\n")]);
    assert_eq!(empty, [""; 0]);
}

#[test]
fn one_configuration_of_several_services_is_said_once() {
    let service = |name: &str, file: &str| {
        format!(
            "  {name}:\n    image: {CONTRIB}\n    command: [--config=/etc/otel.yaml]\n    volumes: \
             ['./{file}:/etc/otel.yaml']\n"
        )
    };
    let of = |second: &str| {
        let compose = format!("services:\n{}{}{JAEGER}", service("one", "otel.yaml"), service("two", second));
        let (mine, its) = (collector("jaeger:4319"), collector("jaeger:4319"));
        checked([(COMPOSE, &compose), (OTEL, &mine), ("d/other.yaml", &its)]).diagnostics
    };
    let shared: Vec<_> = of("otel.yaml").into_iter().filter(|it| it.rule.code == "N003").collect();
    assert_eq!(shared.len(), 1, "{shared:?}");
    assert!(shared[0].message.contains("`one`"), "{}", shared[0].message);
    assert!(shared[0].notes.iter().any(|it| it.contains("`two`")), "{:?}", shared[0].notes);
    // Two files are two causes.
    assert_eq!(of("other.yaml").iter().filter(|it| it.rule.code == "N003").count(), 2);
}
