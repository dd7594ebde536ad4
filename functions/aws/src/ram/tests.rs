use std::ops::ControlFlow;

use aws_sdk_ram::Client;
use domain::{
    id::{AccountId, InvitationArn, PermissionArn, PipelineArn, Principal, ShareArn},
    invitation::Accepted,
    sharing::NewShare,
    status::{AssociationStatus, InvitationStatus},
};
use serde_json::{Value, json};

use super::{ConsumerRam, OwnerRam};
use crate::{
    Class,
    replay::{Answer, Replay, Request, ok, refusal},
};

const SHARE: &str = "arn:aws:ram:eu-west-1:222222222222:resource-share/11111111-1111";
const OLD_SHARE: &str = "arn:aws:ram:eu-west-1:222222222222:resource-share/00000000-0000";
const OTHERS_SHARE: &str = "arn:aws:ram:eu-west-1:222222222222:resource-share/22222222-2222";
const INVITATION: &str =
    "arn:aws:ram:eu-west-1:222222222222:resource-share-invitation/33333333-3333";

fn account(text: &str) -> AccountId {
    text.parse().unwrap()
}

fn share() -> ShareArn {
    SHARE.parse().unwrap()
}

fn invitation() -> InvitationArn {
    INVITATION.parse().unwrap()
}

fn pipeline(number: usize) -> PipelineArn {
    format!("arn:aws:sagemaker:eu-west-1:222222222222:pipeline/p{number}")
        .parse()
        .unwrap()
}

async fn owner(replay: &Replay) -> OwnerRam {
    OwnerRam::new(
        Client::new(&replay.config().await),
        account("222222222222").into(),
    )
}

async fn consumer(replay: &Replay) -> ConsumerRam {
    ConsumerRam::new(
        Client::new(&replay.config().await),
        account("111111111111").into(),
    )
}

fn association(entity: &str, status: &str) -> Value {
    json!({
        "resourceShareArn": SHARE,
        "associatedEntity": entity,
        "status": status,
        "creationTime": 1_800_000_000,
    })
}

/// The permission to read pipelines, as a share has it.
fn permission(share: &str, is_default: bool) -> Value {
    json!({
        "arn": "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionSageMakerPipeline",
        "resourceType": "sagemaker:Pipeline", "defaultVersion": is_default,
        "permissionVersion": "1", "resourceShareArn": share,
    })
}

/// One live share and one that was deleted, each list in two pages of which
/// the first is empty.
fn account_with_shares(request: &Request) -> Answer {
    let body = request.json();
    if body["nextToken"].is_null() {
        return ok(&json!({
            "nextToken": "more", "resourceShares": [], "resourceShareAssociations": [],
            "permissions": [],
        }));
    }
    match (request.path(), body["associationType"].as_str()) {
        ("/getresourceshares", _) => ok(&json!({ "resourceShares": [
            {
                "resourceShareArn": SHARE, "name": "pipeshare-readers", "status": "ACTIVE",
                "owningAccountId": "222222222222", "allowExternalPrincipals": true,
                "creationTime": 1_800_000_000,
                "tags": [
                    { "key": "pipeshare:managed", "value": "true" },
                    { "key": "pipeshare:rule", "value": "readers" },
                ],
            },
            { "resourceShareArn": OLD_SHARE, "name": "pipeshare-readers", "status": "DELETED" },
        ] })),
        ("/getresourceshareassociations", Some("PRINCIPAL")) => ok(&json!({
            "resourceShareAssociations": [association("111111111111", "ASSOCIATING")],
        })),
        ("/getresourceshareassociations", Some("RESOURCE")) => {
            let mut failed = association(pipeline(1).as_str(), "FAILED");
            failed["statusMessage"] = "no policy".into();
            ok(
                &json!({ "resourceShareAssociations": [failed, association("arn:aws:x", "NEW_STATUS")] }),
            )
        }
        ("/listpermissionassociations", _) => ok(&json!({ "permissions": [
            permission(SHARE, true), permission(OTHERS_SHARE, false),
        ] })),
        (path, _) => panic!("unexpected {path}"),
    }
}

