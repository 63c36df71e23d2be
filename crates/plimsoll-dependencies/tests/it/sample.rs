//! Published records against the algorithm that OSV's own specification gives. `bench/dependencies/databases.sh` does the
//! same for whole databases.

use crate::oracle;
use plimsoll_dependencies::{Index, advisory::priority::Priorities, index::Compiler, matching};
use plimsoll_model::Timestamp;
use serde_json::Value;
use std::{fs, path::Path};

fn files() -> Vec<(String, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/osv");
    let folders = ["rustsec", "go", "pypa"].map(|folder| root.join(folder));
    let files =
        folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
    let mut files: Vec<_> =
        files.map(|path| (path.display().to_string(), fs::read(&path).unwrap())).collect();
    files.sort();
    files
}

fn compiled(files: &[(String, Vec<u8>)]) -> Index {
    let mut compiler = Compiler::new("2027-01-01T00:00:00Z".parse::<Timestamp>().unwrap());
    files.iter().for_each(|(name, bytes)| compiler.add(name, bytes));
    let (bytes, contents) = compiler.finish(&Priorities::default()).unwrap();
    assert_eq!((contents.unreadable, contents.unordered), (0, 0), "{:?}", contents.problems);
    Index::open(bytes).unwrap()
}

fn parsed((name, bytes): &(String, Vec<u8>)) -> Value {
    if name.ends_with(".json") {
        return serde_json::from_slice(bytes).unwrap();
    }
    serde_saphyr::from_str(std::str::from_utf8(bytes).unwrap()).unwrap()
}

#[test]
fn every_record_is_about_the_versions_that_the_specification_says() {
    let files = files();
    let records: Vec<Value> = files.iter().map(parsed).collect();
    let agreement = oracle::agree(&records, &compiled(&files));
    assert_eq!(agreement.disagreements, Vec::<String>::new());
    assert!(agreement.records > 80 && agreement.withdrawn > 0 && agreement.questions > 5000, "{agreement:?}");
    assert!(agreement.affected > 1000, "{agreement:?}");
}

#[test]
fn what_introduces_is_affected_and_what_fixes_is_not() {
    let files = files();
    let index = compiled(&files);
    let mut seen = (0, 0);
    for record in files.iter().map(parsed).filter(|record| !record["withdrawn"].is_string()) {
        for (ecosystem, name) in oracle::packages(&record) {
            let lookup = plimsoll_dependencies::advisory::lookup_name(&ecosystem, &name);
            let found = index.find(&ecosystem, &lookup).unwrap();
            let entries: Vec<_> =
                found.into_iter().filter(|entry| record["id"] == entry.id.as_str()).collect();
            let ranges: Vec<_> = entries.iter().flat_map(|entry| &entry.intervals).collect();
            let applies = |version: &str| {
                entries.iter().any(|entry| matching::applies(&ecosystem, version, entry) == Some(true))
            };
            for range in &ranges {
                if let Some(from) = &range.from {
                    assert!(applies(from), "{}: {name} {from}", record["id"]);
                    seen.0 += 1;
                }
                if let (plimsoll_dependencies::advisory::End::Before(fixed), 1) = (&range.to, ranges.len()) {
                    assert!(!applies(fixed), "{}: {name} {fixed}", record["id"]);
                    seen.1 += 1;
                }
            }
        }
    }
    assert!(seen.0 > 60 && seen.1 > 40, "{seen:?}");
}
