//! Payments and shops.

use super::{Token, rule, token};
use crate::secrets::shape::{
    ALNUM, ANY_HEX, BASE64, HEX, LOWER,
    Part::{Any, Lit, Run},
    URL_SAFE,
};

pub(super) static TOKENS: &[Token] = &[
    token(
        rule!(
            "stripe-key",
            "Stripe key",
            Critical,
            "moves money and reads customers",
            "roll it on the API keys page",
            ["https://docs.stripe.com/keys"]
        ),
        &["sk_live_", "rk_live_", "sk_org_"],
        &[Any(&["sk_live_", "rk_live_", "sk_org_"]), Run(ALNUM, 16, 250)],
    ),
    token(
        rule!(
            "stripe-test-key",
            "test key of Stripe",
            Low,
            "reads the test data",
            "roll it on the API keys page",
            ["https://docs.stripe.com/keys"]
        ),
        &["sk_test_", "rk_test_"],
        &[Any(&["sk_test_", "rk_test_"]), Run(ALNUM, 16, 250)],
    ),
    token(
        rule!(
            "stripe-webhook-secret",
            "webhook secret of Stripe",
            High,
            "can send events that look as if Stripe sent them",
            "roll it on the webhooks page",
            ["https://docs.stripe.com/webhooks"]
        ),
        &["whsec_"],
        &[Lit("whsec_"), Run(BASE64.and(b'='), 32, 80)],
    ),
    token(
        rule!(
            "square-token",
            "Square token",
            Critical,
            "moves money",
            "replace it in the developer console",
            ["https://developer.squareup.com/docs/build-basics/access-tokens"]
        ),
        &["sq0atp-", "sq0csp-"],
        &[Any(&["sq0atp-", "sq0csp-"]), Run(URL_SAFE, 22, 43)],
    ),
    token(
        rule!(
            "square-access-token",
            "access token of Square",
            Critical,
            "moves money",
            "replace it in the developer console",
            ["https://developer.squareup.com/docs/build-basics/access-tokens"]
        ),
        &["EAAAE", "EAAAF", "EAAAl"],
        &[Any(&["EAAAE", "EAAAF", "EAAAl"]), Run(URL_SAFE, 59, 59)],
    ),
    token(
        rule!(
            "shopify-token",
            "Shopify token",
            High,
            "reads and changes the shop",
            "rotate it in the application's settings",
            ["https://shopify.dev/docs/apps/build/authentication-authorization"]
        ),
        &["shpat_", "shpca_", "shppa_", "shpss_"],
        &[Any(&["shpat_", "shpca_", "shppa_", "shpss_"]), Run(ANY_HEX, 32, 32)],
    ),
    token(
        rule!(
            "braintree-token",
            "Braintree token",
            Critical,
            "moves money",
            "revoke it in the control panel",
            ["https://developer.paypal.com/braintree/docs/"]
        ),
        &["access_token$production$"],
        &[Lit("access_token$production$"), Run(LOWER, 16, 16), Lit("$"), Run(HEX, 32, 32)],
    ),
    token(
        rule!(
            "plaid-token",
            "Plaid token",
            Critical,
            "reads bank accounts",
            "invalidate it with `/item/access_token/invalidate`",
            ["https://plaid.com/docs/api/items/"]
        ),
        &["access-production-", "access-development-"],
        &[
            Any(&["access-production-", "access-development-"]),
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
            "flutterwave-key",
            "Flutterwave key",
            High,
            "moves money",
            "replace it in the dashboard",
            ["https://developer.flutterwave.com/docs/authentication"]
        ),
        &["FLWSECK-"],
        &[Lit("FLWSECK-"), Run(ALNUM, 32, 40), Lit("-X")],
    ),
    token(
        rule!(
            "razorpay-key",
            "Razorpay key",
            Medium,
            "has one half of a key pair",
            "regenerate it in the dashboard",
            ["https://razorpay.com/docs/payments/dashboard/account-settings/api-keys/"]
        ),
        &["rzp_live_"],
        &[Lit("rzp_live_"), Run(ALNUM, 14, 20)],
    ),
    token(
        rule!(
            "mercadopago-token",
            "Mercado Pago token",
            High,
            "moves money",
            "renew it in the developer panel",
            ["https://www.mercadopago.com/developers/en/docs/your-integrations/credentials"]
        ),
        &["APP_USR-"],
        &[Lit("APP_USR-"), Run(URL_SAFE, 60, 80)],
    ),
];
