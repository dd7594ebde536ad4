//! The table. Rows are sorted by service, and each service's by what they mean;
//! of two rows for one code, the first that matches counts.

use super::{
    Meaning::{self, Answer, Pending, Permanent, Session, Transient},
    Row,
};

/// The codes by which AWS denies.
pub(super) const ACCESS_DENIED: &[&str] = &[
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "NotAuthorized",
    "UnauthorizedOperation",
];

/// The codes of a signature that AWS does not accept.
pub(super) const SIGNATURE: &[&str] = &[
    "IncompleteSignature",
    "IncompleteSignatureException",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
];

/// What AWS says of a signature that it takes for old, or for one of the future.
pub(super) const OTHER_TIME: [&str; 2] = ["signature expired", "signature not yet current"];

/// The codes of credentials that AWS does not know.
const UNKNOWN_CREDENTIALS: &[&str] = &[
    "AuthFailure",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidToken",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "UnrecognizedClientException",
];

/// What grants access.
const SHARE: &[&str] = &[
    "AssociateResourceShare",
    "AssociateResourceSharePermission",
    "CreateResourceShare",
];

const START: &[&str] = &["RetryPipelineExecution", "StartPipelineExecution"];

const REGION: &str = "the session was refused although it is new: enable this Region in the account, if it is one to opt in to, and look whether the account is suspended or closed";
const SIGN_UP: &str = "the account may not use the service here: enable this Region in it, if it is one to opt in to, and look whether the account is verified and in good standing";
const STS: &str = "STS does not serve the account in this Region: enable the Region in the account, or activate STS for it in the account's settings";
const SCP: &str = "a service control policy of the organization denies this: its administrators must allow it for the pipeshare roles";
const RCP: &str = "a resource control policy of the organization denies this: its administrators must allow it for the pipeshare roles";
const CEILING: &str = "the pipeshare role there does not allow it: it is beyond the parameters of the account template, or the template is old";
const ALLOWED_OWNERS: &str = "the pipeshare role there does not allow it: the owner is not among AllowedOwners of the template consumer-account there, its shares are named otherwise than ShareNamePrefix, or the template is old; if it is meant, deploy that template again";
const ALLOWED_PRINCIPALS: &str = "the pipeshare role there does not allow it: it is beyond AllowedPrincipals, AllowedAccess, AllowedPermissions or ShareNamePrefix of the template owner-account there, or the template is old; if it is meant, deploy that template again";
const CONSUMER_TEMPLATE: &str = "account not onboarded, or by an older template: deploy the newest template consumer-account there, with this hub's account as HubAccountId";
const OWNER_TEMPLATE: &str = "account not onboarded, or by an older template: deploy the newest template owner-account there, with this hub's account as HubAccountId";
const RAM_QUOTA: &str = "RAM allows 250 pending invitations and 25,000 shares, resource associations and principal associations an account, and 5,000 principals and resources a share, whoever makes them: have invitations accepted, delete what is not used, or ask for a higher quota";
const TOPIC_KEY: &str = "the key of the topic cannot be used: look whether it is enabled, and whether its policy is that of the template";
const QUEUE_KEY: &str =
    "the key of the queue cannot be used: look whether it is enabled, and what its policy says";
const MISSING: &str = "deploy the template again: what it makes is not there";

/// What is said where the account refuses everything here.
pub(super) const OF_ACCOUNT: [&str; 3] = [REGION, SIGN_UP, STS];

/// A row for codes wherever they come from in a service.
const fn all(service: &'static str, meaning: Meaning, codes: &'static [&'static str]) -> Row {
    of(service, &[], meaning, codes)
}

/// A row for codes of some operations.
const fn of(
    service: &'static str,
    operations: &'static [&'static str],
    meaning: Meaning,
    codes: &'static [&'static str],
) -> Row {
    Row {
        service,
        operations,
        codes,
        says: &[],
        meaning,
        advice: None,
    }
}

/// A row for a role that is not there, or does not trust the function.
const fn no_role(says: &'static [&'static str]) -> Row {
    of("sts", &["AssumeRole"], Permanent, ACCESS_DENIED).saying(says)
}

impl Row {
    /// Only if the message says so, too.
    const fn saying(self, says: &'static [&'static str]) -> Self {
        Self { says, ..self }
    }

    /// What a person can do.
    const fn advice(self, advice: &'static str) -> Self {
        Self {
            advice: Some(advice),
            ..self
        }
    }
}

