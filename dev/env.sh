# Sourced by the scripts of this folder and by the Makefile's recipes: where tools and caches live.
# shellcheck shell=bash

PLIMSOLL_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PLIMSOLL_DEV=${PLIMSOLL_DEV:-${XDG_CACHE_HOME:-$HOME/.cache}/plimsoll-dev}
export PLIMSOLL_ROOT PLIMSOLL_DEV
export PATH="$PLIMSOLL_DEV/bin:$PATH"

# rust-toolchain.toml pins the compiler. Where rustup may not fetch it, a toolchain of the same version under another
# name is as good.
if [ -z "${RUSTUP_TOOLCHAIN:-}" ] && ! (cd "$PLIMSOLL_ROOT" && cargo --version) >/dev/null 2>&1; then
    pinned=$(sed -n 's/^channel = "\(.*\)"$/\1/p' "$PLIMSOLL_ROOT/rust-toolchain.toml")
    for name in $(rustup toolchain list 2>/dev/null | cut -d' ' -f1); do
        case $(RUSTUP_TOOLCHAIN=$name rustc --version 2>/dev/null) in
        "rustc $pinned "*) export RUSTUP_TOOLCHAIN=$name ;;
        esac
    done
    if [ -z "${RUSTUP_TOOLCHAIN:-}" ]; then
        echo "Rust $pinned is missing. Run: rustup toolchain install" >&2
        exit 1
    fi
fi
