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

# refuse WORDS: nothing was done so far, and nothing will be.
refuse() {
    echo "${0##*/}: $1" >&2
    exit 2
}

# need PROGRAM...: they are there, and docker compose is.
need() {
    local program
    for program in "$@"; do
        command -v "$program" >/dev/null || refuse "needs $program"
    done
    if docker compose version >/dev/null 2>&1; then
        compose=(docker compose)
    elif command -v docker-compose >/dev/null; then
        compose=(docker-compose)
    else
        refuse "needs docker compose"
    fi
}

# ask_compose: can it be asked what runs? It reads all of docker-compose.yml for that, and so wants the
# variables of .env. `why` is then what it said.
why=
ask_compose() { why=$("${compose[@]}" ps -q 2>&1); }

# refuse_strangers NODE...: each of them has volumes here.
refuse_strangers() {
    local name row found
    for name in "$@"; do
        found=false
        for row in "${volumes[@]}"; do
            [ "${row%%|*}" != "$name" ] || found=true
        done
        "$found" || refuse "\"$name\" has no volumes here; see --help"
    done
}

# is_wanted NODE NAME...: it is among the names, or there are none.
is_wanted() {
    local node=$1 name
    shift
    [ "$#" -gt 0 ] || return 0
    for name in "$@"; do
        [ "$name" != "$node" ] || return 0
    done
    return 1
}

interrupted=
signals=0
# heed: from here on signals are noted, and obeyed where nothing is left half done.
heed() {
    trap 'interrupted=129 signals=$((signals + 1))' HUP
    trap 'interrupted=130 signals=$((signals + 1))' INT
    trap 'interrupted=143 signals=$((signals + 1))' TERM
}

# apart COMMAND...: runs it out of reach of Ctrl-C at the terminal, to its end. `on_signal` hears of signals.
apart() {
    local id code before=$signals
    set -m
    "$@" &
    id=$!
    set +m
    while :; do
        if [ "$before" != "$signals" ]; then
            before=$signals
            on_signal
        fi
        wait "$id"
        code=$?
        # A signal ends the waiting, not what is waited for.
        [ "$before" != "$signals" ] || return "$code"
    done
}

# running NODE: its container, if it runs. Fails, with their own words, where compose or docker do not say.
running() {
    local ids id state
    ids=$("${compose[@]}" ps -q "$1") || return
    id=${ids%%$'\n'*}
    [ -n "$id" ] || return 0
    state=$(docker inspect --format '{{.State.Running}}' "$id") || return
    [ "$state" != true ] || printf '%s' "$id"
}

stopped=
# stop NODE: if it runs. Fails, and says so, if it cannot tell or cannot stop it.
stop() {
    if ! stopped=$(running "$1"); then
        stopped=
        echo "failed  $1: it is not known whether it runs, so its volumes were left alone" >&2
        return 1
    fi
    if [ -n "$stopped" ] && ! apart docker stop "$stopped" </dev/null >/dev/null; then
        echo "failed  $1: does not stop, so its volumes were left alone" >&2
        start_again
        return 1
    fi
}

# start_again: what was stopped here.
start_again() {
    [ -n "$stopped" ] || return 0
    apart docker start "$stopped" </dev/null >/dev/null || echo "${0##*/}: container $stopped did not start again" >&2
    stopped=
}

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
Exit code: 0 all is saved, 1 something is not, 2 nothing was tried, above 128 interrupted, nothing is kept.
EOF
}

into=backups
wanted=()
while [ "$#" -gt 0 ]; do
    case "$1" in
        -o) [ "$#" -ge 2 ] || refuse "-o needs a folder"; into=$2; shift ;;
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
need docker sha256sum date du cut
refuse_strangers ${wanted[@]+"${wanted[@]}"}
# A store that runs is not to be copied for one that does not.
ask_compose || refuse "docker compose cannot be asked what runs; nothing was tried: $why"

umask 077
target=$into/$stack-$(date -u +%Y%m%dT%H%M%SZ)
partial=$target.partial
helping=$stack-backup-$$

# What is being saved is given up.
on_signal() { docker rm -f "$helping" >/dev/null 2>&1 </dev/null; }
obey() {
    [ -n "$interrupted" ] || return 0
    echo "${0##*/}: interrupted: nothing was saved" >&2
    exit "$interrupted"
}
mkdir -p -- "$into" && mkdir -- "$partial" || exit 2
# However this ends, what was stopped runs again, and no half backup is left.
trap 'trap "" HUP INT TERM; start_again; rm -rf -- "$partial"' EXIT
heed

failed=0
for row in "${volumes[@]}"; do
    IFS='|' read -r node volume what <<<"$row"
    is_wanted "$node" ${wanted[@]+"${wanted[@]}"} || continue
    obey
    if ! docker volume inspect "$volume" >/dev/null 2>&1; then
        echo "failed  $node: there is no volume $volume; was the stack ever started?" >&2
        failed=1
        continue
    fi
    stop "$node" || { failed=1; continue; }
    obey
    if apart docker run --rm --name "$helping" --network none -v "$volume:/from:ro" "$helper" \
        tar -C /from -czf - . </dev/null >"$partial/$volume.tar.gz" && [ -s "$partial/$volume.tar.gz" ]; then
        echo "saved   $node: $volume ($(du -h "$partial/$volume.tar.gz" | cut -f 1)), $what"
    else
        rm -f -- "$partial/$volume.tar.gz"
        obey
        echo "failed  $node: $volume" >&2
        failed=1
    fi
    start_again
done
obey

printf '%s\n' "$stack" >"$partial/STACK"
if (cd -- "$partial" && sha256sum -- STACK *.tar.gz >SHA256SUMS) 2>/dev/null && mv -- "$partial" "$target"; then
    echo "in $target; back with: scripts/restore.sh $target"
else
    obey
    echo "${0##*/}: nothing was saved" >&2
    failed=1
fi
exit "$failed"
