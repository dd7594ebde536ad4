//! What of a plan only people can fix, in words.

use super::{
    Flaw, Flawed, LetIn, Lookalike, MAX_INVITATIONS, OutOfReach, PREFIX, Plan, Problem, QuotaUse,
    rule_of,
};
use crate::{notification::Alert, text::quoted};

/// How much is shown of a name that somebody gave a share, in characters.
const LONGEST_NAME: usize = 60;

impl Plan {
    /// What the plan has found that lasts until somebody fixes it, but for
    /// associations, to which steps may add.
    #[must_use]
    pub fn alerts(&self) -> Vec<Alert> {
        let flawed = self.flawed.iter().map(Flawed::alert);
        flawed
            .chain(self.out_of_reach.iter().map(OutOfReach::alert))
            .chain(self.lookalikes.iter().map(Lookalike::alert))
            .chain(self.let_in.iter().map(LetIn::alert))
            .chain(self.quotas.iter().map(QuotaUse::alert))
            .chain(self.invitations())
            .collect()
    }

    /// That nobody is invited any more, if that lasts.
    fn invitations(&self) -> Option<Alert> {
        let first = self.uninvited.first().filter(|_| self.is_full)?;
        let rule = &first.rule;
        Some(Alert {
            kind: "invitations wait".to_owned(),
            text: format!(
                "{} accounts wait to be invited, {} by rule {rule} among them: RAM lets an account have \
                 {MAX_INVITATIONS} invitations pending, and most of these are not accepted; onboard these \
                 accounts, or take them out of the rules. An invitation ends after twelve hours, and who was \
                 never invited comes first",
                self.uninvited.len(),
                first.consumer
            ),
            rule: None,
        })
    }
}

impl QuotaUse {
    fn alert(&self) -> Alert {
        let Self { quota, used } = self;
        Alert {
            kind: format!("quota {quota}"),
            text: format!(
                "pipeshare uses {used} of the {} {quota} that RAM allows an account by default: RAM refuses what is \
                 beyond the quota, and other shares of the account count, too; ask AWS for a higher quota, or have \
                 rules name fewer pipelines or principals",
                quota.limit()
            ),
            rule: None,
        }
    }
}

impl Problem {
    /// The association as something that people can fix.
    #[must_use]
    pub fn alert(&self) -> Alert {
        let Self {
            entity,
            share,
            status,
            message,
            since,
        } = self;
        let why = match since {
            None => message.as_deref().unwrap_or("no reason given").to_owned(),
            Some(since) => {
                let message = message.iter().map(|it| format!("{it}; "));
                let message: String = message.collect();
                format!(
                    "{message}it has been so since {since}, which is longer than RAM takes; if it stays so, \
                     delete the share in the owner account, and pipeshare makes another one"
                )
            }
        };
        Alert {
            kind: format!("association {status} {share}"),
            text: format!("{entity} in share {share} is {status}: {why}"),
            rule: rule_of(share),
        }
    }
}

impl LetIn {
    fn alert(&self) -> Alert {
        let Self {
            share,
            rule,
            principal,
        } = self;
        Alert {
            kind: format!("let in {share} {principal}"),
            text: format!(
                "somebody let {} into share {share}, which rule {rule} does not name: pipeshare takes it out, or \
                 makes another share for those who stay; find out who it was, by CloudTrail's AssociateResourceShare",
                quoted(principal, LONGEST_NAME)
            ),
            rule: Some(rule.clone()),
        }
    }
}

impl Flawed {
    fn alert(&self) -> Alert {
        let Self {
            rule,
            permission,
            flaw,
        } = self;
        // What AWS says may differ from time to time.
        let what = match flaw {
            Flaw::Missing => "missing",
            Flaw::OtherType { .. } => "other-type",
            Flaw::NotAttachable { .. } => "not-attachable",
            Flaw::Unreadable { .. } => "unreadable",
        };
        Alert {
            kind: format!("permission {rule} {permission} {what}"),
            text: format!(
                "the permission of rule {rule}, {permission}, {flaw}; what the rule shares stays as it is, \
                 and nothing more is shared by it, until its `access` or the permission is corrected"
            ),
            rule: Some(rule.clone()),
        }
    }
}

impl OutOfReach {
    fn alert(&self) -> Alert {
        let Self { share, arn } = self;
        Alert {
            kind: format!("out of reach {arn}"),
            text: format!(
                "share {arn} has the tags of pipeshare and somebody named it {}, so pipeshare may neither \
                 change nor delete it, and what it gives stays given: delete it, or give it a name that begins with {PREFIX}",
                quoted(share, LONGEST_NAME)
            ),
            rule: None,
        }
    }
}

impl Lookalike {
    fn alert(&self) -> Alert {
        let Self { share, arn } = self;
        Alert {
            kind: format!("lookalike {arn}"),
            text: format!(
                "share {arn} is named {share} without the tags of pipeshare, so pipeshare has made another one, \
                 and what this one gives stays given: delete it, unless it is somebody's own"
            ),
            rule: rule_of(share),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::AssociationStatus;

    const ARN: &str = "arn:aws:ram:us-east-1:222222222222:resource-share/1";

    #[test]
    fn a_permission_that_cannot_be_given_is_one_kind_of_alert_whatever_aws_says_of_it() {
        let alert = |message: &str| {
            let flawed = Flawed {
                rule: "readers".parse().unwrap(),
                permission: "arn:aws:ram:us-east-1:222222222222:permission/custom"
                    .parse()
                    .unwrap(),
                flaw: Flaw::Unreadable {
                    message: message.to_owned(),
                },
            };
            flawed.alert()
        };
        let (one, other) = (alert("slow down"), alert("no"));
        assert_eq!(one.kind, other.kind);
        assert_eq!(one.rule, Some("readers".parse().unwrap()));
        assert!(one.text.contains("cannot be read: slow down; what"));
    }

    #[test]
    fn a_share_that_was_renamed_and_one_of_its_name_are_told_by_their_arns() {
        let mut plan = Plan::nothing("222222222222".parse().unwrap());
        plan.out_of_reach.push(OutOfReach {
            share: format!("mine\n{}", "x".repeat(200)),
            arn: ARN.parse().unwrap(),
        });
        plan.lookalikes.push(Lookalike {
            share: "pipeshare-readers".to_owned(),
            arn: ARN.parse().unwrap(),
        });
        let alerts = plan.alerts();
        let kinds: Vec<_> = alerts.iter().map(|it| it.kind.clone()).collect();
        assert_eq!(
            kinds,
            [format!("out of reach {ARN}"), format!("lookalike {ARN}")]
        );
        let rules: Vec<_> = alerts.iter().map(|it| it.rule.clone()).collect();
        assert_eq!(rules, [None, Some("readers".parse().unwrap())]);
        assert!(alerts[0].text.len() < 400, "{}", alerts[0].text);
        assert!(!alerts[0].text.contains('\n'), "{}", alerts[0].text);
    }

    #[test]
    fn an_association_that_ram_refused_is_told_with_its_reason() {
        let mut problem = Problem {
            share: "pipeshare-readers".to_owned(),
            entity: "111111111111".to_owned(),
            status: AssociationStatus::Failed,
            message: None,
            since: None,
        };
        assert!(problem.alert().text.ends_with("FAILED: no reason given"));
        assert_eq!(problem.alert().rule, Some("readers".parse().unwrap()));
        problem.message = Some("quota".to_owned());
        assert!(problem.alert().text.ends_with("FAILED: quota"));
    }
}
