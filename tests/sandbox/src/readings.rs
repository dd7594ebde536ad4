//! Where AWS's documents allow more than one reading, and which one is played.
//!
//! A behaviour belongs here if templates or programs can depend on it: the
//! first answer of a question is played unless another one is chosen, so that
//! the same scenario can be run under each. What nothing depends on, such as the
//! wording of an error, is marked `ASSUMED` where it stands.

use std::fmt;

/// A question that AWS's documents leave open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// Its name, which begins with the service.
    pub name: &'static str,
    /// What is not known.
    pub text: &'static str,
    /// What the documents say, and where.
    pub source: &'static str,
    /// The readings; the first is played by default.
    pub answers: &'static [Answer],
}

/// One reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// Its name.
    pub name: &'static str,
    /// What happens then.
    pub text: &'static str,
}

/// A question or an answer that is not in the table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownReading {
    /// It is no question with an answer.
    #[error("it has the form QUESTION=ANSWER")]
    Form,
    /// There is no such question.
    #[error("there is no question {0:?}; the questions are {list}", list = Names(TABLE.iter().map(|question| question.name)))]
    Question(String),
    /// The question has no such answer.
    #[error("{question} has no answer {answer:?}; its answers are {list}", list = Names(answers(question)))]
    Answer {
        /// The question.
        question: &'static str,
        /// What was given as an answer.
        answer: String,
    },
}

