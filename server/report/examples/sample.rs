//! Writes pages of made-up calls, to look at: `cargo run -p auricle-report --example sample -- DIR [CALLS] [en|zh]`.
//!
//! The calls are generated, so that pages of any size can be measured; nobody ever said what they say.

use std::error::Error;
use std::fs;
use std::path::Path;

use auricle_contracts::{
    Answer, Assessment, CallId, CallMetadata, Emotion, EmotionLabel, Evidence, Hit, Intent,
    Interruption, Mood, Party, PartyMood, PartyTalk, PiiKind, PiiSpan, Quote, ScoreItem, Scorecard,
    Severity, Stretch, Summary, TalkMetrics, Transcript, Utterance, UtteranceInsight,
};
use auricle_report::{
    BATCH_PAGE_FILE, Batch, BatchOptions, Change, Changes, Detail, Language, MediaUrl, Outline,
    Playable, batch_page, call_page, call_page_path, rescore_page,
};

/// Most calls that get a page of their own here.
const N_PAGES_MAX: u64 = 50;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let folder = args.next().ok_or("name a folder to write to")?;
    let n_calls: u64 = args.next().unwrap_or_else(|| "120".into()).parse()?;
    let language: Language = args.next().unwrap_or_else(|| "en".into()).parse()?;
    write_pages(Path::new(&folder), n_calls, language)
}

fn write_pages(folder: &Path, n_calls: u64, language: Language) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(folder.join("calls"))?;
    let mut batch = Batch::new(BatchOptions::default());
    let mut changes = Changes::default();
    let playable = Playable::Recording(MediaUrl::from_path("audio/call 1.wav"));
    for number in 0..n_calls {
        let mut dice = Dice(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let (transcript, assessment) = made_up_call(number, &mut dice);
        let has_page = number < N_PAGES_MAX;
        let detail = if has_page {
            Detail::Page
        } else {
            Detail::Nothing
        };
        batch.add(&transcript, &assessment, &playable, detail);
        changes.add(made_up_change(&transcript, &assessment, &mut dice));
        if has_page {
            let page = call_page(&transcript, &assessment, &playable, language);
            fs::write(folder.join(call_page_path(&transcript.call_id)), page)?;
        }
    }
    fs::write(folder.join(BATCH_PAGE_FILE), batch_page(&batch, language))?;
    fs::write(
        folder.join("rescore.html"),
        rescore_page(&changes, language),
    )?;
    Ok(())
}

/// xorshift64* (Marsaglia; Vigna): the same calls on every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, n_sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % n_sides
    }

    fn share(&mut self) -> f32 {
        self.roll(1000) as f32 / 1000.0
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.roll(of.len() as u64) as usize]
    }
}

const AGENTS: [&str; 9] = [
    "1001 王敏",
    "1002 李强",
    "1003 陈静",
    "1004 赵磊",
    "1005 周婷",
    "1006 吴刚",
    "1007 孙丽",
    "1008 郑浩",
    "1009 冯雪",
];
const CAMPAIGNS: [&str; 3] = ["秋季信贷", "课程续费", "理财回访"];

/// Rule, title, severity, points, whether it fails the call, words, why; the last number: one call in how many.
type MadeUpRule = (
    &'static str,
    &'static str,
    Severity,
    f32,
    &'static str,
    &'static str,
    u64,
);

const RULES: [MadeUpRule; 9] = [
    (
        "promise_return",
        "承诺收益",
        Severity::Critical,
        40.0,
        "这个产品肯定不会亏的，一年稳稳拿百分之八",
        "坐席承诺收益：“稳稳拿百分之八”",
        14,
    ),
    (
        "secret_request",
        "索要验证码",
        Severity::Critical,
        50.0,
        "您把刚收到的六位验证码念给我一下",
        "坐席索要验证码",
        40,
    ),
    (
        "guarantee_approval",
        "承诺包过",
        Severity::Major,
        20.0,
        "您放心，资料交上来百分之百给您批下来",
        "坐席承诺贷款必批",
        11,
    ),
    (
        "pressure",
        "施压催促",
        Severity::Major,
        15.0,
        "今天不办明天名额就没有了，您自己看着办",
        "坐席以名额制造紧迫感",
        7,
    ),
    (
        "ignore_refusal",
        "无视拒绝",
        Severity::Major,
        15.0,
        "您先别急着拒绝，我再给您讲一下",
        "客户明确拒绝后坐席继续推销",
        9,
    ),
    (
        "no_recording_notice",
        "未告知录音",
        Severity::Minor,
        5.0,
        "",
        "前 30 秒内没有录音告知",
        3,
    ),
    (
        "interruption",
        "打断客户",
        Severity::Minor,
        3.0,
        "您听我说完",
        "坐席在客户说完前 640 ms 开始说话",
        4,
    ),
    (
        "complaint",
        "客户投诉",
        Severity::Info,
        0.0,
        "我要投诉你们",
        "客户表示要投诉",
        12,
    ),
    (
        "interested",
        "客户有意向",
        Severity::Info,
        0.0,
        "那你给我详细说说怎么办理",
        "客户询问办理方式",
        5,
    ),
];

