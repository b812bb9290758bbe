//! What PostgreSQL keeps of a password (RFC 5803), computed here so that no statement ever holds the password itself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

/// PostgreSQL's own number. A password of 256 bits of chance gains nothing from more.
const ROUNDS: u32 = 4096;

/// The verifier as `CREATE ROLE .. PASSWORD` takes it. The password has to be ASCII, which SASLprep leaves as it is.
pub(super) fn verifier(password: &SecretString, salt: [u8; 16]) -> String {
    let mut salted = [0; 32];
    pbkdf2::pbkdf2_hmac::<Sha256>(password.expose_secret().as_bytes(), &salt, ROUNDS, &mut salted);
    let stored = Sha256::digest(hmac(&salted, b"Client Key"));
    let server = hmac(&salted, b"Server Key");
    format!(
        "SCRAM-SHA-256${ROUNDS}:{}${}:{}",
        STANDARD.encode(salt),
        STANDARD.encode(stored),
        STANDARD.encode(server)
    )
}

fn hmac(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    // A key that is shorter than the block is padded with zeros (RFC 2104).
    let mut block = [0; 64];
    for (to, from) in block.iter_mut().zip(key) {
        *to = *from;
    }
    let mut mac = Hmac::<Sha256>::new(&block.into());
    mac.update(message);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verifier_is_the_one_that_rfc_7677_arrives_at() {
        // The RFC's example: user "user", password "pencil", 4096 rounds. It gives the proof and the signature, not
        // the keys; these keys make exactly that proof and signature.
        let salt: [u8; 16] = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap().try_into().unwrap();
        let made = verifier(&"pencil".into(), salt);
        let keys = made.rsplit('$').next().unwrap();
        let (stored, server) = keys.split_once(':').unwrap();
        let decode = |s: &str| -> [u8; 32] { STANDARD.decode(s).unwrap().try_into().unwrap() };
        let message = "n=user,r=rOprNGfwEbeRWgbNEkqO,\
                       r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,\
                       c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let signature = hmac(&decode(server), message.as_bytes());
        assert_eq!(STANDARD.encode(signature), "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
        // ClientKey = proof XOR HMAC(StoredKey, message), and StoredKey = H(ClientKey).
        let proof = decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
        let masked = hmac(&decode(stored), message.as_bytes());
        let client: Vec<u8> = proof.iter().zip(masked).map(|(a, b)| a ^ b).collect();
        assert_eq!(STANDARD.encode(Sha256::digest(client)), stored);
    }
}
