//! Marks at clauses: where the speaker's rhythm and the words agree that one ends.
//!
//! Every gap between words has a relative pause (see `rhythm`) and the words around it say how much pause is
//! needed there: none after 您好 before 我, more than usual after 的. A mark never stands inside a number, never
//! beside another mark, and the last one is always set unless the utterance is still going on.

use super::Ending;
use super::cells::Cells;
use super::questions::is_question;
use super::rewrite::{Bond, Draft};

/// Greetings and answers that are a clause of their own, before anything but their continuations.
const OPENERS: [&str; 22] = [
    "您好",
    "你好",
    "好的",
    "没关系",
    "没问题",
    "对不起",
    "不好意思",
    "不用了",
    "是的",
    "对的",
    "可以的",
    "没错",
    "当然可以",
    "行的",
    "谢谢",
    "谢谢您",
    "谢谢你",
    "再见",
    "喂",
    "嗯",
    "喂你好",
    "喂您好",
];
/// Answers that are a clause only where the speaker stops.
const SHORT_ANSWERS: [&str; 12] = [
    "好", "对", "行", "是", "哦", "啊", "可以", "不用", "不是", "不要", "真的", "明白",
];
/// What a clause behind an opener begins with.
const ADDRESSES: [&str; 12] = [
    "我",
    "您",
    "你",
    "请",
    "这里",
    "这边",
    "欢迎",
    "很高兴",
    "那",
    "感谢",
    "有什么",
    "打扰",
];
/// What turns an opener into something else: 你好吗, 你好像, 是的话, 好的话.
const NO_OPENER_BEFORE: &str = "吗吧呀像多话嘛啦了";
/// Words a clause begins with.
const CONJUNCTIONS: [&str; 19] = [
    "但是",
    "可是",
    "所以",
    "因为",
    "如果",
    "而且",
    "不过",
    "然后",
    "另外",
    "同时",
    "并且",
    "否则",
    "要不然",
    "不然",
    "因此",
    "虽然",
    "要是",
    "比如",
    "还有就是",
];
/// Words before a conjunction that belong to it: 是因为, 那如果.
const BEFORE_CONJUNCTION: &str = "是就正都只那但之说为的和跟先再通";
/// After these a phrase goes on.
const GOES_ON_AFTER: &str = "的在和把被给跟从向比让很太最更不没是对将以及与到一这每只挺再";
/// Before these nothing ends.
const PARTICLES: &str = "吗呢吧了的地得们着啦嘛呀";
/// Subjects, with which clauses begin.
const SUBJECTS: &str = "我你您他她它咱请就那这但";
/// After these a clause often ends.
const ENDINGS: &str = "了吧呢啊呀嘛啦";

/// Hanzi of the longest of [`OPENERS`].
const LONGEST_OPENER: usize = 4;
/// Shortest stretch, in hanzi, before a conjunction that is cut off without a pause.
const MIN_CLAUSE: usize = 3;
/// A pause this many times a clause pause ends a sentence.
const SENTENCE_PAUSE: f32 = 3.5;

/// `marks[i]` stands behind cell `i`.
pub(super) fn punctuate(
    cells: &Cells<'_>,
    draft: &Draft,
    pauses: &[f32],
    ending: Ending,
) -> Vec<Option<char>> {
    let mut marks = vec![None; cells.len()];
    let mut clause_start = 0;
    for at in 1..cells.len() {
        let Some(pause) = pause_before(cells, draft, pauses, at) else {
            continue;
        };
        let view = Boundary {
            cells,
            clause_start,
            at,
        };
        if draft.bonds[at] == Bond::Split || pause >= view.needed_pause() {
            marks[at - 1] = Some(view.mark(pause));
            clause_start = at;
        }
    }
    if ending == Ending::Final {
        set_last_mark(cells, clause_start, &mut marks);
    }
    marks
}

/// The relative pause before a cell; `None` where no mark may stand.
fn pause_before(cells: &Cells<'_>, draft: &Draft, pauses: &[f32], at: usize) -> Option<f32> {
    let (before, here) = (cells.get(at - 1)?, cells.get(at)?);
    let both_latin = cells.latin(at - 1).is_some() && cells.latin(at).is_some();
    let may_stand = before.word != here.word && draft.bonds[at] != Bond::Joined && !both_latin;
    // A word without characters may lie between the two.
    let longest = pauses
        .get(before.word..here.word)?
        .iter()
        .copied()
        .fold(0.0, f32::max);
    may_stand.then_some(longest)
}

