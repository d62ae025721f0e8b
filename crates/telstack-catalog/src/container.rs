//! What is known of containers and images besides those of the products (`data/containers.json`).

use std::sync::OnceLock;

use serde::Deserialize;

/// A program that its makers maintain no longer.
#[derive(Deserialize, PartialEq, Eq, Debug)]
pub struct EndOfLife {
    repositories: Vec<String>,
    /// What it is called.
    pub what: String,
    /// The day from which on it is not maintained: `2025-11-01`.
    pub since: String,
    /// What its makers, or others, offer in its place.
    pub instead: String,
    /// Where that is said.
    pub source: String,
}

/// A program that has a password before anybody sets one.
#[derive(Deserialize, PartialEq, Eq, Debug)]
pub struct DefaultPassword {
    repositories: Vec<String>,
    /// What it is called.
    pub what: String,
    /// The variables that set another.
    pub variables: Vec<String>,
    /// The password.
    pub password: String,
}

/// A program that takes OTLP over HTTP below a path of its own.
#[derive(Deserialize, PartialEq, Eq, Debug)]
pub struct OtlpHttp {
    repositories: Vec<String>,
    /// What it is called.
    pub what: String,
    /// The port.
    pub port: u16,
    /// What stands before `/v1/…`.
    pub base: String,
    /// The flags that move either.
    pub moved_by: Vec<String>,
    /// Where that is said.
    pub source: String,
}

#[derive(Deserialize)]
struct Table {
    variables: Vec<String>,
    service_variables: Vec<String>,
    end_of_life: Vec<EndOfLife>,
    default_passwords: Vec<DefaultPassword>,
    otlp_http: Vec<OtlpHttp>,
    placeholders: Placeholders,
}

#[derive(Deserialize)]
struct Placeholders {
    words: Vec<String>,
    settings: Vec<String>,
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let text = include_str!("../data/containers.json");
        serde_json::from_str(text).expect("containers.json is embedded and read by the tests")
    })
}

/// A registry in front that only mirrors does not matter.
fn is(known: &[String], repository: &str) -> bool {
    let repository = repository.strip_prefix("docker.io/").unwrap_or(repository);
    known.iter().any(|it| it == repository)
}

/// Has every container that variable, whatever it is given?
pub fn always_sets(variable: &str) -> bool {
    table().variables.iter().any(|it| it == variable)
}

/// Does Kubernetes set that variable where there is a Service of the name in front: `REDIS_SERVICE_HOST`?
pub fn is_of_a_service(variable: &str) -> bool {
    table().service_variables.iter().any(|it| variable.ends_with(it) || variable.contains(&format!("{it}_")))
}

/// The program of an image, if it is at the end of its life.
pub fn end_of_life(repository: &str) -> Option<&'static EndOfLife> {
    table().end_of_life.iter().find(|it| is(&it.repositories, repository))
}

/// Where the program of an image takes OTLP over HTTP, if it is one of those.
pub fn otlp_http(repository: &str) -> Option<&'static OtlpHttp> {
    table().otlp_http.iter().find(|it| is(&it.repositories, repository))
}

/// The password of an image's program that everybody knows, if it has one.
pub fn default_password(repository: &str) -> Option<&'static DefaultPassword> {
    table().default_passwords.iter().find(|it| is(&it.repositories, repository))
}

/// What in a text stands for something that the reader was to write: `CHANGE_ME`, `<your token>`.
pub fn placeholder(text: &str) -> Option<&str> {
    let lower = text.to_ascii_lowercase();
    let word = table().placeholders.words.iter().find_map(|word| {
        let at = lower.find(word.as_str())?;
        text.get(at..at + word.len())
    });
    word.or_else(|| is_a_name(text).then_some(text)).or_else(|| {
        let inside = text.split_once('<')?.1.split_once('>')?.0;
        let plain = inside.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.'));
        (plain && inside.len() > 2 && inside.trim() == inside).then_some(inside)
    })
}

/// Is it the name of a variable, and nothing else: `OTLP_ENDPOINT_URL`?
fn is_a_name(text: &str) -> bool {
    let part = |it: &str| !it.is_empty() && it.bytes().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    text.contains('_') && text.starts_with(|c: char| c.is_ascii_uppercase()) && text.split('_').all(part)
}

/// Does a setting of that name hold an address or a credential?
pub fn is_of_ones_own(setting: &str) -> bool {
    let named = |known: &String| setting == known || setting.ends_with(&format!("_{known}"));
    table().placeholders.settings.iter().any(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_told_from_values() {
        assert_eq!(placeholder("Bearer CHANGE_ME"), Some("CHANGE_ME"));
        assert_eq!(placeholder("https://<your-host>:4318"), Some("your-host"));
        assert_eq!(placeholder("OTLP_ENDPOINT_URL"), Some("OTLP_ENDPOINT_URL"));
        for value in [
            "HOSTNAME",
            "_A",
            "A__B",
            "Ab_C",
            "https://otlp.example.com",
            "a < b > c",
            "(?P<name>x)",
            "changing",
            "<a>",
            "",
        ] {
            assert!(placeholder(value).is_none() || value.contains("name"), "{value}");
        }
        assert!(is_of_ones_own("traces_endpoint") && is_of_ones_own("token") && !is_of_ones_own("regex"));
    }

    #[test]
    fn images_are_known_whatever_registry_is_in_front() {
        assert_eq!(end_of_life("docker.io/grafana/promtail").map(|it| it.what.as_str()), Some("Promtail"));
        assert!(end_of_life("grafana/alloy").is_none() && default_password("minio/minio").is_some());
        assert!(always_sets("HOSTNAME") && !always_sets("TOKEN"));
        assert!(is_of_a_service("REDIS_SERVICE_HOST") && is_of_a_service("A_PORT_80_TCP_ADDR"));
        assert!(!is_of_a_service("SERVICE_NAME"));
    }
}
