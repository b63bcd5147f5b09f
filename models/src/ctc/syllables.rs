//! Bigrams of syllables over a recogniser's tokens: which tokens make syllables, and how likely those follow one another.
//!
//! The file `syllables.lm` is UTF-8 text. Empty lines and those that begin with `#` are for people. `weight` and `bonus` say
//! what a finished syllable adds to a reading's score: the weight times its log probability, and the bonus; `less_blank` is
//! taken from blank's log probability in every frame. Every other line is a syllable: its tokens joined by `+`, the natural
//! log of its probability, and the log of the weight with which it backs off; lines indented under it are syllables that may
//! follow it, with their log probability. `<s>` begins an utterance.

use std::collections::HashMap;

use crate::decoding::TokenTable;
use crate::decoding::chain::BLANK;

/// What stands before the first syllable.
const BEGIN: &str = "<s>";
/// What the search is told once.
const SETTINGS: [&str; 3] = ["weight", "bonus", "less_blank"];

/// Where a reading stands: behind a syllable, and perhaps behind an initial that waits for its final.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    syllable: u32,
    initial: u32,
}

impl Place {
    /// Whether the last token is the beginning of a syllable.
    pub(crate) const fn is_within(self) -> bool {
        self.initial != BLANK as u32
    }
}

/// The model; syllables by number, the beginning of an utterance is 0.
#[derive(Debug)]
pub(crate) struct SyllableModel {
    weight: f32,
    bonus: f32,
    less_blank: f32,
    /// By token.
    is_initial: Vec<bool>,
    is_final: Vec<bool>,
    /// By initial, [`BLANK`] where it has none, and final.
    syllables: HashMap<(u32, u32), u32>,
    alone: Vec<f32>,
    back_off: Vec<f32>,
    pairs: HashMap<(u32, u32), f32>,
}

impl SyllableModel {
    /// Reads a file's text.
    ///
    /// # Errors
    /// Names the line that is wrong.
    pub(crate) fn parse(text: &str, tokens: &TokenTable) -> Result<Self, String> {
        let mut model = Self {
            weight: 0.0,
            bonus: 0.0,
            less_blank: 0.0,
            is_initial: vec![false; tokens.len()],
            is_final: vec![false; tokens.len()],
            syllables: HashMap::new(),
            alone: vec![0.0],
            back_off: vec![0.0],
            pairs: HashMap::new(),
        };
        let told = |(at, cause): (usize, String)| format!("line {}: {cause}", at + 1);
        let lines = text.lines().enumerate();
        let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let (mut pairs, mut before) = (Vec::new(), None);
        let mut settings = HashMap::new();
        for (at, line) in lines {
            let Some(pair) = line.strip_prefix(' ') else {
                let head = model.read_head(line, tokens, &mut settings);
                before = head.map_err(|cause| told((at, cause)))?;
                continue;
            };
            let before = before.ok_or_else(|| "it is indented under no syllable".to_owned());
            let before = before.map_err(|cause| told((at, cause)))?;
            pairs.push((at, before, pair));
        }
        // What may follow may have its own line further down.
        for (at, before, pair) in pairs {
            let read = model.read_pair(before, pair, tokens);
            read.map_err(|cause| told((at, cause)))?;
        }
        let [weight, bonus, less_blank] = SETTINGS.map(|name| {
            let value = settings.get(name).copied();
            value.ok_or_else(|| format!("it has no line `{name}`"))
        });
        (model.weight, model.bonus, model.less_blank) = (weight?, bonus?, less_blank?);
        Ok(model)
    }

    /// A line that is not indented: a setting, or a syllable by itself, whose number is given.
    fn read_head<'t>(
        &mut self,
        line: &'t str,
        tokens: &TokenTable,
        settings: &mut HashMap<&'t str, f32>,
    ) -> Result<Option<u32>, String> {
        match line.split(' ').collect::<Vec<_>>()[..] {
            [name, value] if SETTINGS.contains(&name) => {
                if settings.insert(name, number(value)?).is_some() {
                    return Err(format!("`{name}` stands twice"));
                }
            }
            [BEGIN, _, back_off] => {
                self.back_off[0] = number(back_off)?;
                return Ok(Some(0));
            }
            [syllable, alone, back_off] => {
                let (alone, back_off) = (number(alone)?, number(back_off)?);
                return self
                    .add(spelled(syllable, tokens)?, alone, back_off, tokens)
                    .map(Some);
            }
            _ => {
                return Err(format!(
                    "expected `SYLLABLE LOG LOG`, found `{}`",
                    cut(line)
                ));
            }
        }
        Ok(None)
    }

    fn add(
        &mut self,
        (initial, last): (u32, u32),
        alone: f32,
        back_off: f32,
        tokens: &TokenTable,
    ) -> Result<u32, String> {
        let syllable = self.alone.len() as u32;
        let both = |token: u32| {
            let text = tokens.text(token as usize);
            Err(format!("`{text}` both begins syllables and ends them"))
        };
        if self.is_initial[last as usize] {
            return both(last);
        }
        if initial != BLANK as u32 {
            if self.is_final[initial as usize] {
                return both(initial);
            }
            self.is_initial[initial as usize] = true;
        }
        self.is_final[last as usize] = true;
        if self.syllables.insert((initial, last), syllable).is_some() {
            return Err("the syllable stands twice".to_owned());
        }
        self.alone.push(alone);
        self.back_off.push(back_off);
        Ok(syllable)
    }

    fn read_pair(&mut self, before: u32, line: &str, tokens: &TokenTable) -> Result<(), String> {
        let (name, value) = line
            .split_once(' ')
            .ok_or_else(|| format!("expected `SYLLABLE LOG`, found `{}`", cut(line)))?;
        let syllable = self.syllables.get(&spelled(name, tokens)?);
        let syllable =
            *syllable.ok_or_else(|| format!("`{}` has no line of its own", cut(name)))?;
        match self.pairs.insert((before, syllable), number(value)?) {
            None => Ok(()),
            Some(_) => Err(format!("`{}` follows twice", cut(name))),
        }
    }

    /// What is taken from blank's log probability in every frame.
    pub(crate) const fn less_blank(&self) -> f32 {
        self.less_blank
    }

    /// One token on: where that is, and what it adds to the score; none where it makes no syllable.
    pub(crate) fn advance(&self, place: Place, token: usize) -> Option<(Place, f32)> {
        let token_id = token as u32;
        if self.is_initial.get(token).copied().unwrap_or_default() {
            let initial = Place {
                initial: token_id,
                ..place
            };
            return (!place.is_within()).then_some((initial, 0.0));
        }
        let syllable = *self.syllables.get(&(place.initial, token_id))?;
        let listed = self.pairs.get(&(place.syllable, syllable)).copied();
        let backed_off = || self.back_off[place.syllable as usize] + self.alone[syllable as usize];
        let log_prob = listed.unwrap_or_else(backed_off);
        let next = Place {
            syllable,
            initial: BLANK as u32,
        };
        Some((next, self.weight * log_prob + self.bonus))
    }
}

