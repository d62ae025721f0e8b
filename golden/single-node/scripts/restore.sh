#!/usr/bin/env bash
# single-node: put back what backup.sh saved
# Compiled by telstack from the stack "single-node". Change the stack, not this file:
# `telstack why scripts/restore.sh:LINE` tells where a line comes from.
set -uo pipefail

stack='single-node'
helper='busybox:1.37'
# node|volume|what it holds
volumes=(
    'otel-collector|single-node_otel-collector-data|queues: what is not delivered yet'
    'jaeger|single-node_jaeger-data|the traces of the last 30d'
    'prometheus|single-node_prometheus-data|the metrics of the last 30d'
    'loki|single-node_loki-data|the logs of the last 31d'
    'alertmanager|single-node_alertmanager-data|silences, and who was told what'
    'grafana|single-node_grafana-data|users, preferences and dashboards that people made'
)

# What follows is the same in every stack.

usage() {
    cat <<EOF
usage: ${0##*/} [--yes] BACKUP [NODE...]

Puts back what scripts/backup.sh saved of the stack "$stack" (of the named nodes only, if any are named).
What the volumes hold now is replaced. A node is stopped meanwhile; afterwards it runs again if it ran before.
Not covered: .env and the files that telstack writes. Restore with the same releases that were saved: programs
read older data of their own, hardly newer.

  --yes   do not ask
Exit code: 0 all is back, 1 something is not, 2 nothing was tried.
EOF
}

sure=false
from=
wanted=()
for argument in "$@"; do
    case "$argument" in
        --yes) sure=true ;;
        -h | --help) usage; exit 0 ;;
        -*) echo "${0##*/}: unknown argument: $argument" >&2; usage >&2; exit 2 ;;
        *) if [ -z "$from" ]; then from=$argument; else wanted+=("$argument"); fi ;;
    esac
done
[ -n "$from" ] || { usage >&2; exit 2; }
from=$(cd -- "$from" 2>/dev/null && pwd) || { echo "${0##*/}: there is no such backup" >&2; exit 2; }
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." || exit 2

command -v docker >/dev/null || { echo "${0##*/}: needs docker" >&2; exit 2; }
if docker compose version >/dev/null 2>&1; then
    compose=(docker compose)
elif command -v docker-compose >/dev/null; then
    compose=(docker-compose)
else
    echo "${0##*/}: needs docker compose" >&2
    exit 2
fi

# Nothing is touched before the backup has proved to be whole, and of this stack.
(cd -- "$from" && sha256sum --quiet -c SHA256SUMS) ||
    { echo "${0##*/}: $from is not a whole backup" >&2; exit 2; }
saved=$(cat -- "$from/STACK")
[ "$saved" = "$stack" ] || { echo "${0##*/}: $from is a backup of \"$saved\", this is \"$stack\"" >&2; exit 2; }

rows=()
for row in "${volumes[@]}"; do
    IFS='|' read -r node volume _ <<<"$row"
    chosen=false
    if [ "${#wanted[@]}" -eq 0 ]; then
        [ ! -e "$from/$volume.tar.gz" ] || chosen=true
    else
        for name in "${wanted[@]}"; do
            [ "$name" != "$node" ] || chosen=true
        done
    fi
    "$chosen" || continue
    [ -e "$from/$volume.tar.gz" ] || { echo "${0##*/}: $from holds nothing of $node" >&2; exit 2; }
    rows+=("$row")
done
[ "${#rows[@]}" -gt 0 ] || { echo "${0##*/}: nothing to restore; see --help" >&2; exit 2; }

echo "replaces what these volumes hold now:"
for row in "${rows[@]}"; do
    IFS='|' read -r node volume what <<<"$row"
    echo "  $node: $volume, $what"
done
if ! "$sure"; then
    read -r -p "Go on? [y/N] " answer || answer=
    case "$answer" in
        y | Y | yes) ;;
        *) echo "nothing was touched"; exit 2 ;;
    esac
fi

stopped=
# What was stopped here starts again, whatever happens.
start_again() {
    if [ -n "$stopped" ]; then
        docker start "$stopped" >/dev/null || echo "${0##*/}: container $stopped did not start again" >&2
        stopped=
    fi
}

# running NODE: its container, if it runs.
running() {
    local id
    id=$("${compose[@]}" ps -q "$1" 2>/dev/null | head -n 1)
    if [ -n "$id" ] && [ "$(docker inspect --format '{{.State.Running}}' "$id")" = true ]; then
        printf '%s' "$id"
    fi
}
trap start_again EXIT
trap 'exit 1' HUP INT TERM

failed=0
for row in "${rows[@]}"; do
    IFS='|' read -r node volume what <<<"$row"
    stopped=$(running "$node")
    if [ -n "$stopped" ]; then
        docker stop "$stopped" >/dev/null || { echo "failed  $node: does not stop" >&2; failed=1; start_again; continue; }
    elif ! docker volume inspect "$volume" >/dev/null 2>&1; then
        # Compose makes the volume, so that it knows it as its own.
        "${compose[@]}" up --no-start "$node" || { failed=1; continue; }
    fi
    # Unpacked beside the old files first: a full disk must not cost both.
    if docker run --rm -i --network none -v "$volume:/into" "$helper" sh -ec '
        rm -rf /into/.restoring
        mkdir /into/.restoring
        tar -C /into/.restoring -xzf -
        find /into -mindepth 1 -maxdepth 1 ! -name .restoring -exec rm -rf {} +
        find /into/.restoring -mindepth 1 -maxdepth 1 -exec mv {} /into/ \;
        rmdir /into/.restoring
    ' <"$from/$volume.tar.gz"; then
        echo "back    $node: $volume"
    else
        echo "failed  $node: $volume" >&2
        failed=1
    fi
    start_again
done
exit "$failed"
