//! A release that takes the place of another on an agent's machine: how long it takes, and what its clients notice.

use super::{
    Bench, How, Measurement,
    case::{Case, Side},
    figure::{Figure, Unit},
    hosted::Hosted,
    load::Steady,
    service::{self, Running},
};
use crate::project::Result;
use std::{
    cell::{Cell, RefCell},
    process::Command,
    rc::Rc,
};

/// Seconds between two looks of the agent.
const INTERVAL: u32 = 1;
/// Clients that ask without a pause while releases take each other's places.
const CLIENTS: usize = 2;

pub(super) fn measurements(bench: &Bench<'_>) -> Result<Vec<Measurement>> {
    let hosted = Rc::new(RefCell::new(Hosted::open(bench, INTERVAL)?));
    let mut measurements = vec![Measurement::Case(promotion(&hosted)?)];
    measurements.extend(switches(&hosted, bench.how).map(Measurement::Figure));
    Ok(measurements)
}

fn promotion(hosted: &Rc<RefCell<Hosted>>) -> Result<Case> {
    let built = Rc::clone(hosted);
    let promoted = Rc::clone(hosted);
    let ours = Side::measured("plimsoll", move || promoted.borrow().promote());
    let ours = ours.prepared(move || built.borrow_mut().build());
    let (program, port) = (service::version(&hosted.borrow().service, "direct")?, service::free_port()?);
    let running: Rc<Cell<Option<Running>>> = Rc::default();
    let before = Rc::clone(&running);
    let peer = Side::new("the program, started by hand", move || {
        running.set(Some(Running::start(Command::new(&program).arg(port.to_string()))?));
        service::until_it_answers(port, "direct")
    });
    let peer = peer.prepared(move || {
        drop(before.take());
        Ok(())
    });
    let what = format!(
        "from the promotion of a small service until it answers in place of the one before; ours decided, signed, pushed, \
         noticed by an agent that looks every {INTERVAL} s, checked again, started in a sandbox and found healthy"
    );
    Ok(Case { name: "delivery", what, limit: None, pairs: 21, ours, peer })
}

/// Requests that are lost while releases take each other's places, and how many were made. One sample is all of them: of
/// what must never happen there is no median.
fn switches(hosted: &Rc<RefCell<Hosted>>, how: How) -> [Figure; 2] {
    let switches = if how == How::Try { 3 } else { 50 };
    let hosted = Rc::clone(hosted);
    let asked = Rc::new(Cell::new(0));
    let made = Rc::clone(&asked);
    let lost = move || {
        let load = Steady::start(hosted.borrow().port, CLIENTS);
        let switched = (0..switches).try_for_each(|_| {
            hosted.borrow_mut().build()?;
            hosted.borrow().promote().map(drop)
        });
        let count = load.end()?;
        switched?;
        made.set(count.asked);
        if let Some(problem) = count.problem {
            println!("  a request was lost: {problem}");
        }
        Ok(count.lost as f64)
    };
    let lost = Figure {
        name: "switch-lost",
        what: format!("requests lost in {switches} blue-green switches under load from {CLIENTS} clients"),
        unit: Unit::Count,
        limit: Some(0.0),
        samples: 1,
        take: Box::new(lost),
    };
    let asked = Figure {
        name: "switch-asked",
        what: "requests that were made meanwhile, each on a connection of its own".to_owned(),
        unit: Unit::Count,
        limit: None,
        samples: 1,
        take: Box::new(move || Ok(asked.get() as f64)),
    };
    [lost, asked]
}