#[rustfmt::skip]
pub(super) static TABLE: &[Row] = &[
    // CodePipeline. A job that is over, or that nobody waits for, needs no answer.
    all("codepipeline", Answer, &["InvalidJobStateException", "JobNotFoundException"]),
    all("codepipeline", Permanent, &["OutputVariablesSizeExceededException"]),

    // DynamoDB. A condition that is not met says that somebody else was first.
    all("dynamodb", Answer, &["ConditionalCheckFailedException"]),
    all("dynamodb", Permanent, &["IdempotentParameterMismatchException", "ItemCollectionSizeLimitExceededException"]),
    all("dynamodb", Permanent, &["ResourceNotFoundException"]).advice(MISSING),
    all("dynamodb", Transient, &[
        "InvalidEndpointException", "ProvisionedThroughputExceededException",
        "ReplicatedWriteConflictException", "RequestLimitExceeded", "TransactionCanceledException",
        "TransactionConflictException", "TransactionInProgressException",
    ]),

    // EventBridge. It says these of single entries, under HTTP 200. That there is
    // no such bus it does not say at all.
    all("events", Permanent, &[
        "InvalidAccountIdException", "InvalidArgument", "MalformedDetail",
        "NotAuthorizedForDetailTypeException", "NotAuthorizedForSourceException",
        "RedactionFailure",
    ]),
    all("events", Permanent, &["ResourceNotFoundException"]).advice(MISSING),

    // RAM.
    of("ram", &["AcceptResourceShareInvitation"], Answer, &["ResourceShareInvitationAlreadyAcceptedException"]),
    of("ram", &["RejectResourceShareInvitation"], Answer, &["ResourceShareInvitationAlreadyRejectedException"]),
    // Somebody else was faster, or twelve hours were over: another reconciliation shows
    // what became of the invitation.
    all("ram", Pending, &[
        "ResourceShareInvitationAlreadyAcceptedException",
        "ResourceShareInvitationAlreadyRejectedException",
        "ResourceShareInvitationArnNotFoundException", "ResourceShareInvitationExpiredException",
    ]),
    // Something in the share is ASSOCIATING, or the share is not ACTIVE yet.
    all("ram", Pending, &["InvalidStateTransitionException"]),
    // ASSUMED: RAM names the organization, or the unit, that it does not know.
    // It is misspelled, or sharing with it was never turned on in RAM.
    all("ram", Permanent, &["UnknownResourceException"]).saying(&["organization"])
        .advice("turn on sharing with the organization in RAM, from the management account, and check the ARN"),
    // ASSUMED: RAM says what it does not know, here the permission and not the share.
    of("ram", &["AssociateResourceSharePermission", "CreateResourceShare"], Permanent, &["UnknownResourceException"])
        .saying(&["permission"])
        .advice("there is no such permission in the owner account: make it there, or correct `access` in the rule"),
    of("ram", &["CreateResourceShare"], Permanent, &["UnknownResourceException"]),
    of("ram", &["GetPermission"], Answer, &["MalformedArnException", "UnknownResourceException"]),
    // What was just created or accepted is unknown to RAM's other calls for up
    // to a minute or two.
    all("ram", Pending, &["UnknownResourceException"]),
    // ASSUMED: RAM's words for what may not leave the organization are always
    // like "can only be shared within your AWS Organization".
    all("ram", Permanent, &["OperationNotPermittedException"]).saying(&["within your", "organization"])
        .advice("this can only be shared within the organization: take the outside principal out of the rule"),
    // RAM says so, too, when it is merely busy with the organization; the
    // landing zone accelerator retries it.
    all("ram", Transient, &["OperationNotPermittedException"]),
    // Of the limits of an association, pending invitations are the one that is
    // reached first, and those drain as accounts accept. No other call runs
    // into a limit that goes away by itself.
    of("ram", &["AssociateResourceShare"], Pending, &["ResourceShareLimitExceededException"]).advice(RAM_QUOTA),
    all("ram", Permanent, &["ResourceShareLimitExceededException"]).advice(RAM_QUOTA),
    all("ram", Permanent, &["InvalidParameterException"]).saying(&["not in your aws organization"])
        .advice("mark the account `external: true` in the policy, or turn on sharing with the organization in RAM"),
    all("ram", Permanent, &["TagPolicyViolationException"])
        .advice("a tag policy of the organization forbids the tags `pipeshare:managed` and `pipeshare:rule` of shares: allow them"),
    all("ram", Permanent, &[
        "IdempotentParameterMismatchException", "InvalidClientTokenException",
        "InvalidMaxResultsException", "InvalidParameterException", "InvalidResourceTypeException",
        "MalformedArnException", "MissingRequiredParameterException", "TagLimitExceededException",
    ]),
    // The list changed while it was read; it is read from the start again.
    all("ram", Transient, &["InvalidNextTokenException"]),

    // SageMaker.
    // Somebody changes the pipeline or its run, or too much runs already.
    of("sagemaker", START, Pending, &["ConflictException", "ResourceLimitExceeded"]),
    // The pipeline was deleted after it was listed; another reconciliation does not find it.
    of("sagemaker", &["ListPipelineExecutions"], Pending, &["ResourceNotFound"]),
    of("sagemaker", START, Permanent, &["ResourceNotFound"]),
    all("sagemaker", Answer, &["ResourceNotFound"]),

    // SNS.
    all("sns", Permanent, &["KMSAccessDenied", "KMSDisabled", "KMSInvalidState", "KMSNotFound", "KMSOptInRequired"])
        .advice(TOPIC_KEY),
    all("sns", Permanent, &["NotFound"]).advice(MISSING),
    all("sns", Permanent, &[
        "EndpointDisabled", "InvalidParameter", "InvalidSecurity", "ParameterValueInvalid",
        "PlatformApplicationDisabled",
    ]),
    all("sns", Transient, &["KMSThrottling", "Throttled"]),

    // SQS. Whatever it says, the message that was to be requeued stays where it
    // is and is delivered again.
    all("sqs", Permanent, &[
        "KMS.AccessDeniedException", "KMS.DisabledException", "KMS.InvalidKeyUsageException",
        "KMS.InvalidStateException", "KMS.NotFoundException", "KMS.OptInRequired",
        "KmsAccessDenied", "KmsDisabled", "KmsInvalidKeyUsage", "KmsInvalidState", "KmsNotFound",
        "KmsOptInRequired",
    ]).advice(QUEUE_KEY),
    all("sqs", Permanent, &["AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"]).advice(MISSING),
    all("sqs", Permanent, &[
        "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
        "AWS.SimpleQueueService.BatchRequestTooLong", "AWS.SimpleQueueService.EmptyBatchRequest",
        "AWS.SimpleQueueService.InvalidBatchEntryId",
        "AWS.SimpleQueueService.TooManyEntriesInBatchRequest", "BatchEntryIdsNotDistinct",
        "BatchRequestTooLong", "EmptyBatchRequest", "InvalidBatchEntryId",
        "TooManyEntriesInBatchRequest",
    ]),
    all("sqs", Permanent, &[
        "AWS.SimpleQueueService.UnsupportedOperation", "InvalidAddress", "InvalidMessageContents",
        "InvalidSecurity", "UnsupportedOperation",
    ]),
    all("sqs", Transient, &["KMS.ThrottlingException", "KmsThrottled", "OverLimit", "RequestThrottled"]),

    // SSM. What is not there is an answer where it was asked for.
    of("ssm", &["LabelParameterVersion"], Permanent, &["ParameterNotFound", "ParameterVersionNotFound"]),
    all("ssm", Answer, &["ParameterNotFound", "ParameterVersionNotFound"]),
    all("ssm", Permanent, &["InvalidKeyId"])
        .advice("the key of the parameter cannot be used: look whether it is enabled, and whether the function's role may decrypt with it"),
    all("ssm", Permanent, &["InvalidLabels"]),
    all("ssm", Permanent, &["ParameterVersionLabelLimitExceeded"])
        .advice("a version carries ten labels at most: take one off that version"),
    all("ssm", Transient, &["InvalidNextToken", "TooManyUpdates"]),

    // STS. The function has read the policy with its own credentials before, so
    // what STS does not know is the account in this Region.
    of("sts", &["AssumeRole"], Permanent, ACCESS_DENIED).saying(&["service control policy"]).advice(SCP),
    of("sts", &["AssumeRole"], Permanent, ACCESS_DENIED).saying(&["resource control policy"]).advice(RCP),
    no_role(&["role/pipeshare-consumer-"]).advice(CONSUMER_TEMPLATE),
    no_role(&["role/pipeshare-notifier-"]).advice(CONSUMER_TEMPLATE),
    no_role(&["role/pipeshare-prover-"]).advice(CONSUMER_TEMPLATE),
    no_role(&["role/pipeshare-owner-"]).advice(OWNER_TEMPLATE),
    no_role(&["role/pipeshare-reader-"]).advice(OWNER_TEMPLATE),
    no_role(&["role/pipeshare-runner-"]).advice(OWNER_TEMPLATE),
    no_role(&["role/pipeshare-watcher-"]).advice(OWNER_TEMPLATE),
    no_role(&[])
        .advice("account not onboarded: deploy the account template, or the role's trust does not name this hub"),
    all("sts", Permanent, &["RegionDisabledException"])
        .advice(STS),
    of("sts", &["AssumeRole"], Permanent, UNKNOWN_CREDENTIALS).advice(REGION),
    all("sts", Permanent, &["MalformedPolicyDocument", "PackedPolicyTooLarge"]),

    // Every service. Who may lift a denial depends on who denies.
    all("*", Permanent, ACCESS_DENIED).saying(&["service control policy"]).advice(SCP),
    all("*", Permanent, ACCESS_DENIED).saying(&["resource control policy"]).advice(RCP),
    of("sagemaker", START, Permanent, ACCESS_DENIED)
        .advice("deploy the template owner-account there with AllowRuns true, or have the hook run nothing by `\"run\": false`"),
    of("ssm", &["GetParameter", "GetParameters"], Permanent, ACCESS_DENIED)
        .advice("the role does not allow it, or not the key that the parameter is encrypted with: look whether the template is the newest, and whether the key is the hub's PolicyKeyArn"),
    of("ram", &["AcceptResourceShareInvitation"], Permanent, ACCESS_DENIED).advice(ALLOWED_OWNERS),
    of("ram", SHARE, Permanent, ACCESS_DENIED).advice(ALLOWED_PRINCIPALS),
    all("*", Permanent, ACCESS_DENIED).advice(CEILING),
    all("*", Permanent, &["OptInRequired", "PendingVerification", "SubscriptionRequiredException"]).advice(SIGN_UP),
    // The clock, or an environment that slept between signing and sending; the
    // next attempt signs anew.
    all("*", Transient, SIGNATURE).saying(&[OTHER_TIME[0]]),
    all("*", Transient, SIGNATURE).saying(&[OTHER_TIME[1]]),
    all("*", Transient, &["RequestExpired", "RequestInTheFuture", "RequestTimeTooSkewed"]),
    // Of an account without this Region, too: its session is unknown here.
    all("*", Session, UNKNOWN_CREDENTIALS).advice(REGION),
    all("*", Session, SIGNATURE).advice(REGION),
    all("*", Session, &["ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"]).advice(REGION),
    all("*", Transient, &[
        "BandwidthLimitExceeded", "EC2ThrottledException", "LimitExceededException",
        "PriorRequestNotComplete", "RequestLimitExceeded", "RequestThrottled",
        "RequestThrottledException", "SlowDown", "ThrottledException", "Throttling",
        "ThrottlingException", "TooManyRequestsException",
    ]),
    all("*", Transient, &[
        "InternalError", "InternalException", "InternalFailure", "InternalServerError",
        "InternalServerException", "InternalServiceError", "RequestAbortedException",
        "RequestTimeout", "RequestTimeoutException", "ServerInternalException", "ServiceException",
        "ServiceUnavailable", "ServiceUnavailableException",
    ]),
    // What was asked for makes no sense to AWS, so it is pipeshare's mistake or a
    // change of AWS, unless the message names what somebody configured.
    all("*", Permanent, &[
        "InvalidAction", "InvalidParameterCombination", "InvalidParameterValue",
        "InvalidQueryParameter", "MalformedHttpRequestException", "MalformedQueryString",
        "MissingAction", "MissingParameter", "RequestEntityTooLargeException",
        "SerializationException", "UnknownOperationException", "ValidationError",
        "ValidationException",
    ]),
];
