//! Texts.

use super::{big, check, expect};

const STACK: &str = "a.stack.kdl";
const CONFIG: &str = "a.yaml";

/// A valid configuration, with more in front.
fn config(more: &str) -> String {
    format!(
        "{more}receivers:\n  otlp:\n    protocols:\n      grpc:\nexporters:\n  debug:\nservice:\n  pipelines:\n    \
         traces:\n      receivers: [otlp]\n      exporters: [debug]\n"
    )
}

fn in_stack(line: &str) -> String {
    format!("stack \"s\" {{\n    platform \"compose\"\n    loki\n    {line}\n}}\n")
}

#[test]
fn ten_megabytes() {
    let size = 10 << 20;
    check(STACK, "a\n".repeat(size / 2), 2, &["larger than the 1 MiB"]);
    check(STACK, "x".repeat(17 << 20), 2, &["larger than the 16 MiB"]);
    check("a.kdl", "{".repeat(size), 2, &["larger than the 1 MiB"]);
    check(CONFIG, "x".repeat(17 << 20), 2, &["larger than the 16 MiB"]);
    // Fewer values than bytes: these are read.
    check(CONFIG, config(&format!("# {}\n", "x".repeat(size))), 0, &[]);
    check(CONFIG, config(&"#\n".repeat(size / 2)), 0, &[]);
    check(CONFIG, config(&format!("x: {}\n", "y".repeat(size))), 1, &["R004"]);
    for piece in ["a: b\n", "[", "\"", "---\n"] {
        check(CONFIG, piece.repeat(size / piece.len()), 1, &[]);
    }
    for piece in ["- a\n", "{", "a: &a *a\n", "'", "|\n", "? ", "!", "&a ", "*a ", "\t"] {
        check(CONFIG, piece.repeat((1 << 20) / piece.len()), 1, &[]);
    }
}

#[test]
fn a_megabyte_of_anything() {
    let times = |piece: &str| piece.repeat(900_000 / piece.len());
    for piece in ["a\n", "{", "a {\n", "a \"b\" c=1;", "\"", "#\"", "/*", "/-", "\\\n", "(", "stack \"s\" {\n"] {
        check(STACK, times(piece), 1, &[]);
    }
    for line in ["loki\n", "collector \"c\" {}\n", "pipeline\n", "let a=1\n", "include \"x\"\n", "versions {}\n"] {
        check(STACK, in_stack(&times(line)), 1, &["more findings"]);
    }
}

#[test]
fn bombs_of_aliases() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for at in 1..10 {
        let items = vec![format!("*a{}", at - 1); 10].join(", ");
        bomb += &format!("a{at}: &a{at} [{items}]\n");
    }
    check(CONFIG, config(&bomb), 1, &["R001", "values"]);
    let mut merged = String::from("a0: &a0 {x: 1}\n");
    for at in 1..40 {
        merged += &format!("a{at}: &a{at} {{<<: [*a{0}, *a{0}], y{at}: *a{0}}}\n", at - 1);
    }
    check(CONFIG, config(&merged), 1, &["R001", "values"]);
    // An anchor on each level keeps a copy of all below.
    let nested: String = (0..200).fold(String::new(), |text, at| text + &format!("&b{at} ["));
    let text = format!("x: {nested}{}{}\n", "y, ".repeat(500_000), "]".repeat(200));
    check(CONFIG, config(&text), 1, &["R001", "values"]);
    // Names in place of aliases are fine.
    check(CONFIG, config("").replace("debug:\n", "debug: &d {verbosity: basic}\n  debug/2: *d\n"), 0, &[]);
}

#[test]
fn anchors_that_hold_themselves() {
    check(CONFIG, config("a: &a [*a]\n"), 1, &["R001", "inside the value"]);
    check(CONFIG, config("a: &a {<<: *a}\n"), 1, &["R001", "inside the value"]);
    check(CONFIG, config("a: *nobody\n"), 1, &["R001"]);
    check(CONFIG, config("").replace("debug:\n", "debug: {<<: 5}\n"), 1, &[]);
    check(CONFIG, config("").replace("debug:\n", "debug: {<<: [{verbosity: basic}, 5]}\n"), 1, &[]);
}

