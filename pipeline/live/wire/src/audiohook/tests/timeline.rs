//! Places of audio, with silences between.

use proptest::prelude::*;

use super::span::Span;
use super::*;

fn gap(at_frames: u64, n_frames: u64) -> AudioHookGap {
    AudioHookGap {
        at_frames,
        n_frames,
    }
}

fn told(start: &str, discarded: &str) -> String {
    format!(r#"{{"start":"{start}","discarded":"{discarded}"}}"#)
}

/// Hears this much of both channels; says where it begins.
fn hear(session: &mut AudioHookSession, n_frames: usize) -> u64 {
    let audio = session.binary(&vec![0xff; 2 * n_frames]).unwrap().unwrap();
    assert_eq!(audio.frames.n_frames(), n_frames);
    audio.at_frames
}

#[test]
fn spans() {
    let check = |text: &str, expected: Option<(u64, u64)>| {
        let read = Span::read(text).map(|span| (span.frames(), span.ms()));
        assert_eq!(read, expected, "{text}");
    };
    check("PT0S", Some((0, 0)));
    check("PT1S", Some((8000, 1000)));
    check("PT12.5S", Some((100_000, 12_500)));
    check("PT.25S", Some((2000, 250)));
    check("PT0.000125S", Some((1, 0)));
    check("PT0.000124999S", Some((1, 0)));
    check("PT0.00006S", Some((0, 0)));
    check(
        "PT999999999.999999S",
        Some((8_000_000_000_000, 999_999_999_999)),
    );
    for text in [
        "",
        "PT",
        "PTS",
        "PT.S",
        "PT1.S",
        "1S",
        "PT1",
        "PT-1S",
        "PT+1S",
        "PT1e3S",
        "PT1M1S",
        "PT1,5S",
        "PT1.2.3S",
        "PT1.-5S",
        "PT1000000000S",
        "pt1s",
        "PT１S",
    ] {
        check(text, None);
    }
}

#[test]
fn silences_keep_time() {
    let mut session = streaming(&Limits::default());
    assert_eq!(hear(&mut session, 8000), 0);
    // A second is lost.
    let lost = session.text(&message("discarded", 2, 1, &told("PT1S", "PT1S")), 3000);
    assert_eq!(lost, Ok(AudioHookEvent::Gap(gap(8000, 8000))));
    assert_eq!(hear(&mut session, 4000), 16_000);
    // A pause of ten.
    let paused = session.text(&message("paused", 3, 1, "{}"), 3500);
    assert_eq!(paused, Ok(AudioHookEvent::Paused));
    let resumed = session.text(&message("resumed", 4, 1, &told("PT2.5S", "PT10S")), 13_500);
    assert_eq!(resumed, Ok(AudioHookEvent::Resumed(gap(20_000, 80_000))));
    assert_eq!(gap(20_000, 80_000).ms(), 10_000);
    assert_eq!(hear(&mut session, 1), 100_000);
    // What lies behind is not missing.
    let past = session.text(&message("resumed", 5, 1, &told("PT1S", "PT1S")), 13_600);
    assert_eq!(past, Ok(AudioHookEvent::Resumed(gap(100_001, 0))));
    assert_eq!(session.n_frames(), 100_001);
}

#[test]
fn frames_that_are_cut_are_put_together() {
    let mut session = streaming(&Limits::default());
    let places: Vec<_> = [&[1_u8][..], &[11, 2], &[12, 3, 13]]
        .iter()
        .map(|piece| {
            let audio = session.binary(piece).unwrap().unwrap();
            (audio.at_frames, audio.frames.n_frames())
        })
        .collect();
    assert_eq!(places, [(0, 0), (0, 1), (1, 2)]);
}

#[test]
fn a_stream_that_is_continued_begins_at_its_place() {
    let mut session = session(&Limits::default());
    let later = open(BOTH, "").replace("PT0S", "PT60S");
    session.text(&later, 1000).unwrap();
    session.opened().unwrap();
    assert_eq!(hear(&mut session, 80), 0);
    let lost = session.text(&message("discarded", 2, 1, &told("PT60.01S", "PT2S")), 4000);
    assert_eq!(lost, Ok(AudioHookEvent::Gap(gap(80, 16_000))));
}

#[test]
fn silences_that_cannot_be() {
    let check = |parameters: &str, expected: &str| {
        let mut session = streaming(&Limits::default());
        hear(&mut session, 80);
        let AudioHookEvent::NotTaken(warning) = session
            .text(&message("discarded", 2, 1, parameters), 2000)
            .unwrap()
        else {
            panic!("it is not taken: {parameters}");
        };
        assert_eq!(warning.to_string(), expected);
        assert_eq!(hear(&mut session, 80), 80);
    };
    let no_span = "`start` and `discarded` must be seconds such as PT12.5S";
    check("{}", no_span);
    check(r#"{"start":"PT1S","discarded":1}"#, no_span);
    check(&told("PT1S", "1"), no_span);
    // The session is a second old.
    check(
        &told("PT0.01S", "PT62S"),
        "silence ends 61010 ms before the clock, more than 60000",
    );
}

#[test]
fn patience_ends() {
    let limits = Limits {
        malformed_messages: 1,
        ..Limits::default()
    };
    let mut session = streaming(&limits);
    let first = session.text(&message("discarded", 2, 1, "{}"), 2000);
    let not_taken = AudioHookEvent::NotTaken(AudioHookWarning::NotASpan);
    assert_eq!(first, Ok(not_taken));
    let error = session.text(&message("resumed", 3, 1, "{}"), 2000);
    assert_eq!(error, Err(AudioHookError::TooManyNotTaken { limit: 1 }));
}

proptest! {
    #[test]
    fn places_never_run_back(
        steps in proptest::collection::vec((0_usize..400, 0_u64..100_000, 0_u64..100_000), 0..12),
    ) {
        let mut session = streaming(&Limits::default());
        let mut n_frames = 0;
        for ((n_heard, start_ms, discarded_ms), seq) in steps.into_iter().zip(2..) {
            prop_assert_eq!(hear(&mut session, n_heard), n_frames);
            n_frames += n_heard as u64;
            let span = |ms: u64| format!("PT{}.{:03}S", ms / 1000, ms % 1000);
            let parameters = told(&span(start_ms), &span(discarded_ms));
            let message = message("discarded", seq, 1, &parameters);
            if let AudioHookEvent::Gap(gap) = session.text(&message, 1000).unwrap() {
                prop_assert_eq!(gap.at_frames, n_frames);
                n_frames += gap.n_frames;
            }
            prop_assert!(n_frames <= 60_000 * 8 + 12 * 400);
            prop_assert_eq!(session.n_frames(), n_frames);
        }
    }

    #[test]
    fn any_text_is_read(texts in proptest::collection::vec(any::<String>(), 0..4)) {
        let mut session = streaming(&Limits::default());
        for text in &texts {
            let _ = session.text(text, 0);
            let _ = Span::read(text);
        }
        let parameters = format!(r#"{{"start":{:?}}}"#, texts.first());
        let _ = session.text(&message("resumed", 2, 1, &parameters), u64::MAX);
    }
}