#[tokio::test]
async fn an_owners_shares_come_with_all_that_is_in_them() {
    let replay = Replay::by(account_with_shares);
    let shares = owner(&replay).await.shares().await.unwrap();

    let [live, gone] = shares.as_slice() else {
        panic!("{shares:?}");
    };
    assert_eq!(
        (&live.arn, live.rule.as_deref()),
        (&share(), Some("readers"))
    );
    assert!(live.live);
    assert!(live.allow_external);
    assert_eq!(live.created.as_second(), 1_800_000_000);
    let principal = &live.principals[0];
    assert_eq!(principal.entity, "111111111111");
    assert_eq!(principal.status, AssociationStatus::Associating);
    let [failed, strange] = live.resources.as_slice() else {
        panic!("{live:?}");
    };
    assert_eq!(failed.entity, pipeline(1).as_str());
    assert_eq!(failed.status, AssociationStatus::Failed);
    assert_eq!(failed.message.as_deref(), Some("no policy"));
    assert_eq!(strange.entity, "arn:aws:x");
    assert_eq!(
        strange.status,
        AssociationStatus::Other("NEW_STATUS".to_owned())
    );
    assert_eq!(live.permissions, [PermissionArn::read("aws")]);

    assert!(!gone.live);
    assert!(gone.principals.is_empty() && gone.permissions.is_empty());
}

#[tokio::test]
async fn only_shares_that_exist_are_asked_for_their_contents_and_only_by_what_ram_can_filter() {
    let replay = Replay::by(account_with_shares);
    owner(&replay).await.shares().await.unwrap();

    let requests = replay.requests();
    let list = requests[0].json();
    assert_eq!(list["resourceOwner"], "SELF");
    assert_eq!(
        list["tagFilters"],
        json!([{ "tagKey": "pipeshare:managed" }])
    );
    assert!(list["resourceShareStatus"].is_null());
    for request in &requests {
        assert!(!request.text.contains(OLD_SHARE), "{}", request.text);
        assert!(request.json()["associationStatus"].is_null());
        assert_eq!(request.json()["maxResults"], 500, "{}", request.path());
    }
    assert_eq!(requests.len(), 2 * 4, "four lists, each in two pages");
}

/// So many shares of an account, with what the list of all permissions says,
/// and which of them are asked for theirs.
async fn asked_for_permissions(
    shares: usize,
    listed: impl Fn(&str) -> Vec<Value> + Send + 'static,
    is_denied: bool,
) -> (Vec<Vec<PermissionArn>>, Vec<bool>, Vec<String>) {
    let arn =
        |number| format!("arn:aws:ram:eu-west-1:222222222222:resource-share/0000-{number:04}");
    let arns: Vec<_> = (0..shares).map(arn).collect();
    let replay = Replay::by(move |request| match request.path() {
        "/getresourceshares" => {
            let share = |arn| json!({ "resourceShareArn": arn, "status": "ACTIVE" });
            let shares: Vec<_> = arns.iter().map(share).collect();
            ok(&json!({ "resourceShares": shares }))
        }
        "/listpermissionassociations" if is_denied => {
            refusal(400, "AccessDeniedException", "an older template")
        }
        "/listpermissionassociations" => {
            let all: Vec<_> = arns.iter().flat_map(|arn| listed(arn)).collect();
            ok(&json!({ "permissions": all }))
        }
        "/listresourcesharepermissions" => ok(&json!({ "permissions": [{
            "arn": PermissionArn::execute("aws").as_str(), "defaultVersion": true,
            "resourceType": "sagemaker:Pipeline",
        }] })),
        _ => ok(&json!({ "resourceShareAssociations": [] })),
    });
    let shares = owner(&replay).await.shares().await.unwrap();
    let asked = replay.requests().into_iter();
    let asked = asked.filter(|it| it.path() == "/listresourcesharepermissions");
    let asked = asked.map(|it| it.json()["resourceShareArn"].as_str().unwrap().to_owned());
    let mut asked: Vec<_> = asked.collect();
    asked.sort();
    let outdated = shares.iter().map(|share| share.outdated).collect();
    let permissions = shares.into_iter().map(|share| share.permissions);
    (permissions.collect(), outdated, asked)
}

#[tokio::test]
async fn permissions_of_all_shares_come_by_one_list() {
    let listed = |arn: &str| vec![permission(arn, true)];
    let (permissions, outdated, asked) = asked_for_permissions(120, listed, false).await;
    assert_eq!(permissions, vec![[PermissionArn::read("aws")]; 120]);
    assert_eq!(outdated, [false; 120]);
    assert_eq!(asked, [""; 0]);
}

