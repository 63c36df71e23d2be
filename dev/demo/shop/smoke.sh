#!/bin/bash
# Starts the frozen artifact and asks it what a user would ask.
set -eu
program=$(find /artifact -type f -name shop)
"$program" &
service=$!
trap 'kill "$service"' EXIT

get() {
    exec 3<>/dev/tcp/127.0.0.1/8080
    printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$1" >&3
    cat <&3
}

for _ in $(seq 200); do
    if health=$(get /healthz 2>/dev/null); then break; fi
    kill -0 "$service"
    sleep 0.05
done
grep '^HTTP/1.1 200' <<<"$health"
get / | grep '"service":"shop"'
get /price/rope/3 | grep '"cents":2985'
