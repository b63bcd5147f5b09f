//! Packs into one program.

use std::collections::{BTreeSet, HashMap};

use super::conditions::{Builder, Reach};
use super::format::{Pack, PackFile, Rule, Test};
use super::lexicon::{LexiconBuilder, classes_in};
use super::lists::Lists;
use super::mistake::{Mistake, Mistakes, Notes, Place, Weight, nearest_hint};
use super::phrase::is_name;
use super::print::Prints;
use super::program::{PackInfo, RuleInfo, RuleSet, SaysLeaf, Schedule, UnitId, View, moments};
use super::reader::At;
use super::words::Words;

/// More keywords, each counted in each list it stands in, are refused.
const MOST_MEMBERSHIPS: usize = 4_000_000;
/// More rules in one set are refused.
const MOST_RULES: usize = 50_000;

/// A program, and what is odd about its packs.
#[derive(Debug)]
pub struct Compiled {
    /// The program.
    pub rules: RuleSet,
    /// Parts of the packs that have no effect.
    pub warnings: Vec<Mistake>,
}

impl RuleSet {
    /// Compiles any number of packs into one program. Ten thousand keywords take some tens of milliseconds.
    ///
    /// # Errors
    /// Everything that is wrong with any of the packs, mistakes of reading included.
    pub fn compile(files: &[PackFile]) -> Result<Compiled, Mistakes> {
        let mut mistakes: Vec<Mistake> = Vec::new();
        let mut parts = Parts::default();
        let mut ids: HashMap<&str, &str> = HashMap::new();
        for (place, file) in files.iter().enumerate() {
            mistakes.extend(file.mistakes.iter().cloned());
            let Some(pack) = &file.pack else { continue };
            let mut notes = Notes::of_files(&file.file, &file.included);
            parts.add_pack(place, file, pack, &mut notes);
            if let Some(id) = &pack.pack.value
                && let Some(other) = ids.insert(id, &file.file)
            {
                let cause = format!("`{other}` is a pack called `{id}`, too");
                notes.error(pack.pack.place, cause, "give each pack an id of its own");
            }
            mistakes.extend(notes.into_list());
        }
        mistakes.extend(parts.too_large(files));
        if mistakes
            .iter()
            .any(|mistake| mistake.weight == Weight::Error)
        {
            return Err(Mistakes(mistakes));
        }
        let rules = parts.finish().map_err(|cause| {
            let mut notes = Notes::new(files.first().map_or("", |file| &file.file));
            notes.error(Place::default(), cause, "use fewer keywords");
            Mistakes(notes.into_list())
        })?;
        Ok(Compiled {
            rules,
            warnings: mistakes,
        })
    }
}

#[derive(Default)]
struct Parts {
    packs: Vec<PackInfo>,
    rules: Vec<(RuleInfo, Reach)>,
    lexicon: LexiconBuilder,
    program: super::conditions::Program,
}

impl Parts {
    fn add_pack(&mut self, place: usize, file: &PackFile, pack: &Pack, notes: &mut Notes) {
        let id = pack.pack.value.clone().unwrap_or_default();
        if pack.pack.value.is_some() && !is_name(&id) {
            let hint = "ids are made of letters, digits, `_`, `-` and `.`";
            notes.error(pack.pack.place, format!("`{id}` is no id of a pack"), hint);
        }
        self.packs.push(PackInfo {
            id,
            file: file.file.clone(),
            included: file.included.clone(),
            title: pack.title.clone(),
            version: pack.version,
            language: pack.language.clone(),
        });
        let mut words = Words::new(pack, notes);
        let rules = pack.rules.value.as_deref().unwrap_or_default();
        if rules.is_empty() && pack.rules.value.is_some() {
            notes.error(
                pack.rules.place,
                "the pack has no rules",
                "give it at least one",
            );
        }
        let mut builder = Builder::new(
            (place, pack),
            &mut words,
            &mut self.lexicon,
            &mut self.program,
            notes,
        );
        let prints = Prints::new(pack);
        let mut ids: HashMap<&str, u32> = HashMap::new();
        for at in rules {
            let Some(rule) = &at.value else { continue };
            if let Some(made) = add_rule(place, rule, at.place, &prints, &mut builder) {
                self.rules.push(made);
            }
            let Some(id) = &rule.id.value else { continue };
            if let Some(line) = ids.insert(id, rule.id.place.line) {
                let cause = format!("there is a rule `{id}` in line `{line}`, too");
                builder
                    .notes
                    .error(rule.id.place, cause, "give each rule an id of its own");
            }
        }
        builder.tell_unused();
        let all_read = rules.iter().all(|at| at.value.is_some());
        if !notes.has_errors() && all_read {
            words.tell_unused(notes);
            let known: BTreeSet<&str> = ids.into_keys().collect();
            check_tests(&pack.tests, &known, notes);
        }
    }

