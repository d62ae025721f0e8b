//! What is reported of what was found, on files in memory.

use std::path::{Path, PathBuf};

use telstack_diagnostics::{Applicability, Change, Edit, Fix, Severity, Span};

use super::*;
use crate::{
    check::check_told,
    files::{MemoryFiles, Mode},
};

/// A configuration with a remark (V006), an error (Y001) and no more.
const CONFIG: &str = "\
# telstack: otelcol=0.159.0
receivers:
  otlp:
    protocols:
      grpc:
processors:
  batch:
    timout: 1s # mine
  memory_limiter: {check_interval: 1s, limit_mib: 400}
exporters:
  otlphttp: # ours
    endpoint: http://gw:4318
service:
  pipelines:
    traces:
      receivers: [otlp]
      processors: [memory_limiter, batch]
      exporters: [otlphttp]
";

fn found(files: &dyn Files, paths: &[&str], policy: &mut Policy<'_>) -> Findings {
    let mut findings = Findings::default();
    for path in paths {
        // Wrong settings are reported, and nothing is assumed by them.
        let told = policy.told(Path::new(path), None, None).unwrap_or_default();
        let compiled = check_told(files, Path::new(path), &told).expect("checked");
        findings.add(&compiled.sources, compiled.diagnostics);
    }
    findings
}

fn by(files: &MemoryFiles, from: SettingsFrom, select: &[&str], ignore: &[&str]) -> Vec<String> {
    let owned = |texts: &[&str]| texts.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
    let chosen = Chosen::new(&owned(select), &owned(ignore)).expect("codes");
    let mut policy = Policy::new(files, from, chosen).expect("settings");
    let mut findings = found(files, &["deploy/otel.yaml"], &mut policy);
    policy.apply(&mut findings);
    let wrong = policy.wrong_settings();
    findings.add(&wrong.sources, wrong.diagnostics);
    told(&findings)
}

fn told(findings: &Findings) -> Vec<String> {
    let place = |it: &Diagnostic| {
        it.primary.as_ref().map(|label| findings.sources.slice(label.span)).unwrap_or_default().to_owned()
    };
    findings.diagnostics.iter().map(|it| format!("{} {} {}", it.severity, it.rule.code, place(it))).collect()
}

fn with_settings(settings: &str) -> Vec<String> {
    let files = MemoryFiles::new([("deploy/otel.yaml", CONFIG), ("/telstack.toml", settings)]);
    by(&files, SettingsFrom::Nearest, &[], &[])
}

const Y001: &str = "error Y001 timout";
const V006: &str = "info V006 otlphttp";

#[test]
fn codes_are_selected_and_ignored() {
    let files = MemoryFiles::new([("deploy/otel.yaml", CONFIG)]);
    let by = |select: &[&str], ignore: &[&str]| by(&files, SettingsFrom::Nearest, select, ignore);
    assert_eq!(by(&[], &[]), [Y001, V006]);
    assert_eq!(by(&["Y"], &[]), [Y001]);
    assert_eq!(by(&["all"], &["deprecated-alias"]), [Y001]);
    assert_eq!(by(&["V006"], &["V006"]), [""; 0]);
    assert_eq!(Chosen::new(&["W".to_owned()], &[]).err().as_deref(), Some("W"));
}

#[test]
fn settings_say_what_is_reported_and_how_bad_it_is() {
    assert_eq!(with_settings("select = ['V']"), [V006]);
    assert_eq!(with_settings("ignore = ['unknown-setting']"), [V006]);
    assert_eq!(
        with_settings("[severity]\nY = 'info'\nY001 = 'warning'\nALL = 'error'"),
        ["warning Y001 timout", "error V006 otlphttp"]
    );
    assert_eq!(with_settings("[per-path-ignores]\n'deploy/*' = ['V006']"), [Y001]);
    assert_eq!(with_settings("[per-path-ignores]\n'*' = ['V006']"), [Y001, V006], "`*` stays in its folder");
    assert_eq!(with_settings("[per-path-ignores]\n'**' = ['V006']"), [Y001]);
}

#[test]
fn settings_say_which_collector_runs_what() {
    assert_eq!(with_settings("[[collector]]\nversion = '0.120.0'"), [Y001], "the new name came later");
    assert_eq!(with_settings("[[collector]]\npaths = ['x/**']\nversion = '0.120.0'"), [Y001, V006]);
    assert_eq!(with_settings("[[collector]]\npaths = ['deploy/**']\nversion = '0.120.0'"), [Y001]);
}

