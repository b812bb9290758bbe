//! Whom to trust on the other end: exactly one certificate when it was pinned, else the public authorities.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// The SHA-256 digest of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    fn of(certificate: &CertificateDer<'_>) -> Self {
        Self(Sha256::digest(certificate.as_ref()).into())
    }

    /// Reads hexadecimal digits, with any spaces and colons between them.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(|c| !c.is_whitespace() && *c != ':').collect();
        hex::decode(digits).ok()?.try_into().ok().map(Self)
    }

    fn is(&self, certificate: &CertificateDer<'_>) -> bool {
        bool::from(self.0.ct_eq(&Self::of(certificate).0))
    }
}

/// In groups of four digits, as people compare them.
impl std::fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, pair) in self.0.chunks(2).enumerate() {
            let space = if i == 0 { "" } else { " " };
            write!(f, "{space}{}", hex::encode_upper(pair))?;
        }
        Ok(())
    }
}

/// Who is accepted on the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accept {
    /// Only this certificate, whoever issued it and whatever name it has.
    Pinned(Fingerprint),
    /// What a public authority vouches for.
    Public,
}

/// A TLS configuration that accepts only `accept`.
pub(crate) fn config(accept: Accept) -> Result<ClientConfig, Error> {
    let verifier: Arc<dyn ServerCertVerifier> = match accept {
        Accept::Pinned(pin) => Arc::new(Verifier { judge: Judge::Pinned(pin), provider: provider() }),
        Accept::Public => public_verifier()?,
    };
    with_verifier(verifier)
}

/// What was seen of a server that is only looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    pub(crate) fingerprint: Fingerprint,
    /// Whether a public authority vouches for it under the name that was asked for.
    pub(crate) public: bool,
}

/// Filled by the handshake.
pub(crate) type SeenSoFar = Arc<Mutex<Option<Seen>>>;

/// A TLS configuration that accepts anyone and notes who it was: for looking at a server before trusting it. Nothing
/// secret may be sent over it.
pub(crate) fn looking() -> Result<(ClientConfig, SeenSoFar), Error> {
    let seen = Arc::new(Mutex::new(None));
    let judge = Judge::Looking { seen: seen.clone(), public: public_verifier()? };
    let verifier = Verifier { judge, provider: provider() };
    Ok((with_verifier(Arc::new(verifier))?, seen))
}

fn with_verifier(verifier: Arc<dyn ServerCertVerifier>) -> Result<ClientConfig, Error> {
    Ok(ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth())
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn public_verifier() -> Result<Arc<WebPkiServerVerifier>, Error> {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
        .build()
        .map_err(|e| Error::General(e.to_string()))
}

/// How a certificate is judged; the handshake's signature is always verified.
#[derive(Debug)]
enum Judge {
    /// Only this one will do.
    Pinned(Fingerprint),
    /// Any will do, and what was seen is written down for a person to decide.
    Looking { seen: Arc<Mutex<Option<Seen>>>, public: Arc<WebPkiServerVerifier> },
}

#[derive(Debug)]
struct Verifier {
    judge: Judge,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match &self.judge {
            Judge::Pinned(pin) if pin.is(end_entity) => {}
            Judge::Pinned(_) => {
                return Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure));
            }
            Judge::Looking { seen, public } => {
                let vouched = public.verify_server_cert(end_entity, intermediates, name, ocsp, now).is_ok();
                let named = ParsedCertificate::try_from(end_entity)
                    .and_then(|c| verify_server_name(&c, name))
                    .is_ok();
                let found = Seen { fingerprint: Fingerprint::of(end_entity), public: vouched && named };
                *seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
            }
        }
        Ok(ServerCertVerified::assertion())
    }

    // The certificate is public: only the handshake's signature shows that the other end holds its key.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_reads_what_it_writes() {
        let fingerprint = Fingerprint::of(&CertificateDer::from(vec![1, 2, 3]));
        assert_eq!(Fingerprint::parse(&fingerprint.to_string()), Some(fingerprint));
        assert_eq!(fingerprint.to_string().split(' ').count(), 16);
        assert_eq!(Fingerprint::parse("ab"), None);
        assert_eq!(Fingerprint::parse("not hexadecimal"), None);
    }
}
