//! Requests, stages, decisions and grants as pure state machines.
