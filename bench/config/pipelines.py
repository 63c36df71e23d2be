"""Puts the raw results of pipelines.sh side by side: for each weakness, in how many files each tool finds it, and where
they disagree. Rules are matched by hand; what has no counterpart is listed as such."""

import collections
import json
import pathlib
import sys

results, tree = pathlib.Path(sys.argv[1]), sys.argv[2]

SAME = {
    "template-injection": ["github-script-injection", "github-input-in-script", "github-secret-in-script"],
    "unpinned-uses": ["github-mutable-action"],
    "artipacked": ["github-persisted-credentials"],
    "dangerous-triggers": ["github-privileged-trigger"],
    "excessive-permissions": ["github-missing-permissions", "github-write-all", "github-write-for-all-jobs"],
    "secrets-inherit": ["github-inherited-secrets"],
    "overprovisioned-secrets": ["github-all-secrets"],
    "self-hosted-runner": ["github-self-hosted-runner"],
    "insecure-commands": ["github-unsecure-commands"],
    "bot-conditions": ["github-actor-condition"],
    "unsound-condition": ["github-always-true"],
    "unsound-contains": ["github-substring-condition"],
    "cache-poisoning": ["github-cache-poisoning"],
    "github-env": ["github-environment-file"],
    "github-app": ["github-app-token-scope"],
    "hardcoded-container-credentials": ["pipeline-plain-secret"],
    "unpinned-images": ["pipeline-mutable-image", "github-mutable-action"],
    "use-trusted-publishing": ["github-long-lived-credentials"],
    "adhoc-packages": ["pipeline-unpinned-install"],
    "agentic-actions": ["github-agent-prompt"],
}

ours = collections.defaultdict(set)
for pipeline in json.load(open(results / "plimsoll-audit.json"))["pipelines"]:
    for finding in pipeline["findings"]:
        ours[finding["rule"].removeprefix("config/")].add(pipeline["path"])
theirs = collections.defaultdict(set)
for finding in json.load(open(results / "zizmor.json")):
    for location in finding["locations"]:
        key = location["symbolic"]["key"].get("Local", {})
        path = key.get("verbatim_path", "")
        if path:
            theirs[finding["ident"]].add(str(path).removeprefix(tree).lstrip("/"))

print("| zizmor | files | Plimsoll | files | both | only zizmor | only Plimsoll |\n|---|---|---|---|---|---|---|")
for name, rules in SAME.items():
    own = set().union(*(ours[rule] for rule in rules))
    other = theirs[name]
    row = [name, len(other), ", ".join(rules), len(own), len(own & other), len(other - own), len(own - other)]
    print("| " + " | ".join(map(str, row)) + " |")
unmatched = sorted(set(theirs) - set(SAME))
print("\nzizmor only: " + ", ".join(f"{name} ({len(theirs[name])})" for name in unmatched))
known = {rule for rules in SAME.values() for rule in rules}
print("\nPlimsoll only: " + ", ".join(f"{name} ({len(ours[name])})" for name in sorted(set(ours) - known)))
with open(results / "disagreements.txt", "w") as out:
    for name, rules in SAME.items():
        own = set().union(*(ours[rule] for rule in rules))
        for path in sorted(theirs[name] - own):
            print(f"only zizmor   {name:32} {path}", file=out)
        for path in sorted(own - theirs[name]):
            print(f"only Plimsoll {name:32} {path}", file=out)
