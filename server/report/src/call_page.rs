//! The page of one call.

mod dialogue;
mod overview;

use auricle_contracts::{
    Answer, Assessment, CallId, Hit, Quote, ScoreItem, Scorecard, Severity, Transcript,
};
use maud::{Markup, html};

use crate::batch::{fails_call, pieces};
use crate::format::{
    clock, count, decimal, decimal_or_dash, length, minute, seconds, shown_score, signed,
};
use crate::language::Language;
use crate::page::{Page, Scripts, Section, Tile, Tone, play_link, severity_badge, tiles};
use crate::playable::Playable;
use crate::table;

/// Name of the batch's page; calls' pages lead back to it.
pub const BATCH_PAGE_FILE: &str = "index.html";

/// Way from a call's page to the folder of the batch's page.
const TO_ROOT: &str = "../";

/// Where a call's page lies, relative to the batch's page: `calls/NAME.html`. Other calls have other names,
/// whatever their ids.
pub fn call_page_path(id: &CallId) -> String {
    table::call_page_path(&id.0)
}

/// A page of one call: score card with evidence, findings, summary, and the dialogue with what was found
/// at its place. Both must be masked already. To be written at [`call_page_path`].
pub fn call_page(
    transcript: &Transcript,
    assessment: &Assessment,
    playable: &Playable,
    language: Language,
) -> String {
    let call = Call {
        transcript,
        assessment,
        playable,
        language,
    };
    let title = format!("{} {}", language.call_title(), transcript.call_id);
    let page = Page {
        language,
        title: &title,
        head: call.head(),
        sections: call.sections(),
        scripts: Scripts::Player,
    };
    page.render()
}

/// What the parts of the page are made from.
#[derive(Clone, Copy)]
struct Call<'a> {
    transcript: &'a Transcript,
    assessment: &'a Assessment,
    playable: &'a Playable,
    language: Language,
}