/// The tokens of `INITIAL+FINAL` or `FINAL`.
fn spelled(syllable: &str, tokens: &TokenTable) -> Result<(u32, u32), String> {
    let token = |text: &str| {
        let token = tokens.id(text).filter(|token| *token != BLANK);
        let token = token.ok_or_else(|| format!("tokens.txt has no `{}`", cut(text)));
        token.map(|token| token as u32)
    };
    match syllable.split_once('+') {
        Some((initial, last)) => Ok((token(initial)?, token(last)?)),
        None => Ok((BLANK as u32, token(syllable)?)),
    }
}

fn number(text: &str) -> Result<f32, String> {
    let number = text.parse().ok().filter(|number: &f32| number.is_finite());
    number.ok_or_else(|| format!("`{}` is no number", cut(text)))
}

fn cut(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens() -> TokenTable {
        TokenTable::parse("<blk> 0\nh 1\nǎo 2\nā 3\n").unwrap()
    }

    const GOOD: &str = "# for people\n\nweight 0.5\nbonus 1\nless_blank 0\n<s> 0.0 -1.0\n ā -0.5\nā -3.0 -0.1\n# more\n h+ǎo -0.2\nh+ǎo -4.0 -2.0\n";

    #[test]
    fn only_tokens_that_make_syllables_go_on_and_they_pay_by_what_is_before() {
        let model = SyllableModel::parse(GOOD, &tokens()).unwrap();
        let begin = Place::default();
        assert_eq!(
            model.advance(begin, 2),
            None,
            "a final that wants an initial"
        );
        let (said_a, paid) = model.advance(begin, 3).unwrap();
        assert!((paid - (0.5 * -0.5 + 1.0)).abs() < 1e-6);
        let (waits, paid) = model.advance(said_a, 1).unwrap();
        assert_eq!((waits.is_within(), paid), (true, 0.0));
        assert_eq!(model.advance(waits, 1), None, "two initials");
        assert_eq!(model.advance(waits, 3), None, "no such syllable");
        let (said_hao, paid) = model.advance(waits, 2).unwrap();
        assert!((paid - (0.5 * -0.2 + 1.0)).abs() < 1e-6);
        let (_, paid) = model.advance(said_hao, 3).unwrap();
        assert!(
            (paid - (0.5 * (-2.0 - 3.0) + 1.0)).abs() < 1e-6,
            "backed off"
        );
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, cause) in [
            ("weight much", "line 1: `much` is no number"),
            ("bonus 1\nbonus 1", "line 2: `bonus` stands twice"),
            ("bonus 1\nweight 1", "it has no line `less_blank`"),
            ("h+x -1 -1", "line 1: tokens.txt has no `x`"),
            ("ā -1 -1\nā -1 -1", "line 2: the syllable stands twice"),
            ("ā -1", "line 1: expected `SYLLABLE LOG LOG`"),
            (" ā -1", "line 1: it is indented under no syllable"),
            ("ā -1 -1\n ā", "line 2: expected `SYLLABLE LOG`"),
            ("ā -1 -1\n h+ǎo -1", "line 2: `h+ǎo` has no line of its own"),
            ("ā -1 -1\nā+ǎo NaN 0", "line 2: `NaN` is no number"),
            ("ā -1 -1\nā+ǎo -1 0", "line 2: `ā` both begins"),
            ("h+ā -1 -1\nh -1 0", "line 2: `h` both begins"),
            ("ā -1 0\n ā -1\n ā -2", "line 3: `ā` follows twice"),
        ] {
            let refused = SyllableModel::parse(text, &tokens()).unwrap_err();
            assert!(refused.contains(cause), "{text:?}: {refused}");
        }
    }
}
