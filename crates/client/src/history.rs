//! One's own history on this device: every entry sealed by itself, readable without the server.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use daypass_clock::Timestamp;
use daypass_protocol::api::{Entry, EntryKind};
use daypass_protocol::bridge::{HistoryFilter, HistoryKinds, HistoryPage};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection as _, Row as _};

use crate::seal::Seal;
use crate::store::{move_aside, open, remove};

/// The file below the data folder.
pub const HISTORY_FILE: &str = "history.db";
const PAGE: usize = 100;

pub(crate) struct History {
    db: SqliteConnection,
    seal: Seal,
    entries: BTreeMap<i64, Entry>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum HistoryError {
    #[error("the history on this device cannot be read: {0}")]
    Database(#[from] sqlx::Error),
    #[error("a row does not open with this device's key")]
    Sealed,
    #[error("the history cannot be written: {0}")]
    File(#[from] std::io::Error),
}

const TABLES: &str = "
    create table if not exists entries (position integer primary key, sealed blob not null);
    create table if not exists lists (name text primary key, sealed blob not null) without rowid;
";

impl History {
    /// Opens the history. One that cannot be read, or that another key sealed, is moved aside and begun anew: the
    /// server still has it all. The second value says so.
    pub(crate) async fn open(
        folder: &Path,
        seal: Seal,
        now: Timestamp,
    ) -> Result<(Self, bool), HistoryError> {
        let file = folder.join(HISTORY_FILE);
        match read(&file, &seal).await {
            Ok((db, entries)) => Ok((Self { db, seal, entries }, false)),
            Err(error) => {
                tracing::warn!(%error, "the history is begun anew");
                move_aside(&file, now)?;
                let (db, entries) = read(&file, &seal).await?;
                Ok((Self { db, seal, entries }, true))
            }
        }
    }

    pub(crate) fn remove(folder: &Path) -> std::io::Result<()> {
        remove(&folder.join(HISTORY_FILE))
    }

    /// The position up to which everything is here.
    pub(crate) fn position(&self) -> i64 {
        self.entries.last_key_value().map_or(0, |(position, _)| *position)
    }

    /// Adds entries; those that are here already change nothing.
    pub(crate) async fn add(&mut self, entries: &[Entry]) -> Result<(), HistoryError> {
        let mut tx = self.db.begin().await?;
        for entry in entries {
            let text = serde_json::to_vec(entry).map_err(|e| sqlx::Error::Encode(e.into()))?;
            let sealed = self.seal.seal(&place(entry.position), &text).ok_or(HistoryError::Sealed)?;
            sqlx::query("insert or replace into entries values (?, ?)")
                .bind(entry.position)
                .bind(sealed)
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        self.entries.extend(entries.iter().map(|entry| (entry.position, entry.clone())));
        Ok(())
    }

    /// Keeps the last known state of a list, to show it when the server does not answer.
    pub(crate) async fn keep(&mut self, name: &str, value: &impl Serialize) -> Result<(), HistoryError> {
        let text = serde_json::to_vec(value).map_err(|e| sqlx::Error::Encode(e.into()))?;
        let sealed = self.seal.seal(name, &text).ok_or(HistoryError::Sealed)?;
        sqlx::query("insert or replace into lists values (?, ?)")
            .bind(name)
            .bind(sealed)
            .execute(&mut self.db)
            .await?;
        Ok(())
    }

    pub(crate) async fn kept<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, HistoryError> {
        let row = sqlx::query("select sealed from lists where name = ?")
            .bind(name)
            .fetch_optional(&mut self.db)
            .await?;
        let text = row.and_then(|row| self.seal.unseal(name, row.get(0)));
        Ok(text.and_then(|text| serde_json::from_slice(&text).ok()))
    }

    pub(crate) fn search(&self, filter: &HistoryFilter, synced_at: Option<Timestamp>) -> HistoryPage {
        let mut found = self.matching(filter);
        let entries: Vec<Entry> = found.by_ref().take(PAGE).cloned().collect();
        let more = found.next().is_some();
        let total = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        HistoryPage { entries, more, total, synced_at }
    }

    /// Writes what matches as JSON Lines, oldest first, to a new file in `folder`.
    pub(crate) fn export(
        &self,
        filter: &HistoryFilter,
        folder: &Path,
        now: Timestamp,
    ) -> Result<(PathBuf, u32), HistoryError> {
        std::fs::create_dir_all(folder)?;
        let stem = format!("daypass-history-{}", now.format("%Y-%m-%d-%H%M%S"));
        let mut path = folder.join(format!("{stem}.jsonl"));
        let mut number = 1;
        let file = loop {
            match std::fs::File::create_new(&path) {
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists && number < 1000 => {
                    number += 1;
                    path = folder.join(format!("{stem}-{number}.jsonl"));
                }
                other => break other?,
            }
        };
        let mut out = std::io::BufWriter::new(file);
        let mut entries: Vec<&Entry> = self.matching(filter).collect();
        entries.reverse();
        for entry in &entries {
            serde_json::to_writer(&mut out, entry).map_err(std::io::Error::from)?;
            out.write_all(b"\n")?;
        }
        out.flush()?;
        Ok((path, u32::try_from(entries.len()).unwrap_or(u32::MAX)))
    }

    fn matching<'a>(&'a self, filter: &'a HistoryFilter) -> impl Iterator<Item = &'a Entry> {
        let words: Vec<String> = filter.text.split_whitespace().map(str::to_lowercase).collect();
        let before = filter.before.unwrap_or(i64::MAX);
        self.entries
            .range(..before)
            .rev()
            .map(|(_, entry)| entry)
            .filter(move |entry| of_kind(entry.kind, filter.kinds) && has_words(entry, &words))
    }

    pub(crate) async fn close(self) {
        if let Err(error) = self.db.close().await {
            tracing::info!(%error, "the history was not closed cleanly");
        }
    }
}

async fn read(file: &Path, seal: &Seal) -> Result<(SqliteConnection, BTreeMap<i64, Entry>), HistoryError> {
    let mut db = open(file).await?;
    sqlx::raw_sql(TABLES).execute(&mut db).await?;
    let rows = sqlx::query("select position, sealed from entries").fetch_all(&mut db).await?;
    let mut entries = BTreeMap::new();
    for row in rows {
        let position: i64 = row.try_get(0)?;
        let text = seal.unseal(&place(position), row.try_get(1)?).ok_or(HistoryError::Sealed)?;
        // An entry of a kind that this version does not know stays in the file for the next version.
        if let Ok(entry) = serde_json::from_slice(&text) {
            entries.insert(position, entry);
        }
    }
    Ok((db, entries))
}

fn place(position: i64) -> String {
    format!("entry {position}")
}

fn of_kind(kind: EntryKind, wanted: HistoryKinds) -> bool {
    use EntryKind as E;
    match wanted {
        HistoryKinds::All => true,
        HistoryKinds::Requests => {
            matches!(kind, E::RequestSubmitted | E::RequestEdited | E::RequestWithdrawn | E::RequestLapsed)
        }
        HistoryKinds::Decisions => {
            matches!(kind, E::RequestDecided | E::RequestQuestioned | E::RequestApproved | E::RequestDenied)
        }
        HistoryKinds::Access => matches!(
            kind,
            E::GrantOpened
                | E::GrantActivated
                | E::GrantProblem
                | E::CredentialIssued
                | E::GrantEnding
                | E::GrantEnded
                | E::CredentialWiped
        ),
    }
}

/// Every word occurs somewhere in what a person sees of the entry.
fn has_words(entry: &Entry, words: &[String]) -> bool {
    if words.is_empty() {
        return true;
    }
    let mut text = format!("{} {}", entry.text, entry.subject.name);
    for part in [entry.actor.as_ref().map(|a| &a.name), entry.note.as_ref()].into_iter().flatten() {
        text.push(' ');
        text.push_str(part);
    }
    for e in &entry.resources {
        text.push_str(&format!(" {} {} {}", e.resource.name, e.level, e.resource.environment));
    }
    let text = text.to_lowercase();
    words.iter().all(|word| text.contains(word.as_str()))
}
