//! Which digits of a row make one number: the row as one, as several, without what was taken back.

use super::checks::{is_day, is_public_number, without_country};
use super::classify::{ANNOUNCED, COMPLETE, Context, Found, classify};
use super::number::{Certainty, Digit, values};

/// Digits that are one number, in places of the row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Piece {
    pub found: Found,
    /// First digit that belongs to it, those that were taken back included.
    pub from: usize,
    /// One past the last.
    pub to: usize,
}

/// No number has more.
const LONGEST: usize = 21;
/// What a digit costs that belongs to no number.
const COST_OF_REST: i32 = 6;
/// What a number costs beside its score: one long number is likelier than two doubtful short ones.
const COST_OF_NUMBER: i32 = 80;
/// Digits that a correction may take back without taking back all.
const MOST_TAKEN_BACK: usize = 10;
/// Digits said again with which a speaker starts anew.
const LEAST_RESTART: usize = 2;
/// Ways of reading one row that are tried at most.
const MOST_WAYS: usize = 40;

/// The numbers in `row`; none in a telephone number that anybody may know.
pub(super) fn numbers(row: &[Digit], context: Context) -> Vec<Piece> {
    // What was heard with doubt may be anybody's.
    if context.is_phone() && row.iter().all(is_sure) && is_public_number(&values(row)) {
        return Vec::new();
    }
    let mut best: (i32, Vec<Piece>) = (i32::MIN, Vec::new());
    for kept in ways(row) {
        let digits: Vec<Digit> = kept.iter().map(|&at| row[at].clone()).collect();
        let (score, pieces) = split(&digits, context);
        let dropped_sure = (row.len() - kept.len()) as i32;
        let score = score - dropped_sure;
        if score > best.0 {
            best = (score, in_row(row, &kept, pieces));
        }
    }
    best.1
}

fn is_sure(digit: &Digit) -> bool {
    digit.certainty == Certainty::Sure
}

/// `pieces` with what else belongs to a number that was announced: false starts before it, and digits of which no
/// number can be made.
pub(super) fn with_announced(
    row: &[Digit],
    context: Context,
    mut pieces: Vec<Piece>,
) -> Vec<Piece> {
    let Some((kind, least)) = context.announced() else {
        return pieces;
    };
    let first = row.iter().position(is_sure).unwrap_or(0);
    let to = row.iter().rposition(is_sure).map_or(0, |last| last + 1);
    let sure: Vec<Digit> = row.iter().filter(|digit| is_sure(digit)).cloned().collect();
    let digits = values(&sure);
    let is_public = sure.len() == row.len() && is_public_number(without_country(&digits));
    let is_whole = pieces.iter().any(|piece| piece.found.score >= COMPLETE);
    match pieces.first_mut() {
        Some(piece) if piece.found.kind == kind && piece.from > first + 1 => piece.from = first,
        None if digits.len() >= least && !is_public && !is_day(&digits) => {
            let found = Found {
                kind,
                score: ANNOUNCED,
            };
            pieces.push(Piece {
                found,
                from: first,
                to,
            });
        }
        _ => {}
    }
    if let Some(piece) = pieces
        .last_mut()
        .filter(|piece| !is_whole && piece.found.kind == kind)
    {
        piece.to = piece.to.max(to);
    }
    pieces
}

/// Pieces of the digits that are kept, in places of the row.
fn in_row(row: &[Digit], kept: &[usize], pieces: Vec<Piece>) -> Vec<Piece> {
    let mut end = 0;
    let in_row = |piece: Piece| {
        let from = with_taken_back(row, kept[piece.from]).max(end);
        end = with_repeated(row, kept, kept[piece.to - 1] + 1);
        Piece {
            from,
            to: end,
            found: piece.found,
        }
    };
    pieces.into_iter().map(in_row).collect()
}

