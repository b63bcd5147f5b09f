//! From the meaning of a query to the sets of documents that answer it.

use std::sync::Arc;

use tantivy::query::{BooleanQuery, Occur, Query};
use tantivy::schema::Field;

use auricle_contracts::{EmotionLabel, Severity};

use crate::calls::CallNumber;
use crate::lines::{emotion_number, party_number};
use crate::moments::MomentTest;
use crate::place::{Edges, PhrasePattern, Place};
use crate::plan::Plan;
use crate::queries::{Asked, Question, Snapshot, TextTest, TextWanted};
use crate::query::{Kind, Node, NumberField, TextField};
use crate::schema::Fields;
use crate::scorers::LineTest;
use crate::sound::SoundPattern;
use crate::units;

/// A query made ready for one snapshot.
pub(crate) struct Compiled {
    /// Finds the hits.
    pub(crate) query: Arc<dyn Query>,
    /// What is highlighted in a hit.
    pub(crate) places: Vec<Arc<Place>>,
    /// What must have been said earlier in the call.
    pub(crate) leads: Vec<Lead>,
    /// What is shown of the calls beside their hits.
    pub(crate) moments: Vec<MomentTest>,
}

/// The left side of a `THEN`.
pub(crate) struct Lead {
    pub(crate) compiled: Compiled,
    /// The right side: it leads to nothing else.
    pub(crate) right: Arc<dyn Query>,
    pub(crate) within: u32,
}

/// `THEN` without a number: any later utterance of the call.
const ANY_DISTANCE: u32 = u32::MAX;

pub(crate) struct Compiler<'a> {
    pub(crate) fields: &'a Fields,
    pub(crate) snapshot: &'a Snapshot,
}

