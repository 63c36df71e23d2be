//! The supervisor of one service on this machine: it starts exactly what a [`Permit`](plimsoll_policy::Permit) names,
//! lets connections in once the service is healthy, restarts it when it dies, and stops it when asked. It decides
//! nothing. Where a release is no service it installs its files instead. Beside it, what an agent needs: what it remembers, what it sees of a service, and what it does next.

pub mod agent_state;
mod carry;
pub mod control;
pub mod drift;
mod duty;
pub mod health;
pub mod install;
mod instance;
pub mod look;
mod proxy;
pub mod reconcile;
pub mod record;
pub mod supervisor;

pub use control::{ControlError, stop};
pub use health::HealthCheck;
pub use install::{Installation, install, may_install};
pub use look::Look;
pub use record::{Installed, ServiceDirectory, ServiceRecord, ServiceState, Setback, Standby};
pub use supervisor::{Fallback, Progress, Service, SuperviseError, Trigger, supervise};
