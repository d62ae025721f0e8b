#!/usr/bin/env bash
# single-node: save what the stack keeps
# Compiled by telstack from the stack "single-node". Change the stack, not this file:
# `telstack why scripts/backup.sh:LINE` tells where a line comes from.
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
usage: ${0##*/} [-o FOLDER] [NODE...]

Saves the volumes of the stack "$stack" (of the named nodes only, if any are named):
EOF
    local row
    for row in "${volumes[@]}"; do
        printf '  %s: %s\n' "${row%%|*}" "${row##*|}"
    done
    cat <<EOF

A node is stopped while its volumes are saved, so that the files agree with each other; then it starts again.
What senders cannot deliver meanwhile waits in their queues, and is lost where those are too short.
Not covered: .env (keep its secrets where secrets are kept), the files that telstack writes (build them
again from the stack), what runs outside the stack.

  -o FOLDER   where to put it (default: backups); each run makes a folder of its own there
Exit code: 0 all is saved, 1 something is not, 2 nothing was tried.
EOF
}

into=backups
wanted=()
while [ "$#" -gt 0 ]; do
    case "$1" in
        -o) [ "$#" -ge 2 ] || { echo "${0##*/}: -o needs a folder" >&2; exit 2; }; into=$2; shift ;;
        -h | --help) usage; exit 0 ;;
        -*) echo "${0##*/}: unknown argument: $1" >&2; usage >&2; exit 2 ;;
        *) wanted+=("$1") ;;
    esac
    shift
done

case "$into" in
    /*) ;;
    *) into=$PWD/$into ;;
esac
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

# is_wanted NODE
is_wanted() {
    [ "${#wanted[@]}" -eq 0 ] && return 0
    local name
    for name in "${wanted[@]}"; do
        [ "$name" != "$1" ] || return 0
    done
    return 1
}
for name in ${wanted[@]+"${wanted[@]}"}; do
    found=false
    for row in "${volumes[@]}"; do
        [ "${row%%|*}" != "$name" ] || found=true
    done
    "$found" || { echo "${0##*/}: \"$name\" has no volumes here; see --help" >&2; exit 2; }
done

umask 077
target=$into/$stack-$(date -u +%Y%m%dT%H%M%SZ)
partial=$target.partial
mkdir -p -- "$into" && mkdir -- "$partial" || exit 2

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
for row in "${volumes[@]}"; do
    IFS='|' read -r node volume what <<<"$row"
    is_wanted "$node" || continue
    if ! docker volume inspect "$volume" >/dev/null 2>&1; then
        echo "failed  $node: there is no volume $volume; was the stack ever started?" >&2
        failed=1
        continue
    fi
    stopped=$(running "$node")
    if [ -n "$stopped" ] && ! docker stop "$stopped" >/dev/null; then
        echo "failed  $node: does not stop" >&2
        failed=1
        start_again
        continue
    fi
    if docker run --rm --network none -v "$volume:/from:ro" "$helper" tar -C /from -czf - . >"$partial/$volume.tar.gz" &&
        [ -s "$partial/$volume.tar.gz" ]; then
        echo "saved   $node: $volume ($(du -h "$partial/$volume.tar.gz" | cut -f 1)), $what"
    else
        rm -f -- "$partial/$volume.tar.gz"
        echo "failed  $node: $volume" >&2
        failed=1
    fi
    start_again
done

printf '%s\n' "$stack" >"$partial/STACK"
if (cd -- "$partial" && sha256sum -- STACK *.tar.gz >SHA256SUMS) 2>/dev/null && mv -- "$partial" "$target"; then
    echo "in $target; back with: scripts/restore.sh $target"
else
    rm -rf -- "$partial"
    echo "${0##*/}: nothing was saved" >&2
    failed=1
fi
exit "$failed"
