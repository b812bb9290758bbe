//! SQL to facts to verdict, by PostgreSQL's own grammar.
//!
//! [`Guard::judge`] reads a text with [`pg_query`], gathers [`Facts`] over everything that the text would run, and puts
//! them to Cedar policies. Whether a write is bounded is decided by looking for a row that its predicate leaves out.
//! Nothing here reads a clock, a file or a network.

mod analyse;
mod bounds;
mod cache;
pub mod catalogue;
pub mod cli;
mod facts;
mod functions;
mod guard;
mod message;
mod policy;
mod session;
mod settings;
mod tree;

pub use cache::Cache;
pub use catalogue::Catalogue;
pub use facts::{Called, Facts, Finding, Hazard, Kind, Trust};
pub use guard::{Guard, Input, Judgement, MOST_BYTES, Mode, Parameter, Refusal};
pub use message::coloured;
pub use policy::{Policy, PolicyError, Ruling, Verdict};
pub use session::Session;
