//! The transcript index over a million utterances, beside plain tantivy in the same run.
//!
//! Calls of about twenty utterances are made from the vocabulary and the sentences below, the same
//! ones every time. The peer is tantivy with one text field over the spoken form (tantivy-jieba,
//! exact cut, ordinal positions, no HMM) and the same stored bytes; both write with the same
//! threads and memory, and merges are waited for. Then queries of every kind are timed, parsing,
//! facets and the first page included.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use auricle_contracts::{
    CallId, CallMetadata, ChannelLayout, Party, Syllable, SyllableAlternative, Transcript,
    Utterance, Word,
};
use auricle_search::{IndexOptions, SearchRequest, TranscriptIndex, TranscriptReader};
use clap::Parser;
use tantivy::schema::{BytesOptions, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::{Index, IndexWriter, TantivyDocument};

/// Measures indexing, size and search over many utterances.
#[derive(Parser)]
struct Arguments {
    /// Utterances to index.
    #[arg(default_value_t = 1_000_000)]
    utterances: usize,
    /// Threads of each writer.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Threads of each search.
    #[arg(long, default_value_t = 2)]
    search_threads: usize,
    /// Queries of each kind.
    #[arg(long, default_value_t = 300)]
    queries: usize,
    /// Times each index is built; the fastest counts.
    #[arg(long, default_value_t = 1)]
    rounds: usize,
    /// Where the indexes are written; a folder of the system's own otherwise.
    #[arg(long)]
    folder: Option<PathBuf>,
}

const MEMORY_BYTES_A_THREAD: usize = 128_000_000;
const UTTERANCES_A_CALL: usize = 20;

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let own = std::env::temp_dir().join(format!("auricle-search-{}", std::process::id()));
    let folder = arguments.folder.clone().unwrap_or(own);
    let mut corpus = Corpus::new();
    let n_calls = arguments.utterances.div_ceil(UTTERANCES_A_CALL);
    let calls: Vec<Transcript> = (0..n_calls).map(|number| corpus.call(number)).collect();
    let hanzi: usize = calls
        .iter()
        .flat_map(|call| &call.utterances)
        .map(|utterance| utterance.syllables.len())
        .sum();
    let n_utterances = n_calls * UTTERANCES_A_CALL;
    say(&format!(
        "{n_utterances} utterances of {n_calls} calls, {:.1} hanzi each",
        hanzi as f64 / n_utterances as f64
    ));

    let mut peer_best = Cost::MAX;
    let mut own_best = Cost::MAX;
    for round in 0..arguments.rounds.max(1) {
        let peer_folder = folder.join(format!("peer-{round}"));
        peer_best = peer_best.min(index_peer(&peer_folder, &calls, arguments.threads)?);
        let own_folder = folder.join(format!("auricle-{round}"));
        own_best = own_best.min(index_own(&own_folder, &calls, &arguments)?);
    }
    let last = arguments.rounds.max(1) - 1;
    let (peer_folder, own_folder) = (
        folder.join(format!("peer-{last}")),
        folder.join(format!("auricle-{last}")),
    );
    let rate = |cost: Cost| n_utterances as f64 / cost.wall.as_secs_f64();
    for (name, cost, at) in [
        ("tantivy", peer_best, &peer_folder),
        ("auricle", own_best, &own_folder),
    ] {
        say(&format!(
            "{name:8} {:7.2} s ({:.0} utterances/s), processor {:7.2} s, {}",
            cost.wall.as_secs_f64(),
            rate(cost),
            cost.processor.as_secs_f64(),
            sizes(at)?,
        ));
    }
    say(&format!(
        "indexing ratio {:.2} by the clock, {:.2} by processor time (target 1.3)",
        own_best.wall.as_secs_f64() / peer_best.wall.as_secs_f64(),
        own_best.processor.as_secs_f64() / peer_best.processor.as_secs_f64(),
    ));

    let options = options(&arguments);
    let index = TranscriptIndex::open(&own_folder, options)?;
    let reader = index.reader();
    say(&format!("{:?}", reader.size()?));
    search_all(&reader, &calls, arguments.queries)?;
    drop((reader, index));
    if arguments.folder.is_none() {
        fs::remove_dir_all(&folder)?;
    }
    Ok(())
}