#[test]
fn ten_thousand_deep() {
    let deep = 10_000;
    for open in ["a {\n", "a {", "a { /- b {", "/- a {", "/* ", "(", "stack \"s\" { "] {
        check(STACK, open.repeat(deep), 1, &[]);
    }
    check(STACK, format!("{}{}", "a {\n".repeat(deep), "}\n".repeat(deep)), 1, &[]);
    check(
        STACK,
        in_stack(&format!("collector \"c\" {{ receiver \"otlp\" {{ {}{} }} }}", "a { ".repeat(200), "} ".repeat(200))),
        1,
        &[],
    );
    for (open, close) in [("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", ""), ("!!map {a: ", "}"), ("[[a]: ", "]")] {
        for close in [close, ""] {
            check(CONFIG, format!("{}x{}", open.repeat(deep), close.repeat(deep)), 1, &[]);
        }
    }
    let block: String = (0..3000).fold(String::new(), |text, at| text + &" ".repeat(at) + "a:\n");
    check(CONFIG, block, 1, &["R001", "deep"]);
    check("a.json", format!("{}1{}", "{\"a\":".repeat(deep), "}".repeat(deep)), 1, &[]);
    check(CONFIG, format!("{}1{}", "{\"receivers\":".repeat(deep), "}".repeat(deep)), 1, &[]);
}

#[test]
fn bytes_that_are_no_text() {
    for name in [STACK, CONFIG] {
        check(name, b"stack \"s\" { \xff }\n", 2, &["not UTF-8", "byte 12"]);
        check(name, b"\xfe\xffs\0t\0", 2, &["not UTF-8"]);
        check(name, [0xff; 4096], 2, &["not UTF-8"]);
        check(name, [0; 4096], 1, &[]);
    }
    check(STACK, in_stack("let a=\"\0\""), 1, &["Z001"]);
    check(CONFIG, config("").replace("debug", "de\0bug"), 1, &[]);
}

#[test]
fn every_line_end() {
    for end in ["\n", "\r\n", "\r"] {
        for start in ["", "\u{feff}"] {
            check(STACK, start.to_owned() + &in_stack("").replace('\n', end), 0, &[]);
            check(CONFIG, start.to_owned() + &config("").replace('\n', end), 0, &[]);
            let place = check(STACK, start.to_owned() + &in_stack("lokki").replace('\n', end), 1, &["Z002"]);
            assert!(place.contains("a.stack.kdl:4:5"), "{end:?}: {place}");
            let place =
                check(CONFIG, start.to_owned() + &config("").replace('\n', end).replace("grpc", "grcp"), 1, &[]);
            assert!(place.contains("a.yaml:4:7"), "{end:?}: {place}");
        }
    }
}

#[test]
fn the_same_thing_twice() {
    check(CONFIG, config("").replace("  debug:\n", "  debug:\n  debug:\n"), 1, &["R002"]);
    check(CONFIG, config("") + "receivers:\n  otlp:\n", 1, &["R002"]);
    check(CONFIG, config("").replace("debug:\n", "debug: {verbosity: basic, verbosity: basic}\n"), 1, &["R002"]);
    check(STACK, in_stack("loki"), 1, &["Z005"]);
    check(STACK, in_stack("prometheus { retention \"1d\" retention=1; retention \"2d\" }"), 1, &["Z005"]);
}

#[test]
fn enormous_numbers() {
    for number in
        ["99999999999999999999", "-1", "0", "1e308", "1e999", "0xffffffffffffffffffff", "18446744073709551615"]
    {
        for line in ["durable queue_size=N", "resources cpu=N", "resources memory=\"NGiB\""] {
            let pipeline = "pipeline \"logs\" { from \"otlp\"; to \"loki\" }";
            let text = format!("collector \"c\" {{ receiver \"otlp\"; {pipeline}; {} }}", line.replace('N', number));
            check(STACK, in_stack(&text), 1, &[]);
        }
        for line in [
            "loki \"x\" { retention \"Nd\" }",
            "prometheus { retention \"1d\" size=\"NTiB\" }",
            "versions { loki \"N.0.0\" }",
        ] {
            check(STACK, in_stack(&line.replace('N', number)), 1, &[number]);
        }
        let endpoint = config("").replace("grpc:\n", &format!("grpc: {{endpoint: '0.0.0.0:{number}'}}\n"));
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(CONFIG), endpoint).expect("writable");
        let output = super::bounded(folder.path(), &["check", CONFIG]);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{number}: {}", super::said(&output));
    }
    for (longest, code) in [("292y", 0), ("293y", 1)] {
        check(STACK, in_stack(&format!("jaeger {{ retention \"{longest}\" }}")), code, &[]);
    }
    for (most, code) in [("1024TiB", 0), ("1025TiB", 1)] {
        let text = format!(
            "collector \"c\" {{ receiver \"otlp\"; pipeline \"logs\" {{ from \"otlp\"; to \"loki\" }}; resources memory=\"{most}\" }}"
        );
        check(STACK, in_stack(&text), code, &[]);
    }
}

