//! daypassd: the control plane.

pub mod connector;
pub mod signin;
pub mod store;
