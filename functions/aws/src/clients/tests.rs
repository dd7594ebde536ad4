use domain::id::AccountId;
use domain::notification::Notification;
use serde_json::json;

use super::Aws;
use crate::{
    Class,
    replay::{self, Answer, Replay, Request, ok, refusal, session, xml_refusal},
};

fn account(text: &str) -> AccountId {
    text.parse().unwrap()
}

async fn aws(replay: &Replay) -> Aws {
    aws_at(replay, None).await
}

async fn aws_at(replay: &Replay, endpoint: Option<&str>) -> Aws {
    let mut config = replay.config().await.into_builder();
    config.set_endpoint_url(endpoint.map(str::to_owned));
    replay::aws(config.build())
}

/// Hands out sessions named after the role, and lists nothing.
fn empty_accounts(request: &Request) -> Answer {
    let roles = [
        "reader", "watcher", "owner", "consumer", "notifier", "prover",
    ];
    let role = roles
        .iter()
        .find(|role| request.text.contains(&format!("pipeshare-{role}")));
    match role {
        Some(role) => session(&role.to_uppercase()),
        None => ok(&json!({ "Entries": [{ "EventId": "e" }] })),
    }
}

#[tokio::test]
async fn a_call_in_an_account_is_made_with_a_session_of_the_role_there() {
    let replay = Replay::by(empty_accounts);
    let aws = aws(&replay).await;
    aws.owner(&account("222222222222")).shares().await.unwrap();

    let requests = replay.requests();
    assert_eq!(requests[0].url, "https://sts.eu-west-1.amazonaws.com/");
    assert_eq!(requests[0].access_key, "HUBKEY");
    assert!(
        requests[0].text.contains(
            "RoleArn=arn%3Aaws%3Aiam%3A%3A222222222222%3Arole%2Fpipeshare-owner-eu-west-1"
        )
    );
    assert!(requests[0].text.contains("RoleSessionName=test"));
    assert_eq!(
        requests[1].url,
        "https://ram.eu-west-1.amazonaws.com/getresourceshares"
    );
    assert_eq!(requests[1].access_key, "OWNER");
}

#[tokio::test]
async fn a_role_is_assumed_once_for_all_its_clients_and_calls() {
    let replay = Replay::by(empty_accounts);
    let aws = aws(&replay).await;
    for _ in 0..2 {
        let consumer = aws.consumer(&account("111111111111"));
        consumer.ram.invitations_to(&[]).await.unwrap();
        consumer.ram.shares_among(&[]).await.unwrap();
    }
    aws.consumer(&account("333333333333"))
        .ram
        .shares_among(&[])
        .await
        .unwrap();
    aws.reader(&account("111111111111"))
        .pipelines()
        .await
        .unwrap();

    let requests = replay.requests();
    let assumed = requests
        .iter()
        .filter(|request| request.url.contains("//sts."))
        .count();
    assert_eq!(assumed, 3);
}

#[tokio::test]
async fn sessions_of_hundreds_of_accounts_are_kept_at_once() {
    let replay = Replay::by(empty_accounts);
    let config = replay.config().await.into_builder();
    let aws = replay::aws(config.identity_cache(super::config::identities()).build());
    let assumed = || {
        let requests = replay.requests().into_iter();
        requests.filter(|it| it.url.contains("//sts.")).count()
    };
    for _ in 0..2 {
        for number in 0..200 {
            let owner = account(&format!("{:012}", 100_000_000_000_u64 + number));
            aws.owner(&owner).shares().await.unwrap();
        }
        assert_eq!(assumed(), 200);
    }
}

/// An account that AWS throttles, and others that it cannot serve at first.
fn throttled_and_slow() -> impl FnMut(&Request) -> Answer {
    let mut served = std::collections::BTreeSet::new();
    move |request| match request.text.split("iam%3A%3A").nth(1) {
        Some(role) => session(&role[..12]),
        None if request.access_key == "222222222222" => {
            refusal(429, "ThrottlingException", "Rate exceeded")
        }
        None if served.insert(request.access_key.clone()) => {
            refusal(503, "ServiceUnavailableException", "later")
        }
        None => ok(&json!({})),
    }
}

