#!/usr/bin/env bash
# Runs a command as somebody who is not root. Usage: dev/as-user.sh COMMAND...
#
# For anybody but root this is just the command. Root gets uid 64001 (with an entry in /etc/passwd that only the command
# sees) with a home of its own, a readable copy of the Rust toolchain, and nothing of root's home. CI uses it to show that everything
# works without privileges; as a runner of cargo it does so for test programs that root compiled.
set -euo pipefail

if [ "$(id -u)" -ne 0 ]; then
    exec "$@"
fi

root=$(cd "$(dirname "$0")/.." && pwd)
uid=64001
base=/var/cache/plimsoll-dev
home=$base/home

# ssh-keygen refuses whoever has no entry in /etc/passwd, so the command sees a copy with one more line.
if ! getent passwd "$uid" >/dev/null; then
    mkdir -p "$base"
    passwd=$(mktemp "$base/passwd.XXXXXX")
    { cat /etc/passwd && echo "plimsoll-dev:x:$uid:$uid::$home:/bin/bash"; } >"$passwd"
    chmod 644 "$passwd"
    # shellcheck disable=SC2016  # the inner shell expands it
    exec unshare --mount --propagation private bash -euo pipefail -c '
        mount --bind "$1" /etc/passwd
        rm "$1"
        shift
        exec "$@"
    ' as-user "$passwd" "$0" "$@"
fi

# The sysroot once for each compiler version; whoever comes second waits for the first.
prepare() {
    mkdir -p "$base" "$home/tmp" "$home/.cargo" "$base/bin"
    exec 9>"$base/lock"
    flock 9
    local sysroot version
    sysroot=$(cd "$root" && rustc --print sysroot)
    version=$(cd "$root" && rustc --version | tr -c 'a-zA-Z0-9.\n' -)
    toolchain=$base/$version
    if [ ! -d "$toolchain" ]; then
        rm -rf "$toolchain.new"
        mkdir "$toolchain.new"
        cp -a "$sysroot"/{bin,lib} "$toolchain.new/"
        chmod -R go+rX "$toolchain.new"
        mv "$toolchain.new" "$toolchain"
    fi
    local program
    for program in cosign hadolint zizmor gitleaks osv-scanner; do
        [ ! -x "$PLIMSOLL_DEV/bin/$program" ] || cp -u "$PLIMSOLL_DEV/bin/$program" "$base/bin/"
    done
    # A virtual environment knows where it lies only by the first line of its programs.
    for program in semgrep checkov schemathesis sbom-judge; do
        local environment=$PLIMSOLL_DEV/python/$program
        if [ -x "$environment/bin/$program" ] &&
            ! cmp -s "$PLIMSOLL_DEV/$program.version" "$base/$program.version"; then
            rm -rf "${base:?}/$program"
            cp -a "$environment" "$base/$program"
            grep -rlI "^#!$environment/" "$base/$program/bin" | xargs sed -i "1s|^#!$environment/|#!$base/$program/|"
            chmod -R go+rX "$base/$program"
            ln -sfn "../$program/bin/$program" "$base/bin/$program"
            cp "$PLIMSOLL_DEV/$program.version" "$base/$program.version"
        fi
    done
    # Where packages come from is the machine's business; who may publish them is nobody's here.
    local config=${CARGO_HOME:-$HOME/.cargo}/config.toml
    [ ! -r "$config" ] || install -m 644 "$config" "$home/.cargo/config.toml"
    chown "$uid:$uid" "$home" "$home"/{tmp,.cargo}
    exec 9>&-
}

# shellcheck source=dev/env.sh
. "$root/dev/env.sh"
prepare

as_user=(env HOME="$home" USER=plimsoll-dev LOGNAME=plimsoll-dev TMPDIR="$home/tmp" CARGO_HOME="$home/.cargo"
    PATH="$toolchain/bin:$base/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    setpriv --reuid "$uid" --regid "$uid" --clear-groups)
unset RUSTUP_HOME RUSTUP_TOOLCHAIN PLIMSOLL_DEV XDG_CACHE_HOME XDG_CONFIG_HOME XDG_DATA_HOME XDG_STATE_HOME XDG_RUNTIME_DIR

if "${as_user[@]}" test -r "$root/Makefile" -a -x "$PWD"; then
    exec "${as_user[@]}" "$@"
fi

# The first folder on the way to $1 that the user may not enter.
closed_at() {
    local way=$1 path=
    while [ -n "${way#/}" ]; do
        way=${way#/}
        path=$path/${way%%/*}
        "${as_user[@]}" test -x "$path" || break
        case $way in */*) way=${way#*/} ;; *) break ;; esac
    done
    echo "$path"
}

# The checkout lies in a folder that others may not enter, such as root's home. In a mount namespace of its own the
# checkout appears at the same path inside an empty folder.
[ -z "${CARGO_TARGET_DIR:-}" ] || mkdir -p "$CARGO_TARGET_DIR"
# shellcheck disable=SC2016  # the inner shell expands it
exec unshare --mount --propagation private bash -euo pipefail -c '
    closed=$1 root=$2 target=$3 here=$4; shift 4
    hold=$(mktemp -d)
    mkdir "$hold/root" "$hold/target"
    mount --bind "$root" "$hold/root"
    [ -z "$target" ] || mount --bind "$target" "$hold/target"
    mount -t tmpfs -o mode=755 none "$closed"
    mkdir -p "$root"
    mount --move "$hold/root" "$root"
    if [ -n "$target" ]; then
        mkdir -p "$target"
        mount --move "$hold/target" "$target"
    fi
    cd "$here"
    exec "$@"
' as-user "$(closed_at "$root")" "$root" "${CARGO_TARGET_DIR:-}" "$PWD" "${as_user[@]}" "$@"
