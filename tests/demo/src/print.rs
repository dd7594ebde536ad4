//! The walkthrough as text: plain, and the same in every run.

use std::fmt::{self, Display, Formatter};

use crate::{
    estate::{DEV, REGION, SHARED, TEST},
    walkthrough::{Access, Step, Walkthrough},
};

/// How a walkthrough is shown.
#[derive(Debug, Clone, Copy)]
pub struct Printed<'a> {
    /// What was played.
    pub walkthrough: &'a Walkthrough,
    /// Whether the terminal shows colors.
    pub colors: bool,
}

impl Display for Printed<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "A local AWS in {REGION}: dev {DEV}, test {TEST}, shared services {SHARED}.\n\
             The functions are the real binaries; everyone else uses the AWS SDK.\n"
        )?;
        for step in &self.walkthrough.steps {
            self.step(f, step)?;
        }
        writeln!(f, "Who can do what now:\n")?;
        access_table(f, &self.walkthrough.access)?;
        let steps = self.walkthrough.steps.len();
        let failed = self.walkthrough.steps.iter().filter(|step| !step.holds());
        match failed.count() {
            0 => writeln!(f, "\nAll {steps} steps held.")?,
            failed => writeln!(f, "\n{failed} of {steps} steps did NOT hold.")?,
        }
        writeln!(f, "{HINT}")
    }
}

/// What to do next.
const HINT: &str = "To look at it in a browser, and to try a policy of your own: cargo demo serve";

impl Printed<'_> {
    fn step(&self, f: &mut Formatter<'_>, step: &Step) -> fmt::Result {
        let title = self.paint("1", step.title);
        writeln!(f, "{:>2}. {} [{}]", step.number, title, step.account)?;
        writeln!(f, "    $ {}", self.paint("2", &step.command))?;
        for act in &step.acts {
            writeln!(f, "    > {} in {}: {}", act.function, act.account, act.what)?;
        }
        for check in &step.checks {
            let mark = if check.holds {
                self.paint("32", "ok")
            } else {
                self.paint("31", "NOT")
            };
            writeln!(f, "    {mark} {}", check.what)?;
        }
        writeln!(f)
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colors {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

fn access_table(f: &mut Formatter<'_>, rows: &[Access]) -> fmt::Result {
    writeln!(
        f,
        "    {:<10} {:<63} describe  list  start  delete",
        "account", "pipeline"
    )?;
    for row in rows {
        let mark = |can: bool| if can { "yes" } else { "-" };
        writeln!(
            f,
            "    {:<10} {:<63} {:<9} {:<5} {:<6} {}",
            row.account,
            row.pipeline,
            mark(row.describe),
            mark(row.list),
            mark(row.start),
            mark(row.delete)
        )?;
    }
    Ok(())
}
