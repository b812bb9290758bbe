//! `daypassd rebuild`.

use std::io::Write as _;

use anyhow::Result;

use super::{Place, block_on};
use crate::store::{SqlStore, Store as _};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    place: Place,
}

pub fn run(arguments: Arguments) -> Result<()> {
    block_on(async {
        let store = SqlStore::open(&arguments.place.store_url()?).await?;
        let checked = store.verify().await?;
        let read = store.rebuild().await?;
        writeln!(std::io::stdout(), "{checked} rows match their hashes; the read tables were made again from {read}.")?;
        Ok(())
    })
}
