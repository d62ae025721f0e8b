#!/usr/bin/env bash
# node-collectors: is what was applied well?
# Compiled by telstack from the stack "node-collectors". Change the stack, not this file:
# `telstack why dev/smoke-test.sh:LINE` tells where a line comes from.
set -uo pipefail

stack='node-collectors'

checks() {
    check_rollout 'zio-lucene' daemonset 'otel-collector'
    check_rollout 'zio-lucene' deployment 'cluster-collector'
    check_rollout 'zio-lucene' deployment 'kube-state-metrics'
    check_trace 'zio-lucene' http 'otel-collector' 4318
}

usage() {
    cat <<END
usage: ${0##*/} [--context NAME] [--wait SECONDS]

Says whether what was applied of the stack "$stack" is well, through the API of the cluster alone:
  rollout     every pod that should be there is there and ready
  http        stores and viewers answer their readiness address
  pipeline    Prometheus scrapes everything it should, and no alert fires
  trace       a span that is sent to a collector is found again in the store

  --context   the context of kubectl; without it, the current one
  --wait      how long to wait for a rollout and for the span; 60 seconds, unless said
Exit code: 0 all is well, 1 something is not, 2 the test could not run.
END
}

context=()
wait=60
while [ "$#" -gt 0 ]; do
    case "$1" in
        --context | --wait)
            [ "$#" -gt 1 ] || { echo "${0##*/}: $1 needs a value" >&2; exit 2; }
            if [ "$1" = --wait ]; then wait=$2; else context=(--context "$2"); fi
            shift 2
            ;;
        -h | --help) usage; exit 0 ;;
        *) echo "${0##*/}: unknown argument: $1" >&2; usage >&2; exit 2 ;;
    esac
done

for tool in kubectl grep od tr; do
    command -v "$tool" >/dev/null || { echo "${0##*/}: needs $tool" >&2; exit 2; }
done

failed=0

ask() {
    kubectl ${context[@]+"${context[@]}"} "$@"
}

ask version >/dev/null 2>&1 || { echo "${0##*/}: kubectl cannot talk to the cluster" >&2; exit 2; }

# report KIND NAME ok|failed DETAIL
report() {
    [ "$3" = ok ] || failed=1
    printf '%-6s  %-9s  %-40s  %s\n' "$3" "$1" "$2" "$4"
}

# The path of the API that leads to a port of a Service.
through() {
    printf '/api/v1/namespaces/%s/services/%s:%s:%s/proxy%s' "$1" "$2" "$3" "$4" "$5"
}

# check_rollout NAMESPACE KIND NAME
check_rollout() {
    local said
    if said=$(ask rollout status --namespace "$1" --timeout "${wait}s" "$2/$3" 2>&1); then
        report rollout "$1/$3" ok "$2: ${said##*$'\n'}"
    else
        report rollout "$1/$3" failed "${said##*$'\n'}: kubectl describe --namespace $1 $2/$3"
    fi
}

# check_http NAMESPACE SCHEME SERVICE PORT PATH
check_http() {
    if ask get --raw "$(through "$1" "$2" "$3" "$4" "$5")" >/dev/null 2>&1; then
        report http "$1/$3" ok "$5 answers"
    else
        report http "$1/$3" failed "$5 does not answer: kubectl logs --namespace $1 service/$3"
    fi
}

# query NAMESPACE SCHEME SERVICE PORT EXPRESSION: the value of the first series, 0 without one
query() {
    local answer value
    answer=$(ask get --raw "$(through "$1" "$2" "$3" "$4" "/api/v1/query?query=$5")" 2>/dev/null) || return 1
    value=$(grep -o '"value":\[[^]]*\]' <<<"$answer" | grep -o '"[0-9.e+]*"\]' | tr -d '"]')
    printf '%s' "${value:-0}"
}

# check_pipeline NAMESPACE SCHEME SERVICE PORT
check_pipeline() {
    local all down alerts
    if ! all=$(query "$@" 'count(up)') || ! down=$(query "$@" 'count(up==0)') \
        || ! alerts=$(query "$@" 'count(ALERTS%7Balertstate=%22firing%22%7D)'); then
        report pipeline "$1/$3" failed 'does not answer queries'
    elif [ "$all" = 0 ] || [ "$down" != 0 ]; then
        report pipeline "$1/$3" failed "$down of $all targets cannot be scraped"
    elif [ "$alerts" != 0 ]; then
        report pipeline "$1/$3" failed "all $all targets are scraped; $alerts alerts fire"
    else
        report pipeline "$1/$3" ok "all $all targets are scraped, no alert fires"
    fi
}

# check_trace NAMESPACE SCHEME SERVICE PORT [NAMESPACE SCHEME SERVICE PORT PATH]: sends a span to the first, and looks
# for it in the second
check_trace() {
    local trace span now url body deadline
    trace=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    span=${trace:0:16}
    now=$(date +%s)
    body='{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"smoke-test"}}]},'
    body+='"scopeSpans":[{"spans":[{"traceId":"'$trace'","spanId":"'$span'","name":"smoke test","kind":1,'
    body+='"startTimeUnixNano":"'$now'000000000","endTimeUnixNano":"'$now'500000000","status":{"code":2}}]}]}]}'
    url=$(through "$1" "$2" "$3" "$4" /v1/traces)
    if ! ask create --raw "$url" -f - <<<"$body" >/dev/null 2>&1; then
        report trace "$1/$3" failed "takes no span at port $4"
        return
    fi
    if [ "$#" -lt 9 ]; then
        report trace "$1/$3" ok 'takes a span; what becomes of it is seen in another cluster, or outside'
        return
    fi
    deadline=$((SECONDS + wait))
    until ask get --raw "$(through "$5" "$6" "$7" "$8" "$9$trace")" 2>/dev/null | grep -q 'smoke test'; do
        if [ "$SECONDS" -ge "$deadline" ]; then
            report trace "$1/$3" failed "the span $trace is not in $5/$7 after $wait seconds; a sampler may have dropped it"
            return
        fi
        sleep 2
    done
    report trace "$1/$3" ok "a span that was sent is found in $5/$7"
}

checks
exit "$failed"
