//! Providers of models.

use super::{Token, rule, token, unchecked};
use crate::secrets::shape::{
    ALNUM, HEX,
    Part::{Any, Lit, Run},
    URL_SAFE,
};

pub(super) static TOKENS: &[Token] = &[
    token(
        rule!(
            "openai-key",
            "OpenAI key",
            High,
            "runs models at its owner's cost and reads stored files",
            "revoke it on the API keys page",
            ["https://platform.openai.com/docs/api-reference/authentication"]
        ),
        &["sk-proj-", "sk-svcacct-", "sk-admin-"],
        &[Any(&["sk-proj-", "sk-svcacct-", "sk-admin-"]), Run(URL_SAFE, 40, 260)],
    ),
    Token {
        rule: rule!(
            "openai-legacy-key",
            "OpenAI key of the older form",
            High,
            "runs models at its owner's cost",
            "revoke it on the API keys page",
            ["https://platform.openai.com/docs/api-reference/authentication"]
        ),
        keywords: &["T3BlbkFJ"],
        before: Some((ALNUM.and(b'-'), 23, 23)),
        shape: &[Lit("T3BlbkFJ"), Run(ALNUM, 20, 20)],
        check: unchecked,
    },
    token(
        rule!(
            "anthropic-key",
            "Anthropic key",
            High,
            "runs models at its owner's cost",
            "disable it in the console",
            ["https://docs.anthropic.com/en/api/overview"]
        ),
        &["sk-ant-"],
        &[Lit("sk-ant-"), Any(&["api03-", "admin01-", "oat01-", "sid01-"]), Run(URL_SAFE, 60, 120)],
    ),
    token(
        rule!(
            "huggingface-token",
            "Hugging Face token",
            High,
            "reads private models, or replaces public ones",
            "invalidate it in the settings",
            ["https://huggingface.co/docs/hub/security-tokens"]
        ),
        &["hf_", "api_org_"],
        &[Any(&["hf_", "api_org_"]), Run(ALNUM, 34, 40)],
    ),
    token(
        rule!(
            "replicate-token",
            "Replicate token",
            Medium,
            "runs models at its owner's cost",
            "disable it in the account",
            ["https://replicate.com/docs/topics/security/api-tokens"]
        ),
        &["r8_"],
        &[Lit("r8_"), Run(ALNUM, 37, 37)],
    ),
    token(
        rule!(
            "groq-key",
            "Groq key",
            Medium,
            "runs models at its owner's cost",
            "delete it in the console",
            ["https://console.groq.com/docs/quickstart"]
        ),
        &["gsk_"],
        &[Lit("gsk_"), Run(ALNUM, 52, 52)],
    ),
    token(
        rule!(
            "xai-key",
            "xAI key",
            Medium,
            "runs models at its owner's cost",
            "delete it in the console",
            ["https://docs.x.ai/docs/overview"]
        ),
        &["xai-"],
        &[Lit("xai-"), Run(ALNUM, 70, 90)],
    ),
    token(
        rule!(
            "perplexity-key",
            "Perplexity key",
            Medium,
            "runs models at its owner's cost",
            "delete it in the settings",
            ["https://docs.perplexity.ai/"]
        ),
        &["pplx-"],
        &[Lit("pplx-"), Run(ALNUM, 40, 60)],
    ),
    token(
        rule!(
            "langsmith-key",
            "LangSmith key",
            Medium,
            "reads the traces of prompts",
            "delete it in the settings",
            ["https://docs.smith.langchain.com/"]
        ),
        &["lsv2_pt_", "lsv2_sk_"],
        &[Any(&["lsv2_pt_", "lsv2_sk_"]), Run(HEX, 32, 32), Lit("_"), Run(HEX, 10, 10)],
    ),
];
