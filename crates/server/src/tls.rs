//! The server's certificate: given by the administrator, or made by itself on first start for people to pin.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use axum_server::tls_rustls::RustlsConfig;
use chrono::{Datelike as _, TimeDelta};
use daypass_clock::Timestamp;
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest as _, Sha256};

use crate::key::{make_private, write_private};

/// The file in the data folder that holds the certificate and its key, readable by its owner alone.
pub const OWN_FILE: &str = "tls.pem";

/// Makes ring do the cryptography of every TLS connection of this process; again is harmless.
pub fn install_provider() {
    // An error says that one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// A certificate with its key, ready to serve.
#[derive(Clone, Debug)]
pub struct Identity {
    config: Arc<ServerConfig>,
    certificate: CertificateDer<'static>,
}

impl Identity {
    /// The certificate that the server made for itself in `folder`, for this machine's loopback names and `names`.
    /// It is made once and then stays, since people pin its fingerprint.
    pub fn load_or_make(folder: &Path, names: &[String], now: Timestamp) -> Result<Self> {
        let path = folder.join(OWN_FILE);
        if !path.exists() {
            write_private(&path, make(names, now)?.as_bytes())?;
        }
        make_private(&path)?;
        Self::load(&path, &path)
    }

    /// A certificate chain and its key from PEM files.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self> {
        let chain =
            fs::read(certificate).with_context(|| format!("cannot read {}", certificate.display()))?;
        let chain = CertificateDer::pem_slice_iter(&chain)
            .collect::<Result<Vec<_>, _>>()
            .with_context(|| format!("{} is not a PEM file", certificate.display()))?;
        let first = chain.first().cloned();
        let first =
            first.with_context(|| format!("{} does not hold a certificate", certificate.display()))?;
        let key = PrivateKeyDer::from_pem_file(key)
            .with_context(|| format!("{} does not hold a private key in PEM", key.display()))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .context("the certificate and its key do not fit together")?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self { config: Arc::new(config), certificate: first })
    }

    /// SHA-256 of the certificate, in hexadecimal: what the desktop pins.
    pub fn fingerprint(&self) -> String {
        hex::encode(Sha256::digest(&self.certificate))
    }

    /// The certificate itself, in DER.
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// What axum-server listens with.
    pub fn server_config(&self) -> RustlsConfig {
        RustlsConfig::from_config(self.config.clone())
    }
}

fn make(names: &[String], now: Timestamp) -> Result<String> {
    ensure!(names.iter().all(|name| !name.is_empty()), "a certificate's name cannot be empty");
    let mut all: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(String::from).to_vec();
    all.extend(
        names.iter().filter(|name| !matches!(name.as_str(), "localhost" | "127.0.0.1" | "::1")).cloned(),
    );
    let mut params = CertificateParams::new(all).context("a name is not fit for a certificate")?;
    params.distinguished_name.push(DnType::CommonName, "Daypass server");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // A clock that is a little behind must not refuse it; the end is far, since it is trusted by pin and not by time.
    let (from, to) = (now - TimeDelta::days(2), now + TimeDelta::days(10 * 365));
    let small = |n: u32| u8::try_from(n).unwrap_or(1);
    params.not_before = date_time_ymd(from.year(), small(from.month()), small(from.day()));
    params.not_after = date_time_ymd(to.year(), small(to.month()), small(to.day()));
    let key = KeyPair::generate().context("cannot make a key")?;
    let certificate = params.self_signed(&key).context("cannot make a certificate")?;
    Ok(format!("{}{}", key.serialize_pem(), certificate.pem()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_timestamp(1_800_000_000, 0).unwrap()
    }

    #[test]
    fn the_own_certificate_is_made_once_and_kept_privately() {
        let folder = tempfile::tempdir().unwrap();
        let first = Identity::load_or_make(folder.path(), &["daypass.example".into()], now()).unwrap();
        let path = folder.path().join(OWN_FILE);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let again = Identity::load_or_make(folder.path(), &["other.example".into()], now()).unwrap();
        assert_eq!(first.fingerprint(), again.fingerprint());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let other = Identity::load_or_make(tempfile::tempdir().unwrap().path(), &[], now()).unwrap();
        assert_ne!(first.fingerprint(), other.fingerprint());
    }

    #[test]
    fn a_given_certificate_needs_its_own_key() {
        let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        Identity::load_or_make(a.path(), &[], now()).unwrap();
        Identity::load_or_make(b.path(), &[], now()).unwrap();
        let (a, b) = (a.path().join(OWN_FILE), b.path().join(OWN_FILE));
        assert!(Identity::load(&a, &a).is_ok());
        let error = format!("{:#}", Identity::load(&a, &b).unwrap_err());
        assert!(error.contains("do not fit together"), "{error}");
    }

    #[test]
    fn what_is_not_a_certificate_is_refused_with_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("nonsense.pem");
        fs::write(&path, "nonsense").unwrap();
        let error = format!("{:#}", Identity::load(&path, &path).unwrap_err());
        assert!(error.contains("nonsense.pem"), "{error}");
        assert!(Identity::load(&folder.path().join("absent.pem"), &path).is_err());
    }
}
