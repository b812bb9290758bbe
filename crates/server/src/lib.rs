//! daypassd: the control plane.

pub mod api;
pub mod app;
pub mod command;
pub mod connector;
pub mod flow;
pub mod key;
pub mod network;
pub mod reconcile;
pub mod signin;
pub mod store;
pub mod tls;
pub mod view;
