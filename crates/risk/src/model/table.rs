//! Decided requests: categorical attributes, and whether each was approved.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

/// The code of a value that the table does not hold.
pub(super) const UNKNOWN: u32 = u32::MAX;

/// Rows of attributes with their outcome. Values are kept once per column; a row holds their numbers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Stored")]
pub struct Table {
    columns: Vec<Column>,
    approved: Vec<bool>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Column {
    name: String,
    values: Vec<String>,
    pub(super) codes: Vec<u32>,
    #[serde(skip)]
    by_value: HashMap<String, u32>,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    #[error("a row has {found} values, and there are {expected} attributes")]
    Ragged { expected: usize, found: usize },
    #[error("there are more values than can be counted")]
    TooLarge,
}

impl Table {
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let columns =
            names.into_iter().map(|name| Column { name: name.to_owned(), ..Column::default() }).collect();
        Self { columns, approved: Vec::new() }
    }

    /// Adds a decided request.
    ///
    /// # Errors
    /// The row has not exactly one value for each attribute.
    pub fn push(&mut self, row: &[&str], approved: bool) -> Result<(), TableError> {
        if row.len() != self.columns.len() {
            return Err(TableError::Ragged { expected: self.columns.len(), found: row.len() });
        }
        if self.approved.len() >= 100_000_000 {
            return Err(TableError::TooLarge);
        }
        for (column, value) in self.columns.iter_mut().zip(row) {
            column.push(value);
        }
        self.approved.push(approved);
        Ok(())
    }

    pub fn len(&self) -> usize {
        self.approved.len()
    }

    pub fn is_empty(&self) -> bool {
        self.approved.is_empty()
    }

    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.name.as_str())
    }

    pub fn approved(&self) -> &[bool] {
        &self.approved
    }

    /// The values of a row.
    pub fn row(&self, row: usize) -> Vec<&str> {
        self.columns.iter().filter_map(|column| column.value(row)).collect()
    }

    /// The rows for which `keep` is true, in the same order.
    #[must_use]
    pub fn filtered(&self, keep: impl Fn(usize) -> bool) -> Self {
        let mut table = Self::new(self.columns());
        for (row, &approved) in self.approved.iter().enumerate().filter(|row| keep(row.0)) {
            for (to, from) in table.columns.iter_mut().zip(&self.columns) {
                to.push(from.value(row).unwrap_or_default());
            }
            table.approved.push(approved);
        }
        table
    }

    /// The columns of which all values are numbers.
    pub(super) fn numeric(&self) -> Vec<usize> {
        let all_numbers = |column: &Column| column.values.iter().all(|value| number(value).is_some());
        self.columns
            .iter()
            .enumerate()
            .filter(|column| all_numbers(column.1))
            .map(|column| column.0)
            .collect()
    }

    /// By column and row, the values of the columns of numbers; nothing for the others.
    pub(super) fn numbers(&self) -> Vec<Vec<f32>> {
        let numeric = self.numeric();
        let numbers = |(at, column): (usize, &Column)| {
            let values: Vec<f32> =
                column.values.iter().map(|value| number(value).unwrap_or_default()).collect();
            let of = |&code: &u32| values.get(code as usize).copied().unwrap_or_default();
            if numeric.contains(&at) { column.codes.iter().map(of).collect() } else { Vec::new() }
        };
        self.columns.iter().enumerate().map(numbers).collect()
    }

    pub(super) fn coded(&self) -> &[Column] {
        &self.columns
    }

    /// The codes of a row's values; a value not in the table, or missing, is [`UNKNOWN`].
    pub(super) fn codes(&self, row: &[&str]) -> Vec<u32> {
        let given = row.iter().map(Some).chain(std::iter::repeat(None));
        self.columns
            .iter()
            .zip(given)
            .map(|(column, value)| {
                value.and_then(|value| column.by_value.get(*value)).copied().unwrap_or(UNKNOWN)
            })
            .collect()
    }
}

impl Column {
    fn push(&mut self, value: &str) {
        let code = match self.by_value.get(value) {
            Some(&code) => code,
            None => {
                let code = u32::try_from(self.values.len()).unwrap_or(UNKNOWN);
                self.values.push(value.to_owned());
                self.by_value.insert(value.to_owned(), code);
                code
            }
        };
        self.codes.push(code);
    }

    pub(super) fn distinct(&self) -> usize {
        self.values.len()
    }

    fn value(&self, row: usize) -> Option<&str> {
        let code = usize::try_from(*self.codes.get(row)?).ok()?;
        self.values.get(code).map(String::as_str)
    }
}

/// A value as a number, as the trees compare it.
pub(super) fn number(value: &str) -> Option<f32> {
    value.parse::<f32>().ok().filter(|number| number.is_finite())
}

#[derive(Deserialize)]
struct Stored {
    columns: Vec<StoredColumn>,
    approved: Vec<bool>,
}

#[derive(Deserialize)]
struct StoredColumn {
    name: String,
    values: Vec<String>,
    codes: Vec<u32>,
}

impl From<Stored> for Table {
    /// A stored code that is out of range becomes an unknown value, and a column that is too short is filled up with
    /// them, so that a damaged file costs knowledge and no more.
    fn from(stored: Stored) -> Self {
        let rows = stored.approved.len();
        let columns = stored
            .columns
            .into_iter()
            .map(|column| {
                let distinct = column.values.len();
                let known = |code: u32| usize::try_from(code).is_ok_and(|code| code < distinct);
                let mut codes: Vec<u32> =
                    column.codes.into_iter().map(|code| if known(code) { code } else { UNKNOWN }).collect();
                codes.resize(rows, UNKNOWN);
                let by_value =
                    (0u32..).zip(&column.values).map(|(code, value)| (value.clone(), code)).collect();
                Column { name: column.name, values: column.values, codes, by_value }
            })
            .collect();
        Self { columns, approved: stored.approved }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_as_they_went_in() {
        let mut table = Table::new(["who", "what"]);
        table.push(&["ada", "orders"], true).unwrap();
        table.push(&["bob", "orders"], false).unwrap();
        assert_eq!(table.push(&["bob"], false), Err(TableError::Ragged { expected: 2, found: 1 }));
        assert_eq!(table.row(1), ["bob", "orders"]);
        assert_eq!(table.codes(&["bob", "billing"]), [1, UNKNOWN]);
        assert_eq!(table.codes(&["ada"]), [0, UNKNOWN]);
        assert_eq!(table.filtered(|row| row == 1).row(0), ["bob", "orders"]);
        let stored = serde_json::to_string(&table).unwrap();
        let read: Table = serde_json::from_str(&stored).unwrap();
        assert_eq!(read.codes(&["bob", "orders"]), table.codes(&["bob", "orders"]));
        assert_eq!(serde_json::to_string(&read).unwrap(), stored);
    }
}
