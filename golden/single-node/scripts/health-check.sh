#!/usr/bin/env bash
# single-node: is the stack well?
# Compiled by telstack from the stack "single-node". Change the stack, not this file:
# `telstack why scripts/health-check.sh:LINE` tells where a line comes from.
set -uo pipefail

stack='single-node'

checks() {
    check_container 'otel-collector'
    check_port 'otel-collector' '127.0.0.1' 4317 'OTLP over gRPC'
    check_port 'otel-collector' '127.0.0.1' 4318 'OTLP over HTTP'
    check_http 'otel-collector' 'http://127.0.0.1:13133/'
    check_container 'jaeger'
    check_http 'jaeger' 'http://127.0.0.1:16686/api/services'
    check_container 'prometheus'
    check_http 'prometheus' 'http://127.0.0.1:9090/-/ready'
    check_pipeline 'prometheus' 'http://127.0.0.1:9090'
    check_container 'loki'
    check_http 'loki' 'http://127.0.0.1:3100/ready'
    check_container 'alertmanager'
    check_http 'alertmanager' 'http://127.0.0.1:9093/-/ready'
    check_container 'grafana'
    check_http 'grafana' 'http://127.0.0.1:3000/api/health'
}

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

usage() {
    cat <<EOF
usage: ${0##*/} [--json]

Says whether the stack "$stack" is well, seen from this host:
  container   runs, and its own health check passes
  http        answers its health or readiness address, where that is published
  port        takes connections, where it is published over TCP
  pipeline    Prometheus scrapes everything it should, and no alert fires
  compose     cannot be asked what runs; said only if so

Not covered: whether what is sent in can be found again, free space on disks, things outside the stack.

  --json   one JSON object for programs
Exit code: 0 all is well, 1 something is not, 2 the check could not run.
EOF
}

json=false
for argument in "$@"; do
    case "$argument" in
        --json) json=true ;;
        -h | --help) usage; exit 0 ;;
        *) echo "${0##*/}: unknown argument: $argument" >&2; usage >&2; exit 2 ;;
    esac
done

cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." || exit 2
need docker curl timeout grep cut sort paste
docker info >/dev/null 2>&1 || refuse "cannot talk to docker"

failed=0
results=()

quoted() {
    local text=${1//\\/\\\\}
    text=${text//\"/\\\"}
    printf '"%s"' "${text//[[:cntrl:]]/ }"
}

# report KIND NAME ok|failed DETAIL
report() {
    [ "$3" = ok ] || failed=1
    if "$json"; then
        results+=("{\"check\":$(quoted "$1"),\"name\":$(quoted "$2"),\"status\":\"$3\",\"detail\":$(quoted "$4")}")
    else
        printf '%-6s  %-9s  %-30s  %s\n' "$3" "$1" "$2" "$4"
    fi
}

check_container() {
    local ids id about state health restarts
    if ! "$asked" || ! ids=$("${compose[@]}" ps -q "$1" 2>/dev/null); then
        report container "$1" failed 'not known whether it runs: docker compose cannot be asked'
        return
    fi
    id=${ids%%$'\n'*}
    if [ -z "$id" ]; then
        report container "$1" failed "not running: ${compose[*]} up -d $1"
        return
    fi
    about=$(docker inspect --format \
        '{{.State.Status}} {{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}} {{.RestartCount}}' "$id")
    read -r state health restarts <<<"${about:-unknown unknown unknown}"
    case "$state $health" in
        'running healthy') report container "$1" ok "running, healthy, restarted $restarts times" ;;
        'running none') report container "$1" ok "running, restarted $restarts times; its image cannot check itself" ;;
        'running starting') report container "$1" failed 'running, not healthy yet: ask again in a minute' ;;
        *) report container "$1" failed "$state, $health: ${compose[*]} logs --tail 50 $1" ;;
    esac
}

check_http() {
    local code
    # The certificate was made for the name inside the stack, not for this host.
    code=$(curl --silent --insecure --max-time 5 --output /dev/null --write-out '%{http_code}' "$2") || true
    case "$code" in
        2?? | 3??) report http "$1" ok "$2 answers $code" ;;
        000 | '') report http "$1" failed "$2 does not answer" ;;
        *) report http "$1" failed "$2 answers $code" ;;
    esac
}

check_port() {
    if timeout 5 bash -c "exec 3<>/dev/tcp/$2/$3" 2>/dev/null; then
        report port "$1" ok "$2:$3 takes connections ($4)"
    else
        report port "$1" failed "$2:$3 takes no connections ($4)"
    fi
}

# ask PROMETHEUS QUERY: the answer's JSON.
ask() { curl --silent --insecure --fail --max-time 5 --get --data-urlencode "query=$2" "$1/api/v1/query"; }

# names LABEL: what that label is in an answer, each once.
names() { grep -o "\"$1\":\"[^\"]*\"" | cut -d '"' -f 4 | sort -u | paste -s -d ' ' -; }

check_pipeline() {
    local answer found
    if ! answer=$(ask "$2" 'up == 0'); then
        report pipeline "$1" failed "$2 answers no queries"
        return
    fi
    found=$(names job <<<"$answer")
    if [ -n "$found" ]; then
        report pipeline "$1" failed "cannot scrape: $found"
    elif answer=$(ask "$2" 'up == 1') && found=$(names job <<<"$answer") && [ -n "$found" ]; then
        report pipeline "$1" ok "scrapes $found"
    else
        report pipeline "$1" failed 'has scraped nothing yet: ask again in a minute'
    fi
    if answer=$(ask "$2" 'ALERTS{alertstate="firing"}'); then
        found=$(names alertname <<<"$answer")
        if [ -n "$found" ]; then
            report pipeline "$1" failed "alerts fire: $found"
        else
            report pipeline "$1" ok 'no alert fires'
        fi
    fi
}

asked=true
if ! ask_compose; then
    asked=false
    report compose "$stack" failed "cannot be asked what runs: ${why//[[:cntrl:]]/ }"
fi
checks

if "$json"; then
    status=ok
    [ "$failed" -eq 0 ] || status=failed
    joined=$(IFS=,; printf '%s' "${results[*]}")
    printf '{"stack":%s,"status":"%s","checks":[%s]}\n' "$(quoted "$stack")" "$status" "$joined"
elif [ "$failed" -eq 0 ]; then
    echo "all is well"
else
    echo "something is not well"
fi
exit "$failed"
