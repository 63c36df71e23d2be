#!/usr/bin/env bash
# Makes a git repository of one commit from a published program: its package as cargo obtains it, checked against
# packages.txt, with the plimsoll.yaml and smoke.sh that stand here for it.
#
#   fetch.sh NAME VERSION DIR [KEY]     KEY: a private SSH key (or its .pub, with an agent) that signs the commit
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
name=${1:?name} version=${2:?version} dir=${3:?directory} key=${4:-}

read -r expected packages < <(awk -v n="$name" -v v="$version" '$1 == n && $2 == v {print $3, $4}' "$here/packages.txt") ||
    { echo "fetch.sh: $name $version is not in packages.txt" >&2; exit 2; }
[ ! -e "$dir" ] || { echo "fetch.sh: $dir exists" >&2; exit 2; }

# Outside any project, so that no .cargo/config.toml of one is read.
elsewhere=$(mktemp -d)
trap 'rm -rf "$elsewhere"' EXIT
(cd "$elsewhere" && cargo info --quiet "$name@$version" >/dev/null 2>&1) ||
    { echo "fetch.sh: cargo cannot obtain $name $version" >&2; exit 3; }
archive=
for candidate in "${CARGO_HOME:-$HOME/.cargo}"/registry/cache/*/"$name-$version.crate"; do
    if echo "$expected  $candidate" | sha256sum --check --status; then archive=$candidate; fi
done
[ -n "$archive" ] || { echo "fetch.sh: no $name-$version.crate with the digest $expected" >&2; exit 1; }

mkdir -p "$dir"
tar -xzf "$archive" -C "$dir" --strip-components=1 --no-same-owner
locked=$(grep -c '^\[\[package\]\]' "$dir/Cargo.lock")
[ "$locked" = "$packages" ] || { echo "fetch.sh: $locked packages are locked, not $packages" >&2; exit 1; }
cp "$here/$name/plimsoll.yaml" "$here/$name/smoke.sh" "$dir/"

# Nothing of the user's git configuration decides what is committed.
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
git -C "$dir" init --quiet --initial-branch=main
git -C "$dir" config user.name "${GIT_AUTHOR_NAME:-Third Party}"
git -C "$dir" config user.email "${GIT_AUTHOR_EMAIL:-third-party@example.com}"
git -C "$dir" add --all --force
sign=(--no-gpg-sign)
if [ -n "$key" ]; then
    git -C "$dir" config gpg.format ssh
    git -C "$dir" config user.signingkey "$(realpath "$key")"
    sign=(--gpg-sign)
fi
git -C "$dir" commit --quiet "${sign[@]}" --message "$name $version as published"
git -C "$dir" rev-parse HEAD
