//! Why a scan is not believed although its report can be read. A scanner reads hostile bytes: what it says of its rules
//! and its data is compared with what this machine knows of them, and one that asked for the network is not believed at
//! all. Pure.

use super::{CloseCheck, statements::Judgement};
use crate::ports::{Event, JournalEntry};
use plimsoll_attest::predicate::scan::{Database, OwnScan};
use plimsoll_model::{Code, Digest, Outcome, Reason, Role, RunId, ScanEngine, removed};

/// What a closed scan is compared with.
pub(super) struct Doubts<'a> {
    /// What the executor saw.
    pub(super) close: &'a CloseCheck,
    /// The run.
    pub(super) run: &'a RunId,
    /// The rules that each scanner of this program has together with imported ones.
    pub(super) rules: fn(ScanEngine, Option<Digest>) -> Digest,
    /// What this machine had imported for the scanner when the run was opened, and what it has now.
    pub(super) imported: &'a [Option<Digest>],
    /// The journal.
    pub(super) entries: &'a [JournalEntry],
}

impl Doubts<'_> {
    /// The same judgement where nothing speaks against it. Otherwise what passed came to no answer, and why is added.
    pub(super) fn over(&self, judged: Judgement, own: Option<&OwnScan>) -> Judgement {
        let doubts = [
            self.tainted(),
            own.and_then(|own| self.other_rules(own)),
            own.and_then(|own| self.other_imported(own)),
            self.other_database(own),
        ];
        let doubts: Vec<Reason> = doubts.into_iter().flatten().collect();
        if doubts.is_empty() {
            return judged;
        }
        let outcome = if judged.outcome == Outcome::Passed { Outcome::Errored } else { judged.outcome };
        Judgement { outcome, reasons: doubts.into_iter().chain(judged.reasons).collect() }
    }

    /// ATTACKS A13: what looks for a network where there is none does more than look.
    fn tainted(&self) -> Option<Reason> {
        let attempts = self.close.observed.isolation.network_attempts?;
        let quiet = attempts == 0 || removed!("network-attempts");
        (!quiet).then(|| self.about(Code::EvidenceTainted).with("attempts", attempts))
    }

    fn other_rules(&self, own: &OwnScan) -> Option<Reason> {
        let expected = (self.rules)(own.engine, own.imported);
        let same = removed!("reported-rules") || own.rules_digest == expected;
        (!same).then(|| {
            let problem = format!("it names the rules {}, and this program has {expected}", own.rules_digest);
            self.about(Code::EvidenceSelf).with("detail", problem)
        })
    }

    /// ATTACKS A31c: rules that a report only names have found nothing, and the gate believes the name.
    fn other_imported(&self, own: &OwnScan) -> Option<Reason> {
        let same = removed!("imported-rules") || self.imported.contains(&own.imported);
        (!same).then(|| {
            let named = own.imported.map_or_else(|| "none".to_owned(), |digest| digest.to_string());
            let problem = format!("it names the imported rules {named}, which are not those of this machine");
            self.about(Code::EvidenceSelf).with("detail", problem)
        })
    }

    /// ATTACKS A31d: a report decides neither which data is in use here nor how old that is.
    fn other_database(&self, own: Option<&OwnScan>) -> Option<Reason> {
        let own = own.filter(|own| own.engine == ScanEngine::Dependencies)?;
        let in_use = self.in_use();
        let same =
            removed!("scan-database") || own.database.as_ref().is_some_and(|used| in_use.contains(used));
        (!same).then(|| {
            let named = own.database.as_ref();
            let named =
                named.map_or("none".to_owned(), |used| format!("{} of {}", used.digest, used.updated));
            let problem = format!("it names the advisories {named}, which are not those in use");
            self.about(Code::EvidenceSelf).with("detail", problem)
        })
    }

    /// The advisories in use when the run was opened, and those that came into use while it ran.
    fn in_use(&self) -> Vec<Database> {
        let mut in_use = vec![];
        let mut open = false;
        for entry in self.entries {
            match &entry.event {
                Event::Opened { run, .. } if run == self.run && entry.by == Role::Builder => open = true,
                Event::Advisories { index, updated, .. } if entry.by == Role::Scanner => {
                    if !open {
                        in_use.clear();
                    }
                    in_use.push(Database { digest: *index, updated: *updated });
                }
                _ => {}
            }
        }
        in_use
    }

    fn about(&self, code: Code) -> Reason {
        code.reason().with("check", &self.close.check).with("run", self.run)
    }
}
