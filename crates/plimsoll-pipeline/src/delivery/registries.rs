//! `delivery.yaml`: what holds for the whole delivery repository.

use crate::{
    diagnostic::{FileErrors, Findings},
    pipeline::Ecosystem,
    read::{self, Spanned, mapping},
    value::{Line, Version, texts},
};
use serde::Serialize;
use std::collections::BTreeSet;

mapping! {
    /// `delivery.yaml`, at the root of a delivery repository: what holds for all of its projects and environments.
    DeliveryFile {
        /// Version of this form of file; always 1, and always the first key.
        #[expect(dead_code, reason = "judged before anything else is read")]
        version: Version,
        /// Name of the team, for people. Default none.
        team: Option<Line>,
        /// Package registries beside those of each package client's own configuration. Lock files choose among these and
        /// cannot add one. Default none.
        registries: Option<Vec<Spanned<RegistryFile>>>,
    }
}

mapping! {
    /// A package registry.
    RegistryFile {
        /// Whose packages it has.
        ecosystem: Ecosystem,
        /// URL of its index, as the package client's configuration has it: `https://…` or `sparse+https://…`, without
        /// credentials.
        index: IndexUrl,
        /// Whether its host may have an address of a private network. Loopback and link-local addresses are always
        /// refused. Default `false`.
        private: Option<bool>,
    }
}

texts! {
    /// URL of an index.
    IndexUrl("^(sparse\\+)?https://[^/@?#]+(/[^@?#]*)?$") = |text| authority(text).map(|_| ());
}

/// A checked `delivery.yaml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Delivery {
    /// Name of the team, for people.
    pub team: Option<String>,
    /// Registries that the operator trusts; no two with the same index.
    pub registries: Vec<Registry>,
}

/// A package registry that the operator trusts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Registry {
    /// Whose packages it has.
    pub ecosystem: Ecosystem,
    /// URL of its index as written.
    pub index: String,
    /// Host of that URL, lower case.
    pub host: String,
    /// Port of that URL; 443 if it names none.
    pub port: u16,
    /// Whether the host may have a private address.
    pub private: bool,
}

impl Delivery {
    /// Reads `delivery.yaml`. `file` is its name for messages.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read(file: &str, bytes: &[u8]) -> Result<Self, Box<FileErrors>> {
        read::file(file, bytes, check)
    }
}

fn check(file: DeliveryFile, found: &mut Findings) -> Option<Delivery> {
    let mut seen = BTreeSet::new();
    let mut registries = Vec::new();
    for Spanned { span, value } in file.registries.unwrap_or_default() {
        let IndexUrl(index) = value.index;
        let (host, port) = authority(&index).ok()?;
        if !seen.insert((value.ecosystem, index.clone())) {
            found.add(&span, "this registry is listed twice");
        }
        let private = value.private.unwrap_or(false);
        registries.push(Registry { ecosystem: value.ecosystem, index, host, port, private });
    }
    Some(Delivery { team: file.team.map(|team| team.0), registries })
}

/// Host and port of the URL of an index (RFC 3986 section 3.2, without user information).
fn authority(url: &str) -> Result<(String, u16), String> {
    let rest = url.strip_prefix("sparse+").unwrap_or(url);
    let rest =
        rest.strip_prefix("https://").ok_or("expected a URL that begins with https:// or sparse+https://")?;
    if rest.contains(['@', '?', '#', '\\']) || rest.contains(char::is_whitespace) {
        return Err(
            "the URL has credentials, a query, a fragment or a blank, and an index has none of these".into(),
        );
    }
    let authority = rest.split('/').next().unwrap_or(rest);
    let (host, port) = authority.split_once(':').unwrap_or((authority, "443"));
    let labels = host.split('.').all(|label| {
        let inner = label.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        inner && (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
    });
    if !labels || host.len() > 253 {
        return Err(format!("`{host}` is not a host name in lower case"));
    }
    let port = port.parse().ok().filter(|port: &u16| *port > 0).ok_or(format!("`{port}` is not a port"))?;
    Ok((host.to_owned(), port))
}
