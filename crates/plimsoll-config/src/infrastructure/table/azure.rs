//! Microsoft Azure.

use super::{
    Absent::{Fails, Passes},
    Demand::{Is, NoneOf},
    Entry, on,
};
use plimsoll_scan::{Rule, Severity};

/// In order of the service.
pub(super) static ENTRIES: &[Entry] = &[
    Entry {
        rule: Rule {
            id: "config/azure-plain-http-storage",
            title: "a storage account answers over plain HTTP",
            severity: Severity::Medium,
            help: "\
Anybody on the way reads and changes what is sent, keys included. Accept HTTPS only.

Bad:

```hcl
resource \"azurerm_storage_account\" \"a\" {
  https_traffic_only_enabled = false
}
```

Good:

```hcl
resource \"azurerm_storage_account\" \"a\" {
  https_traffic_only_enabled = true
}
```",
            references: &["https://learn.microsoft.com/azure/storage/common/storage-require-secure-transfer"],
        },
        on: &[
            on("azurerm_storage_account", &["https_traffic_only_enabled"], Is(true), Passes),
            on("azurerm_storage_account", &["enable_https_traffic_only"], Is(true), Passes),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/azure-old-tls",
            title: "a service accepts old versions of TLS",
            severity: Severity::Medium,
            help: "\
TLS 1.0 and 1.1 are broken and have been withdrawn (RFC 8996). Accept 1.2 and 1.3.

Bad:

```hcl
resource \"azurerm_storage_account\" \"a\" {
  min_tls_version = \"TLS1_0\"
}
```

Good:

```hcl
resource \"azurerm_storage_account\" \"a\" {
  min_tls_version = \"TLS1_2\"
}
```",
            references: &["https://www.rfc-editor.org/rfc/rfc8996"],
        },
        on: &[
            on("azurerm_storage_account", &["min_tls_version"], NoneOf(&["TLS1_0", "TLS1_1"]), Passes),
            on("azurerm_mssql_server", &["minimum_tls_version"], NoneOf(&["1.0", "1.1", "Disabled"]), Passes),
            on("azurerm_redis_cache", &["minimum_tls_version"], NoneOf(&["1.0", "1.1"]), Passes),
            on("azurerm_linux_web_app", &["site_config", "minimum_tls_version"], NoneOf(&["1.0", "1.1"]), Passes),
            on("azurerm_windows_web_app", &["site_config", "minimum_tls_version"], NoneOf(&["1.0", "1.1"]), Passes),
            on("azurerm_mysql_server", &["ssl_minimal_tls_version_enforced"], NoneOf(&["TLS1_0", "TLS1_1", "TLSEnforcementDisabled"]), Passes),
            on("azurerm_postgresql_server", &["ssl_minimal_tls_version_enforced"], NoneOf(&["TLS1_0", "TLS1_1", "TLSEnforcementDisabled"]), Passes),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/azure-public-storage",
            title: "a storage account lets containers be public",
            severity: Severity::Medium,
            help: "\
One wrong setting on a container opens it to the internet. With this off, none can be.

Bad:

```hcl
resource \"azurerm_storage_account\" \"a\" {
  allow_nested_items_to_be_public = true
}
```

Good:

```hcl
resource \"azurerm_storage_account\" \"a\" {
  allow_nested_items_to_be_public = false
}
```",
            references: &["https://learn.microsoft.com/azure/storage/blobs/anonymous-read-access-prevent"],
        },
        on: &[
            on("azurerm_storage_account", &["allow_nested_items_to_be_public"], Is(false), Fails),
            on("azurerm_storage_account", &["allow_blob_public_access"], Is(false), Passes),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/azure-public-container",
            title: "a container is open to everybody",
            severity: Severity::High,
            help: "\
Everybody who knows the address reads what is in it. Make it private and give out signed addresses.

Bad:

```hcl
resource \"azurerm_storage_container\" \"a\" {
  container_access_type = \"blob\"
}
```

Good:

```hcl
resource \"azurerm_storage_container\" \"a\" {
  container_access_type = \"private\"
}
```",
            references: &["https://learn.microsoft.com/azure/storage/blobs/anonymous-read-access-configure"],
        },
        on: &[
            on("azurerm_storage_container", &["container_access_type"], NoneOf(&["blob", "container"]), Passes),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/azure-public-database",
            title: "a database server has a public address",
            severity: Severity::Medium,
            help: "\
Everybody can try passwords and known weaknesses on it; only firewall rules stand between. Use a private endpoint.

Bad:

```hcl
resource \"azurerm_mssql_server\" \"a\" {
  public_network_access_enabled = true
}
```

Good:

```hcl
resource \"azurerm_mssql_server\" \"a\" {
  public_network_access_enabled = false
}
```",
            references: &["https://learn.microsoft.com/azure/azure-sql/database/connectivity-settings"],
        },
        on: &[
            on("azurerm_mssql_server", &["public_network_access_enabled"], Is(false), Fails),
            on("azurerm_postgresql_server", &["public_network_access_enabled"], Is(false), Fails),
            on("azurerm_mysql_server", &["public_network_access_enabled"], Is(false), Fails),
            on("azurerm_mariadb_server", &["public_network_access_enabled"], Is(false), Fails),
            on("azurerm_cosmosdb_account", &["public_network_access_enabled"], Is(false), Fails),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/azure-open-database",
            title: "a firewall rule lets the whole internet in",
            severity: Severity::High,
            help: "\
A range up to 255.255.255.255 is everybody. Name single addresses.

Bad:

```hcl
resource \"azurerm_mssql_firewall_rule\" \"a\" {
  end_ip_address = \"255.255.255.255\"
}
```

Good:

```hcl
resource \"azurerm_mssql_firewall_rule\" \"a\" {
  start_ip_address = \"198.51.100.7\"
  end_ip_address   = \"198.51.100.7\"
}
```",
            references: &["https://learn.microsoft.com/azure/azure-sql/database/firewall-configure"],
        },
        on: &[
            on("azurerm_mssql_firewall_rule", &["end_ip_address"], NoneOf(&["255.255.255.255"]), Passes),
            on("azurerm_sql_firewall_rule", &["end_ip_address"], NoneOf(&["255.255.255.255"]), Passes),
            on("azurerm_postgresql_firewall_rule", &["end_ip_address"], NoneOf(&["255.255.255.255"]), Passes),
            on("azurerm_mysql_firewall_rule", &["end_ip_address"], NoneOf(&["255.255.255.255"]), Passes),
            on("azurerm_postgresql_flexible_server_firewall_rule", &["end_ip_address"], NoneOf(&["255.255.255.255"]), Passes),
            on("azurerm_mysql_flexible_server_firewall_rule", &["end_ip_address"], NoneOf(&["255.255.255.255"]), Passes),
            on("azurerm_redis_firewall_rule", &["end_ip_address"], NoneOf(&["255.255.255.255"]), Passes),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/azure-database-without-tls",
            title: "a database talks without TLS",
            severity: Severity::Medium,
            help: "\
Anybody on the way reads passwords and data. Enforce TLS.

Bad:

```hcl
resource \"azurerm_postgresql_server\" \"a\" {
  ssl_enforcement_enabled = false
}
```

Good:

```hcl
resource \"azurerm_postgresql_server\" \"a\" {
  ssl_enforcement_enabled = true
}
```",
            references: &["https://learn.microsoft.com/azure/postgresql/single-server/concepts-ssl-connection-security"],
        },
        on: &[
            on("azurerm_postgresql_server", &["ssl_enforcement_enabled"], Is(true), Passes),
            on("azurerm_mysql_server", &["ssl_enforcement_enabled"], Is(true), Passes),
            on("azurerm_mariadb_server", &["ssl_enforcement_enabled"], Is(true), Passes),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/azure-vault-purge",
            title: "keys and secrets of a vault can be deleted for good",
            severity: Severity::Low,
            help: "\
Without protection an attacker, or a mistake, deletes the keys, and everything encrypted with them is lost at once.

Bad:

```hcl
resource \"azurerm_key_vault\" \"a\" {
  purge_protection_enabled = false
}
```

Good:

```hcl
resource \"azurerm_key_vault\" \"a\" {
  purge_protection_enabled = true
}
```",
            references: &["https://learn.microsoft.com/azure/key-vault/general/soft-delete-overview"],
        },
        on: &[
            on("azurerm_key_vault", &["purge_protection_enabled"], Is(true), Fails),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/azure-password-login",
            title: "a machine can be entered with a password",
            severity: Severity::Medium,
            help: "\
Passwords are guessed all day by machines. Use keys.

Bad:

```hcl
resource \"azurerm_linux_virtual_machine\" \"a\" {
  disable_password_authentication = false
}
```

Good:

```hcl
resource \"azurerm_linux_virtual_machine\" \"a\" {
  disable_password_authentication = true
}
```",
            references: &["https://learn.microsoft.com/azure/virtual-machines/linux/create-ssh-keys-detailed"],
        },
        on: &[
            on("azurerm_linux_virtual_machine", &["disable_password_authentication"], Is(true), Passes),
            on("azurerm_linux_virtual_machine_scale_set", &["disable_password_authentication"], Is(true), Passes),
            on("azurerm_virtual_machine", &["os_profile_linux_config", "disable_password_authentication"], Is(true), Passes),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/azure-plain-http-app",
            title: "an application answers over plain HTTP",
            severity: Severity::Medium,
            help: "\
Anybody on the way reads and changes what is sent. Accept HTTPS only.

Bad:

```hcl
resource \"azurerm_linux_web_app\" \"a\" {
  https_only = false
}
```

Good:

```hcl
resource \"azurerm_linux_web_app\" \"a\" {
  https_only = true
}
```",
            references: &["https://learn.microsoft.com/azure/app-service/configure-ssl-bindings"],
        },
        on: &[
            on("azurerm_linux_web_app", &["https_only"], Is(true), Fails),
            on("azurerm_windows_web_app", &["https_only"], Is(true), Fails),
            on("azurerm_app_service", &["https_only"], Is(true), Fails),
            on("azurerm_linux_function_app", &["https_only"], Is(true), Fails),
            on("azurerm_windows_function_app", &["https_only"], Is(true), Fails),
            on("azurerm_function_app", &["https_only"], Is(true), Fails),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/azure-cluster-without-roles",
            title: "a cluster does not check roles",
            severity: Severity::High,
            help: "\
Without role-based access control everybody who can reach the API with any account may do everything.

Bad:

```hcl
resource \"azurerm_kubernetes_cluster\" \"a\" {
  role_based_access_control_enabled = false
}
```

Good:

```hcl
resource \"azurerm_kubernetes_cluster\" \"a\" {
  role_based_access_control_enabled = true
}
```",
            references: &["https://learn.microsoft.com/azure/aks/manage-azure-rbac"],
        },
        on: &[
            on("azurerm_kubernetes_cluster", &["role_based_access_control_enabled"], Is(true), Passes),
            on("azurerm_kubernetes_cluster", &["role_based_access_control", "enabled"], Is(true), Passes),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/azure-local-administrator",
            title: "a registry has an account that is shared",
            severity: Severity::Medium,
            help: "\
The administrator's account has one password for all, and nobody can say who used it. Let services come with their identities.

Bad:

```hcl
resource \"azurerm_container_registry\" \"a\" {
  admin_enabled = true
}
```

Good:

```hcl
resource \"azurerm_container_registry\" \"a\" {
  admin_enabled = false
}
```",
            references: &["https://learn.microsoft.com/azure/container-registry/container-registry-authentication"],
        },
        on: &[
            on("azurerm_container_registry", &["admin_enabled"], Is(false), Passes),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/azure-plain-cache",
            title: "a cache talks without TLS",
            severity: Severity::Medium,
            help: "\
Anybody on the way reads keys and sessions. Close the port without TLS.

Bad:

```hcl
resource \"azurerm_redis_cache\" \"a\" {
  non_ssl_port_enabled = true
}
```

Good:

```hcl
resource \"azurerm_redis_cache\" \"a\" {
  non_ssl_port_enabled = false
}
```",
            references: &["https://learn.microsoft.com/azure/azure-cache-for-redis/cache-configure"],
        },
        on: &[
            on("azurerm_redis_cache", &["non_ssl_port_enabled"], Is(false), Passes),
            on("azurerm_redis_cache", &["enable_non_ssl_port"], Is(false), Passes),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/azure-disk-unencrypted",
            title: "a disk is not encrypted on its host",
            severity: Severity::Low,
            help: "\
With encryption at the host the temporary disk and the caches are encrypted too.

Bad:

```hcl
resource \"azurerm_linux_virtual_machine\" \"a\" {
  encryption_at_host_enabled = false
}
```

Good:

```hcl
resource \"azurerm_linux_virtual_machine\" \"a\" {
  encryption_at_host_enabled = true
}
```",
            references: &["https://learn.microsoft.com/azure/virtual-machines/disk-encryption-overview"],
        },
        on: &[
            on("azurerm_linux_virtual_machine", &["encryption_at_host_enabled"], Is(true), Passes),
            on("azurerm_windows_virtual_machine", &["encryption_at_host_enabled"], Is(true), Passes),
        ],
    },
];
