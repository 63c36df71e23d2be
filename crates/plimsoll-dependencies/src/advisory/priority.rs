//! What is attacked in practice: the catalogue of known exploited vulnerabilities (KEV) and the predictions of EPSS, as
//! files that the operator supplies.

use super::wire::first_line;
use flate2::read::GzDecoder;
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead as _, BufReader, Read},
};

/// Bytes of either file after unpacking. EPSS has some 10 MiB.
const MAX_BYTES: u64 = 256 << 20;

/// From this probability on, that somebody attacks it within 30 days, a vulnerability is one step worse: about one in
/// twenty of all that EPSS scores.
pub const LIKELY: f64 = 0.1;

/// Why a file of priorities cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PriorityError(String);

/// What is known about vulnerabilities by their CVE ids.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Priorities {
    /// Attacked already.
    pub exploited: BTreeSet<String>,
    /// Probability from 0 to 1 that it will be within 30 days.
    pub predicted: BTreeMap<String, f64>,
}

#[derive(Deserialize)]
struct Catalogue {
    vulnerabilities: Vec<Exploited>,
}

#[derive(Deserialize)]
struct Exploited {
    #[serde(rename = "cveID")]
    cve: String,
}

impl Priorities {
    /// Reads the KEV catalogue as JSON.
    ///
    /// # Errors
    /// When it is anything else, or names nothing.
    pub fn read_kev(&mut self, file: impl Read) -> Result<(), PriorityError> {
        let catalogue: Catalogue = serde_json::from_reader(BufReader::new(plain(file)?))
            .map_err(|error| PriorityError(format!("it is no KEV catalogue in JSON: {error}")))?;
        let ids = catalogue.vulnerabilities.into_iter().map(|one| one.cve);
        self.exploited.extend(ids.filter(|id| id.starts_with("CVE-")));
        if self.exploited.is_empty() {
            return Err(PriorityError("it names no CVE".to_owned()));
        }
        Ok(())
    }

    /// Reads EPSS's scores as CSV (`cve,epss,percentile`), packed with gzip or not.
    ///
    /// # Errors
    /// When it is anything else, or a score is no number from 0 to 1.
    pub fn read_epss(&mut self, file: impl Read) -> Result<(), PriorityError> {
        let mut columns = false;
        for line in BufReader::new(plain(file)?).lines() {
            let line = line.map_err(|error| PriorityError(error.to_string()))?;
            if line.starts_with('#') || line.trim().is_empty() {
                continue;
            }
            if !columns {
                columns = line.starts_with("cve,epss");
                if !columns {
                    return Err(PriorityError("its columns are not `cve,epss,percentile`".to_owned()));
                }
                continue;
            }
            let (cve, score) = score(&line)?;
            self.predicted.insert(cve, score);
        }
        if self.predicted.is_empty() {
            return Err(PriorityError("it scores nothing".to_owned()));
        }
        Ok(())
    }
}

fn score(line: &str) -> Result<(String, f64), PriorityError> {
    let bad = || PriorityError(format!("`{}` is no score", first_line(line)));
    let (cve, rest) = line.split_once(',').ok_or_else(bad)?;
    let text = rest.split(',').next().unwrap_or_default();
    let score: f64 = text.trim().parse().map_err(|_| bad())?;
    if !cve.starts_with("CVE-") || !(0.0..=1.0).contains(&score) {
        return Err(bad());
    }
    Ok((cve.to_owned(), score))
}

/// The bytes of a file, unpacked where it is packed, and never more than the limit.
fn plain(file: impl Read) -> Result<Box<dyn Read>, PriorityError> {
    let mut bytes = Vec::new();
    let failed = |error: std::io::Error| PriorityError(error.to_string());
    file.take(MAX_BYTES).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(Box::new(GzDecoder::new(std::io::Cursor::new(bytes)).take(MAX_BYTES)));
    }
    Ok(Box::new(std::io::Cursor::new(bytes)))
}
