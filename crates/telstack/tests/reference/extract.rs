//! Files that a guide quotes: blocks under a **Create file** line, manifests in here-documents, texts in code.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A guide: a text with fenced blocks.
pub struct Guide {
    text: String,
}

/// A fenced block, and what stands before it.
struct Block<'a> {
    /// The file that it is, where the guide says so.
    file: Option<&'a str>,
    lines: Vec<&'a str>,
}

/// A here-document of a shell command.
pub struct Here {
    /// The command.
    pub command: String,
    /// What it is given.
    pub text: String,
}

impl Guide {
    /// The guide of that title, among those of a folder.
    pub fn titled(folder: &Path, title: &str) -> Self {
        let texts = fs::read_dir(folder).expect("the folder of the guides").filter_map(|entry| {
            let text = fs::read_to_string(entry.ok()?.path()).ok()?;
            text.starts_with(&format!("# {title}\n")).then_some(text)
        });
        Self { text: texts.last().unwrap_or_else(|| panic!("no guide `{title}`")) }
    }

    fn blocks(&self) -> Vec<Block<'_>> {
        let (mut found, mut file, mut open): (Vec<Block<'_>>, _, Option<Block<'_>>) = (Vec::new(), None, None);
        for line in self.text.lines() {
            match open.as_mut() {
                Some(_) if line.starts_with("```") => found.extend(open.take()),
                Some(block) => block.lines.push(line),
                None if line.starts_with("```") => open = Some(Block { file: file.take(), lines: Vec::new() }),
                None => {
                    let named = line.split_once("Create file:** `").and_then(|(_, rest)| rest.split_once('`'));
                    file = named.map(|(name, _)| name).or(file);
                }
            }
        }
        found
    }

    /// Writes every file that the guide says to create below a folder.
    pub fn create_files(&self, folder: &Path) {
        for block in self.blocks() {
            if let Some(name) = block.file {
                write(&folder.join(name), &block.lines.join("\n"));
            }
        }
    }

    /// The here-documents of its shell commands, as the shell would hand them on. `variables` are those that it
    /// would fill in.
    pub fn here_documents(&self, variables: &[(&str, &str)]) -> Vec<Here> {
        let mut found = Vec::new();
        for block in self.blocks() {
            let mut lines = block.lines.into_iter();
            while let Some(command) = lines.next() {
                if !command.contains("<<") {
                    continue;
                }
                let body: Vec<&str> = lines.by_ref().take_while(|line| line.trim() != "EOF").collect();
                let body = body.join("\n") + "\n";
                let text = if command.contains("'EOF'") { body } else { expanded(&body, variables) };
                found.push(Here { command: command.to_owned(), text });
            }
        }
        found
    }

    /// The block that holds a text.
    pub fn block_with(&self, part: &str) -> String {
        let found = self.blocks().into_iter().map(|block| block.lines.join("\n") + "\n").find(|it| it.contains(part));
        found.unwrap_or_else(|| panic!("no block with `{part}`"))
    }
}

/// What the shell makes of a here-document whose end is not quoted.
fn expanded(text: &str, variables: &[(&str, &str)]) -> String {
    let mut text = text.replace("\\$", "\u{1}").replace("\\\\", "\\");
    for (name, value) in variables {
        text = text.replace(&format!("${{{name}}}"), value);
    }
    text.replace('\u{1}', "$")
}

/// Writes a file, with its folders.
pub fn write(path: &PathBuf, text: &str) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    fs::write(path, text).expect("written");
}
