//! accept-invitation.
