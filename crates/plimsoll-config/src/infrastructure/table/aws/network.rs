//! What answers from outside: distributions, balancers, functions.

use super::super::{
    Absent::{Fails, Passes},
    Demand::{Is, NoneOf},
    Entry, on,
};
use plimsoll_scan::{Rule, Severity};

pub(super) static ENTRIES: &[Entry] = &[
    Entry {
        rule: Rule {
            id: "config/aws-old-tls",
            title: "a service accepts old versions of TLS",
            severity: Severity::Medium,
            help: "\
TLS 1.0 and 1.1 are broken and have been withdrawn (RFC 8996). Accept 1.2 and 1.3.

Bad:

```hcl
resource \"aws_cloudfront_distribution\" \"a\" {
  viewer_certificate {
    minimum_protocol_version = \"SSLv3\"
  }
}
```

Good:

```hcl
resource \"aws_cloudfront_distribution\" \"a\" {
  viewer_certificate {
    minimum_protocol_version = \"TLSv1.2_2021\"
  }
}
```",
            references: &["https://www.rfc-editor.org/rfc/rfc8996"],
        },
        on: &[
            on("aws_cloudfront_distribution", &["viewer_certificate", "minimum_protocol_version"], NoneOf(&["SSLv3", "TLSv1", "TLSv1_2016", "TLSv1.1_2016"]), Passes),
            on("aws_lb_listener", &["ssl_policy"], NoneOf(&["ELBSecurityPolicy-2016-08", "ELBSecurityPolicy-TLS-1-0-2015-04", "ELBSecurityPolicy-TLS-1-1-2017-01", "ELBSecurityPolicy-2015-05", "ELBSecurityPolicy-FS-2018-06"]), Passes),
            on("aws_api_gateway_domain_name", &["security_policy"], NoneOf(&["TLS_1_0"]), Passes),
            on("aws_opensearch_domain", &["domain_endpoint_options", "tls_security_policy"], NoneOf(&["Policy-Min-TLS-1-0-2019-07"]), Passes),
            on("AWS::ElasticLoadBalancingV2::Listener", &["SslPolicy"], NoneOf(&["ELBSecurityPolicy-2016-08", "ELBSecurityPolicy-TLS-1-0-2015-04", "ELBSecurityPolicy-TLS-1-1-2017-01"]), Passes),
            on("AWS::CloudFront::Distribution", &["DistributionConfig", "ViewerCertificate", "MinimumProtocolVersion"], NoneOf(&["SSLv3", "TLSv1", "TLSv1_2016", "TLSv1.1_2016"]), Passes),
            on("AWS::ApiGateway::DomainName", &["SecurityPolicy"], NoneOf(&["TLS_1_0"]), Passes),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/aws-plain-http",
            title: "a content network answers over plain HTTP",
            severity: Severity::Medium,
            help: "\
Anybody on the way reads and changes what is sent. Send browsers to HTTPS.

Bad:

```hcl
resource \"aws_cloudfront_distribution\" \"a\" {
  default_cache_behavior {
    viewer_protocol_policy = \"allow-all\"
  }
}
```

Good:

```hcl
resource \"aws_cloudfront_distribution\" \"a\" {
  default_cache_behavior {
    viewer_protocol_policy = \"redirect-to-https\"
  }
}
```",
            references: &["https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-https-viewers-to-cloudfront.html"],
        },
        on: &[
            on("aws_cloudfront_distribution", &["default_cache_behavior", "viewer_protocol_policy"], NoneOf(&["allow-all"]), Passes),
            on("aws_cloudfront_distribution", &["ordered_cache_behavior", "viewer_protocol_policy"], NoneOf(&["allow-all"]), Passes),
            on("AWS::CloudFront::Distribution", &["DistributionConfig", "DefaultCacheBehavior", "ViewerProtocolPolicy"], NoneOf(&["allow-all"]), Passes),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/aws-balancer-without-logs",
            title: "a load balancer keeps no access log",
            severity: Severity::Low,
            help: "\
After an attack the log says who asked for what. It goes to a bucket and costs little.

Bad:

```hcl
resource \"aws_lb\" \"a\" {
  access_logs {
    enabled = false
  }
}
```

Good:

```hcl
resource \"aws_lb\" \"a\" {
  access_logs {
    enabled = true
  }
}
```",
            references: &["https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html"],
        },
        on: &[
            on("aws_lb", &["access_logs", "enabled"], Is(true), Fails),
            on("aws_alb", &["access_logs", "enabled"], Is(true), Fails),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/aws-balancer-keeps-bad-headers",
            title: "a load balancer passes malformed headers on",
            severity: Severity::Low,
            help: "\
Malformed headers are how requests are smuggled past the balancer's rules. Drop them.

Bad:

```hcl
resource \"aws_lb\" \"a\" {
  drop_invalid_header_fields = false
}
```

Good:

```hcl
resource \"aws_lb\" \"a\" {
  drop_invalid_header_fields = true
}
```",
            references: &["https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html"],
        },
        on: &[
            on("aws_lb", &["drop_invalid_header_fields"], Is(true), Passes),
            on("aws_alb", &["drop_invalid_header_fields"], Is(true), Passes),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/aws-open-function-address",
            title: "a function answers everybody",
            severity: Severity::Medium,
            help: "\
With `NONE` anybody on the internet calls the function, and pays nothing for it. Ask for IAM, or put a gateway with
authentication in front.

Bad:

```hcl
resource \"aws_lambda_function_url\" \"a\" {
  authorization_type = \"NONE\"
}
```

Good:

```hcl
resource \"aws_lambda_function_url\" \"a\" {
  authorization_type = \"AWS_IAM\"
}
```",
            references: &["https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"],
        },
        on: &[
            on("aws_lambda_function_url", &["authorization_type"], NoneOf(&["NONE"]), Passes),
            on("AWS::Lambda::Url", &["AuthType"], NoneOf(&["NONE"]), Passes),
        ],
    },
];
