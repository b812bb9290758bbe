//! `daypassd rebuild`.

use std::io::Write as _;

use anyhow::Result;

use super::{Place, block_on};
use crate::store::{SqlStore, Store as _, Verified};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    place: Place,
}

pub fn run(arguments: Arguments) -> Result<()> {
    block_on(async {
        let store = SqlStore::open(&arguments.place.store_url()?).await?;
        let Verified { events, root } = store.verify().await?;
        let read = store.rebuild().await?;
        writeln!(std::io::stdout(), "{events} rows match their hashes; the ledger's root is {root}.")?;
        writeln!(std::io::stdout(), "The read tables were made again from {read} rows.")?;
        Ok(())
    })
}
