#!/usr/bin/env bash
# Compares what `plimsoll audit` and zizmor find in the same workflows, and `plimsoll scan config` and checkov in the same
# Terraform and CloudFormation files. Needs the binary, zizmor and, if it is there, checkov on PATH, and checkouts of public
# repositories with such files. Raw results go to the folder named last.
#
#   bench/config/pipelines.sh ZIZMOR_TEST_DATA INFRASTRUCTURE_CHECKOUT RESULTS
set -euo pipefail

workflows=$(realpath "$1")
infrastructure=$(realpath "$2")
mkdir -p "$3"
results=$(realpath "$3")
plimsoll=${PLIMSOLL:-plimsoll}
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

# zizmor's fixtures are workflows and actions under any name; both tools look in the places of the platform.
while IFS= read -r file; do
    name=$(realpath --relative-to="$workflows" "$file" | tr '/' '_')
    if grep -q '^runs:' "$file"; then
        mkdir -p "$tree/actions/${name%.yml}"
        cp "$file" "$tree/actions/${name%.yml}/action.yml"
    elif grep -q '^jobs:' "$file"; then
        mkdir -p "$tree/.github/workflows"
        cp "$file" "$tree/.github/workflows/$name"
    fi
done < <(find "$workflows" -name '*.yml' | sort)

{
    "$plimsoll" --version
    zizmor --version
    command -v checkov >/dev/null && echo "checkov $(checkov --version)"
    find "$tree" -name '*.yml' | wc -l | sed 's/$/ workflows and actions/'
} >"$results/versions.txt"

timed() { # name, command…
    local name=$1 start end
    shift
    start=$(date +%s.%N)
    "$@" >"$results/$name.json" 2>"$results/$name.err" || true
    end=$(date +%s.%N)
    echo "$name $(echo "$end - $start" | bc) s" >>"$results/times.txt"
}

: >"$results/times.txt"
timed plimsoll-audit "$plimsoll" --json audit --least info "$tree"
timed zizmor zizmor --offline --no-config --persona regular --no-exit-codes --format json "$tree"
timed plimsoll-config "$plimsoll" --json scan config "$infrastructure"
if command -v checkov >/dev/null; then
    timed checkov checkov --quiet --compact -o json --framework terraform cloudformation -d "$infrastructure"
fi
python3 "$(dirname "$0")/pipelines.py" "$results" "$tree" >"$results/table.md"
cat "$results/table.md" "$results/times.txt"
