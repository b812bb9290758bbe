//! Notifications as people get them: a real dunst, which also keeps a record of all that it showed.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, ensure};

use crate::{Bus, Display, programs::output_of, running::Running, wait_until};

const NAME: &str = "org.freedesktop.Notifications";

const CONFIG: &str = "\
[global]
    monitor = 0
    width = 380
    origin = top-right
    offset = 16x16
    font = DejaVu Sans 11
    markup = full
    notification_limit = 20
    idle_threshold = 0
    mouse_left_click = do_action
    mouse_right_click = close_current
    dmenu = FOLDER/choose.sh
[urgency_critical]
    timeout = 0
[record]
    summary = *
    script = FOLDER/record.sh
";

/// dunst runs it for each notification that it shows. One short write appends whole records, also side by side.
const RECORD: &str = r#"#!/bin/sh
printf '%s\037%s\037%s\037%s\037%s\037%s\036' "$DUNST_ID" "$DUNST_APP_NAME" "$DUNST_URGENCY" "$DUNST_TIMESTAMP" \
    "$DUNST_SUMMARY" "$DUNST_BODY" >>'FOLDER/shown'
"#;

/// dunst pipes its menu of actions to it and reads the chosen line back. A line is `#Label (summary) [id,action]`.
const CHOOSE: &str = r##"#!/bin/sh
tee -a 'FOLDER/menu' | grep -F -- "[$(sed -n 1p 'FOLDER/choice')," | grep -m1 -F -- "#$(sed -n 2p 'FOLDER/choice') ("
"##;

/// The notification daemon of one [`Bus`], drawing on one [`Display`].
#[derive(Debug)]
pub struct Notifications {
    daemon: Running,
    folder: PathBuf,
    bus: Bus,
    _display: Display,
}

/// What dunst showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    pub id: u32,
    pub app: String,
    /// `LOW`, `NORMAL` or `CRITICAL`.
    pub urgency: String,
    /// When it came, to the millisecond, on the clock that goes on during suspend.
    pub at: Duration,
    pub summary: String,
    pub body: String,
}

impl Notifications {
    /// # Errors
    /// When dunst is not installed, or does not come up.
    pub fn start(bus: &Bus, display: &Display) -> Result<Self> {
        let folder = bus.folder().join("dunst");
        fs::create_dir(&folder)?;
        for (name, text, mode) in
            [("record.sh", RECORD, 0o755), ("choose.sh", CHOOSE, 0o755), ("dunstrc", CONFIG, 0o644)]
        {
            let file = folder.join(name);
            fs::write(&file, text.replace("FOLDER", &folder.display().to_string()))?;
            fs::set_permissions(&file, fs::Permissions::from_mode(mode))?;
        }
        let mut command = bus.command("dunst", "dunst")?;
        command.envs(display.env()).arg("-config").arg(folder.join("dunstrc"));
        let mut daemon = Running::start("dunst", &mut command, bus.folder())?;
        bus.wait_for_owner(NAME, &mut daemon)?;
        Ok(Self { daemon, folder, bus: bus.clone(), _display: display.clone() })
    }

    /// All that was shown since the start, oldest first; also what has been closed again.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub fn shown(&self) -> Result<Vec<Notification>> {
        let file = self.folder.join("shown");
        if !file.exists() {
            return Ok(Vec::new());
        }
        let text = String::from_utf8_lossy(&fs::read(file)?).into_owned();
        text.split_terminator('\u{1e}').map(read_record).collect()
    }

    /// Waits for a notification whose summary or body contains `text`; the latest one, if there are several.
    ///
    /// # Errors
    /// When none came in time; the error lists what did come.
    pub fn wait_for(&self, text: &str, limit: Duration) -> Result<Notification> {
        wait_until(&format!("a notification with {text:?}"), limit, || {
            let shown = self.shown()?;
            let found = shown.iter().rev().find(|one| one.summary.contains(text) || one.body.contains(text));
            let titles: Vec<_> = shown.iter().map(|one| one.summary.as_str()).collect();
            found.cloned().with_context(|| format!("there were {titles:?}"))
        })
    }

    /// How many are on the screen now.
    ///
    /// # Errors
    /// When dunst does not answer.
    pub fn on_screen(&self) -> Result<u32> {
        let answer = self.dunstctl(&["count", "displayed"])?;
        answer.trim().parse().with_context(|| format!("dunstctl counted {answer:?}"))
    }

    /// Presses the button with this label on a notification that is on the screen.
    ///
    /// # Errors
    /// When the notification is not on the screen, or has no such button; the error lists those that there are.
    pub fn press(&self, notification: &Notification, label: &str) -> Result<()> {
        let menu = self.folder.join("menu");
        fs::write(&menu, "")?;
        fs::write(self.folder.join("choice"), format!("{}\n{label}\n", notification.id))?;
        self.dunstctl(&["context"])?;
        let (button, of_this) = (format!("#{label} ("), format!("[{},", notification.id));
        wait_until(&format!("the button {label:?}"), Duration::from_secs(5), || {
            let offered = fs::read_to_string(&menu)?;
            ensure!(
                offered.lines().any(|line| line.starts_with(&button) && line.contains(&of_this)),
                "the buttons are {offered:?}"
            );
            Ok(())
        })
    }

    /// Closes all that is on the screen, as the person may.
    ///
    /// # Errors
    /// When dunst does not answer.
    pub fn close_all(&self) -> Result<()> {
        self.dunstctl(&["close-all"]).map(drop)
    }

    /// Ends the daemon, as if it had crashed.
    pub fn stop(&mut self) {
        self.daemon.stop();
    }

    fn dunstctl(&self, args: &[&str]) -> Result<String> {
        output_of(self.bus.command("dunstctl", "dunst")?.args(args))
    }

    /// Where the record and the settings are.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

fn read_record(record: &str) -> Result<Notification> {
    let fields: Vec<_> = record.split('\u{1f}').collect();
    let [id, app, urgency, at, summary, body] = fields.as_slice() else {
        anyhow::bail!("dunst recorded {record:?}");
    };
    Ok(Notification {
        id: id.parse().with_context(|| format!("an id of {id:?}"))?,
        app: (*app).to_owned(),
        urgency: (*urgency).to_owned(),
        at: Duration::from_millis(at.parse().with_context(|| format!("a time of {at:?}"))?),
        summary: (*summary).to_owned(),
        body: (*body).to_owned(),
    })
}
