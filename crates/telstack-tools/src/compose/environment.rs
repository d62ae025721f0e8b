//! What the deployment must provide: `.env.example`, and the `.gitignore` that keeps `.env` out.

use telstack_syntax::{
    Writer,
    env::{self, Variable},
};
use telstack_system::{EnvValue, Node, Origin, SecretRef, System};

use crate::{
    Artefact,
    doc::{self, double_dollar},
};

const EXAMPLE: &str = ".env.example";

/// The value of a variable in the compose file: compose refuses to start where it is missing or empty.
pub(super) fn reference(secret: &SecretRef) -> String {
    match (secret, secret.variable()) {
        (SecretRef::Literal(text), _) => double_dollar(text),
        (_, Some(name)) => format!("${{{name}:?{name} is not set: see {EXAMPLE}}}"),
        (_, None) => String::new(),
    }
}

pub(super) fn emit(system: &System) -> Vec<Artefact> {
    let header = format!(
        "What the stack \"{}\" needs from outside. Copy this file to .env and fill it in: docker compose\n\
         reads .env, and .gitignore keeps it out of the repository. Put a value with `$` or `#` in single\n\
         quotes: compose would replace `$name` by a variable, and take the rest of a line for a comment.",
        system.name
    );
    let mark = doc::follows("says which stack the file belongs to", &[&system.origin]);
    let example = env::write(&header, &mark, &variables(system));

    let mut ignored = Writer::default();
    let secret = doc::chosen("secrets do not belong into a repository", &system.origin);
    ignored.line("# Secrets: see .env.example", &secret);
    ignored.line(".env", &secret);
    vec![Artefact::new(EXAMPLE, example), Artefact::new(".gitignore", ignored.finish())]
}

/// Who needs a variable: the service, and the name that it knows it by.
struct Need<'a> {
    name: String,
    secret: &'a SecretRef,
    users: Vec<String>,
    origins: Vec<&'a Origin>,
    is_admin_password: bool,
}

fn variables(system: &System) -> Vec<Variable<Origin>> {
    let project = doc::follows("services and networks are called after the stack, not the folder", &[&system.origin]);
    let mut out = vec![Variable {
        name: "COMPOSE_PROJECT_NAME".to_owned(),
        value: system.name.clone(),
        comment: "What docker compose calls the whole.".to_owned(),
        mark: project,
    }];
    for need in needs(system) {
        out.push(Variable {
            comment: doc::wrap(&comment(&need)),
            mark: doc::follows_all("the deployment provides it", need.origins, &system.origin),
            name: need.name,
            value: String::new(),
        });
    }
    out
}

fn needs(system: &System) -> Vec<Need<'_>> {
    let mut needs: Vec<Need> = Vec::new();
    for (_, node) in system.nodes() {
        for variable in node.container.iter().flat_map(|container| &container.env) {
            let EnvValue::Required(secret) = &variable.value else { continue };
            let Some(name) = secret.variable() else { continue };
            let user =
                if variable.name == name { node.name.clone() } else { format!("{} (as {})", node.name, variable.name) };
            let admin = is_admin_password(node, secret);
            if let Some(known) = needs.iter_mut().find(|need| need.name == name) {
                if !known.users.contains(&user) {
                    known.users.push(user);
                }
                known.origins.push(&variable.origin);
                known.is_admin_password |= admin;
            } else {
                let origins = vec![&variable.origin];
                needs.push(Need { name, secret, users: vec![user], origins, is_admin_password: admin });
            }
        }
    }
    needs
}

fn is_admin_password(node: &Node, secret: &SecretRef) -> bool {
    node.viewer().and_then(|viewer| viewer.admin_password.as_ref()).is_some_and(|password| password.value == *secret)
}

fn comment(need: &Need) -> String {
    let users = doc::enumerate(&need.users);
    match need.secret {
        _ if need.is_admin_password => {
            format!("The administrator's password for {users}. Choose one: it is set at the first start.")
        }
        SecretRef::Secret { name, key } => format!("The key \"{key}\" of the secret \"{name}\", for {users}."),
        SecretRef::Env(_) | SecretRef::Literal(_) => format!("Needed by {users}."),
    }
}