fn options(arguments: &Arguments) -> IndexOptions {
    IndexOptions {
        writer_threads: arguments.threads,
        writer_memory_bytes: arguments.threads * MEMORY_BYTES_A_THREAD,
        search_threads: arguments.search_threads,
    }
}

#[expect(
    clippy::print_stdout,
    reason = "a benchmark reports on standard output"
)]
fn say(line: &str) {
    println!("{line}");
}

/// What a piece of work took.
#[derive(Clone, Copy)]
struct Cost {
    wall: Duration,
    processor: Duration,
}

impl Cost {
    const MAX: Self = Self {
        wall: Duration::MAX,
        processor: Duration::MAX,
    };

    fn of(work: impl FnOnce() -> Result<()>) -> Result<Self> {
        let (start, before) = (Instant::now(), processor_time());
        work()?;
        let processor = processor_time().saturating_sub(before);
        Ok(Self {
            wall: start.elapsed(),
            processor,
        })
    }

    fn min(self, other: Self) -> Self {
        Self {
            wall: self.wall.min(other.wall),
            processor: self.processor.min(other.processor),
        }
    }
}

/// User and system time of this process, all threads; zero where the system does not tell.
fn processor_time() -> Duration {
    let Ok(stat) = fs::read_to_string("/proc/self/stat") else {
        return Duration::ZERO;
    };
    // Fields after the command in parentheses; ticks are hundredths of a second on Linux.
    let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
    let ticks: u64 = after
        .split_whitespace()
        .skip(11)
        .take(2)
        .flat_map(str::parse::<u64>)
        .sum();
    Duration::from_millis(ticks * 10)
}

fn sizes(folder: &Path) -> Result<String> {
    let mut total = 0;
    let mut store = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let bytes = entry.metadata()?.len();
        total += bytes;
        if entry.path().extension().is_some_and(|kind| kind == "store") {
            store += bytes;
        }
    }
    Ok(format!(
        "{} MB on disk, {} MB of it stored texts",
        total / 1_000_000,
        store / 1_000_000
    ))
}

fn index_own(folder: &Path, calls: &[Transcript], arguments: &Arguments) -> Result<Cost> {
    let index = TranscriptIndex::create(folder, options(arguments))?;
    Cost::of(|| {
        for call in calls {
            index.add(call)?;
        }
        index.commit()?;
        Ok(index.finish_merging()?)
    })
}

fn index_peer(folder: &Path, calls: &[Transcript], threads: usize) -> Result<Cost> {
    fs::create_dir_all(folder)?;
    let mut schema = Schema::builder();
    let indexing = TextFieldIndexing::default()
        .set_tokenizer("jieba")
        .set_index_option(IndexRecordOption::WithFreqsAndPositions);
    let text = schema.add_text_field(
        "text",
        TextOptions::default().set_indexing_options(indexing),
    );
    let stored = schema.add_bytes_field("stored", BytesOptions::default().set_stored());
    let header = schema.add_bytes_field("header", BytesOptions::default().set_stored());
    let index = Index::create_in_dir(folder, schema.build())?;
    let mut jieba = tantivy_jieba::JiebaTokenizer::with_search_mode(false);
    jieba.set_ordinal_position_mode(true);
    jieba.set_hmm(false);
    index.tokenizers().register("jieba", jieba);
    let memory = threads * MEMORY_BYTES_A_THREAD;
    let mut writer: IndexWriter = index.writer_with_num_threads(threads, memory)?;
    Cost::of(|| {
        for call in calls {
            for (turn, utterance) in call.utterances.iter().enumerate() {
                let mut document = TantivyDocument::new();
                document.add_text(text, &utterance.spoken);
                document.add_bytes(stored, &stored_bytes(utterance));
                if turn == 0 {
                    document.add_bytes(header, &header_bytes(call)?);
                }
                writer.add_document(document)?;
            }
        }
        writer.commit()?;
        Ok(writer.wait_merging_threads()?)
    })
}

/// The same bytes Auricle stores of an utterance: channel, texts, and the times of every hanzi.
fn stored_bytes(utterance: &Utterance) -> Vec<u8> {
    let marks = |letter: &char| !matches!(letter, '，' | '。' | '？');
    let is_plain = utterance
        .text
        .chars()
        .filter(marks)
        .eq(utterance.spoken.chars());
    let mut out = vec![utterance.channel as u8];
    for text in [
        Some(&utterance.text),
        (!is_plain).then_some(&utterance.spoken),
    ] {
        let Some(text) = text else { continue };
        out.push(text.len() as u8);
        out.extend_from_slice(text.as_bytes());
    }
    let mut last = 0;
    for syllable in &utterance.syllables {
        for number in [
            (syllable.start_ms - last) << 1,
            syllable.end_ms - syllable.start_ms,
        ] {
            let mut rest = number;
            while rest >= 0x80 {
                out.push(rest as u8 | 0x80);
                rest >>= 7;
            }
            out.push(rest as u8);
        }
        last = syllable.end_ms;
    }
    out
}