/// A setting of Loki that came with 3.0.
const LOKI: &str = "schema_config:\n  configs: []\nlimits_config:\n  discover_service_name: [app]\n";

#[test]
fn settings_say_which_release_of_a_product_reads_what() {
    const WRONG: &str = "error V003 discover_service_name";
    let of = |settings: &str, remark: &str| {
        let files = MemoryFiles::new([("loki/loki.yaml", &*format!("{remark}{LOKI}")), ("/telstack.toml", settings)]);
        let chosen = Chosen::new(&["V".to_owned()], &[]).expect("codes");
        let mut policy = Policy::new(&files, SettingsFrom::Nearest, chosen).expect("settings");
        let mut findings = found(&files, &["loki/loki.yaml"], &mut policy);
        policy.apply(&mut findings);
        told(&findings)
    };
    let product = |name: &str, version: &str| format!("[[product]]\nname = '{name}'\nversion = '{version}'\n");
    assert_eq!(of("", ""), [""; 0], "nothing says which release it is");
    assert_eq!(of(&product("loki", "2.9.8"), ""), [WRONG]);
    assert_eq!(of(&product("loki", "v3.4.2"), ""), [""; 0]);
    assert_eq!(of(&product("tempo", "2.9.0"), ""), [""; 0], "of another product");
    let of_path = |glob: &str| format!("{}paths = ['{glob}']\n", product("loki", "2.9.8"));
    assert_eq!(of(&of_path("loki/**"), ""), [WRONG]);
    assert_eq!(of(&of_path("old/**"), ""), [""; 0]);
    assert_eq!(of(&format!("{}{}", of_path("loki/**"), product("loki", "3.4.2")), ""), [WRONG], "the first counts");
    // The file itself is nearer.
    assert_eq!(of(&product("loki", "2.9.8"), "# telstack: loki=3.4.2\n"), [""; 0]);
    assert_eq!(of(&product("loki", "3.4.2"), "# telstack: loki=2.9.8\n"), [WRONG]);
}

#[test]
fn a_manifest_says_what_a_distribution_holds() {
    let by_manifest = |manifest: &str| {
        let settings = "[[collector]]\ndistribution = 'ours'\n[distributions.ours]\nmanifest = 'build/builder.yaml'";
        let files = MemoryFiles::new([
            ("deploy/otel.yaml", CONFIG),
            ("/telstack.toml", settings),
            ("build/builder.yaml", manifest),
        ]);
        by(&files, SettingsFrom::Nearest, &[], &[])
    };
    let module = |kind: &str, name: &str| format!("- gomod: go.opentelemetry.io/collector/{kind}/{name} v0.120.0\n");
    let some = format!(
        "receivers:\n{}exporters:\n{}",
        module("receiver", "otlpreceiver"),
        module("exporter", "otlphttpexporter")
    );
    let limiter = module("processor", "memorylimiterprocessor");
    let batch = format!("processors:\n{}{limiter}", module("processor", "batchprocessor"));
    assert_eq!(by_manifest(&format!("{some}{batch}")), [Y001], "at 0.120.0 there is no newer name");
    assert_eq!(by_manifest(&some), ["error V002 batch", "error V002 memory_limiter"]);
    assert_eq!(by_manifest(&format!("{some}processors:\n- gomod: example.com/ours v1.0.0\n")), [""; 0]);
    assert_eq!(by_manifest("a: 1"), [Y001, V006, "error U007 'build/builder.yaml'"]);
}

