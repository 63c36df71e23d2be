//! Google Cloud.

use super::{
    Absent::{Fails, Passes},
    Demand::{Is, NoneOf, OneOf, Present},
    Entry, on,
};
use plimsoll_scan::{Rule, Severity};

/// In order of the service.
pub(super) static ENTRIES: &[Entry] = &[
    Entry {
        rule: Rule {
            id: "config/google-public-bucket",
            title: "a bucket is open to everybody",
            severity: Severity::High,
            help: "\
`allUsers` is the internet, and `allAuthenticatedUsers` everybody with any Google account. Name single members.

Bad:

```hcl
resource \"google_storage_bucket_iam_member\" \"a\" {
  member = \"allUsers\"
}
```

Good:

```hcl
resource \"google_storage_bucket_iam_member\" \"a\" {
  member = \"user:reader@example.com\"
}
```",
            references: &["https://cloud.google.com/storage/docs/access-control/making-data-public"],
        },
        on: &[
            on("google_storage_bucket_iam_member", &["member"], NoneOf(&["allUsers", "allAuthenticatedUsers"]), Passes),
            on("google_storage_bucket_iam_binding", &["members"], NoneOf(&["allUsers", "allAuthenticatedUsers"]), Passes),
            on("google_storage_bucket_access_control", &["entity"], NoneOf(&["allUsers", "allAuthenticatedUsers"]), Passes),
            on("google_storage_default_object_acl", &["role_entity"], NoneOf(&["READER:allUsers", "OWNER:allUsers", "READER:allAuthenticatedUsers"]), Passes),
            on("google_storage_bucket_acl", &["predefined_acl"], NoneOf(&["publicRead", "publicReadWrite", "authenticatedRead"]), Passes),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/google-public-dataset",
            title: "a dataset is open to everybody",
            severity: Severity::High,
            help: "\
Everybody with any Google account can query it. Name single groups or users.

Bad:

```hcl
resource \"google_bigquery_dataset\" \"a\" {
  access {
    special_group = \"allAuthenticatedUsers\"
  }
}
```

Good:

```hcl
resource \"google_bigquery_dataset\" \"a\" {
  access {
    special_group = \"projectReaders\"
  }
}
```",
            references: &["https://cloud.google.com/bigquery/docs/dataset-access-controls"],
        },
        on: &[
            on("google_bigquery_dataset", &["access", "special_group"], NoneOf(&["allAuthenticatedUsers"]), Passes),
            on("google_bigquery_dataset_access", &["special_group"], NoneOf(&["allAuthenticatedUsers"]), Passes),
            on("google_bigquery_dataset_iam_member", &["member"], NoneOf(&["allUsers", "allAuthenticatedUsers"]), Passes),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/google-public-member",
            title: "a service is open to everybody",
            severity: Severity::Medium,
            help: "\
`allUsers` lets the whole internet call or read it. Name single members, or put a proxy that authenticates in front.

Bad:

```hcl
resource \"google_project_iam_member\" \"a\" {
  member = \"allUsers\"
}
```

Good:

```hcl
resource \"google_project_iam_member\" \"a\" {
  member = \"something-else\"
}
```",
            references: &["https://cloud.google.com/iam/docs/overview"],
        },
        on: &[
            on("google_project_iam_member", &["member"], NoneOf(&["allUsers", "allAuthenticatedUsers"]), Passes),
            on("google_cloud_run_service_iam_member", &["member"], NoneOf(&["allUsers", "allAuthenticatedUsers"]), Passes),
            on("google_cloud_run_v2_service_iam_member", &["member"], NoneOf(&["allUsers", "allAuthenticatedUsers"]), Passes),
            on("google_cloudfunctions_function_iam_member", &["member"], NoneOf(&["allUsers", "allAuthenticatedUsers"]), Passes),
            on("google_pubsub_topic_iam_member", &["member"], NoneOf(&["allUsers", "allAuthenticatedUsers"]), Passes),
            on("google_kms_crypto_key_iam_member", &["member"], NoneOf(&["allUsers", "allAuthenticatedUsers"]), Passes),
            on("google_secret_manager_secret_iam_member", &["member"], NoneOf(&["allUsers", "allAuthenticatedUsers"]), Passes),
            on("google_artifact_registry_repository_iam_member", &["member"], NoneOf(&["allUsers", "allAuthenticatedUsers"]), Passes),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/google-object-lists",
            title: "objects of a bucket have access lists of their own",
            severity: Severity::Low,
            help: "\
With lists on single objects nobody can say who may read a bucket. With uniform access only the bucket's policy counts.

Bad:

```hcl
resource \"google_storage_bucket\" \"a\" {
  uniform_bucket_level_access = false
}
```

Good:

```hcl
resource \"google_storage_bucket\" \"a\" {
  uniform_bucket_level_access = true
}
```",
            references: &["https://cloud.google.com/storage/docs/uniform-bucket-level-access"],
        },
        on: &[
            on("google_storage_bucket", &["uniform_bucket_level_access"], Is(true), Fails),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/google-open-database",
            title: "a database is open to the internet",
            severity: Severity::High,
            help: "\
`0.0.0.0/0` lets everybody try passwords and known weaknesses. Name single networks, or use a private address.

Bad:

```hcl
resource \"google_sql_database_instance\" \"a\" {
  settings {
    ip_configuration {
      authorized_networks {
        value = \"0.0.0.0/0\"
      }
    }
  }
}
```

Good:

```hcl
resource \"google_sql_database_instance\" \"a\" {
  settings {
    ip_configuration {
      authorized_networks {
        value = \"198.51.100.0/24\"
      }
    }
  }
}
```",
            references: &["https://cloud.google.com/sql/docs/mysql/configure-ip"],
        },
        on: &[
            on("google_sql_database_instance", &["settings", "ip_configuration", "authorized_networks", "value"], NoneOf(&["0.0.0.0/0", "::/0"]), Passes),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/google-database-without-tls",
            title: "a database talks without TLS",
            severity: Severity::Medium,
            help: "\
Anybody on the way reads passwords and data. Ask for encrypted connections.

Bad:

```hcl
resource \"google_sql_database_instance\" \"a\" {
  settings {
    ip_configuration {
      ssl_mode = \"ALLOW_UNENCRYPTED_AND_ENCRYPTED\"
    }
  }
}
```

Good:

```hcl
resource \"google_sql_database_instance\" \"a\" {
  settings {
    ip_configuration {
      ssl_mode = \"ENCRYPTED_ONLY\"
    }
  }
}
```",
            references: &["https://cloud.google.com/sql/docs/mysql/configure-ssl-instance"],
        },
        on: &[
            on("google_sql_database_instance", &["settings", "ip_configuration", "ssl_mode"], NoneOf(&["ALLOW_UNENCRYPTED_AND_ENCRYPTED"]), Passes),
            on("google_sql_database_instance", &["settings", "ip_configuration", "require_ssl"], Is(true), Passes),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/google-database-without-backup",
            title: "a database keeps no backups",
            severity: Severity::Low,
            help: "\
Without backups there is nothing to go back to after a mistake or an attack.

Bad:

```hcl
resource \"google_sql_database_instance\" \"a\" {
  settings {
    backup_configuration {
      enabled = false
    }
  }
}
```

Good:

```hcl
resource \"google_sql_database_instance\" \"a\" {
  settings {
    backup_configuration {
      enabled = true
    }
  }
}
```",
            references: &["https://cloud.google.com/sql/docs/mysql/backup-recovery/backups"],
        },
        on: &[
            on("google_sql_database_instance", &["settings", "backup_configuration", "enabled"], Is(true), Fails),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/google-legacy-authorization",
            title: "a cluster uses the old authorization",
            severity: Severity::High,
            help: "\
The old authorization gives every service account of the cluster wide rights that nobody listed. Use roles.

Bad:

```hcl
resource \"google_container_cluster\" \"a\" {
  enable_legacy_abac = true
}
```

Good:

```hcl
resource \"google_container_cluster\" \"a\" {
  enable_legacy_abac = false
}
```",
            references: &["https://cloud.google.com/kubernetes-engine/docs/how-to/hardening-your-cluster"],
        },
        on: &[
            on("google_container_cluster", &["enable_legacy_abac"], Is(false), Passes),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/google-public-nodes",
            title: "nodes of a cluster have public addresses",
            severity: Severity::Medium,
            help: "\
What has a public address is scanned within minutes. Let nodes be private, and reach the internet through a gateway.

Bad:

```hcl
resource \"google_container_cluster\" \"a\" {
  private_cluster_config {
    enable_private_nodes = false
  }
}
```

Good:

```hcl
resource \"google_container_cluster\" \"a\" {
  private_cluster_config {
    enable_private_nodes = true
  }
}
```",
            references: &["https://cloud.google.com/kubernetes-engine/docs/how-to/private-clusters"],
        },
        on: &[
            on("google_container_cluster", &["private_cluster_config", "enable_private_nodes"], Is(true), Fails),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/google-open-control-plane",
            title: "everybody reaches the API of a cluster",
            severity: Severity::Medium,
            help: "\
Without a list of networks the API server answers the whole internet; the next weakness of it is open to all.

Bad:

```hcl
resource \"google_container_cluster\" \"a\" {
}
```

Good:

```hcl
resource \"google_container_cluster\" \"a\" {
  master_authorized_networks_config {
    cidr_blocks {
      cidr_block = \"198.51.100.0/24\"
    }
  }
}
```",
            references: &["https://cloud.google.com/kubernetes-engine/docs/how-to/authorized-networks"],
        },
        on: &[
            on("google_container_cluster", &["master_authorized_networks_config"], Present, Fails),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/google-broad-scope",
            title: "a machine may use every interface of the cloud",
            severity: Severity::Medium,
            help: "\
With the scope `cloud-platform` and the default account, whoever gets into the machine has an editor's rights in the project.
Give it an account of its own with few roles.

Bad:

```hcl
resource \"google_compute_instance\" \"a\" {
  service_account {
    scopes = [\"cloud-platform\"]
  }
}
```

Good:

```hcl
resource \"google_compute_instance\" \"a\" {
  service_account {
    scopes = [\"logging-write\"]
  }
}
```",
            references: &["https://cloud.google.com/compute/docs/access/service-accounts"],
        },
        on: &[
            on("google_compute_instance", &["service_account", "scopes"], NoneOf(&["cloud-platform", "https://www.googleapis.com/auth/cloud-platform"]), Passes),
            on("google_compute_instance_template", &["service_account", "scopes"], NoneOf(&["cloud-platform", "https://www.googleapis.com/auth/cloud-platform"]), Passes),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/google-serial-port",
            title: "a machine can be entered through its serial port",
            severity: Severity::Low,
            help: "\
The serial port knows no firewall. Turn it on only while you look for a fault.

Bad:

```hcl
resource \"google_compute_instance\" \"a\" {
  metadata = {
    serial-port-enable = true
  }
}
```

Good:

```hcl
resource \"google_compute_instance\" \"a\" {
  metadata = {
    serial-port-enable = false
  }
}
```",
            references: &["https://cloud.google.com/compute/docs/troubleshooting/troubleshooting-using-serial-console"],
        },
        on: &[
            on("google_compute_instance", &["metadata", "serial-port-enable"], NoneOf(&["true", "1"]), Passes),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/google-forwarding",
            title: "a machine forwards packets of others",
            severity: Severity::Low,
            help: "\
A machine that forwards can send in the name of others. Only routers need it.

Bad:

```hcl
resource \"google_compute_instance\" \"a\" {
  can_ip_forward = true
}
```

Good:

```hcl
resource \"google_compute_instance\" \"a\" {
  can_ip_forward = false
}
```",
            references: &["https://cloud.google.com/vpc/docs/using-routes"],
        },
        on: &[
            on("google_compute_instance", &["can_ip_forward"], Is(false), Passes),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/google-key-not-rotated",
            title: "a key is never replaced",
            severity: Severity::Low,
            help: "\
With a period of rotation new data is encrypted with new material.

Bad:

```hcl
resource \"google_kms_crypto_key\" \"a\" {
}
```

Good:

```hcl
resource \"google_kms_crypto_key\" \"a\" {
  rotation_period = \"7776000s\"
}
```",
            references: &["https://cloud.google.com/kms/docs/key-rotation"],
        },
        on: &[
            on("google_kms_crypto_key", &["rotation_period"], Present, Fails),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/google-primitive-role",
            title: "somebody gets a role over the whole project",
            severity: Severity::Medium,
            help: "\
`owner` and `editor` reach nearly everything in the project. Give the roles that are needed.

Bad:

```hcl
resource \"google_project_iam_member\" \"a\" {
  role = \"roles/owner\"
}
```

Good:

```hcl
resource \"google_project_iam_member\" \"a\" {
  role = \"roles/storage.objectViewer\"
}
```",
            references: &["https://cloud.google.com/iam/docs/roles-overview"],
        },
        on: &[
            on("google_project_iam_member", &["role"], NoneOf(&["roles/owner", "roles/editor"]), Passes),
            on("google_project_iam_binding", &["role"], NoneOf(&["roles/owner", "roles/editor"]), Passes),
            on("google_folder_iam_member", &["role"], NoneOf(&["roles/owner", "roles/editor"]), Passes),
            on("google_organization_iam_member", &["role"], NoneOf(&["roles/owner", "roles/editor"]), Passes),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/google-old-tls",
            title: "a load balancer accepts old versions of TLS",
            severity: Severity::Medium,
            help: "\
TLS 1.0 and 1.1 are broken and have been withdrawn (RFC 8996). Accept 1.2 and 1.3.

Bad:

```hcl
resource \"google_compute_ssl_policy\" \"a\" {
  min_tls_version = \"none-of-these\"
}
```

Good:

```hcl
resource \"google_compute_ssl_policy\" \"a\" {
  min_tls_version = \"TLS_1_2\"
}
```",
            references: &["https://www.rfc-editor.org/rfc/rfc8996"],
        },
        on: &[
            on("google_compute_ssl_policy", &["min_tls_version"], OneOf(&["TLS_1_2", "TLS_1_3"]), Fails),
        ],
    },
];
