//! What a thousand rules cost an utterance: one automaton for all of them, beside the same phrases as one
//! regular expression each, in the same run; and what it costs to read and compile them.
//!
//! One thread; the best of some rounds, the two alternating. The regular expressions see letters alone;
//! Auricle's rules are measured so (`exact`) and with sounds (`auto`). Hits are compared: both must find
//! the same with `exact`.

#![expect(clippy::print_stdout, reason = "a report")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use auricle_contracts::{CallMetadata, Party};
use auricle_insight::rules::{PackFile, RuleRun, RuleSet, utterance_of_text};
use auricle_insight::{Facts, Spoken};
use regex::Regex;

const N_RULES: usize = 1000;
const N_UTTERANCES: usize = 200;
const N_ROUNDS: usize = 7;
/// Keywords on either side of a rule's gap.
const N_KEYWORDS: usize = 6;

/// What calls are about; rules and utterances are put together from these.
const WORDS: &str = "保证 收益 基金 贷款 利息 额度 审批 通过 风险 本金 银行 账户 密码 转账 投诉 经理 公司 \
    客服 电话 微信 地址 身份证 课程 续费 退款 优惠 活动 名额 今天 明天 下午 上午 时间 方便 考虑 需要 \
    不用 可以 没有 知道 了解 办理 申请 资料 合同 签字 录音 工号 您好 再见 谢谢 麻烦 请问 如果 因为 \
    所以 但是 这个 那个 我们 你们 他们 孩子 老师 学习 成绩 提高 马上 立刻 最后 机会 错过 后悔 保险 \
    理财 产品 手续费 年化 到期 逾期 还款 分期 征信 法院 起诉 警察 公安 上门 家人 单位 同事 联系 通知 \
    价格 太贵 便宜 打折 赠送 礼品 会员 升级 套餐 流量 宽带 安装 维修 师傅 质量 问题 解决 处理 反馈 \
    生气 着急 等待 回复 短信 链接 点击 下载 注册 登录 验证码 安全 放心 相信 骗子 可靠 正规 国家 政策";

/// A small generator of the same numbers every time (Knuth's constants).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % below
    }
}

fn main() -> anyhow::Result<()> {
    let words: Vec<&str> = WORDS.split_whitespace().collect();
    let mut dice = Dice(7);
    let rules: Vec<[Vec<String>; 2]> = (0..N_RULES)
        .map(|_| [keywords(&words, &mut dice), keywords(&words, &mut dice)])
        .collect();
    let texts: Vec<String> = (0..N_UTTERANCES)
        .map(|_| {
            let n_words = 5 + dice.roll(8);
            (0..n_words)
                .map(|_| words[dice.roll(words.len())])
                .collect()
        })
        .collect();
    let n_letters: usize = texts.iter().map(|text| text.chars().count()).sum();
    println!(
        "{N_RULES} rules of {} keywords each, {N_UTTERANCES} utterances of {:.1} letters",
        2 * N_KEYWORDS,
        n_letters as f64 / N_UTTERANCES as f64
    );

    let from = Instant::now();
    let peers = regexes(&rules)?;
    let peer_compile_ms = from.elapsed().as_secs_f64() * 1000.0;
    let exact = Own::new(&rules, "exact")?;
    let auto = Own::new(&rules, "auto")?;
    println!("\n                        read, ms  compile, ms");
    println!("regex, one by one              -  {peer_compile_ms:11.1}");
    for (name, own) in [("exact", &exact), ("auto", &auto)] {
        println!(
            "Auricle, {name:5}          {:8.1}  {:11.1}",
            own.read_ms, own.compile_ms
        );
    }

    let utterances: Vec<_> = texts
        .iter()
        .map(|text| utterance_of_text(Party::Agent, 0, text))
        .collect();
    let spoken: Vec<Spoken<'_>> = utterances
        .iter()
        .enumerate()
        .map(|(idx, said)| Spoken::new(said, idx))
        .collect();
    let mut best = [f64::MAX; 3];
    let mut hits = [0; 3];
    for _ in 0..N_ROUNDS {
        let (us, n) = peer_round(&peers, &texts);
        (best[0], hits[0]) = (best[0].min(us), n);
        for (place, own) in [(1, &exact), (2, &auto)] {
            let (us, n) = own.round(&spoken);
            (best[place], hits[place]) = (best[place].min(us), n);
        }
    }
    anyhow::ensure!(
        hits[0] == hits[1],
        "hits differ: {} and {}",
        hits[0],
        hits[1]
    );
    println!("\n                     us an utterance     hits");
    for (place, name) in ["regex, one by one", "Auricle, exact", "Auricle, auto"]
        .iter()
        .enumerate()
    {
        println!("{name:18}  {:16.1}  {:7}", best[place], hits[place]);
    }
    println!("regex / Auricle, exact: {:.1}", best[0] / best[1]);
    Ok(())
}

