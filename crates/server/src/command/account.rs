//! `daypassd account`.

use std::io::{Read as _, Write as _};

use anyhow::{Context as _, Result};
use daypass_domain::UserId;
use secrecy::SecretString;

use super::{Place, block_on};
use crate::signin;
use crate::store::SqlStore;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Sets the password of a local account; reads it from standard input, so that no other process sees it.
    SetPassword {
        #[command(flatten)]
        place: Place,
        /// The person, as org.toml names them.
        user: UserId,
    },
}

pub fn run(arguments: Arguments) -> Result<()> {
    let Action::SetPassword { place, user } = arguments.action;
    let mut typed = String::new();
    std::io::stdin().take(4096).read_to_string(&mut typed).context("cannot read the password")?;
    let password = SecretString::from(typed.trim_end_matches(['\r', '\n']));
    block_on(async {
        let store = SqlStore::open(&place.store_url()?).await?;
        signin::set_password(&store, &user, &password).await?;
        writeln!(std::io::stdout(), "The password of {user} is set.")?;
        Ok(())
    })
}
