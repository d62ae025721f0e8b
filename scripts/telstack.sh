#!/usr/bin/env bash
# Runs the telstack of this checkout in the caller's folder; the first time, it is built. For commit hooks and CI.
# TELSTACK_BIN names a program to run instead.
set -euo pipefail

if [ -n "${TELSTACK_BIN:-}" ]; then
    exec "$TELSTACK_BIN" "$@"
fi
checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
program="$checkout/.telstack/bin/telstack"
if [ ! -x "$program" ]; then
    command -v cargo >/dev/null || { echo "telstack: cargo is needed to build it, see https://rustup.rs" >&2; exit 2; }
    echo "telstack: building it, once; that takes some minutes" >&2
    # In the checkout, for its toolchain.
    (cd "$checkout" && cargo install --quiet --locked --path crates/telstack --root .telstack >&2)
fi
exec "$program" "$@"
