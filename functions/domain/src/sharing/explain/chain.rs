//! What one rule needs to give access, from its words to what RAM holds.

use jiff::Timestamp;

use super::{
    super::{Audience, Pipeline, Share, observed::find},
    Finding, Knowledge, RuleExplanation, State,
};
use crate::{
    id::{AccountId, Principal},
    invitation::LIFETIME,
    policy::{Gate, NamePatterns, Rule},
    status::AssociationStatus,
    time,
};

/// A rule, the principal of it that the account is or may be, and what was found out.
pub(super) struct Chain<'a> {
    pub(super) rule: &'a Rule,
    pub(super) principal: Option<&'a Principal>,
    pub(super) findings: Vec<Finding>,
}

impl<'a> Chain<'a> {
    /// Of each rule that names the pipeline or the account, what it comes to; the nearest first.
    pub(super) fn all(
        knowledge: Knowledge<'a>,
        pipeline: Option<&'a Pipeline>,
        name: &str,
        account: &AccountId,
    ) -> Vec<Self> {
        let Knowledge {
            in_force, observed, ..
        } = knowledge;
        let policy = &in_force.policy;
        let ended = policy.ended.iter();
        let ended = ended.filter(|rule| rule.owner == observed.account);
        let rules = policy.rules_of(&observed.account).chain(ended);
        let chains = rules.flat_map(|rule| principals(rule, account).map(move |it| (rule, it)));
        let mut chains: Vec<_> = chains
            .filter(|(rule, principal)| principal.is_some() || rule.pipelines.matches(name))
            .map(|(rule, principal)| {
                let mut chain = Self {
                    rule,
                    principal,
                    findings: Vec::new(),
                };
                chain.find(knowledge, pipeline, name, account);
                chain
            })
            .collect();
        chains.sort_by_key(Self::distance);
        chains
    }

    /// How far the rule is from giving access; one that names the account is nearer.
    fn distance(&self) -> (State, usize, bool) {
        let state = self.state();
        let others = self.findings.iter().filter(|it| it.state != State::Ok);
        (state, others.count(), self.principal.is_none())
    }

    /// The worst of what was found.
    pub(super) fn state(&self) -> State {
        let states = self.findings.iter().map(|it| it.state);
        states.max().unwrap_or(State::Missing)
    }

    /// What is in the way, first.
    pub(super) fn obstacle(&self) -> Option<&Finding> {
        let state = self.state();
        self.findings.iter().find(|it| it.state == state)
    }

    pub(super) fn explanation(self) -> RuleExplanation {
        RuleExplanation {
            rule: self.rule.name.clone(),
            team: self.rule.team.clone(),
            access: self.rule.access.as_str().to_owned(),
            steps: self.findings,
        }
    }

    fn note(&mut self, about: &'static str, state: State, text: String) {
        self.findings.push(Finding { about, state, text });
    }

    fn find(
        &mut self,
        knowledge: Knowledge<'_>,
        pipeline: Option<&Pipeline>,
        name: &str,
        account: &AccountId,
    ) {
        let rule = self.rule;
        self.find_name(&rule.pipelines, name);
        self.find_principal(knowledge, account);
        self.find_end(knowledge);
        let is_meant = self.state() < State::Missing;
        if let (Some(pipeline), Some(principal), true) = (pipeline, self.principal, is_meant) {
            self.find_gate(knowledge, pipeline);
            self.find_permission(knowledge, principal);
            self.find_share(knowledge, pipeline, principal);
        }
    }

    fn find_name(&mut self, patterns: &NamePatterns, name: &str) {
        let all = &patterns.include;
        let named = all.iter().find(|it| it.matches(name));
        let excluded = patterns.except.iter().find(|it| it.matches(name));
        let (state, text) = match (named, excluded) {
            (_, Some(except)) => (State::Missing, format!("except \"{except}\" leaves it out")),
            (Some(named), None) => (State::Ok, format!("\"{named}\" names it")),
            (None, None) => {
                let all: Vec<_> = all.iter().map(|it| format!("\"{it}\"")).collect();
                let all = all.join(", ");
                (State::Missing, format!("only {all} are named"))
            }
        };
        self.note("pipelines", state, text);
    }

    fn find_principal(&mut self, knowledge: Knowledge<'_>, account: &AccountId) {
        let policy = &knowledge.in_force.policy;
        let who = policy.display_name(account);
        let (state, text) = match self.principal {
            None => {
                let with: Vec<_> = self
                    .rule
                    .with
                    .iter()
                    .map(|it| name(knowledge, it))
                    .collect();
                let with = with.join(", ");
                (State::Missing, format!("{who} is not among {with}"))
            }
            Some(Principal::Account(_)) => (State::Ok, format!("names {who}")),
            Some(Principal::Identity(_, arn)) => {
                (State::Open, format!("names {arn} of {who} alone"))
            }
            Some(unit) => {
                let unit = unit.as_str();
                let text =
                    format!("names {unit}, of which nobody here knows whether {who} is in it");
                (State::Open, text)
            }
        };
        self.note("with", state, text);
    }

    fn find_end(&mut self, knowledge: Knowledge<'_>) {
        let Some(until) = &self.rule.until else {
            return;
        };
        let ended = &knowledge.in_force.policy.ended;
        if ended.contains(self.rule) {
            let text = format!("it has ended at {}", until.end());
            self.note("until", State::Missing, text);
        } else {
            self.note("until", State::Ok, format!("it ends at {}", until.end()));
        }
    }

