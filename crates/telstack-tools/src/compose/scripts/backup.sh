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
