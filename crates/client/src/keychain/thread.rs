//! One thread that alone touches the keychain, in the order asked: a wipe asked for after a store runs after it.

use std::sync::mpsc;

use secrecy::SecretString;
use tokio::sync::oneshot;

use super::{Keychain, KeychainError};

type Job = Box<dyn FnOnce(&mut dyn Keychain) + Send>;

/// A handle to the keychain's thread; the thread ends when the last handle is gone.
#[derive(Clone, Debug)]
pub struct KeychainThread {
    jobs: mpsc::Sender<Job>,
}

impl KeychainThread {
    /// # Errors
    /// When the system gives no thread.
    pub fn start(mut keychain: impl Keychain) -> std::io::Result<Self> {
        let (jobs, queue) = mpsc::channel::<Job>();
        std::thread::Builder::new().name("keychain".into()).spawn(move || {
            for job in queue {
                job(&mut keychain);
            }
        })?;
        Ok(Self { jobs })
    }

    pub async fn get(&self, user: String) -> Result<SecretString, KeychainError> {
        answer(self.ask(move |keychain| keychain.get(&user))).await
    }

    /// Like [`KeychainThread::get`], but never asks the person to unlock it.
    pub async fn get_quietly(&self, user: String) -> Result<SecretString, KeychainError> {
        answer(self.ask(move |keychain| {
            keychain.is_open()?;
            keychain.get(&user)
        }))
        .await
    }

    /// Whether there is a keychain, locked or not. Never asks the person.
    ///
    /// # Errors
    /// [`KeychainError::Missing`].
    pub async fn is_there(&self) -> Result<(), KeychainError> {
        let looked = answer(self.ask(|keychain| keychain.is_open())).await;
        if looked == Err(KeychainError::Missing) { looked } else { Ok(()) }
    }

    pub async fn set(&self, user: String, secret: SecretString) -> Result<(), KeychainError> {
        answer(self.ask(move |keychain| keychain.set(&user, &secret))).await
    }

    pub async fn delete(&self, user: String) -> Result<(), KeychainError> {
        answer(self.ask(move |keychain| keychain.delete(&user))).await
    }

    pub async fn list(&self) -> Result<Vec<String>, KeychainError> {
        answer(self.ask(|keychain| keychain.list())).await
    }

    /// Queues `call` at once; the answer comes when its turn has come.
    pub(crate) fn ask<T: Send + 'static>(
        &self,
        call: impl FnOnce(&mut dyn Keychain) -> Result<T, KeychainError> + Send + 'static,
    ) -> oneshot::Receiver<Result<T, KeychainError>> {
        let (tell, told) = oneshot::channel();
        let job = Box::new(move |keychain: &mut dyn Keychain| {
            // Nobody waits any more when the application is ending; the call itself was what mattered.
            let _ = tell.send(call(keychain));
        });
        // A thread that is gone drops the job, and with it the sender: the answer then says so.
        let _ = self.jobs.send(job);
        told
    }
}

pub(crate) async fn answer<T>(told: oneshot::Receiver<Result<T, KeychainError>>) -> Result<T, KeychainError> {
    told.await.unwrap_or_else(|_| Err(KeychainError::Other("its thread has ended".into())))
}
