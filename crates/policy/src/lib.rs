//! Who may request, who may approve, and which obligations follow: Cedar over an organisation's own files.
//!
//! [`Policy::parse`] reads the five files of a policy folder ([`Sources`]) and checks everything that can be checked;
//! a policy that exists is a good one. It answers from its values alone: the time, the risk and the flags come with
//! each question. Whatever cannot be answered is denied.

mod answer;
mod approval;
mod error;
mod feasible;
mod obligations;
mod org;
mod policy;
mod rules;
mod sources;
mod world;

pub use answer::{Offer, RequestAnswer};
pub use approval::Refusal;
pub use error::PolicyError;
pub use org::{
    Connector, Freeze, Group, Incident, Org, Person, Postgres, Resource, SecretRef, Team, WorkingHours,
};
pub use policy::{Policy, RequestFacts};
pub use sources::Sources;
