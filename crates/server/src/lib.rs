//! daypassd: the control plane.
