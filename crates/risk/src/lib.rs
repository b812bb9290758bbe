//! The risk score of a request and its explanation.
