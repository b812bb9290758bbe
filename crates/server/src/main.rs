//! The command line of daypassd.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use daypass_server::command;

/// The control plane of Daypass: just-in-time access with guardrails.
#[derive(Parser)]
#[command(name = "daypassd", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Answers the desktop, keeps the ledger, and makes the targets match the grants.
    Serve(command::serve::Arguments),
    /// Checks every row of the ledger against its hash, and makes the read tables again from it.
    Rebuild(command::rebuild::Arguments),
    /// Local accounts.
    Account(command::account::Arguments),
    /// Reads a policy folder and says everything that is wrong with it.
    CheckPolicy(command::policy::Arguments),
    /// Writes the sample organisation's policy into a folder, to begin one's own with.
    InitPolicy(command::policy::InitArguments),
    /// Judges SQL by what it would do.
    Guardrail(command::guardrail::Arguments),
    /// Measures and explains the risk score.
    Risk(command::risk::Arguments),
    /// Prints the description of the API.
    Openapi,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match arguments.command {
        Command::Serve(arguments) => command::serve::run(arguments),
        Command::Rebuild(arguments) => command::rebuild::run(arguments),
        Command::Account(arguments) => command::account::run(arguments),
        Command::CheckPolicy(arguments) => command::policy::run(arguments),
        Command::InitPolicy(arguments) => command::policy::init(arguments),
        Command::Guardrail(arguments) => command::guardrail::run(arguments),
        Command::Risk(arguments) => command::risk::run(arguments),
        Command::Openapi => command::openapi(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("daypassd: {e:#}");
            ExitCode::FAILURE
        }
    }
}
