//! A first stack that compiles.

use telstack_catalog::product::Product;

/// Why there is no first stack.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NewError {
    /// The name cannot be a stack's.
    BadName(String),
}

/// The text of a first stack: one collector, three stores, Grafana, pinned to the newest versions that the
/// catalog knows.
pub fn first_stack(name: &str) -> Result<String, NewError> {
    if !telstack_lang::is_name(name) {
        return Err(NewError::BadName(name.to_owned()));
    }
    let version = |product: Product| product.newest();
    Ok(format!(
        r#"// Compile it:  telstack build {name}.stack.kdl -o build
// Then:        cp build/.env.example build/.env, fill it in, and docker compose up -d in build/
stack "{name}" {{
    platform "compose"
    versions {{ otelcol "{}"; tempo "{}"; prometheus "{}"; loki "{}"; grafana "{}" }}

    collector "otel-collector" {{
        resources cpu=1 memory="1GiB"
        receiver "otlp"
        processor "batch"
        pipeline "traces" {{ from "otlp"; to "tempo" }}
        pipeline "metrics" {{ from "otlp"; to "prometheus" }}
        pipeline "logs" {{ from "otlp"; to "loki" }}
    }}

    tempo {{ retention "14d" }}
    prometheus {{ retention "30d" }}
    loki {{ retention "31d" }}
    grafana {{ reads "prometheus" "tempo" "loki" }}
}}
"#,
        version(Product::Otelcol),
        version(Product::Tempo),
        version(Product::Prometheus),
        version(Product::Loki),
        version(Product::Grafana),
    ))
}
