#!/usr/bin/env python3
"""Orders random pairs of versions with the tool of each ecosystem and with Plimsoll, and counts where they differ.

Run by `orders.sh`, which finds the tools. A tool that is not there is left out and said so.
"""
import json
import os
import random
import shutil
import subprocess
import sys

PAIRS = int(os.environ.get("PAIRS", "20000"))
WORDS = {
    "maven": ["alpha", "beta", "milestone", "rc", "cr", "snapshot", "ga", "final", "release", "sp", "a", "b", "m", "x", "foo", "jre8"],
    "npm": ["alpha", "beta", "rc", "x", "a-b", "0a"],
    "pep440": ["a", "b", "rc", ".dev", ".post", "alpha", "c", "-", "+local."],
    "rubygems": ["a", "b", "rc", "pre", "beta"],
    "composer": ["alpha", "beta", "RC", "patch", "p", "a", "b", "dev", "stable"],
    "dpkg": ["~", "+", "~rc", "+b", "ubuntu", "~deb", "a", "z", "."],
    "rpm": ["~", "^", "~rc", "^git", "a", "z", ".", "_"],
    "semver": ["alpha", "beta", "rc", "x", "0-a"],
}


def number(r):
    return r.choice(["0", "1", "2", "9", "10", "01", "00", str(r.randrange(100)), "20240101"])


def version(scheme, r):
    plain = lambda: r.choice(["0", "1", "2", "9", "10", "11", str(r.randrange(100))])
    if scheme in ("npm", "semver"):
        text = ".".join(plain() for _ in range(3))
        if r.random() < 0.6:
            parts = [r.choice([plain(), r.choice(WORDS[scheme])]) for _ in range(r.randrange(1, 4))]
            text += "-" + ".".join(parts)
        return text + ("+b" if r.random() < 0.1 else "")
    if scheme == "pep440":
        text = ("1!" if r.random() < 0.1 else "") + ".".join(number(r) for _ in range(r.randrange(1, 5)))
        for _ in range(r.randrange(3)):
            text += r.choice(WORDS[scheme]) + number(r)
        return text
    if scheme == "composer":
        text = r.choice(["", "v"]) + ".".join(plain() for _ in range(r.randrange(1, 5)))
        if r.random() < 0.6:
            text += r.choice(["-", "", ".", "_"]) + r.choice(WORDS[scheme]) + r.choice(["", plain(), "." + plain()])
        return text + ("-dev" if r.random() < 0.1 else "")
    text = ("1:" if scheme in ("dpkg", "rpm") and r.random() < 0.1 else "") + number(r)
    for _ in range(r.randrange(5)):
        separator = r.choice([".", "-", ""] if scheme in ("maven",) else [".", "."] if scheme == "rubygems" else ["", "."])
        text += separator + r.choice([number(r), r.choice(WORDS[scheme])])
    if scheme in ("dpkg", "rpm") and r.random() < 0.7:
        text += "-" + number(r) + r.choice(["", r.choice(WORDS[scheme]) + number(r)])
    return text


def pairs(scheme):
    r = random.Random(scheme)
    found = []
    while len(found) < PAIRS:
        a = version(scheme, r)
        b = version(scheme, r) if r.random() < 0.5 else change(a, scheme, r)
        found.append((a, b))
    return found


def change(text, scheme, r):
    """A version that is much like another one."""
    at = r.randrange(len(text))
    return text[:at] + r.choice([number(r), r.choice(WORDS[scheme]), "", "."]) + text[at + 1 :]


def sign(order):
    return "<" if order < 0 else ">" if order > 0 else "="


def lines(command, pairs):
    text = "".join(f"{a}\t{b}\n" for a, b in pairs)
    out = subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout.split("\n")[:-1]
    assert len(out) == len(pairs), (command, len(out), len(pairs))
    return out


def python(pairs):
    from packaging.version import InvalidVersion, Version

    def order(a, b):
        try:
            a, b = Version(a), Version(b)
        except InvalidVersion:
            return "?"
        return "<" if a < b else ">" if a > b else "="

    return [order(a, b) for a, b in pairs]


