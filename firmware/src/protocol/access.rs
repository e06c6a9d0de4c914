//! Which requests a locked device carries out.

use super::{Check, InspectionRequest, LockRequest, Request};

/// Who may make a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anyone: it reads, or it has its own check.
    Open,
    /// Who unlocked the device, where it has a key: it changes what the device keeps.
    Guarded,
}

impl Request<'_> {
    /// Who may make this request. Without a wildcard, so that a new request has to say.
    #[must_use]
    pub const fn access(&self) -> Access {
        match self {
            Self::Info
            | Self::Frame { .. }
            | Self::Capture { .. }
            | Self::Embed
            | Self::Classify
            | Self::List { .. }
            | Self::Stats
            | Self::Record { .. }
            | Self::Boots { clear: false }
            | Self::Head { choose: None }
            | Self::Check(Check::Model)
            | Self::LeaveOneOut { .. }
            | Self::Thresholds { .. } => Access::Open,
            Self::Enroll { .. }
            | Self::Rename { .. }
            | Self::Remove { .. }
            | Self::Reset
            | Self::Head { choose: Some(_) }
            | Self::Receive { .. }
            | Self::Restore
            | Self::Learned { .. }
            | Self::Boots { clear: true }
            | Self::Update(_)
            | Self::Decision(_)
            | Self::Check(Check::Flash) => Access::Guarded,
            Self::Lock(request) => match request {
                LockRequest::Challenge
                | LockRequest::Unlock { .. }
                | LockRequest::Lock
                | LockRequest::Provision { .. } => Access::Open,
                LockRequest::Trust { .. } | LockRequest::Bind { .. } => Access::Guarded,
            },
            Self::Inspection(request) => match request {
                InspectionRequest::Status
                | InspectionRequest::Look
                | InspectionRequest::Heat { .. }
                | InspectionRequest::Save { .. } => Access::Open,
                InspectionRequest::Good
                | InspectionRequest::Bad
                | InspectionRequest::Watch
                | InspectionRequest::Keep
                | InspectionRequest::Discard
                | InspectionRequest::Undo
                | InspectionRequest::Forget
                | InspectionRequest::Restore => Access::Guarded,
            },
        }
    }
}