#[tokio::test]
async fn a_share_that_the_list_of_permissions_lacks_or_shows_as_outdated_is_asked_itself() {
    let of_other_type = |arn: &str| {
        let mut other = permission(arn, false);
        other["resourceType"] = "ec2:Subnet".into();
        other
    };
    let listed = move |arn: &str| match &arn[arn.len() - 1..] {
        "0" => vec![],
        "1" => vec![permission(arn, false)],
        "2" => vec![permission(arn, true), permission(arn, true)],
        "3" => vec![of_other_type(arn)],
        _ => vec![permission(arn, true), of_other_type(arn)],
    };
    let (permissions, outdated, asked) = asked_for_permissions(5, listed, false).await;
    let ends = asked.iter().map(|arn| &arn[arn.len() - 1..]);
    assert_eq!(ends.collect::<Vec<_>>(), ["0", "1", "2", "3"]);
    let execute = vec![PermissionArn::execute("aws")];
    let mut expected = vec![execute; 4];
    expected.push(vec![PermissionArn::read("aws")]);
    assert_eq!(permissions, expected);
    assert_eq!(outdated, [false; 5], "the share itself decides");
}

#[tokio::test]
async fn an_account_with_an_older_template_is_asked_share_by_share() {
    let (permissions, _, asked) = asked_for_permissions(3, |_| Vec::new(), true).await;
    assert_eq!(permissions, vec![[PermissionArn::execute("aws")]; 3]);
    assert_eq!(asked.len(), 3);
}

#[tokio::test]
async fn associations_are_read_a_hundred_shares_and_five_hundred_items_at_a_time() {
    let replay = Replay::by(|request| match request.path() {
        "/getresourceshares" => {
            let share = |number| {
                let arn = format!("arn:aws:ram:eu-west-1:222222222222:resource-share/{number}");
                json!({ "resourceShareArn": arn, "status": "ACTIVE" })
            };
            let shares: Vec<_> = (0..250).map(share).collect();
            ok(&json!({ "resourceShares": shares }))
        }
        "/getresourceshareassociations" => {
            let shares = request.json()["resourceShareArns"].as_array().cloned();
            let of_share = |share: Value| {
                let mut found = association(pipeline(1).as_str(), "ASSOCIATED");
                found["resourceShareArn"] = share;
                found
            };
            let all: Vec<_> = shares.unwrap().into_iter().map(of_share).collect();
            ok(&json!({ "resourceShareAssociations": all }))
        }
        _ => ok(&json!({ "permissions": [] })),
    });
    let shares = owner(&replay).await.shares().await.unwrap();
    assert!(shares.iter().all(|share| share.resources.len() == 1));
    let requests = replay.requests().into_iter();
    let chunks = requests.filter(|it| it.path() == "/getresourceshareassociations");
    let sizes = chunks.map(|it| it.json()["resourceShareArns"].as_array().unwrap().len());
    let mut sizes: Vec<_> = sizes.collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [50, 50, 100, 100, 100, 100]);
}

#[tokio::test]
async fn a_page_token_that_comes_twice_does_not_cut_a_list_short() {
    let page = |token: Value| ok(&json!({ "resourceShareInvitations": [], "nextToken": token }));
    let replay = Replay::of([page("same".into()), page("same".into()), page(Value::Null)]);
    let invitations = consumer(&replay).await.invitations_to(&[]).await.unwrap();
    assert!(invitations.is_empty());
    assert_eq!(replay.requests().len(), 3);
}

#[tokio::test]
async fn a_share_is_created_empty_tagged_and_with_a_token() {
    let replay = Replay::of([ok(
        &json!({ "resourceShare": { "resourceShareArn": SHARE } }),
    )]);
    let new = NewShare {
        name: "pipeshare-readers".to_owned(),
        rule: "readers".parse().unwrap(),
        permission: PermissionArn::read("aws"),
        allow_external: false,
        client_token: "token-1".to_owned(),
    };
    assert_eq!(
        owner(&replay).await.create_share(&new).await.unwrap(),
        share()
    );
    let request = &replay.requests()[0];
    assert_eq!(
        (request.method.as_str(), request.path()),
        ("POST", "/createresourceshare")
    );
    assert_eq!(
        request.json(),
        json!({
            "name": "pipeshare-readers",
            "permissionArns": ["arn:aws:ram::aws:permission/AWSRAMDefaultPermissionSageMakerPipeline"],
            "allowExternalPrincipals": false,
            "clientToken": "token-1",
            "tags": [
                { "key": "pipeshare:managed", "value": "true" },
                { "key": "pipeshare:rule", "value": "readers" },
            ],
        })
    );
}