const LINES: [(&str, &str); 6] = [
    (
        "您好，这里是安平金融，我是 1003 号客服。",
        "嗯，你好，什么事？",
    ),
    (
        "看到您之前咨询过我们的信用贷款，想跟您确认一下需求。",
        "利息是多少？太高我就不考虑了。",
    ),
    (
        "年化利率 7.2%，按月还款，没有其他费用。",
        "那你给我详细说说怎么办理。",
    ),
    ("您的联系电话还是 138****5678 吗？", "对，号码没有变。"),
    (
        "这个产品，肯定不会亏的，一年稳稳拿百分之八。",
        "你们上次也这么说，结果呢？我要投诉你们！",
    ),
    ("好的，那我明天下午三点再给您回电。", "行，那就明天下午吧。"),
];

fn made_up_call(number: u64, dice: &mut Dice) -> (Transcript, Assessment) {
    let utterances = made_up_dialogue(dice);
    let duration_ms = utterances.last().map_or(0, |last| last.end_ms) + 1500;
    let hits = made_up_hits(&utterances, number, dice);
    let transcript = Transcript {
        call_id: CallId(format!("2026-{number:06}")),
        file: format!("call-{number}.wav"),
        duration_ms,
        engine: "native/zh-zipformer-3.3m".into(),
        layout: Default::default(),
        metadata: CallMetadata {
            agent: Some(AGENTS[(number % 9) as usize].into()),
            campaign: Some(dice.pick(&CAMPAIGNS).into()),
            region: None,
            started_at: Some(format!(
                "2026-11-{:02}T{:02}:{:02}:00+08:00",
                1 + dice.roll(20),
                9 + dice.roll(9),
                dice.roll(60)
            )),
        },
        warnings: Vec::new(),
        utterances,
    };
    let assessment = made_up_assessment(&transcript, hits, dice);
    (transcript, assessment)
}

fn made_up_dialogue(dice: &mut Dice) -> Vec<Utterance> {
    let mut at_ms = 800;
    let mut utterances = Vec::new();
    let mut say = |party: Party, text: &str, dice: &mut Dice| {
        let start_ms = at_ms + dice.roll(1800);
        let end_ms = start_ms + 300 + 210 * text.chars().count() as u64;
        at_ms = end_ms;
        utterances.push(Utterance {
            party,
            channel: u16::from(party == Party::Customer),
            start_ms,
            end_ms,
            text: text.into(),
            spoken: text
                .chars()
                .filter(|letter| letter.is_alphanumeric())
                .collect(),
            confidence: 0.9,
            syllables: Vec::new(),
            words: Vec::new(),
            voice: None,
        });
    };
    for (agent, customer) in LINES {
        say(Party::Agent, agent, dice);
        if dice.roll(8) > 0 {
            say(Party::Customer, customer, dice);
        }
    }
    utterances
}

