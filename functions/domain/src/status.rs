//! The statuses of SageMaker and RAM, open to those that AWS adds later.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Defines an open enum of AWS: the names it has today and anything it may add.
macro_rules! open_enum {
    ($(#[$doc:meta])* $type:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(from = "String", into = "String")]
        pub enum $type {
            $($(#[$variant_doc])* $variant,)+
            /// A status that AWS added after this was written.
            Other(String),
        }

        impl $type {
            /// Every status known today.
            pub const KNOWN: &[$type] = &[$($type::$variant,)+];

            /// The status as AWS writes it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Other(text) => text,
                }
            }
        }

        impl From<&str> for $type {
            fn from(text: &str) -> Self {
                match text {
                    $($text => Self::$variant,)+
                    _ => Self::Other(text.to_owned()),
                }
            }
        }

        impl From<String> for $type {
            fn from(text: String) -> Self {
                Self::from(text.as_str())
            }
        }

        impl FromStr for $type {
            type Err = std::convert::Infallible;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Ok(Self::from(text))
            }
        }

        impl From<$type> for String {
            fn from(status: $type) -> Self {
                status.as_str().to_owned()
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

open_enum!(
    /// The status of a pipeline execution.
    ExecutionStatus {
        /// The execution runs.
        Executing = "Executing",
        /// Somebody asked it to stop.
        Stopping = "Stopping",
        /// It was stopped.
        Stopped = "Stopped",
        /// A step failed.
        Failed = "Failed",
        /// Every step succeeded.
        Succeeded = "Succeeded",
        /// It ran to its end, but not every step succeeded.
        CompletedWithFailures = "CompletedWithFailures",
    }
);

impl ExecutionStatus {
    /// Whether the execution has ended, as far as this status is known.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        match self {
            Self::Stopped | Self::Failed | Self::Succeeded | Self::CompletedWithFailures => true,
            Self::Executing | Self::Stopping | Self::Other(_) => false,
        }
    }
}

open_enum!(
    /// The status of what joins a resource share to a resource or a principal.
    AssociationStatus {
        /// Under way; for a principal that must accept, until it does.
        Associating = "ASSOCIATING",
        /// In force.
        Associated = "ASSOCIATED",
        /// RAM gave up; its status message says why.
        Failed = "FAILED",
        /// Being taken away.
        Disassociating = "DISASSOCIATING",
        /// Gone; RAM lists it for a while yet.
        Disassociated = "DISASSOCIATED",
        /// Suspended, since the account left its organization.
        Suspended = "SUSPENDED",
        /// Being suspended.
        Suspending = "SUSPENDING",
        /// Coming back from a suspension.
        Restoring = "RESTORING",
    }
);

impl AssociationStatus {
    /// Whether the association exists or is coming to exist.
    #[must_use]
    pub fn is_present(&self) -> bool {
        !matches!(
            self,
            Self::Failed | Self::Disassociating | Self::Disassociated
        )
    }
}

open_enum!(
    /// The status of an invitation.
    InvitationStatus {
        /// Waits for an answer.
        Pending = "PENDING",
        /// Was accepted.
        Accepted = "ACCEPTED",
        /// Was rejected.
        Rejected = "REJECTED",
        /// Was not answered in time: twelve hours for pipelines.
        Expired = "EXPIRED",
    }
);

open_enum!(
    /// The status of a resource share.
    ShareStatus {
        /// Coming to exist.
        Pending = "PENDING",
        /// In force.
        Active = "ACTIVE",
        /// RAM gave up.
        Failed = "FAILED",
        /// Being deleted.
        Deleting = "DELETING",
        /// Gone; RAM lists it for about two hours yet.
        Deleted = "DELETED",
    }
);

impl ShareStatus {
    /// Whether the share exists or is coming to exist.
    #[must_use]
    pub fn is_present(&self) -> bool {
        !matches!(self, Self::Deleting | Self::Deleted)
    }
}
