#!/usr/bin/env bash
# What the GitHub action does: checks the paths of INPUT_PATHS (one a line) with the options of INPUT_ARGS, annotates
# the lines, and writes a SARIF report to INPUT_SARIF_FILE, if it is named.
set -euo pipefail
scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

paths=()
while IFS= read -r path; do
    [ -z "$path" ] || paths+=("$path")
done <<<"${INPUT_PATHS:-.}"
read -r -a args <<<"${INPUT_ARGS:-}" || true

if [ -n "${INPUT_SARIF_FILE:-}" ]; then
    # Findings are no failure here: the annotations below decide.
    "$scripts/telstack.sh" check --format sarif "${args[@]}" -- "${paths[@]}" >"$INPUT_SARIF_FILE" || [ $? -eq 1 ]
fi
exec "$scripts/telstack.sh" check --format github "${args[@]}" -- "${paths[@]}"
