//! Parameter Store: the policy, its versions and the label on the one in force.

use aws_config::SdkConfig;
use aws_sdk_ssm::{Client, types::Parameter};
use domain::policy::{TeamVersions, Version};
use futures::future::try_join_all;
use jiff::Timestamp;

use crate::{
    clients::{Session, retry_partition},
    clock::Clock,
    error::{Error, Service},
    time::timestamp,
};

/// The label on the version that every function reads.
pub const IN_FORCE: &str = "in-force";

/// How many names `GetParameters` takes.
const MOST_NAMES: usize = 10;

/// How many versions a page of `GetParameterHistory` has at most.
const MOST_VERSIONS: i32 = 50;

/// The parameters of an account, the function's own as a rule.
#[derive(Debug, Clone)]
pub struct Ssm {
    client: Client,
    clock: Clock,
    pub(crate) service: Service,
}

impl Ssm {
    pub(crate) fn new(config: &SdkConfig) -> Self {
        Self::of(config, None)
    }

    /// The parameters of another account, with credentials for it.
    pub(crate) fn of(config: &SdkConfig, session: Option<Session>) -> Self {
        let clock = Clock::default();
        let mut config = aws_sdk_ssm::config::Builder::from(config).interceptor(clock.clone());
        config.set_retry_partition(retry_partition(
            "ssm",
            session.as_ref().map(Session::account),
        ));
        Self {
            client: Client::from_conf(config.build()),
            clock,
            service: Service::new("ssm", session),
        }
    }

    /// The time at AWS when it gave its last answer; none before the first.
    ///
    /// Whoever has to know the time and is not told has to ask somebody, and
    /// every function reads its policy first.
    #[must_use]
    pub fn time(&self) -> Option<Timestamp> {
        self.clock.time()
    }

    /// The newest version; none if there is no such parameter.
    pub async fn newest(&self, name: &str) -> Result<Option<Version>, Error> {
        self.get(name).await
    }

    /// The version in force; none until a first one was put in force.
    pub async fn in_force(&self, name: &str) -> Result<Option<Version>, Error> {
        self.get(&format!("{name}:{IN_FORCE}")).await
    }

