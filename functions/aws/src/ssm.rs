//! Parameter Store: the policy, its versions and the label on the one in force.

use aws_config::SdkConfig;
use aws_sdk_ssm::Client;

use crate::error::{Error, Service};

/// The label on the version that every function reads.
pub const IN_FORCE: &str = "in-force";

/// One version of a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Its number, from one.
    pub version: i64,
    /// Its value.
    pub text: String,
}

/// The parameters of the function's own account.
#[derive(Debug, Clone)]
pub struct Ssm {
    client: Client,
    service: Service,
}

impl Ssm {
    pub(crate) fn new(config: &SdkConfig) -> Self {
        Self {
            client: Client::new(config),
            service: Service::new("ssm", None),
        }
    }

    /// The newest version; none if there is no such parameter.
    pub async fn newest(&self, name: &str) -> Result<Option<Version>, Error> {
        self.get(name).await
    }

    /// The version in force; none until a first one was put in force.
    pub async fn in_force(&self, name: &str) -> Result<Option<Version>, Error> {
        self.get(&format!("{name}:{IN_FORCE}")).await
    }

    async fn get(&self, selector: &str) -> Result<Option<Version>, Error> {
        let answer = self
            .client
            .get_parameter()
            .name(selector)
            .send()
            .await
            .map_err(self.service.failed("GetParameter"));
        match answer {
            Ok(answer) => Ok(answer.parameter.map(|parameter| Version {
                version: parameter.version,
                text: parameter.value.unwrap_or_default(),
            })),
            Err(error) if error.is("ParameterNotFound") || error.is("ParameterVersionNotFound") => {
                Ok(None)
            }
            Err(error) => Err(error),
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