#[tokio::test]
async fn a_failed_association_under_http_200_is_reported_as_failed() {
    let replay = Replay::of([ok(&json!({
        "resourceShareAssociations": [association("111111111111", "FAILED")],
    }))]);
    let principals = [Principal::Account(account("111111111111"))];
    let associations = owner(&replay)
        .await
        .associate_principals(&share(), &principals)
        .await
        .unwrap();
    assert_eq!(associations[0].status, AssociationStatus::Failed);
    let body = replay.requests()[0].json();
    assert_eq!(
        body,
        json!({ "resourceShareArn": SHARE, "principals": ["111111111111"] })
    );
}

#[tokio::test]
async fn pipelines_are_associated_a_hundred_a_call_and_without_a_token() {
    let replay = Replay::by(|request| {
        let first = request.json()["resourceArns"][0]
            .as_str()
            .unwrap()
            .to_owned();
        ok(&json!({ "resourceShareAssociations": [association(&first, "ASSOCIATING")] }))
    });
    let pipelines: Vec<_> = (0..201).map(pipeline).collect();
    let associations = owner(&replay)
        .await
        .associate_pipelines(&share(), &pipelines)
        .await
        .unwrap();
    let sizes: Vec<_> = replay
        .requests()
        .iter()
        .map(|request| {
            assert!(request.json()["clientToken"].is_null());
            request.json()["resourceArns"].as_array().unwrap().len()
        })
        .collect();
    assert_eq!(sizes, [100, 100, 1]);
    let firsts: Vec<_> = associations
        .iter()
        .map(|found| found.entity.parse::<PipelineArn>().unwrap())
        .collect();
    assert_eq!(firsts, [pipeline(0), pipeline(100), pipeline(200)]);
}

#[tokio::test]
async fn nothing_to_associate_is_no_call() {
    let replay = Replay::of([]);
    let owner = owner(&replay).await;
    owner.associate_pipelines(&share(), &[]).await.unwrap();
    owner.disassociate_principals(&share(), &[]).await.unwrap();
    assert!(replay.requests().is_empty());
}

#[tokio::test]
async fn a_share_is_changed_and_deleted_by_its_arn() {
    let yes = ok(&json!({ "returnValue": true }));
    let replay = Replay::of([
        yes.clone(),
        ok(&json!({})),
        ok(
            &json!({ "resourceShareAssociations": [association(pipeline(1).as_str(), "DISASSOCIATING")] }),
        ),
        yes,
    ]);
    let owner = owner(&replay).await;
    owner
        .replace_permission(&share(), &PermissionArn::execute("aws"))
        .await
        .unwrap();
    owner.set_allow_external(&share(), true).await.unwrap();
    owner
        .disassociate_resources(&share(), &[pipeline(1).to_string()])
        .await
        .unwrap();
    owner.delete_share(&share()).await.unwrap();

    let requests = replay.requests();
    assert_eq!(requests[0].path(), "/associateresourcesharepermission");
    assert_eq!(requests[0].json()["replace"], true);
    assert_eq!(requests[1].path(), "/updateresourceshare");
    assert_eq!(
        requests[1].json(),
        json!({ "resourceShareArn": SHARE, "allowExternalPrincipals": true })
    );
    assert_eq!(requests[2].path(), "/disassociateresourceshare");
    assert_eq!(requests[3].method, "DELETE");
    assert!(
        requests[3]
            .path()
            .starts_with("/deleteresourceshare?resourceShareArn=")
    );
}

#[tokio::test]
async fn a_return_value_of_false_is_a_failure() {
    let replay = Replay::of([ok(&json!({ "returnValue": false }))]);
    let error = owner(&replay)
        .await
        .delete_share(&share())
        .await
        .unwrap_err();
    assert_eq!(error.class(), Class::Permanent);
}

#[tokio::test]
async fn disassociating_while_something_associates_is_not_yet_possible() {
    let message =
        "At least one of the associations in the resource share is in ASSOCIATING status.";
    let replay = Replay::of([refusal(400, "InvalidStateTransitionException", message)]);
    let refused = owner(&replay)
        .await
        .disassociate_resources(&share(), &[pipeline(1).to_string()])
        .await;
    let error = refused.unwrap_err();
    assert_eq!(error.class(), Class::Pending);
    assert_eq!(
        error.to_string(),
        format!(
            "ram:DisassociateResourceShare in 222222222222 failed: InvalidStateTransitionException: {message}"
        )
    );
}

