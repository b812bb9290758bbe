//! What a person is told when a target does not do its part. The server's own words stay in the log.

use super::super::ConnectorError;
use super::quote::Zero;

/// Why something on the target did not work.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Quote(#[from] Zero),
    #[error("it took too long")]
    TooLong,
    #[error("sessions of the account are still there")]
    SessionsStay,
    #[error("the system has no randomness")]
    NoChance,
    #[error("the target has no account for this grant")]
    NoAccount,
}

impl Trouble {
    /// SQLSTATE, when PostgreSQL answered with one.
    pub(super) fn state(&self) -> Option<String> {
        match self {
            Self::Database(sqlx::Error::Database(e)) => e.code().map(|code| code.into_owned()),
            _ => None,
        }
    }

    /// Whether somebody else was at the same rows at the same moment, so that trying again helps.
    pub(super) fn is_race(&self) -> bool {
        // XX000 is what PostgreSQL says for "tuple concurrently updated".
        matches!(
            self.state().as_deref(),
            Some("XX000" | "42710" | "23505" | "40001" | "40P01" | "2BP01" | "42704" | "55006")
        )
    }

    /// For people: what is wrong with `target`, without anything that the server or the driver said.
    pub(super) fn told(self, target: &str) -> ConnectorError {
        if matches!(self, Self::NoAccount) {
            return ConnectorError::NoAccount;
        }
        tracing::warn!(%target, cause = %self, state = self.state(), "the target does not do its part");
        let what = match (self.state().as_deref(), &self) {
            (Some("28000" | "28P01"), _) => "does not accept the account that Daypass administers it with",
            (Some("3D000"), _) => "does not have this database",
            (Some("42501"), _) => {
                "does not let the account that Daypass administers it with do what is needed"
            }
            (Some("57P01" | "57P02" | "57P03"), _) => "is starting up or shutting down",
            (Some("55P03" | "57014"), _) => "is busy: another session holds a lock that is needed",
            (Some("53300"), _) => "has no free connection",
            (Some("25006"), _) => "takes no changes: it is read-only",
            (Some(_), _) => "refused a change that Daypass needs",
            (None, Self::TooLong) => "answers too slowly",
            (None, Self::SessionsStay) => "has not ended the sessions of the account yet",
            (None, Self::NoChance) => "cannot be given a password: this server has no randomness",
            (None, Self::Quote(_)) => "is configured with a name that PostgreSQL cannot have",
            (None, _) => "does not answer",
        };
        ConnectorError::Unavailable(format!("{target} {what}."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_told_what_is_wrong_and_nothing_of_the_drivers_words() {
        let secret = "postgresql://keeper:hunter2@db/shop";
        let io = std::io::Error::other(secret);
        let told = Trouble::Database(sqlx::Error::Io(io)).told("PostgreSQL at db:5432");
        assert_eq!(told.to_string(), "PostgreSQL at db:5432 does not answer.");
        assert!(matches!(Trouble::NoAccount.told("x"), ConnectorError::NoAccount));
        let slow = Trouble::TooLong.told("PostgreSQL at db:5432");
        assert_eq!(slow.to_string(), "PostgreSQL at db:5432 answers too slowly.");
    }
}
