//! The append-only, tamper-evident record: hashes and proofs of RFC 6962 (restated in RFC 9162, section 2.1).
//!
//! A list of entries has one root hash. From the list come short proofs that an entry stands at a position, and that
//! a longer list begins with a shorter one; whoever keeps only a root can check both. Nothing here does I/O.

mod frontier;
mod proof;

pub use frontier::Frontier;
pub use proof::{ProofError, consistency_proof, inclusion_proof, root, verify_consistency, verify_inclusion};

use sha2::{Digest as _, Sha256};

/// A SHA-256 hash.
pub type Hash = [u8; 32];

/// The hash of an entry. The leading byte keeps an entry from ever passing for an inner node.
pub fn leaf_hash(entry: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(entry).finalize().into()
}

/// The hash of an inner node from those of its children.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// The root of the empty list.
pub fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

#[cfg(test)]
mod tests;
