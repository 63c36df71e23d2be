//! Licences that an environment allows, against those that the packages of a scan state. What states none is not allowed,
//! and one more licence on the list refuses nothing that was allowed.

use super::{Bench, Refused, exceptions::Asked};
use plimsoll_attest::predicate::scan::{OwnLicense, OwnResult};
use plimsoll_dependencies::{
    license::{Allowed, Verdict},
    rules::LICENSE,
};
use plimsoll_model::{Code, Digest, Outcome};
use plimsoll_scan::Fingerprint;

/// Packages that a reason names.
const SHOWN: usize = 5;

impl Bench<'_> {
    /// Every package is under a licence that the environment allows, where it says which.
    pub(super) fn licenses(&self, asked: Asked<'_>, digest: Digest) -> Result<(), Refused> {
        if asked.require.licenses.is_none() {
            return Ok(());
        }
        if asked.said.licenses().is_none() {
            let reason = self.detailed(Code::EvidenceEmpty, asked.name, "it does not list licences");
            return Err(Refused::new(Outcome::Errored, Some(digest), reason));
        }
        let refused = refused(asked);
        let open = self.sorted(asked, refused.iter()).open;
        if open.is_empty() {
            return Ok(());
        }
        let packages = open.iter().filter_map(|result| result.package.as_deref()).take(SHOWN);
        let mut packages = packages.collect::<Vec<_>>().join(", ");
        if open.len() > SHOWN {
            packages.push_str(", …");
        }
        let problem = self.in_vain(asked, &open);
        let detail =
            format!("{} packages have no licence that is allowed here{problem}: {packages}", open.len());
        let reason = self.detailed(Code::EvidenceFailed, asked.name, detail);
        Err(Refused::new(Outcome::Failed, Some(digest), reason))
    }
}

/// The packages whose licences are not allowed, as findings that an exception can be about.
pub(super) fn refused(asked: Asked<'_>) -> Vec<OwnResult> {
    let Some(list) = &asked.require.licenses else { return vec![] };
    // The file was read with names that are licences; one that is none would allow nothing.
    let allowed = Allowed::new(list.iter().map(String::as_str)).ok();
    let passes = |stated: &OwnLicense| {
        let verdict = stated.license.as_deref().zip(allowed.as_ref()).map(|(text, list)| list.check(text));
        verdict == Some(Verdict::Allowed)
    };
    let all = asked.said.licenses().unwrap_or_default().iter();
    all.filter(|stated| !passes(stated)).map(finding).collect()
}

fn finding(stated: &OwnLicense) -> OwnResult {
    let parts = [stated.package.as_str(), stated.license.as_deref().unwrap_or_default()];
    let fingerprint = Fingerprint::of(LICENSE.id, &parts);
    OwnResult {
        rule: Some(LICENSE.id.to_owned()),
        package: Some(stated.package.clone()),
        ..OwnResult::new(fingerprint.digest(), LICENSE.severity)
    }
}
