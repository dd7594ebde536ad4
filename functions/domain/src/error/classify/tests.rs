use super::*;

mod documented;
mod modelled;

/// Every row, spelled out: one entry for each operation and code.
fn rows() -> impl Iterator<Item = (&'static Row, &'static str, &'static str)> {
    TABLE.iter().flat_map(|row| {
        let operations = match row.operations {
            [] => &["AnyOperation"],
            operations => operations,
        };
        let codes = row.codes.iter();
        codes.flat_map(move |code| operations.iter().map(move |it| (row, *it, *code)))
    })
}

fn failed<'a>(operation: &'a str, code: Option<&'a str>, status: u16) -> Failed<'a> {
    let service = match operation {
        "AssumeRole" => "sts",
        "PutEvents" => "events",
        "Publish" => "sns",
        "LabelParameterVersion" | "GetParameter" => "ssm",
        _ if operation.contains("Pipeline") => "sagemaker",
        _ => "ram",
    };
    Failed {
        service,
        operation,
        code,
        status: Some(status),
        message: "",
        new_session: true,
    }
}

#[test]
#[rustfmt::skip]
fn each_refusal_has_the_class_that_decides_what_becomes_of_it() {
    use Class::{Pending, Permanent, Transient};
    let unknown = "UnknownResourceException";
    let forbidden = "OperationNotPermittedException";
    let organization_only = "It can only be shared within your AWS Organization.";
    let late = "Signature expired: 20260105T090000Z is now earlier than 20260105T091000Z";
    let table = [
        ("PutEvents", "ThrottlingException", 400, "Rate exceeded", Transient),
        ("CreateResourceShare", "ThrottlingException", 429, "", Transient),
        ("CreateResourceShare", "ServerInternalException", 500, "", Transient),
        ("CreateResourceShare", "ServiceUnavailableException", 503, "", Transient),
        ("Publish", "InternalFailure", 500, "", Transient),
        ("ListPipelines", "SomethingNew", 502, "", Transient),
        ("ListPipelines", "SomethingNew", 429, "", Transient),
        ("ListPipelines", "SomethingNew", 400, "", Permanent),
        ("LabelParameterVersion", "TooManyUpdates", 400, "", Transient),
        ("DisassociateResourceShare", "InvalidStateTransitionException", 400, "", Pending),
        ("AssociateResourceShare", unknown, 400, "ResourceShare not found", Pending),
        ("GetResourceShares", unknown, 400, "ResourceShare not found", Pending),
        ("AssociateResourceShare", unknown, 400, "OrganizationalUnit not found", Permanent),
        ("CreateResourceShare", unknown, 400, "Permission not found", Permanent),
        ("AssociateResourceShare", forbidden, 400, "busy with your organization", Transient),
        ("AssociateResourceShare", forbidden, 400, organization_only, Permanent),
        ("AssociateResourceShare", "ResourceShareLimitExceededException", 400, "", Pending),
        ("CreateResourceShare", "ResourceShareLimitExceededException", 400, "", Permanent),
        ("CreateResourceShare", "IdempotentParameterMismatchException", 400, "", Permanent),
        ("CreateResourceShare", "AccessDeniedException", 403, "", Permanent),
        ("AssumeRole", "AccessDenied", 403, "", Permanent),
        ("AssumeRole", "RegionDisabledException", 403, "", Permanent),
        ("AssumeRole", "InvalidClientTokenId", 403, "", Permanent),
        ("AssociateResourceShare", "MalformedArnException", 400, "", Permanent),
        ("AssociateResourceShare", "InvalidParameterException", 400, "", Permanent),
        ("ListPipelines", "ValidationException", 400, "", Permanent),
        ("ListPipelines", "InvalidSignatureException", 403, late, Transient),
        ("ListPipelines", "InvalidSignatureException", 403, "does not match", Permanent),
        ("ListPipelines", "RequestTimeTooSkewed", 403, "", Transient),
        ("ListPipelineExecutions", "ResourceNotFound", 400, "", Pending),
        ("StartPipelineExecution", "ResourceLimitExceeded", 400, "", Pending),
        ("RetryPipelineExecution", "ConflictException", 400, "", Pending),
        ("DescribePipeline", "ConflictException", 400, "", Permanent),
        ("Publish", "KMSDisabled", 400, "", Permanent),
        ("Publish", "KMSThrottling", 400, "", Transient),
    ];
    for (operation, code, status, message, expected) in table {
        let failed = Failed { message, ..failed(operation, Some(code), status) };
        assert_eq!(failed.class(), expected, "{operation} {code} {message}");
    }
}

