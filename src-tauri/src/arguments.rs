//! What the command line and the environment say.

use std::ffi::OsString;
use std::path::PathBuf;

pub(crate) const USAGE: &str = "\
Usage: daypass [--hidden] [--data DIR] [LINK]

  --hidden     start in the tray, without a window
  --data DIR   keep this device's data in DIR (also: DAYPASS_DATA)
  LINK         daypass://review/ID, daypass://ask/RESOURCE/LEVEL, daypass://access

DAYPASS_SERVER offers a server's address on the sign-in page; DAYPASS_LOG filters the log (\"debug\").";

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Arguments {
    pub(crate) hidden: bool,
    pub(crate) help: bool,
    pub(crate) data: Option<PathBuf>,
}

impl Arguments {
    pub(crate) fn read(arguments: impl Iterator<Item = OsString>) -> Result<Self, String> {
        let data = std::env::var_os("DAYPASS_DATA").filter(|d| !d.is_empty()).map(PathBuf::from);
        let mut read = Self { data, ..Self::default() };
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            match argument.to_str() {
                Some("--hidden") => read.hidden = true,
                Some("--help" | "-h") => read.help = true,
                Some("--data") => {
                    let folder = arguments.next().ok_or("--data needs a folder")?;
                    read.data = Some(PathBuf::from(folder));
                }
                // The deep-link plugin reads it.
                Some(link) if link.starts_with("daypass://") => {}
                _ => return Err(format!("{} is not an argument", argument.display())),
            }
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read_or_refused() {
        let read = |words: &[&str]| Arguments::read(words.iter().map(OsString::from));
        assert!(read(&["--hidden"]).unwrap().hidden);
        assert_eq!(read(&["--data", "/x"]).unwrap().data, Some(PathBuf::from("/x")));
        assert!(read(&["daypass://review/1"]).is_ok());
        assert!(read(&["--data"]).is_err());
        assert!(read(&["--hiden"]).is_err());
    }
}
