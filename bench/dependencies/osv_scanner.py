#!/usr/bin/env python3
"""Compares `plimsoll scan dependencies` with osv-scanner on the same lock files and the same advisories, without a network.

usage: osv_scanner.py PLIMSOLL DATABASE LOCKS > bench/dependencies/raw/osv-scanner.json

DATABASE is what osv_zip.py wrote, LOCKS a folder of lock files. A finding of one tool is that of the other if package and
version are the same and they share an identifier.
"""
import collections, glob, json, os, subprocess, sys, tempfile, urllib.parse

OPTIONS = "scan source --offline --offline-vulnerabilities --no-resolve --no-call-analysis=all --format json --recursive"
TYPES = {"Go": "golang", "crates.io": "cargo", "npm": "npm", "PyPI": "pypi"}


def theirs(database, locks):
    command = ["osv-scanner", *OPTIONS.split(), "--local-db-path", database, locks]
    report = json.loads(subprocess.run(command, capture_output=True, text=True).stdout)
    for source in report["results"]:
        for entry in source["packages"]:
            package = entry["package"]
            for group in entry["groups"]:
                ids = set(group["ids"]) | set(group.get("aliases") or [])
                yield TYPES[package["ecosystem"]], package["name"].lower(), package["version"].removeprefix("v"), ids


def ours(plimsoll, database, locks):
    with tempfile.TemporaryDirectory() as state:
        archives = glob.glob(os.path.join(database, "osv-scalibr", "*", "all.zip"))
        subprocess.run([plimsoll, "--state", state, "advisories", "import", *archives], check=True, capture_output=True)
        command = [plimsoll, "--state", state, "--json", "scan", "dependencies", locks]
        report = json.loads(subprocess.run(command, capture_output=True, text=True).stdout)["reports"][0]
    for finding in report["findings"]:
        type_, rest = finding["subject"].removeprefix("pkg:").split("/", 1)
        name, version = urllib.parse.unquote(rest).rsplit("@", 1)
        yield type_, name.lower(), version.removeprefix("v"), set(finding["aliases"])


def main(plimsoll, database, locks):
    left = list(theirs(database, locks))
    both, only_ours, by_type = 0, [], collections.Counter()
    for one in ours(plimsoll, database, locks):
        twin = next((other for other in left if other[:3] == one[:3] and other[3] & one[3]), None)
        if twin:
            left.remove(twin)
            both += 1
            by_type[one[0]] += 1
        else:
            only_ours.append([*one[:3], *sorted(one[3])])
    version = subprocess.run(["osv-scanner", "--version"], capture_output=True, text=True).stdout.split("\n")[0]
    print(json.dumps({"peer": version, "options": OPTIONS, "both": both, "by_type": by_type, "only_ours": sorted(only_ours),
                      "only_theirs": sorted([*one[:3], *sorted(one[3])] for one in left)}, indent=1))


main(*sys.argv[1:])
