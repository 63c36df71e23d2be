//! Operating software: secret stores, clusters, networks, monitoring.

use super::{Token, checks, derived, nkey, rule, token};
use crate::secrets::shape::{
    ALNUM, ANY_HEX, BASE32, BASE64, HEX, LOWER,
    Part::{Any, Lit, Run},
    UPPER, URL_SAFE,
};

pub(super) static TOKENS: &[Token] = &[
    token(
        rule!(
            "vault-token",
            "Vault token",
            Critical,
            "reads every secret that its policies allow",
            "revoke it with `vault token revoke`",
            ["https://developer.hashicorp.com/vault/docs/concepts/tokens"]
        ),
        &["hvs.", "hvb.", "hvr."],
        &[Any(&["hvs.", "hvb.", "hvr."]), Run(URL_SAFE, 24, 300)],
    ),
    token(
        rule!(
            "doppler-token",
            "Doppler token",
            Critical,
            "reads every secret of its configuration",
            "revoke it in Doppler",
            ["https://docs.doppler.com/docs/service-tokens"]
        ),
        &["dp.pt.", "dp.st.", "dp.ct.", "dp.sa.", "dp.scim.", "dp.audit."],
        &[
            Any(&["dp.pt.", "dp.st.", "dp.ct.", "dp.sa.", "dp.scim.", "dp.audit."]),
            Run(URL_SAFE.and(b'.'), 40, 80),
        ],
    ),
    token(
        rule!(
            "onepassword-token",
            "service account token of 1Password",
            Critical,
            "opens its vaults",
            "revoke it in 1Password",
            ["https://developer.1password.com/docs/service-accounts/"]
        ),
        &["ops_eyJ"],
        &[Lit("ops_eyJ"), Run(BASE64.and(b'='), 200, 2000)],
    ),
    token(
        rule!(
            "age-key",
            "secret key of age",
            High,
            "decrypts what was encrypted to it",
            "make a new key and encrypt again",
            ["https://age-encryption.org/v1"]
        ),
        &["AGE-SECRET-KEY-1"],
        &[Lit("AGE-SECRET-KEY-1"), Run(UPPER, 58, 58)],
    ),
    Token {
        rule: rule!(
            "nats-seed",
            "NATS seed",
            High,
            "signs in as the account, operator or user",
            "make a new key pair and push the accounts",
            ["https://docs.nats.io/running-a-nats-service/configuration/securing_nats/auth_intro/nkey_auth"]
        ),
        keywords: &["SUA", "SAA", "SOA", "SNA", "SCA", "SXA"],
        before: None,
        shape: &[Any(&["SUA", "SAA", "SOA", "SNA", "SCA", "SXA"]), Run(BASE32, 55, 55)],
        check: nkey,
    },
    token(
        rule!(
            "docker-token",
            "Docker token",
            Critical,
            "pulls private images or replaces public ones",
            "revoke it in Docker's settings",
            ["https://docs.docker.com/security/access-tokens/"]
        ),
        &["dckr_pat_", "dckr_oat_"],
        &[Any(&["dckr_pat_", "dckr_oat_"]), Run(URL_SAFE, 27, 40)],
    ),
    token(
        rule!(
            "swarm-token",
            "join token of a Docker swarm",
            High,
            "joins machines to the swarm",
            "rotate it with `docker swarm join-token --rotate`",
            ["https://docs.docker.com/engine/swarm/join-nodes/"]
        ),
        &["SWMTKN-1-"],
        &[Lit("SWMTKN-1-"), Run(LOWER, 50, 50), Lit("-"), Run(LOWER, 25, 25)],
    ),
    Token {
        rule: rule!(
            "grafana-token",
            "Grafana token",
            High,
            "reads dashboards and their data sources",
            "delete it under service accounts",
            ["https://grafana.com/docs/grafana/latest/administration/service-accounts/"]
        ),
        keywords: &["glsa_"],
        before: None,
        shape: &[Lit("glsa_"), Run(ALNUM, 32, 32), Lit("_"), Run(HEX, 8, 8)],
        check: checks::grafana,
    },
    token(
        rule!(
            "grafana-cloud-token",
            "Grafana Cloud token",
            High,
            "writes or reads the stack's data",
            "delete it under access policies",
            [
                "https://grafana.com/docs/grafana-cloud/security-and-account-management/authentication-and-permissions/access-policies/"
            ]
        ),
        &["glc_eyJ"],
        &[Lit("glc_eyJ"), Run(BASE64.and(b'='), 60, 400)],
    ),
    token(
        rule!(
            "newrelic-key",
            "New Relic key",
            High,
            "reads the account's data",
            "delete it on the API keys page",
            ["https://docs.newrelic.com/docs/apis/intro-apis/new-relic-api-keys/"]
        ),
        &["NRAK-", "NRII-", "NRIQ-"],
        &[Any(&["NRAK-", "NRII-", "NRIQ-"]), Run(URL_SAFE, 27, 32)],
    ),
    token(
        rule!(
            "dynatrace-token",
            "Dynatrace token",
            High,
            "reads or changes monitoring",
            "delete it in the settings",
            [
                "https://docs.dynatrace.com/docs/manage/identity-access-management/access-tokens-and-oauth-clients/access-tokens"
            ]
        ),
        &["dt0c01.", "dt0s01.", "dt0s02."],
        &[Any(&["dt0c01.", "dt0s01.", "dt0s02."]), Run(UPPER, 24, 24), Lit("."), Run(UPPER, 64, 64)],
    ),
    token(
        rule!(
            "sentry-token",
            "Sentry token",
            High,
            "reads events, releases and source maps",
            "revoke it in the settings",
            ["https://docs.sentry.io/account/auth-tokens/"]
        ),
        &["sntryu_"],
        &[Lit("sntryu_"), Run(HEX, 64, 64)],
    ),
    token(
        rule!(
            "sentry-org-token",
            "organisation token of Sentry",
            High,
            "writes releases and source maps",
            "revoke it in the settings",
            ["https://docs.sentry.io/account/auth-tokens/"]
        ),
        &["sntrys_eyJ"],
        &[Lit("sntrys_eyJ"), Run(BASE64.and(b'='), 80, 400), Lit("_"), Run(BASE64, 43, 43)],
    ),
    token(
        rule!(
            "tailscale-key",
            "Tailscale key",
            Critical,
            "joins machines to the network or changes it",
            "revoke it in the admin console",
            ["https://tailscale.com/kb/1085/auth-keys"]
        ),
        &["tskey-"],
        &[
            Lit("tskey-"),
            Any(&["auth", "api", "client", "scim", "webhook"]),
            Lit("-"),
            Run(ALNUM, 8, 24),
            Lit("-"),
            Run(ALNUM, 20, 64),
        ],
    ),
    token(
        rule!(
            "pulumi-token",
            "Pulumi token",
            Critical,
            "reads state and starts updates",
            "delete it in the settings",
            ["https://www.pulumi.com/docs/administration/access-identity/access-tokens/"]
        ),
        &["pul-"],
        &[Lit("pul-"), Run(HEX, 40, 40)],
    ),
    token(
        rule!(
            "launchdarkly-key",
            "LaunchDarkly key",
            Medium,
            "reads or changes flags",
            "reset it in the settings",
            ["https://launchdarkly.com/docs/home/account/api"]
        ),
        &["sdk-", "api-"],
        &[
            Any(&["sdk-", "api-"]),
            Run(HEX, 8, 8),
            Lit("-"),
            Run(HEX, 4, 4),
            Lit("-"),
            Run(HEX, 4, 4),
            Lit("-"),
            Run(HEX, 4, 4),
            Lit("-"),
            Run(HEX, 12, 12),
        ],
    ),
    token(
        rule!(
            "artifactory-key",
            "Artifactory key",
            Critical,
            "reads and replaces packages",
            "revoke it in the profile",
            ["https://jfrog.com/help/r/jfrog-platform-administration-documentation/api-key"]
        ),
        &["AKCp"],
        &[Lit("AKCp"), Run(ALNUM, 64, 72)],
    ),
    Token {
        rule: rule!(
            "unix-password-hash",
            "password hash of a Unix account",
            Medium,
            "can be guessed off line",
            "change the password",
            ["https://man7.org/linux/man-pages/man5/shadow.5.html"]
        ),
        keywords: &["$6$rounds="],
        before: None,
        shape: &[
            Lit("$6$rounds="),
            Run(ANY_HEX, 4, 9),
            Lit("$"),
            Run(BASE64.and(b'.'), 8, 16),
            Lit("$"),
            Run(BASE64.and(b'.'), 86, 86),
        ],
        check: derived,
    },
];
