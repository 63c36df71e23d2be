#!/usr/bin/env python3
"""Writes the sample of CredData that continuous integration runs, and its licences.

usage: sample.py DATA CLONES TO

DATA is what rebuild.py wrote, CLONES its folder of clones. Taken are small files of `train`, with obfuscated values (no secret
of anybody), of repositories under MIT or Apache-2.0: for each at most FILES with a true label and one without. In the sample a
line begins with `+` if it has a true label, `|` if it goes on with it, and a space else; `=` begins a file.
"""
import collections, glob, json, os, re, subprocess, sys

FILES, REPOSITORIES, BYTES = 3, 40, 3_000

data, clones, to = sys.argv[1:]
root = os.path.join(data, "obfuscated", "train")
labels = collections.defaultdict(lambda: collections.defaultdict(list))
for row in json.load(open(os.path.join(data, "labels.json"))):
    if row["split"] == "train":
        labels[row["repository"]][row["path"]].append(row)


def licence(repository):
    """The name of the licence, and the notices that it wants repeated, where it is MIT or Apache-2.0."""
    git = ["git", "-C", glob.glob(os.path.join(clones, repository, "*"))[0]]
    ask = lambda *words: subprocess.run([*git, *words], capture_output=True, text=True, errors="replace").stdout
    names = [name for name in ask("ls-tree", "--name-only", "HEAD").split("\n") if name.lower().startswith("licen")]
    text = ask("show", "HEAD:" + names[0]) if names else ""
    if "Permission is hereby granted, free of charge" in text:
        notices = [line.strip() for line in text.split("\n") if re.match(r"\W*copyright .*(\(c\)|©|\d{4})", line, re.I)]
        return ("MIT", notices) if notices else None
    if "Apache License" in text and "Version 2.0" in text:
        return "Apache-2.0", []


def body(repository, path):
    try:
        text = open(os.path.join(root, repository, path), "rb").read()
        return text.decode() if len(text) <= BYTES and b"\r" not in text else None
    except (OSError, UnicodeDecodeError):
        return None


def marked(text, rows):
    marks = {}
    for row in sorted((row for row in rows if row["true"]), key=lambda row: row["line"]):
        marks.update((line, "|") for line in range(row["line"] + 1, row["end"] + 1) if line not in marks)
        marks[row["line"]] = "+"
    return "".join(marks.get(number, " ") + line + "\n" for number, line in enumerate(text.removesuffix("\n").split("\n"), 1))


written, notices = [], []
for repository in sorted(labels, key=lambda name: (-sum(r["true"] for p in labels[name].values() for r in p), name)):
    paths = [(path, text) for path in sorted(labels[repository]) if (text := body(repository, path))]
    is_true = lambda path: any(row["true"] for row in labels[repository][path])
    chosen = [one for one in paths if is_true(one[0])][:FILES] + [one for one in paths if not is_true(one[0])][:1]
    if len(notices) == REPOSITORIES or not any(is_true(path) for path, _ in chosen) or not (known := licence(repository)):
        continue
    name = repository.replace("+", "/", 1)
    notices.append(f"- {name}, {known[0]}" + "".join(f"; {line}" for line in known[1]))
    written += [f"={name}/{path}\n{marked(text, labels[repository][path])}" for path, text in chosen]

os.makedirs(to, exist_ok=True)
open(os.path.join(to, "sample.txt"), "w").write("".join(written))
open(os.path.join(to, "repositories.txt"), "w").write("\n".join(notices) + "\n")
print(len(notices), "repositories,", len(written), "files")