    fn too_large(&self, files: &[PackFile]) -> Option<Mistake> {
        let (n_rules, n_keywords) = (self.rules.len(), self.lexicon.n_memberships());
        let is_large = n_rules > MOST_RULES
            || n_keywords > MOST_MEMBERSHIPS
            || self.lexicon.n_terms() > MOST_MEMBERSHIPS;
        is_large.then(|| Mistake {
            file: files.first().map(|file| file.file.clone()).unwrap_or_default(),
            place: Place::default(),
            weight: Weight::Error,
            cause: format!(
                "`{n_rules}` rules with `{n_keywords}` keywords, more than `{MOST_RULES}` with `{MOST_MEMBERSHIPS}`"
            ),
            hint: "use fewer packs at once".to_owned(),
        })
    }

    fn finish(mut self) -> Result<RuleSet, String> {
        let n_slots = self.program.settle();
        let mut lexicon = self.lexicon.finish().map_err(|error| error.to_string())?;
        let mut phrases_of = vec![Vec::new(); lexicon.n_classes];
        let phrases = self.program.says.iter_mut();
        for (id, phrase) in (0..).zip(phrases.flat_map(SaysLeaf::phrases_mut)) {
            phrase.classes = classes_in(&lexicon, &phrase.steps);
            phrase.id = id;
            for &class in &phrase.triggers {
                phrases_of[class as usize].push(id);
            }
        }
        lexicon.phrases_of = Lists::new(&phrases_of);
        let mut schedule = Schedule {
            by_class: vec![Vec::new(); lexicon.n_classes],
            ..Schedule::default()
        };
        let mut unit: UnitId = 0;
        for reach in &self.program.watch_reaches {
            schedule.add(unit, reach);
            unit += 1;
        }
        for (_, reach) in &self.rules {
            schedule.add(unit, reach);
            unit += 1;
        }
        schedule.deadlines_ms = self.program.deadlines_ms.into_iter().collect();
        let rules: Vec<RuleInfo> = self.rules.into_iter().map(|(rule, _)| rule).collect();
        let names = |rule: &RuleInfo| {
            let of_pack = format!("{}/{}", self.packs[rule.pack].id, rule.id);
            [rule.id.clone(), of_pack]
        };
        Ok(RuleSet {
            ids: rules.iter().flat_map(names).collect(),
            packs: self.packs,
            rules,
            lexicon,
            nodes: self.program.nodes,
            says: self.program.says,
            labels: self.program.labels,
            asked_labels: self.program.asked_labels,
            n_slots,
            watches: self.program.watches,
            schedule,
        })
    }
}

impl Schedule {
    fn add(&mut self, unit: UnitId, reach: &Reach) {
        let when = reach.moments();
        if when & moments::UTTERANCE != 0 {
            match &reach.triggers {
                None => self.every_utterance.push(unit),
                Some(classes) => {
                    for &class in classes {
                        self.by_class[class as usize].push(unit);
                    }
                }
            }
        }
        for (moment, list) in [
            (moments::LATE, &mut self.late),
            (moments::SILENCE, &mut self.silence),
            (moments::INTERRUPTION, &mut self.interruption),
            (moments::DEADLINE, &mut self.deadline),
            (moments::FINISH, &mut self.finish),
        ] {
            if when & moment != 0 {
                list.push(unit);
            }
        }
    }
}

