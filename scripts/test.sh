#!/usr/bin/env bash
# Installs what the tests need and runs them all. A missing tool fails; nothing is skipped.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/tools.sh
cargo fmt --all -- --check
cargo clippy --workspace --all-targets --quiet -- -D warnings
cargo xtask gen --check
cargo xtask pictures --check
cargo xtask tidy
cargo test --workspace --quiet
# They need a nightly compiler to run; that they compile, any compiler can say.
cargo check --quiet --no-default-features --manifest-path fuzz/Cargo.toml --target-dir target
