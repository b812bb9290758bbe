//! Made-up decisions with the structure of real ones, to measure on where there are no real ones.

use crate::model::Table;
use crate::model::chance::{Dice, sigmoid};

/// Decided requests, and the chance that each had of being approved. No model can know more than that.
#[derive(Clone, Debug)]
pub struct Synthetic {
    pub table: Table,
    pub truth: Vec<f64>,
}

/// Makes up `rows` decisions of a company of some thousand people; the same seed gives the same decisions.
///
/// People belong to a department, have a title and a manager; resources belong to a department and a system. About
/// one request in sixteen is denied: requests for other departments' resources, for systems that a title has no need
/// of, by the people of strict managers, and for some resources by one title in one department. Some people, and some
/// resources, turn up far more often than others.
pub fn decisions(rows: usize, seed: u64) -> Synthetic {
    let columns = ["resource", "system", "manager", "department", "division", "title"];
    let mut table = Table::new(columns);
    let mut truth = Vec::with_capacity(rows);
    let mut dice = Dice::new(seed);
    for _ in 0..rows {
        let person = Person::number(popular(&mut dice, 6000));
        // Most requests are for what one's own department owns.
        let resource = match dice.share() < 0.7 {
            true => Resource::number(popular(&mut dice, RESOURCES) * DEPARTMENTS + person.department),
            false => Resource::number(popular(&mut dice, RESOURCES * DEPARTMENTS)),
        };
        let chance = sigmoid(log_odds(&person, &resource));
        let values = [
            format!("R{}", resource.number),
            format!("system-{}", resource.system),
            format!("M{}", person.manager),
            format!("department-{}", person.department),
            format!("division-{}", person.department / 8),
            format!("title-{}", person.title),
        ];
        // Always as many values as there are columns.
        if table.push(&values.each_ref().map(String::as_str), dice.share() < chance).is_ok() {
            truth.push(chance);
        }
    }
    Synthetic { table, truth }
}

const DEPARTMENTS: u64 = 60;
/// Of each department.
const RESOURCES: u64 = 70;

struct Person {
    manager: u64,
    department: u64,
    title: u64,
}

struct Resource {
    number: u64,
    department: u64,
    system: u64,
}

impl Person {
    fn number(number: u64) -> Self {
        let department = fate(&[1, number], DEPARTMENTS);
        Self { manager: department * 10 + fate(&[2, number], 10), department, title: fate(&[3, number], 30) }
    }
}

impl Resource {
    fn number(number: u64) -> Self {
        Self { number, department: number % DEPARTMENTS, system: fate(&[4, number], 20) }
    }
}

fn log_odds(person: &Person, resource: &Resource) -> f64 {
    let mut log_odds = 6.2;
    log_odds -= 2.0 * nature(&[6, resource.number]).powi(3);
    log_odds -= 2.5 * nature(&[7, person.manager]).powi(4);
    if resource.department != person.department {
        log_odds -= 0.8 + 1.6 * nature(&[8, resource.department, person.department]);
    }
    log_odds -= 3.0 * nature(&[9, resource.system, person.title]).powi(4);
    log_odds -= 3.0 * nature(&[10, resource.system, person.department, person.title]).powi(6);
    log_odds
}

/// One of `end` things, the first ones far more often.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "below `end`"
)]
fn popular(dice: &mut Dice, end: u64) -> u64 {
    (end as f64 * dice.share().powi(3)) as u64
}

/// A number below `end` that always goes with these.
fn fate(of: &[u64], end: u64) -> u64 {
    let mut dice = Dice::new(of.iter().fold(17, |seed, &number| Dice::new(seed ^ number).roll()));
    dice.roll() % end.max(1)
}

/// A share from 0 to 1 that always goes with these.
fn nature(of: &[u64]) -> f64 {
    Dice::new(fate(of, u64::MAX)).share()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_up_decisions_look_like_real_ones() {
        let made = decisions(5000, 1);
        assert_eq!((made.table.len(), made.truth.len()), (5000, 5000));
        let denied = made.table.approved().iter().filter(|approved| !**approved).count();
        assert!((150..600).contains(&denied), "{denied}");
        assert_eq!(made.table.row(77), decisions(5000, 1).table.row(77));
        assert_ne!(made.table.approved(), decisions(5000, 2).table.approved());
    }
}
