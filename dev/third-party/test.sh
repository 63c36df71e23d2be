#!/usr/bin/env bash
# Takes published programs, and Plimsoll itself, the whole way: commit, build, tests, signatures, verification by
# `plimsoll verify` and by cosign; scans and the list of packages, and what gates make of them; the HTTP server also through the gate, started, called, traced and stopped; Plimsoll also
# through two environments, into a directory, from which it checks how it came there.
#
#   test.sh [NAME]...     names of packages.txt, or `self`   [default: all of them]
#
# Works in a temporary folder, as root and as anybody else; removes it whatever happens.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=dev/env.sh
. "$root/dev/env.sh"
plimsoll=${CARGO_TARGET_DIR:-$root/target}/debug/plimsoll
[ -x "$plimsoll" ] || { echo "test.sh: there is no $plimsoll: cargo build -p plimsoll" >&2; exit 2; }

work=$(mktemp -d "${TMPDIR:-/tmp}/third-party.XXXXXX")
serving=
clean_up() {
    status=$?
    trap - EXIT
    if [ -n "$serving" ]; then "$plimsoll" --quiet stop "$serving" || true; fi
    chmod -R u+rwX "$work"
    rm -rf "$work"
    exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

# Nothing of the user's git configuration, nor any key of theirs, plays a part.
export GIT_CONFIG_SYSTEM=/dev/null GIT_CONFIG_GLOBAL=$work/gitconfig
unset SSH_AUTH_SOCK
ssh-keygen -q -t ed25519 -N '' -C third-party@example.com -f "$work/key"
cat >"$GIT_CONFIG_GLOBAL" <<CONFIG
[user]
    name = Third Party
    email = third-party@example.com
    signingkey = $work/key
[gpg]
    format = ssh
[commit]
    gpgsign = true
[safe]
    directory = *
CONFIG

say() { printf '%4ds  %s\n' "$SECONDS" "$*"; }
fail() { say "FAILED: $*" >&2; exit 1; }
same() { [ "$1" = "$2" ] || fail "$3: $1 is not $2"; }
digest() { sha256sum "$1" | sed 's/ .*//; s/^/sha256:/'; }

# The first value of a key in one of Plimsoll's JSON documents, which have one key on each line.
value() { sed -n "s/^ *\"$1\": \"\\{0,1\\}\\([^\",]*\\)\"\\{0,1\\},\\{0,1\\}\$/\\1/p" "$2" | head -n 1; }

# Runs the newest commit of the repository here, and leaves the record in the named file.
run() {
    "$plimsoll" --json run >"$1" || { cat "$1"; fail "the run of $PWD"; }
    same "$(value tier "$1")" trusted "tier"
    same "$(value passed "$1")" true "passed"
    same "$(value commit "$1")" "$(git rev-parse HEAD)" "commit"
    say "      run $(value run "$1") is trusted and passed; artifact $(value manifest "$1")"
}

# Everything that a run signed, judged by Plimsoll, and its provenance by cosign, which never heard of Plimsoll.
judge() {
    local to=$1/exported bundle
    "$plimsoll" --quiet export "$(value run "$1/run.json")" --to "$to" >/dev/null
    same "$(digest "$to/manifest.json")" "$(value manifest "$1/run.json")" "the exported manifest"
    for bundle in "$to"/*.sigstore.json; do
        "$plimsoll" --quiet verify "$bundle" >/dev/null
    done
    "$plimsoll" --quiet verify "$to/artifact.sigstore.json" --subject "$to/manifest.json" >/dev/null
    "$plimsoll" trust key builder >"$1/builder.pub"
    cosign verify-blob-attestation --key "$1/builder.pub" --insecure-ignore-tlog --type slsaprovenance1 \
        --bundle "$to/artifact.sigstore.json" "$to/manifest.json" 2>"$1/cosign" || { cat "$1/cosign"; fail "cosign"; }
    "$plimsoll" trust key scanner >"$1/scanner.pub"
    cosign verify-blob-attestation --key "$1/scanner.pub" --insecure-ignore-tlog --type cyclonedx \
        --bundle "$to/sbom.sigstore.json" "$to/manifest.json" 2>"$1/cosign" || { cat "$1/cosign"; fail "cosign"; }
    echo x >>"$to/manifest.json"
    if cosign verify-blob-attestation --key "$1/builder.pub" --insecure-ignore-tlog --type slsaprovenance1 \
        --bundle "$to/artifact.sigstore.json" "$to/manifest.json" 2>/dev/null; then fail "cosign accepts anything"; fi
    say "      $(find "$to" -name '*.sigstore.json' | wc -l) bundles verified; cosign agrees about provenance and packages"
}

# What the run says of secrets, packages and configuration, and what its artifact is made of: each signed, each about the
# digest that it looked at; the scans about the tree that the run statement leads from to the artifact.
evidence() {
    local to=$1/exported name tree manifest list=$1/list.json
    tree=$(value tree "$1/run.json") manifest=$(value manifest "$1/run.json")
    shift
    for name in "$@"; do
        "$plimsoll" --json verify "$to/$name.sigstore.json" >"$to/$name.json" || fail "no evidence of $name"
        same "$(value predicateType "$to/$name.json")" https://plimsoll.dev/scan/v1 "the kind of $name"
        same "$(value outcome "$to/$name.json")" passed "$name"
        grep --quiet "${tree#sha256:}" "$to/$name.json" || fail "$name is not about the tree"
    done
    "$plimsoll" --json verify "$to/sbom.sigstore.json" >"$list" || fail "no list of packages"
    same "$(value predicateType "$list")" https://cyclonedx.org/bom "the kind of the list"
    grep --quiet "${manifest#sha256:}" "$list" || fail "the list is not about the artifact"
    grep --quiet '"value": "true"' "$to/sbom.cdx.json" || fail "the build fetched nothing of what is listed"
    say "      evidence of $* and a list of $(grep -c '"bom-ref"' "$to/sbom.cdx.json") packages"
}

# The same commit must give the same artifact.
again() {
    run "$1/again.json"
    same "$(value manifest "$1/again.json")" "$(value manifest "$1/run.json")" "the second artifact"
}

# As published, its workflows run actions from branches that anybody there can move: the gate says so, with the repair.
refuse() {
    if "$plimsoll" --json promote "$2" --to local >"$1/refused.json"; then fail "the gate lets it through"; fi
    same "$(value code "$1/refused.json")" E-EVIDENCE-FAILED "why it is refused"
    same "$(value check "$1/refused.json")" config "what refuses it"
    "$plimsoll" why "$2@local" >"$1/why"
    grep --quiet 'config/github-mutable-action .*CICD.yml:[0-9]*$' "$1/why" || { cat "$1/why"; fail "no finding"; }
    grep --quiet 'fix: name the commit' "$1/why" || { cat "$1/why"; fail "no repair"; }
    say "      refused for $(grep -c 'config/' "$1/why") findings of configuration, each with its repair"
}

# A port that nobody listens on.
free_port() {
    local port
    for port in $(shuf -i 20000-29999 -n 50); do
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then echo "$port"; return; fi
    done
    fail "no free port"
}

# Lets the gate decide and start the service; what answers is what was built.
serve() {
    local name=$2 unit=$2@local port process
    port=$(free_port)
    sed -i "s/listen: 8080/listen: $port/; s|health: /healthz|health: /|" "$1/delivery/environments/local/$name/target.yaml"
    git -C "$1/delivery" commit --quiet --all --message "$name: where it listens, and what tells that it is healthy"
    serving=$unit
    "$plimsoll" --quiet promote "$name" --to local
    curl --silent --show-error --fail "http://127.0.0.1:$port/" >"$1/answer" || fail "no answer"
    grep --quiet "$name" "$1/answer" || { cat "$1/answer"; fail "another answer"; }
    "$plimsoll" --json trace "$unit" >"$1/trace.json"
    process=$(value process "$1/trace.json")
    same "$(digest "/proc/$process/exe")" "$(value actual "$1/trace.json")" "what the process executes"
    same "$(sed -n '/"files"/,/]/p' "$1/trace.json" | sed -n 's/.*"digest": "\(.*\)".*/\1/p')" \
        "$(value actual "$1/trace.json")" "the file in the artifact"
    say "      allowed, started, answers; process $process executes what was built"
    "$plimsoll" --quiet stop "$unit" >/dev/null
    serving=
    [ ! -e "/proc/$process" ] || fail "process $process outlives its service"
    say "      stopped"
}

# Installs a program in staging, has two people approve it, and installs it in production; there it checks its own dossier.
install() {
    local place=$1 name=$2 environment person installed dossier decision
    mkdir -m 755 "$place/opt"
    for environment in staging production; do
        printf 'version: 1\ndirectory: {path: "%s"}\n' "$place/opt/$environment" \
            >"$place/delivery/environments/$environment/$name/target.yaml"
    done
    for person in ada bob; do
        ssh-keygen -q -t ed25519 -N '' -C "$person@example.com" -f "$place/$person"
        printf '  - {name: %s, git-emails: [%s@example.com], ssh-keys: ["%s"], roles: [release-managers]}\n' \
            "$person" "$person" "$(cat "$place/$person.pub")" >>"$place/delivery/people.yaml"
    done
    # What scanners are tried on is wrong on purpose: somebody answers for it, for a month.
    for environment in staging production; do
        cat >"$place/delivery/environments/$environment/$name/exceptions.yaml" <<EOF
version: 1
exceptions:
  - {scan: config, rule: config/open-admin-port, path: adapters/samples/checkov/main.tf, owner: ada, reason: a sample, expires: $(date -u -d '+30 days' +%F)}
  - {scan: config, rule: config/github-script-injection, path: adapters/samples/zizmor/.github/workflows/ci.yml, owner: ada, reason: a sample, expires: $(date -u -d '+30 days' +%F)}
EOF
        for rule in api-key authorization-header aws-access-key google-api-key password private-key secret token url-password; do
            echo "  - {scan: secrets, rule: secrets/$rule, path: crates/plimsoll-scan/testdata/creddata/sample.txt, owner: ada, reason: a sample, expires: $(date -u -d '+30 days' +%F)}"
        done >>"$place/delivery/environments/$environment/$name/exceptions.yaml"
    done
    # Its tests hold secrets that are none, each under a comment that says so.
    sed -i 's/secrets: {block: high}/secrets: {block: high, comments: true}/' "$place"/delivery/environments/*/environment.yaml
    git -C "$place/delivery" add --all
    git -C "$place/delivery" commit --quiet --message "$name: where it is installed, and who approves"
    "$plimsoll" --quiet policy sign -C "$place/delivery" --key "$work/key.pub" >/dev/null
    "$plimsoll" --quiet promote "$name" --to staging >/dev/null
    if "$plimsoll" --json promote "$name" --to production >"$place/refused.json"; then fail "nobody approved"; fi
    same "$(value code "$place/refused.json")" E-APPR-QUORUM "why it is refused"
    for person in ada bob; do
        "$plimsoll" --quiet approve "$name@production" --yes --key "$place/$person.pub" >/dev/null
    done
    "$plimsoll" --json promote "$name" --to production >"$place/promoted.json" || { cat "$place/promoted.json"; fail "the promotion"; }
    installed=$place/opt/production/current/$name
    dossier=$(readlink -f "$place/opt/production/current").dossier.tar
    "$plimsoll" --json trace "$name@production" >"$place/trace.json"
    same "$(grep -F "\"$(readlink -f "$installed")\": " "$place/trace.json" | sed 's/.*"\(sha256:[0-9a-f]*\)".*/\1/')" \
        "$(digest "$installed")" "the installed file"
    same "$("$installed" --version)" "$("$plimsoll" --version)" "the version"
    PLIMSOLL_STATE=$place/none "$installed" verify "$dossier" --root "$place/delivery/trust/root.json" >"$place/verified"
    decision=$(sed -n 's/^decision  *//p' "$place/verified")
    grep --quiet --fixed-strings "\"${decision:?}\"" "$place/promoted.json" || fail "$decision is not what was promoted"
    say "      approved by two, installed; what is installed recomputes $decision, which let it in"
}

# From a repository with a plimsoll.yaml to what the run left. Each program gets a delivery repository of its own, and a
# state directory, which trusts one delivery repository only.
deliver() {
    cd "$1/source"
    export PLIMSOLL_STATE=$1/state
    "$plimsoll" --quiet init --delivery "$1/delivery" --environments "${2:-local}" >/dev/null
    "$plimsoll" --quiet advisories import "$root/crates/plimsoll-dependencies/testdata/osv/rustsec" >/dev/null
    run "$1/run.json"
    judge "$1"
}

third_party() {
    local name=$1 version=$2 place=$work/$1
    say "$name $version"
    mkdir "$place"
    "$here/fetch.sh" "$name" "$version" "$place/source" "$work/key" >/dev/null
    deliver "$place"
    case $name in
    b3sum) evidence "$place" secrets dependencies; again "$place" ;;
    hexyl) evidence "$place" secrets dependencies config; refuse "$place" "$name" ;;
    simple-http-server) evidence "$place" secrets dependencies config; serve "$place" "$name" ;;
    esac
}

# A clone of what is committed here, through the plimsoll.yaml at its root.
self() {
    say "plimsoll itself"
    mkdir "$work/self"
    git clone --quiet "file://$root" "$work/self/source"
    deliver "$work/self" staging,production
    evidence "$work/self" secrets config
    install "$work/self" plimsoll
}

if [ $# -eq 0 ]; then
    mapfile -t names < <(sed -n '/^[a-z]/s/ .*//p' "$here/packages.txt")
    set -- "${names[@]}" self
fi
for name in "$@"; do
    if [ "$name" = self ]; then self; continue; fi
    version=$(awk -v n="$name" '$1 == n { print $2 }' "$here/packages.txt")
    third_party "$name" "${version:?"$name is not in packages.txt"}"
done
say "done"
