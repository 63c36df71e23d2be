//! Mail, chat and telephony.

use super::{Token, rule, token, unchecked};
use crate::secrets::shape::{
    ALNUM, DIGIT, HEX,
    Part::{Any, Lit, Run},
    UPPER, URL_SAFE,
};

pub(super) static TOKENS: &[Token] = &[
    token(
        rule!(
            "slack-token",
            "Slack token",
            High,
            "reads and writes messages as its owner",
            "revoke it with `auth.revoke` or in the application's settings",
            ["https://docs.slack.dev/authentication/tokens/"]
        ),
        &["xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxe-", "xoxo-", "xoxc-", "xoxd-"],
        &[
            Any(&["xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxe-", "xoxo-", "xoxc-", "xoxd-"]),
            Run(URL_SAFE.and(b'.'), 24, 320),
        ],
    ),
    token(
        rule!(
            "slack-app-token",
            "app-level Slack token",
            High,
            "connects as the application",
            "revoke it in the application's settings",
            ["https://docs.slack.dev/authentication/tokens/"]
        ),
        &["xapp-"],
        &[
            Lit("xapp-"),
            Run(DIGIT, 1, 2),
            Lit("-"),
            Run(UPPER, 9, 14),
            Lit("-"),
            Run(DIGIT, 9, 16),
            Lit("-"),
            Run(HEX, 60, 70),
        ],
    ),
    token(
        rule!(
            "slack-webhook",
            "Slack webhook",
            Medium,
            "posts messages into the channel",
            "remove the webhook in the application's settings",
            ["https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/"]
        ),
        &["hooks.slack.com/"],
        &[
            Lit("hooks.slack.com/"),
            Any(&["services", "workflows", "triggers"]),
            Lit("/"),
            Run(UPPER, 8, 14),
            Lit("/"),
            Run(ALNUM, 8, 20),
            Lit("/"),
            Run(ALNUM.and(b'/'), 20, 60),
        ],
    ),
    token(
        rule!(
            "discord-webhook",
            "Discord webhook",
            Medium,
            "posts messages into the channel",
            "delete the webhook in the channel's settings",
            ["https://discord.com/developers/docs/resources/webhook"]
        ),
        &["discord.com/api/webhooks/", "discordapp.com/api/webhooks/"],
        &[
            Any(&["discord.com/api/webhooks/", "discordapp.com/api/webhooks/"]),
            Run(DIGIT, 17, 20),
            Lit("/"),
            Run(URL_SAFE, 60, 80),
        ],
    ),
    token(
        rule!(
            "teams-webhook",
            "webhook of Microsoft Teams",
            Medium,
            "posts messages into the channel",
            "remove the connector",
            [
                "https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/what-are-webhooks-and-connectors"
            ]
        ),
        &["webhook.office.com/webhookb2/"],
        &[
            Lit("webhook.office.com/webhookb2/"),
            Run(URL_SAFE.and(b'@'), 73, 73),
            Lit("/IncomingWebhook/"),
            Run(HEX, 32, 32),
        ],
    ),
    Token {
        rule: rule!(
            "telegram-bot-token",
            "token of a Telegram bot",
            High,
            "controls the bot",
            "revoke it with @BotFather",
            ["https://core.telegram.org/bots/api#authorizing-your-bot"]
        ),
        keywords: &[":AA"],
        before: Some((DIGIT, 8, 10)),
        shape: &[Lit(":AA"), Run(URL_SAFE, 33, 33)],
        check: unchecked,
    },
    token(
        rule!(
            "sendgrid-key",
            "SendGrid key",
            High,
            "sends mail in the owner's name",
            "delete it in the settings",
            ["https://www.twilio.com/docs/sendgrid/ui/account-and-settings/api-keys"]
        ),
        &["SG."],
        &[Lit("SG."), Run(URL_SAFE, 22, 22), Lit("."), Run(URL_SAFE, 43, 43)],
    ),
    token(
        rule!(
            "mailgun-key",
            "Mailgun key",
            High,
            "sends and reads mail of the domain",
            "rotate it in the settings",
            ["https://documentation.mailgun.com/docs/mailgun/api-reference/mg-auth"]
        ),
        &["key-"],
        &[Lit("key-"), Run(HEX, 32, 32)],
    ),
    Token {
        rule: rule!(
            "mailchimp-key",
            "Mailchimp key",
            High,
            "reads the audience and sends mail",
            "disable it in the account's extras",
            ["https://mailchimp.com/developer/marketing/docs/fundamentals/"]
        ),
        keywords: &["-us1", "-us2", "-us3", "-us4", "-us5", "-us6", "-us7", "-us8", "-us9"],
        before: Some((HEX, 32, 32)),
        shape: &[Lit("-us"), Run(DIGIT, 1, 2)],
        check: unchecked,
    },
    token(
        rule!(
            "brevo-key",
            "Brevo key",
            High,
            "sends mail and reads contacts",
            "delete it in the settings",
            ["https://developers.brevo.com/docs/getting-started"]
        ),
        &["xkeysib-", "xsmtpsib-"],
        &[Any(&["xkeysib-", "xsmtpsib-"]), Run(HEX, 64, 64), Lit("-"), Run(ALNUM, 16, 16)],
    ),
    token(
        rule!(
            "mapbox-secret-token",
            "secret token of Mapbox",
            Medium,
            "changes the account's maps",
            "delete it in the account",
            ["https://docs.mapbox.com/help/dive-deeper/access-tokens/"]
        ),
        &["sk.eyJ"],
        &[Lit("sk.eyJ"), Run(URL_SAFE, 60, 200), Lit("."), Run(URL_SAFE, 20, 24)],
    ),
];