#[test]
fn what_is_wrong_with_settings_is_said_at_its_place() {
    let wrong = |settings: &str| {
        let all = with_settings(settings);
        all.into_iter().filter(|it| it != Y001 && it != V006).collect::<Vec<_>>()
    };
    assert_eq!(wrong("selct = ['V']"), ["error U006 selct"]);
    assert_eq!(
        wrong("[[collector]]\nverson = '1'\n[distributions.x]\nmanifest = 'a'\npath = 1"),
        ["error U006 verson", "error U007 'a'", "error U006 path"]
    );
    assert_eq!(wrong("select = 'V'"), ["error U005 'V'"]);
    assert_eq!(wrong("select = ["), ["error U005 "]);
    assert_eq!(wrong("ignore = ['V0006']"), ["warning U003 'V0006'"]);
    assert_eq!(wrong("[severity]\nV006 = 'bad'"), ["error U005 'bad'"]);
    assert_eq!(wrong("[severity]\nV0006 = 'info'"), ["warning U003 V0006"]);
    assert_eq!(wrong("[per-path-ignores]\n'a[' = ['V006']"), ["error U005 'a['"]);
    assert_eq!(wrong("[[collector]]\nversion = '0.76.0'"), ["error U005 '0.76.0'"]);
    assert_eq!(wrong("[[collector]]\ndistribution = 'contirb'"), ["error U005 'contirb'"]);
    let product = |name: &str, version: &str| wrong(&format!("[[product]]\nname = '{name}'\nversion = '{version}'"));
    assert_eq!(product("lokki", "3.4.2"), ["error U005 'lokki'"]);
    assert_eq!(product("otelcol", "0.135.0"), ["error U005 'otelcol'"]);
    assert_eq!(product("loki", "3.44.2"), ["error U005 '3.44.2'"]);
    assert_eq!(product("loki", "latest"), ["error U005 'latest'"]);
    assert_eq!(wrong("[[product]]\nname = 'loki'").len(), 1, "which release?");
    // Settings cannot silence what is wrong with them.
    assert!(wrong("ignore = ['ALL']\nselct = 1").contains(&"error U006 selct".to_owned()));
}

#[test]
fn the_nearest_settings_count_up_to_the_root_of_the_repository() {
    let everything = "select = ['V']";
    let nearer = MemoryFiles::new([
        ("deploy/otel.yaml", CONFIG),
        ("/telstack.toml", everything),
        ("/deploy/telstack.toml", "select = ['Y']"),
    ]);
    assert_eq!(by(&nearer, SettingsFrom::Nearest, &[], &[]), [Y001]);
    let root =
        MemoryFiles::new([("deploy/otel.yaml", CONFIG), ("/telstack.toml", everything), ("/deploy/.git", "gitdir: x")]);
    assert_eq!(by(&root, SettingsFrom::Nearest, &[], &[]), [Y001, V006]);
    assert_eq!(by(&nearer, SettingsFrom::Nothing, &[], &[]), [Y001, V006]);
    assert_eq!(by(&nearer, SettingsFrom::File(PathBuf::from("/telstack.toml")), &[], &[]), [V006]);
    assert!(Policy::new(&nearer, SettingsFrom::File(PathBuf::from("x.toml")), Chosen::default()).is_err());
}

fn suppressed(text: &str) -> Vec<String> {
    by(&MemoryFiles::new([("deploy/otel.yaml", text)]), SettingsFrom::Nearest, &[], &[])
}

#[test]
fn comments_ignore_what_they_name_on_their_line_or_the_next() {
    let line = |comment: &str| suppressed(&CONFIG.replace("# mine", comment));
    assert_eq!(line("# telstack: ignore[Y001] an old fork takes it"), [V006]);
    assert_eq!(
        line("# telstack: ignore[unknown-setting, Y002] why"),
        [V006, "warning U001 # telstack: ignore[unknown-setting, Y002] why"]
    );
    let above = |comment: &str| suppressed(&CONFIG.replace("    timout", &format!("{comment}\n    timout")));
    assert_eq!(above("    # telstack: ignore[Y001] why"), [V006]);
    assert_eq!(above("# telstack: ignore[Y001] why\n\n    # another remark"), [V006]);
    let file = |comment: &str| suppressed(&format!("{comment}\n{CONFIG}"));
    assert_eq!(file("# telstack: ignore-file[Y001, V006] a fixture"), [""; 0]);
    assert_eq!(file("# telstack: ignore[Y001] why"), [Y001, V006, "warning U001 # telstack: ignore[Y001] why"]);
}

