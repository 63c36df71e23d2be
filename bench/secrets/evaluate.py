#!/usr/bin/env python3
"""Precision, recall and F1 of scanners on the rebuilt files of CredData.

usage: evaluate.py DATA SPLIT KIND NAME=REPORT... [--missed NAME] [--false NAME]

KIND is `original` or `obfuscated`. A report is JSON lines with `path` and `line`, or with the findings of
`secrets gate|audit`, or what gitleaks, betterleaks, kingfisher, trufflehog or detect-secrets wrote. All tools are judged alike, by lines:
a line with a true label is found if some finding starts on it (or inside a private key of several lines), and a reported
line without a true label is false, whether it was labelled or not. `others` leaves out what only UUID labels are on.
"""
import collections, json, os, sys

arguments = sys.argv[1:]
missed = arguments[arguments.index("--missed") + 1] if "--missed" in arguments else None
wrong = arguments[arguments.index("--false") + 1] if "--false" in arguments else None
data, split, kind, *reports = [a for i, a in enumerate(arguments) if not a.startswith("--") and (i == 0 or not arguments[i - 1].startswith("--"))]
root = os.path.join(os.path.abspath(data), kind, split)
rows = [row for row in json.load(open(f"{data}/labels.json")) if row["split"] == split]
# What some label calls true, by line; a private key of several lines counts once, wherever in it the finding is.
true = {}
for row in rows:
    if row["true"]:
        true.setdefault((row["repository"] + "/" + row["path"], row["line"]), []).append(row)
inside = {}
for (path, line), labels in true.items():
    for label in labels:
        for at in range(label["line"], label["end"] + 1):
            # A line with a label of its own counts for that, also where it is inside another label.
            inside.setdefault((path, at), (path, at) if (path, at) in true else (path, line))
uuid = {place for place, labels in true.items() if all(label["category"].split(":")[0] == "UUID" and ":" not in label["category"] for label in labels)}


def short(path):
    path = path.removeprefix(root + "/")
    return path.removeprefix("./")


def places(report):
    text = open(report).read()
    try:
        whole = json.loads(text)
    except ValueError:
        whole = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    if isinstance(whole, dict) and "results" in whole:  # detect-secrets
        return {(short(path), one["line_number"]) for path, all in whole["results"].items() for one in all}
    if isinstance(whole, dict):  # kingfisher
        whole = whole["findings"]
    found = set()
    for one in whole:
        if "location" in one:
            place = one["location"]
            found.add((short(place["path"]), place["line"] if "line" in place else place["start_line"]))
        elif "SourceMetadata" in one:  # trufflehog
            place = one["SourceMetadata"]["Data"]["Filesystem"]
            found.add((short(place["file"]), place.get("line", 0) + 1))  # it counts from 0
        elif "File" in one:  # gitleaks
            found.add((short(one["File"]), one["StartLine"]))
        elif "finding" in one:  # kingfisher
            found.add((short(one["finding"]["path"]), one["finding"]["line"]))
        elif "path" in one:
            found.add((short(one["path"]), one["line"]))
    return found


def rates(found, wanted):
    hit = {inside[place] for place in found if place in inside} & wanted
    false = {place for place in found if place not in inside}
    precision = len(hit) / max(1, len(hit) + len(false))
    recall = len(hit) / max(1, len(wanted))
    return precision, recall, 2 * precision * recall / max(1e-9, precision + recall), len(hit), len(false)


def macro(found, wanted):
    repositories = sorted({place[0].split("/")[0] for place in wanted})
    def part(places, repository):
        return {place for place in places if place[0].split("/")[0] == repository}
    values = [rates(part(found, one), part(wanted, one))[2] for one in repositories]
    return sum(values) / len(values)


everything, others = set(true), set(true) - uuid
print(f"{split}, {kind}: {len(everything)} lines with a true label, {len(others)} of them other than UUIDs")
print(f"{'tool':28} {'P':>6} {'R':>6} {'F1':>6} {'macro':>6} {'hit':>6} {'false':>6} | others: {'P':>6} {'R':>6} {'F1':>6} {'macro':>6}")
for named in reports:
    name, report = named.split("=", 1)
    found = places(report)
    p, r, f, hit, false = rates(found, everything)
    print(f"{name:28} {p:6.3f} {r:6.3f} {f:6.3f} {macro(found, everything):6.3f} {hit:6} {false:6} | "
          + "        {:6.3f} {:6.3f} {:6.3f}".format(*rates(found - uuid, others)[:3]) + f" {macro(found - uuid, others):6.3f}")
    if missed == name:
        hit = {inside[place] for place in found if place in inside}
        for place in sorted(others - hit):
            print("missed", true[place][0]["category"], place)
    if wrong == name:
        for place in sorted(place for place in found if place not in inside):
            print("false", place)