/// Digits right behind a number that only repeat its last ones belong to it.
fn with_repeated(row: &[Digit], kept: &[usize], mut end: usize) -> usize {
    let is_left_out = |at: usize| {
        row.get(at)
            .is_some_and(|digit| digit.certainty == Certainty::Sure && !digit.corrects)
            && kept.binary_search(&at).is_err()
    };
    while is_left_out(end) {
        end += 1;
    }
    end
}

/// A number that corrects another begins with what it corrects, and with what that corrected.
fn with_taken_back(row: &[Digit], mut from: usize) -> usize {
    while from > 0 && row[from].corrects {
        from = begin_of_part(row, from);
    }
    from
}

/// First digit of the part before `at`, up to an earlier correction or the begin of the row.
fn begin_of_part(row: &[Digit], at: usize) -> usize {
    (0..at)
        .rev()
        .find(|&place| row[place].corrects)
        .unwrap_or(0)
}

/// Rows of places to try: all; without single uncertain ones; without what was taken back; without what
/// was said twice.
fn ways(row: &[Digit]) -> Vec<Vec<usize>> {
    let all: Vec<usize> = (0..row.len()).collect();
    let mut found = vec![all.clone()];
    for at in 1..row.len() {
        if row[at].corrects {
            let before = std::mem::take(&mut found);
            for way in before {
                found.extend(without_taken_back(row, &way, at));
                found.push(way);
            }
            found.truncate(MOST_WAYS / 2);
        }
    }
    let once: Vec<Vec<usize>> = found
        .iter()
        .filter_map(|way| without_repeats(row, way))
        .collect();
    let restarts: Vec<Vec<usize>> = found
        .iter()
        .filter_map(|way| without_restarts(row, way))
        .collect();
    found.extend(once);
    found.extend(restarts);
    found.extend((3..=8).filter_map(|n| without_false_start(row, &all, n)));
    let uncertain: Vec<usize> = (0..row.len())
        .filter(|&at| row[at].certainty != Certainty::Sure)
        .collect();
    if !uncertain.is_empty() {
        let sure_only: Vec<Vec<usize>> = found
            .iter()
            .map(|way| without(way, |at| uncertain.contains(&at)))
            .collect();
        let one_less: Vec<Vec<usize>> = uncertain
            .iter()
            .take(8)
            .map(|&gone| without(&all, |at| at == gone))
            .collect();
        found.extend(sure_only);
        found.extend(one_less);
    }
    found.truncate(MOST_WAYS);
    found
}

fn without(way: &[usize], gone: impl Fn(usize) -> bool) -> Vec<usize> {
    way.iter().copied().filter(|&at| !gone(at)).collect()
}

/// Ways to read a correction before `at`: it takes back all, the last group, or some last digits.
fn without_taken_back(row: &[Digit], way: &[usize], at: usize) -> Vec<Vec<usize>> {
    let Some(place) = way.iter().position(|&kept| kept == at) else {
        return Vec::new();
    };
    let begin = begin_of_part(row, at);
    let before = &way[..place];
    let part = before.iter().filter(|&&kept| kept >= begin).count();
    let group = before
        .iter()
        .rev()
        .take_while(|&&kept| !row[kept].may_begin)
        .count()
        + 1;
    let mut counts = vec![part];
    counts.extend((1..part.min(MOST_TAKEN_BACK)).filter(|&count| count != group));
    counts.insert(1, group);
    counts.retain(|&count| (1..=part).contains(&count));
    counts
        .into_iter()
        .map(|count| [&way[..place - count], &way[place..]].concat())
        .collect()
}

/// Without groups that only repeat the one before, as in a number that is said along.
fn without_repeats(row: &[Digit], way: &[usize]) -> Option<Vec<usize>> {
    let mut kept: Vec<usize> = Vec::new();
    let mut last: &[usize] = &[];
    let mut rest = way;
    while let Some(&first) = rest.first() {
        debug_assert!(first < row.len());
        let n = 1 + rest[1..]
            .iter()
            .take_while(|&&at| !row[at].may_begin)
            .count();
        let (group, others) = rest.split_at(n);
        let is_same = n >= 2
            && n == last.len()
            && group
                .iter()
                .zip(last)
                .all(|(&a, &b)| row[a].value == row[b].value);
        if !is_same {
            kept.extend(group);
            last = group;
        }
        rest = others;
    }
    (kept.len() < way.len()).then_some(kept)
}

