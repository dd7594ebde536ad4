//! The keys of the table: what is stored under one is found only under the same one, in every version.

use domain::{
    notification::{Destination, Grant},
    storage::{self, Key},
};

use crate::expect;

#[test]
fn every_key() {
    let (owner, consumer) = (
        "222222222222".parse().unwrap(),
        "111111111111".parse().unwrap(),
    );
    let pipeline = "arn:aws:sagemaker:eu-west-1:222222222222:pipeline/Churn"
        .parse()
        .unwrap();
    let execution =
        "arn:aws:sagemaker:eu-west-1:222222222222:pipeline/churn/execution/p4jn9xou8a8s"
            .parse()
            .unwrap();
    let share =
        "arn:aws:ram:eu-west-1:222222222222:resource-share/6d7f4a8e-0000-4000-8000-000000000001"
            .parse()
            .unwrap();
    let rule = "test-readers".parse().unwrap();
    let grant = Grant {
        rule: "test-readers".parse().unwrap(),
        owner: "222222222222".parse().unwrap(),
    };
    let created = "2026-01-05T09:00:00.123Z".parse().unwrap();
    let day = "2026-01-05";
    let bus = Destination::Bus("111111111111".parse().unwrap()).to_string();
    let key = |Key { pk, sk }: Key| format!("{pk}  {sk}");
    let lines = [
        key(storage::owner_account(&owner)),
        storage::WATERMARK.to_owned(),
        storage::hook_gates(&owner),
        key(storage::hook_gate(&rule, &pipeline, created)),
        storage::succeeded_gates(&owner),
        key(storage::succeeded_gate(&pipeline, created)),
        storage::runs("0123abcd"),
        storage::attempt("0123abcd"),
        key(storage::consumer(&consumer)),
        storage::shared(&consumer),
        key(storage::held(&consumer, &grant, 0)),
        key(storage::distrusted(&consumer, &share)),
        key(storage::unsent(&consumer, "id-of-the-notification", 7)),
        storage::told(&bus),
        storage::told_of(&bus, &execution),
        key(storage::strangers(&consumer, day)),
        key(storage::refusals(&consumer, &owner, day)),
        key(storage::alerts(&owner, day)),
        key(storage::expired(&owner, day)),
        key(storage::unconfirmed(&owner, &bus, day)),
        key(storage::limit_of_changes(&consumer, &grant)),
        key(storage::limit_of_excess(&consumer, &owner)),
    ];
    expect("keys.txt", &(lines.join("\n") + "\n"));
}