#[tokio::test]
async fn an_account_that_is_throttled_does_not_spend_the_retries_of_others() {
    let replay = Replay::by(throttled_and_slow());
    let retries = aws_config::retry::RetryConfig::standard()
        .with_max_attempts(3)
        .with_initial_backoff(std::time::Duration::from_millis(1))
        .with_max_backoff(std::time::Duration::from_millis(1));
    let config = replay.config().await.into_builder();
    let aws = replay::aws(config.retry_config(retries).build());
    for _ in 0..120 {
        let shares = aws.owner(&account("222222222222")).shares().await;
        assert_eq!(shares.unwrap_err().class(), Class::Transient);
    }
    let so_far = replay.requests().len();
    assert!(so_far < 120 * 3, "its own retries are spent");
    for number in ["111111111111", "333333333333"] {
        let shares = aws.owner(&account(number)).shares().await;
        assert!(shares.unwrap().is_empty(), "{number}");
    }
}

#[tokio::test]
async fn a_session_is_shared_by_the_services_it_is_for() {
    let replay = Replay::by(empty_accounts);
    let consumer = aws(&replay).await.consumer(&account("111111111111"));
    consumer.ram.shares_among(&[]).await.unwrap();
    consumer.sagemaker.pipelines().await.unwrap();
    let keys = replay.requests().into_iter().map(|it| it.access_key);
    let keys: Vec<_> = keys.collect();
    assert_eq!(keys, ["HUBKEY", "CONSUMER", "CONSUMER"]);
}

fn notification() -> Notification {
    Notification {
        id: "id".to_owned(),
        subject: "subject".to_owned(),
        text: "text".to_owned(),
        detail_type: "Problem",
        detail: serde_json::json!({}),
        resources: Vec::new(),
    }
}

#[tokio::test]
async fn each_purpose_has_a_role_of_its_own() {
    let replay = Replay::by(empty_accounts);
    let aws = aws(&replay).await;
    let account = account("111111111111");
    aws.reader(&account).pipelines().await.unwrap();
    aws.watcher(&account).pipelines().await.unwrap();
    aws.prover(&account).pipelines().await.unwrap();
    let notifier = aws.notifier(&account);
    notifier.sns.publish("arn:t", &notification()).await.ok();
    let requests = replay.requests().into_iter();
    let in_account = requests.filter(|it| !it.url.contains("//sts."));
    let keys: Vec<_> = in_account.map(|it| it.access_key).collect();
    assert_eq!(keys, ["READER", "WATCHER", "PROVER", "NOTIFIER"]);
}

#[tokio::test]
async fn the_hubs_own_services_need_no_role() {
    let replay = Replay::of([refusal(400, "ParameterNotFound", "")]);
    assert_eq!(
        aws(&replay)
            .await
            .ssm()
            .in_force("/pipeshare/policy")
            .await
            .unwrap(),
        None
    );
    assert_eq!(replay.requests()[0].access_key, "HUBKEY");
}

#[tokio::test]
async fn an_account_without_the_role_is_told_apart_and_explained() {
    let refused = "User: arn:aws:sts::333333333333:assumed-role/f/f is not authorized to perform: sts:AssumeRole";
    let replay = Replay::of([xml_refusal(403, "AccessDenied", refused)]);
    let owner = aws(&replay).await.owner(&account("222222222222"));
    let error = owner.shares().await.unwrap_err();
    assert_eq!(error.class(), Class::Permanent);
    assert!(error.is("AccessDenied"));
    assert_eq!(
        error.to_string(),
        format!(
            "sts:AssumeRole in 222222222222 failed: AccessDenied: {refused} (account not \
             onboarded: deploy the account template, or the role's trust does not name this hub)"
        )
    );
}

