//! The clipboard, on a thread of its own: on X11 and Wayland a text is there only while its owner lives.

use std::sync::mpsc;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};

#[derive(Clone, Debug)]
pub(crate) struct Clipboard {
    orders: mpsc::Sender<Order>,
}

enum Order {
    Copy(SecretString),
    Clear,
    Finish(mpsc::Sender<()>),
}

impl Clipboard {
    pub(crate) fn start() -> std::io::Result<Self> {
        let (orders, queue) = mpsc::channel();
        std::thread::Builder::new().name("clipboard".into()).spawn(move || serve(&queue))?;
        Ok(Self { orders })
    }

    pub(crate) fn copy(&self, text: SecretString) {
        // The thread ends with the application only.
        let _ = self.orders.send(Order::Copy(text));
    }

    /// Empties it if it still holds what was copied last.
    pub(crate) fn clear_copied(&self) {
        let _ = self.orders.send(Order::Clear);
    }

    /// Waits until all orders are carried out.
    pub(crate) fn finish(&self) {
        let (done, end) = mpsc::channel();
        if self.orders.send(Order::Finish(done)).is_ok() {
            // A clipboard that hangs must not keep the application from ending.
            let _ = end.recv_timeout(Duration::from_secs(2));
        }
    }
}

fn serve(queue: &mpsc::Receiver<Order>) {
    let mut clipboard: Option<arboard::Clipboard> = None;
    let mut copied: Option<SecretString> = None;
    for order in queue {
        let result = match order {
            Order::Copy(text) => {
                let result = opened(&mut clipboard).and_then(|c| put(c, text.expose_secret()));
                copied = Some(text);
                result
            }
            Order::Clear => match copied.take() {
                None => Ok(()),
                Some(text) => opened(&mut clipboard).and_then(|c| match c.get_text() {
                    Ok(there) if there == text.expose_secret() => c.clear(),
                    Ok(_) | Err(arboard::Error::ContentNotAvailable) => Ok(()),
                    Err(error) => Err(error),
                }),
            },
            Order::Finish(done) => {
                let _ = done.send(());
                Ok(())
            }
        };
        if let Err(error) = result {
            tracing::warn!(%error, "the clipboard does not do it");
            clipboard = None;
        }
    }
}

fn opened(clipboard: &mut Option<arboard::Clipboard>) -> Result<&mut arboard::Clipboard, arboard::Error> {
    match clipboard {
        Some(clipboard) => Ok(clipboard),
        None => Ok(clipboard.insert(arboard::Clipboard::new()?)),
    }
}

/// Asks clipboard histories not to keep it, where there is a way to ask.
#[cfg(target_os = "linux")]
fn put(clipboard: &mut arboard::Clipboard, text: &str) -> Result<(), arboard::Error> {
    use arboard::SetExtLinux as _;
    clipboard.set().exclude_from_history().text(text)
}

#[cfg(not(target_os = "linux"))]
fn put(clipboard: &mut arboard::Clipboard, text: &str) -> Result<(), arboard::Error> {
    clipboard.set_text(text)
}
