#!/usr/bin/env python3
"""Compares `plimsoll scan dependencies` with `cargo audit` on the same lock files and the same advisories.

cargo_audit.py PLIMSOLL CARGO_AUDIT RUSTSEC_MAIN RUSTSEC_OSV LOCKFILE... > bench/dependencies/raw/cargo-audit.json
RUSTSEC_MAIN and RUSTSEC_OSV are checkouts of the branches `main` and `osv` of the RustSec database.
"""
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def theirs(audit, database, lock):
    command = [audit, "audit", "--db", database, "--no-fetch", "--stale", "-f", lock, "--json"]
    report = json.loads(subprocess.run(command, capture_output=True, text=True).stdout)
    found = {("vulnerable", v["advisory"]["id"], v["package"]["name"], v["package"]["version"]) for v in report["vulnerabilities"]["list"]}
    for kind, warnings in report["warnings"].items():
        found |= {(kind, w["advisory"]["id"], w["package"]["name"], w["package"]["version"]) for w in warnings if w["advisory"]}
    return found


def ours(plimsoll, state, lock):
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "Cargo.lock").write_bytes(Path(lock).read_bytes())
        started = time.monotonic()
        out = subprocess.run([plimsoll, "--state", state, "--json", "scan", "dependencies", folder], capture_output=True, text=True)
        took = time.monotonic() - started
    report = json.loads(out.stdout)
    found = set()
    gaps = []
    for engine in report["reports"]:
        gaps += engine["coverage"].get("gaps", [])
        for finding in engine["findings"]:
            name, _, version = finding["subject"].removeprefix("pkg:cargo/").rpartition("@")
            ids = [alias for alias in finding["aliases"] if alias.startswith("RUSTSEC-")]
            found |= {(finding["rule"].removeprefix("dependencies/"), id, name, version.replace("%2B", "+")) for id in ids}
    return found, gaps, took


def main(plimsoll, audit, rustsec, osv, *locks):
    with tempfile.TemporaryDirectory() as state:
        state += "/state"
        subprocess.run([plimsoll, "--state", state, "advisories", "import", osv], check=True, stdout=sys.stderr)
        total = {"lock_files": 0, "both": 0, "only_ours": [], "only_theirs": [], "gaps": 0, "seconds": []}
        for lock in locks:
            (mine, gaps, took), yours = ours(plimsoll, state, lock), theirs(audit, rustsec, lock)
            total["lock_files"] += 1
            total["both"] += len(mine & yours)
            total["gaps"] += len(gaps)
            total["seconds"].append(round(took, 4))
            total["only_ours"] += [[Path(lock).stem, *one] for one in sorted(mine - yours)]
            total["only_theirs"] += [[Path(lock).stem, *one] for one in sorted(yours - mine)]
        print(json.dumps(total, indent=1))


main(*sys.argv[1:])
