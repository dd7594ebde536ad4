//! The resource types that RAM shares and the permissions that AWS manages for them.
//!
//! Pipelines are complete. The other types are a small selection, so that
//! filters have something to filter and a share can hold what its receiver
//! did not expect.

/// A type of resource that can be shared.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ResourceType {
    /// For instance `sagemaker:Pipeline`.
    pub(super) name: &'static str,
    /// The service, as its ARNs name it.
    pub(super) service: &'static str,
    /// What the last part of the ARN of such a resource starts with.
    pub(super) arn_prefix: &'static str,
    /// Whether invitations to it live for seven days instead of twelve hours.
    pub(super) invites_for_days: bool,
}

/// The name of a type; an alias, since serde would borrow the text that it reads otherwise.
pub(super) type TypeName = &'static str;

/// A permission that AWS manages.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Published {
    /// The last part of the ARN.
    pub(super) name: &'static str,
    /// The type that it applies to.
    pub(super) resource_type: &'static str,
    /// Whether a share gets it where its owner names none.
    pub(super) default: bool,
    /// The only version that the sandbox knows, which is the default version.
    pub(super) version: u64,
    /// What it allows.
    pub(super) actions: &'static [&'static str],
}

/// The type that has rules of its own, since the sandbox has such resources.
pub(super) const PIPELINE: &str = "sagemaker:Pipeline";

/// Every type.
pub(super) const RESOURCE_TYPES: &[ResourceType] = &[
    resource_type("codebuild:Project", "codebuild", "project/", false),
    resource_type("ec2:Subnet", "ec2", "subnet/", true),
    resource_type("glue:Database", "glue", "database/", false),
    resource_type("glue:Table", "glue", "table/", false),
    resource_type("rds:Cluster", "rds", "cluster:", true),
    resource_type(PIPELINE, "sagemaker", "pipeline/", false),
];

/// Every permission.
///
/// ASSUMED: the actions of all but the two for pipelines, which SageMaker's
/// documentation lists.
pub(super) const PERMISSIONS: &[Published] = &[
    Published {
        name: "AWSRAMDefaultPermissionCodeBuildProject",
        resource_type: "codebuild:Project",
        default: true,
        version: 1,
        actions: &["codebuild:BatchGetProjects"],
    },
    Published {
        name: "AWSRAMDefaultPermissionGlueDatabase",
        resource_type: "glue:Database",
        default: true,
        version: 1,
        actions: &["glue:GetDatabase", "glue:GetTables"],
    },
    Published {
        name: "AWSRAMDefaultPermissionGlueTable",
        resource_type: "glue:Table",
        default: true,
        version: 1,
        actions: &["glue:GetTable"],
    },
    Published {
        name: "AWSRAMDefaultPermissionRDSCluster",
        resource_type: "rds:Cluster",
        default: true,
        version: 1,
        actions: &["rds:DescribeDBClusters"],
    },
    Published {
        name: "AWSRAMDefaultPermissionSageMakerPipeline",
        resource_type: PIPELINE,
        default: true,
        version: 1,
        actions: &[
            "sagemaker:DescribePipeline",
            "sagemaker:DescribePipelineDefinitionForExecution",
            "sagemaker:DescribePipelineExecution",
            "sagemaker:ListPipelineExecutions",
            "sagemaker:ListPipelineExecutionSteps",
            "sagemaker:ListPipelineParametersForExecution",
            "sagemaker:Search",
        ],
    },
    Published {
        name: "AWSRAMDefaultPermissionSubnet",
        resource_type: "ec2:Subnet",
        default: true,
        version: 1,
        actions: &["ec2:DescribeSubnets", "ec2:RunInstances"],
    },
    Published {
        name: "AWSRAMPermissionGlueTableReadWrite",
        resource_type: "glue:Table",
        default: false,
        version: 2,
        actions: &["glue:GetTable", "glue:UpdateTable"],
    },
    Published {
        name: "AWSRAMPermissionSageMakerPipelineAllowExecution",
        resource_type: PIPELINE,
        default: false,
        version: 1,
        actions: &[
            "sagemaker:DescribePipeline",
            "sagemaker:DescribePipelineDefinitionForExecution",
            "sagemaker:DescribePipelineExecution",
            "sagemaker:ListPipelineExecutions",
            "sagemaker:ListPipelineExecutionSteps",
            "sagemaker:ListPipelineParametersForExecution",
            "sagemaker:RetryPipelineExecution",
            "sagemaker:Search",
            "sagemaker:StartPipelineExecution",
            "sagemaker:StopPipelineExecution",
        ],
    },
];

