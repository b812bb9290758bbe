//! A display of its own: a real X server that draws into memory.

use std::{
    ffi::OsString,
    io::{BufRead, BufReader},
    path::Path,
    process::Command,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use x11rb::protocol::xproto::{ClientMessageEvent, ConnectionExt as _, EventMask};

use crate::{
    bus::clean,
    programs::{output_of, system_program},
    running::{Plan, Running},
    wait_until,
};

const READY: Duration = Duration::from_secs(10);

/// A running Xvfb; it ends when the last of those who draw on it does.
#[derive(Debug, Clone)]
pub struct Display(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    _server: Running,
    _folder: TempDir,
    name: String,
}

impl Display {
    /// A screen of 1280×800.
    ///
    /// # Errors
    /// When Xvfb is not installed, or does not come up.
    pub fn start() -> Result<Self> {
        Self::with_size(1280, 800)
    }

    /// # Errors
    /// As [`Display::start`].
    pub fn with_size(width: u32, height: u32) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("daypass-display-").tempdir()?;
        let mut command = Command::new(system_program("Xvfb", "xvfb")?);
        clean(&mut command);
        // The server itself finds a number that is free, and tells it.
        command.args(["-displayfd", "1", "-nolisten", "tcp", "-noreset", "-screen", "0"]);
        command.arg(format!("{width}x{height}x24"));
        let plan = Plan { talks: true, owns_folder: true, ..Plan::default() };
        let mut server = Running::launch("xvfb", &mut command, folder.path(), plan)?;
        let mut number = String::new();
        let output = server.child().stdout.take().context("Xvfb has no output")?;
        BufReader::new(output).read_line(&mut number)?;
        ensure!(!number.trim().is_empty(), "Xvfb did not come up: {}", server.log());
        let display =
            Self(Arc::new(Shared { _server: server, _folder: folder, name: format!(":{}", number.trim()) }));
        Ok(display)
    }

    /// As in the variable DISPLAY.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// What a program needs in its environment to draw here.
    #[must_use]
    pub fn env(&self) -> Vec<(OsString, OsString)> {
        vec![("DISPLAY".into(), self.name().into()), ("GDK_BACKEND".into(), "x11".into())]
    }

    /// The whole screen as a PNG file.
    ///
    /// # Errors
    /// When ImageMagick is not installed, or the file cannot be written.
    pub fn screenshot(&self, file: &Path) -> Result<()> {
        let mut command = self.command("import", "imagemagick")?;
        output_of(command.args(["-window", "root"]).arg(file)).map(drop)?;
        ensure!(file.exists(), "import wrote no {}", file.display());
        Ok(())
    }

    /// A real left click at a point of the screen.
    ///
    /// # Errors
    /// When xdotool is not installed.
    pub fn click(&self, x: i32, y: i32) -> Result<()> {
        self.xdotool(&["mousemove", &x.to_string(), &y.to_string(), "click", "1"]).map(drop)
    }

    /// A real key press to the window with the keyboard's focus; the name as xdotool knows it: `Return`, `ctrl+k`.
    ///
    /// # Errors
    /// When xdotool is not installed, or knows no such key.
    pub fn key(&self, name: &str) -> Result<()> {
        self.xdotool(&["key", "--clearmodifiers", name]).map(drop)
    }

    /// Whether a window whose title contains `title` is on the screen.
    ///
    /// # Errors
    /// When xdotool is not installed.
    pub fn shows(&self, title: &str) -> Result<bool> {
        Ok(!self.visible_windows(title)?.is_empty())
    }

    /// Asks the window with this title to close, as a window manager does when its person clicks the cross.
    ///
    /// # Errors
    /// When no such window shows up, or it stays.
    pub fn close_window(&self, title: &str) -> Result<()> {
        let window = wait_until(&format!("a window titled {title:?}"), READY, || {
            self.visible_windows(title)?.into_iter().next().context("there is none")
        })?;
        let window: u32 = window.parse().with_context(|| format!("xdotool found window {window:?}"))?;
        let (x, _) = x11rb::connect(Some(self.name()))?;
        let protocols = x.intern_atom(false, b"WM_PROTOCOLS")?.reply()?.atom;
        let delete = x.intern_atom(false, b"WM_DELETE_WINDOW")?.reply()?.atom;
        let please = ClientMessageEvent::new(32, window, protocols, [delete, x11rb::CURRENT_TIME, 0, 0, 0]);
        x.send_event(false, window, EventMask::NO_EVENT, please)?.check()?;
        wait_until(&format!("no window titled {title:?}"), READY, || {
            ensure!(!self.shows(title)?, "it stays");
            Ok(())
        })
    }

    fn visible_windows(&self, title: &str) -> Result<Vec<String>> {
        // Exits with an error when it finds none.
        let output = self
            .command("xdotool", "xdotool")?
            .args(["search", "--onlyvisible", "--name", title])
            .output()?;
        Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
    }

    /// Runs `xdotool` on this display; gives what it prints.
    ///
    /// # Errors
    /// When xdotool is not installed, or fails.
    pub fn xdotool(&self, args: &[&str]) -> Result<String> {
        output_of(self.command("xdotool", "xdotool")?.args(args))
    }

    fn command(&self, program: &str, package: &str) -> Result<Command> {
        let mut command = Command::new(system_program(program, package)?);
        clean(&mut command);
        command.envs(self.env());
        Ok(command)
    }
}