fn made_up_hits(utterances: &[Utterance], number: u64, dice: &mut Dice) -> Vec<Hit> {
    let mut hits = Vec::new();
    for (rule, title, severity, deduct, words, why, one_in) in RULES {
        // Some agents break more rules than others.
        if dice.roll(one_in) > 0 || dice.roll(9) > number % 9 + 2 {
            continue;
        }
        let said = utterances.iter().position(|utterance| {
            !words.is_empty() && utterance.spoken.contains(&words[..12.min(words.len())])
        });
        let place = said.unwrap_or(dice.roll(utterances.len() as u64) as usize);
        let utterance = &utterances[place];
        let evidence = Evidence {
            utterance: Some(place),
            party: utterance.party,
            start_ms: utterance.start_ms,
            end_ms: utterance.end_ms,
            words: words.into(),
        };
        hits.push(Hit {
            rule: rule.into(),
            pack: "sample".into(),
            title: title.into(),
            severity,
            party: utterance.party,
            start_ms: if words.is_empty() {
                0
            } else {
                utterance.start_ms
            },
            end_ms: if words.is_empty() {
                30_000
            } else {
                utterance.end_ms
            },
            deduct,
            auto_fail: rule == "secret_request",
            evidence: if words.is_empty() {
                Vec::new()
            } else {
                vec![evidence]
            },
            why: why.into(),
        });
    }
    hits.sort_by_key(|hit| hit.start_ms);
    hits
}

fn made_up_assessment(transcript: &Transcript, hits: Vec<Hit>, dice: &mut Dice) -> Assessment {
    let insights: Vec<UtteranceInsight> = transcript
        .utterances
        .iter()
        .map(|utterance| made_up_insight(utterance, dice))
        .collect();
    let n_angry = insights
        .iter()
        .filter(|insight| {
            insight
                .emotion
                .is_some_and(|emotion| emotion.label == EmotionLabel::Angry)
        })
        .count();
    Assessment {
        pii: made_up_pii(dice),
        metrics: made_up_metrics(transcript, dice),
        mood: Mood {
            parties: vec![PartyMood {
                party: Party::Customer,
                valence: dice.share() - 0.5,
                arousal: dice.share() - 0.5,
                trend: dice.share() - 0.5 - 0.1 * n_angry as f32,
                n_angry: n_angry as u32,
            }],
            satisfaction: Some(
                (50.0 + 45.0 * dice.share() - 15.0 * n_angry as f32).clamp(0.0, 100.0),
            ),
        },
        summary: made_up_summary(transcript, dice),
        scorecard: Some(made_up_card(&hits)),
        utterances: insights,
        hits,
    }
}

fn made_up_insight(utterance: &Utterance, dice: &mut Dice) -> UtteranceInsight {
    let label = match (
        utterance.party,
        utterance.text.contains("投诉"),
        dice.roll(20),
    ) {
        (Party::Customer, true, 0..12) | (Party::Customer, _, 0) => EmotionLabel::Angry,
        (_, _, 1) => EmotionLabel::Sad,
        (_, _, 2..4) => EmotionLabel::Happy,
        _ => EmotionLabel::Neutral,
    };
    let intent = |label: &str, at: Option<&str>| Intent {
        label: label.into(),
        confidence: 0.8,
        at: at.map(str::to_owned),
        until: None,
    };
    let intents = match &utterance.text {
        text if text.contains("详细说说") => vec![intent("interested", None)],
        text if text.contains("太高") => vec![intent("price_objection", None)],
        text if text.contains("投诉") => vec![intent("complaint", None)],
        text if text.contains("那就明天") => {
            vec![intent("callback_request", Some("2026-11-21T15:00"))]
        }
        _ => Vec::new(),
    };
    UtteranceInsight {
        emotion: (dice.roll(12) > 0).then_some(Emotion {
            label,
            confidence: 0.5 + 0.5 * dice.share(),
            arousal: 0.0,
            valence: 0.0,
        }),
        intents,
    }
}

fn made_up_pii(dice: &mut Dice) -> Vec<PiiSpan> {
    let span = |kind, start_ms| PiiSpan {
        kind,
        party: Party::Customer,
        start_ms,
        end_ms: start_ms + 3200,
        places: Vec::new(),
    };
    match dice.roll(6) {
        0 | 1 => vec![span(PiiKind::Phone, 22_000)],
        2 => vec![
            span(PiiKind::IdCard, 30_000),
            span(PiiKind::BankCard, 41_000),
        ],
        _ => Vec::new(),
    }
}

