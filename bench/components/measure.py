#!/usr/bin/env python3
"""Compares the packages that `plimsoll sbom` names with those that each ecosystem's own client names.

usage: measure.py PLIMSOLL WORK_DIRECTORY > bench/raw/components.json

Makes a project for each case below with the real client, in a directory of its own. Needs cargo, npm, go and pip, and a
package registry for each. Precision and recall are of name and version; versions are compared as text.
"""

import json
import os
import re
import subprocess
import sys

CARGO = {"serde_json": "1.0.120", "clap": "4.5.9", "tokio": "1.38.0"}
NPM = {
    "express": {"express": "4.19.2"},
    "webpack": {"webpack": "5.91.0", "webpack-cli": "5.1.4"},
    "eslint": {"eslint": "8.57.0", "prettier": "3.2.5"},
}
PIP = {"flask": ["flask==3.0.3"], "requests": ["requests==2.32.3"], "sphinx": ["sphinx==7.3.7"]}
GO = {
    "cobra": ["github.com/spf13/cobra@v1.8.0"],
    "prometheus": ["github.com/prometheus/client_golang@v1.19.0/prometheus"],
}


def run(arguments, directory, check=True):
    done = subprocess.run(arguments, cwd=directory, capture_output=True, text=True)
    if check and done.returncode:
        sys.exit(f"{arguments} in {directory}: {done.stderr}")
    return done.stdout


def write(directory, name, text):
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, name), "w") as file:
        file.write(text)


def ours(plimsoll, directory, file):
    """Name and version of each package that is not the project's own."""
    document = json.loads(run([plimsoll, "--quiet", "sbom", os.path.join(directory, file)], directory))
    listed = (component for component in document["components"] if "purl" in component)
    joint = lambda it: f"{it['group']}/{it['name']}" if "group" in it else it["name"]
    return {(joint(it), it.get("version", "")) for it in listed}


def cargo(directory):
    lines = "".join(f'{name} = "={version}"\n' for name, version in CARGO.items())
    write(directory, "Cargo.toml", f'[package]\nname = "case"\nversion = "0.0.0"\nedition = "2021"\n[dependencies]\n{lines}[workspace]\n')
    write(os.path.join(directory, "src"), "lib.rs", "")
    metadata = json.loads(run(["cargo", "metadata", "--format-version", "1", "--all-features"], directory))
    return {(it["name"], it["version"]) for it in metadata["packages"] if it["source"]}


def npm(directory, wanted):
    write(directory, "package.json", json.dumps({"name": "case", "version": "0.0.0", "dependencies": wanted}))
    run(["npm", "install", "--package-lock-only", "--ignore-scripts"], directory)
    # Peers that are missing on purpose make it end with 1.
    tree = json.loads(run(["npm", "ls", "--all", "--json", "--package-lock-only"], directory, check=False))
    found, open_ = set(), [tree]
    while open_:
        for name, entry in open_.pop().get("dependencies", {}).items():
            if "version" in entry:
                found.add((name, entry["version"]))
            open_.append(entry)
    return found


def pip(directory, wanted):
    normal = lambda name: re.sub(r"[-_.]+", "-", name).lower()
    write(directory, "requirements.in", "\n".join(wanted) + "\n")
    python = os.path.join(directory, "environment", "bin", "python")
    run([sys.executable, "-m", "venv", "environment"], directory)
    run([python, "-m", "pip", "install", "--quiet", "-r", "requirements.in"], directory)
    # The lock file of what was resolved, without the tools of the environment itself.
    frozen = run([python, "-m", "pip", "freeze"], directory)
    write(directory, "requirements.txt", frozen)
    inspected = json.loads(run([python, "-m", "pip", "inspect", "--local"], directory))
    names = ((normal(it["metadata"]["name"]), it["metadata"]["version"]) for it in inspected["installed"])
    return {it for it in names if it[0] not in ("pip", "setuptools")}


def go(directory, wanted):
    write(directory, "go.mod", "module example.com/case\n\ngo 1.22\n")
    packages = [re.sub(r"@v[^/]*", "", path) for path in wanted]
    imports = "".join(f'import _ "{path}"\n' for path in packages)
    write(directory, "case.go", f"package case_\n\n{imports}")
    run(["go", "get", *(re.sub(r"(@v[^/]*)/.*", r"\1", path) for path in wanted)], directory)
    run(["go", "mod", "tidy"], directory)
    form = "{{if not .Main}}{{.Path}} {{.Version}}{{end}}"
    all_ = {tuple(line.split()) for line in run(["go", "list", "-m", "-f", form, "all"], directory).splitlines() if line}
    form = "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}{{end}}{{end}}"
    built = {tuple(line.split()) for line in run(["go", "list", "-deps", "-f", form, "./..."], directory).splitlines() if line}
    return all_, built


def compare(case, client, found, expected):
    both = len(found & expected)
    return {
        "case": case,
        "client": client,
        "ours": len(found),
        "theirs": len(expected),
        "precision": both / len(found) if found else 1.0,
        "recall": both / len(expected) if expected else 1.0,
        "only_ours": sorted(map(" ".join, found - expected)),
        "only_theirs": sorted(map(" ".join, expected - found)),
    }


def main():
    plimsoll, work = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    results = []
    place = lambda case: os.path.join(work, case)
    expected = cargo(place("cargo"))
    results.append(compare("cargo", "cargo metadata", ours(plimsoll, place("cargo"), "Cargo.lock"), expected))
    for case, wanted in NPM.items():
        expected = npm(place(case), wanted)
        results.append(compare(case, "npm ls --all", ours(plimsoll, place(case), "package-lock.json"), expected))
    for case, wanted in PIP.items():
        expected = pip(place(case), wanted)
        results.append(compare(case, "pip inspect", ours(plimsoll, place(case), "requirements.txt"), expected))
    for case, wanted in GO.items():
        all_, built = go(place(case), wanted)
        found = ours(plimsoll, place(case), "go.mod")
        # The group of a module is part of its path.
        results.append(compare(case, "go list -m all", found, all_))
        results.append(compare(case, "go list -deps", found, built))
    versions = {
        "cargo": run(["cargo", "--version"], work).strip(),
        "npm": run(["npm", "--version"], work).strip(),
        "go": run(["go", "version"], work).strip(),
        "pip": run([sys.executable, "-m", "pip", "--version"], work).split(" from ")[0],
    }
    json.dump({"versions": versions, "results": results}, sys.stdout, indent=1)
    print()


main()
