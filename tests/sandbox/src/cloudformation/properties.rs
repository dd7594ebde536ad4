//! The properties of the types that the sandbox acts on.
//!
//! One that is not listed might change what a stack does, and would be lost.

/// The properties that are acted on, refused by the service itself, or known
/// to make no difference here; none of a type that takes any.
pub(super) fn of(kind: &str) -> Option<&'static [&'static str]> {
    let found = PROPERTIES.iter().find(|(name, _)| *name == kind);
    found.map(|(_, properties)| *properties)
}

static PROPERTIES: &[(&str, &[&str])] = &[
    (
        "AWS::DynamoDB::Table",
        &[
            "AttributeDefinitions",
            "BillingMode",
            "DeletionProtectionEnabled",
            "GlobalSecondaryIndexes",
            "KeySchema",
            "LocalSecondaryIndexes",
            "PointInTimeRecoverySpecification",
            "SSESpecification",
            "StreamSpecification",
            "TableName",
            "Tags",
            "TimeToLiveSpecification",
        ],
    ),
    ("AWS::Events::EventBus", &["Description", "Name", "Tags"]),
    (
        "AWS::Events::EventBusPolicy",
        &[
            "Action",
            "Condition",
            "EventBusName",
            "Principal",
            "Statement",
            "StatementId",
        ],
    ),
    (
        "AWS::Events::Rule",
        &[
            "Description",
            "EventBusName",
            "EventPattern",
            "Name",
            "RoleArn",
            "ScheduleExpression",
            "State",
            "Tags",
            "Targets",
        ],
    ),
    (
        "AWS::IAM::ManagedPolicy",
        &["Description", "ManagedPolicyName", "Path", "PolicyDocument"],
    ),
    (
        "AWS::IAM::Role",
        &[
            "AssumeRolePolicyDocument",
            "Description",
            "ManagedPolicyArns",
            "MaxSessionDuration",
            "Path",
            "PermissionsBoundary",
            "Policies",
            "RoleName",
            "Tags",
        ],
    ),
    (
        "AWS::Lambda::EventInvokeConfig",
        &[
            "FunctionName",
            "MaximumEventAgeInSeconds",
            "MaximumRetryAttempts",
            "Qualifier",
        ],
    ),
    (
        "AWS::Lambda::EventSourceMapping",
        &[
            "BatchSize",
            "Enabled",
            "EventSourceArn",
            "FilterCriteria",
            "FunctionName",
            "FunctionResponseTypes",
            "MaximumBatchingWindowInSeconds",
            "ScalingConfig",
            "Tags",
        ],
    ),
    (
        "AWS::Lambda::Function",
        &[
            "Architectures",
            "Code",
            "Description",
            "Environment",
            "FunctionName",
            "Handler",
            "LoggingConfig",
            "MemorySize",
            "RecursiveLoop",
            "ReservedConcurrentExecutions",
            "Role",
            "Runtime",
            "Tags",
            "Timeout",
            "TracingConfig",
        ],
    ),
    (
        "AWS::Logs::ResourcePolicy",
        &["PolicyDocument", "PolicyName"],
    ),
    (
        "AWS::SageMaker::Pipeline",
        &[
            "ParallelismConfiguration",
            "PipelineDefinition",
            "PipelineDescription",
            "PipelineDisplayName",
            "PipelineName",
            "RoleArn",
            "Tags",
        ],
    ),
    (
        "AWS::SNS::Subscription",
        &["Endpoint", "Protocol", "RawMessageDelivery", "TopicArn"],
    ),
    (
        "AWS::SNS::Topic",
        &[
            "DisplayName",
            "KmsMasterKeyId",
            "Subscription",
            "Tags",
            "TopicName",
        ],
    ),
    ("AWS::SNS::TopicPolicy", &["PolicyDocument", "Topics"]),
    (
        "AWS::SQS::Queue",
        &[
            "DelaySeconds",
            "KmsDataKeyReusePeriodSeconds",
            "KmsMasterKeyId",
            "MaximumMessageSize",
            "MessageRetentionPeriod",
            "QueueName",
            "ReceiveMessageWaitTimeSeconds",
            "RedriveAllowPolicy",
            "RedrivePolicy",
            "SqsManagedSseEnabled",
            "Tags",
            "VisibilityTimeout",
        ],
    ),
    ("AWS::SQS::QueuePolicy", &["PolicyDocument", "Queues"]),
    (
        "AWS::SSM::Parameter",
        &["Description", "Name", "Tags", "Tier", "Type", "Value"],
    ),
];