/// One in five is a word; the others are two words said together, as rules are rarer than their words.
fn keywords(words: &[&str], dice: &mut Dice) -> Vec<String> {
    let mut keyword = || {
        let one = words[dice.roll(words.len())];
        match dice.roll(5) {
            0 => one.to_owned(),
            _ => format!("{one}{}", words[dice.roll(words.len())]),
        }
    };
    (0..N_KEYWORDS).map(|_| keyword()).collect()
}

fn regexes(rules: &[[Vec<String>; 2]]) -> Result<Vec<Regex>, regex::Error> {
    let pattern = |[first, then]: &[Vec<String>; 2]| {
        Regex::new(&format!(
            "(?:{}).{{0,8}}(?:{})",
            first.join("|"),
            then.join("|")
        ))
    };
    rules.iter().map(pattern).collect()
}

/// Microseconds an utterance, and rules that matched.
fn peer_round(peers: &[Regex], texts: &[String]) -> (f64, usize) {
    let from = Instant::now();
    let mut n_hits = 0;
    for text in texts {
        n_hits += peers
            .iter()
            .filter(|regex| regex.is_match(black_box(text)))
            .count();
    }
    (
        from.elapsed().as_secs_f64() * 1.0e6 / texts.len() as f64,
        n_hits,
    )
}

struct Own {
    set: Arc<RuleSet>,
    read_ms: f64,
    compile_ms: f64,
}

impl Own {
    fn new(rules: &[[Vec<String>; 2]], sound: &str) -> anyhow::Result<Self> {
        let mut yaml = "pack: bench\nrules:\n".to_owned();
        for (place, [first, then]) in rules.iter().enumerate() {
            let phrase = format!("({})..({})", first.join("|"), then.join("|"));
            yaml.push_str(&format!(
                "- {{id: rule{place}, when: {{says: {{any: ['{phrase}'], sound: {sound}}}}}}}\n"
            ));
        }
        let from = Instant::now();
        let files = [PackFile::read("bench.yaml", yaml.as_bytes())];
        let read_ms = from.elapsed().as_secs_f64() * 1000.0;
        let from = Instant::now();
        let compiled = RuleSet::compile(&files)?;
        Ok(Self {
            set: Arc::new(compiled.rules),
            read_ms,
            compile_ms: from.elapsed().as_secs_f64() * 1000.0,
        })
    }

    /// Microseconds an utterance, and hits with their evidence.
    fn round(&self, spoken: &[Spoken<'_>]) -> (f64, usize) {
        let mut run = RuleRun::new(Arc::clone(&self.set), &CallMetadata::default());
        let mut events = Vec::new();
        let mut n_hits = 0;
        let from = Instant::now();
        for said in spoken {
            run.utterance(black_box(said), &Facts::default(), &mut events);
            n_hits += events.len();
            events.clear();
        }
        (
            from.elapsed().as_secs_f64() * 1.0e6 / spoken.len() as f64,
            n_hits,
        )
    }
}