def dpkg(pairs):
    # Its own library is a C function; the program takes one pair.
    def order(a, b):
        ask = lambda op: subprocess.run(["dpkg", "--compare-versions", a, op, b], stderr=subprocess.PIPE)
        less = ask("lt")
        if b"warning" in less.stderr or less.returncode > 1:
            return "?"
        return "<" if less.returncode == 0 else "=" if ask("eq").returncode == 0 else ">"

    return [order(a, b) for a, b in pairs[: PAIRS // 10]]


JAVA = """
import org.apache.maven.artifact.versioning.ComparableVersion;
public class Order {
  public static void main(String[] x) throws Exception {
    var in = new java.io.BufferedReader(new java.io.InputStreamReader(System.in));
    for (String line; (line = in.readLine()) != null; ) {
      String[] p = line.split("\\t", -1);
      int o = new ComparableVersion(p[0]).compareTo(new ComparableVersion(p[1]));
      System.out.println(o < 0 ? "<" : o > 0 ? ">" : "=");
    }
  }
}
"""
NODE = """
const semver = require(process.argv[1]);
for (const line of require('fs').readFileSync(0, 'utf8').trim().split('\\n')) {
  const [a, b] = line.split('\\t').map(v => semver.parse(v, true));
  console.log(a && b ? ['<', '=', '>'][a.compare(b) + 1] : '?');
}
"""
RUBY = """
STDIN.each_line(chomp: true) do |line|
  a, b = line.split("\\t", -1).map { |v| Gem::Version.correct?(v) && !v.empty? ? Gem::Version.new(v) : nil }
  puts a && b ? ['<', '=', '>'][(a <=> b) + 1] : '?'
end
"""
PHP = """
require 'Composer/Semver/autoload.php';
$parser = new Composer\\Semver\\VersionParser();
while (($line = fgets(STDIN)) !== false) {
  [$a, $b] = explode("\\t", rtrim($line, "\\n"));
  try { $a = $parser->normalize($a); $b = $parser->normalize($b); } catch (Exception $e) { echo "?\\n"; continue; }
  if (str_starts_with($a, 'dev-') || str_starts_with($b, 'dev-') || str_contains("$a$b", '9999999')) { echo "?\\n"; continue; }
  echo ['<', '=', '>'][version_compare($a, $b) + 1], "\\n";
}
"""
LUA = """
for line in io.lines() do
  local a, b = line:match('^([^\\t]*)\\t(.*)$')
  local ok, order = pcall(function() local x, y = rpm.ver(a), rpm.ver(b) if x < y then return '<' elseif y < x then return '>' else return '=' end end)
  print(ok and order or '?')
end
"""


def maven(pairs):
    home = os.environ["ORDER_TMP"]
    with open(f"{home}/Order.java", "w") as file:
        file.write(JAVA)
    return lines(["java", "-cp", os.environ["MAVEN_ARTIFACT"], f"{home}/Order.java"], pairs)


def rpm(pairs):
    with open(f"{os.environ['ORDER_TMP']}/order.lua", "w") as file:
        file.write(LUA)
    return lines(["rpmlua", f"{os.environ['ORDER_TMP']}/order.lua"], pairs)


TOOLS = {
    "pep440": (python, "python3", "packaging"),
    "dpkg": (dpkg, "dpkg", "dpkg --compare-versions"),
    "maven": (maven, "java", "ComparableVersion of maven-artifact 3.9.11"),
    "npm": (lambda p: lines(["node", "-e", NODE, os.environ["NPM_SEMVER"]], p), "node", "semver of npm, loose"),
    "rubygems": (lambda p: lines(["ruby", "-e", RUBY], p), "ruby", "Gem::Version"),
    "composer": (lambda p: lines(["php", "-r", PHP], p), "php", "composer/semver and version_compare"),
    "rpm": (rpm, "rpmlua", "rpm.ver"),
}


def main(own):
    for scheme, (tool, program, name) in TOOLS.items():
        if not shutil.which(program):
            print(json.dumps({"scheme": scheme, "tool": name, "skipped": f"{program} is not installed"}))
            continue
        asked = pairs(scheme)
        theirs = tool(asked)
        asked = asked[: len(theirs)]
        text = "".join(f"{scheme}\t{a}\t{b}\n" for a, b in asked)
        ours = subprocess.run([own], input=text, capture_output=True, text=True, check=True).stdout.split("\n")[:-1]
        both = [(p, o, t) for p, o, t in zip(asked, ours, theirs) if o != "?" and t != "?"]
        differ = [(p, o, t) for p, o, t in both if o != t]
        only = lambda index: sum(1 for o, t in zip(ours, theirs) if (o, t)[index] == "?" and (o, t)[1 - index] != "?")
        print(json.dumps({
            "scheme": scheme, "tool": name, "pairs": len(asked), "ordered_by_both": len(both), "differ": len(differ),
            "refused_by_us_alone": only(0), "refused_by_them_alone": only(1),
            "first": [f"{a} {b}: {o}, theirs {t}" for (a, b), o, t in differ[:10]],
            "refused": [f"{a} {b}" for (a, b), o, t in zip(asked, ours, theirs) if o == "?" and t != "?"][:5],
        }))


main(sys.argv[1])
