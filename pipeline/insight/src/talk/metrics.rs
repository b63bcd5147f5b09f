//! Figures of a whole call.

use auricle_contracts::{Interruption, Party, PartyTalk, Stretch, TalkMetrics};

use super::Edges;
use super::stretches::{gaps, joined, length_ms, sum_ms, total_ms};
use super::turn::{Speaker, Turn, rate_per_minute};

/// Silences from here on are listed.
const MIN_LISTED_SILENCE_MS: u64 = 2_000;
/// A monologue ends with a silence of this length.
const MONOLOGUE_PAUSE_MS: u64 = 2_000;

/// Figures of a call from its turns, in any order.
pub(super) fn metrics(
    turns: &[Turn],
    interruptions: &[Interruption],
    edges: Edges,
    duration_ms: u64,
) -> TalkMetrics {
    let mut turns: Vec<&Turn> = turns.iter().collect();
    turns.sort_by_key(|turn| (turn.span.start_ms, turn.span.end_ms));
    let by_speaker = speakers(&turns)
        .into_iter()
        .flat_map(|speaker| talk(&turns, |turn| turn.speaker == speaker));
    let by_speaker: Vec<Stretch> = by_speaker.collect();
    let spoken_ms = total_ms(&by_speaker);
    let anybody = joined(by_speaker, 0);
    let silences = silences(&anybody, edges, duration_ms);
    let mut interruptions = interruptions.to_vec();
    interruptions.sort_by_key(|interruption| interruption.at_ms);
    TalkMetrics {
        parties: parties(&turns, &interruptions),
        overlap_ms: spoken_ms.saturating_sub(total_ms(&anybody)),
        silence_ms: total_ms(&silences),
        longest_silence_ms: silences
            .iter()
            .map(|gap| length_ms(*gap))
            .max()
            .unwrap_or(0),
        silences: silences
            .into_iter()
            .filter(|gap| length_ms(*gap) >= MIN_LISTED_SILENCE_MS)
            .collect(),
        interruptions,
    }
}

fn speakers(turns: &[&Turn]) -> Vec<Speaker> {
    let mut speakers: Vec<Speaker> = Vec::new();
    for turn in turns {
        if !speakers.contains(&turn.speaker) {
            speakers.push(turn.speaker);
        }
    }
    speakers
}

/// All talk of the turns that are wanted, in order and disjoint.
fn talk(turns: &[&Turn], wanted: impl Fn(&Turn) -> bool) -> Vec<Stretch> {
    let wanted = turns.iter().filter(|turn| wanted(turn));
    joined(wanted.flat_map(|turn| turn.talk.clone()).collect(), 0)
}

fn silences(anybody: &[Stretch], edges: Edges, duration_ms: u64) -> Vec<Stretch> {
    let mut silences: Vec<Stretch> = gaps(anybody).collect();
    if edges == Edges::WholeCall {
        let first_ms = anybody.first().map_or(duration_ms, |first| first.start_ms);
        let last_ms = anybody.last().map_or(duration_ms, |last| last.end_ms);
        silences.insert(
            0,
            Stretch {
                start_ms: 0,
                end_ms: first_ms,
            },
        );
        silences.push(Stretch {
            start_ms: last_ms,
            end_ms: duration_ms,
        });
    }
    silences.retain(|silence| length_ms(*silence) > 0);
    silences
}

fn parties(turns: &[&Turn], interruptions: &[Interruption]) -> Vec<PartyTalk> {
    let who = [Party::Agent, Party::Customer, Party::Unknown];
    let mut parties: Vec<PartyTalk> = who
        .into_iter()
        .filter_map(|party| party_talk(turns, party, interruptions))
        .collect();
    let all_ms = sum_ms(parties.iter().map(|party| party.talk_ms));
    for party in &mut parties {
        party.talk_ratio = match all_ms {
            0 => 0.0,
            _ => (party.talk_ms as f64 / all_ms as f64) as f32,
        };
    }
    parties
}

/// `None` where the party did not talk.
fn party_talk(turns: &[&Turn], party: Party, all: &[Interruption]) -> Option<PartyTalk> {
    let own = turns.iter().filter(|turn| turn.party() == party);
    let n_utterances = own.clone().count();
    if n_utterances == 0 {
        return None;
    }
    let talk_ms = total_ms(&talk(turns, |turn| turn.party() == party));
    let n_units = own.clone().map(|turn| turn.n_units).sum();
    Some(PartyTalk {
        party,
        talk_ms,
        talk_ratio: 0.0,
        n_utterances: u32::try_from(n_utterances).unwrap_or(u32::MAX),
        rate_per_minute: rate_per_minute(n_units, talk_ms),
        loudness_db: loudness_db(own),
        n_interruptions: all.iter().filter(|over| over.by == party).count() as u32,
        longest_monologue_ms: longest_monologue_ms(turns, party),
        response_ms: response_ms(turns, party),
    })
}

/// Mean of the utterances' levels, weighted by how long they are.
fn loudness_db<'a>(own: impl Iterator<Item = &'a &'a Turn>) -> Option<f32> {
    let (mut sum, mut weight) = (0.0, 0.0);
    for turn in own {
        if let Some(level_db) = turn.loudness_db {
            let turn_ms = turn.talk_ms().max(1) as f64;
            sum += f64::from(level_db) * turn_ms;
            weight += turn_ms;
        }
    }
    (weight > 0.0).then(|| (sum / weight) as f32)
}

/// Turns that take the floor: those that lie within another's are talked over by it.
fn floor<'a>(turns: &[&'a Turn]) -> Vec<&'a Turn> {
    let mut floor: Vec<&Turn> = Vec::new();
    for turn in turns {
        let lies_within = floor.last().is_some_and(|last| {
            last.speaker != turn.speaker && last.span.end_ms >= turn.span.end_ms
        });
        if !lies_within {
            floor.push(turn);
        }
    }
    floor
}

/// Longest talk between two turns of others, without long silences.
fn longest_monologue_ms(turns: &[&Turn], party: Party) -> u64 {
    let (mut longest_ms, mut running) = (0, None::<Stretch>);
    for turn in floor(turns) {
        running = match running {
            _ if turn.party() != party => None,
            Some(run) if turn.span.start_ms < run.end_ms.saturating_add(MONOLOGUE_PAUSE_MS) => {
                Some(Stretch {
                    start_ms: run.start_ms,
                    end_ms: run.end_ms.max(turn.span.end_ms),
                })
            }
            _ => Some(turn.span),
        };
        longest_ms = longest_ms.max(running.map_or(0, length_ms));
    }
    longest_ms
}

/// Median time from the end of another's turn to the start of this party's.
fn response_ms(turns: &[&Turn], party: Party) -> Option<i64> {
    let floor = floor(turns);
    let answers = floor
        .windows(2)
        .filter(|pair| pair[1].party() == party && pair[0].speaker != pair[1].speaker);
    let mut delays: Vec<i64> = answers
        .map(|pair| signed(pair[1].span.start_ms) - signed(pair[0].span.end_ms))
        .collect();
    delays.sort_unstable();
    let half = delays.len() / 2;
    match delays.len() {
        0 => None,
        n if n % 2 == 0 => Some(i64::midpoint(delays[half - 1], delays[half])),
        _ => Some(delays[half]),
    }
}

fn signed(time_ms: u64) -> i64 {
    i64::try_from(time_ms).unwrap_or(i64::MAX)
}
