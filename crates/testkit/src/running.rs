//! A process group that ends with its handle, and also when the process that holds the handle is killed.

use std::{
    fs::{self, File},
    io::Write,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

use crate::wait_until;

const GRACE: Duration = Duration::from_secs(5);

/// How a program is started and ended, where that differs from the usual.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) stop_signal: Signal,
    /// Standard input is a pipe that the caller writes to.
    pub(crate) listens: bool,
    /// Standard output is a pipe that the caller reads, not the log.
    pub(crate) talks: bool,
    /// The folder goes when this process is killed; otherwise its owner removes it.
    pub(crate) owns_folder: bool,
}

impl Default for Plan {
    fn default() -> Self {
        Self { stop_signal: Signal::TERM, listens: false, talks: false, owns_folder: false }
    }
}

/// A started program with all the processes that it starts in turn.
#[derive(Debug)]
pub struct Running {
    what: String,
    child: Child,
    group: Pid,
    stop_signal: Signal,
    log: PathBuf,
    guardian: Option<Child>,
}

impl Running {
    /// Starts `command` in a process group of its own. What it prints goes to `<folder>/<what>.log`.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn start(what: &str, command: &mut Command, folder: &Path) -> Result<Self> {
        Self::launch(what, command, folder, Plan::default())
    }

    pub(crate) fn launch(what: &str, command: &mut Command, folder: &Path, plan: Plan) -> Result<Self> {
        let log = folder.join(format!("{what}.log"));
        let file = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .with_context(|| format!("cannot write {}", log.display()))?;
        let output = if plan.talks { Stdio::piped() } else { file.try_clone()?.into() };
        let child = command
            .process_group(0)
            .stdin(if plan.listens { Stdio::piped() } else { Stdio::null() })
            .stdout(output)
            .stderr(file)
            .spawn()
            .with_context(|| format!("cannot start {what} ({})", command.get_program().display()))?;
        let group = Pid::from_child(&child);
        let stop_signal = plan.stop_signal;
        let mut running = Self { what: what.into(), child, group, stop_signal, log, guardian: None };
        running.guardian = Some(guard(group, stop_signal, plan.owns_folder.then_some(folder))?);
        Ok(running)
    }

    /// The process id of the program itself.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// What it printed so far, also in earlier runs with the same folder.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// # Errors
    /// When the program has ended; the error holds the last lines that it printed.
    pub fn check_alive(&mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            let log = self.log();
            let lines: Vec<_> = log.lines().collect();
            let tail = lines.get(lines.len().saturating_sub(15)..).unwrap_or_default().join("\n");
            bail!("{} ended by itself ({status}); it printed:\n{tail}", self.what);
        }
        Ok(())
    }

    /// Waits for the program to end by itself.
    ///
    /// # Errors
    /// When it is still there after `limit`.
    pub fn wait(&mut self, limit: Duration) -> Result<ExitStatus> {
        let what = format!("{} to end", self.what);
        let child = &mut self.child;
        wait_until(&what, limit, || child.try_wait()?.context("still running"))
    }

    /// SIGKILL to the whole group: the crash that no program can prepare for.
    pub fn kill9(&mut self) {
        self.signal(Signal::KILL);
        // A killed child is always reaped; an error means that it was reaped before.
        let _ = self.child.wait();
        // What it started dies a moment later; until then it keeps its sockets, and its name on the bus.
        let gone = wait_until("the killed processes to be gone", GRACE, || {
            ensure!(!has_living(self.group)?, "some still die");
            Ok(())
        });
        if let Err(error) = gone {
            eprintln!("{}: {error:#}", self.what);
        }
        self.dismiss_guardian();
    }

    /// Asks the group to end, and ends it by force when it does not.
    pub fn stop(&mut self) {
        self.signal(self.stop_signal);
        if self.wait(GRACE).is_err() {
            self.signal(Signal::KILL);
            let _ = self.child.wait();
        }
        // Programs that it left behind get the signal once more, then no choice.
        for step in 0..50 {
            if test_kill_process_group(self.group).is_err() {
                break;
            }
            self.signal(if step < 20 { self.stop_signal } else { Signal::KILL });
            thread::sleep(Duration::from_millis(10));
        }
        self.dismiss_guardian();
    }

    pub(crate) fn signal(&self, signal: Signal) {
        // The only failure is that the group is gone, which is what is wanted.
        let _ = kill_process_group(self.group, signal);
    }

    fn dismiss_guardian(&mut self) {
        if let Some(mut guardian) = self.guardian.take() {
            if let Some(input) = guardian.stdin.as_mut() {
                // A guardian that is gone has nothing left to guard.
                let _ = input.write_all(b"done\n");
            }
            let _ = guardian.wait();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.guardian.is_some() {
            self.stop();
        }
    }
}

/// Whether a process of the group has not ended; one that waits to be reaped has.
fn has_living(group: Pid) -> Result<bool> {
    let group = group.as_raw_nonzero().to_string();
    for entry in fs::read_dir("/proc")? {
        // A process that ended meanwhile has no file any more.
        let Ok(stat) = fs::read_to_string(entry?.path().join("stat")) else { continue };
        // After the name, which may hold anything: state, parent, group.
        let mut fields = stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace()).into_iter().flatten();
        let (state, of_group) = (fields.next(), fields.nth(1));
        if of_group == Some(group.as_str()) && !matches!(state, Some("Z" | "X")) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A shell that waits on a pipe from this process. When the pipe closes without a word, this process was killed, and
/// the shell ends the group in its place: a test run that is cut off leaves no server behind.
fn guard(group: Pid, stop_signal: Signal, folder: Option<&Path>) -> Result<Child> {
    const WATCH: &str = r#"
        trap '' HUP INT TERM
        read -r _ && exit 0
        kill -"$2" -"$1" 2>/dev/null
        for _ in 1 2 3 4 5 6 7 8 9 10; do kill -0 -"$1" 2>/dev/null || break; sleep 0.2; done
        kill -KILL -"$1" 2>/dev/null
        [ -z "$3" ] || rm -rf -- "$3"
    "#;
    Command::new("/bin/sh")
        .args(["-c", WATCH, "guardian"])
        .arg(group.as_raw_nonzero().to_string())
        .arg(stop_signal.as_raw().to_string())
        .arg(folder.unwrap_or(Path::new("")))
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("cannot start the guardian shell")
}
