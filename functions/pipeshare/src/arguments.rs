//! What the program is asked.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use domain::policy::Place;
use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// The function in the hub, as its template names it.
#[cfg(feature = "aws")]
const FUNCTION: &str = "pipeshare-share-pipeline";

#[cfg(feature = "aws")]
const PLAN_EXAMPLES: &str = "\
Examples:
  pipeshare plan policies
  pipeshare plan --profile hub --region eu-west-1 --format markdown policies > plan.md
  pipeshare plan --owner test policy.yaml

Exit codes: 0 if it is planned, 1 if the documents have mistakes, 2 if they, or one of the
accounts, could not be planned.";

#[cfg(feature = "aws")]
const EXPLAIN_EXAMPLES: &str = "\
Examples:
  pipeshare explain test/churn dev
  pipeshare explain arn:aws:sagemaker:eu-west-1:222222222222:pipeline/churn 111111111111

Exit codes: 0 if the question is answered, whatever the answer, and 2 if it is not.";

const EXAMPLES: &str = "\
Examples:
  pipeshare check policy.yaml
  pipeshare check policies
  pipeshare check --place aws/eu-west-1 policy.yaml churn.yaml fraud.yaml
  pipeshare check --format json - < policy.yaml
  pipeshare schema > policy.schema.json

Exit codes: 0 if the policy is valid, 1 if it has mistakes, 2 if it could not be checked.";

/// Checks and plans the sharing policy of pipeshare before it is put in force.
#[derive(Debug, Parser)]
#[command(name = "pipeshare", version, after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Says everything that is wrong with the documents of a policy.
    #[command(after_help = EXAMPLES)]
    Check(Check),
    /// Says what the documents of a policy would do, before they are in force.
    ///
    /// The documents are checked as by check. Then the function share-pipeline in the hub
    /// compares them with the accounts as they are; nothing is changed and nobody is notified.
    #[cfg(feature = "aws")]
    #[command(after_help = PLAN_EXAMPLES)]
    Plan(Plan),
    /// Says why an account has access to a pipeline, or has not, by the policy in force.
    #[cfg(feature = "aws")]
    #[command(after_help = EXPLAIN_EXAMPLES)]
    Explain(Explain),
    /// Prints the JSON Schema of the root document, for editors.
    Schema {
        /// Print that of a team's document, which refers to the root's as policy.schema.json.
        #[arg(long)]
        team: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The documents: the root first, then those of teams, each named after its team
    /// (churn.yaml of the team churn).
    ///
    /// A directory stands for the policy.yaml in it, which is the root, and for the other
    /// files beside it that end in .yaml, .yml or .json; hidden files and *.schema.json are
    /// not meant. - is standard input, as the root.
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Where the policy is to work, such as aws/eu-west-1: ARNs of elsewhere are mistakes there.
    #[arg(long, value_name = "PARTITION/REGION", value_parser = place)]
    pub(crate) place: Option<Place>,
    /// A date (its beginning in UTC) or a time with offset: warns of rules that are over by then.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) at: Option<Timestamp>,
    /// How to print what was found.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// How to reach the hub; the rest is as for the AWS CLI: environment, profiles, SSO.
#[cfg(feature = "aws")]
#[derive(Debug, Args)]
pub(crate) struct Hub {
    /// The name or ARN of the function share-pipeline.
    #[arg(long, value_name = "NAME", default_value = FUNCTION)]
    pub(crate) function: String,
    /// The profile of the AWS CLI's configuration to use.
    #[arg(long)]
    pub(crate) profile: Option<String>,
    /// The Region of the hub.
    #[arg(long)]
    pub(crate) region: Option<String>,
}

#[cfg(feature = "aws")]
#[derive(Debug, Args)]
pub(crate) struct Plan {
    /// The documents, as for check.
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Plan for this owner account alone: its id, or its name in the documents.
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) owner: Option<String>,
    /// How to print the plan.
    #[arg(long, value_enum, default_value_t = PlanFormat::Text)]
    pub(crate) format: PlanFormat,
    #[command(flatten)]
    pub(crate) hub: Hub,
}

#[cfg(feature = "aws")]
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The ARN of the pipeline, or OWNER/NAME.
    pub(crate) pipeline: String,
    /// The account that has access or has not: its id, or its name in the policy in force.
    pub(crate) account: String,
    /// How to print the answer.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    #[command(flatten)]
    pub(crate) hub: Hub,
}

#[cfg(feature = "aws")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PlanFormat {
    /// Lines for people.
    Text,
    /// One object.
    Json,
    /// For a pull request.
    Markdown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A line for each, with `FILE:LINE:COLUMN:` before it.
    Text,
    /// One object.
    Json,
}

fn place(text: &str) -> Result<Place, String> {
    let expected = || "write PARTITION/REGION, such as aws/eu-west-1".to_owned();
    let (partition, region) = text.split_once('/').ok_or_else(expected)?;
    let region = region.parse().map_err(|_| expected())?;
    // As the parser of ARNs has it.
    if partition != "aws" && !partition.starts_with("aws-") {
        return Err(expected());
    }
    Ok(Place {
        partition: partition.to_owned(),
        region,
    })
}

fn time(text: &str) -> Result<Timestamp, String> {
    let midnight = |date: Date| Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp());
    // A date with a time but no offset would parse as a date, too, and lose its time.
    let date = || Some(text).filter(|it| it.len() == 10)?.parse().ok();
    let time = text.parse().ok().or_else(|| date().and_then(midnight));
    time.ok_or_else(|| "write 2027-03-31, or 2027-03-31T18:00:00+02:00".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_hold_together() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_place_is_a_partition_and_a_region() {
        let place = |text| place(text).map(|it| (it.partition, it.region.to_string()));
        let known = Ok(("aws-cn".to_owned(), "cn-north-1".to_owned()));
        assert_eq!(place("aws-cn/cn-north-1"), known);
        for wrong in ["", "aws", "aws/", "eu-west-1", "azure/eu-west-1", "aws/eu"] {
            assert!(place(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_date_is_its_beginning_in_utc() {
        let time = |text| time(text).map(|it| it.to_string());
        assert_eq!(time("2027-03-31"), Ok("2027-03-31T00:00:00Z".to_owned()));
        assert_eq!(
            time("2027-03-31T18:00:00+02:00"),
            Ok("2027-03-31T16:00:00Z".to_owned())
        );
        for wrong in ["", "tomorrow", "2027-02-30", "2027-03-31T18:00:00"] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }
}
