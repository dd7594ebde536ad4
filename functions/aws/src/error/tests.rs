use domain::id::AccountId;

use crate::{
    Class, Error,
    replay::{Answer, Replay, refusal},
    ssm::Ssm,
};

async fn error_of(answer: Answer) -> Error {
    let replay = Replay::of([answer]);
    Ssm::new(&replay.config().await)
        .newest("/p")
        .await
        .unwrap_err()
}

#[tokio::test]
async fn silence_of_the_network_is_transient() {
    for answer in [Answer::ConnectionCut, Answer::Timeout] {
        let error = error_of(answer).await;
        assert_eq!(error.class(), Class::Transient, "{error}");
        assert_eq!(error.code(), None);
    }
}

#[tokio::test]
async fn an_answer_that_is_no_aws_answer_is_classified_by_its_status() {
    let proxy = Answer::Http(502, "<html>Bad gateway</html>".to_owned());
    assert_eq!(error_of(proxy).await.class(), Class::Transient);
    let portal = Answer::Http(403, "<html>Sign in</html>".to_owned());
    assert_eq!(error_of(portal).await.class(), Class::Permanent);
}

#[tokio::test]
async fn an_error_says_which_call_failed_and_what_aws_said() {
    let error = error_of(refusal(400, "InvalidParameters", "You may not.")).await;
    assert_eq!(
        error.to_string(),
        "ssm:GetParameter failed: InvalidParameters: You may not."
    );
    assert_eq!(error.account(), None::<&AccountId>);
}

#[tokio::test]
async fn a_refused_signature_is_not_quoted() {
    let message = "The canonical string should have been x-amz-security-token:TOKEN";
    let error = error_of(refusal(403, "InvalidSignatureException", message)).await;
    assert!(!format!("{error} {error:?}").contains("TOKEN"), "{error:?}");
}

#[tokio::test]
async fn a_signature_of_another_time_is_made_anew_and_told_apart() {
    let message = "Signature expired: 20260105T090000Z is now earlier than 20260105T091000Z";
    let error = error_of(refusal(403, "InvalidSignatureException", message)).await;
    assert_eq!(error.class(), Class::Transient);
    assert!(
        error.message().ends_with("it is not of this time"),
        "{error}"
    );
}

#[tokio::test]
async fn an_answer_that_was_cut_off_is_silence() {
    let cut = Answer::Http(200, r#"{ "Parameter": { "Vers"#.to_owned());
    assert_eq!(error_of(cut).await.class(), Class::Transient);
}