/// Makes an enum for each question, the struct of all, and the table.
macro_rules! readings {
    ($(
        $question:literal $field:ident: $kind:ident {
            $text:literal,
            $source:literal,
            $( $answer:literal $variant:ident: $meaning:literal, )+
        }
    )+) => {
        $(
            #[doc = $text]
            #[derive(Debug, Clone, Copy, PartialEq, Eq)]
            pub enum $kind {
                $( #[doc = $meaning] $variant, )+
            }

            impl $kind {
                const ALL: &[Self] = &[$( Self::$variant, )+];
            }
        )+

        /// The reading that is played of each question.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct Readings {
            $( #[doc = $text] pub $field: $kind, )+
        }

        impl Default for Readings {
            fn default() -> Self {
                Self { $( $field: $kind::ALL[0], )+ }
            }
        }

        impl Readings {
            /// Plays another reading.
            pub fn choose(&mut self, question: &str, answer: &str) -> Result<(), UnknownReading> {
                let index = index(question, answer)?;
                match question {
                    $( $question => self.$field = $kind::ALL[index], )+
                    _ => return Err(UnknownReading::Question(question.to_owned())),
                }
                Ok(())
            }
        }

        /// All questions, in the order of this file.
        pub const TABLE: &[Question] = &[$(
            Question {
                name: $question,
                text: $text,
                source: $source,
                answers: &[$( Answer { name: $answer, text: $meaning }, )+],
            },
        )+];
    };
}

readings! {
    "ram-permission-keys" permission_keys: PermissionKeys {
        "Which condition keys RAM offers when it asks for `ram:AssociateResourceSharePermission` on an existing share.",
        "The Service Authorization Reference lists keys by resource; policies of AWS for Lake Formation and Studio grant it on `*` by `ram:PermissionArn` alone.",
        "share-knows-permission" ShareKnowsPermission: "The share comes with its own keys and those of the permission, the permission with its own.",
        "by-resource" ByResource: "The share and the permission come with their own keys only.",
        "all" All: "Both come with all keys.",
    }
    "ram-permission-resources" permission_resources: PermissionResources {
        "Which resources RAM asks about for `ram:AssociateResourceSharePermission`.",
        "The Service Authorization Reference lists both and does not say which is required.",
        "both" Both: "The share and the permission.",
        "share" Share: "The share alone.",
        "permission" Permission: "The permission alone.",
    }
    "ram-new-share-permission" new_share_permission: NewSharePermission {
        "Whether a permission that a share is created with needs `ram:AssociateResourceSharePermission`.",
        "The Service Authorization Reference maps CreateResourceShare to `ram:CreateResourceShare` and `ram:TagResource`.",
        "asked" Asked: "It is asked for, as if it were associated later.",
        "not-asked" NotAsked: "It is not asked for.",
    }
    "ram-new-share-name" new_share_name: NewShareName {
        "Whether a share that is being created has a `ram:ResourceShareName`.",
        "The Service Authorization Reference lists the key for `ram:TagResource`; the name is in the request.",
        "absent" Absent: "The key is absent.",
        "offered" Offered: "The key has the name of the request.",
    }
    "ram-bare-share" bare_share: BareShare {
        "Whether RAM asks about the share by itself when principals or resources are named.",
        "\"AWS RAM authorizes APIs separately for each principal and resource\"; a policy of AWS Marketplace has no statement for the bare share.",
        "as-well" AsWell: "It asks about each of them, and about the bare share.",
        "only-if-empty" OnlyIfEmpty: "It asks about the bare share only if none is named.",
    }
    "ram-resource-policy" resource_policy: ResourcePolicy {
        "What the caller needs so that RAM can write the resource policy of a pipeline.",
        "The Service Authorization Reference lists no resource for `sagemaker:PutResourcePolicy`; a policy of AWS for DataZone grants it on `feature-group/*`.",
        "pipeline" Pipeline: "The actions are asked for on the ARN of each pipeline.",
        "not-asked" NotAsked: "RAM writes it by itself, and the caller needs nothing.",
    }
    "ram-role-invitations" role_invitations: RoleInvitations {
        "Who sees and answers an invitation whose receiver is a role or a user.",
        "The invitation is \"available to the user's AWS account\", and `receiverArn` is the role or user.",
        "account" Account: "Everybody in its account who is allowed to.",
        "receiver" Receiver: "That role or user alone.",
    }
    "ram-role-shares" role_shares: RoleShares {
        "Who sees a share with a role or a user among those of other accounts.",
        "Lists show what is shared \"with you\"; nothing says whether that is the account or the caller.",
        "account" Account: "Everybody in its account who is allowed to.",
        "principal" Principal: "That role or user alone.",
    }
    "ram-recreated-pipeline" recreated_pipeline: RecreatedPipeline {
        "What a share gives of a pipeline that was deleted and created again under its name.",
        "RAM grants access by a policy on the resource; nothing says what becomes of it and of the association.",
        "stays" Stays: "Access to the new one, since the share names its ARN.",
        "goes" Goes: "Nothing until it is associated again; the old association lingers.",
        "disassociated" Disassociated: "Nothing; the association ends with the pipeline.",
    }
    "ram-invitation-events" invitation_events: InvitationEvents {
        "Whether there are events about invitations.",
        "The documents name the detail type `Resource Sharing State Change`, and no event about an invitation.",
        "sent" Sent: "Sender and receiver have an event when an invitation is sent, answered or has expired.",
        "none" None: "There are none.",
    }
    "ram-empty-share" empty_share: EmptyShare {
        "How long an invitation to an empty share lives.",
        "Invitations to shares with some types live for 12 hours, others for 7 days.",
        "twelve-hours" TwelveHours: "12 hours.",
        "seven-days" SevenDays: "7 days.",
    }
    "ram-rejection" rejection: Rejection {
        "What becomes of a principal that rejects an invitation.",
        "Documented for expiry only: the principal is disassociated.",
        "disassociated" Disassociated: "It is disassociated.",
        "failed" Failed: "Its association has failed.",
    }
    "ram-pending-resources" pending_resources: PendingResources {
        "Which resources a pending invitation shows.",
        "ListPendingInvitationResources lists the resources \"that are shared with you but that the invitation is still PENDING for\".",
        "associated" Associated: "Those that are ASSOCIATED.",
        "associating" Associating: "Those that are ASSOCIATING, too.",
    }
    "ram-client-tokens" client_tokens: ClientTokens {
        "How long RAM remembers a client token.",
        "The API says that a repeated request with the token is idempotent, not for how long.",
        "for-good" ForGood: "For good.",
        "an-hour" AnHour: "For an hour.",
    }
    "sagemaker-search" search: Search {
        "How far the search of SageMaker lags behind.",
        "The documents give no time.",
        "at-once" AtOnce: "It shows what is true now.",
        "ten-minutes" TenMinutes: "It does not find what changed less than ten minutes ago.",
    }
    "sagemaker-managed-pipelines" managed_pipelines: ManagedPipelines {
        "Whether lists show the pipelines that AWS manages unasked.",
        "The service model says that they do not without `ManagedBy`; the developer guide says that they do.",
        "asked" Asked: "Only if `ManagedBy` asks for them.",
        "unasked" Unasked: "They are among the others.",
    }
    "sagemaker-run-parameters" run_parameters: RunParameters {
        "Which parameters of an execution are listed.",
        "\"Gets a list of parameters for a pipeline execution.\"",
        "given" Given: "Those that it was started with.",
        "all" All: "Those that the definition falls back on, too.",
    }
    "sagemaker-execution-end" execution_end: ExecutionEnd {
        "When an execution ends.",
        "The documents give no time; AWS's sample events show a second after the last step.",
        "at-once" AtOnce: "With its last step.",
        "later" Later: "Half a minute after its last step.",
    }
    "sagemaker-client-tokens" run_tokens: RunTokens {
        "How long SageMaker remembers a client request token.",
        "The token \"ensures the idempotency of the operation\"; nothing says for how long.",
        "for-good" ForGood: "As long as the pipeline lives.",
        "an-hour" AnHour: "For an hour.",
    }
    "codepipeline-job-over" job_over: JobOver {
        "The error for an answer to a job that is over.",
        "The reference lists both errors and describes both by an invalid format.",
        "invalid-state" InvalidState: "`InvalidJobStateException`.",
        "not-found" NotFound: "`JobNotFoundException`.",
    }
    "codepipeline-job-details" job_details: JobDetails {
        "Whether `GetJobDetails` serves the jobs of Lambda actions.",
        "The reference says \"used for custom actions only\", as it says of the operations with which Lambda functions do answer jobs; functions in public repositories call it for theirs.",
        "served" Served: "It does.",
        "refused" Refused: "It does not find them.",
    }
    "ssm-labels" labels: Labels {
        "Which resource is asked about when a parameter is read by its label.",
        "The documents name the ARN of a parameter, and no form with a label.",
        "without" Without: "The parameter.",
        "with" With: "The parameter with the label behind a colon.",
    }
}

impl Readings {
    /// Plays another reading, such as `ram-bare-share=only-if-empty`.
    pub fn play(&mut self, reading: &str) -> Result<(), UnknownReading> {
        let (question, answer) = reading.split_once('=').ok_or(UnknownReading::Form)?;
        self.choose(question, answer)
    }
}

/// Every reading that is not played by default, in the form that [`Readings::play`] takes.
pub fn alternatives() -> impl Iterator<Item = String> {
    TABLE.iter().flat_map(|question| {
        let others = question.answers[1..].iter();
        others.map(|answer| format!("{}={}", question.name, answer.name))
    })
}

/// Every question with the names of its answers, one a line, for the help of a command.
#[must_use]
pub fn listed() -> String {
    let lines = TABLE.iter().map(|question| {
        let answers: Vec<&str> = question.answers.iter().map(|answer| answer.name).collect();
        format!("\n  {}={}", question.name, answers.join("|"))
    });
    lines.collect()
}

fn index(question: &str, answer: &str) -> Result<usize, UnknownReading> {
    let known = TABLE.iter().find(|known| known.name == question);
    let known = known.ok_or_else(|| UnknownReading::Question(question.to_owned()))?;
    let position = known.answers.iter().position(|known| known.name == answer);
    position.ok_or_else(|| UnknownReading::Answer {
        question: known.name,
        answer: answer.to_owned(),
    })
}

fn answers(question: &str) -> impl Iterator<Item = &'static str> + Clone {
    let known = TABLE.iter().filter(move |known| known.name == question);
    let answers: Vec<_> = known.flat_map(|known| known.answers).collect();
    answers.into_iter().map(|answer| answer.name)
}