/// Without groups' first digits that only say again the last ones before: 幺八六，幺八六二三，二三四五.
fn without_restarts(row: &[Digit], way: &[usize]) -> Option<Vec<usize>> {
    let is_same =
        |(&a, &b): (&usize, &usize)| row[a].value.is_some() && row[a].value == row[b].value;
    let (mut kept, mut rest): (Vec<usize>, _) = (Vec::new(), way);
    while let Some(&first) = rest.first() {
        let most = if row[first].may_begin {
            kept.len().min(rest.len())
        } else {
            0
        };
        let repeated = (LEAST_RESTART..=most)
            .rev()
            .find(|&n| kept[kept.len() - n..].iter().zip(rest).all(is_same));
        match repeated {
            Some(n) => rest = &rest[n..],
            None => {
                kept.push(first);
                rest = &rest[1..];
            }
        }
    }
    (kept.len() < way.len()).then_some(kept)
}

/// Without the second of two equal begins of `n` digits.
fn without_false_start(row: &[Digit], way: &[usize], n: usize) -> Option<Vec<usize>> {
    let (first, second) = (way.get(..n)?, way.get(n..2 * n)?);
    let is_same = first
        .iter()
        .zip(second)
        .all(|(&a, &b)| row[a].value.is_some() && row[a].value == row[b].value);
    is_same.then(|| [first, &way[2 * n..]].concat())
}

/// How the best split up to some digit ends.
#[derive(Clone, Copy)]
struct Step {
    score: i32,
    from: usize,
    found: Option<Found>,
}

/// Splits a row into numbers and the rest, so that the sum of scores is largest. A number begins and ends
/// where one may, or beside another number: none is cut out of a longer row.
fn split(row: &[Digit], context: Context) -> (i32, Vec<Piece>) {
    let n = row.len();
    let begins = |at: usize| at == n || at == 0 || row[at].may_begin || row[at - 1].may_end;
    let mut best: Vec<Option<Step>> = vec![None; n + 1];
    best[0] = Some(Step {
        score: 0,
        from: 0,
        found: None,
    });
    for to in 1..=n {
        for from in to.saturating_sub(LONGEST)..to {
            let Some(before) = best[from] else { continue };
            if !begins(from) && before.found.is_none() {
                continue;
            }
            let is_apart = begins(from) && begins(to);
            let rest = is_apart.then(|| rest_cost(&row[from..to]));
            // Without a pause beside it a number must be complete.
            let number = classify(&row[from..to], context)
                .filter(|found| is_apart || found.score >= COMPLETE);
            let options = [
                number.map(|found| (found.score - COST_OF_NUMBER, Some(found))),
                rest.map(|cost| (-cost, None)),
            ];
            for (score, found) in options.into_iter().flatten() {
                let score = before.score + score;
                if best[to].is_none_or(|known| known.score < score) {
                    best[to] = Some(Step { score, from, found });
                }
            }
        }
    }
    let Some(last) = best[n] else {
        return (0, Vec::new());
    };
    let mut pieces = Vec::new();
    let mut at = n;
    while at > 0 {
        let Some(step) = best[at] else { break };
        if let Some(found) = step.found {
            pieces.push(Piece {
                found,
                from: step.from,
                to: at,
            });
        }
        at = step.from;
    }
    pieces.reverse();
    (last.score, pieces)
}

fn rest_cost(row: &[Digit]) -> i32 {
    row.iter()
        .map(|digit| match digit.certainty {
            Certainty::Sure => COST_OF_REST,
            Certainty::Maybe | Certainty::Unknown => 0,
        })
        .sum()
}
