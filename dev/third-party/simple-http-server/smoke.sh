#!/bin/bash
# Serves one file with the frozen artifact and reads it back.
set -eu
program=$(find /artifact -type f -name simple-http-server)
folder=$(mktemp -d)
echo 'from the artifact' >"$folder/file.txt"
"$program" --ip 127.0.0.1 --port 8080 --silent "$folder" &
service=$!
trap 'kill "$service"' EXIT

get() {
    exec 3<>/dev/tcp/127.0.0.1/8080
    printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$1" >&3
    cat <&3
}

for _ in $(seq 200); do
    if answer=$(get /file.txt 2>/dev/null); then break; fi
    kill -0 "$service"
    sleep 0.05
done
grep 'from the artifact' <<<"$answer"