#[tokio::test]
async fn invitations_of_every_status_are_listed_and_illegible_ones_hide_no_other() {
    let replay = Replay::of([ok(&json!({ "resourceShareInvitations": [
        { "resourceShareInvitationArn": "odd", "status": "PENDING" },
        {
            "resourceShareInvitationArn": INVITATION, "resourceShareArn": SHARE,
            "resourceShareName": "pipeshare-readers.111111111111", "status": "EXPIRED",
            "senderAccountId": "222222222222", "receiverAccountId": "111111111111",
            "invitationTimestamp": 1_800_000_000,
        },
    ] }))]);
    let invitations = consumer(&replay).await.invitations_to(&[]).await.unwrap();
    let [found] = invitations.as_slice() else {
        panic!("{invitations:?}");
    };
    assert_eq!(found.arn, invitation());
    assert_eq!(found.share, share());
    assert_eq!(found.status, InvitationStatus::Expired);
    assert_eq!(
        (&found.sender, &found.receiver),
        (&account("222222222222"), &account("111111111111"))
    );
}

#[tokio::test]
async fn what_an_invitation_holds_is_told_before_it_is_accepted() {
    let replay = Replay::of([
        ok(&json!({ "resources": [], "nextToken": "more" })),
        ok(&json!({ "resources": [{ "arn": "arn:aws:s3:::b", "type": "s3:Bucket" }] })),
    ]);
    let resources = consumer(&replay)
        .await
        .pending_resources(&invitation())
        .await
        .unwrap();
    assert_eq!(resources.unwrap()[0].kind, "s3:Bucket");
    assert_eq!(replay.requests()[1].json()["nextToken"], "more");
}

#[tokio::test]
async fn nothing_is_said_of_an_invitation_that_is_over() {
    let replay = Replay::of([
        refusal(400, "ResourceShareInvitationArnNotFoundException", ""),
        refusal(400, "ResourceShareInvitationExpiredException", ""),
        refusal(400, "ServiceUnavailableException", ""),
    ]);
    let consumer = consumer(&replay).await;
    for _ in 0..2 {
        let inside = consumer.pending_resources(&invitation()).await.unwrap();
        assert_eq!(inside, None);
    }
    assert!(consumer.pending_resources(&invitation()).await.is_err());
}

#[tokio::test]
async fn a_list_is_read_in_the_longest_pages_until_there_is_enough() {
    let page = |token: &str| ok(&json!({ "resourceShareInvitations": [], "nextToken": token }));
    let replay = Replay::of([page("a"), page("b"), page("c")]);
    let mut pages = 0;
    let take = |_| {
        pages += 1;
        if pages == 2 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    consumer(&replay).await.each_invitation(take).await.unwrap();
    let requests = replay.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].json(), json!({ "maxResults": 500 }));
}

#[tokio::test]
async fn a_share_that_ram_does_not_know_yet_is_not_there() {
    let replay = Replay::by(|_| refusal(400, "UnknownResourceException", ""));
    let consumer = consumer(&replay).await;
    assert_eq!(consumer.invitations_to(&[share()]).await.unwrap(), []);
    assert_eq!(consumer.shares_among(&[share()]).await.unwrap(), []);
    let take = |_| ControlFlow::Continue(());
    assert!(consumer.each_share(take).await.is_err());
}

#[tokio::test]
async fn accepting_or_rejecting_twice_is_no_failure() {
    let replay = Replay::of([
        ok(&json!({ "resourceShareInvitation": { "status": "ACCEPTED" } })),
        refusal(400, "ResourceShareInvitationAlreadyAcceptedException", ""),
        refusal(400, "ResourceShareInvitationAlreadyRejectedException", ""),
        refusal(400, "ResourceShareInvitationAlreadyRejectedException", ""),
        refusal(400, "ResourceShareInvitationExpiredException", ""),
        refusal(400, "MalformedArnException", ""),
        refusal(400, "MalformedArnException", ""),
    ]);
    let consumer = consumer(&replay).await;
    for expected in [Accepted::Now, Accepted::Already, Accepted::No] {
        assert_eq!(consumer.accept(&invitation()).await.unwrap(), expected);
    }
    for _ in 0..2 {
        consumer.reject(&invitation()).await.unwrap();
    }
    assert!(consumer.accept(&invitation()).await.is_err());
    assert!(consumer.reject(&invitation()).await.is_err());
}

