//! A pipeline of three steps that do nothing. Ours is the whole way: isolated steps, an artifact, a test, four signed
//! statements and a signed decision. It is a refusal, so that no service is started: the commit is signed by nobody whom
//! the delivery repository knows, which is found out by computing everything that an allow needs.

use super::{
    Bench, Measurement,
    case::{Case, Side, refuse, succeed},
    peers,
    shop::Shop,
};
use crate::project::Result;
use plimsoll_testkit::SshKey;
use std::rc::Rc;

pub(super) fn measurements(bench: &Bench<'_>) -> Result<Vec<Measurement>> {
    let shop = Rc::new(Shop::open(bench)?);
    shop.repository.commit_signed("a change", &SshKey::generate());
    let decided = {
        let shop = Rc::clone(&shop);
        Side::new("plimsoll", move || {
            succeed(&mut shop.plimsoll(&["run"]))?;
            refuse(&mut shop.plimsoll(&["promote", "shop", "--to", "local"]), "E-SRC-SIGNER")
        })
    };
    let run = Side::new("plimsoll", move || succeed(&mut shop.plimsoll(&["run"])));
    let what = "three no-op steps, each isolated; ours with evidence, signatures and a decision".to_owned();
    let peer = peers::podman_three_times(&bench.scratch)?;
    let isolated = Case { name: "pipeline", what, limit: Some(0.5), pairs: 31, ours: decided, peer };
    let what = "three no-op steps; ours isolated, with evidence and signatures".to_owned();
    let peer = peers::act(&bench.scratch)?;
    let uncaged = Case { name: "pipeline", what, limit: None, pairs: 31, ours: run, peer };
    Ok(vec![Measurement::Case(isolated), Measurement::Case(uncaged)])
}
