#!/usr/bin/env python3
"""Compares the packages that `plimsoll sbom` names with those that each ecosystem's own client names.

usage: measure.py PLIMSOLL WORK_DIRECTORY > bench/components/raw.json

Makes a project that depends on one published package, for each below, with the real client. Needs cargo, npm, go, pip and uv,
and a package registry for each. Precision and recall are of name and version; versions are compared as text.
"""

import json
import os
import re
import subprocess
import sys

CARGO = """actix-web=4.9.0 axum=0.7.5 clap=4.5.9 diesel=2.2.1 hyper=1.4.1 image=0.25.1 reqwest=0.12.5 rocket=0.5.1 serde_json=1.0.120
sqlx=0.7.4 tokio=1.38.0 tonic=0.12.0"""
NPM = """axios@1.7.2 eslint@8.57.0 express@4.19.2 fastify@4.28.1 jest@29.7.0 mocha@10.6.0 next@14.2.5 prettier@3.2.5 vite@5.3.3
webpack@5.91.0 @nestjs/cli@10.4.2"""
PIP = """aiohttp==3.10.0 black==24.4.2 celery==5.4.0 django==5.0.7 fastapi==0.111.0 flask==3.0.3 httpx==0.27.0 pytest==8.2.2
requests==2.32.3 sphinx==7.3.7"""
GO = """github.com/spf13/cobra@v1.8.0 github.com/prometheus/client_golang@v1.19.0/prometheus github.com/gin-gonic/gin@v1.10.0
github.com/labstack/echo/v4@v4.12.0 github.com/go-chi/chi/v5@v5.1.0 github.com/spf13/viper@v1.19.0 go.uber.org/zap@v1.27.0
google.golang.org/grpc@v1.65.0 gorm.io/gorm@v1.25.11 github.com/stretchr/testify@v1.9.0/assert"""


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


def cargo(directory, wanted):
    name, version = wanted.split("=")
    line = f'{name} = "={version}"'
    write(directory, "Cargo.toml", f'[package]\nname = "case"\nversion = "0.0.0"\nedition = "2021"\n[dependencies]\n{line}\n[workspace]\n')
    write(os.path.join(directory, "src"), "lib.rs", "")
    metadata = json.loads(run(["cargo", "metadata", "--format-version", "1"], directory))
    return {(it["name"], it["version"]) for it in metadata["packages"] if it["source"]}


def npm(directory, wanted):
    name, version = wanted.rsplit("@", 1)
    write(directory, "package.json", json.dumps({"name": "case", "version": "0.0.0", "dependencies": {name: version}}))
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
    """What pip installs on this machine; the lock file of uv, which is for all machines, asks for the same."""
    normal = lambda name: re.sub(r"[-_.]+", "-", name).lower()
    write(directory, "pyproject.toml", f'[project]\nname = "case"\nversion = "0"\nrequires-python = ">=3.11"\ndependencies = ["{wanted}"]\n')
    run(["uv", "lock", "--quiet"], directory)
    run(["uv", "export", "--quiet", "--no-emit-project", "--format", "requirements-txt", "--output-file", "requirements.txt"], directory)
    python = os.path.join(directory, "environment", "bin", "python")
    run([sys.executable, "-m", "venv", "environment"], directory)
    run([python, "-m", "pip", "install", "--quiet", wanted], directory)
    inspected = json.loads(run([python, "-m", "pip", "inspect", "--local"], directory))
    names = ((normal(it["metadata"]["name"]), it["metadata"]["version"]) for it in inspected["installed"])
    return {it for it in names if it[0] not in ("pip", "setuptools")}


def go(directory, wanted):
    write(directory, "go.mod", "module example.com/case\n\ngo 1.22\n")
    write(directory, "case.go", f"package case_\n\nimport _ \"{re.sub(r'@v[^/]*', '', wanted)}\"\n")
    run(["go", "get", re.sub(r"(@v[^/]*)/.*", r"\1", wanted)], directory)
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

    def case(client, wanted, file, expected):
        results.append(compare(wanted, f"{client}, {file}", ours(plimsoll, place(wanted), file), expected))
        print(json.dumps(results[-1]), file=sys.stderr, flush=True)

    place = lambda wanted: os.path.join(work, re.sub("[^a-z0-9]+", "-", wanted))
    for wanted in CARGO.split():
        case("cargo metadata", wanted, "Cargo.lock", cargo(place(wanted), wanted))
    for wanted in NPM.split():
        case("npm ls --all", wanted, "package-lock.json", npm(place(wanted), wanted))
    for wanted in GO.split():
        all_, built = go(place(wanted), wanted)
        case("go list -m all", wanted, "go.mod", all_)
        case("go list -deps", wanted, "go.mod", built)
    for wanted in PIP.split():
        installed = pip(place(wanted), wanted)
        case("pip inspect", wanted, "uv.lock", installed)
        case("pip inspect", wanted, "requirements.txt", installed)
    versions = {
        "cargo": run(["cargo", "--version"], work).strip(),
        "npm": run(["npm", "--version"], work).strip(),
        "go": run(["go", "version"], work).strip(),
        "uv": run(["uv", "--version"], work).strip(),
        "pip": run([sys.executable, "-m", "pip", "--version"], work).split(" from ")[0],
    }
    json.dump({"versions": versions, "results": results}, sys.stdout, indent=1)
    print()


main()
