//! A fleet: the hub of `stacks/federated`, and as many edges as are asked for.

/// The stack, whose fleet is in the file of that name; `federated` is the text of `stacks/federated.stack.kdl`.
pub fn stack(federated: &str, table: &str) -> String {
    let end = federated.rfind('}').expect("a stack");
    format!("{}    clusters from=\"{table}\" {{ use \"observed\" }}\n}}\n", &federated[..end])
}

/// The table of that many edges.
pub fn table(edges: usize) -> String {
    (0..edges).fold("name,role,region\n".to_owned(), |all, at| all + &format!("site-{at:04},edge,region-{}\n", at % 7))
}
