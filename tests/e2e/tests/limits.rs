//! Whoever can have people told of something cannot do so without end: the
//! first of a day are told, the last of them says so, and nothing that lasts is lost.

use aws_sdk_ram::types::Tag;
use e2e::{DEV, SWEEP, Scenario, end_event, readers, ungated};

#[tokio::test]
async fn an_owner_that_puts_foreign_pipelines_in_and_takes_them_out_is_told_ten_times_a_day() {
    let policy = readers("pipelines: [\"churn*\"]");
    let scenario = Scenario::begin(&policy).await;
    scenario.create(&scenario.test, "churn").await;
    let secret = scenario.create(&scenario.test, "secret").await;
    scenario.pass(SWEEP).await;
    let reports = |scenario: &Scenario| scenario.hub_told("has to take away what is too much");
    let put_in = async || {
        scenario.put_in(std::slice::from_ref(&secret)).await;
        scenario.pass(2 * SWEEP).await;
    };
    for times in 1..=12 {
        put_in().await;
        assert_eq!(reports(&scenario).len(), times.min(10), "{times}");
    }
    let told = reports(&scenario);
    assert!(!told[8].contains("last message of the day"), "{}", told[8]);
    assert!(told[9].contains("last message of the day"), "{}", told[9]);
    assert!(
        scenario.logs().contains("notification postponed"),
        "the log has all"
    );
    scenario.pass(10 * 3_600).await;
    assert_eq!(reports(&scenario).len(), 10, "what is over is over");
    put_in().await;
    assert_eq!(reports(&scenario).len(), 11, "another day");
    assert_eq!(scenario.dead_letters(), 0);
}

#[tokio::test]
async fn what_an_owner_makes_and_deletes_all_day_is_told_together_and_none_of_it_is_lost() {
    let scenario = Scenario::sharing(&ungated(), &["churn"]).await;
    let told = |scenario: &Scenario| scenario.estate.mailbox(DEV);
    for _ in 0..13 {
        scenario.create(&scenario.test, "toggled").await;
        scenario.pass(SWEEP).await;
        scenario.delete(&scenario.test, "toggled").await;
        scenario.pass(SWEEP).await;
    }
    let scarce = |text: &&String| text.contains("told together, once an hour");
    let all = told(&scenario);
    let first = all.iter().position(|text| scarce(&text)).unwrap();
    assert_eq!(first, 19, "{all:#?}");
    // Two or three hours are left of the nine.
    assert!((20..=23).contains(&all.len()), "{}", all.len());
    let stays = scenario.create(&scenario.test, "stays").await;
    scenario.pass(2 * 3_600).await;
    let all = told(&scenario);
    let gained = format!("+ {stays}, since 2026-");
    let about = all.iter().filter(|text| text.contains(&gained));
    assert_eq!(about.count(), 1, "{all:#?}");
    let last = all.last().unwrap();
    assert!(last.contains("By this rule now: 2 pipelines"), "{last}");
    assert_eq!(scenario.dead_letters(), 0);
}

#[tokio::test]
async fn problems_that_an_owner_makes_up_are_told_ten_times_a_day() {
    let scenario = Scenario::sharing(&ungated(), &["churn"]).await;
    let problems = |scenario: &Scenario| scenario.hub_told("may neither change nor delete it");
    for times in 1..=12 {
        let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build();
        let made = scenario.test.ram.create_resource_share();
        let made = made
            .name(format!("mine-{times}"))
            .tags(tag("pipeshare:managed", "true"))
            .tags(tag("pipeshare:rule", "test-readers"));
        made.send().await.unwrap();
        scenario.pass(SWEEP).await;
        assert_eq!(problems(&scenario).len(), times.min(10), "{times}");
    }
    let told = problems(&scenario);
    assert!(told[9].contains("last message of the day"), "{}", told[9]);
    scenario.pass(12 * 3_600).await;
    let told = problems(&scenario);
    assert_eq!(told.len(), 11, "what lasts is told the next day");
    assert!(told[10].contains("and 2 more"), "{}", told[10]);
}

#[tokio::test]
async fn ends_that_somebody_makes_up_are_told_ten_times_a_day_and_true_ones_always() {
    let scenario = Scenario::sharing(&ungated(), &["churn"]).await;
    scenario.fail_next("churn", "Train", "bad luck");
    let run = scenario.start(&scenario.test, "churn", "first").await;
    scenario.pass(SWEEP).await;
    let failed = |mailbox: Vec<String>| {
        let failed = |text: &String| text.lines().next().unwrap().ends_with(": Failed");
        mailbox.into_iter().filter(failed).collect::<Vec<_>>()
    };
    let dev = |scenario: &Scenario| failed(scenario.estate.mailbox(DEV));
    let hub = |scenario: &Scenario| failed(scenario.estate.hub_mailbox());
    assert_eq!((dev(&scenario).len(), hub(&scenario).len()), (1, 1));
    // Of runs that never were, and of one that was: at other times than its own.
    let made_up = run.rsplit_once('/').unwrap().0;
    for number in 10..40 {
        let time = format!("2026-01-05T08:{number}:00Z");
        for execution in [run.clone(), format!("{made_up}/made-up-{number}")] {
            let event = end_event(&execution, "Failed", &time);
            scenario.send("forward-status", &event.to_string());
        }
    }
    scenario.pass(300).await;
    for told in [dev(&scenario), hub(&scenario)] {
        assert_eq!(told.len(), 11, "{told:#?}");
        assert!(told[10].contains("last message of the day"), "{}", told[10]);
    }
    assert!(scenario.logs().contains("\"NotificationsUnconfirmed\":"));
    // Fifteen true ones behind it.
    for number in 1..=15 {
        scenario.fail_next("churn", "Train", &format!("reason {number}."));
        let name = format!("again-{number}");
        scenario.start(&scenario.test, "churn", &name).await;
        scenario.pass(300).await;
    }
    for told in [dev(&scenario), hub(&scenario)] {
        assert_eq!(told.len(), 11 + 15, "{told:#?}");
        for number in 1..=15 {
            let reason = format!("reason {number}.");
            let about = told.iter().filter(|text| text.contains(&reason));
            assert_eq!(about.count(), 1, "{reason}");
        }
    }
    assert_eq!(scenario.dead_letters(), 0);
}
