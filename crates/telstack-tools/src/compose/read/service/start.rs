//! How the program of a service is started: by its image, by the Dockerfile that the image is built by, or as the
//! service says.

use telstack_catalog::product;
use telstack_syntax::tree::Kind;
use telstack_system::{Container, ImageRef, Mount, MountSource, Settings, Sourced};

use super::{Service, dockerfile};
use crate::{
    compose::read::{
        merge::pairs,
        values::{self, word},
    },
    folder::Folder,
};

/// Where a build looks if nothing else is said.
const DOCKERFILE: &str = "Dockerfile";
/// What ends a command in a line of a shell.
const ENDS: [&str; 5] = [";", "&&", "||", "|", "&"];

impl Service<'_> {
    /// The image that a Dockerfile of the project builds, as far as it can be told.
    pub(super) fn built(&self, folder: &mut Folder<'_>) -> Option<dockerfile::Image> {
        let build = self.settings.get("build")?;
        let text = |key: &str| word(build.at(key)?, self.variables).map(|it| it.value);
        let context = self.context()?;
        let arguments = match build.at("args").cloned().map(pairs) {
            Some(Kind::Map(map)) => map,
            _ => Settings::default(),
        };
        let arguments =
            arguments.iter().filter_map(|it| Some((it.key.clone(), word(&it.value, self.variables)?.value)));
        let target = text("target");
        if build.at("dockerfile_inline").is_some() {
            return None;
        }
        let path = format!("{context}/{}", text("dockerfile").unwrap_or_else(|| DOCKERFILE.to_owned()));
        let piece = folder.at(&path, &build.mark)?;
        dockerfile::read(piece.file, &piece.text, target.as_deref(), &arguments.collect())
    }

    /// The folder that is built from.
    fn context(&self) -> Option<String> {
        let build = self.settings.get("build")?;
        let context = build.at("context").or(build.as_map().is_none().then_some(build));
        let context = context.and_then(|it| word(it, self.variables)).map_or_else(|| ".".to_owned(), |it| it.value);
        (!context.contains(':')).then(|| context.trim_end_matches('/').to_owned())
    }

    /// What the image is given of the project.
    pub(super) fn copies(&self, container: &mut Container, image: Option<&dockerfile::Image>) {
        let (Some(image), Some(context), Some(build)) = (image, self.context(), self.settings.entry("build")) else {
            return;
        };
        for (from, to) in &image.copies {
            let (target, origin) = (to.value.clone(), build.key_mark.clone());
            // What is mounted there hides it.
            if container.mounts.iter().all(|it| it.target != target) {
                let source = MountSource::Copied(format!("{context}/{from}"));
                container.mounts.push(Mount { source, target, read_only: false, origin });
            }
        }
    }

    /// What the program of an image is told; none where something else is started.
    pub(super) fn started(
        &self,
        built: Option<&dockerfile::Image>,
        image: Option<&ImageRef>,
    ) -> Option<Vec<Sourced<String>>> {
        let of = |key: &str| self.settings.get(key).map(|it| values::command(it, self.variables)).unwrap_or_default();
        let own = of("entrypoint");
        let mut command = of("command");
        let mut entry = own;
        if let Some(built) = built {
            if command.is_empty() && entry.is_empty() {
                command = built.command.clone().unwrap_or_default();
            }
            if entry.is_empty() {
                entry = built.entrypoint.clone().unwrap_or_default();
            }
        }
        if entry.is_empty() {
            return Some(command);
        }
        let program = image.and_then(|it| product::image_facts(&it.repository, &it.tag)).map(|it| it.entrypoint);
        let Some(program) = program else {
            // What follows the program of an entry point is an argument like those of the command.
            entry.remove(0);
            entry.extend(command);
            return Some(entry);
        };
        entry.extend(command);
        arguments(&entry, base_name(program))
    }
}

/// What follows a program in the words of a command, which may hold lines of a shell; none if it is not there.
fn arguments(words: &[Sourced<String>], program: &str) -> Option<Vec<Sourced<String>>> {
    let words: Vec<Sourced<String>> = words
        .iter()
        .flat_map(|word| {
            let parts = if word.value.contains(char::is_whitespace) {
                values::split(&word.value)
            } else {
                vec![word.value.clone()]
            };
            parts.into_iter().map(|part| Sourced::new(part, word.origin.clone()))
        })
        .collect();
    let at = words.iter().rposition(|word| base_name(&word.value) == program)?;
    let mut found = Vec::new();
    for word in &words[at + 1..] {
        if ENDS.contains(&word.value.as_str()) {
            break;
        }
        let last = word.value.strip_suffix(';');
        found.push(Sourced::new(last.unwrap_or(&word.value).to_owned(), word.origin.clone()));
        if last.is_some() {
            break;
        }
    }
    Some(found)
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use telstack_system::Origin;

    use super::*;

    #[test]
    fn programs_in_lines_of_a_shell() {
        let told = |words: &[&str]| {
            let origin = Origin::builtin("test", "", &[]);
            let words: Vec<_> = words.iter().map(|it| Sourced::new((*it).to_owned(), origin.clone())).collect();
            arguments(&words, "loki").map(|all| all.into_iter().map(|it| it.value).collect::<Vec<_>>())
        };
        assert_eq!(
            told(&["sh", "-c", "mkdir /x; exec /usr/bin/loki -a=1 -b; rm x"]),
            Some(vec!["-a=1".into(), "-b".into()])
        );
        assert_eq!(told(&["/tini", "--", "/usr/bin/loki", "-a"]), Some(vec!["-a".into()]));
        assert_eq!(told(&["sh", "/start.sh"]), None);
    }
}
