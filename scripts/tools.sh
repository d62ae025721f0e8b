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

if [ "${#packages[@]}" -gt 0 ]; then
    as_root apt-get update -qq
    # The packages' services are not wanted, only their command line tools.
    as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
        apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
fi

for tool in promtool amtool docker-compose yamllint shellcheck; do
    command -v "$tool" >/dev/null || { echo "tools.sh: $tool is still missing" >&2; exit 1; }
done