/// Names with commas between them.
struct Names<I>(I);

impl<I: Iterator<Item = &'static str> + Clone> fmt::Display for Names<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.0.clone().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{name}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_answer_of_every_question_can_be_chosen() {
        for question in TABLE {
            let mut chosen = Vec::new();
            for answer in question.answers {
                let mut readings = Readings::default();
                readings.choose(question.name, answer.name).unwrap();
                chosen.push(readings);
            }
            assert_eq!(chosen[0], Readings::default(), "{}", question.name);
            for other in &chosen[1..] {
                assert_ne!(*other, Readings::default(), "{}", question.name);
            }
        }
    }

    #[test]
    fn names_are_unique_and_every_question_is_one() {
        let names: BTreeSet<_> = TABLE.iter().map(|question| question.name).collect();
        assert_eq!(names.len(), TABLE.len());
        for question in TABLE {
            assert!(question.answers.len() > 1, "{}", question.name);
        }
    }

    #[test]
    fn what_is_unknown_is_answered_with_what_is_known() {
        let mut readings = Readings::default();
        let error = readings.choose("ram-tokens", "x").unwrap_err().to_string();
        assert!(error.contains("ram-client-tokens"), "{error}");
        let error = readings.play("ram-client-tokens").unwrap_err();
        assert_eq!(error, UnknownReading::Form);
        let error = readings.choose("ram-empty-share", "x").unwrap_err();
        assert_eq!(
            error.to_string(),
            "ram-empty-share has no answer \"x\"; its answers are twelve-hours, seven-days"
        );
    }
}
