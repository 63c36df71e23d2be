#!/usr/bin/env python3
"""Writes advisories as the ZIP archives that osv-scanner reads offline and that `plimsoll advisories import` takes.

usage: osv_zip.py CLONES OUT

CLONES holds bare clones of the RustSec, Go and PyPA databases under the names rustsec, go and pypa, as `dev/install.sh bench`
makes them. Records of npm are the few of `npm-sample.json`: names and ranges of GitHub's database, where `=` is the last affected version. Writes OUT/osv-scalibr/ECOSYSTEM/all.zip. Needs PyYAML.
"""
import io, json, os, subprocess, sys, tarfile, zipfile

import yaml

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
SOURCES = [("crates.io", "rustsec", "osv", "crates"), ("Go", "go", "HEAD", "data/osv"), ("PyPI", "pypa", "HEAD", "vulns")]


def records(clone, branch, folder):
    archive = ["git", "--git-dir", clone, "archive", "--format=tar", branch, folder]
    bytes_ = subprocess.run(archive, check=True, capture_output=True).stdout
    for member in tarfile.open(fileobj=io.BytesIO(bytes_)):
        if member.name.endswith(".json"):
            yield json.load(archive_file(bytes_, member))
        elif member.name.endswith(".yaml"):
            yield yaml.load(archive_file(bytes_, member), LOADER)


def archive_file(bytes_, member):
    return io.BytesIO(bytes_[member.offset_data : member.offset_data + member.size])


def npm():
    sample = os.path.join(os.path.dirname(os.path.abspath(__file__)), "npm-sample.json")
    end = lambda text: {"last_affected": text[1:]} if text.startswith("=") else {"fixed": text}
    for id_, modified, alias, packages in json.load(open(sample)):
        affected = [{"package": {"ecosystem": "npm", "name": package}, "ranges": [
            {"type": "ECOSYSTEM", "events": [{"introduced": introduced}, end(to)]}]}
            for package, ranges in packages.items() for introduced, to in ranges]
        yield {"schema_version": "1.6.0", "id": id_, "modified": modified, "aliases": [alias], "affected": affected}


def write(out, ecosystem, found):
    path = os.path.join(out, "osv-scalibr", ecosystem, "all.zip")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    count = 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for record in found:
            # What YAML reads as a time is one.
            text = json.dumps(record, default=lambda time: time.replace(tzinfo=None).isoformat(timespec="seconds") + "Z")
            archive.writestr(record["id"] + ".json", text)
            count += 1
    print(f"{ecosystem}: {count} records", file=sys.stderr)


clones, out = sys.argv[1:3]
for ecosystem, name, branch, folder in SOURCES:
    write(out, ecosystem, records(os.path.join(clones, name), branch, folder))
write(out, "npm", npm())
