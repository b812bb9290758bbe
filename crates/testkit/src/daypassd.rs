//! The control plane as a process: the program that people run, not its functions.

use std::{
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;

use crate::{Running, wait_until};

const READY: Duration = Duration::from_secs(30);

/// A running `daypassd`, or another server that is started with arguments and tells in some way when it is ready.
pub struct Daypassd {
    program: PathBuf,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    folder: PathBuf,
    ready: Probe,
    running: Option<Running>,
}

type Probe = Box<dyn Fn(&str) -> Result<()> + Send + Sync>;

impl Daypassd {
    /// Starts `program`; its log goes to `<folder>/<program>.log`. `ready` is asked with the text logged so far, until it
    /// gives `Ok`: it may look for a line, or ask the server itself.
    ///
    /// # Errors
    /// When the program cannot be started, ends by itself, or is not ready in half a minute.
    pub fn start<Arg: Into<OsString>>(
        program: &Path,
        args: impl IntoIterator<Item = Arg>,
        env: &[(&str, &str)],
        folder: &Path,
        ready: impl Fn(&str) -> Result<()> + Send + Sync + 'static,
    ) -> Result<Self> {
        let mut server = Self {
            program: program.to_owned(),
            args: args.into_iter().map(Into::into).collect(),
            env: env.iter().map(|(name, value)| (name.into(), value.into())).collect(),
            folder: folder.to_owned(),
            ready: Box::new(ready),
            running: None,
        };
        server.start_again()?;
        Ok(server)
    }

    /// Starts it again with the same arguments after [`Daypassd::stop`] or [`Daypassd::kill9`].
    ///
    /// # Errors
    /// As [`Daypassd::start`].
    pub fn start_again(&mut self) -> Result<()> {
        ensure!(self.running.is_none(), "the server is running already");
        let mut command = Command::new(&self.program);
        command.args(&self.args).envs(self.env.iter().map(|(name, value)| (name, value)));
        let name = self
            .program
            .file_name()
            .context("the server's program has no name")?
            .to_string_lossy()
            .into_owned();
        let before =
            std::fs::read_to_string(self.folder.join(format!("{name}.log"))).unwrap_or_default().len();
        let mut running = Running::start(&name, &mut command, &self.folder)?;
        wait_until(&format!("{name} to be ready"), READY, || {
            if let Err(ended) = running.check_alive() {
                return Ok(Err(ended));
            }
            // What an earlier start logged says nothing about this one.
            let log = running.log();
            (self.ready)(log.get(before..).unwrap_or_default()).map(Ok)
        })??;
        self.running = Some(running);
        Ok(())
    }

    /// Ends it as an administrator would, and waits until it is gone.
    pub fn stop(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.stop();
        }
    }

    /// Ends it as a crash would.
    pub fn kill9(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.kill9();
        }
    }

    /// # Errors
    /// As [`Daypassd::start`].
    pub fn restart(&mut self) -> Result<()> {
        self.stop();
        self.start_again()
    }

    /// Holds it where it is: connections are accepted by the system, and nobody answers.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// Its process, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.running.as_ref().map(Running::pid)
    }

    /// What it logged, over all its starts; empty while it does not run.
    #[must_use]
    pub fn log(&self) -> String {
        self.running.as_ref().map(Running::log).unwrap_or_default()
    }

    fn signal(&self, signal: Signal) {
        if let Some(running) = &self.running {
            running.signal(signal);
        }
    }
}

impl fmt::Debug for Daypassd {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Daypassd")
            .field("program", &self.program)
            .field("pid", &self.pid())
            .finish_non_exhaustive()
    }
}

impl Drop for Daypassd {
    fn drop(&mut self) {
        // A frozen process does not take the signal to end.
        self.thaw();
        self.stop();
    }
}
