//! The server's own secret, from which everything that only this server must be able to say is derived.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::zeroize::Zeroizing;
use sha2::Sha256;

/// The file in the data folder: 64 hexadecimal digits.
pub const KEY_FILE: &str = "server.key";

/// 32 random bytes. Replicas that share a store share the key.
#[derive(Clone)]
pub struct ServerKey(Zeroizing<[u8; 32]>);

impl ServerKey {
    /// A new key, as random as the system can make it.
    pub fn random() -> Result<Self> {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(bytes.as_mut_slice())
            .map_err(anyhow::Error::msg)
            .context("the system has no randomness")?;
        Ok(Self(bytes))
    }

    /// The key in `folder`, which is made at random when it is not there. Nobody but its owner can read it afterwards.
    pub fn load_or_make(folder: &Path) -> Result<Self> {
        let path = folder.join(KEY_FILE);
        if !path.exists() {
            let key = Self::random()?;
            write_private(&path, Zeroizing::new(hex::encode(key.0.as_slice())).as_bytes())?;
            return Ok(key);
        }
        make_private(&path)?;
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let text = Zeroizing::new(text);
        let mut bytes = Zeroizing::new([0; 32]);
        let read = hex::decode_to_slice(text.trim(), bytes.as_mut_slice());
        ensure!(read.is_ok(), "{} does not hold 64 hexadecimal digits", path.display());
        Ok(Self(bytes))
    }

    /// HMAC-SHA-256 over the parts, under a label of its own for each purpose. Each part's length is in it, so that
    /// no two lists of parts say the same.
    pub(crate) fn mac(&self, label: &str, parts: &[&[u8]]) -> [u8; 32] {
        // A key that is shorter than the block is padded with zeros (RFC 2104).
        let mut block = Zeroizing::new([0; 64]);
        for (to, from) in block.iter_mut().zip(self.0.iter()) {
            *to = *from;
        }
        let mut mac = Hmac::<Sha256>::new(&(*block).into());
        for part in std::iter::once(&label.as_bytes()).chain(parts) {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

/// Writes a file that only its owner can read, all of it or nothing.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> Result<()> {
    let half_written = path.with_extension("new");
    // Left by a crash; whatever is in it was never used.
    let _ = fs::remove_file(&half_written);
    let write = || -> std::io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&half_written)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&half_written, path)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// Takes everyone else's rights away from a file that was there already.
pub(crate) fn make_private(path: &Path) -> Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
        .with_context(|| format!("cannot keep {} from others", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_kept_privately_and_stays_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(KEY_FILE);
        let first = ServerKey::load_or_make(folder.path()).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let again = ServerKey::load_or_make(folder.path()).unwrap();
        assert_eq!(first.mac("x", &[b"y"]), again.mac("x", &[b"y"]));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_ne!(first.mac("x", &[b"y"]), ServerKey::random().unwrap().mac("x", &[b"y"]));
    }

    #[test]
    fn a_damaged_key_is_refused_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(KEY_FILE);
        fs::write(&path, "0123").unwrap();
        assert!(ServerKey::load_or_make(folder.path()).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "0123");
    }

    #[test]
    fn macs_differ_by_label_and_by_where_parts_end() {
        let key = ServerKey(Zeroizing::new([7; 32]));
        assert_ne!(key.mac("a", &[b"b"]), key.mac("ab", &[]));
        assert_ne!(key.mac("a", &[b"bc", b"d"]), key.mac("a", &[b"b", b"cd"]));
        assert_ne!(key.mac("a", &[b"b"]), key.mac("a", &[b"b", b""]));
    }
}