fn made_up_metrics(transcript: &Transcript, dice: &mut Dice) -> TalkMetrics {
    let talk = |party: Party| -> u64 {
        let of_party = transcript
            .utterances
            .iter()
            .filter(|utterance| utterance.party == party);
        of_party
            .map(|utterance| utterance.end_ms - utterance.start_ms)
            .sum()
    };
    let all = (talk(Party::Agent) + talk(Party::Customer)).max(1);
    let mut party = |party: Party, base: f32| PartyTalk {
        party,
        talk_ms: talk(party),
        talk_ratio: talk(party) as f32 / all as f32,
        n_utterances: 6,
        rate_per_minute: base + 90.0 * (dice.share() + dice.share() - 1.0),
        loudness_db: Some(-24.5),
        n_interruptions: (dice.roll(5) * dice.roll(3) / 2) as u32,
        longest_monologue_ms: 6_200,
        response_ms: Some(200 + dice.roll(2400) as i64),
    };
    let parties = vec![party(Party::Agent, 270.0), party(Party::Customer, 230.0)];
    TalkMetrics {
        parties,
        overlap_ms: 640,
        silence_ms: transcript.duration_ms.saturating_sub(all),
        longest_silence_ms: 1500 + dice.roll(7000),
        silences: vec![Stretch {
            start_ms: 9_000,
            end_ms: 12_500,
        }],
        interruptions: vec![Interruption {
            by: Party::Agent,
            at_ms: 18_000,
            overlap_ms: 640,
        }],
    }
}

fn made_up_summary(transcript: &Transcript, dice: &mut Dice) -> Summary {
    let quote = |idx: usize| {
        let utterance = &transcript.utterances[idx];
        Quote {
            utterance: idx,
            party: utterance.party,
            start_ms: utterance.start_ms,
            text: utterance.text.clone(),
        }
    };
    let last = transcript.utterances.len() - 1;
    Summary {
        reason: vec![quote(1)],
        outcome: vec![quote(last)],
        promises: vec![quote(last - 1)],
        numbers: vec![quote(4)],
        disposition: Some(
            dice.pick(&["interested", "refused", "callback", "callback", "unclear"])
                .into(),
        ),
    }
}

fn made_up_card(hits: &[Hit]) -> Scorecard {
    let questions = [
        (
            "合规",
            "promise",
            "没有承诺收益或本金",
            "promise_return",
            40.0,
        ),
        (
            "合规",
            "secret",
            "没有索要密码或验证码",
            "secret_request",
            0.0,
        ),
        (
            "合规",
            "notice",
            "开场告知录音",
            "no_recording_notice",
            10.0,
        ),
        ("服务", "pressure", "没有施压催促", "pressure", 20.0),
        ("服务", "refusal", "尊重客户的拒绝", "ignore_refusal", 20.0),
        ("服务", "listen", "让客户把话说完", "interruption", 10.0),
    ];
    let items: Vec<ScoreItem> = questions
        .iter()
        .map(|(section, id, question, rule, out_of)| {
            let found: Vec<usize> = (0..hits.len())
                .filter(|idx| hits[*idx].rule == *rule)
                .collect();
            ScoreItem {
                section: (*section).into(),
                id: (*id).into(),
                question: (*question).into(),
                answer: if found.is_empty() {
                    Answer::Yes
                } else {
                    Answer::No
                },
                points: if found.is_empty() { *out_of } else { 0.0 },
                out_of: *out_of,
                auto_fail: *rule == "secret_request" && !found.is_empty(),
                why: found
                    .first()
                    .map_or("未发现问题".into(), |idx| hits[*idx].why.clone()),
                hits: found,
            }
        })
        .collect();
    let total: f32 = items.iter().map(|item| item.points).sum();
    let auto_fail = items.iter().any(|item| item.auto_fail);
    Scorecard {
        card: "信贷外呼质检".into(),
        total,
        passed: total >= 80.0 && !auto_fail,
        auto_fail,
        items,
    }
}

fn made_up_change(transcript: &Transcript, assessment: &Assessment, dice: &mut Dice) -> Change {
    let after = Outline::of(assessment);
    let mut before = after.clone();
    if dice.roll(3) == 0 {
        before.hits.remove("sample/pressure");
        before
            .hits
            .insert("sample/disparage".into(), 1 + dice.roll(2));
        before.total = before
            .total
            .map(|total| (total + 20.0 - 35.0 * dice.share()).clamp(0.0, 100.0));
        before.passed = before.total.map(|total| total >= 80.0);
    }
    Change {
        call_id: transcript.call_id.clone(),
        metadata: transcript.metadata.clone(),
        before: (dice.roll(15) > 0).then_some(before),
        after,
    }
}
