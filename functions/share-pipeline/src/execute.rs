//! Carries out a plan, and offers what awaits acceptance.

use aws::{Error, eventbridge::Entry, ram::Owner};
use domain::{
    hint::{OFFER_DETAIL_TYPE, OFFER_SOURCE, Offer},
    sharing::{Action, Added, Answer, Application, NextCall, Observed, Plan},
};

use crate::{Look, SharePipeline, report::AccountReport};

impl SharePipeline<'_> {
    /// Writes what is to be remembered, makes the calls of the plan, sends the
    /// offers and forgets what is over. Also says which pipelines came into shares.
    pub(crate) async fn execute(
        &self,
        look: Look,
        observed: &Observed,
        plan: Plan,
    ) -> (AccountReport, Option<Added>) {
        let ram = self.aws.owner(&observed.account).await;
        let mut report = AccountReport::new(&plan);
        let on_record = self.remember(&plan.remember).await;
        let forget = plan.forget.clone();
        let mut application = Application::new(plan, on_record.is_ok());
        while let Some(call) = application.next() {
            let outcome = perform(&ram, call).await;
            application.record(outcome);
        }
        let offered = self.offer(application.offers(look.offers_again)).await;
        let forgotten = self.forget(&forget).await;
        let added = application.added(observed);
        report.take(application.finish().1);
        for error in [on_record, offered, forgotten]
            .into_iter()
            .filter_map(Result::err)
        {
            report = report.with_error(error);
        }
        (report, added)
    }

    /// Tells accept-invitation which shares await acceptance.
    async fn offer(&self, offers: Vec<Offer>) -> Result<(), Error> {
        let entries = offers.iter().map(|offer| Entry {
            source: OFFER_SOURCE.to_owned(),
            detail_type: OFFER_DETAIL_TYPE.to_owned(),
            resources: vec![offer.share.to_string()],
            detail: offer.detail(),
        });
        let entries = entries.collect();
        self.aws.eventbridge().put(&self.config.bus, entries).await
    }
}

/// Makes the call, or the calls, of one step.
async fn perform(ram: &Owner, call: NextCall<'_>) -> Result<Answer, Error> {
    let (share, action) = match call {
        NextCall::Create(new) => return ram.create_share(new).await.map(Answer::Created),
        NextCall::Change(share, action) => (share, action),
    };
    let associations = match action {
        Action::ReplacePermission { permission } => {
            ram.replace_permission(share, permission).await?;
            Vec::new()
        }
        Action::AllowExternal { allow } => {
            ram.set_allow_external(share, *allow).await?;
            Vec::new()
        }
        Action::AddPipelines { pipelines } => ram.associate_pipelines(share, pipelines).await?,
        Action::RemoveResources { resources } => {
            ram.disassociate_resources(share, resources).await?
        }
        Action::AddPrincipals { principals } => ram.associate_principals(share, principals).await?,
        Action::RemovePrincipals { principals } => {
            ram.disassociate_principals(share, principals).await?
        }
        Action::Delete => {
            ram.delete_share(share).await?;
            Vec::new()
        }
    };
    Ok(Answer::Changed(associations))
}