/// What can be done with pipelines of others, but is in none of AWS's permissions.
const MORE_PIPELINE_ACTIONS: &[&str] = &[
    "sagemaker:ListPipelineVersions",
    "sagemaker:SendPipelineExecutionStepFailure",
    "sagemaker:SendPipelineExecutionStepSuccess",
    "sagemaker:UpdatePipelineExecution",
];

const fn resource_type(
    name: &'static str,
    service: &'static str,
    arn_prefix: &'static str,
    invites_for_days: bool,
) -> ResourceType {
    ResourceType {
        name,
        service,
        arn_prefix,
        invites_for_days,
    }
}

/// The type of this name; names compare without regard to case.
pub(super) fn type_named(name: &str) -> Option<&'static ResourceType> {
    RESOURCE_TYPES
        .iter()
        .find(|known| known.name.eq_ignore_ascii_case(name))
}

/// The type of the resources of a service whose ARN ends like this.
pub(super) fn type_of(service: &str, resource: &str) -> Option<&'static ResourceType> {
    RESOURCE_TYPES.iter().find(|known| {
        known.service.eq_ignore_ascii_case(service)
            && resource
                .get(..known.arn_prefix.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(known.arn_prefix))
            && resource.len() > known.arn_prefix.len()
    })
}

impl ResourceType {
    /// Whether a managed permission for this type can allow the action; IAM
    /// compares actions without regard to case.
    ///
    /// ASSUMED: customers can allow what AWS's own permissions allow, and for
    /// pipelines everything else that works with the ARN of a pipeline or of
    /// an execution and leaves the pipeline as it is.
    pub(super) fn supports(&self, action: &str) -> bool {
        let more: &[&str] = if self.name == PIPELINE {
            MORE_PIPELINE_ACTIONS
        } else {
            &[]
        };
        PERMISSIONS
            .iter()
            .filter(|permission| permission.resource_type == self.name)
            .flat_map(|permission| permission.actions)
            .chain(more)
            .any(|known| known.eq_ignore_ascii_case(action))
    }
}
/// Types of resources, as a kept world has them: by name.
pub(super) mod resource_type {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use super::{RESOURCE_TYPES, ResourceType};

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde passes what it serializes by reference"
    )]
    pub(in super::super) fn serialize<S: Serializer>(
        kind: &&'static ResourceType,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(kind.name)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<&'static ResourceType, D::Error> {
        let name = String::deserialize(deserializer)?;
        let found = RESOURCE_TYPES.iter().find(|kind| kind.name == name);
        found.ok_or_else(|| D::Error::custom(format!("no type of resources is called {name}")))
    }
}

/// The names of types, which are known from the beginning.
pub(super) mod type_name {
    use serde::{Deserializer, Serializer};

    pub(in super::super) fn serialize<S: Serializer>(
        name: &&'static str,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(name)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<&'static str, D::Error> {
        super::resource_type::deserialize(deserializer).map(|kind| kind.name)
    }
}

/// What is found by the name of a type.
pub(super) mod by_type_name {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Deserialize)]
    struct Entry<T>(#[serde(with = "super::type_name")] super::TypeName, T);

    pub(in super::super) fn serialize<T: Serialize, S: Serializer>(
        map: &BTreeMap<&'static str, T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map)
    }

    pub(in super::super) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<&'static str, T>, D::Error> {
        let entries = Vec::<Entry<T>>::deserialize(deserializer)?.into_iter();
        Ok(entries.map(|Entry(name, value)| (name, value)).collect())
    }
}
