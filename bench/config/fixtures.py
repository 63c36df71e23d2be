#!/usr/bin/env python3
"""Judges checkov's own test files of Kubernetes with `plimsoll scan config` and with checkov, for the questions that both ask.

usage: fixtures.py PLIMSOLL CHECKOUT OUT

CHECKOUT is a checkout of checkov (https://github.com/bridgecrewio/checkov), whose tests/kubernetes/checks has an example of
each check that fails and one that passes. checkov is taken from PATH. Writes OUT (JSON): for each rule the files that both
report, and those that one alone does.
"""
import collections, json, os, subprocess, sys

from rules import CHECKOV

plimsoll, checkout, out = map(os.path.abspath, sys.argv[1:4])
folder = os.path.join(checkout, "tests", "kubernetes", "checks")
run = subprocess.run(["checkov", "-d", ".", "--framework", "kubernetes", "-o", "json", "--quiet", "--compact",
                      "--skip-download"], capture_output=True, text=True, cwd=folder)
document = json.loads(run.stdout)
document = document[0] if isinstance(document, list) else document
theirs = collections.defaultdict(set)
for check in document["results"]["failed_checks"]:
    theirs[check["check_id"]].add(check["file_path"].lstrip("/"))
here, coverage = collections.defaultdict(set), collections.Counter()
# One at a time: what one example binds or limits is no part of another.
for name in sorted(os.path.relpath(os.path.join(at, name), folder) for at, _, names in os.walk(folder) for name in names):
    if name.endswith((".yaml", ".yml", ".json")):
        scan = subprocess.run([plimsoll, "--json", "scan", "config", name], capture_output=True, text=True, cwd=folder)
        report = json.loads(scan.stdout)["reports"][0]
        coverage.update({"files": 1, "gaps": len(report["coverage"].get("gaps", []))})
        for finding in report["findings"]:
            here[finding["rule"].removeprefix("config/kubernetes-")].add(name)
result = {
    "versions": {"checkov": subprocess.run(["checkov", "--version"], capture_output=True, text=True).stdout.strip()},
    "coverage": coverage,
    "rules": {rule: {"both": len(here[rule] & theirs["CKV_K8S_" + check]),
                     "only_checkov": sorted(theirs["CKV_K8S_" + check] - here[rule]),
                     "only_plimsoll": sorted(here[rule] - theirs["CKV_K8S_" + check])}
              for rule, check in CHECKOV.items()},
}
with open(out, "w") as file:
    json.dump(result, file, indent=1, sort_keys=True)
    file.write("\n")
for rule, one in result["rules"].items():
    print(f"{rule:24} both {one['both']:4}  checkov {len(one['only_checkov']):4}  Plimsoll {len(one['only_plimsoll']):4}")
