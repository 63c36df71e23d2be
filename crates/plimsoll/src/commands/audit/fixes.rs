//! All fixes of one file together. Each finding brings a diff of its own against the file as it is; those that are apart are
//! made at once, then the file is judged again, until no fix is left.

/// How often a file is judged again; each time at least one fix is made.
const MAX_ROUNDS: usize = 60;

/// The lines that one diff changes: from where, how many, and what comes in their place.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Change {
    start: usize,
    count: usize,
    lines: Vec<String>,
}

/// The text with every fix that can be computed.
pub(super) fn fixed(path: &str, text: &str) -> String {
    let mut text = text.to_owned();
    for _ in 0..MAX_ROUNDS {
        let findings = plimsoll_config::audit(path, text.as_bytes()).map(|checked| checked.findings);
        let diffs = findings.into_iter().flatten().filter_map(|found| found.diff);
        match round(&text, diffs.filter_map(|diff| changes(&diff))) {
            Some(better) if better != text => text = better,
            _ => break,
        }
    }
    text
}

/// Makes the fixes that touch no lines of one before them; none where there is none.
fn round(text: &str, fixes: impl Iterator<Item = Vec<Change>>) -> Option<String> {
    let mut taken: Vec<Change> = Vec::new();
    for fix in fixes {
        let apart = |change: &Change| {
            taken.iter().all(|other| {
                change.start > other.start + other.count || other.start > change.start + change.count
            })
        };
        if fix.iter().all(apart) {
            taken.extend(fix);
        }
    }
    taken.sort_by_key(|change| std::cmp::Reverse(change.start));
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    for change in &taken {
        let end = change.start + change.count;
        if end > lines.len() {
            return None;
        }
        lines.splice(change.start..end, change.lines.iter().cloned());
    }
    (!taken.is_empty()).then(|| lines.concat())
}

/// The changes of a unified diff of one file; none if it is no such diff.
fn changes(diff: &str) -> Option<Vec<Change>> {
    let mut changes: Vec<Change> = Vec::new();
    let (mut at, mut open, mut before) = (0, false, ' ');
    for line in diff.split_inclusive('\n').skip(2) {
        if let Some(head) = line.strip_prefix("@@ -") {
            let (start, count) = head.split(' ').next()?.split_once(',')?;
            let start: usize = start.parse().ok()?;
            at = if count == "0" { start } else { start.checked_sub(1)? };
            open = false;
            continue;
        }
        let (sign, rest) = (line.chars().next()?, line.get(1..)?);
        match sign {
            ' ' => {
                at += 1;
                open = false;
            }
            '-' | '+' => {
                if !open {
                    changes.push(Change { start: at, count: 0, lines: Vec::new() });
                    open = true;
                }
                let change = changes.last_mut()?;
                if sign == '-' {
                    change.count += 1;
                    at += 1;
                } else {
                    change.lines.push(rest.to_owned());
                }
            }
            // The line before it has no end, which matters where it is added.
            '\\' => {
                if before != '+' {
                    continue;
                }
                if let Some(last) = changes.last_mut().and_then(|change| change.lines.last_mut()) {
                    last.truncate(last.trim_end_matches('\n').len());
                }
            }
            _ => return None,
        }
        before = sign;
    }
    Some(changes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEAK: &str = "\
on: issues
jobs:
  triage:
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    steps:
      - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683
      - run: |
          echo ${{ github.event.issue.title }}
          deploy --token ${{ secrets.TOKEN }}
";

    #[test]
    fn fixes_of_the_same_lines_are_made_one_after_the_other() {
        let path = ".github/workflows/a.yml";
        let fixed = fixed(path, WEAK);
        for expect in [
            "permissions:\n  contents: read\n\njobs:",
            "        with:\n          persist-credentials: false\n",
            "          ISSUE_TITLE: ${{ github.event.issue.title }}\n",
            "          TOKEN: ${{ secrets.TOKEN }}\n",
            "          echo \"${ISSUE_TITLE}\"\n          deploy --token \"${TOKEN}\"\n",
        ] {
            assert!(fixed.contains(expect), "{expect} in\n{fixed}");
        }
        let left = plimsoll_config::audit(path, fixed.as_bytes()).unwrap().findings;
        assert_eq!(left, [], "{fixed}");
    }

    #[test]
    fn a_diff_is_taken_apart() {
        let diff = "--- a/x\n+++ b/x\n@@ -1,3 +1,4 @@\n a\n-b\n+c\n+d\n e\n@@ -9,1 +10,1 @@\n-f\n+g\n\\ No newline at end of file\n";
        let expect = [
            Change { start: 1, count: 1, lines: vec!["c\n".into(), "d\n".into()] },
            Change { start: 8, count: 1, lines: vec!["g".into()] },
        ];
        assert_eq!(changes(diff).unwrap(), expect);
        assert_eq!(changes("--- a/x\n+++ b/x\nwhat\n"), None);
    }

    #[test]
    fn what_touches_waits_for_the_next_round() {
        let change = |start, count, line: &str| vec![Change { start, count, lines: vec![line.to_owned()] }];
        let made = round(
            "a\nb\nc\n",
            vec![change(0, 1, "x\n"), change(1, 0, "y\n"), change(2, 1, "z\n")].into_iter(),
        );
        assert_eq!(made.as_deref(), Some("x\nb\nz\n"));
        assert_eq!(round("a\n", vec![change(7, 1, "x\n")].into_iter()), None);
    }
}
