//! Compares the compiled index with the literal algorithm of the OSV specification over a whole database, for
//! `bench/dependencies/databases.sh`: folders of records as arguments, one line of JSON out for each.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a measurement that is run by hand reads files and a clock"
)]

#[path = "../tests/it/oracle.rs"]
mod oracle;

use plimsoll_dependencies::{Index, advisory::priority::Priorities, index::Compiler};
use serde_json::{Value, json};
use std::{fs, path::Path, time::Instant};

fn main() {
    for folder in std::env::args().skip(1) {
        let mut files = Vec::new();
        collect(Path::new(&folder), &mut files);
        files.sort();
        let now = "2027-01-01T00:00:00Z".parse().unwrap();
        let mut compiler = Compiler::new(now);
        files.iter().for_each(|(name, bytes)| compiler.add(name, bytes));
        let started = Instant::now();
        let (bytes, contents) = compiler.finish(&Priorities::default()).unwrap();
        let compiled = started.elapsed();
        let size = bytes.len();
        let started = Instant::now();
        let index = Index::open(bytes).unwrap();
        let opened = started.elapsed();
        let records: Vec<Value> =
            files.iter().filter_map(parsed).filter(|record| record["id"].is_string()).collect();
        let agreement = oracle::agree(&records, &index);
        let disagreements = &agreement.disagreements;
        println!(
            "{}",
            json!({
                "records": agreement.records,
                "withdrawn": agreement.withdrawn,
                "unreadable": contents.unreadable,
                "problems": contents.problems,
                "unordered": contents.unordered,
                "packages": agreement.packages,
                "questions": agreement.questions,
                "affected": agreement.affected,
                "incomparable": agreement.incomparable,
                "disagreements": disagreements.len(),
                "first": disagreements.iter().take(20).collect::<Vec<_>>(),
                "index_bytes": size,
                "compile_ms": compiled.as_millis() as u64,
                "open_us": opened.as_micros() as u64,
            })
        );
    }
}

fn parsed((name, bytes): &(String, Vec<u8>)) -> Option<Value> {
    if name.ends_with(".json") {
        return serde_json::from_slice(bytes).ok();
    }
    serde_saphyr::from_str(std::str::from_utf8(bytes).ok()?).ok()
}

fn collect(folder: &Path, files: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            collect(&entry, files);
        } else if plimsoll_dependencies::advisory::archive::is_record(&entry.display().to_string()) {
            files.push((entry.display().to_string(), fs::read(&entry).unwrap()));
        }
    }
}
