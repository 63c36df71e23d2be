//! The supervisor of one service on this machine: it starts exactly what a [`Permit`](plimsoll_policy::Permit) names,
//! lets connections in once the service is healthy, restarts it when it dies, and stops it when asked. It decides
//! nothing.

mod carry;
pub mod control;
mod duty;
pub mod health;
mod instance;
mod proxy;
pub mod record;
pub mod supervisor;

pub use control::{ControlError, stop};
pub use health::HealthCheck;
pub use record::{ServiceDirectory, ServiceRecord, ServiceState, Setback, Standby};
pub use supervisor::{Fallback, Progress, Service, SuperviseError, Trigger, supervise};