fn header_bytes(call: &Transcript) -> Result<Vec<u8>> {
    let metadata = &call.metadata;
    Ok(serde_json::to_vec(&serde_json::json!({
        "call_id": call.call_id, "file": call.file, "duration_ms": call.duration_ms,
        "engine": call.engine, "agent": metadata.agent, "campaign": metadata.campaign,
        "region": metadata.region, "started_at": metadata.started_at,
    }))?)
}

/// Queries of one kind.
struct Kind {
    name: &'static str,
    queries: Vec<String>,
}

fn search_all(reader: &TranscriptReader, calls: &[Transcript], n: usize) -> Result<()> {
    say(
        "kind             queries   mean hits   p50 ms   p99 ms   max ms   p99 of best of 3   processor ms",
    );
    for kind in kinds(calls, n) {
        let mut firsts = Vec::with_capacity(kind.queries.len());
        let mut bests = Vec::with_capacity(kind.queries.len());
        let mut hits = 0;
        let mut slowest = (Duration::ZERO, "");
        let before = processor_time();
        for query in &kind.queries {
            let request = SearchRequest::new(query.as_str());
            let mut times = Vec::with_capacity(3);
            for _ in 0..3 {
                let start = Instant::now();
                let results = reader.search(&request).with_context(|| query.clone())?;
                times.push(start.elapsed());
                hits += results.total_hits;
            }
            let best = times.iter().min().copied().unwrap_or_default();
            if best > slowest.0 {
                slowest = (best, query);
            }
            firsts.push(times[0]);
            bests.push(best);
        }
        let processor = processor_time().saturating_sub(before);
        firsts.sort();
        bests.sort();
        let ms = |times: &[Duration], share: f64| {
            let at = ((times.len() as f64 * share) as usize).min(times.len() - 1);
            times[at].as_secs_f64() * 1000.0
        };
        say(&format!(
            "{:16} {:7} {:11.0} {:8.2} {:8.2} {:8.2} {:10.2} {:10.2}   slowest {:.2} ms: {}",
            kind.name,
            kind.queries.len(),
            hits as f64 / 3.0 / kind.queries.len() as f64,
            ms(&firsts, 0.5),
            ms(&firsts, 0.99),
            ms(&firsts, 1.0),
            ms(&bests, 0.99),
            processor.as_secs_f64() * 1000.0 / 3.0 / kind.queries.len() as f64,
            slowest.0.as_secs_f64() * 1000.0,
            slowest.1,
        ));
    }
    Ok(())
}

/// A sixth of each kind asks for the most frequent pairs of hanzi, the rest for what was said in
/// calls drawn at random.
fn kinds(calls: &[Transcript], n: usize) -> Vec<Kind> {
    let frequent = frequent_pairs(calls);
    let mut draw = Draw {
        calls,
        random: Random(77),
        frequent,
    };
    let mut kind = |name, make: &mut dyn FnMut(&mut Draw<'_>, bool) -> String| Kind {
        name,
        queries: (0..n)
            .map(|number| make(&mut draw, number % 6 == 0))
            .collect(),
    };
    vec![
        kind("phrase", &mut |draw, often| draw.piece(often, 2, 6)),
        kind("quoted phrase", &mut |draw, _| {
            format!("\"{}\"", draw.piece(false, 4, 9))
        }),
        kind("single hanzi", &mut |draw, _| draw.piece(false, 1, 1)),
        kind("near", &mut |draw, often| {
            let (a, b) = draw.pair_of_utterance(often);
            format!("{a} NEAR/8 {b}")
        }),
        kind("then", &mut |draw, often| {
            let (a, b) = draw.pair_of_call(often);
            format!("{a} THEN/5 {b}")
        }),
        kind("then by party", &mut |draw, often| {
            let (a, b) = draw.pair_of_call(often);
            format!("party:agent {a} THEN party:customer {b}")
        }),
        kind("sound", &mut |draw, often| {
            format!("sound:{}", draw.piece(often, 2, 6))
        }),
        kind("sound near", &mut |draw, often| {
            format!("sound:{}~0.5", draw.piece(often, 2, 6))
        }),
        kind("sound edited", &mut |draw, _| {
            format!("sound:{}~1", draw.piece(false, 3, 7))
        }),
        kind("sound 2 edits", &mut |draw, _| {
            format!("sound:{}~2", draw.piece(false, 6, 8))
        }),
        kind("prefix", &mut |draw, often| {
            format!("{}*", draw.piece(often, 1, 2))
        }),
        kind("boolean", &mut |draw, often| {
            let (a, b) = draw.pair_of_call(often);
            format!("({a} OR {b}) -{}", draw.piece(false, 2, 2))
        }),
        kind("fields", &mut |draw, often| {
            let agent = draw.random.below(SURNAMES.len());
            format!(
                "agent:{} date:2025 {}",
                SURNAMES[agent],
                draw.piece(often, 2, 3)
            )
        }),
    ]
}

