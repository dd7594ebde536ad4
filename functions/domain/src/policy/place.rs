//! Where a policy is to work, and what of its ARNs cannot.

use crate::id::{ArnParts, Region};

/// The partition and the Region that one deployment of the functions serves.
///
/// RAM shares nothing across partitions, and a share holds what is of its own
/// Region; so an ARN of elsewhere can never work, and is a mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The partition of all ARNs, for instance `aws`.
    pub partition: String,
    /// The Region of the pipelines.
    pub region: Region,
}

impl Place {
    /// Refuses an ARN of another partition.
    pub(super) fn check_partition(&self, arn: &ArnParts) -> Result<(), String> {
        if arn.partition == self.partition {
            return Ok(());
        }
        Err(format!(
            "this ARN is of the partition {}, but all accounts here are in {}",
            arn.partition, self.partition
        ))
    }

    /// Refuses an ARN of another Region.
    pub(super) fn check_region(&self, arn: &ArnParts) -> Result<(), String> {
        if arn.region == self.region.as_str() {
            return Ok(());
        }
        Err(format!(
            "this ARN is of {}, but the pipelines are in {}, and a share holds nothing of another Region",
            arn.region, self.region
        ))
    }
}
