//! Clouds and hosts.

use super::{Token, rule, token, unchecked};
use crate::secrets::shape::{
    ALNUM, BASE32, BASE64, HEX,
    Part::{Any, Lit, Run},
    UPPER, URL_SAFE, WORD,
};

pub(super) static TOKENS: &[Token] = &[
    token(
        rule!(
            "aws-access-key",
            "AWS access key",
            Critical,
            "has one half of a key pair, and the other half is often near",
            "deactivate and delete the key in IAM",
            ["https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html"]
        ),
        &["AKIA", "ASIA", "ABIA", "ACCA"],
        &[Any(&["AKIA", "ASIA", "ABIA", "ACCA"]), Run(BASE32, 16, 16)],
    ),
    token(
        rule!(
            "aws-bedrock-key",
            "AWS Bedrock key",
            High,
            "runs models at its owner's cost",
            "delete the key in IAM",
            ["https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys.html"]
        ),
        &["ABSKQmVkcm9ja0FQSUtleS"],
        &[Lit("ABSKQmVkcm9ja0FQSUtleS"), Run(BASE64.and(b'='), 80, 260)],
    ),
    token(
        rule!(
            "google-api-key",
            "Google API key",
            High,
            "uses the services that the key was not restricted from",
            "rotate it in the credentials page of Google Cloud",
            ["https://cloud.google.com/docs/authentication/api-keys"]
        ),
        &["AIza"],
        &[Lit("AIza"), Run(URL_SAFE, 35, 35)],
    ),
    token(
        rule!(
            "google-oauth-secret",
            "client secret of Google OAuth",
            High,
            "can pose as the application",
            "reset it in the credentials page of Google Cloud",
            ["https://developers.google.com/identity/protocols/oauth2"]
        ),
        &["GOCSPX-"],
        &[Lit("GOCSPX-"), Run(URL_SAFE, 28, 28)],
    ),
    token(
        rule!(
            "google-access-token",
            "access token of Google",
            High,
            "acts as its owner while it lasts",
            "revoke it at the token endpoint",
            ["https://developers.google.com/identity/protocols/oauth2"]
        ),
        &["ya29."],
        &[Lit("ya29."), Run(URL_SAFE.and(b'.'), 20, 1024)],
    ),
    token(
        rule!(
            "azure-storage-key",
            "key of an Azure storage account",
            Critical,
            "reads and writes everything in the account",
            "rotate the key in the portal",
            ["https://learn.microsoft.com/en-us/azure/storage/common/storage-account-keys-manage"]
        ),
        &["AccountKey="],
        &[Lit("AccountKey="), Run(BASE64, 86, 86), Lit("==")],
    ),
    token(
        rule!(
            "azure-shared-access-key",
            "shared access key of Azure",
            High,
            "sends and receives on the bus or hub",
            "rotate the key in the portal",
            ["https://learn.microsoft.com/en-us/azure/service-bus-messaging/service-bus-sas"]
        ),
        &["SharedAccessKey="],
        &[Lit("SharedAccessKey="), Run(BASE64.and(b'='), 40, 90)],
    ),
    Token {
        rule: rule!(
            "azure-client-secret",
            "client secret of Entra ID",
            Critical,
            "can sign in as the application",
            "remove it from the application's registration",
            ["https://learn.microsoft.com/en-us/entra/identity-platform/quickstart-register-app"]
        ),
        keywords: &["7Q~", "8Q~"],
        before: Some((WORD.and(b'.'), 3, 3)),
        shape: &[Any(&["7Q~", "8Q~"]), Run(URL_SAFE.and(b'.').and(b'~'), 31, 34)],
        check: unchecked,
    },
    token(
        rule!(
            "digitalocean-token",
            "DigitalOcean token",
            Critical,
            "controls the account's machines",
            "revoke it on the API page",
            ["https://docs.digitalocean.com/reference/api/create-personal-access-token/"]
        ),
        &["dop_v1_", "doo_v1_", "dor_v1_"],
        &[Any(&["dop_v1_", "doo_v1_", "dor_v1_"]), Run(HEX, 64, 64)],
    ),
    token(
        rule!(
            "alibaba-access-key",
            "Alibaba Cloud access key",
            High,
            "has one half of a key pair",
            "disable it in RAM",
            ["https://www.alibabacloud.com/help/en/ram/user-guide/create-an-accesskey-pair"]
        ),
        &["LTAI"],
        &[Lit("LTAI"), Run(ALNUM, 12, 26)],
    ),
    token(
        rule!(
            "cloudflare-origin-key",
            "Origin CA key of Cloudflare",
            High,
            "issues certificates for the account's zones",
            "change it in the profile's API tokens",
            ["https://developers.cloudflare.com/fundamentals/api/get-started/ca-keys/"]
        ),
        &["v1.0-"],
        &[Lit("v1.0-"), Run(HEX, 24, 24), Lit("-"), Run(HEX, 146, 146)],
    ),
    token(
        rule!(
            "heroku-key",
            "Heroku key",
            High,
            "controls the account's applications",
            "regenerate it in the account's settings",
            ["https://devcenter.heroku.com/articles/authentication"]
        ),
        &["HRKU-"],
        &[Lit("HRKU-"), Run(URL_SAFE, 36, 64)],
    ),
    token(
        rule!(
            "fly-token",
            "Fly.io token",
            High,
            "controls the organisation's machines",
            "revoke it with `fly tokens revoke`",
            ["https://fly.io/docs/security/tokens/"]
        ),
        &["fm1r_", "fm2_", "fo1_"],
        &[Any(&["fm1r_", "fm2_", "fo1_"]), Run(BASE64.and(b'=').and(b','), 40, 1200)],
    ),
    token(
        rule!(
            "scaleway-key",
            "Scaleway access key",
            Medium,
            "has one half of a key pair",
            "delete it in the console",
            ["https://www.scaleway.com/en/docs/iam/how-to/create-api-keys/"]
        ),
        &["SCWX", "SCW0", "SCW1", "SCW2", "SCW3", "SCW4", "SCW5", "SCW6", "SCW7", "SCW8", "SCW9"],
        &[Lit("SCW"), Run(UPPER, 17, 17)],
    ),
    token(
        rule!(
            "netlify-token",
            "Netlify token",
            High,
            "publishes the account's sites",
            "revoke it in the user settings",
            ["https://docs.netlify.com/api/get-started/"]
        ),
        &["nfp_", "nfc_", "nfo_", "nfu_"],
        &[Any(&["nfp_", "nfc_", "nfo_", "nfu_"]), Run(ALNUM, 36, 36)],
    ),
    token(
        rule!(
            "supabase-token",
            "Supabase token",
            High,
            "controls the account's projects",
            "revoke it in the account's tokens",
            ["https://supabase.com/docs/guides/api/api-keys"]
        ),
        &["sbp_", "sb_secret_"],
        &[Any(&["sbp_", "sb_secret_"]), Run(URL_SAFE, 31, 60)],
    ),
    token(
        rule!(
            "planetscale-token",
            "PlanetScale credential",
            High,
            "reads and writes the database",
            "delete it in the settings",
            ["https://planetscale.com/docs/concepts/planetscale-api-oauth-applications"]
        ),
        &["pscale_tkn_", "pscale_pw_", "pscale_oauth_"],
        &[Any(&["pscale_tkn_", "pscale_pw_", "pscale_oauth_"]), Run(URL_SAFE.and(b'.'), 32, 64)],
    ),
    token(
        rule!(
            "databricks-token",
            "Databricks token",
            Critical,
            "reads the workspace's data",
            "revoke it in the user settings",
            ["https://docs.databricks.com/aws/en/dev-tools/auth/pat"]
        ),
        &["dapi"],
        &[Lit("dapi"), Run(HEX, 32, 32)],
    ),
];
