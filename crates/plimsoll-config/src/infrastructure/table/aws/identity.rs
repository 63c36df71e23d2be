//! Who may do what.

use super::super::{
    Absent::{Fails, Passes},
    Demand::{AtLeast, NoneOf},
    Entry, on,
};
use plimsoll_scan::{Rule, Severity};

pub(super) static ENTRIES: &[Entry] = &[
    Entry {
        rule: Rule {
            id: "config/aws-weak-password-policy",
            title: "passwords of users may be short",
            severity: Severity::Low,
            help: "\
Short passwords are guessed. Ask for 14 characters at least, or better let people come from an identity provider.

Bad:

```hcl
resource \"aws_iam_account_password_policy\" \"a\" {
  minimum_password_length = 0
}
```

Good:

```hcl
resource \"aws_iam_account_password_policy\" \"a\" {
  minimum_password_length = 14
}
```",
            references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_account-policy.html"],
        },
        on: &[
            on("aws_iam_account_password_policy", &["minimum_password_length"], AtLeast(14.0), Fails),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/aws-administrator",
            title: "somebody gets all rights of the account",
            severity: Severity::Medium,
            help: "\
Whoever takes over this user, role or machine has the whole account. Give the rights that are needed.

Bad:

```hcl
resource \"aws_iam_role_policy_attachment\" \"a\" {
  policy_arn = \"arn:aws:iam::aws:policy/AdministratorAccess\"
}
```

Good:

```hcl
resource \"aws_iam_role_policy_attachment\" \"a\" {
  policy_arn = \"arn:aws:iam::aws:policy/ReadOnlyAccess\"
}
```",
            references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html"],
        },
        on: &[
            on("aws_iam_role_policy_attachment", &["policy_arn"], NoneOf(&["arn:aws:iam::aws:policy/AdministratorAccess"]), Passes),
            on("aws_iam_user_policy_attachment", &["policy_arn"], NoneOf(&["arn:aws:iam::aws:policy/AdministratorAccess"]), Passes),
            on("aws_iam_group_policy_attachment", &["policy_arn"], NoneOf(&["arn:aws:iam::aws:policy/AdministratorAccess"]), Passes),
            on("aws_iam_policy_attachment", &["policy_arn"], NoneOf(&["arn:aws:iam::aws:policy/AdministratorAccess"]), Passes),
            on("AWS::IAM::Role", &["ManagedPolicyArns"], NoneOf(&["arn:aws:iam::aws:policy/AdministratorAccess"]), Passes),
            on("AWS::IAM::User", &["ManagedPolicyArns"], NoneOf(&["arn:aws:iam::aws:policy/AdministratorAccess"]), Passes),
        ],
    },
];