#[tokio::test]
async fn an_sts_that_is_down_is_no_missing_role() {
    for answer in [
        xml_refusal(503, "ServiceUnavailable", "later"),
        xml_refusal(400, "Throttling", "Rate exceeded"),
        Answer::ConnectionCut,
    ] {
        let replay = Replay::of([answer]);
        let owner = aws(&replay).await.owner(&account("222222222222"));
        let error = owner.shares().await.unwrap_err();
        assert_eq!(error.class(), Class::Transient, "{error}");
        assert!(
            error
                .to_string()
                .starts_with("sts:AssumeRole in 222222222222"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn an_endpoint_override_is_for_every_service_and_for_sts() {
    let replay = Replay::by(empty_accounts);
    let aws = aws_at(&replay, Some("http://127.0.0.1:4566")).await;
    let consumer = aws.consumer(&account("111111111111"));
    consumer.ram.shares_among(&[]).await.unwrap();
    consumer.sagemaker.pipelines().await.unwrap();
    aws.ssm().newest("/p").await.unwrap();
    aws.sns().publish("arn:t", &notification()).await.ok();
    aws.table("t").get("p", "s").await.unwrap();
    aws.sqs()
        .send("http://q", "b", std::time::Duration::ZERO, 1)
        .await
        .ok();
    let requests = replay.requests();
    assert_eq!(requests.len(), 7);
    for request in requests {
        assert!(
            request.url.starts_with("http://127.0.0.1:4566/"),
            "{}",
            request.url
        );
    }
}

#[tokio::test]
async fn no_debug_form_shows_credentials() {
    let replay = Replay::by(empty_accounts);
    let aws = aws(&replay).await;
    let consumer = aws.consumer(&account("111111111111"));
    consumer.ram.shares_among(&[]).await.unwrap();
    let shown = format!("{aws:?} {consumer:?} {:?}", aws.ssm());
    for secret in ["hub-secret", "a-secret", "a-token"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[tokio::test]
async fn a_session_that_is_refused_is_replaced_if_it_is_old_and_for_people_if_it_is_new() {
    let (mut sessions, mut lists) = (0, 0);
    let replay = Replay::by(move |request| {
        if request.url.contains("//sts.") {
            sessions += 1;
            return session(&format!("SESSION{sessions}"));
        }
        lists += 1;
        match lists {
            2 | 3 => refusal(400, "UnrecognizedClientException", "The token is invalid."),
            _ => ok(&json!({ "PipelineSummaries": [] })),
        }
    });
    let aws = aws(&replay).await;
    let account = account("222222222222");
    aws.begin_invocation();
    aws.reader(&account).pipelines().await.unwrap();

    aws.begin_invocation();
    let reader = aws.reader(&account);
    let dead = reader.pipelines().await.unwrap_err();
    assert_eq!(dead.class(), Class::Transient, "it was at hand");
    assert_eq!(dead.alert(), None);
    let reader = aws.reader(&account);
    let refused = reader.pipelines().await.unwrap_err();
    assert_eq!(refused.class(), Class::Permanent, "it is new");
    assert!(
        refused.to_string().contains("enable this Region"),
        "{refused}"
    );
    assert!(!refused.is_of_hub());

    aws.begin_invocation();
    aws.reader(&account).pipelines().await.unwrap();
    let requests = replay.requests();
    let lists = requests.iter().filter(|it| !it.url.contains("//sts."));
    let keys: Vec<_> = lists.map(|request| request.access_key.as_str()).collect();
    assert_eq!(keys, ["SESSION1", "SESSION1", "SESSION2", "SESSION3"]);
}

#[tokio::test]
async fn all_sessions_in_an_account_end_with_the_one_that_is_refused() {
    let mut answers = 0;
    let replay = Replay::by(move |request| {
        if request.url.contains("//sts.") {
            return session("SESSION");
        }
        answers += 1;
        match answers {
            3 => refusal(403, "ExpiredTokenException", "The token is expired."),
            _ => ok(&json!({})),
        }
    });
    let aws = aws(&replay).await;
    let (refused, other) = (account("222222222222"), account("111111111111"));
    let assumed = || {
        let requests = replay.requests();
        requests
            .iter()
            .filter(|it| it.url.contains("//sts."))
            .count()
    };
    aws.begin_invocation();
    aws.owner(&refused).shares().await.unwrap();
    aws.reader(&other).pipelines().await.unwrap();
    aws.begin_invocation();
    aws.reader(&refused).pipelines().await.unwrap_err();
    assert_eq!(assumed(), 3);
    aws.owner(&refused).shares().await.unwrap();
    aws.reader(&other).pipelines().await.unwrap();
    assert_eq!(assumed(), 4, "the other account's is as good as before");
}

#[tokio::test]
async fn the_functions_own_session_is_never_new() {
    let refused = refusal(400, "UnrecognizedClientException", "The token is invalid.");
    let replay = Replay::of([refused]);
    let aws = aws(&replay).await;
    aws.begin_invocation();
    let error = aws.ssm().newest("/p").await.unwrap_err();
    assert_eq!(error.class(), Class::Transient);
    assert_eq!(error.advice(), None);
}
