#!/usr/bin/env python3
"""Fits the model of the secrets engine and writes it.

usage: train.py DATA EXPLAIN OUT [THRESHOLDS]

DATA is what rebuild.py wrote, EXPLAIN a folder with original-train.jsonl, written by
`cargo run --release -p plimsoll-scan --example secrets explain DATA/original/train`, OUT the engine's model.txt. Only the
`train` repositories are read, and with their original values: CredData replaces true values by random letters, and a
model fitted to those would only learn to see the replacement. Thresholds are chosen by cross-validation that keeps each
repository whole. Needs numpy and scikit-learn.
"""
import collections, json, os, sys
import numpy
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.model_selection import GroupKFold

data, explained, out = sys.argv[1:4]
MODELS, TREES, DEPTH, RATE, LEAF = 3, 120, 5, 0.08, 12


def labels(split):
    rows = collections.defaultdict(list)
    with open(f"{data}/labels.json") as file:
        for row in json.load(file):
            if row["split"] == split and row["true"]:
                rows[row["repository"] + "/" + row["path"]].append(row)
    return rows


def candidates(split, true):
    """One row per value that the model judges: repository, numbers, whether it overlaps a true label."""
    lines, found = {}, []
    for text in open(f"{explained}/original-{split}.jsonl"):
        one = json.loads(text)
        path = one["path"]
        if path not in lines:
            lines = {path: open(f"{data}/original/{split}/{path}", "rb").read().split(b"\n")}
            starts = numpy.concatenate([[0], numpy.cumsum([len(line) + 1 for line in lines[path]])])
        line = lines[path][one["line"] - 1]
        column = one["start"] - starts[one["line"] - 1]
        begin = len(line[:max(0, column)].decode(errors="replace"))
        end = begin + max(1, one["end"] - one["start"])
        hit = any(row["line"] <= one["line"] <= row["end"] and
                  (row["line"] != row["end"] or row["start"] < 0 or (begin < row["stop"] and row["start"] < end))
                  for row in true.get(path, ()))
        found.append((path.split("/")[0], one["features"], hit, one["confidence"], path, one["line"]))
    return found


true = labels("train")
everything = candidates("train", true)
judged = [one for one in everything if one[1]]
names = list(judged[0][1])
X = numpy.array([[one[1][name] for name in names] for one in judged], dtype=numpy.float32)
y = numpy.array([one[2] for one in judged])
groups = numpy.array([one[0] for one in judged])
sizes = collections.Counter(groups)
weights = numpy.array([1 / numpy.sqrt(sizes[group]) for group in groups])
weights /= weights.mean()
print("values judged", len(y), "true", int(y.sum()), "repositories", len(sizes))


def fitted(X, y, weights):
    """Several models that differ by chance alone; their mean errs less where few repositories are like another."""
    def one(seed):
        return GradientBoostingClassifier(n_estimators=TREES, max_depth=DEPTH, learning_rate=RATE, subsample=0.6,
                                          max_features=0.3, min_samples_leaf=LEAF, random_state=seed).fit(X, y, weights)
    return [one(seed) for seed in range(MODELS)]


def judged_by(models, X):
    return 1 / (1 + numpy.exp(-numpy.mean([model.decision_function(X) for model in models], axis=0)))


held = numpy.zeros(len(y))
for fit, test in GroupKFold(8).split(X, y, groups):
    held[test] = judged_by(fitted(X[fit], y[fit], weights[fit]), X[test])
structural = [(one[3], one[2]) for one in everything if not one[1]]
scores = numpy.concatenate([held, [score for score, _ in structural]])
hits = numpy.concatenate([y, [hit for _, hit in structural]])
lines = {(one[4], one[5]) for one in everything if one[2]}
total = sum(len({row["line"] for row in rows}) for rows in true.values())
print("lines with a true label", total, "of them with a candidate on them", len(lines))
for threshold in (0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95):
    kept = scores >= threshold
    precision, found = hits[kept].mean(), hits[kept].sum()
    recall = found / (hits.sum() + total - len(lines))
    print(f"held out at {threshold:.2f}: precision {precision:.3f} recall about {recall:.3f} F1 about {2 * precision * recall / (precision + recall):.3f}, {int(kept.sum())} reported")

models = fitted(X, y, weights)
prior = numpy.average(y, weights=weights)
importance = sorted(zip(numpy.mean([model.feature_importances_ for model in models], axis=0), names), reverse=True)
used = [name for value, name in importance if value > 0]
switches = {at for at in range(len(names)) if set(numpy.unique(X[:, at])) <= {0.0, 1.0}}
with open(out, "w") as file:
    file.write("# Made by bench/secrets/train.py; see there.\n")
    file.write(f"{numpy.log(prior / (1 - prior)):.6f}\n")
    file.write(" ".join(used) + "\n")
    for tree in (tree.tree_ for model in models for (tree,) in model.estimators_):
        nodes = []
        for at in range(tree.node_count):
            if tree.children_left[at] < 0:
                nodes.append(f"={round(tree.value[at][0][0] * RATE / MODELS * 100_000)}")
            else:
                # The library goes left at or below its threshold, the engine below: the next number up is the same.
                bound = numpy.nextafter(numpy.float32(tree.threshold[at]), numpy.float32(numpy.inf))
                column = tree.feature[at]
                test = "" if column in switches else f"<{bound:.7g}"
                assert tree.children_left[at] == at + 1
                nodes.append(f"{used.index(names[column])}{test}?{tree.children_right[at]}")
        file.write(" ".join(nodes) + "\n")
print("most used:", ", ".join(f"{name} {value:.3f}" for value, name in importance[:25]))
print("never used:", ", ".join(name for value, name in importance if value == 0))
