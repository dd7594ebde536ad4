//! What an owner account allows at most, as its template wrote it down there.

use domain::{ceiling::Ceiling, id::AccountId};

use crate::{Aws, clients::Role, error::Error};

/// The parameter with the ceiling, in every owner account.
const PARAMETER: &str = "/pipeshare/ceiling";

impl Aws {
    /// What an owner account allows at most, read with one of the roles there.
    ///
    /// A ceiling that is not there, or that no template of ours wrote, is a
    /// failure that people have to fix: it must not be taken for one that
    /// allows everything.
    pub async fn ceiling(&self, owner: &AccountId, role: Role) -> Result<Ceiling, Error> {
        let ssm = self.ssm_in(owner, role);
        let found = ssm.newest(PARAMETER).await?;
        let odd =
            |code: &str, message: String| ssm.service.refused("GetParameter", Some(code), message);
        let Some(found) = found else {
            let message = format!("there is no {PARAMETER}");
            return Err(odd("ParameterNotFound", message));
        };
        found
            .text
            .parse()
            .map_err(|invalid| odd("InvalidCeiling", format!("{PARAMETER}: {invalid}")))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        Class,
        replay::{Answer, Replay, aws, ok, refusal, session},
    };

    fn owner() -> AccountId {
        "222222222222".parse().unwrap()
    }

    /// What becomes of the question if this is the answer.
    async fn ask(answer: Answer) -> (Replay, Result<Ceiling, Error>) {
        let replay = Replay::of([session("WATCHER"), answer]);
        let aws = aws(replay.config().await);
        let ceiling = aws.ceiling(&owner(), Role::Watcher).await;
        (replay, ceiling)
    }

    fn parameter(value: &Value) -> Answer {
        let value = value.to_string();
        ok(&json!({ "Parameter": { "Version": 1, "Value": value } }))
    }

    #[tokio::test]
    async fn the_ceiling_is_read_in_the_account_with_the_role_of_the_function() {
        let written = json!({
            "allowedPrincipals": ["111111111111"],
            "allowedAccess": "read",
            "allowedPermissions": [],
            "shareNamePrefix": "pipeshare-",
        });
        let (replay, ceiling) = ask(parameter(&written)).await;
        assert_eq!(ceiling.unwrap(), written.to_string().parse().unwrap());
        let requests = replay.requests();
        assert!(requests[0].text.contains("pipeshare-watcher-eu-west-1"));
        assert_eq!(requests[1].access_key, "WATCHER");
        assert_eq!(requests[1].json()["Name"], "/pipeshare/ceiling");
    }

    #[tokio::test]
    async fn a_ceiling_that_cannot_be_read_is_a_failure_that_people_mend_unless_aws_is_busy() {
        let table = [
            (refusal(400, "ParameterNotFound", ""), Class::Permanent),
            (refusal(400, "AccessDeniedException", ""), Class::Permanent),
            (parameter(&json!("HIDDEN")), Class::Permanent),
            (refusal(400, "ThrottlingException", ""), Class::Transient),
            (refusal(500, "InternalServerError", ""), Class::Transient),
        ];
        for (answer, class) in table {
            let error = ask(answer).await.1.unwrap_err();
            assert_eq!(error.class(), class, "{error}");
            assert_eq!(error.account(), Some(&owner()), "{error}");
            assert!(!error.to_string().contains("HIDDEN"), "{error}");
        }
    }
}
