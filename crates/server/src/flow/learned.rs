//! What the organisation's own decisions teach about a request: the learned part of the score.
//!
//! Only what people decided counts; what policy approves by itself teaches nothing. A model is trained anew, aside from
//! everything else, when the decisions have grown by a tenth, and is listened to when it has seen enough.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use daypass_domain::{Ask, Entitlement, UserId};
use daypass_policy::Org;
use daypass_risk::Opinion;
use daypass_risk::model::{Model, Params, Table};

use crate::app::App;

/// How often the decisions are counted.
const PERIOD: Duration = Duration::from_secs(60);
/// Strongest combinations that an opinion names.
const NAMED: usize = 3;

/// What is learned from: attributes of who asks and for what, never of how it turned out.
const COLUMNS: [&str; 8] =
    ["person", "team", "resource", "owner", "level", "environment", "sensitivity", "hours"];

/// One decided entitlement: the values of [`COLUMNS`], and whether people approved it.
#[derive(Clone, Debug)]
pub struct Lesson {
    pub row: [String; COLUMNS.len()],
    pub approved: bool,
}

/// The model in force; none while there is too little history.
#[derive(Default)]
pub struct Learned(RwLock<Option<Arc<Model>>>);

impl Learned {
    /// What the model says about a request.
    pub fn opinion(&self, row: &[String; COLUMNS.len()]) -> Option<Opinion> {
        let model = self.0.read().unwrap_or_else(PoisonError::into_inner).clone()?;
        Some(model.opinion(&row.each_ref().map(String::as_str), NAMED))
    }

    fn replace(&self, model: Model) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(model));
    }
}

/// The attributes of one entitlement of an ask.
pub fn row(org: &Org, who: &UserId, ask: &Ask, entitlement: &Entitlement) -> [String; COLUMNS.len()] {
    let team = org.person(who).map(|p| p.team.to_string()).unwrap_or_default();
    let resource = org.resource(&entitlement.resource);
    let of = |tell: fn(&daypass_policy::Resource) -> String| resource.map(tell).unwrap_or_default();
    // Whole hours, doubling: one hour and two are told apart, seven and eight are not.
    let hours = ask.duration_s.div_ceil(3600).max(1).next_power_of_two();
    [
        who.to_string(),
        team,
        entitlement.resource.to_string(),
        of(|r| r.owner.to_string()),
        entitlement.level.to_string(),
        of(|r| r.environment.to_string()),
        of(|r| r.sensitivity.to_string()),
        format!("up to {hours}"),
    ]
}

/// Trains for as long as the server runs.
pub async fn keep_learning(app: App) {
    let params = Params::default();
    let mut trained_on = 0;
    loop {
        let lessons = app.history().lessons().to_vec();
        let enough = usize::try_from(params.enough).unwrap_or(usize::MAX);
        if lessons.len() >= enough && lessons.len() >= trained_on + trained_on / 10 {
            trained_on = lessons.len();
            let params = params.clone();
            match tokio::task::spawn_blocking(move || train(&lessons, &params)).await {
                Ok(Ok(Some(model))) => {
                    tracing::info!(
                        version = model.version(),
                        decisions = trained_on,
                        "a learned part is in force"
                    );
                    app.learned().replace(model);
                }
                Ok(Ok(None)) => {
                    tracing::info!(decisions = trained_on, "the decisions teach nothing certain yet")
                }
                Ok(Err(e)) => tracing::warn!(error = %e, "the decisions cannot be learned from"),
                Err(e) => tracing::error!(error = %e, "learning failed"),
            }
        }
        tokio::time::sleep(PERIOD).await;
    }
}

/// A model that may be listened to; none when it has not seen enough or knows nothing.
fn train(lessons: &[Lesson], params: &Params) -> anyhow::Result<Option<Model>> {
    let mut table = Table::new(COLUMNS);
    for lesson in lessons {
        table.push(&lesson.row.each_ref().map(String::as_str), lesson.approved)?;
    }
    let model = Model::train(table, params)?;
    Ok(Some(model).filter(|model| model.is_ready(params)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lessons(count: usize) -> Vec<Lesson> {
        let lesson = |n: usize| {
            let (team, resource) = (["payments", "data"][n % 2], ["shop-db", "vault"][n / 2 % 2]);
            let row =
                ["maya", team, resource, "platform", "write", "prod", "high", "up to 1"].map(str::to_owned);
            // The data team is mostly refused the vault.
            Lesson { row, approved: !(team == "data" && resource == "vault") || n % 20 == 3 }
        };
        (0..count).map(lesson).collect()
    }

    #[test]
    fn it_learns_who_is_rarely_approved_for_what() {
        let model = train(&lessons(800), &Params::default()).unwrap().expect("ready");
        let learned = Learned::default();
        learned.replace(model);
        let chance = |n: usize| learned.opinion(&lessons(4)[n].row).unwrap().probability;
        assert!(chance(0) > 0.9, "payments, shop: {}", chance(0));
        assert!(chance(3) < 0.5, "data, vault: {}", chance(3));
    }

    #[test]
    fn with_little_history_it_says_nothing() {
        assert!(train(&lessons(100), &Params::default()).unwrap().is_none());
        assert!(Learned::default().opinion(&lessons(1)[0].row).is_none());
    }
}
