#!/usr/bin/env python3
"""Rebuilds the labelled files of CredData from clones of the repositories that it lists.

usage: rebuild.py CREDDATA CLONES OUT [SPLIT...]

CREDDATA is a checkout of Samsung/CredData, CLONES a folder with one clone each, named owner+name (either the repository
or a folder `repo` or `repo/.git` in it) and holding the commit that snapshot.json pins. Repositories without a clone are
left out and counted. A repository belongs to `train`, `test` or `reserved` by the first byte of the SHA-256 of its
identifier in snapshot.json. Without SPLIT, `train` and `test` are rebuilt; reserved ones are opened by nobody who builds.

Writes OUT/original/SPLIT/OWNER+NAME/PATH, OUT/obfuscated/... (the values replaced by CredData's own script, as its
published results are measured) and OUT/labels.json.
"""
import binascii, contextlib, csv, hashlib, io, json, os, subprocess, sys

creddata, clones, out = map(os.path.abspath, sys.argv[1:4])
splits = sys.argv[4:] or ["train", "test"]
sys.path.insert(0, creddata)
os.chdir(creddata)
import logging
logging.disable(logging.CRITICAL)
import obfuscate_creds as obfuscation  # CredData's
from meta_row import MetaRow           # CredData's


def split_of(repository):
    first = hashlib.sha256(repository.encode()).digest()[0]
    return "train" if first < 0x80 else "test" if first < 0xC0 else "reserved"


def clone_of(url):
    name = "+".join(url.removeprefix("https://github.com/").removesuffix(".git").split("/")[:2])
    for tail in ("repo/.git", "repo", ".git", ""):
        path = os.path.join(clones, name, tail)
        if os.path.exists(os.path.join(path, "HEAD")):
            return name, path
    return name, None


def git(path, *args):
    return subprocess.run(["git", "--git-dir", path, *args], capture_output=True, check=True).stdout


def obfuscated(lines, rows):
    lines = list(lines)
    for row in sorted(rows, key=lambda r: (r.LineStart, r.LineEnd, r.ValueStart, r.ValueEnd)):
        if row.GroundTruth != obfuscation.LABEL_TRUE or row.Category in obfuscation.MULTI_PATTERN_RULES:
            continue
        if row.Category == obfuscation.PRIVATE_KEY_CATEGORY and row.LineStart < row.LineEnd:
            obfuscation.process_pem_key(row, lines, 0)
        elif row.LineStart == row.LineEnd and 0 <= row.ValueStart < row.ValueEnd:
            obfuscation.process_single_value(row, lines, 0)
    return lines


def write(kind, split, name, path, lines):
    to = os.path.join(out, kind, split, name, path)
    os.makedirs(os.path.dirname(to), exist_ok=True)
    with open(to, "w", encoding="utf-8", newline="") as file:
        file.write("\n".join(lines))


def rebuild(repository, url, split, labels):
    name, clone = clone_of(url)
    if clone is None:
        return "no clone"
    commit = repository[:40]
    try:
        listing = git(clone, "ls-tree", "-r", "-z", commit).split(b"\0")
    except subprocess.CalledProcessError:
        return "no commit"
    with open(f"meta/{binascii.crc32(binascii.unhexlify(repository)):08x}.csv") as file:
        rows = [MetaRow(row) for row in csv.DictReader(file)]
    wanted = {}
    for row in rows:
        wanted.setdefault(row.FileID, []).append(row)
    files = 0
    for entry in filter(None, listing):
        meta, path = entry.split(b"\t", 1)
        found = wanted.get(hashlib.sha256(path).hexdigest()[:8])
        if not found or meta.split()[1] != b"blob":
            continue
        try:
            text = git(clone, "cat-file", "blob", meta.split()[2].decode()).decode()
            path = path.decode()
            lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
            changed = obfuscated(lines, found)
        except (UnicodeDecodeError, subprocess.CalledProcessError, AssertionError, ValueError, IndexError):
            continue
        write("original", split, name, path, lines)
        write("obfuscated", split, name, path, changed)
        files += 1
        labels += [dict(split=split, repository=name, path=path, line=r.LineStart, end=r.LineEnd,
                        true=r.GroundTruth == "T", start=r.ValueStart, stop=r.ValueEnd, category=r.Category)
                   for r in found]
    return f"{files} of {len(wanted)} files"


labels, told = [], {}
with open("snapshot.json") as file:
    snapshot = json.load(file)
for repository, url in snapshot.items():
    split = split_of(repository)
    if split in splits:
        told[url] = split + ": " + rebuild(repository, url, split, labels)
        if not told[url].endswith("no clone"):
            print(url, told[url], flush=True)
with open(os.path.join(out, "labels.json"), "w") as file:
    json.dump(labels, file)
for split in splits:
    mine = [label for label in labels if label["split"] == split]
    print(split, "repositories", len({l["repository"] for l in mine}), "files", len({(l["repository"], l["path"]) for l in mine}),
          "true", sum(l["true"] for l in mine), "false", sum(not l["true"] for l in mine))
