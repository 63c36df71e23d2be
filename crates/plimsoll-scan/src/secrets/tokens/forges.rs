//! Code forges and what stands beside them.

use super::{Token, base62_checksum, rule, token, unchecked};
use crate::secrets::shape::{
    ALNUM, BASE64, HEX,
    Part::{Any, Lit, Run},
    URL_SAFE, WORD,
};

pub(super) static TOKENS: &[Token] = &[
    Token {
        rule: rule!(
            "github-token",
            "GitHub token",
            Critical,
            "acts as its owner, often with the right to push",
            "revoke it under Settings, Developer settings",
            [
                "https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github"
            ]
        ),
        keywords: &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
        before: None,
        shape: &[Any(&["ghp_", "gho_", "ghu_", "ghs_", "ghr_"]), Run(ALNUM, 36, 36)],
        check: base62_checksum,
    },
    token(
        rule!(
            "github-fine-grained-token",
            "fine-grained GitHub token",
            Critical,
            "has the rights it was made for",
            "revoke it under Settings, Developer settings",
            [
                "https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/managing-your-personal-access-tokens"
            ]
        ),
        &["github_pat_"],
        &[Lit("github_pat_"), Run(ALNUM, 22, 22), Lit("_"), Run(ALNUM, 59, 59)],
    ),
    token(
        rule!(
            "gitlab-token",
            "GitLab token",
            Critical,
            "acts as its owner or its project",
            "revoke it in GitLab where it was made",
            ["https://docs.gitlab.com/security/tokens/"]
        ),
        &[
            "glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glft-", "glimt-", "glagent-", "glsoat-",
            "gloas-", "glffct-",
        ],
        &[
            Any(&[
                "glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glft-", "glimt-", "glagent-", "glsoat-",
                "gloas-", "glffct-",
            ]),
            Run(URL_SAFE.and(b'.'), 20, 300),
        ],
    ),
    token(
        rule!(
            "bitbucket-token",
            "Bitbucket app password",
            High,
            "reads and writes the repositories of its owner",
            "revoke it in the personal settings of Bitbucket",
            ["https://support.atlassian.com/bitbucket-cloud/docs/app-passwords/"]
        ),
        &["ATBB"],
        &[Lit("ATBB"), Run(ALNUM, 24, 40)],
    ),
    token(
        rule!(
            "atlassian-token",
            "Atlassian token",
            High,
            "acts as its owner in Jira, Confluence and Bitbucket",
            "revoke it under id.atlassian.com",
            [
                "https://support.atlassian.com/atlassian-account/docs/manage-api-tokens-for-your-atlassian-account/"
            ]
        ),
        &["ATATT3xFfGF0", "ATCTT3xFfGN0"],
        &[Any(&["ATATT3xFfGF0", "ATCTT3xFfGN0"]), Run(URL_SAFE.and(b'='), 60, 260)],
    ),
    token(
        rule!(
            "sonar-token",
            "SonarQube token",
            High,
            "reads code and results, or writes them",
            "revoke it in SonarQube under My Account, Security",
            ["https://docs.sonarsource.com/sonarqube-server/user-guide/managing-tokens"]
        ),
        &["squ_", "sqp_", "sqa_"],
        &[Any(&["squ_", "sqp_", "sqa_"]), Run(HEX, 40, 40)],
    ),
    token(
        rule!(
            "linear-key",
            "Linear key",
            High,
            "acts as its owner in Linear",
            "revoke it in Linear's settings",
            ["https://linear.app/developers"]
        ),
        &["lin_api_", "lin_oauth_"],
        &[Any(&["lin_api_", "lin_oauth_"]), Run(ALNUM, 40, 64)],
    ),
    token(
        rule!(
            "figma-token",
            "Figma token",
            Medium,
            "reads the designs of its owner",
            "revoke it in Figma's settings",
            ["https://developers.figma.com/docs/rest-api/"]
        ),
        &["figd_"],
        &[Lit("figd_"), Run(URL_SAFE, 38, 60)],
    ),
    token(
        rule!(
            "notion-token",
            "Notion token",
            High,
            "reads and writes what its integration was given",
            "rotate it in Notion's integrations",
            ["https://developers.notion.com/docs/authorization"]
        ),
        &["ntn_"],
        &[Lit("ntn_"), Run(ALNUM, 43, 60)],
    ),
    token(
        rule!(
            "postman-key",
            "Postman key",
            High,
            "reads collections, and with them the secrets of others",
            "revoke it in Postman's settings",
            ["https://learning.postman.com/docs/developer/postman-api/authentication/"]
        ),
        &["PMAK-"],
        &[Lit("PMAK-"), Run(HEX, 24, 24), Lit("-"), Run(HEX, 34, 34)],
    ),
    Token {
        rule: rule!(
            "terraform-cloud-token",
            "token of HCP Terraform",
            Critical,
            "reads state files and starts runs",
            "revoke it in HCP Terraform",
            ["https://developer.hashicorp.com/terraform/cloud-docs/users-teams-organizations/api-tokens"]
        ),
        keywords: &[".atlasv1."],
        before: Some((ALNUM, 14, 14)),
        shape: &[Lit(".atlasv1."), Run(URL_SAFE, 60, 80)],
        check: unchecked,
    },
    token(
        rule!(
            "buildkite-token",
            "Buildkite token",
            High,
            "starts and changes builds",
            "revoke it in Buildkite",
            ["https://buildkite.com/docs/apis/managing-api-tokens"]
        ),
        &["bkua_", "bkpt_"],
        &[Any(&["bkua_", "bkpt_"]), Run(WORD, 40, 60)],
    ),
    token(
        rule!(
            "circleci-token",
            "CircleCI token",
            High,
            "starts builds and reads their settings",
            "revoke it in CircleCI",
            ["https://circleci.com/docs/managing-api-tokens/"]
        ),
        &["CCIPAT_", "CCIPRJ_"],
        &[Any(&["CCIPAT_", "CCIPRJ_"]), Run(WORD, 40, 80)],
    ),
    token(
        rule!(
            "sourcegraph-token",
            "Sourcegraph token",
            High,
            "reads the code that its owner may read",
            "revoke it in Sourcegraph",
            ["https://sourcegraph.com/docs/cli/how-tos/creating_an_access_token"]
        ),
        &["sgp_"],
        &[Lit("sgp_"), Run(WORD, 40, 64)],
    ),
    token(
        rule!(
            "ssh-url-key",
            "deploy token in base64",
            High,
            "is a key of OpenSSH in one line",
            "replace the key wherever its public half is allowed",
            ["https://man.openbsd.org/ssh-keygen"]
        ),
        &["b3BlbnNzaC1rZXktdjEA"],
        &[Lit("b3BlbnNzaC1rZXktdjEA"), Run(BASE64, 80, 8000)],
    ),
];