struct Draw<'a> {
    calls: &'a [Transcript],
    random: Random,
    frequent: Vec<String>,
}

impl Draw<'_> {
    fn call(&mut self) -> usize {
        self.random.below(self.calls.len())
    }

    fn piece_of(&mut self, call: usize, turn: usize, least: usize, most: usize) -> String {
        let spoken = &self.calls[call].utterances[turn].spoken;
        let letters: Vec<char> = spoken.chars().filter(|c| !c.is_whitespace()).collect();
        let length = (least + self.random.below(most - least + 1)).min(letters.len());
        let start = self.random.below(letters.len() - length + 1);
        letters[start..start + length].iter().collect()
    }

    fn often(&mut self) -> String {
        let rank = self.random.below(self.frequent.len());
        self.frequent[rank].clone()
    }

    fn piece(&mut self, often: bool, least: usize, most: usize) -> String {
        if often {
            return self.often();
        }
        let (call, turn) = (self.call(), self.random.below(UTTERANCES_A_CALL));
        self.piece_of(call, turn, least, most)
    }

    fn pair_of_utterance(&mut self, often: bool) -> (String, String) {
        if often {
            return (self.often(), self.often());
        }
        let (call, turn) = (self.call(), self.random.below(UTTERANCES_A_CALL));
        (
            self.piece_of(call, turn, 2, 3),
            self.piece_of(call, turn, 2, 3),
        )
    }

    fn pair_of_call(&mut self, often: bool) -> (String, String) {
        if often {
            return (self.often(), self.often());
        }
        let (call, turn) = (self.call(), self.random.below(UTTERANCES_A_CALL - 5));
        let later = turn + 1 + self.random.below(5);
        (
            self.piece_of(call, turn, 2, 3),
            self.piece_of(call, later, 2, 3),
        )
    }
}

fn frequent_pairs(calls: &[Transcript]) -> Vec<String> {
    let mut counts = std::collections::HashMap::<(char, char), usize>::new();
    for utterance in calls.iter().take(2000).flat_map(|call| &call.utterances) {
        let letters: Vec<char> = utterance.spoken.chars().collect();
        for pair in letters.windows(2) {
            *counts.entry((pair[0], pair[1])).or_default() += 1;
        }
    }
    let mut pairs: Vec<_> = counts.into_iter().collect();
    pairs.sort_by_key(|&(pair, count)| (std::cmp::Reverse(count), pair));
    pairs
        .into_iter()
        .take(60)
        .map(|((a, b), _)| [a, b].into_iter().collect())
        .collect()
}

/// A small generator, the same everywhere (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A rank below `bound`, the first ones most often: about Zipf's law.
    fn ranked(&mut self, bound: usize) -> usize {
        let rank = ((bound as f64 + 1.0).powf(self.share()) - 1.0) as usize;
        rank.min(bound.saturating_sub(1))
    }

    fn pick<'a>(&mut self, list: &[&'a str]) -> &'a str {
        let rank = self.ranked(list.len());
        list[rank]
    }
}

/// Makes calls.
struct Corpus {
    random: Random,
    /// Hanzi that stand in for misheard ones.
    pool: Vec<char>,
}

