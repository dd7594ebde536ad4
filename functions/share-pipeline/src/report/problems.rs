//! The permanent problems that the plan finds, in words.

use domain::{
    notification::Trouble,
    sharing::{Flaw, Flawed, Lookalike, OutOfReach, PREFIX},
    text::quoted,
};

/// How much is told of a name that somebody gave a share, in characters.
const LONGEST_NAME: usize = 60;

pub(super) fn of_flawed(flawed: &Flawed) -> Trouble {
    let Flawed {
        rule,
        permission,
        flaw,
    } = flawed;
    // What AWS says may differ from time to time.
    let what = match flaw {
        Flaw::Missing => "missing",
        Flaw::OtherType { .. } => "other-type",
        Flaw::NotAttachable { .. } => "not-attachable",
        Flaw::Unreadable { .. } => "unreadable",
    };
    Trouble {
        kind: format!("permission {rule} {permission} {what}"),
        text: format!(
            "the permission of rule {rule}, {permission}, {flaw}; what the rule shares stays as it is, \
             and nothing more is shared by it, until its `access` or the permission is corrected"
        ),
    }
}

pub(super) fn of_out_of_reach(share: &OutOfReach) -> Trouble {
    let OutOfReach { share, arn } = share;
    Trouble {
        kind: format!("out of reach {arn}"),
        text: format!(
            "share {arn} has the tags of pipeshare and somebody named it {}, so pipeshare may neither \
             change nor delete it, and what it gives stays given: delete it, or give it a name that begins with {PREFIX}",
            quoted(share, LONGEST_NAME)
        ),
    }
}

pub(super) fn of_lookalike(lookalike: &Lookalike) -> Trouble {
    let Lookalike { share, arn } = lookalike;
    Trouble {
        kind: format!("lookalike {arn}"),
        text: format!(
            "share {arn} is named {share} without the tags of pipeshare, so pipeshare has made another one, \
             and what this one gives stays given: delete it, unless it is somebody's own"
        ),
    }
}