fn add_rule(
    pack: usize,
    rule: &Rule,
    place: Place,
    prints: &Prints,
    builder: &mut Builder<'_>,
) -> Option<(RuleInfo, Reach)> {
    let id = rule.id.value.clone().unwrap_or_default();
    if rule.id.value.is_some() && !is_name(&id) {
        let hint = "ids are made of letters, digits, `_`, `-` and `.`";
        builder
            .notes
            .error(rule.id.place, format!("`{id}` is no id of a rule"), hint);
    }
    let deduct = rule.deduct.value.unwrap_or_default();
    if !deduct.is_finite() || deduct < 0.0 {
        let cause = format!("`deduct` must be 0 or more, got `{deduct}`");
        builder.notes.error(rule.deduct.place, cause, "");
    }
    let party = rule.party.value.unwrap_or_default();
    let view = View {
        side: party,
        unknown: rule.unknown_party.value.unwrap_or_default(),
        first_ms: None,
        last_ms: None,
        first_n: None,
        last_n: None,
    };
    let view = match &rule.scope {
        Some(at) => builder.narrow(view, at.value.unwrap_or_default(), at.place),
        None => view,
    };
    let (root, reach) = builder.condition(&rule.when, view)?;
    if reach.moments() == 0 {
        let hint =
            "conditions of different moments are joined by `after`, `before`, `near` or `in_call`";
        let cause = format!("rule `{id}` can never fire: its conditions never hold at once");
        builder.notes.error(rule.when.place, cause, hint);
    }
    if rule.partials && reach.moments() & moments::UTTERANCE == 0 {
        let cause = format!("rule `{id}` looks at no utterance, so `partials` has no effect");
        builder.notes.warning(place, cause, "");
    }
    let title = match rule.title.is_empty() {
        true => id.clone(),
        false => rule.title.clone(),
    };
    let info = RuleInfo {
        id,
        pack,
        title,
        severity: rule.severity.value.unwrap_or_default().into(),
        party,
        deduct,
        auto_fail: rule.auto_fail,
        partials: rule.partials,
        once: rule.once,
        on_edge: reach.is_lasting(),
        root,
        print: prints.of(rule),
    };
    Some((info, reach))
}

/// Whether tests name rules that there are, and have something to test.
pub(super) fn check_tests(tests: &[At<Test>], known: &BTreeSet<&str>, notes: &mut Notes) {
    for at in tests {
        let Some(test) = &at.value else { continue };
        let named = test.fires.iter().chain(test.only.iter().flatten());
        for name in named {
            if let Some(id) = &name.value
                && !known.contains(id.as_str())
            {
                let hint = nearest_hint(id, known.iter().copied());
                notes.error(name.place, format!("unknown rule `{id}`"), hint);
            }
        }
        match (&test.text, test.call.is_empty()) {
            (Some(_), true) | (None, false) => {}
            (None, true) => notes.error(at.place, "the test has neither `text` nor `call`", ""),
            (Some(_), false) => notes.error(at.place, "the test has both `text` and `call`", ""),
        }
        not_negative(at.place, "duration_secs", test.duration_secs, notes);
        for turn in &test.call {
            let Some(written) = &turn.value else { continue };
            not_negative(turn.place, "at_secs", written.at_secs, notes);
            let n_kinds = [&written.agent, &written.customer, &written.unknown]
                .into_iter()
                .filter(|said| said.is_some())
                .count()
                + usize::from(written.silence_ms.is_some())
                + usize::from(written.interruption_by.is_some());
            if n_kinds != 1 {
                let hint = "one of `agent`, `customer`, `unknown`, `silence_ms`, `interruption_by`";
                notes.error(
                    turn.place,
                    format!("a turn is one thing, got `{n_kinds}`"),
                    hint,
                );
            }
        }
    }
}

fn not_negative(place: Place, name: &str, secs: Option<f32>, notes: &mut Notes) {
    if let Some(secs) = secs.filter(|secs| *secs < 0.0) {
        let cause = format!("`{name}` must be 0 or more, got `{secs}`");
        notes.error(place, cause, "");
    }
}
