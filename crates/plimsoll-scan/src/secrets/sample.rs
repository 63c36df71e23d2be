//! A sample of labelled files of public repositories (`testdata/creddata`), judged as `bench/secrets/evaluate.py` judges:
//! a line with a true label is found if a finding starts on it or in what goes on from it, and a finding on a line without
//! one is false.

use super::*;
use std::collections::BTreeSet;

const SAMPLE: &str = include_str!("../../testdata/creddata/sample.txt");

/// A file, and for each of its lines the one on which the secret begins that it belongs to.
struct Labelled {
    path: String,
    text: String,
    secret: Vec<Option<usize>>,
}

fn sample() -> Vec<Labelled> {
    let mut files: Vec<Labelled> = vec![];
    for line in SAMPLE.lines() {
        let (mark, rest) = line.split_at(1);
        if mark == "=" {
            files.push(Labelled { path: rest.into(), text: String::new(), secret: vec![] });
            continue;
        }
        let file = files.last_mut().unwrap();
        let secret = match mark {
            "+" => Some(file.secret.len()),
            "|" => file.secret.last().copied().flatten(),
            _ => None,
        };
        file.secret.push(secret);
        file.text.push_str(rest);
        file.text.push('\n');
    }
    files
}

/// Lines with a true label, those of them that were found, and false findings.
fn counts(point: Point) -> (usize, usize, usize) {
    let scanner = Scanner::new(point, ProjectKey::new([1; 32]));
    let (mut labelled, mut found, mut wrong) = (0, 0, 0);
    for file in sample() {
        labelled += file.secret.iter().enumerate().filter(|(line, secret)| **secret == Some(*line)).count();
        let findings = scanner.scan(&file.path, file.text.as_bytes()).findings;
        let lines = findings.iter().filter_map(|one| one.location.as_ref()).map(|at| at.line as usize - 1);
        let lines: BTreeSet<usize> = lines.collect();
        found += lines.iter().filter_map(|line| file.secret[*line]).collect::<BTreeSet<_>>().len();
        wrong += lines.iter().filter(|line| file.secret[**line].is_none()).count();
    }
    (labelled, found, wrong)
}

#[test]
fn real_files_are_judged_as_well_as_ever() {
    let check = |point, least_precision: f64, least_recall: f64| {
        let (labelled, found, wrong) = counts(point);
        let (precision, recall) = (found as f64 / (found + wrong) as f64, found as f64 / labelled as f64);
        assert!(
            precision >= least_precision && recall >= least_recall,
            "{point:?}: {found} of {labelled} found, {wrong} false: precision {precision:.3}, recall {recall:.3}"
        );
    };
    check(Point::Gate, 0.97, 0.50);
    check(Point::Audit, 0.85, 0.85);
}