#[test]
fn comments_that_do_nothing_are_told() {
    let line = |comment: &str| {
        let all = suppressed(&CONFIG.replace("# mine", comment));
        all.into_iter().filter(|it| it != Y001 && it != V006).collect::<Vec<_>>()
    };
    assert_eq!(line("# telstack: ignore[Y001]"), ["warning U002 # telstack: ignore[Y001]"]);
    assert_eq!(line("# telstack: ignore[Y001] --"), ["warning U002 # telstack: ignore[Y001] --"]);
    assert_eq!(line("# telstack: ignore[Y0001] why"), ["warning U003 Y0001"]);
    assert_eq!(line("# telstack: ignore Y001 why"), ["warning U004 # telstack: ignore Y001 why"]);
    assert_eq!(line("# telstack: ignroe[Y001] why"), ["warning U004 ignroe"]);
    assert_eq!(line("# telstack: ignore[] why"), ["warning U004 # telstack: ignore[] why"]);
    assert_eq!(line("# telstack: something else"), [""; 0]);
    assert_eq!(line("# see telstack: ignore"), [""; 0]);
    // Nobody knows whether it is needed where the code is not reported at all.
    let files = MemoryFiles::new([("deploy/otel.yaml", &*CONFIG.replace("# mine", "# telstack: ignore[N001] why"))]);
    assert_eq!(by(&files, SettingsFrom::Nearest, &["Y", "U"], &[]), [Y001.to_owned(),]);
}

#[test]
fn stacks_in_kdl_have_other_comments() {
    let stack = "stack \"s\" {\n    platform \"compose\"\n    versions { otelcol \"0.158.0\"; loki \"2.9.3\" }\n    \
                 collector \"c\" {\n        receiver \"otlp\"\n        \
                 pipeline \"logs\" { from \"otlp\"; to \"loki\" } // telstack: ignore[N020] why\n    }\n    loki\n}\n";
    let files = MemoryFiles::new([("s.stack.kdl", stack)]);
    let mut policy = Policy::new(&files, SettingsFrom::Nothing, Chosen::default()).expect("no settings");
    let mut findings = found(&files, &["s.stack.kdl"], &mut policy);
    assert!(findings.has(Severity::Error));
    policy.apply(&mut findings);
    assert!(!findings.has(Severity::Warning), "{:?}", told(&findings));
}

fn baselined(files: &MemoryFiles, paths: &[&str]) -> (Vec<String>, Vec<String>) {
    let baseline = Baseline::read(files, Path::new("known.json")).expect("a baseline");
    let policy = Policy::new(files, SettingsFrom::Nothing, Chosen::default()).expect("no settings");
    let mut policy = policy.without(Some(baseline));
    let mut findings = found(files, paths, &mut policy);
    let stale = policy.apply(&mut findings);
    (told(&findings), stale)
}

#[test]
fn a_baseline_knows_findings_that_moved_and_tells_of_those_that_went() {
    let files = MemoryFiles::new([("a.yaml", CONFIG), ("b.yaml", CONFIG)]);
    let mut policy = Policy::new(&files, SettingsFrom::Nothing, Chosen::default()).expect("no settings");
    let mut findings = found(&files, &["a.yaml", "b.yaml"], &mut policy);
    policy.apply(&mut findings);
    let baseline = Baseline::new(Path::new("known.json"));
    assert_eq!(baseline.write(&files, &findings).expect("written"), 4);
    assert_eq!(baselined(&files, &["a.yaml", "b.yaml"]), (vec![], vec![]));
    assert_eq!(baselined(&files, &["b.yaml"]), (vec![], vec![]), "what was not looked at is not stale");

    let put = |name: &str, text: &str| files.write(Path::new(name), text.as_bytes(), Mode::Own).expect("memory");
    put("a.yaml", &format!("# moved\n\n{CONFIG}"));
    assert_eq!(baselined(&files, &["a.yaml", "b.yaml"]), (vec![], vec![]));
    // One more of the same kind is new.
    put("a.yaml", &CONFIG.replace("  batch:\n", "  batch/2:\n    timout: 1s # mine\n  batch:\n"));
    let (found, _) = baselined(&files, &["a.yaml", "b.yaml"]);
    assert!(found.contains(&Y001.to_owned()), "{found:?}");
    put("a.yaml", &CONFIG.replace("timout", "timeout"));
    let (found, stale) = baselined(&files, &["a.yaml"]);
    assert_eq!(found, [""; 0]);
    assert!(stale.len() == 1 && stale[0].starts_with("a.yaml: Y001 "), "{stale:?}");

    put("known.json", "{\"version\": 9, \"findings\": []}");
    assert!(matches!(Baseline::read(&files, Path::new("known.json")), Err(BaselineError::Newer(9))));
    put("known.json", "[]");
    assert!(matches!(Baseline::read(&files, Path::new("known.json")), Err(BaselineError::Unreadable(_))));
}

