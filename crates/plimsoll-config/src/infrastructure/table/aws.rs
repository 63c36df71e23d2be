//! Amazon Web Services.

use super::{
    Absent::{Fails, Passes},
    Demand::{AtLeast, Is, NoneOf, OneOf, Present},
    Entry, on,
};
use plimsoll_scan::{Rule, Severity};

/// In order of the service.
pub(super) static ENTRIES: &[Entry] = &[
    Entry {
        rule: Rule {
            id: "config/aws-public-bucket-acl",
            title: "a bucket is open to everybody by its access list",
            severity: Severity::High,
            help: "\
Everybody who knows or guesses the name reads what is in the bucket, or writes it. Make the list private, and give single
readers a policy; what is meant for the public goes through a content network.

Bad:

```hcl
resource \"aws_s3_bucket\" \"a\" {
  acl = \"public-read\"
}
```

Good:

```hcl
resource \"aws_s3_bucket\" \"a\" {
  acl = \"private\"
}
```",
            references: &["https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html"],
        },
        on: &[
            on("aws_s3_bucket", &["acl"], NoneOf(&["public-read", "public-read-write", "authenticated-read", "website"]), Passes),
            on("aws_s3_bucket_acl", &["acl"], NoneOf(&["public-read", "public-read-write", "authenticated-read", "website"]), Passes),
            on("AWS::S3::Bucket", &["AccessControl"], NoneOf(&["PublicRead", "PublicReadWrite", "AuthenticatedRead"]), Passes),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/aws-public-access-allowed",
            title: "the guard against public buckets is off",
            severity: Severity::Medium,
            help: "\
With all four switches on, no access list and no policy can open the bucket by mistake. With one of them off, one wrong line is
enough. Turn all four on.

Bad:

```hcl
resource \"aws_s3_bucket_public_access_block\" \"a\" {
  bucket              = \"logs\"
  block_public_acls   = true
  block_public_policy = false
}
```

Good:

```hcl
resource \"aws_s3_bucket_public_access_block\" \"a\" {
  bucket                  = \"logs\"
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}
```",
            references: &["https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html"],
        },
        on: &[
            on("aws_s3_bucket_public_access_block", &["block_public_acls"], Is(true), Fails),
            on("aws_s3_bucket_public_access_block", &["block_public_policy"], Is(true), Fails),
            on("aws_s3_bucket_public_access_block", &["ignore_public_acls"], Is(true), Fails),
            on("aws_s3_bucket_public_access_block", &["restrict_public_buckets"], Is(true), Fails),
            on("aws_s3_account_public_access_block", &["block_public_acls"], Is(true), Fails),
            on("aws_s3_account_public_access_block", &["block_public_policy"], Is(true), Fails),
            on("aws_s3_account_public_access_block", &["ignore_public_acls"], Is(true), Fails),
            on("aws_s3_account_public_access_block", &["restrict_public_buckets"], Is(true), Fails),
            on("AWS::S3::Bucket", &["PublicAccessBlockConfiguration", "BlockPublicAcls"], Is(true), Passes),
            on("AWS::S3::Bucket", &["PublicAccessBlockConfiguration", "BlockPublicPolicy"], Is(true), Passes),
            on("AWS::S3::Bucket", &["PublicAccessBlockConfiguration", "IgnorePublicAcls"], Is(true), Passes),
            on("AWS::S3::Bucket", &["PublicAccessBlockConfiguration", "RestrictPublicBuckets"], Is(true), Passes),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/aws-bucket-unversioned",
            title: "a bucket keeps no earlier versions",
            severity: Severity::Low,
            help: "\
What is overwritten or deleted, by mistake or by an attacker who wants a ransom, is gone. With versions it can be brought back.

Bad:

```hcl
resource \"aws_s3_bucket_versioning\" \"a\" {
  versioning_configuration {
    status = \"none-of-these\"
  }
}
```

Good:

```hcl
resource \"aws_s3_bucket_versioning\" \"a\" {
  versioning_configuration {
    status = \"Enabled\"
  }
}
```",
            references: &["https://docs.aws.amazon.com/AmazonS3/latest/userguide/Versioning.html"],
        },
        on: &[
            on("aws_s3_bucket_versioning", &["versioning_configuration", "status"], OneOf(&["Enabled"]), Fails),
            on("aws_s3_bucket", &["versioning", "enabled"], Is(true), Passes),
            on("AWS::S3::Bucket", &["VersioningConfiguration", "Status"], OneOf(&["Enabled"]), Fails),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/aws-metadata-v1",
            title: "a machine answers metadata requests without a token",
            severity: Severity::Medium,
            help: "\
The first version of the metadata service gives the machine's credentials to any request, also to one that an attacker makes
through a web application on it, as in the theft from Capital One. Demand tokens.

Bad:

```hcl
resource \"aws_instance\" \"a\" {
  metadata_options {
    http_tokens = \"none-of-these\"
  }
}
```

Good:

```hcl
resource \"aws_instance\" \"a\" {
  metadata_options {
    http_tokens = \"required\"
  }
}
```",
            references: &["https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html"],
        },
        on: &[
            on("aws_instance", &["metadata_options", "http_tokens"], OneOf(&["required"]), Fails),
            on("aws_launch_template", &["metadata_options", "http_tokens"], OneOf(&["required"]), Fails),
            on("aws_launch_configuration", &["metadata_options", "http_tokens"], OneOf(&["required"]), Fails),
            on("AWS::EC2::LaunchTemplate", &["LaunchTemplateData", "MetadataOptions", "HttpTokens"], OneOf(&["required"]), Fails),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/aws-unencrypted-volume",
            title: "a disk is not encrypted",
            severity: Severity::Medium,
            help: "\
Snapshots and copies of the disk are readable for whoever gets them. Encryption costs nothing and no speed.

Bad:

```hcl
resource \"aws_ebs_volume\" \"a\" {
  encrypted = false
}
```

Good:

```hcl
resource \"aws_ebs_volume\" \"a\" {
  encrypted = true
}
```",
            references: &["https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption.html"],
        },
        on: &[
            on("aws_ebs_volume", &["encrypted"], Is(true), Fails),
            on("aws_instance", &["root_block_device", "encrypted"], Is(true), Passes),
            on("aws_instance", &["ebs_block_device", "encrypted"], Is(true), Passes),
            on("aws_launch_template", &["block_device_mappings", "ebs", "encrypted"], Is(true), Passes),
            on("aws_ebs_snapshot_copy", &["encrypted"], Is(true), Fails),
            on("aws_ebs_encryption_by_default", &["enabled"], Is(true), Passes),
            on("AWS::EC2::Volume", &["Encrypted"], Is(true), Fails),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/aws-public-address",
            title: "a machine gets a public address by default",
            severity: Severity::Low,
            help: "\
What has a public address is scanned within minutes, and one wrong firewall rule exposes it. Put machines into private networks,
with a load balancer or a gateway in front.

Bad:

```hcl
resource \"aws_instance\" \"a\" {
  associate_public_ip_address = true
}
```

Good:

```hcl
resource \"aws_instance\" \"a\" {
  associate_public_ip_address = false
}
```",
            references: &["https://docs.aws.amazon.com/vpc/latest/userguide/vpc-ip-addressing.html"],
        },
        on: &[
            on("aws_instance", &["associate_public_ip_address"], Is(false), Passes),
            on("aws_subnet", &["map_public_ip_on_launch"], Is(false), Passes),
            on("aws_launch_template", &["network_interfaces", "associate_public_ip_address"], Is(false), Passes),
            on("AWS::EC2::Subnet", &["MapPublicIpOnLaunch"], Is(false), Passes),
            on("AWS::EC2::Instance", &["NetworkInterfaces", "AssociatePublicIpAddress"], Is(false), Passes),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/aws-public-snapshot",
            title: "a snapshot or an image is shared with everybody",
            severity: Severity::High,
            help: "\
Every customer of the cloud can copy it, with all data and keys in it; there are people who look through all that appear. Share
it with single accounts.

Bad:

```hcl
resource \"aws_ami_launch_permission\" \"a\" {
  group = \"all\"
}
```

Good:

```hcl
resource \"aws_ami_launch_permission\" \"a\" {
  group = \"something-else\"
}
```",
            references: &["https://docs.aws.amazon.com/ebs/latest/userguide/ebs-modifying-snapshot-permissions.html"],
        },
        on: &[
            on("aws_ami_launch_permission", &["group"], NoneOf(&["all"]), Passes),
            on("aws_db_snapshot", &["shared_accounts"], NoneOf(&["all"]), Passes),
            on("aws_db_cluster_snapshot", &["shared_accounts"], NoneOf(&["all"]), Passes),
        ],
    },
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
    Entry {
        rule: Rule {
            id: "config/aws-key-not-rotated",
            title: "a key is never replaced",
            severity: Severity::Low,
            help: "\
With rotation the cloud uses new material every year and keeps the old one to read what was written with it.

Bad:

```hcl
resource \"aws_kms_key\" \"a\" {
  enable_key_rotation = false
}
```

Good:

```hcl
resource \"aws_kms_key\" \"a\" {
  enable_key_rotation = true
}
```",
            references: &["https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html"],
        },
        on: &[
            on("aws_kms_key", &["enable_key_rotation"], Is(true), Fails),
            on("AWS::KMS::Key", &["EnableKeyRotation"], Is(true), Fails),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/aws-trail-not-validated",
            title: "the audit log can be changed without a trace",
            severity: Severity::Low,
            help: "\
With validation the cloud signs digests of the log's files, and a change or a gap shows.

Bad:

```hcl
resource \"aws_cloudtrail\" \"a\" {
  enable_log_file_validation = false
}
```

Good:

```hcl
resource \"aws_cloudtrail\" \"a\" {
  enable_log_file_validation = true
}
```",
            references: &["https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-intro.html"],
        },
        on: &[
            on("aws_cloudtrail", &["enable_log_file_validation"], Is(true), Fails),
            on("AWS::CloudTrail::Trail", &["EnableLogFileValidation"], Is(true), Fails),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/aws-trail-one-region",
            title: "the audit log covers one region",
            severity: Severity::Low,
            help: "\
What happens in the other regions is nowhere: a thief of keys works where nobody looks.

Bad:

```hcl
resource \"aws_cloudtrail\" \"a\" {
  is_multi_region_trail = false
}
```

Good:

```hcl
resource \"aws_cloudtrail\" \"a\" {
  is_multi_region_trail = true
}
```",
            references: &["https://docs.aws.amazon.com/awscloudtrail/latest/userguide/receive-cloudtrail-log-files-from-multiple-regions.html"],
        },
        on: &[
            on("aws_cloudtrail", &["is_multi_region_trail"], Is(true), Fails),
            on("AWS::CloudTrail::Trail", &["IsMultiRegionTrail"], Is(true), Fails),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/aws-cluster-secrets-in-clear",
            title: "a cluster keeps its secrets without a key of yours",
            severity: Severity::Low,
            help: "\
With `encryption_config` the secrets of Kubernetes are encrypted once more with a key that you control and can take away.

Bad:

```hcl
resource \"aws_eks_cluster\" \"a\" {
}
```

Good:

```hcl
resource \"aws_eks_cluster\" \"a\" {
  encryption_config {
    resources = [\"secrets\"]
  }
}
```",
            references: &["https://docs.aws.amazon.com/eks/latest/userguide/enable-kms.html"],
        },
        on: &[
            on("aws_eks_cluster", &["encryption_config", "resources"], Present, Fails),
            on("AWS::EKS::Cluster", &["EncryptionConfig"], Present, Fails),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/aws-cluster-without-logs",
            title: "a cluster logs nothing of its control plane",
            severity: Severity::Low,
            help: "\
Without the logs of the API server nobody can say later who did what in the cluster.

Bad:

```hcl
resource \"aws_eks_cluster\" \"a\" {
}
```

Good:

```hcl
resource \"aws_eks_cluster\" \"a\" {
  enabled_cluster_log_types = [\"api\", \"audit\"]
}
```",
            references: &["https://docs.aws.amazon.com/eks/latest/userguide/control-plane-logs.html"],
        },
        on: &[
            on("aws_eks_cluster", &["enabled_cluster_log_types"], Present, Fails),
            on("AWS::EKS::Cluster", &["Logging"], Present, Fails),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/aws-mutable-image-tags",
            title: "a tag of an image can be moved",
            severity: Severity::Medium,
            help: "\
Whoever may push replaces what `1.2.3` names, and the next deployment runs it. With immutable tags a name stays what it was.

Bad:

```hcl
resource \"aws_ecr_repository\" \"a\" {
  image_tag_mutability = \"none-of-these\"
}
```

Good:

```hcl
resource \"aws_ecr_repository\" \"a\" {
  image_tag_mutability = \"IMMUTABLE\"
}
```",
            references: &["https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html"],
        },
        on: &[
            on("aws_ecr_repository", &["image_tag_mutability"], OneOf(&["IMMUTABLE", "IMMUTABLE_WITH_EXCLUSION"]), Fails),
            on("AWS::ECR::Repository", &["ImageTagMutability"], OneOf(&["IMMUTABLE", "IMMUTABLE_WITH_EXCLUSION"]), Fails),
        ],
    },
    Entry {
        rule: Rule {
            id: "config/aws-public-repository-scan",
            title: "images are not scanned when they are pushed",
            severity: Severity::Info,
            help: "\
The registry looks for known weaknesses in what is pushed, if it is told to.

Bad:

```hcl
resource \"aws_ecr_repository\" \"a\" {
  image_scanning_configuration {
    scan_on_push = false
  }
}
```

Good:

```hcl
resource \"aws_ecr_repository\" \"a\" {
  image_scanning_configuration {
    scan_on_push = true
  }
}
```",
            references: &["https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning.html"],
        },
        on: &[
            on("aws_ecr_repository", &["image_scanning_configuration", "scan_on_push"], Is(true), Passes),
            on("AWS::ECR::Repository", &["ImageScanningConfiguration", "ScanOnPush"], Is(true), Passes),
        ],
    },
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
