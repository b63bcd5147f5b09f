//! Parameters of `/v1/listen` that change nothing here, with the reason why.

/// Why a parameter has no effect.
pub(super) fn why_ignored(name: &str) -> Option<&'static str> {
    Some(match name {
        "diarize" | "diarize_model" | "diarize_version" => {
            "parties are told apart by channel, with `channels=2&multichannel=true`"
        }
        "callback_method" => "there are no callbacks",
        "version" | "tier" => "the version of a model is the one that is installed",
        "language_hint" | "detect_language" => "the language of a stream is the one of `language`",
        "dictation" | "measurements" | "paragraphs" | "utterances" | "utt_split" => {
            "transcripts are written as they are spoken"
        }
        "filler_words" => "fillers are written where they are heard",
        "profanity_filter" => "words are never replaced",
        "replace" | "search" => "transcripts are searched and rules applied after the call",
        "detect_entities" | "ner" => "personal data is found by Auricle's own finder",
        "sentiment" | "summarize" | "topics" | "intents" | "custom_topic" | "custom_intent" => {
            "emotion, intents and summary are in Auricle's own results"
        }
        "tag" => "there is no report of usage",
        "mip_opt_out" => "audio does not leave this installation",
        "no_delay" => "formatting delays nothing",
        "alternatives" => "there is one alternative",
        _ => return None,
    })
}

/// Whether a value asks for what is anyhow.
pub(super) fn asks_for_nothing(value: &str) -> bool {
    value.is_empty() || value.eq_ignore_ascii_case("false")
}

/// Whether a model is one of Deepgram's, by its family or its use.
pub(super) fn is_deepgram_model(model: &str) -> bool {
    const FAMILIES: [&str; 5] = ["nova", "enhanced", "base", "whisper", "flux"];
    const USES: [&str; 10] = [
        "general",
        "meeting",
        "phonecall",
        "finance",
        "conversationalai",
        "voicemail",
        "video",
        "medical",
        "drivethru",
        "automotive",
    ];
    let family = model.split_once('-').map_or(model, |(family, _)| family);
    FAMILIES.contains(&family) || USES.contains(&model)
}