#[test]
fn long_lines_are_shown_in_part() {
    let long = "x".repeat(900_000);
    for text in [
        in_stack(&format!("lokki // {long}")),
        in_stack(&format!("loki \"{long}\"")),
        in_stack(&format!("/* {long} */ lokki")),
        in_stack(&long),
        in_stack(&format!("loki a{long}=1")),
        in_stack(&format!("collector \"c\" {{ receiver \"{long}\" }}")),
        in_stack(&format!("grafana {{ reads \"{long}\" }}")),
        in_stack(&format!("include \"{long}\"")),
    ] {
        let said = check(STACK, text, 1, &[]);
        assert!(said.len() < 20_000, "{} bytes: {}", said.len(), &said[..2000]);
    }
    let said = check(CONFIG, config(&format!("{long}: 1\n")), 1, &[]);
    assert!(said.len() < 20_000, "{} bytes", said.len());
    let said = check(CONFIG, config("").replace("debug:\n", &format!("debug: {{verbosity: {long}}}\n")), 1, &[]);
    assert!(said.len() < 20_000, "{} bytes", said.len());
}

#[test]
fn thousands_of_findings_are_not_all_shown() {
    let said = check(STACK, in_stack(&"lokki\n".repeat(5000)), 1, &["and 4900 more findings", "--format json"]);
    assert_eq!(said.matches("error[Z002]").count(), 100);
    // Errors come first, whatever stands above them.
    let collector = |at: usize| {
        format!(
            "collector \"c{at}\" {{ receiver \"otlp\"; pipeline \"logs\" {{ from \"otlp\"; to \"nop\" }}; exporter \"nop\" }}\n"
        )
    };
    let many: String = (0..200).map(collector).collect();
    let said = check(STACK, in_stack(&format!("{many} lokki")), 1, &[]);
    assert!(said.contains("error[Z002]"), "{}", &said[..2000]);
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join(STACK), in_stack(&"lokki\n".repeat(5000))).expect("writable");
    let all = super::bounded(folder.path(), &["check", "--format", "json", STACK]);
    assert_eq!(String::from_utf8_lossy(&all.stdout).matches("\"Z002\"").count(), 5000);
}

#[test]
fn thousands_of_slips_are_not_all_searched_for() {
    let collector = |at: usize| {
        format!(
            "collector \"c{at}\" {{ receiver \"otlp\"; pipeline \"logs\" {{ from \"otlp\"; to \"d{}\" }} }}\n",
            at + 1
        )
    };
    let many: String = (0..3000).map(collector).collect();
    check(STACK, in_stack(&many), 1, &["Z006", "did you mean", "and 2900 more findings"]);
}

/// A collector whose sections and pipelines are given.
fn collector(components: &str, pipelines: &str) -> String {
    format!(
        "receivers:\n  otlp:\n    protocols:\n      grpc:\nexporters:\n  debug:\n{components}service:\n  pipelines:\n{pipelines}"
    )
}

#[test]
fn layers_of_connectors() {
    let (layers, mut connectors, mut pipelines) = (1500, String::from("connectors:\n"), String::new());
    for layer in 0..layers {
        for side in ["a", "b"] {
            connectors += &format!("  forward/{side}{layer}:\n");
            let from = match layer {
                0 => "otlp".to_owned(),
                _ => format!("forward/a{0}, forward/b{0}", layer - 1),
            };
            pipelines += &format!(
                "    logs/{side}{layer}:\n      receivers: [{from}]\n      exporters: [forward/{side}{layer}]\n"
            );
        }
    }
    let last = layers - 1;
    let end = format!("    logs/end:\n      receivers: [forward/a{last}, forward/b{last}]\n      exporters: [debug]\n");
    check(CONFIG, collector(&connectors, &(pipelines.clone() + &end)), 0, &[]);
    // The last feeds the first.
    let back = end.replace("[debug]", "[debug, forward/a0]");
    check(CONFIG, collector(&connectors, &(pipelines + &back)), 1, &["P012", "more"]);
}