#[test]
fn only_what_ends_in_changed_files_is_reported() {
    let files = MemoryFiles::new([("a.yaml", CONFIG), ("b.yaml", CONFIG)]);
    let policy = Policy::new(&files, SettingsFrom::Nothing, Chosen::default()).expect("no settings");
    let mut policy = policy.only(Some([PathBuf::from("/b.yaml")].into()));
    let mut findings = found(&files, &["a.yaml", "b.yaml"], &mut policy);
    policy.apply(&mut findings);
    let names: Vec<_> = findings.diagnostics.iter().filter_map(|it| findings.file_of(it)).collect();
    assert_eq!(names, ["b.yaml", "b.yaml"]);
}

fn fixed(text: &str, most: Applicability) -> (String, Vec<String>) {
    let files = MemoryFiles::new([("a.yaml", text)]);
    let mut policy = Policy::new(&files, SettingsFrom::Nothing, Chosen::default()).expect("no settings");
    let run = |files: &dyn Files| {
        let mut findings = found(files, &["a.yaml"], &mut policy);
        policy.apply(&mut findings);
        Ok::<_, ()>(findings)
    };
    let fixed = fix(&files, most, run).expect("checked");
    for file in &fixed.files {
        assert!(!file.diff().is_empty());
        file.write(&files).expect("memory");
    }
    (files.read(Path::new("a.yaml")).expect("there"), told(&fixed.findings))
}

#[test]
fn fixes_keep_everything_else_as_it_is() {
    let (text, left) = fixed(CONFIG, Applicability::Safe);
    assert_eq!(text, CONFIG.replace("otlphttp", "otlp_http"));
    assert_eq!(left, [Y001]);
    let (text, left) = fixed(CONFIG, Applicability::Unsafe);
    assert_eq!(text, CONFIG.replace("otlphttp", "otlp_http").replace("timout", "timeout"));
    assert_eq!(left, [""; 0]);
    let windows = CONFIG.replace('\n', "\r\n");
    assert_eq!(fixed(&windows, Applicability::Safe).0, windows.replace("otlphttp", "otlp_http"));
}

#[test]
fn comments_that_are_not_needed_go() {
    let safe = |comment: &str| fixed(&CONFIG.replace("# mine", comment), Applicability::Safe).0;
    let clean = CONFIG.replace("otlphttp", "otlp_http");
    assert_eq!(safe("# telstack: ignore[N001] why"), clean.replace(" # mine", ""));
    assert_eq!(safe("# telstack: ignore[N001, Y001] why"), clean.replace("# mine", "# telstack: ignore[Y001] why"));
    let above = CONFIG.replace("    timout", "    # telstack: ignore[N001] why\n    timout");
    assert_eq!(fixed(&above, Applicability::Safe).0, clean);
}

#[test]
fn a_fix_after_which_a_file_cannot_be_read_is_taken_back() {
    // The right key is there already: with two of them the file is refused.
    let text = CONFIG.replace("timout: 1s", "timout: 1s\n    timeout: 2s");
    let (after, left) = fixed(&text, Applicability::Unsafe);
    assert_eq!(after, text.replace("otlphttp", "otlp_http"), "the others are still done");
    assert_eq!(left, [Y001]);
}

/// What fixing comes to where words are found by themselves, and each is to become another one.
fn by_words(text: &str, wrong: &[(&str, Severity, &str)]) -> (Option<String>, usize) {
    let files = MemoryFiles::new([("a.yaml", text)]);
    let run = |files: &dyn Files| {
        let (mut sources, mut all) = (SourceMap::default(), Diagnostics::default());
        let text = files.read(Path::new("a.yaml")).expect("there");
        let file = sources.add("a.yaml", &*text);
        for (word, severity, becomes) in wrong {
            for (at, _) in text.match_indices(word) {
                let edit = Edit { span: Span::new(file, at, at + word.len()), text: (*becomes).to_owned() };
                let rule = if *word == "broken" { telstack_tools::RULES[0] } else { RULES[0] };
                let finding = Diagnostic::new(rule, format!("`{word}` is wrong")).at(edit.span, "here");
                all.push(finding.severity(*severity).fix(Fix::safe("x", vec![Change::Replace(edit)])));
            }
        }
        let mut findings = Findings::default();
        findings.add(&sources, all.sorted(&sources));
        Ok::<_, ()>(findings)
    };
    let fixed = fix(&files, Applicability::Safe, run).expect("checked");
    (fixed.files.first().map(|it| it.after.clone()), fixed.applied)
}

