//! `plimsoll trust`: which keys are believed, who says so, and this machine's own.

mod change;

use crate::{
    cli::TrustCommand,
    context::{self, Context, RUN_ROLES},
    failure::Failure,
    output::Output,
};
use plimsoll_model::Role;

pub(crate) fn trust(context: &Context, command: &TrustCommand, output: &Output) -> Result<(), Failure> {
    match command {
        TrustCommand::Show => show(context, output),
        TrustCommand::Pin { delivery } => pin(context, delivery, output),
        TrustCommand::Key { role, create } => key(context, role, *create, output),
        TrustCommand::Add { role, file, ceremony } => change::add(context, role, file, ceremony, output),
        TrustCommand::Remove { role, fingerprint, ceremony } => {
            change::remove(context, role, fingerprint, ceremony, output)
        }
        TrustCommand::Sign { ceremony } => change::sign(context, ceremony, output),
    }
}

/// Believes a trust root for the first time: whoever asks for it compares its genesis with somebody who knows.
fn pin(context: &Context, delivery: &str, output: &Output) -> Result<(), Failure> {
    let _state = context.writer("trust pin")?;
    if context.pinned()?.is_some() {
        return Err(Failure::Usage("a trust root is pinned already: plimsoll trust show".into()));
    }
    let (pinned, _) = context.pin_first(delivery)?;
    let accepted = pinned.accept()?;
    let text = format!(
        "pinned    {}\ngenesis   {}\nnext      compare the genesis with somebody who knows it, then: plimsoll status",
        pinned.delivery,
        accepted.genesis()
    );
    output.result(&text, &serde_json::json!({ "delivery": pinned.delivery, "genesis": accepted.genesis(), "number": accepted.number() }));
    Ok(())
}

fn show(context: &Context, output: &Output) -> Result<(), Failure> {
    let pinned = context.pinned()?;
    let root = pinned.as_ref().map(|pinned| pinned.accept()).transpose()?;
    let trust = match &root {
        Some(root) => root.trust().clone(),
        None => context.own_trust(&RUN_ROLES)?,
    };
    let keys: Vec<_> =
        trust.iter().map(|(role, key)| (role.to_string(), key.fingerprint().to_string())).collect();
    let mut text = match (&root, &pinned) {
        (Some(root), Some(pinned)) => format!(
            "root      number {}, genesis {}\ndelivery  {}\n",
            root.number(),
            root.genesis(),
            pinned.delivery
        ),
        _ => "root      none is pinned; these are this machine's own keys\n".to_owned(),
    };
    text.extend(keys.iter().map(|(role, fingerprint)| format!("{role:<16} {fingerprint}\n")));
    let value = serde_json::json!({
        "genesis": root.as_ref().map(|root| root.genesis()),
        "number": root.as_ref().map(|root| root.number()),
        "delivery": pinned.as_ref().map(|pinned| &pinned.delivery),
        "keys": keys.iter().map(|(role, key)| serde_json::json!({ "role": role, "key": key })).collect::<Vec<_>>(),
    });
    output.result(&text, &value);
    Ok(())
}

fn key(context: &Context, role: &Role, create: bool, output: &Output) -> Result<(), Failure> {
    let keys = context.keys();
    if create {
        let _state = context.writer("trust key")?;
        let made = keys.load_or_create(role);
        made.map_err(|error| Failure::broken(format!("failed to make the {role} key"), &error))?;
    } else if !keys.exists(role) {
        return Err(Failure::Usage(format!(
            "there is no key for the role {role} here; a run makes those it needs, and `plimsoll trust key {role} --create` this one"
        )));
    }
    let key = context::public_key(&keys, role)?;
    output.result(
        &key.to_pem(),
        &serde_json::json!({ "role": role, "key": key.to_pem(), "fingerprint": key.fingerprint() }),
    );
    Ok(())
}
