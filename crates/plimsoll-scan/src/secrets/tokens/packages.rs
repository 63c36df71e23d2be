//! Package registries: whoever has one of these ships code to everybody who depends on the package.

use super::{Token, base62_checksum, checks, rule, token};
use crate::secrets::shape::{
    ALNUM, HEX, LOWER,
    Part::{Lit, Run},
    URL_SAFE,
};

pub(super) static TOKENS: &[Token] = &[
    Token {
        rule: rule!(
            "npm-token",
            "npm token",
            Critical,
            "publishes packages as its owner",
            "revoke it with `npm token revoke`",
            ["https://docs.npmjs.com/about-access-tokens"]
        ),
        keywords: &["npm_"],
        before: None,
        shape: &[Lit("npm_"), Run(ALNUM, 36, 36)],
        check: base62_checksum,
    },
    Token {
        rule: rule!(
            "pypi-token",
            "PyPI token",
            Critical,
            "publishes packages as its owner",
            "revoke it in the account's settings",
            ["https://pypi.org/help/#apitoken"]
        ),
        keywords: &["pypi-"],
        before: None,
        shape: &[Lit("pypi-"), Run(URL_SAFE, 85, 600)],
        check: checks::pypi,
    },
    token(
        rule!(
            "crates-io-token",
            "crates.io token",
            Critical,
            "publishes crates as its owner",
            "revoke it in the account's settings",
            ["https://doc.rust-lang.org/cargo/reference/publishing.html"]
        ),
        &["cio"],
        &[Lit("cio"), Run(ALNUM, 32, 32)],
    ),
    token(
        rule!(
            "rubygems-key",
            "RubyGems key",
            Critical,
            "publishes gems as its owner",
            "delete it in the account's settings",
            ["https://guides.rubygems.org/api-key-scopes/"]
        ),
        &["rubygems_"],
        &[Lit("rubygems_"), Run(HEX, 48, 48)],
    ),
    token(
        rule!(
            "nuget-key",
            "NuGet key",
            Critical,
            "publishes packages as its owner",
            "delete it on the API keys page",
            ["https://learn.microsoft.com/en-us/nuget/nuget-org/publish-a-package"]
        ),
        &["oy2"],
        &[Lit("oy2"), Run(LOWER, 43, 43)],
    ),
    token(
        rule!(
            "clojars-token",
            "Clojars token",
            Critical,
            "publishes packages as its owner",
            "disable it in the profile",
            ["https://github.com/clojars/clojars-web/wiki/Deploy-Tokens"]
        ),
        &["CLOJARS_"],
        &[Lit("CLOJARS_"), Run(LOWER, 60, 60)],
    ),
];
