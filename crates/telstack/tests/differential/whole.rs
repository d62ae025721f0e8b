//! Whole configurations as people write them (`whole/`): files, and folders of files for one collector, in order of their
//! names. The first line of each says what it is, and whether the collector takes it; `# wrong` ends each line where a
//! finding belongs.

use std::{fs, path::Path};

use crate::mutate::{self, Case, Random};

/// A configuration, as it was written.
pub struct Whole {
    pub name: String,
    pub texts: Vec<String>,
    /// Does its first line say that the collector refuses it?
    pub is_refused: bool,
}

/// Ends a line where a finding belongs.
const WRONG: &str = "# wrong";

impl Whole {
    fn at(path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let paths = if path.is_dir() { entries(path) } else { vec![path.to_owned()] };
        let texts: Vec<String> = paths.iter().map(|it| fs::read_to_string(it).expect("UTF-8")).collect();
        let first = texts.first().and_then(|it| it.lines().next()).unwrap_or_default();
        let is_refused = first.starts_with("# refused: ");
        assert!(is_refused || first.starts_with("# accepted: "), "{name} starts with: {first}");
        Self { name, texts, is_refused }
    }

    /// Where findings belong: files, from 0, and lines, from 1. A block of text cannot hold the mark: its key does.
    pub fn marks(&self) -> Vec<(usize, usize)> {
        let lines = |text: &str| -> Vec<usize> {
            let marked = text.lines().enumerate().filter_map(|(at, line)| Some((at, line.strip_suffix(WRONG)?)));
            marked.map(|(at, line)| at + 1 + usize::from(line.trim_end().ends_with(['|', '>', '+']))).collect()
        };
        let files = self.texts.iter().enumerate();
        files.flat_map(|(file, text)| lines(text).into_iter().map(move |line| (file, line))).collect()
    }

    /// One of its files, with the others beside it.
    fn case(&self, file: usize, name: String, text: String, lines: Vec<usize>) -> Case {
        let beside = [self.texts[..file].to_vec(), self.texts[file + 1..].to_vec()];
        Case { beside, ..Case::new(name, text, lines) }
    }

    /// As it was written.
    pub fn as_written(&self) -> Case {
        self.case(0, self.name.clone(), self.texts[0].clone(), Vec::new())
    }
}

/// What is in a folder, by name.
pub fn entries(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|it| it.expect("an entry").path());
    let mut all: Vec<_> = entries.collect();
    all.sort();
    all
}

/// All of them.
pub fn all() -> Vec<Whole> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/differential/whole");
    entries(&folder).iter().map(|path| Whole::at(path)).collect()
}

/// How many changes each file gets.
const CHANGES: usize = 9;

/// Those that the collector takes, changed in one place, with choices that a fixed seed makes.
pub fn changed() -> Vec<Case> {
    let mut out = Vec::new();
    for (at, whole) in all().iter().enumerate().filter(|(_, it)| !it.is_refused) {
        for (file, text) in whole.texts.iter().enumerate() {
            let name = if whole.texts.len() > 1 { format!("{}/{}", whole.name, file + 1) } else { whole.name.clone() };
            let mut random = Random((at * 100 + file) as u64);
            let mut cases = mutate::changed(at, &name, text);
            for _ in 0..CHANGES.min(cases.len()) {
                let case = cases.swap_remove(random.below(cases.len()));
                out.push(whole.case(file, case.name, case.text, case.lines));
            }
        }
    }
    out
}
