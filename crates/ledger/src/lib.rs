//! The append-only, tamper-evident record: hashes and proofs of RFC 6962.
