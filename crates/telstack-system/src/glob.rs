//! Patterns of file names, as programs that read files take them.

/// Does a pattern with `*`, `?` and `**` match a path? Sets and alternatives (`[…]`, `{…}`) match nothing: who writes
/// them means something in particular.
#[must_use]
pub fn matches(pattern: &str, path: &str) -> bool {
    if pattern.contains(['[', '{', '\\']) || pattern.len() > LONGEST {
        return false;
    }
    let (pattern, path): (Vec<&str>, Vec<&str>) = (pattern.split('/').collect(), path.split('/').collect());
    // Which starts of the path the pattern so far matches.
    let mut reached = vec![false; path.len() + 1];
    reached[0] = true;
    for part in pattern {
        let mut next = vec![false; path.len() + 1];
        let mut any = false;
        for at in 0..=path.len() {
            if part == "**" {
                any |= reached[at];
                next[at] = any;
            } else if at > 0 && reached[at - 1] {
                next[at] = name_matches(part.as_bytes(), path[at - 1].as_bytes());
            }
        }
        reached = next;
    }
    reached.last() == Some(&true)
}

/// Longer patterns are nobody's.
const LONGEST: usize = 1000;

fn name_matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut of, mut star) = (0, 0, None);
    while of < name.len() {
        if at < pattern.len() && (pattern[at] == b'?' || (pattern[at] != b'*' && pattern[at] == name[of])) {
            (at, of) = (at + 1, of + 1);
        } else if at < pattern.len() && pattern[at] == b'*' {
            star = Some((at, of));
            at += 1;
        } else if let Some((back, start)) = star {
            (at, of) = (back + 1, start + 1);
            star = Some((back, start + 1));
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|it| *it == b'*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn as_receivers_read_them() {
        for (pattern, path) in [
            ("/var/log/*/*/*.log", "/var/log/a/b/0.log"),
            ("/var/log/**/*.log", "/var/log/a/b/0.log"),
            ("/var/log/**/*.log", "/var/log/0.log"),
            ("/a/b?c-*-json.log", "/a/bxc-1-2-json.log"),
            ("/r/?.yml", "/r/a.yml"),
        ] {
            assert!(matches(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in [
            ("/var/log/*.log", "/var/log/a/0.log"),
            ("/var/log/app_*/*/*.log", "/var/log/a/b/0.log"),
            ("/var/log/[a]/b", "/var/log/a/b"),
            ("/var/log/a", "/var/log/a/b"),
            ("*.yml", "a.yaml"),
            (&*"*a".repeat(40), &*"b".repeat(200)),
        ] {
            assert!(!matches(pattern, path), "{pattern} {path}");
        }
    }
}