    /// Reads a version, also one that somebody, or an organization's rules, made a secret.
    ///
    /// Of other types, SSM ignores that they are to be decrypted.
    async fn get(&self, selector: &str) -> Result<Option<Version>, Error> {
        let answer = self
            .client
            .get_parameter()
            .name(selector)
            .with_decryption(true)
            .send()
            .await
            .map_err(self.service.failed("GetParameter"));
        match answer {
            Ok(answer) => Ok(answer.parameter.map(version)),
            Err(error) if error.is("ParameterNotFound") || error.is("ParameterVersionNotFound") => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// The documents of teams below the policy's parameter, of those that there
    /// are: the versions with a label, or the newest ones.
    ///
    /// `GetParameters` takes ten names with their selectors, and leaves out
    /// what it does not find; `GetParametersByPath` would read documents of
    /// nobody's team as well, and its pages may be empty before the last.
    pub async fn documents(
        &self,
        policy: &str,
        teams: &[String],
        label: Option<&str>,
    ) -> Result<TeamVersions, Error> {
        let selector = label.map_or(String::new(), |label| format!(":{label}"));
        let calls = teams.chunks(MOST_NAMES).map(async |teams| {
            let names = teams
                .iter()
                .map(|team| format!("{policy}/{team}{selector}"));
            let call = self
                .client
                .get_parameters()
                .set_names(Some(names.collect()));
            let answer = call.with_decryption(true).send().await;
            answer.map_err(self.service.failed("GetParameters"))
        });
        let mut documents = TeamVersions::new();
        for answer in try_join_all(calls).await? {
            for parameter in answer.parameters.unwrap_or_default() {
                let name = parameter.name().unwrap_or_default();
                if let Some((_, team)) = name.rsplit_once('/') {
                    documents.insert(team.to_owned(), version(parameter));
                }
            }
        }
        Ok(documents)
    }

    /// The ARN of who wrote a version; none if SSM has forgotten it.
    ///
    /// The order of the history is not documented, so it is read until the version is found.
    pub async fn written_by(&self, name: &str, version: i64) -> Result<Option<String>, Error> {
        let mut token = None;
        loop {
            let call = self.client.get_parameter_history().name(name);
            let call = call.max_results(MOST_VERSIONS).set_next_token(token);
            let answer = call.send().await;
            let page = answer.map_err(self.service.failed("GetParameterHistory"))?;
            let mut versions = page.parameters().iter();
            if let Some(found) = versions.find(|it| it.version() == version) {
                return Ok(found.last_modified_user().map(str::to_owned));
            }
            token = page.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(None);
            }
        }
    }

    /// Moves the label to a version.
    pub async fn put_in_force(&self, name: &str, version: i64) -> Result<(), Error> {
        let answer = self
            .client
            .label_parameter_version()
            .name(name)
            .parameter_version(version)
            .labels(IN_FORCE)
            .send()
            .await
            .map_err(self.service.failed("LabelParameterVersion"))?;
        match answer.invalid_labels() {
            [] => Ok(()),
            labels => Err(self.service.refused(
                "LabelParameterVersion",
                Some("InvalidLabels"),
                labels.join(", "),
            )),
        }
    }
}

fn version(parameter: Parameter) -> Version {
    Version {
        version: parameter.version,
        // "Date the parameter was last changed or updated and the parameter
        // version was created": the service's words for `LastModifiedDate`.
        written: parameter.last_modified_date().and_then(timestamp),
        text: parameter.value.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::replay::{Replay, ok, refusal};

    async fn ssm(replay: &Replay) -> Ssm {
        Ssm::new(&replay.config().await)
    }

    #[tokio::test]
    async fn the_newest_version_and_the_one_in_force_are_two_questions() {
        let parameter = |version: i64| {
            ok(&json!({ "Parameter": { "Version": version, "Value": "version: 1" } }))
        };
        let replay = Replay::of([parameter(8), parameter(7)]);
        let ssm = ssm(&replay).await;
        assert_eq!(
            ssm.newest("/pipeshare/policy")
                .await
                .unwrap()
                .unwrap()
                .version,
            8
        );
        let in_force = ssm.in_force("/pipeshare/policy").await.unwrap().unwrap();
        assert_eq!(
            (in_force.version, in_force.text.as_str()),
            (7, "version: 1")
        );
        let names: Vec<_> = replay
            .requests()
            .iter()
            .map(|request| request.json()["Name"].clone())
            .collect();
        assert_eq!(names, ["/pipeshare/policy", "/pipeshare/policy:in-force"]);
        let mut requests = replay.requests().into_iter();
        assert!(requests.all(|request| request.json()["WithDecryption"] == true));
    }

    #[tokio::test]
    async fn ten_documents_are_read_at_once_and_what_is_not_there_is_left_out() {
        let found = json!({
            "Parameters": [{ "Name": "/p/team-3", "Version": 4, "Value": "version: 1" }],
            "InvalidParameters": ["/p/team-4:in-force"],
        });
        let replay = Replay::of([ok(&found), ok(&json!({}))]);
        let teams: Vec<_> = (0..11).map(|number| format!("team-{number}")).collect();
        let documents = ssm(&replay)
            .await
            .documents("/p", &teams, Some(IN_FORCE))
            .await
            .unwrap();
        assert_eq!(documents.len(), 1);
        assert_eq!(documents["team-3"].version, 4);
        let requests = replay.requests();
        let mut names: Vec<_> = requests
            .iter()
            .map(|it| it.json()["Names"].clone())
            .collect();
        names.sort_by_key(|names| names.as_array().map(Vec::len));
        assert_eq!(names[0], json!(["/p/team-10:in-force"]));
        assert_eq!(names[1].as_array().map(Vec::len), Some(10));
    }

    #[tokio::test]
    async fn a_parameter_or_label_that_is_not_there_is_no_failure_but_a_denial_is() {
        let replay = Replay::of([
            refusal(400, "ParameterNotFound", ""),
            refusal(400, "ParameterVersionNotFound", ""),
            refusal(400, "AccessDeniedException", ""),
        ]);
        let ssm = ssm(&replay).await;
        assert_eq!(ssm.in_force("/p").await.unwrap(), None);
        assert_eq!(ssm.in_force("/p").await.unwrap(), None);
        assert!(ssm.in_force("/p").await.is_err());
    }

    #[tokio::test]
    async fn a_label_that_is_refused_under_http_200_is_a_failure() {
        let replay = Replay::of([
            ok(&json!({ "InvalidLabels": [], "ParameterVersion": 8 })),
            ok(&json!({ "InvalidLabels": ["in-force"], "ParameterVersion": 8 })),
        ]);
        let ssm = ssm(&replay).await;
        ssm.put_in_force("/p", 8).await.unwrap();
        assert!(
            ssm.put_in_force("/p", 8)
                .await
                .unwrap_err()
                .is("InvalidLabels")
        );
        let expected = json!({ "Name": "/p", "ParameterVersion": 8, "Labels": ["in-force"] });
        assert_eq!(replay.requests()[0].json(), expected);
    }
}
