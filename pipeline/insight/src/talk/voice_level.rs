//! How loud each party has been so far.

use auricle_contracts::Party;

/// Fewer utterances have no median to compare with.
const MIN_UTTERANCES: usize = 3;

/// Levels of each party's utterances, lowest first.
#[derive(Clone, Debug, Default)]
pub(super) struct VoiceLevels {
    parties: Vec<(Party, Vec<f32>)>,
}

impl VoiceLevels {
    /// How much louder `level_db` is than the party's median before it, which it joins thereafter.
    pub(super) fn rise_db(&mut self, party: Party, level_db: Option<f32>) -> Option<f32> {
        let level_db = level_db?;
        let place = self.parties.iter().position(|(known, _)| *known == party);
        let place = place.unwrap_or_else(|| {
            self.parties.push((party, Vec::new()));
            self.parties.len() - 1
        });
        let levels = &mut self.parties[place].1;
        let rise_db = (levels.len() >= MIN_UTTERANCES).then(|| level_db - median(levels));
        let place = levels.partition_point(|known| *known < level_db);
        levels.insert(place, level_db);
        rise_db
    }
}

/// Of values in order, at least one.
fn median(levels: &[f32]) -> f32 {
    let half = levels.len() / 2;
    match levels.len() % 2 {
        0 => f32::midpoint(levels[half - 1], levels[half]),
        _ => levels[half],
    }
}