#[test]
fn a_session_that_is_refused_is_dead_if_it_is_old_and_for_people_if_it_is_new() {
    let sessions = rows().filter(|(row, ..)| row.meaning == Meaning::Session);
    let mut seen = 0;
    for (row, operation, code) in sessions {
        let new = Failed {
            service: "sagemaker",
            message: &row.says.join(" "),
            ..failed(operation, Some(code), 403)
        };
        let old = Failed {
            new_session: false,
            ..new
        };
        assert!(new.refuses_session(), "{code}");
        assert_eq!(new.class(), Class::Permanent, "{code}");
        assert!(new.advice().unwrap().contains("enable this Region"));
        assert_eq!(old.class(), Class::Transient, "{code}");
        seen += 1;
    }
    assert!(seen > 10, "{seen}");
}

#[test]
fn every_row_can_be_reached() {
    for (row, operation, code) in rows() {
        let services = ["ram", "sagemaker", "sns", "sts"];
        let services = match row.service {
            "*" => &services[..],
            service => &[service],
        };
        let message = row.says.join(" ");
        let reached = services.iter().any(|service| {
            let failed = Failed {
                service,
                message: &message,
                ..failed(operation, Some(code), 400)
            };
            failed.row().is_some_and(|found| std::ptr::eq(found, row))
        });
        assert!(reached, "{row:?} is behind another row for {code}");
    }
}

#[test]
fn an_answer_without_a_code_is_classified_by_its_status() {
    let class = |status: Option<u16>| {
        let failed = Failed {
            status,
            ..failed("ListPipelines", None, 0)
        };
        failed.class()
    };
    assert_eq!(class(Some(503)), Class::Transient);
    assert_eq!(class(Some(404)), Class::Permanent);
    assert_eq!(class(None), Class::Permanent);
}

#[test]
fn a_denial_is_explained_by_who_can_lift_it() {
    let advice = |operation: &str, code: &str, message: &str| {
        let failed = Failed {
            message,
            ..failed(operation, Some(code), 403)
        };
        failed.advice()
    };
    let expected = [
        ("AssumeRole", "not authorized", "not onboarded"),
        (
            "AssumeRole",
            "User: arn:aws:sts::333333333333:assumed-role/pipeshare-forward-status-eu-west-1/f is not \
             authorized to perform: sts:AssumeRole on resource: \
             arn:aws:iam::111111111111:role/pipeshare-notifier-eu-west-1",
            "template consumer-account",
        ),
        (
            "AssumeRole",
            "on resource: arn:aws-cn:iam::222222222222:role/pipeshare-watcher-cn-north-1",
            "template owner-account",
        ),
        (
            "AssumeRole",
            "with an explicit deny in a Service Control Policy",
            "service control policy",
        ),
        (
            "ListPipelines",
            "with an explicit deny in a resource control policy",
            "resource control policy",
        ),
        ("ListPipelines", "", "account template"),
        ("CreateResourceShare", "", "AllowedPrincipals"),
        ("AcceptResourceShareInvitation", "", "AllowedOwners"),
        ("StartPipelineExecution", "", "AllowRuns"),
    ];
    for (operation, message, said) in expected {
        let advice = advice(operation, "AccessDeniedException", message).unwrap();
        assert!(advice.contains(said), "{operation} {message}: {advice}");
    }
    assert_eq!(advice("ListPipelines", "ThrottlingException", ""), None);
}