    fn find_gate(&mut self, knowledge: Knowledge<'_>, pipeline: &Pipeline) {
        let rule = self.rule;
        let since = pipeline.created;
        let passed = knowledge.observed.evidence.has_passed(rule, pipeline);
        let (state, text) = match (rule.after, passed) {
            (Gate::Created, _) => (State::Ok, format!("created: it exists since {since}")),
            (Gate::Succeeded, true) => (State::Ok, "succeeded: a run has succeeded".to_owned()),
            (Gate::Succeeded, false) => {
                let text =
                    format!("succeeded: no run has succeeded since it was created at {since}");
                (State::Waiting, text)
            }
            (Gate::Hook, true) => (State::Ok, "hook: the deployment hook passed".to_owned()),
            (Gate::Hook, false) => {
                let text = format!(
                    "hook: the deployment hook has not passed since it was created at {since}"
                );
                (State::Waiting, text)
            }
        };
        self.note("gate", state, text);
    }

    /// Whether the owner's account lets the permission be given.
    fn find_permission(&mut self, knowledge: Knowledge<'_>, principal: &Principal) {
        let observed = knowledge.observed;
        let permission = self.rule.access.permission(&observed.partition);
        if let Some(flaw) = observed.flaws.get(&permission) {
            let text = format!("{permission} {flaw}");
            self.note("permission", State::Missing, text);
        }
        let (state, text) = match knowledge.ceiling {
            Err(why) => (State::Open, format!("it could not be read: {why}")),
            Ok(ceiling) => match ceiling.allows_by(self.rule, principal, &observed.partition) {
                Ok(()) => (State::Ok, "the owner account allows it".to_owned()),
                Err(beyond) => (State::Missing, beyond.to_string()),
            },
        };
        self.note("ceiling", state, text);
    }

    /// What RAM holds of it.
    fn find_share(&mut self, knowledge: Knowledge<'_>, pipeline: &Pipeline, principal: &Principal) {
        let policy = &knowledge.in_force.policy;
        let audience = Audience::of(policy, principal);
        let waits = audience.must_accept();
        let arn = pipeline.arn.as_str();
        let serves = |share: &&Share| {
            let served = share.served().filter(|it| it.rule == self.rule.name);
            share.live && served.is_some_and(|it| it.audience == audience)
        };
        let shares = knowledge.observed.shares.iter().filter(serves);
        let holds = |share: &&Share| {
            let found = find(&share.resources, arn);
            found.is_some_and(|it| it.status.is_present())
        };
        let Some(share) = shares.clone().find(holds).or(shares.clone().next()) else {
            let text = "there is none yet; it is made once it has a pipeline".to_owned();
            return self.note("share", State::Waiting, text);
        };
        self.note("share", State::Ok, share.name.clone());
        self.find_association(
            "pipeline in share",
            find(&share.resources, arn).map(|it| &it.status),
        );
        let found = find(&share.principals, principal.as_str());
        match found.filter(|_| waits) {
            Some(invited) if invited.status == AssociationStatus::Associating => {
                let text = invitation(invited.created, knowledge.now);
                self.note("invitation", State::Waiting, text);
            }
            Some(invited) if invited.status == AssociationStatus::Disassociated => {
                let text = "it expired or was declined, and is made again".to_owned();
                self.note("invitation", State::Waiting, text);
            }
            _ => self.find_association("principal in share", found.map(|it| &it.status)),
        }
    }

    fn find_association(&mut self, about: &'static str, status: Option<&AssociationStatus>) {
        use AssociationStatus::{
            Associated, Associating, Disassociated, Disassociating, Restoring,
        };
        let state = match status {
            Some(Associated) => State::Ok,
            None | Some(Associating | Disassociated | Disassociating | Restoring) => State::Waiting,
            Some(_) => State::Missing,
        };
        let text = status.map_or("not yet", AssociationStatus::as_str);
        self.note(about, state, text.to_owned());
    }
}

/// The principals of a rule that an account may have access by; nobody if there is none.
fn principals<'a>(
    rule: &'a Rule,
    account: &AccountId,
) -> impl Iterator<Item = Option<&'a Principal>> + use<'a> {
    let may_be = |it: &&Principal| it.account().is_none_or(|of| of == account);
    let found: Vec<_> = rule.with.iter().filter(may_be).map(Some).collect();
    let found = if found.is_empty() { vec![None] } else { found };
    found.into_iter()
}

/// How people call a principal.
fn name(knowledge: Knowledge<'_>, principal: &Principal) -> String {
    match principal {
        Principal::Account(account) => {
            let policy = &knowledge.in_force.policy;
            policy.display_name(account).to_owned()
        }
        other => other.as_str().to_owned(),
    }
}

/// How long an invitation has been waiting, and how long it can be accepted yet.
fn invitation(invited: Option<Timestamp>, now: Option<Timestamp>) -> String {
    let Some(invited) = invited else {
        return "it awaits acceptance".to_owned();
    };
    let end = time::after(invited, LIFETIME);
    let left = now.map(|now| end.duration_since(now).as_mins().max(0));
    let left = left.map_or_else(String::new, |minutes| {
        format!(", in {} hours and {} minutes", minutes / 60, minutes % 60)
    });
    format!("it awaits acceptance since {invited}, and expires at {end}{left}")
}