#[test]
fn what_does_not_help_is_taken_back() {
    use Severity::{Error, Info};
    let same = ("aa", Error, "aa aa");
    assert_eq!(by_words("aa", &[same]), (None, 0), "not a hundred times");
    let others = [same, ("bb", Error, "b"), ("cc", Info, "c")];
    assert_eq!(by_words("aa bb cc bb", &others), (Some("aa b c b".to_owned()), 3), "the others are done");
    let to_and_fro = [("old", Info, "new"), ("new", Error, "old")];
    assert_eq!(by_words("old bb", &to_and_fro), (None, 0));
    assert_eq!(by_words("new", &to_and_fro), (Some("old".to_owned()), 1));
    let both = [("old", Error, "new"), ("new", Error, "old")];
    assert!(by_words("old", &both).1 <= 1, "it ends");
    let breaks = [("aa", Error, "broken"), ("broken", Error, "broken"), ("bb", Error, "b")];
    assert_eq!(by_words("aa bb", &breaks), (Some("aa b".to_owned()), 1), "it could not be read any more");
    // An error may hide another one.
    assert_eq!(by_words("aa", &[("aa", Error, "bb bb"), ("bb", Error, "b")]), (Some("b b".to_owned()), 1));
}

#[test]
fn what_somebody_changes_meanwhile_is_not_overwritten() {
    let files = MemoryFiles::new([("a.yaml", "now")]);
    let file = FixedFile { name: "a.yaml".to_owned(), before: "then".to_owned(), after: "fixed".to_owned() };
    assert!(file.write(&files).is_err());
    files.write(Path::new("a.yaml"), "\u{feff}then".as_bytes(), Mode::Own).expect("memory");
    file.write(&files).expect("the mark is no difference");
    assert_eq!(files.read_bytes(Path::new("a.yaml")).expect("memory"), Some("\u{feff}fixed".as_bytes().to_vec()));
}

#[test]
fn paths_are_relative_to_a_folder() {
    let seen = |path: &str, folder: &str| relative(Path::new(path), Path::new(folder));
    assert_eq!(seen("/a/b/c.yaml", "/a"), "b/c.yaml");
    assert_eq!(seen("/a/c.yaml", "/a/b/d"), "../../c.yaml");
}

#[test]
fn names_of_a_stack_can_be_put_right() {
    let stack = "stack \"s\" {\n    platform \"compose\"\n    versions { otelcol \"0.158.0\"; loki \"3.7.6\" }\n    \
                 collector \"c\" {\n        receiver \"otlp\"\n        \
                 pipeline \"logs\" { from \"otlp\"; to \"loky\" } // mine\n    }\n    loki\n}\n";
    let files = MemoryFiles::new([("s.stack.kdl", stack)]);
    let mut policy = Policy::new(&files, SettingsFrom::Nothing, Chosen::default()).expect("no settings");
    let run = |files: &dyn Files| Ok::<_, ()>(found(files, &["s.stack.kdl"], &mut policy));
    let fixed = fix(&files, Applicability::Unsafe, run).expect("checked");
    let texts: Vec<_> = fixed.files.iter().map(|it| it.after.clone()).collect();
    assert_eq!(texts, [stack.replace("loky", "loki")]);
}

#[test]
fn what_is_in_no_file_is_not_fixed() {
    let files = MemoryFiles::default();
    let run = |_: &dyn Files| {
        let inside = MemoryFiles::new([("<stdin>", CONFIG)]);
        let mut policy = Policy::new(&inside, SettingsFrom::Nothing, Chosen::default()).expect("no settings");
        Ok::<_, ()>(found(&inside, &["<stdin>"], &mut policy))
    };
    let fixed = fix(&files, Applicability::Unsafe, run).expect("checked");
    assert!(fixed.files.is_empty() && fixed.applied == 0, "{:?}", fixed.files);
}
