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
