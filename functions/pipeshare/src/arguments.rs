//! What the program is asked.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use domain::policy::Place;
use jiff::{Timestamp, civil::Date, tz::TimeZone};

const EXAMPLES: &str = "\
Examples:
  pipeshare check policy.yaml
  pipeshare check policies
  pipeshare check --place aws/eu-west-1 policy.yaml churn.yaml fraud.yaml
  pipeshare check --format json - < policy.yaml
  pipeshare schema > policy.schema.json

Exit codes: 0 if the policy is valid, 1 if it has mistakes, 2 if it could not be checked.";

/// Checks the sharing policy of pipeshare before it is put in force.
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
