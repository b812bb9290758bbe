//! What is wrong with a source, and where.

use std::fmt;
use std::ops::Range;

/// One thing that is wrong with the sources; the whole set is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyError {
    /// The file's name, as in [`crate::Sources::FILES`].
    pub file: &'static str,
    /// Counted from 1, where known.
    pub line: Option<usize>,
    /// The policy's `@id`, or the id of the person, group or resource.
    pub name: Option<String>,
    pub message: String,
}

impl PolicyError {
    pub(crate) fn new(file: &'static str, message: impl Into<String>) -> Self {
        Self { file, line: None, name: None, message: message.into() }
    }

    pub(crate) fn at(mut self, text: &str, offset: usize) -> Self {
        self.line = Some(line_of(text, offset));
        self
    }

    pub(crate) fn within(self, text: &str, span: Option<Range<usize>>) -> Self {
        match span {
            Some(span) => self.at(text, span.start),
            None => self,
        }
    }

    pub(crate) fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(name) = &self.name {
            write!(f, ": {name}")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for PolicyError {}

/// The line that holds the byte at `offset`, from 1.
fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|b| *b == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_file_line_name_and_message() {
        let e = PolicyError::new("org.toml", "is named twice").at("a\nb\nc", 2).named("maya");
        assert_eq!(e.to_string(), "org.toml:2: maya: is named twice");
        assert_eq!(PolicyError::new("org.toml", "is empty").to_string(), "org.toml: is empty");
    }
}
