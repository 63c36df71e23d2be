//! Databases, tables, queues, file systems and caches.

use super::super::{
    Absent::{Fails, Passes},
    Demand::{AtLeast, Is, OneOf, Present},
    Entry, on,
};
use plimsoll_scan::{Rule, Severity};

pub(super) static ENTRIES: &[Entry] = &[
    Entry {
        rule: Rule {
            id: "config/aws-unencrypted-database",
            title: "a database is not encrypted on its disks",
            severity: Severity::Medium,
            help: "\
Backups and snapshots of it are readable for whoever gets them, and encryption cannot be turned on later without a copy.

Bad:

```hcl
resource \"aws_db_instance\" \"a\" {
  storage_encrypted = false
}
```

Good:

```hcl
resource \"aws_db_instance\" \"a\" {
  storage_encrypted = true
}
```",
            references: &["https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.Encryption.html"],
        },
        on: &[
            on("aws_db_instance", &["storage_encrypted"], Is(true), Fails),
            on("aws_rds_cluster", &["storage_encrypted"], Is(true), Fails),
            on("aws_docdb_cluster", &["storage_encrypted"], Is(true), Fails),
            on("aws_neptune_cluster", &["storage_encrypted"], Is(true), Fails),
            on("aws_redshift_cluster", &["encrypted"], Is(true), Passes),
            on("aws_dax_cluster", &["server_side_encryption", "enabled"], Is(true), Fails),
            on("AWS::RDS::DBInstance", &["StorageEncrypted"], Is(true), Fails),
            on("AWS::RDS::DBCluster", &["StorageEncrypted"], Is(true), Fails),
            on("AWS::Redshift::Cluster", &["Encrypted"], Is(true), Fails),
            on("AWS::Neptune::DBCluster", &["StorageEncrypted"], Is(true), Fails),
            on("AWS::DocDB::DBCluster", &["StorageEncrypted"], Is(true), Fails),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/aws-public-database",
            title: "a database has a public address",
            severity: Severity::High,
            help: "\
Everybody can try passwords and known weaknesses on it; only a firewall rule stands between. Keep it in a private network.

Bad:

```hcl
resource \"aws_db_instance\" \"a\" {
  publicly_accessible = true
}
```

Good:

```hcl
resource \"aws_db_instance\" \"a\" {
  publicly_accessible = false
}
```",
            references: &["https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_VPC.WorkingWithRDSInstanceinaVPC.html"],
        },
        on: &[
            on("aws_db_instance", &["publicly_accessible"], Is(false), Passes),
            on("aws_rds_cluster_instance", &["publicly_accessible"], Is(false), Passes),
            on("aws_redshift_cluster", &["publicly_accessible"], Is(false), Passes),
            on("aws_dms_replication_instance", &["publicly_accessible"], Is(false), Passes),
            on("aws_mq_broker", &["publicly_accessible"], Is(false), Passes),
            on("AWS::RDS::DBInstance", &["PubliclyAccessible"], Is(false), Passes),
            on("AWS::Redshift::Cluster", &["PubliclyAccessible"], Is(false), Passes),
            on("AWS::DMS::ReplicationInstance", &["PubliclyAccessible"], Is(false), Passes),
            on("AWS::AmazonMQ::Broker", &["PubliclyAccessible"], Is(false), Passes),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/aws-database-without-backup",
            title: "a database keeps no backups",
            severity: Severity::Low,
            help: "\
With a retention of zero days there is nothing to go back to after a mistake or an attack.

Bad:

```hcl
resource \"aws_db_instance\" \"a\" {
  backup_retention_period = 0
}
```

Good:

```hcl
resource \"aws_db_instance\" \"a\" {
  backup_retention_period = 1
}
```",
            references: &["https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithAutomatedBackups.html"],
        },
        on: &[
            on("aws_db_instance", &["backup_retention_period"], AtLeast(1.0), Fails),
            on("aws_rds_cluster", &["backup_retention_period"], AtLeast(1.0), Passes),
            on("AWS::RDS::DBInstance", &["BackupRetentionPeriod"], AtLeast(1.0), Passes),
            on("AWS::RDS::DBCluster", &["BackupRetentionPeriod"], AtLeast(1.0), Passes),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/aws-table-without-recovery",
            title: "a table cannot be brought back to an earlier time",
            severity: Severity::Low,
            help: "\
With recovery to a point in time a table can be set back to any second of the last weeks, before the mistake or the attack.

Bad:

```hcl
resource \"aws_dynamodb_table\" \"a\" {
  point_in_time_recovery {
    enabled = false
  }
}
```

Good:

```hcl
resource \"aws_dynamodb_table\" \"a\" {
  point_in_time_recovery {
    enabled = true
  }
}
```",
            references: &["https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Point-in-time-recovery.html"],
        },
        on: &[
            on("aws_dynamodb_table", &["point_in_time_recovery", "enabled"], Is(true), Fails),
            on("AWS::DynamoDB::Table", &["PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled"], Is(true), Fails),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/aws-unencrypted-queue",
            title: "a queue or a stream is not encrypted",
            severity: Severity::Medium,
            help: "\
Messages often hold what nobody would store in the clear. Encryption at rest is a switch.

Bad:

```hcl
resource \"aws_kinesis_stream\" \"a\" {
  encryption_type = \"none-of-these\"
}
```

Good:

```hcl
resource \"aws_kinesis_stream\" \"a\" {
  encryption_type = \"KMS\"
}
```",
            references: &["https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-server-side-encryption.html"],
        },
        on: &[
            on("aws_kinesis_stream", &["encryption_type"], OneOf(&["KMS"]), Fails),
            on("aws_sqs_queue", &["sqs_managed_sse_enabled"], Is(true), Passes),
            on("AWS::SQS::Queue", &["SqsManagedSseEnabled"], Is(true), Passes),
            on("AWS::Kinesis::Stream", &["StreamEncryption"], Present, Fails),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/aws-unencrypted-topic",
            title: "a topic is not encrypted",
            severity: Severity::Low,
            help: "\
Messages of a topic are kept until they are delivered. Name a key, and they are encrypted meanwhile.

Bad:

```hcl
resource \"aws_sns_topic\" \"a\" {
}
```

Good:

```hcl
resource \"aws_sns_topic\" \"a\" {
  kms_master_key_id = \"a\"
}
```",
            references: &["https://docs.aws.amazon.com/sns/latest/dg/sns-server-side-encryption.html"],
        },
        on: &[
            on("aws_sns_topic", &["kms_master_key_id"], Present, Fails),
            on("AWS::SNS::Topic", &["KmsMasterKeyId"], Present, Fails),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/aws-unencrypted-files",
            title: "a file system is not encrypted",
            severity: Severity::Medium,
            help: "\
Encryption has to be chosen when the file system is made; later it takes a copy of everything.

Bad:

```hcl
resource \"aws_efs_file_system\" \"a\" {
  encrypted = false
}
```

Good:

```hcl
resource \"aws_efs_file_system\" \"a\" {
  encrypted = true
}
```",
            references: &["https://docs.aws.amazon.com/efs/latest/ug/encryption.html"],
        },
        on: &[
            on("aws_efs_file_system", &["encrypted"], Is(true), Fails),
            on("AWS::EFS::FileSystem", &["Encrypted"], Is(true), Fails),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/aws-unencrypted-cache",
            title: "a cache is not encrypted",
            severity: Severity::Medium,
            help: "\
Caches hold sessions and whatever the database holds. Encrypt them on the disk and on the way.

Bad:

```hcl
resource \"aws_elasticache_replication_group\" \"a\" {
  transit_encryption_enabled = false
}
```

Good:

```hcl
resource \"aws_elasticache_replication_group\" \"a\" {
  transit_encryption_enabled = true
  at_rest_encryption_enabled = true
}
```",
            references: &["https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/encryption.html"],
        },
        on: &[
            on("aws_elasticache_replication_group", &["transit_encryption_enabled"], Is(true), Fails),
            on("aws_elasticache_replication_group", &["at_rest_encryption_enabled"], Is(true), Fails),
            on("AWS::ElastiCache::ReplicationGroup", &["TransitEncryptionEnabled"], Is(true), Fails),
            on("AWS::ElastiCache::ReplicationGroup", &["AtRestEncryptionEnabled"], Is(true), Fails),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/aws-unencrypted-search",
            title: "a search domain is not encrypted",
            severity: Severity::Medium,
            help: "\
The index holds copies of the documents. Encrypt it on the disk and between its nodes, and answer over HTTPS only.

Bad:

```hcl
resource \"aws_opensearch_domain\" \"a\" {
  encrypt_at_rest {
    enabled = false
  }
}
```

Good:

```hcl
resource \"aws_opensearch_domain\" \"a\" {
  encrypt_at_rest {
    enabled = true
  }
  node_to_node_encryption {
    enabled = true
  }
}
```",
            references: &["https://docs.aws.amazon.com/opensearch-service/latest/developerguide/encryption-at-rest.html"],
        },
        on: &[
            on("aws_opensearch_domain", &["encrypt_at_rest", "enabled"], Is(true), Fails),
            on("aws_opensearch_domain", &["node_to_node_encryption", "enabled"], Is(true), Fails),
            on("aws_elasticsearch_domain", &["encrypt_at_rest", "enabled"], Is(true), Fails),
            on("aws_elasticsearch_domain", &["node_to_node_encryption", "enabled"], Is(true), Fails),
            on("aws_opensearch_domain", &["domain_endpoint_options", "enforce_https"], Is(true), Passes),
            on("aws_elasticsearch_domain", &["domain_endpoint_options", "enforce_https"], Is(true), Passes),
            on("AWS::OpenSearchService::Domain", &["EncryptionAtRestOptions", "Enabled"], Is(true), Fails),
            on("AWS::OpenSearchService::Domain", &["NodeToNodeEncryptionOptions", "Enabled"], Is(true), Fails),
            on("AWS::Elasticsearch::Domain", &["EncryptionAtRestOptions", "Enabled"], Is(true), Fails),
        ],
    },
];
