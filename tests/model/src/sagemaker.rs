//! The pipelines of an account.

use domain::{id::PipelineArn, sharing::Pipeline};
use jiff::Timestamp;

use crate::{Account, Failure};

impl Account {
    /// Creates a pipeline.
    pub fn create_pipeline(&mut self, name: &str) {
        let id = &self.id;
        let arn = format!("arn:aws:sagemaker:us-east-1:{id}:pipeline/{name}");
        let created = self.now();
        self.pipelines.push(Pipeline {
            arn: arn.parse().expect("an ARN"),
            created,
            last_run: None,
        });
    }

    /// Deletes a pipeline; what RAM keeps of it stays.
    pub fn delete_pipeline(&mut self, name: &str) {
        self.pipelines
            .retain(|pipeline| pipeline.arn.name() != name);
    }

    /// Deletes a pipeline and creates another one of its name.
    pub fn recreate_pipeline(&mut self, name: &str) {
        self.delete_pipeline(name);
        self.create_pipeline(name);
    }

    /// The pipeline of this name.
    #[must_use]
    pub fn pipeline(&self, name: &str) -> Option<&Pipeline> {
        let mut pipelines = self.pipelines.iter();
        pipelines.find(|pipeline| pipeline.arn.name() == name)
    }

    /// An execution of the pipeline succeeds, if there is such a pipeline.
    pub fn succeed(&mut self, name: &str) {
        let mut pipelines = self.pipelines.iter();
        if let Some(pipeline) = pipelines.find(|pipeline| pipeline.arn.name() == name) {
            self.successes.note_success(pipeline);
        }
    }

    /// Whether an execution of the pipeline, and not of a namesake, has succeeded.
    #[must_use]
    pub fn has_success(&self, pipeline: &Pipeline) -> bool {
        let mut noted = self.successes.clone();
        noted.note_success(pipeline);
        noted == self.successes
    }

    /// `ListPipelines`.
    pub fn list_pipelines(&mut self) -> Result<Vec<Pipeline>, Failure> {
        self.called("ListPipelines")?;
        Ok(self.pipelines.clone())
    }

    /// `ListPipelines` of what was created since.
    pub fn list_pipelines_since(&mut self, since: Timestamp) -> Result<Vec<Pipeline>, Failure> {
        self.called("ListPipelines")?;
        let newer = self.pipelines.iter().filter(|it| it.created >= since);
        Ok(newer.cloned().collect())
    }

    /// `ListPipelineExecutions`: whether one has succeeded since the pipeline was created.
    pub fn has_succeeded_execution(
        &mut self,
        pipeline: &PipelineArn,
        created: Timestamp,
    ) -> Result<bool, Failure> {
        self.called("ListPipelineExecutions")?;
        Ok(self.has_success(&Pipeline {
            arn: pipeline.clone(),
            created,
            last_run: None,
        }))
    }
}
