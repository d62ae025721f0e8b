//! Whole files of other products (`products/`), given to the program that judges them and to telstack. The first line of
//! each says whether that program takes it. What it takes, telstack may not refuse; what it refuses and telstack does
//! not is a difference that stands in the document.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use telstack_diagnostics::Severity;
use telstack_workspace::{Input, MemoryFiles, Request, Told, check_all};

use crate::{documented, whole::entries};

/// Folders, what is in them, and who judges that.
const JUDGES: [(&str, &str, &[&str]); 4] = [
    ("prometheus", "`prometheus.yml`", &["promtool", "check", "config", "--syntax-only"]),
    ("rules", "files of rules", &["promtool", "check", "rules"]),
    ("alertmanager", "`alertmanager.yml`", &["amtool", "check-config"]),
    ("haproxy", "`haproxy.cfg`", &["haproxy", "-c", "-f"]),
];

/// telstack refuses what the program takes: file, code, and the reason.
const STRICTER: &[(&str, &str, &str)] = &[];

/// The program refuses what telstack takes: files, and what is not read.
const LAXER: &[(&str, &str)] = &[
    ("prometheus/action.yml", RELABELLING),
    ("prometheus/regex.yml", RELABELLING),
    ("prometheus/indentation.yml", KEYS),
    ("prometheus/misspelt.yml", KEYS),
    ("prometheus/remote-without-url.yml", KEYS),
    ("prometheus/scheme-in-target.yml", "a target is an address where somebody is looked for, and else any text"),
    ("prometheus/two-secrets.yml", "ways to prove who asks are not compared"),
    ("rules/both.yml", RULES),
    ("rules/key.yml", RULES),
    ("rules/names.yml", RULES),
    ("rules/twice.yml", RULES),
    ("rules/function.yml", QUERIES),
    ("rules/query.yml", QUERIES),
    ("rules/template.yml", "templates are not read"),
    ("alertmanager/matcher.yml", ALERTMANAGER),
    ("alertmanager/misspelt.yml", ALERTMANAGER),
    ("alertmanager/no-receiver.yml", ALERTMANAGER),
    ("alertmanager/root-matcher.yml", ALERTMANAGER),
    ("alertmanager/smarthost.yml", ALERTMANAGER),
    ("alertmanager/twice.yml", ALERTMANAGER),
    ("alertmanager/zero.yml", ALERTMANAGER),
    ("haproxy/acl-unknown.cfg", "conditions are not read: what hangs on one is not known"),
    ("haproxy/mode.cfg", HAPROXY),
    ("haproxy/timeout.cfg", HAPROXY),
    ("haproxy/twice.cfg", HAPROXY),
];

const RELABELLING: &str = "what relabelling does is not read";
const KEYS: &str = "the keys of this file are not in the catalog";
const RULES: &str = "of rules only what links need is read";
const QUERIES: &str = "queries are read for the names in them; what does not parse says nothing";
const ALERTMANAGER: &str =
    "of this file only its form is judged, and the receivers and time intervals that its routes name";
const HAPROXY: &str = "values of such lines are not judged";

fn is_taken(judge: &[&str], path: &Path) -> bool {
    let (program, args) = judge.split_first().expect("a program");
    let output = Command::new(program).args(args).arg(path).output();
    output.unwrap_or_else(|error| panic!("{program} is needed ({error}): run scripts/tools.sh")).status.success()
}

/// Codes of the errors that telstack reports.
fn errors(name: &str, text: &str) -> BTreeSet<&'static str> {
    let request = Request { inputs: vec![Input::Text(name.to_owned(), text.to_owned())], ..Request::default() };
    let checked = check_all(&MemoryFiles::default(), &request, &mut |_: &Path| Ok(Told::default()));
    let checked = checked.expect("something that is checked");
    assert!(checked.left_alone.is_empty(), "{name} is not known for what it is");
    let errors = checked.diagnostics.iter().filter(|it| it.severity == Severity::Error);
    errors.map(|it| it.rule.code).collect()
}

#[test]
fn nothing_is_refused_that_the_program_takes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/differential/products");
    let (mut wrong, mut rows, mut used) = (String::new(), Vec::new(), BTreeSet::new());
    for (part, what, judge) in JUDGES {
        let (mut total, mut taken, mut both, mut passed_over) = (0, 0, 0, 0);
        for path in entries(&folder.join(part)) {
            let name = format!("{part}/{}", path.file_name().unwrap_or_default().to_string_lossy());
            let text = fs::read_to_string(&path).expect("UTF-8");
            let (is_taken, found) = (is_taken(judge, &path), errors(&name, &text));
            if text.starts_with("# accepted: ") != is_taken || text.starts_with("# refused: ") == is_taken {
                wrong += &format!("{name}: taken: {is_taken}, and it says something else\n");
            }
            total += 1;
            match (is_taken, found.is_empty()) {
                (true, true) => taken += 1,
                (false, false) => both += 1,
                (true, false) => {
                    let agreed = |code: &str| STRICTER.iter().any(|(file, it, _)| *file == name && *it == code);
                    if !found.iter().all(|code| agreed(code)) {
                        wrong += &format!("{name}: refused without reason: {found:?}\n");
                    }
                    used.insert(name);
                }
                (false, true) => {
                    passed_over += 1;
                    if !LAXER.iter().any(|(file, _)| *file == name) {
                        wrong += &format!("{name}: nothing is said\n");
                    }
                    used.insert(name);
                }
            }
        }
        rows.push(format!("| {what} | {total} | {taken} | {both} | {passed_over} |"));
    }
    let listed = STRICTER.iter().map(|(file, ..)| file).chain(LAXER.iter().map(|(file, _)| file));
    let unused: Vec<_> = listed.filter(|file| !used.contains(**file)).collect();
    println!("{}", rows.join("\n"));
    assert!(wrong.is_empty(), "{wrong}");
    assert!(unused.is_empty(), "differences that nothing shows: {unused:?}");
    for row in &rows {
        documented(row);
    }
}
