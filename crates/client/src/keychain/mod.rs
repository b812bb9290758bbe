//! The OS keychain: where every secret of this device is, and nowhere else.

mod system;
mod thread;

use secrecy::SecretString;

pub use system::SystemKeychain;
pub use thread::KeychainThread;
pub(crate) use thread::answer;

/// The service under which everything of Daypass is kept.
pub const SERVICE: &str = "daypass";

/// A store of secrets by user name, below [`SERVICE`]. The calls block; [`KeychainThread`] keeps them off the loop.
pub trait Keychain: Send + 'static {
    fn get(&mut self, user: &str) -> Result<SecretString, KeychainError>;

    fn set(&mut self, user: &str, secret: &SecretString) -> Result<(), KeychainError>;

    /// # Errors
    /// [`KeychainError::NotFound`] when there is nothing to delete.
    fn delete(&mut self, user: &str) -> Result<(), KeychainError>;

    /// Whether it answers and is unlocked. Never asks the person, unlike all the other calls: what runs by itself
    /// looks here first, so that a person who wants the keychain locked is not asked every second.
    fn is_open(&mut self) -> Result<(), KeychainError>;

    /// The user names that exist.
    fn list(&mut self) -> Result<Vec<String>, KeychainError>;
}

/// Why the keychain could not do it; the message is for the person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeychainError {
    #[error("The keychain is locked. Unlock it, and Daypass goes on by itself.")]
    Locked,
    #[error(
        "No keychain answers on this machine. Start one (GNOME Keyring or KWallet), and Daypass goes on by itself."
    )]
    Missing,
    #[error("The keychain does not hold this.")]
    NotFound,
    #[error("The keychain failed: {0}")]
    Other(String),
}

/// The user name of a grant's credential.
pub fn grant_user(grant: daypass_domain::GrantId) -> String {
    format!("{GRANT_PREFIX}{grant}")
}

/// The user name of the refresh token for a server.
pub fn refresh_user(address: &str) -> String {
    format!("refresh:{address}")
}

pub(crate) const GRANT_PREFIX: &str = "grant:";

/// The user name of the key that seals the local history.
pub const HISTORY_KEY_USER: &str = "history-key";