/// Of a hundred hanzi so many are misheard.
const MISHEARD_PERCENT: usize = 4;
/// Of a hundred syllables so many have a second hearing.
const DOUBTFUL_PERCENT: usize = 15;

impl Corpus {
    fn new() -> Self {
        let lists: [&[&str]; 9] = [
            AGENT, CUSTOMER, PRODUCTS, VERBS, CITIES, TIMES, REASONS, FILLERS, SURNAMES,
        ];
        let mut pool: Vec<char> = lists
            .into_iter()
            .flatten()
            .flat_map(|text| text.chars())
            .collect();
        pool.retain(|letter| !auricle_pinyin::readings(*letter).is_empty());
        pool.sort_unstable();
        pool.dedup();
        Self {
            random: Random(20_261_121),
            pool,
        }
    }

    fn call(&mut self, number: usize) -> Transcript {
        let mut at_ms = 400;
        let utterances: Vec<Utterance> = (0..UTTERANCES_A_CALL)
            .map(|turn| {
                let utterance = self.utterance(turn, at_ms);
                at_ms = utterance.end_ms + 200 + self.random.below(900) as u64;
                utterance
            })
            .collect();
        let agent = self.random.ranked(300);
        let day = self.random.below(640);
        let metadata = CallMetadata {
            agent: Some(format!("{}{}", SURNAMES[agent % SURNAMES.len()], agent)),
            campaign: Some(format!("{}{}", PRODUCTS[number % 8], 2025 + number % 2)),
            region: Some(CITIES[self.random.ranked(12)].to_owned()),
            started_at: Some(format!(
                "{}-{:02}-{:02}T{:02}:{:02}:00+08:00",
                2025 + day / 336,
                day % 336 / 28 + 1,
                day % 28 + 1,
                9 + self.random.below(11),
                self.random.below(60),
            )),
        };
        Transcript {
            call_id: CallId(format!("call-{number:07}")),
            file: format!("recordings/{}/call-{number:07}.wav", number / 1000),
            duration_ms: at_ms,
            engine: "ort/zh-zipformer".into(),
            layout: ChannelLayout::PerParty,
            metadata,
            warnings: Vec::new(),
            utterances,
        }
    }

