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
