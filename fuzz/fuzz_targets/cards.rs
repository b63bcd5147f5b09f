//! Any bytes as a score card: points of 100, or a mistake that names its file.
#![no_main]

use auricle_contracts::{
    Answer, Assessment, CallMetadata, Hit, Party, PartyTalk, Severity, TalkMetrics,
};
use auricle_insight::scorecard::{CallView, Card, PersonAnswer, PersonAnswers};
use libfuzzer_sys::fuzz_target;

/// More rules of one card than these do not hit.
const MOST_RULES: usize = 64;

/// A hit of every rule that the card names, and of one that it does not.
fn hits(card: &Card) -> Vec<Hit> {
    let hit = |rule: &str| Hit {
        rule: rule.to_owned(),
        pack: "p".to_owned(),
        title: String::new(),
        severity: Severity::Major,
        party: Party::Agent,
        start_ms: 0,
        end_ms: 1,
        deduct: 5.0,
        auto_fail: true,
        evidence: Vec::new(),
        why: "said".to_owned(),
    };
    let rules = card.rules().into_iter().take(MOST_RULES);
    rules.chain(["another"]).map(hit).collect()
}

/// An agent who spoke.
fn metrics() -> TalkMetrics {
    let agent = PartyTalk {
        party: Party::Agent,
        talk_ms: 60_000,
        talk_ratio: 1.0,
        n_utterances: 10,
        rate_per_minute: 240.0,
        loudness_db: None,
        n_interruptions: 0,
        longest_monologue_ms: 9000,
        response_ms: None,
    };
    TalkMetrics {
        parties: vec![agent],
        ..TalkMetrics::default()
    }
}

fuzz_target!(|bytes: &[u8]| {
    let card = match Card::read(bytes, "card.yaml") {
        Ok(card) => card,
        Err(mistake) => {
            assert!(mistake.to_string().starts_with("card.yaml:"), "{mistake}");
            return;
        }
    };
    let people = |answer: Answer| -> PersonAnswers {
        let answers = card.questions().map(|question| {
            let note = String::new();
            (question.id().to_owned(), PersonAnswer { answer, note })
        });
        answers.collect()
    };
    let metadata = CallMetadata::default();
    for hits in [Vec::new(), hits(&card)] {
        let assessment = Assessment {
            hits,
            metrics: metrics(),
            ..Assessment::default()
        };
        let view = CallView::new(&assessment, &metadata);
        for answers in [PersonAnswers::new(), people(Answer::Yes), people(Answer::No)] {
            let Some(score) = card.score_with(&view, &answers) else {
                continue;
            };
            assert!((0.0..=100.0).contains(&score.total), "{}", score.total);
            for item in &score.items {
                assert!(item.points.is_finite() && (0.0..=100.0).contains(&item.out_of));
                assert!(item.hits.iter().all(|&place| place < assessment.hits.len()));
            }
        }
    }
});
