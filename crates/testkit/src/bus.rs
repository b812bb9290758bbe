//! A session bus of its own, with a home and a runtime folder of its own around it.

use std::{
    env,
    ffi::OsString,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::{
    programs::{output_of, system_program},
    running::{Plan, Running},
    wait_until,
};

const READY: Duration = Duration::from_secs(10);

/// Nothing is started by the bus itself: who asks for a name that nobody owns is told so at once.
const CONFIG: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <keep_umask/>
  <listen>unix:path=SOCKET</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#;

/// A running `dbus-daemon`; it ends when the last of those who live on it does.
#[derive(Debug, Clone)]
pub struct Bus(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    _daemon: Running,
    folder: TempDir,
}

impl Bus {
    /// # Errors
    /// When `dbus-daemon` is not installed, or does not come up.
    pub fn start() -> Result<Self> {
        let program = system_program("dbus-daemon", "dbus")?;
        let folder = tempfile::Builder::new().prefix("daypass-desk-").tempdir()?;
        for name in ["home", "run"] {
            let made = folder.path().join(name);
            fs::create_dir(&made)?;
            fs::set_permissions(&made, fs::Permissions::from_mode(0o700))?;
        }
        let socket = folder.path().join("bus");
        let config = folder.path().join("bus.conf");
        fs::write(&config, CONFIG.replace("SOCKET", &socket.display().to_string()))?;
        let mut command = Command::new(program);
        command.arg("--config-file").arg(&config).args(["--nofork", "--nopidfile", "--nosyslog"]);
        clean(&mut command);
        let plan = Plan { owns_folder: true, ..Plan::default() };
        let mut daemon = Running::launch("dbus-daemon", &mut command, folder.path(), plan)?;
        wait_until("the session bus", READY, || {
            daemon.check_alive()?;
            ensure!(socket.exists(), "no socket yet");
            Ok(())
        })?;
        Ok(Self(Arc::new(Shared { _daemon: daemon, folder })))
    }

    #[must_use]
    pub fn address(&self) -> String {
        format!("unix:path={}", self.0.folder.path().join("bus").display())
    }

    /// The home folder of everyone on this bus.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.0.folder.path().join("home")
    }

    /// Where the logs of everything on this bus are.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.0.folder.path()
    }

    /// What a program needs in its environment to live here.
    #[must_use]
    pub fn env(&self) -> Vec<(OsString, OsString)> {
        vec![
            ("DBUS_SESSION_BUS_ADDRESS".into(), self.address().into()),
            ("HOME".into(), self.home().into()),
            ("XDG_RUNTIME_DIR".into(), self.0.folder.path().join("run").into()),
            ("LANG".into(), "C.UTF-8".into()),
            ("GSETTINGS_BACKEND".into(), "memory".into()),
            // Nobody reads the screen here, and looking for the accessibility bus takes time.
            ("NO_AT_BRIDGE".into(), "1".into()),
            ("GTK_A11Y".into(), "none".into()),
        ]
    }

    /// A command that runs here and sees nothing of the desktop that the tests are started from.
    ///
    /// # Errors
    /// When `program` is not in PATH; names the Debian `package` that brings it.
    pub(crate) fn command(&self, program: &str, package: &str) -> Result<Command> {
        let mut command = Command::new(system_program(program, package)?);
        clean(&mut command);
        command.envs(self.env());
        Ok(command)
    }

    /// Whether somebody owns `name` on this bus.
    ///
    /// # Errors
    /// When the bus does not answer.
    pub fn has_owner(&self, name: &str) -> Result<bool> {
        let answer = self.call(
            "org.freedesktop.DBus",
            "/",
            "org.freedesktop.DBus.NameHasOwner",
            &[&format!("string:{name}")],
        )?;
        Ok(answer.contains("boolean true"))
    }

    pub(crate) fn call(&self, destination: &str, path: &str, method: &str, args: &[&str]) -> Result<String> {
        let mut command = self.command("dbus-send", "dbus")?;
        command
            .args(["--session", "--print-reply", "--reply-timeout=10000"])
            .arg(format!("--dest={destination}"));
        output_of(command.args([path, method]).args(args)).with_context(|| format!("{method} failed"))
    }

    pub(crate) fn wait_for_owner(&self, name: &str, program: &mut Running) -> Result<()> {
        wait_until(&format!("an owner of {name}"), READY, || {
            if let Err(ended) = program.check_alive() {
                return Ok(Err(ended));
            }
            ensure!(self.has_owner(name)?, "nobody owns it");
            Ok(Ok(()))
        })?
    }
}

/// Takes from a command what ties it to the person's own desktop.
pub(crate) fn clean(command: &mut Command) {
    const TIES: [&str; 9] = [
        "DISPLAY",
        "WAYLAND_DISPLAY",
        "GNOME_KEYRING_CONTROL",
        "SSH_AUTH_SOCK",
        "XAUTHORITY",
        "GTK_MODULES",
        "GTK_THEME",
        "GDK_BACKEND",
        "LC_ALL",
    ];
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if TIES.contains(&text.as_ref()) || text.starts_with("XDG_") || text.starts_with("DBUS_") {
            command.env_remove(&name);
        }
    }
}
