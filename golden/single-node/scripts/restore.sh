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
usage: ${0##*/} [--yes] BACKUP [NODE...]

Puts back what scripts/backup.sh saved of the stack "$stack" (of the named nodes only, if any are named).
What the volumes hold now is replaced. A node is stopped meanwhile; afterwards it runs again if it ran before.
A collector's queue holds what was not delivered when it was saved. Most of that was delivered since: put back,
it is sent once more. Name the other nodes to leave queues out.
Not covered: .env and the files that telstack writes. Restore with the same releases that were saved: programs
read older data of their own, hardly newer.

  --yes   do not ask
Exit code: 0 all is back, 1 something is not, 2 nothing was tried, above 128 interrupted: what is said to be
back is, the rest is as it was.
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
from=$(cd -- "$from" 2>/dev/null && pwd) || refuse "there is no such backup"
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." || exit 2
need docker sha256sum
refuse_strangers ${wanted[@]+"${wanted[@]}"}

# Nothing is touched before the backup has proved to be whole, and of this stack.
(cd -- "$from" && sha256sum --quiet -c SHA256SUMS) || refuse "$from is not a whole backup"
saved=$(cat -- "$from/STACK")
[ "$saved" = "$stack" ] || refuse "$from is a backup of \"$saved\", this is \"$stack\""

rows=()
for row in "${volumes[@]}"; do
    IFS='|' read -r node volume _ <<<"$row"
    is_wanted "$node" ${wanted[@]+"${wanted[@]}"} || continue
    if [ -e "$from/$volume.tar.gz" ]; then
        rows+=("$row")
    elif [ "${#wanted[@]}" -gt 0 ]; then
        refuse "$from holds nothing of $node"
    fi
done
[ "${#rows[@]}" -gt 0 ] || refuse "nothing to restore; see --help"
# The files of a store that runs are not to be replaced under it.
ask_compose || refuse "docker compose cannot be asked what runs; nothing was touched: $why"

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

# A volume is put back to the end: half a store is worth nothing.
on_signal() { echo "${0##*/}: interrupted: ends after the volume at hand" >&2; }
obey() {
    [ -z "$interrupted" ] || exit "$interrupted"
}
# However this ends, what was stopped runs again.
trap 'trap "" HUP INT TERM; start_again' EXIT
heed

# Unpacked beside the old files first: a full disk must not cost both.
unpack='
    rm -rf /into/.restoring && mkdir /into/.restoring || exit 3
    tar -C /into/.restoring -xzf - || { rm -rf /into/.restoring; exit 3; }
    find /into -mindepth 1 -maxdepth 1 ! -name .restoring -exec rm -rf {} + || exit 4
    find /into/.restoring -mindepth 1 -maxdepth 1 -exec mv {} /into/ \; || exit 4
    rmdir /into/.restoring
'
failed=0
for row in "${rows[@]}"; do
    obey
    IFS='|' read -r node volume what <<<"$row"
    stop "$node" || { failed=1; continue; }
    obey
    if ! docker volume inspect "$volume" >/dev/null 2>&1; then
        # Compose makes the volume, so that it knows it as its own.
        "${compose[@]}" up --no-start "$node" || { echo "failed  $node: there is no $volume" >&2; failed=1; continue; }
    fi
    apart docker run --rm -i --network none -v "$volume:/into" "$helper" sh -c "$unpack" <"$from/$volume.tar.gz"
    case "$?" in
        0) echo "back    $node: $volume" ;;
        # 3 is ours; the others are docker's, where it starts nothing.
        3 | 125 | 126 | 127)
            failed=1
            echo "failed  $node: cannot be unpacked; $volume holds what it held before" >&2
            ;;
        *)
            failed=1
            echo "failed  $node: $volume may be replaced in part: restore it again; $node stays stopped" >&2
            stopped=
            ;;
    esac
    start_again
done
obey
exit "$failed"
