#!/usr/bin/env bash
# Orders of versions beside the tools of the ecosystems: bench/dependencies/orders.sh > bench/dependencies/raw/orders.jsonl
# Wants java with maven-artifact 3.9.11 in ~/.m2, node with npm, python3 with packaging, ruby, php with composer, rpm.
set -euo pipefail
. "$(dirname "$0")/../../dev/env.sh"
cargo build -q -p plimsoll-dependencies --example order
ORDER_TMP=$(mktemp -d)
trap 'rm -rf "$ORDER_TMP"' EXIT
artifact=$(ls ~/.m2/repository/org/apache/maven/maven-artifact/3.9.11/*.jar 2>/dev/null || true)
NPM_SEMVER=$(npm root -g)/npm/node_modules/semver
export ORDER_TMP NPM_SEMVER MAVEN_ARTIFACT=$artifact
python3 "$(dirname "$0")/orders.py" "${CARGO_TARGET_DIR:-target}/debug/examples/order"