impl Compiler<'_> {
    pub(crate) fn compile(&self, node: &Node) -> tantivy::Result<Compiled> {
        match &node.kind {
            Kind::Then {
                left,
                right,
                within,
            } => self.then(left, right, *within),
            Kind::And(parts) => self.boolean(parts, Occur::Must),
            Kind::Or(parts) => self.boolean(parts, Occur::Should),
            Kind::Not(inner) => match &inner.kind {
                Kind::Not(twice) => self.compile(twice),
                _ => self.boolean(std::slice::from_ref(node), Occur::Must),
            },
            Kind::Near { .. } | Kind::Phrase(_) | Kind::Prefix(_) | Kind::Words(_) => {
                self.place(node)
            }
            Kind::Sound(_) => self.place(node),
            Kind::Party(party) => {
                Ok(self.filter(Question::Line(LineTest::Party(party_number(*party)))))
            }
            Kind::Text {
                field,
                comparison,
                value,
            } => Ok(self.text(*field, TextWanted::new(*comparison, value))),
            Kind::Range { field, low, high } => Ok(self.range(*field, *low, *high)),
        }
    }

    fn ask(&self, question: Question) -> Arc<dyn Query> {
        Arc::new(Asked {
            question,
            snapshot: self.snapshot.clone(),
        })
    }

    fn filter(&self, question: Question) -> Compiled {
        Compiled {
            query: self.ask(question),
            places: Vec::new(),
            leads: Vec::new(),
            moments: Vec::new(),
        }
    }

    fn text(&self, field: TextField, wanted: TextWanted) -> Compiled {
        let fields = self.fields;
        let [agent, campaign, region, engine, file] = fields.call_texts;
        let of_utterance = |field| Question::Text(test(field, &wanted));
        let of_call = |field| Question::CallText(test(field, &wanted));
        match field {
            TextField::Hit => {
                let (fields, moment) = match wanted.names_pack() {
                    true => (
                        [fields.hit_of_pack, fields.call_hit_of_pack],
                        MomentTest::RuleOfPack(wanted.clone()),
                    ),
                    false => (
                        [fields.hit, fields.call_hit],
                        MomentTest::Rule(wanted.clone()),
                    ),
                };
                self.either(fields, &wanted, moment)
            }
            TextField::Pii => {
                let moment = MomentTest::Pii(wanted.clone());
                self.either([fields.pii, fields.call_pii], &wanted, moment)
            }
            TextField::Call => self.filter(of_utterance(fields.call)),
            TextField::Emotion => {
                let labels = EmotionLabel::ALL.into_iter();
                let labels = labels.filter(|label| wanted.agrees(label.as_str()));
                let bits = labels.map(|label| 1 << emotion_number(Some(label)));
                let bits = bits.fold(0, |bits, bit| bits | bit);
                self.filter(Question::Line(LineTest::Emotions(bits)))
            }
            TextField::Intent => self.filter(of_utterance(fields.intent)),
            TextField::Agent => self.filter(of_call(agent)),
            TextField::Campaign => self.filter(of_call(campaign)),
            TextField::Region => self.filter(of_call(region)),
            TextField::Engine => self.filter(of_call(engine)),
            TextField::File => self.filter(of_call(file)),
            TextField::Passed => self.filter(of_call(fields.passed)),
            TextField::Disposition => self.filter(of_call(fields.disposition)),
        }
    }

    /// Of utterances and, where it belongs to none of them, of calls.
    fn either(
        &self,
        [of_utterance, of_call]: [Field; 2],
        wanted: &TextWanted,
        moment: MomentTest,
    ) -> Compiled {
        let question = Question::EitherText(test(of_utterance, wanted), test(of_call, wanted));
        Compiled {
            moments: vec![moment],
            ..self.filter(question)
        }
    }

    fn range(&self, field: NumberField, low: Option<f64>, high: Option<f64>) -> Compiled {
        let low = low.unwrap_or(f64::NEG_INFINITY);
        let high = high.unwrap_or(f64::INFINITY);
        let call_number = |field| self.filter(Question::CallNumber { field, low, high });
        let line = |test: fn(f64, f64) -> LineTest| self.filter(Question::Line(test(low, high)));
        match field {
            NumberField::Date => call_number(CallNumber::Started),
            NumberField::Duration => call_number(CallNumber::Duration),
            NumberField::Score => call_number(CallNumber::Score),
            NumberField::Silence => Compiled {
                moments: vec![MomentTest::Silence(low, high)],
                ..call_number(CallNumber::Silence)
            },
            NumberField::Severity => {
                let within =
                    |severity: &Severity| (low..=high).contains(&f64::from(*severity as u32));
                let severities = Severity::ALL.into_iter().filter(within);
                let wanted = TextWanted::one_of(severities.map(Severity::as_str));
                let moment = MomentTest::Severity(wanted.clone());
                let fields = [self.fields.severity, self.fields.call_severity];
                self.either(fields, &wanted, moment)
            }
            NumberField::Start => line(LineTest::Start),
            NumberField::End => line(LineTest::End),
            NumberField::Length => line(LineTest::Length),
            NumberField::Turn => line(LineTest::Turn),
            NumberField::Utterance => line(LineTest::Utterance),
        }
    }

    fn then(&self, left: &Node, right: &Node, within: Option<u32>) -> tantivy::Result<Compiled> {
        let within = within.unwrap_or(ANY_DISTANCE);
        let left = self.compile(left)?;
        let Compiled {
            query,
            places,
            mut leads,
            mut moments,
        } = self.compile(right)?;
        moments.extend(left.moments.iter().cloned());
        let question = Question::Then {
            left: Arc::clone(&left.query),
            right: Arc::clone(&query),
            within,
        };
        leads.push(Lead {
            compiled: left,
            right: query,
            within,
        });
        Ok(Compiled {
            query: self.ask(question),
            places,
            leads,
            moments,
        })
    }

    fn boolean(&self, parts: &[Node], occur: Occur) -> tantivy::Result<Compiled> {
        let mut clauses: Vec<(Occur, Box<dyn Query>)> = Vec::with_capacity(parts.len() + 1);
        let (mut places, mut leads, mut moments) = (Vec::new(), Vec::new(), Vec::new());
        let mut n_wanted = 0;
        for part in parts {
            if let (Kind::Not(inner), Occur::Must) = (&part.kind, occur)
                && !matches!(inner.kind, Kind::Not(_))
            {
                clauses.push((Occur::MustNot, Box::new(Shared(self.compile(inner)?.query))));
                continue;
            }
            let compiled = self.compile(part)?;
            n_wanted += 1;
            places.extend(compiled.places);
            leads.extend(compiled.leads);
            moments.extend(compiled.moments);
            clauses.push((occur, Box::new(Shared(compiled.query))));
        }
        if n_wanted == 0 {
            let every = self.ask(Question::Line(LineTest::Every));
            clauses.push((Occur::Must, Box::new(Shared(every))));
        }
        Ok(Compiled {
            query: Arc::new(BooleanQuery::new(clauses)),
            places,
            leads,
            moments,
        })
    }

    fn place(&self, node: &Node) -> tantivy::Result<Compiled> {
        let (place, plan) = self.place_and_plan(node);
        let frequency = plan.doc_freq(self.snapshot)? as f32;
        let n_docs = self.snapshot.searcher.num_docs() as f32;
        let rarity = (n_docs - frequency).max(0.0) + 0.5;
        let weight = (1.0 + rarity / (frequency + 0.5)).ln().max(0.01);
        let exact = plan_decides(&place);
        let place = Arc::new(place);
        let question = Question::Place {
            plan,
            place: Arc::clone(&place),
            exact,
            weight,
        };
        Ok(Compiled {
            query: self.ask(question),
            places: vec![place],
            leads: Vec::new(),
            moments: Vec::new(),
        })
    }

    /// What a node looks for in a line, and the documents to look at.
    pub(crate) fn place_and_plan(&self, node: &Node) -> (Place, Plan) {
        let phrase = |text: &str, edges: Edges, plan: fn(&[u16]) -> Plan| {
            let codes = units::encode(text);
            let plan = plan(&codes);
            (Place::Phrase(PhrasePattern { codes, edges }), plan)
        };
        match &node.kind {
            Kind::Prefix(text) => phrase(text, Edges::BeginsWord, Plan::prefix),
            Kind::Words(text) => phrase(text, Edges::WholeWords, Plan::words),
            Kind::Phrase(text) => phrase(text, Edges::Units, Plan::phrase),
            Kind::Sound(sound) => {
                let pattern = SoundPattern::new(&sound.syllables, sound.budget);
                let plan = Plan::sound(&pattern);
                (Place::Sound(pattern), plan)
            }
            Kind::Or(parts) => {
                let (places, plans) = parts.iter().map(|part| self.place_and_plan(part)).unzip();
                (Place::Or(places), Plan::AnyOf(plans))
            }
            Kind::Near {
                left,
                right,
                within,
                order,
            } => {
                let (left, left_plan) = self.place_and_plan(left);
                let (right, right_plan) = self.place_and_plan(right);
                let (left, right) = (Box::new(left), Box::new(right));
                let place = Place::Near {
                    left,
                    right,
                    within: *within,
                    order: *order,
                };
                (place, Plan::all_of(vec![left_plan, right_plan]))
            }
            // The parser lets nothing else stand where a place is needed.
            _ => (Place::Or(Vec::new()), Plan::AnyOf(Vec::new())),
        }
    }
}

/// Whether every document of a place's plan holds the place.
pub(crate) fn plan_decides(place: &Place) -> bool {
    match place {
        Place::Phrase(pattern) => Plan::decides_phrase(&pattern.codes, pattern.edges),
        Place::Sound(pattern) => pattern.full_edits() == 0 && pattern.len() <= 2,
        Place::Or(_) | Place::Near { .. } => false,
    }
}

fn test(field: Field, wanted: &TextWanted) -> TextTest {
    TextTest {
        field,
        wanted: wanted.clone(),
    }
}

/// A query held in several places.
#[derive(Clone, Debug)]
struct Shared(Arc<dyn Query>);

impl Query for Shared {
    fn weight(
        &self,
        scoring: tantivy::query::EnableScoring<'_>,
    ) -> tantivy::Result<Box<dyn tantivy::query::Weight>> {
        self.0.weight(scoring)
    }
}
