//! Sealing what lies on the disk: XChaCha20-Poly1305 with a key that is in the keychain only.

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

const NONCE: usize = 24;

/// The key of the local history.
pub(crate) struct Seal(XChaCha20Poly1305);

impl Seal {
    /// A new key, as text for the keychain.
    pub(crate) fn new_key() -> Result<SecretString, getrandom::Error> {
        let mut key = Zeroizing::new([0; 32]);
        getrandom::fill(key.as_mut())?;
        Ok(hex::encode(key.as_ref()).into())
    }

    pub(crate) fn open_with(key: &SecretString) -> Option<Self> {
        let bytes = Zeroizing::new(hex::decode(key.expose_secret()).ok()?);
        XChaCha20Poly1305::new_from_slice(&bytes).ok().map(Self)
    }

    /// Nonce and ciphertext. `place` is bound to it: a sealed row moved to another place does not open.
    pub(crate) fn seal(&self, place: &str, text: &[u8]) -> Option<Vec<u8>> {
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).ok()?;
        let payload = Payload { msg: text, aad: place.as_bytes() };
        let mut sealed = nonce.to_vec();
        sealed.extend(self.0.encrypt(&XNonce::from(nonce), payload).ok()?);
        Some(sealed)
    }

    pub(crate) fn unseal(&self, place: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, text) = sealed.split_at_checked(NONCE)?;
        let nonce: [u8; NONCE] = nonce.try_into().ok()?;
        self.0.decrypt(&XNonce::from(nonce), Payload { msg: text, aad: place.as_bytes() }).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_only_in_its_place_with_its_key_and_whole() {
        let seal = Seal::open_with(&Seal::new_key().unwrap()).unwrap();
        let sealed = seal.seal("row 7", b"Sam approved").unwrap();
        assert_eq!(seal.unseal("row 7", &sealed).as_deref(), Some(&b"Sam approved"[..]));
        assert_eq!(seal.unseal("row 8", &sealed), None);
        assert_eq!(Seal::open_with(&Seal::new_key().unwrap()).unwrap().unseal("row 7", &sealed), None);
        for i in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[i] ^= 1;
            assert_eq!(seal.unseal("row 7", &changed), None, "byte {i}");
        }
        assert_eq!(seal.unseal("row 7", &sealed[..10]), None);
    }
}