impl Call<'_> {
    fn sections(&self) -> Vec<Section> {
        let language = self.language;
        let all = [
            ("timeline", language.timeline(), overview::timeline(self)),
            ("findings", language.findings(), self.findings()),
            ("summary", language.summary(), self.summary()),
            ("scorecard", language.scorecard(), self.scorecard()),
            ("dialogue", language.dialogue(), dialogue::section(self)),
            ("talk", language.talk(), overview::talk(self)),
            (
                "personal-data",
                language.personal_data(),
                self.personal_data(),
            ),
        ];
        all.into_iter()
            .filter(|(.., body)| !body.0.is_empty())
            .map(|(id, title, body)| Section { id, title, body })
            .collect()
    }

    fn head(&self) -> Markup {
        let (language, transcript) = (self.language, self.transcript);
        let metadata = &transcript.metadata;
        let facts = [
            (language.agent(), metadata.agent.clone()),
            (language.campaign(), metadata.campaign.clone()),
            (language.region(), metadata.region.clone()),
            (
                language.started(),
                metadata.started_at.as_deref().map(minute),
            ),
            (language.duration(), Some(length(transcript.duration_ms))),
            (
                language.engine(),
                Some(transcript.engine.clone()).filter(|engine| !engine.is_empty()),
            ),
        ];
        html! {
            p { a href=(format!("{TO_ROOT}{BATCH_PAGE_FILE}")) { "← " (language.back_to_batch()) } }
            p.soft {
                @for (idx, (name, value)) in facts.iter().filter_map(|(name, value)| value.as_ref().map(|value| (name, value))).enumerate() {
                    @if idx > 0 { " · " }
                    (name) " " (value)
                }
            }
            @if *self.playable == Playable::Withheld { p { strong.major { (language.warnings()) } " " (language.sound_withheld()) } }
            @for warning in &transcript.warnings { p { strong.major { (language.warnings()) } " " (warning) } }
            (tiles(&self.key_figures()))
        }
    }

    fn key_figures(&self) -> Vec<Tile> {
        let (language, assessment) = (self.language, self.assessment);
        let mut tiles = Vec::new();
        if let Some(card) = &assessment.scorecard {
            let (verdict, tone) = verdict(card, language);
            tiles.push(Tile {
                label: language.score(),
                value: shown_score(card.total),
                note: verdict.to_owned(),
                tone,
            });
        }
        let of = |severity| {
            assessment
                .hits
                .iter()
                .filter(|hit| hit.severity == severity)
                .count() as u64
        };
        let worse = [Severity::Critical, Severity::Major, Severity::Minor];
        let notes: Vec<String> = worse
            .iter()
            .filter(|severity| of(**severity) > 0)
            .map(|severity| format!("{} {}", language.severity_name(*severity), of(*severity)))
            .collect();
        tiles.push(Tile {
            label: language.hits(),
            value: count(assessment.hits.len() as u64),
            note: notes.join(" · "),
            tone: Tone::bad_if_any(of(Severity::Critical)),
        });
        if let Some(satisfaction) = assessment.mood.satisfaction {
            tiles.push(Tile {
                label: language.satisfaction(),
                value: decimal(f64::from(satisfaction), 0),
                note: self.trend(),
                tone: Tone::Plain,
            });
        }
        tiles.extend(overview::talk_tiles(self));
        tiles
    }

    /// How the customer's mood went, in words.
    fn trend(&self) -> String {
        let customer =
            |mood: &&auricle_contracts::PartyMood| mood.party == auricle_contracts::Party::Customer;
        let Some(mood) = self.assessment.mood.parties.iter().find(customer) else {
            return String::new();
        };
        let language = self.language;
        let word = match mood.trend {
            trend if trend < -0.1 => language.pick("mood got worse", "情绪变差"),
            trend if trend > 0.1 => language.pick("mood got better", "情绪好转"),
            _ => language.pick("mood held", "情绪平稳"),
        };
        format!("{word} ({})", signed(f64::from(mood.trend), 2))
    }

    fn play(&self, hit_idx: Option<usize>, (start_ms, end_ms): (u64, u64)) -> Markup {
        let url = self.playable.fragment(hit_idx, (start_ms, end_ms), TO_ROOT);
        play_link(url.as_deref(), &clock(start_ms), self.language)
    }

    fn findings(&self) -> Markup {
        let mut hits: Vec<(usize, &Hit)> = self.assessment.hits.iter().enumerate().collect();
        hits.sort_by_key(|(_, hit)| (std::cmp::Reverse(hit.severity), hit.start_ms));
        html! {
            @if hits.is_empty() { p { (self.language.no_hits()) } }
            ul.hits { @for (idx, hit) in hits { (self.finding(idx, hit)) } }
        }
    }

    fn finding(&self, idx: usize, hit: &Hit) -> Markup {
        let language = self.language;
        html! {
            li id=(format!("hit-{idx}")) {
                div.head {
                    (severity_badge(hit.severity, language))
                    b { (hit_name(hit)) }
                    @if hit_name(hit) != hit.rule { code { (hit.rule) } }
                    @for (points, n_hits) in self.points_taken(idx) {
                        span { "−" (decimal(points, 1)) @if n_hits > 1 { " " small { (language.for_hits_together(n_hits)) } } }
                    }
                    @if fails_call(self.assessment, idx) { span.critical { (language.auto_fail()) } }
                }
                @for piece in pieces(hit) {
                    blockquote {
                        (self.play(Some(idx), (piece.start_ms, piece.end_ms))) " "
                        @if !piece.words.is_empty() { small { (language.party_name(piece.party)) } " " (piece.words) " " }
                        @if let Some(utterance) = piece.utterance.filter(|place| *place < self.transcript.utterances.len()) {
                            a href=(format!("#u{utterance}")) { small { (language.dialogue()) " ↓" } }
                        }
                    }
                }
                p.note { (hit.why) }
            }
        }
    }

    /// What questions of the score card lost by a hit, each with the number of hits that it lost it by.
    fn points_taken(&self, idx: usize) -> Vec<(f64, usize)> {
        let items = self
            .assessment
            .scorecard
            .iter()
            .flat_map(|card| &card.items);
        items
            .filter(|item| item.answer == Answer::No && item.hits.contains(&idx))
            .map(|item| (f64::from(item.out_of - item.points), item.hits.len()))
            .filter(|(points, _)| *points > 0.0)
            .collect()
    }

    fn summary(&self) -> Markup {
        let (language, summary) = (self.language, &self.assessment.summary);
        let parts = [
            (language.reason(), &summary.reason),
            (language.outcome(), &summary.outcome),
            (language.promises(), &summary.promises),
            (language.numbers(), &summary.numbers),
        ];
        if summary.disposition.is_none() && parts.iter().all(|(_, quotes)| quotes.is_empty()) {
            return html! {};
        }
        html! {
            dl.facts {
                @if let Some(disposition) = &summary.disposition {
                    dt { (language.disposition()) }
                    dd { (language.intent_name(disposition)) }
                }
                @for (name, quotes) in parts {
                    @if !quotes.is_empty() {
                        dt { (name) }
                        dd { ul { @for quote in quotes { (self.quote(quote)) } } }
                    }
                }
            }
        }
    }

    fn quote(&self, quote: &Quote) -> Markup {
        html! {
            li {
                a href=(format!("#u{}", quote.utterance)) { (clock(quote.start_ms)) } " "
                small { (self.language.party_name(quote.party)) } " " (quote.text)
            }
        }
    }

    fn scorecard(&self) -> Markup {
        let Some(card) = &self.assessment.scorecard else {
            return html! {};
        };
        let language = self.language;
        let (verdict, tone) = verdict(card, language);
        html! {
            div.scroll tabindex="0" role="region" aria-label=(language.scorecard()) {
                table {
                    caption { (card.card) }
                    thead { tr {
                        th scope="col" { (language.question()) }
                        th scope="col" { (language.answer()) }
                        th.n scope="col" { (language.points()) }
                        th scope="col" { (language.why()) }
                        th scope="col" { (language.evidence()) }
                    } }
                    tbody {
                        @for (idx, item) in card.items.iter().enumerate() {
                            @if idx == 0 || card.items[idx - 1].section != item.section {
                                tr { th colspan="5" scope="rowgroup" { strong { (item.section) } } }
                            }
                            (self.score_item(item))
                        }
                        tr {
                            th scope="row" { strong { (language.score()) } }
                            td.critical[tone == Tone::Bad] { (verdict) }
                            td.n { strong { (shown_score(card.total)) } " / 100" }
                            td {} td {}
                        }
                    }
                }
            }
        }
    }

    fn score_item(&self, item: &ScoreItem) -> Markup {
        let class = match item.answer {
            Answer::Yes => "badge good",
            Answer::No => "badge critical",
            Answer::NotApplicable => "badge info",
        };
        let points = match item.answer {
            Answer::NotApplicable => "–".to_owned(),
            _ => format!(
                "{} / {}",
                decimal(f64::from(item.points), 1),
                decimal(f64::from(item.out_of), 1)
            ),
        };
        html! {
            tr {
                th scope="row" { (item.question) }
                td { span class=(class) { (self.language.answer_name(item.answer)) }
                    @if item.auto_fail { br; small.critical { (self.language.auto_fail()) } } }
                td.n { (points) }
                td.why { (item.why) }
                td {
                    @for idx in &item.hits {
                        @if let Some(hit) = self.assessment.hits.get(*idx) {
                            (self.play(Some(*idx), (hit.start_ms, hit.end_ms))) " "
                            a href=(format!("#hit-{idx}")) { small { (hit_name(hit)) } } " "
                        }
                    }
                }
            }
        }
    }

    /// Kinds and times; never what was said.
    fn personal_data(&self) -> Markup {
        let language = self.language;
        html! {
            @if !self.assessment.pii.is_empty() {
                p.note { (language.personal_data_note()) }
                div.narrow { table {
                    thead { tr {
                        th scope="col" { (language.kind()) }
                        th scope="col" { (language.party()) }
                        th.n scope="col" { (language.time()) }
                        th.n scope="col" { (language.duration()) }
                    } }
                    tbody { @for span in &self.assessment.pii {
                        tr {
                            th scope="row" { (language.pii_name(span.kind)) }
                            td { (language.party_name(span.party)) }
                            td.n { (clock(span.start_ms)) }
                            td.n { (seconds(span.end_ms.saturating_sub(span.start_ms))) }
                        }
                    } }
                } }
            }
        }
    }
}

fn verdict(card: &Scorecard, language: Language) -> (&'static str, Tone) {
    match (card.auto_fail, card.passed) {
        (true, _) => (language.auto_fail(), Tone::Bad),
        (_, true) => (language.pass(), Tone::Plain),
        _ => (language.fail(), Tone::Bad),
    }
}

/// Its title, or its id where it has none.
fn hit_name(hit: &Hit) -> &str {
    if hit.title.is_empty() {
        &hit.rule
    } else {
        &hit.title
    }
}

/// A quantity that may not have been measured.
fn optional_ms(ms: Option<i64>) -> String {
    let secs = ms.map(|ms| ms as f64 / 1000.0);
    match secs {
        Some(_) => format!("{} s", decimal_or_dash(secs, 1)),
        None => "–".to_owned(),
    }
}
