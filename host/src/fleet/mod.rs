//! Many stations at a broker that a plant already runs, in the language of such plants: Sparkplug B 3.0
//! over MQTT. A station (`sudal serve --sparkplug`) is an edge node, its boards are devices.
//!
//! [`payload`] and [`topic`] are that language, [`Fleet`] is what a host application knows by it,
//! [`Watch`] is such an application. An [`order`](order::Order) has a board run another model or know
//! what a backup holds, and a [`Rollout`] brings one to many boards, a few first.

pub(crate) mod broker;
mod counts;
mod drive;
mod files;
pub mod order;
pub mod payload;
mod rollout;
pub mod topic;
mod tunnel;
mod view;
mod watch;

pub use broker::{Broker, BrokerError};
pub use counts::Counts;
pub use drive::Drive;
pub use files::{DriveError, Files};
pub use rollout::{Ending, Ordered, Rollout, RolloutError, Stage, Step, StepState};
pub use tunnel::TrustError;
pub use view::{Board, Fleet, Row, Station};
pub use watch::{Heard, Watch, WatchError};
