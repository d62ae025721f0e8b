//! launchd, which starts programs of macOS: a property list for each collector there.

use telstack_catalog::host::HostSystem;
use telstack_syntax::Writer;
use telstack_system::{EnvValue, Machine, Node, Origin, System};

use crate::{Artefact, doc};

/// The form of property lists, as each of them names it.
const HEAD: [&str; 2] = [
    r#"<?xml version="1.0" encoding="UTF-8"?>"#,
    r#"<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">"#,
];

/// The property list of a collector, where launchd is what starts it.
pub(crate) fn emit(system: &System, node: &Node) -> Option<Artefact> {
    let machine = node.machine.as_deref()?;
    let host = node.placement.host.as_ref().filter(|it| it.value == HostSystem::MacOs)?;
    let mut out = List { out: Writer::default(), depth: 0 };
    let origin = &host.origin;
    let form = doc::fact("the form of property lists", &[&node.origin]);
    out.line(HEAD[0], &form);
    out.line(HEAD[1], &form);
    let says = doc::follows("says what the file is and which stack it comes from", &[&node.origin, &system.origin]);
    out.comment(&header(system, node, machine), &says);
    out.line("<plist version=\"1.0\">", &form);
    out.open("dict", &form);
    out.string("Label", &machine.label.value, &machine.label.origin);
    let all = doc::follows("what is started", &[&node.origin]);
    out.key("ProgramArguments", &all);
    out.open("array", &all);
    for word in &machine.command {
        out.text(&word.value, &word.origin);
    }
    out.close("array", &all);
    let told: Vec<(&str, &str, &Origin)> = node
        .environment
        .iter()
        .filter_map(|it| match &it.value {
            EnvValue::Literal(text) => Some((&*it.name, &**text, &it.origin)),
            EnvValue::Required(_) | EnvValue::Field(_) => None,
        })
        .collect();
    if !told.is_empty() {
        let all = doc::follows_all("its environment", told.iter().map(|it| it.2), origin);
        out.key("EnvironmentVariables", &all);
        out.open("dict", &all);
        for (name, value, origin) in told {
            out.string(name, value, origin);
        }
        out.close("dict", &all);
    }
    let starts = doc::chosen("it starts with the machine", origin);
    out.truth("RunAtLoad", &starts);
    let again = doc::chosen("it is started again when it ends", origin);
    out.truth("KeepAlive", &again);
    out.string("StandardOutPath", &machine.log.value, &machine.log.origin);
    out.string("StandardErrorPath", &machine.log.value, &machine.log.origin);
    out.close("dict", &form);
    out.line("</plist>", &form);
    Some(Artefact::new(machine.service.clone(), out.out.finish()))
}

/// What it is, how it gets where it belongs, and what is left to be filled in.
fn header(system: &System, node: &Node, machine: &Machine) -> String {
    let layout = HostSystem::MacOs.layout();
    let title = format!("{}: how macOS starts {}", node.name, doc::title(node));
    let mut text = doc::header(system, &title, &machine.service);
    let (folder, program) = (&layout.services, machine.command.first().map_or("", |it| &*it.value));
    text += &format!(
        "\n\nThe program is {program}. Copy config.yaml to {} and this\nfile to {folder}, then: \
         `sudo launchctl bootstrap system {folder}/{}.plist`",
        machine.config.target, machine.label.value
    );
    let secret = |it: &&telstack_system::EnvVar| matches!(it.value, EnvValue::Required(_));
    let secrets: Vec<String> = node.environment.iter().filter(secret).map(|it| it.name.clone()).collect();
    if !secrets.is_empty() {
        text += &format!("\nTo be added to EnvironmentVariables there, and nowhere else: {}", doc::enumerate(&secrets));
    }
    text
}

/// A property list under construction.
struct List {
    out: Writer<Origin>,
    depth: usize,
}

impl List {
    fn line(&mut self, text: &str, origin: &Origin) {
        self.out.line(&format!("{}{text}", "  ".repeat(self.depth)), origin);
    }

    fn comment(&mut self, text: &str, origin: &Origin) {
        self.line("<!--", origin);
        // Two dashes end a comment.
        for line in text.replace("--", "- -").lines() {
            self.line(line, origin);
        }
        self.line("-->", origin);
    }

    fn open(&mut self, tag: &str, origin: &Origin) {
        self.line(&format!("<{tag}>"), origin);
        self.depth += 1;
    }

    fn close(&mut self, tag: &str, origin: &Origin) {
        self.depth = self.depth.saturating_sub(1);
        self.line(&format!("</{tag}>"), origin);
    }

    fn key(&mut self, key: &str, origin: &Origin) {
        self.line(&format!("<key>{}</key>", escaped(key)), origin);
    }

    fn text(&mut self, text: &str, origin: &Origin) {
        self.line(&format!("<string>{}</string>", escaped(text)), origin);
    }

    fn string(&mut self, key: &str, text: &str, origin: &Origin) {
        self.key(key, origin);
        self.text(text, origin);
    }

    fn truth(&mut self, key: &str, origin: &Origin) {
        self.key(key, origin);
        self.line("<true/>", origin);
    }
}

/// A text as XML has it, in one line.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\n' => out.push_str("&#10;"),
            // XML has no other control characters at all.
            c if c.is_control() && c != '\t' => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn texts_stay_texts() {
        assert_eq!(escaped("a<b> & \"c\"\u{1}\nd"), "a&lt;b&gt; &amp; \"c\"&#10;d");
    }
}