#[test]
fn thousands_of_components_and_of_references() {
    let (mut declared, mut named) = (String::new(), Vec::new());
    for at in 0..20_000 {
        declared += &format!("  debug/exporter{at}:\n");
        named.push(format!("debug/exporter{at}"));
    }
    let pipeline = |exporters: &str| format!("    logs:\n      receivers: [otlp]\n      exporters: [{exporters}]\n");
    check(CONFIG, collector(&declared, &pipeline(&named.join(", "))), 0, &[]);
    let each: String =
        named.iter().enumerate().map(|(at, it)| pipeline(it).replace("logs:", &format!("logs/{at}:"))).collect();
    check(CONFIG, collector(&declared, &each), 0, &[]);
    let processors = declared.replace("debug/exporter", "batch/p");
    let list = named.join(", ").replace("debug/exporter", "batch/p");
    let pipeline = format!("{}      processors: [{list}]\n", pipeline("debug"));
    check(CONFIG, collector(&format!("processors:\n{processors}"), &pipeline), 0, &[]);
    let slips = named.join(", ").replace("exporter", "exportre");
    let pipeline = format!("    logs:\n      receivers: [otlp]\n      exporters: [{slips}]\n");
    check(CONFIG, collector(&declared, &pipeline), 1, &["P001", "did you mean", "more findings"]);
    // Known under another name, in no release, and in no pipeline.
    for ty in ["logging", "debgu", "otlphttp"] {
        let unused = declared.replace("debug/", &format!("{ty}/"));
        check(CONFIG, collector(&unused, &pipeline.replace(&slips, "debug")), 1, &[]);
    }
}

#[test]
fn references_that_never_close() {
    for (piece, times) in
        [("${", 1 << 20), ("${env:", 100_000), ("$$", 1 << 20), ("${env:A:-${", 50_000), ("${1", 500_000)]
    {
        let text = format!("debug: {{verbosity: \"{}\"}}\n", piece.repeat(times));
        check(CONFIG, config("").replace("debug:\n", &text), 1, &[]);
        let text = format!("debug: {{verbosity: \"{}{}\"}}\n", piece.repeat(times), "}".repeat(times));
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(CONFIG), config("").replace("debug:\n", &text)).expect("writable");
        let output = super::bounded(folder.path(), &["check", CONFIG]);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{piece}: {}", super::said(&output));
    }
}

#[test]
fn nothing_is_said_to_the_terminal_but_text() {
    let bad = "\u{1b}[2J\u{1b}]0;gone\u{7}\u{9b}31m\u{202e}";
    for (name, text) in [
        (STACK, in_stack(&format!("lokki \"{bad}\""))),
        (STACK, in_stack(&format!("loki \"{bad}\""))),
        (STACK, in_stack(&format!("include \"{bad}\""))),
        (STACK, in_stack(&format!("grafana {{ reads \"{bad}\" }}"))),
        (CONFIG, config(&format!("\"{bad}\": 1\n"))),
        (CONFIG, config("\"\\e[2J\\u202e\": 1\n")),
        (CONFIG, config("").replace("receivers: [otlp]", "receivers: [\"\\e[2J\\r\\u009b\"]")),
    ] {
        let said = check(name, text, 1, &[]);
        let obeyed = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}');
        assert!(!said.contains(obeyed), "{said:?}");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let said = expect(folder.path(), &["check", "\u{1b}[2J.stack.kdl"], 2, &["no such file"]);
    assert!(!said.contains('\u{1b}'), "{said:?}");
}

#[test]
fn a_stack_as_large_as_is_read() {
    for shape in [big::Shape::Star, big::Shape::Tiers, big::Shape::Chain] {
        check(STACK, big::stack(shape, 300), 0, &[]);
    }
}
