#!/usr/bin/env bash
# Every record of whole databases against the algorithm of the OSV specification:
#   bench/dependencies/databases.sh FOLDER... > bench/dependencies/raw/databases.jsonl
# FOLDER holds OSV records in JSON or YAML: branch `osv` of the RustSec database, `data/osv` of the Go one, `vulns` of the PyPA one.
set -euo pipefail
. "$(dirname "$0")/../../dev/env.sh"
cargo run -q -p plimsoll-dependencies --example agree -- "$@"