    /// Spoken and written form, 8 to 25 hanzi.
    fn say(&mut self, sentences: &[&'static str]) -> (String, String) {
        let (mut spoken, mut written) = (String::new(), String::new());
        let wanted = 8 + self.random.below(14);
        loop {
            let sentence = self.random.pick(sentences);
            self.fill(sentence, &mut spoken, &mut written);
            let length = spoken.chars().count();
            if length >= wanted || length > 18 {
                written.push('。');
                return (spoken, written);
            }
            written.push('，');
        }
    }

    fn fill(&mut self, sentence: &str, spoken: &mut String, written: &mut String) {
        for letter in sentence.chars() {
            let list = match letter {
                'P' => PRODUCTS,
                'V' => VERBS,
                'C' => CITIES,
                'T' => TIMES,
                'R' => REASONS,
                'F' => FILLERS,
                'S' => SURNAMES,
                'N' => {
                    self.number(spoken, written);
                    continue;
                }
                _ => {
                    let heard = match self.random.below(100) < MISHEARD_PERCENT {
                        true => self.pool[self.random.below(self.pool.len())],
                        false => letter,
                    };
                    spoken.push(heard);
                    written.push(heard);
                    continue;
                }
            };
            let word = self.random.pick(list);
            spoken.push_str(word);
            written.push_str(word);
        }
    }

    fn number(&mut self, spoken: &mut String, written: &mut String) {
        const DIGITS: [&str; 10] = ["零", "一", "二", "三", "四", "五", "六", "七", "八", "九"];
        let hundreds = 1 + self.random.below(9);
        let tens = 1 + self.random.below(9);
        let _ = write!(written, "{}", hundreds * 100 + tens * 10);
        let _ = write!(spoken, "{}百{}十", DIGITS[hundreds], DIGITS[tens]);
    }

    fn utterance(&mut self, turn: usize, start_ms: u64) -> Utterance {
        let agent = turn.is_multiple_of(2);
        let (spoken, text) = self.say(if agent { AGENT } else { CUSTOMER });
        let letters: Vec<char> = spoken.chars().collect();
        let mut at_ms = start_ms;
        let mut syllables = Vec::with_capacity(letters.len());
        for &letter in &letters {
            let end_ms = at_ms + 150 + self.random.below(120) as u64;
            let alternatives = match self.random.below(100) < DOUBTFUL_PERCENT {
                true => {
                    let other = self.pool[self.random.below(self.pool.len())];
                    vec![SyllableAlternative {
                        s: numbered(other),
                        conf: 0.2,
                    }]
                }
                false => Vec::new(),
            };
            let s = numbered(letter);
            syllables.push(Syllable {
                s,
                start_ms: at_ms,
                end_ms,
                conf: 0.9,
                alternatives,
            });
            at_ms = end_ms;
        }
        let words = letters
            .chunks(2)
            .zip(syllables.chunks(2))
            .map(|(word, times)| Word {
                w: word.iter().collect(),
                start_ms: times.first().map_or(0, |first| first.start_ms),
                end_ms: times.last().map_or(0, |last| last.end_ms),
            })
            .collect();
        Utterance {
            party: if agent { Party::Agent } else { Party::Customer },
            channel: u16::from(!agent),
            start_ms,
            end_ms: at_ms,
            text,
            spoken,
            confidence: 0.9,
            syllables,
            words,
        }
    }
}

fn numbered(hanzi: char) -> String {
    auricle_pinyin::readings(hanzi)
        .first()
        .map_or_else(String::new, |reading| reading.syllable.to_string())
}

/// What agents say; capitals stand for a word of the lists below, N for a number.
const AGENT: &[&str] = &[
    "您好请问是S先生吗",
    "这边是P客服中心",
    "我是负责您P的专员",
    "请问有什么可以帮您",
    "您稍等我帮您V一下",
    "这个P是可以V的",
    "我们T会给您回电话",
    "麻烦您提供一下手机号",
    "请问您现在方便吗",
    "那我帮您登记一下",
    "您放心我们一定V",
    "这款P的费用是N块",
    "每个月只要N块钱",
    "您在C的地址没有变吧",
    "因为R所以需要V",
    "非常抱歉给您带来不便",
    "感谢您的来电祝您生活愉快",
    "我们不能保证收益",
    "这个产品没有风险",
    "您的订单号后四位是N",
    "系统显示您T已经V了",
    "如果您要V需要本人来C",
    "F我跟您核对一下信息",
    "请您对我的服务做个评价",
    "您的P会在T之前到账",
    "现在V可以减免N块手续费",
    "您之前的P已经到期了",
    "我先帮您V稍后回复",
    "这个问题我帮您反馈给主管",
    "按照规定R是不能V的",
    "您看这样处理可以吗",
    "请问您是S女士本人吗",
    "F您的意思我明白了",
    "我们C的网点T上班",
    "您可以在手机上V",
    "短信验证码发到您手机了",
    "请不要把密码告诉别人",
    "这通电话会被录音",
    "您还有其他问题吗",
    "我帮您申请了N块的优惠",
    "您的额度是N万",
    "逾期会影响您的征信",
    "建议您T之前还清",
    "合同里面写得很清楚",
    "您可以随时V不收费用",
    "我们的利率是行业最低",
    "老客户V还有礼品",
    "这次活动只到T为止",
    "S先生您听得见吗",
    "我再给您重复一遍",
];

/// What customers say.
const CUSTOMER: &[&str] = &[
    "喂你好",
    "是的我是",
    "你说",
    "我想V一下P",
    "这个P怎么V啊",
    "为什么要收N块钱",
    "F我没有办过这个",
    "我T已经打过电话了",
    "你们怎么还没有V",
    "我要投诉你们",
    "那我不要了给我退款",
    "我现在不方便T再说吧",
    "R所以我才V的",
    "你们说话算数吗",
    "能不能便宜一点",
    "多少钱一个月",
    "我在C没有时间过去",
    "F好吧那就这样",
    "谢谢你啊再见",
    "你让你们主管接电话",
    "我的手机号没有换",
    "我姓S",
    "密码我忘记了",
    "这个验证码收不到",
    "你刚才说的是N块吗",
    "我考虑一下再说",
    "不需要不要再打了",
    "我听不清楚你说大声点",
    "是不是骗人的",
    "我都等了N分钟了",
    "你们这个P太贵了",
    "别的公司只要N块",
    "我家里人不同意V",
    "那你帮我V吧",
    "合同我没有看到",
    "我已经还了N块了",
    "怎么又扣了我N块",
    "C那边可以V吗",
    "我问一下R怎么办",
    "F算了不用了",
    "行那我T过去",
    "你们上次也是这么说的",
    "我要求马上V",
    "这个事情拖了很久了",
    "麻烦你快一点",
    "你工号是多少",
    "我就想问问P的事",
    "哦这样啊我知道了",
    "不对我没有V过",
    "能保证收益吗",
];

const PRODUCTS: &[&str] = &[
    "贷款",
    "信用卡",
    "宽带",
    "套餐",
    "保险",
    "理财产品",
    "会员",
    "流量包",
    "分期",
    "课程",
    "快递",
    "机票",
    "酒店",
    "基金",
    "医疗险",
    "车险",
    "话费",
    "订单",
    "空调",
    "洗衣机",
    "热水器",
    "手机",
    "积分",
    "优惠券",
    "年金险",
    "装修",
    "体检套餐",
    "英语课",
    "驾校",
    "旅游线路",
    "存款",
    "黄金",
    "彩电",
    "路由器",
    "净水器",
    "健身卡",
];

const VERBS: &[&str] = &[
    "办理",
    "查询",
    "取消",
    "退款",
    "处理",
    "开通",
    "修改",
    "登记",
    "核实",
    "激活",
    "续费",
    "升级",
    "缴费",
    "还款",
    "投诉",
    "安装",
    "维修",
    "换货",
    "转账",
    "提现",
    "解约",
    "预约",
    "更换",
    "审核",
    "补办",
    "挂失",
    "报销",
    "理赔",
    "退订",
    "发货",
    "签收",
    "注销",
    "绑定",
    "冻结",
    "延期",
    "催促",
    "回访",
    "加急",
    "备案",
    "开发票",
];

const CITIES: &[&str] = &[
    "北京",
    "上海",
    "广州",
    "深圳",
    "成都",
    "重庆",
    "杭州",
    "武汉",
    "西安",
    "南京",
    "长沙",
    "郑州",
    "天津",
    "苏州",
    "青岛",
    "沈阳",
    "大连",
    "厦门",
    "福州",
    "昆明",
    "合肥",
    "济南",
    "哈尔滨",
    "石家庄",
    "南宁",
    "贵阳",
    "太原",
    "兰州",
    "海口",
    "宁波",
    "温州",
    "佛山",
    "东莞",
    "无锡",
    "烟台",
    "洛阳",
    "襄阳",
    "绵阳",
    "桂林",
    "拉萨",
];

const TIMES: &[&str] = &[
    "今天",
    "明天",
    "昨天",
    "下午",
    "上午",
    "晚上",
    "这个月",
    "下个月",
    "上个月",
    "周末",
    "星期一",
    "星期五",
    "月底",
    "三天",
    "一个星期",
    "年底",
    "刚才",
    "前天",
    "后天",
    "十五号",
    "国庆节",
    "两点半",
    "十分钟",
    "半小时",
    "春节",
];

const REASONS: &[&str] = &[
    "系统升级",
    "资料不全",
    "余额不足",
    "地址有误",
    "超过期限",
    "身份证过期",
    "信号不好",
    "网络故障",
    "人手不够",
    "没有收到货",
    "质量有问题",
    "天气原因",
    "银行延迟",
    "政策调整",
    "名字写错",
    "手机欠费",
    "家里有事",
    "出差在外",
    "生病住院",
    "工作太忙",
    "账户异常",
    "重复扣款",
    "额度不够",
    "商品缺货",
    "快递丢失",
    "价格上涨",
];

const FILLERS: &[&str] = &[
    "嗯",
    "那个",
    "就是说",
    "然后",
    "这样的",
    "对对对",
    "不好意思",
    "其实",
    "反正",
    "怎么说呢",
    "我跟你讲",
    "说实话",
    "没关系",
    "也就是",
    "总之",
    "另外",
    "首先",
    "可能",
    "应该",
    "大概",
];

const SURNAMES: &[&str] = &[
    "王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙", "胡", "朱", "高", "林",
    "何", "郭", "马", "罗", "梁", "宋", "郑", "谢", "韩", "唐", "冯", "于", "董", "萧", "程", "曹",
    "袁", "邓", "许", "傅", "沈", "曾", "彭", "吕", "苏", "卢", "蒋", "蔡", "贾", "丁", "魏", "薛",
    "叶", "阎", "余", "潘", "杜", "戴", "夏", "钟", "汪",
];