fn set_last_mark(cells: &Cells<'_>, clause_start: usize, marks: &mut [Option<char>]) {
    let Some(last) = marks.last_mut() else { return };
    let already = cells.as_slice().last().is_some_and(|cell| {
        cell.text
            .ends_with(['。', '，', '？', '！', '.', ',', '?', '!', '、', '；'])
    });
    let is_foreign = cells.as_slice().iter().all(|cell| cell.ch == '\0');
    let clause = clause_text(cells, clause_start, cells.len());
    *last = match (already, is_foreign) {
        (true, _) => None,
        (_, true) => Some('.'),
        _ if is_question(&clause) || clause == "喂" => Some('？'),
        _ => Some('。'),
    };
}

fn clause_text(cells: &Cells<'_>, start: usize, end: usize) -> String {
    cells.as_slice()[start..end]
        .iter()
        .map(|cell| cell.text)
        .collect()
}

/// A place between two words where a clause may end.
struct Boundary<'c, 'a> {
    cells: &'c Cells<'a>,
    clause_start: usize,
    at: usize,
}

impl Boundary<'_, '_> {
    /// The relative pause that makes a clause end here.
    fn needed_pause(&self) -> f32 {
        const NEVER: f32 = f32::INFINITY;
        let (before, next) = (self.cells.back(self.at, 1), self.cells.ch(self.at));
        if next != '\0' && PARTICLES.contains(next) {
            return NEVER;
        }
        if let Some(needed) = self.after_opener() {
            return needed;
        }
        if self.begins_with(&CONJUNCTIONS) && !BEFORE_CONJUNCTION.contains(before) {
            return if self.n_in_clause() >= MIN_CLAUSE {
                0.0
            } else {
                0.7
            };
        }
        match before {
            '吗' if self.n_in_clause() > 1 => 0.0,
            '\0' => 1.2,
            _ if super::cells::is_numeral(before) && super::units::counts(self.cells, self.at) => {
                2.0
            }
            _ if GOES_ON_AFTER.contains(before) => 1.5,
            _ if ENDINGS.contains(before) || SUBJECTS.contains(next) => 0.8,
            _ => 1.0,
        }
    }

    /// 您好|我是: no pause is needed; 好|我想: a short one.
    fn after_opener(&self) -> Option<f32> {
        let next = self.cells.ch(self.at);
        if NO_OPENER_BEFORE.contains(next) && next != '\0' {
            return None;
        }
        let addressed = self.begins_with(&ADDRESSES);
        let greets = ["您好", "你好"]
            .iter()
            .any(|words| self.cells.precedes(self.at, words));
        if greets && addressed {
            return Some(0.0);
        }
        if self.n_in_clause() > LONGEST_OPENER {
            return None;
        }
        let clause = clause_text(self.cells, self.clause_start, self.at);
        if OPENERS.contains(&clause.as_str()) {
            let completes = OPENERS.iter().any(|longer| {
                longer
                    .strip_prefix(clause.as_str())
                    .is_some_and(|rest| !rest.is_empty() && self.cells.follows(self.at, rest))
            });
            return (!completes).then_some(if addressed { 0.0 } else { 0.5 });
        }
        SHORT_ANSWERS.contains(&clause.as_str()).then_some(0.7)
    }

    fn begins_with(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.cells.follows(self.at, word))
    }

    fn n_in_clause(&self) -> usize {
        self.at - self.clause_start
    }

    /// The mark for a clause that ends here.
    fn mark(&self, pause: f32) -> char {
        let clause = clause_text(self.cells, self.clause_start, self.at);
        if is_question(&clause) {
            return '？';
        }
        match pause >= SENTENCE_PAUSE && self.n_in_clause() >= MIN_CLAUSE {
            true => '。',
            false => '，',
        }
    }
}

/// Whether each word is followed by a pause that would part two numbers.
pub(super) fn clear_pauses(pauses: &[f32]) -> Vec<bool> {
    pauses.iter().map(|&pause| pause >= 1.0).collect()
}
