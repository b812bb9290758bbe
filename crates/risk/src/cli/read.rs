//! Decisions from CSV.

use std::io::Read;

use csv::{ErrorKind, ReaderBuilder, StringRecord};

use super::CliError;
use crate::model::{Table, TrainError};

/// Reads decisions. The column `label` holds 1 or 0, every other one is an attribute; with `like`, the attributes are
/// the columns of that table, wherever they stand in the file.
pub(super) fn decisions(
    text: impl Read,
    file: &'static str,
    label: &str,
    like: Option<&Table>,
) -> Result<Table, CliError> {
    let mut reader = ReaderBuilder::new().from_reader(text);
    let header = reader.headers().map_err(|error| bad_csv(file, &error))?.clone();
    // A byte order mark belongs to no name.
    let names: Vec<&str> = header.iter().map(|name| name.trim_start_matches('\u{feff}').trim()).collect();
    if names.iter().all(|name| name.is_empty()) {
        return Err(CliError::Empty { file });
    }
    if let Some((_, name)) =
        names.iter().enumerate().find(|(at, name)| names.iter().skip(at + 1).any(|other| other == *name))
    {
        return Err(CliError::TwiceNamed { file, column: (*name).to_owned() });
    }
    let label_at = names.iter().position(|name| *name == label).ok_or_else(|| CliError::NoLabel {
        file,
        label: label.to_owned(),
        columns: names.join(", "),
    })?;
    let wanted: Vec<&str> = match like {
        Some(table) => table.columns().collect(),
        None => names.iter().copied().filter(|name| *name != label).collect(),
    };
    let mut places = Vec::new();
    for name in &wanted {
        let place = names.iter().position(|other| other == name);
        places.push(place.ok_or_else(|| CliError::NoColumn { file, column: (*name).to_owned() })?);
    }
    if places.is_empty() {
        return Err(CliError::Train { file, why: TrainError::NoColumns });
    }
    let mut table = Table::new(wanted);
    let mut record = StringRecord::new();
    while reader.read_record(&mut record).map_err(|error| bad_csv(file, &error))? {
        let approved = match record.get(label_at).map(str::trim) {
            Some("1") => true,
            Some("0") => false,
            found => {
                let line = record.position().map_or(0, csv::Position::line);
                let found = found.unwrap_or_default().to_owned();
                return Err(CliError::BadLabel { file, line, label: label.to_owned(), found });
            }
        };
        let row: Vec<&str> =
            places.iter().map(|&place| record.get(place).unwrap_or_default().trim()).collect();
        table.push(&row, approved).map_err(|error| CliError::Csv { file, why: error.to_string() })?;
    }
    if table.is_empty() { Err(CliError::NoRows { file }) } else { Ok(table) }
}

fn bad_csv(file: &'static str, error: &csv::Error) -> CliError {
    match error.kind() {
        ErrorKind::UnequalLengths { pos, expected_len, len } => CliError::Ragged {
            file,
            line: pos.as_ref().map_or(0, csv::Position::line),
            expected: *expected_len,
            found: *len,
        },
        _ => CliError::Csv { file, why: error.to_string() },
    }
}