fn in_share(share: &str, kind: &str) -> Value {
    json!({ "arn": pipeline(1).as_str(), "type": kind, "resourceShareArn": share })
}

#[tokio::test]
async fn a_consumer_sees_active_shares_of_others_and_what_is_in_them() {
    let replay = Replay::of([
        ok(&json!({ "resourceShares": [
            { "resourceShareArn": SHARE, "name": "n", "owningAccountId": "222222222222" },
        ] })),
        ok(&json!({ "nextToken": "more", "resources": [in_share(SHARE, "sagemaker:Pipeline")] })),
        ok(&json!({ "resources": [
            in_share(OLD_SHARE, "sagemaker:Pipeline"), in_share(SHARE, "ec2:Subnet"),
        ] })),
    ]);
    let consumer = consumer(&replay).await;
    let shares = consumer.shares_among(&[]).await.unwrap();
    assert_eq!(shares[0].owner, account("222222222222"));
    let old: ShareArn = OLD_SHARE.parse().unwrap();
    let both = [share(), old.clone()];
    let inside = consumer.resources(&both, 3).await.unwrap().unwrap();
    let kinds = |share: &ShareArn| {
        let kinds = inside[share].iter().map(|found| found.kind.clone());
        kinds.collect::<Vec<_>>()
    };
    assert_eq!(kinds(&share()), ["sagemaker:Pipeline", "ec2:Subnet"]);
    assert_eq!(kinds(&old), ["sagemaker:Pipeline"]);

    let requests = replay.requests();
    assert_eq!(
        requests[0].json(),
        json!({
            "resourceOwner": "OTHER-ACCOUNTS", "resourceShareStatus": "ACTIVE",
            "resourceShareArns": [], "maxResults": 500,
        })
    );
    assert_eq!(
        requests[1].json(),
        json!({
            "resourceOwner": "OTHER-ACCOUNTS", "resourceShareArns": [SHARE, OLD_SHARE],
            "maxResults": 500,
        })
    );
}

#[tokio::test]
async fn the_shares_with_a_pipeline_are_those_under_our_names_with_their_principals() {
    let resource = |share: &str, name: &str| {
        let mut resource = association(pipeline(1).as_str(), "ASSOCIATED");
        resource["resourceShareArn"] = json!(share);
        resource["resourceShareName"] = json!(name);
        resource
    };
    let associations = |items: &[Value], token: Option<&str>| {
        ok(&json!({ "resourceShareAssociations": items, "nextToken": token }))
    };
    let replay = Replay::of([
        associations(&[], Some("more")),
        associations(
            &[
                resource(SHARE, "pipeshare-readers.111111111111"),
                resource(OLD_SHARE, "by-hand"),
            ],
            None,
        ),
        associations(&[association("111111111111", "ASSOCIATING")], None),
    ]);
    let shares = owner(&replay)
        .await
        .shares_with(&pipeline(1))
        .await
        .unwrap();
    assert_eq!(shares.len(), 1);
    assert_eq!(shares[0].share, share());
    assert_eq!(
        shares[0].principals[0].status,
        AssociationStatus::Associating
    );
    let requests = replay.requests();
    assert_eq!(requests[0].json()["resourceArn"], pipeline(1).as_str());
    assert_eq!(requests[2].json()["resourceShareArns"], json!([SHARE]));
}

#[tokio::test]
async fn shares_with_too_much_are_read_no_further_and_one_alone_is_read_to_its_end() {
    let page = |token: Option<&str>| {
        let inside = [(); 2].map(|()| in_share(SHARE, "sagemaker:Pipeline"));
        ok(&json!({ "nextToken": token, "resources": inside }))
    };
    let answers = [Some("2"), Some("3"), Some("2"), Some("3"), None].map(page);
    let replay = Replay::of(answers);
    let consumer = consumer(&replay).await;
    let old: ShareArn = OLD_SHARE.parse().unwrap();
    assert_eq!(consumer.resources(&[share(), old], 3).await.unwrap(), None);
    assert_eq!(replay.requests().len(), 2);
    let alone = consumer.resources(&[share()], 3).await.unwrap().unwrap();
    assert_eq!(alone[&share()].len(), 6);
}
