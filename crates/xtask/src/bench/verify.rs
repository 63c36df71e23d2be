//! One bundle of a real run: `plimsoll verify` and cosign, each as a command, and the library by itself.

use super::{
    Bench, Measurement,
    case::{Case, Side, refuse, succeed},
    figure::{Figure, Unit},
    machine::noted,
    shop::Shop,
};
use crate::project::Result;
use plimsoll_attest::{PublicKey, Trust, verify_any};
use plimsoll_model::Role;
use std::{path::Path, process::Command, rc::Rc, time::Instant};

/// How many verifications one sample of the library is, since one is too short to be timed.
const AT_ONCE: u32 = 200;

pub(super) fn measurements(bench: &Bench<'_>) -> Result<Vec<Measurement>> {
    let shop = Rc::new(Shop::open(bench)?);
    let folder = shop.exported()?;
    let (bundle, subject) = (folder.join("artifact.sigstore.json"), folder.join("files/shop"));
    let other = bench.scratch.join("other");
    std::fs::write(&other, "something else\n")?;
    let key = shop.key("builder")?;
    // Both look at the subject: neither accepts another.
    refuse(&mut ours(&shop, &bundle, &other), "E-SUBJECT")?;
    refuse(&mut cosign(&key, &bundle, &other), "digest")?;
    let library = library(&bundle, &key)?;
    let mut peer = cosign(&key, &bundle, &subject);
    let peer = Side::new(format!("cosign {}", noted("cosign")?), move || succeed(&mut peer));
    let ours = Side::new("plimsoll", move || succeed(&mut ours(&shop, &bundle, &subject)));
    let what = "verification of a provenance bundle and its subject, as a command".to_owned();
    let case = Case { name: "verify", what, limit: Some(0.5), pairs: 101, ours, peer };
    Ok(vec![Measurement::Case(case), Measurement::Figure(library)])
}

fn ours(shop: &Shop, bundle: &Path, subject: &Path) -> Command {
    let mut command = shop.plimsoll(&["verify"]);
    command.arg(bundle).arg("--subject").arg(subject);
    command
}

fn cosign(key: &Path, bundle: &Path, subject: &Path) -> Command {
    let mut command = Command::new("cosign");
    command.args(["verify-blob-attestation", "--insecure-ignore-tlog", "--type", "slsaprovenance1", "--key"]);
    command.arg(key).arg("--bundle").arg(bundle).arg(subject);
    command
}

fn library(bundle: &Path, key: &Path) -> Result<Figure> {
    let bytes = std::fs::read(bundle)?;
    let key = PublicKey::from_pem(&std::fs::read_to_string(key)?)?;
    let trust = Trust::new([(Role::Builder, key)]).map_err(|reason| reason.to_string())?;
    let take = move || {
        let start = Instant::now();
        for _ in 0..AT_ONCE {
            verify_any(&bytes, &trust).map_err(|reason| reason.to_string())?;
        }
        Ok((start.elapsed() / AT_ONCE).as_secs_f64())
    };
    Ok(Figure {
        name: "verify-library",
        what: "verification of the same bundle, in process".to_owned(),
        unit: Unit::Seconds,
        limit: Some(0.000_5),
        samples: 15,
        take: Box::new(take),
    })
}
