use super::super::{model::Key, notices};
use super::*;
use crate::services::events::ServiceEvent;

fn accounts(notices: &[ServiceEvent]) -> Vec<&str> {
    notices
        .iter()
        .map(|notice| notice.account.as_str())
        .collect()
}

#[test]
fn owner_and_principal_hear_of_an_association() {
    let mut world = world();
    let share = accepted(&mut world);
    for key in [Key::principal(CONSUMER), Key::resource(TRAIN)] {
        let notices = notices::of_association(&world, &share, &key);
        assert_eq!(accounts(&notices), [OWNER, CONSUMER], "{key:?}");
        let notice = &notices[1];
        assert_eq!(notice.source, "aws.ram");
        assert_eq!(notice.detail_type, "Resource Sharing State Change");
        assert_eq!(notice.region, REGION);
        assert_eq!(notice.resources[..], [share.as_str()]);
        assert_eq!(
            notice.detail,
            json!({ "event": "Resource Share Association", "status": "associated" })
        );
    }
}

#[test]
fn a_failure_is_announced_in_lower_case_as_documented() {
    let mut world = world();
    let share = create(
        &mut world,
        json!({ "name": "s", "resourceArns": [MISSING] }),
    );
    let notices = notices::of_association(&world, &share, &Key::resource(MISSING));
    assert_eq!(accounts(&notices), [OWNER]);
    assert_eq!(
        notices[0].detail,
        json!({ "event": "Resource Share Association", "status": "failed" })
    );
}

#[test]
fn what_is_under_way_is_not_announced() {
    let mut world = world();
    let share = offered(&mut world);
    let notices = notices::of_association(&world, &share, &Key::principal(CONSUMER));
    assert_eq!(accounts(&notices), Vec::<&str>::new());
}

#[test]
fn every_member_hears_of_a_share_with_the_organization() {
    let mut world = organization();
    let everybody = world.organization.arn();
    let share = create(
        &mut world,
        json!({ "name": "s", "principals": [everybody] }),
    );
    let notices = notices::of_association(&world, &share, &Key::principal(&everybody));
    assert_eq!(accounts(&notices), [OWNER, CONSUMER]);
}

#[test]
fn sender_and_receiver_hear_of_an_invitation() {
    let mut world = world();
    offered(&mut world);
    let invitation = world.ram.invitations.values().next().unwrap();
    let notices = notices::of_invitation(&world, invitation);
    assert_eq!(accounts(&notices), [OWNER, CONSUMER]);
    assert_eq!(
        notices[0].detail,
        json!({ "event": "Resource Share Invitation", "status": "pending" })
    );
}

#[test]
fn the_consumers_bus_receives_what_happens_to_its_access_in_order() {
    let mut world = world();
    let share = accepted(&mut world);
    let input = json!({ "resourceShareArn": share });
    ok(&mut world, OWNER, "DeleteResourceShare", input);
    pass(&mut world, 2);
    let of_consumer = world
        .events
        .seen
        .iter()
        .filter(|seen| seen.account == CONSUMER);
    let told: Vec<(String, String)> = of_consumer
        .map(|seen| {
            (
                text(&seen.event, "/detail/event"),
                text(&seen.event, "/detail/status"),
            )
        })
        .collect();
    let expected = [
        ("Resource Share Invitation", "pending"),
        ("Resource Share Association", "associated"),
        ("Resource Share Invitation", "accepted"),
        ("Resource Share Association", "disassociated"),
    ]
    .map(|(event, status)| (event.to_owned(), status.to_owned()));
    assert_eq!(told, expected);
}
