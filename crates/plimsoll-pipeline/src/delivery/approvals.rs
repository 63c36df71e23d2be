//! `require.approvals` of an environment: how many people, of which roles, have to agree.

use super::people::RoleName;
use crate::{
    diagnostic::Findings,
    read::{Spanned, mapping, words},
    value::{Number, Within},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Seconds that an approval may be used unless the environment says otherwise: a day.
pub const DEFAULT_EXPIRE_SECONDS: u64 = 24 * 3600;

mapping! {
    /// How many people have to agree to a release. Nobody counts twice, and nobody who takes part in the change counts.
    RequireApprovalsFile {
        /// How many.
        count: Number<1, 100>,
        /// Roles of people.yaml whose members may approve.
        from: Spanned<Vec<Spanned<RoleName>>>,
        /// How long an approval may be used after it was given, at most `720h`. Default `24h`.
        expire: Option<Within<720>>,
        /// What a commit without a known author means. `extra-approval`: one more approval. Default: refused.
        unsigned: Option<Unsigned>,
    }
}

/// What a commit without a known author means.
#[derive(Debug, Clone, Copy, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Unsigned {
    /// One more approval.
    ExtraApproval,
}

words!(Unsigned { "extra-approval" => Self::ExtraApproval });

/// How many people have to agree to a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RequireApprovals {
    /// How many; at least 1.
    pub count: u32,
    /// Roles whose members may approve; at least one.
    pub from: BTreeSet<String>,
    /// Seconds from when an approval was given until it is void; more than 0.
    pub expire_seconds: u64,
    /// Whether a commit whose author is not proven asks for one more approval; otherwise it is refused.
    pub unsigned_needs_extra: bool,
}

pub(crate) fn check(file: RequireApprovalsFile, found: &mut Findings) -> RequireApprovals {
    if file.from.value.is_empty() {
        let help = "name roles of people.yaml, as in `from: [release-managers]`";
        found.help(&file.from.span, "nobody may approve", help);
    }
    let mut from = BTreeSet::new();
    for Spanned { span, value: RoleName(role) } in file.from.value {
        if !from.insert(role) {
            found.help(&span, "is listed twice", "keep one of them");
        }
    }
    RequireApprovals {
        // The type of the number holds its range.
        count: u32::try_from(file.count.0).unwrap_or(u32::MAX),
        from,
        expire_seconds: file.expire.map_or(DEFAULT_EXPIRE_SECONDS, |expire| expire.0),
        unsigned_needs_extra: file.unsigned.is_some(),
    }
}
