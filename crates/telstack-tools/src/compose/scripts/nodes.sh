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
