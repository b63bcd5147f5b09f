//! Words around numbers: what a number is said to be, what only fills pauses, what takes digits back.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::checks::X;
use crate::Letter;

/// What a number is said to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Label {
    Phone,
    Landline,
    Card,
    /// An account: a bank card's, or another one's.
    Account,
    IdCard,
    Passport,
    /// A social security number of the United States.
    Ssn,
    Plate,
    Email,
    /// 号码, 手机: a number of some kind, most often a phone's.
    Number,
    /// A company's own telephone.
    Company,
    /// The first or the last digits of a number, which may be said.
    Tail,
    /// The same of the last digits; behind a number they are its own.
    Ending,
    /// Order, staff, case, meter and other numbers that are nobody's secret.
    Other,
}

/// What a phrase does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Label(Label),
    /// Said between the digits of one number.
    Filler,
    /// Says that one listens.
    Answer,
    /// Takes back what was said before.
    Correction,
    /// Digits by a word: English ones, X.
    Digits(&'static [u8]),
    /// A digit only among digits.
    MaybeDigit(u8),
    /// `double`, `triple`: the digit that follows, so many times.
    Times(u8),
    /// @ as it is said.
    At,
    /// What follows the last dot of an address.
    Domain,
}

/// A phrase that was said, in places of the utterance's letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Phrase {
    pub role: Role,
    pub from: usize,
    pub to: usize,
}

use Label as L;
use Role as R;

#[rustfmt::skip]
const TABLE: &[(Role, &str)] = &[
    (R::Label(L::Phone), "手机号 手机号码 电话 电话号码 联系方式 联系电话 联系号码 电话号 手机号是 打我这个号 打这个号 拨打 回电 回拨 来电号码 预留号码 备用号码 移动电话 \
        phone telephone cellphone mobile cell callback call_back_number call_me_back call_me_at call_me_on reach_me reach_you best_number contact_number my_number"),
    (R::Label(L::Landline), "座机 固话 固定电话 座机号 座机号码 家里电话 单位电话 办公电话 办公室电话 宅电 landline"),
    (R::Label(L::Card), "卡号 银行卡 银行卡号 信用卡 信用卡号 储蓄卡 借记卡 这张卡 那张卡 收款卡 还款卡 工资卡 卡号码 打到卡 card cardnumber creditcard debitcard"),
    (R::Label(L::Account), "账号 帐号 账户 帐户 收款账号 银行账号 银行账户 account"),
    (R::Label(L::IdCard), "身份证 身份证号 身份证号码 证件号 证件号码 身份号码 公民身份 居民身份证 身份证件"),
    (R::Label(L::Passport), "护照 护照号 护照号码 通行证 passport"),
    (R::Label(L::Ssn), "social social_security social_security_number social_security_card social_number ssn s_s_n 社会安全号 社会安全号码 社会安全卡 社安号 社安号码"),
    (R::Label(L::Other), "social_media social_network social_worker social_services social_security_office social_security_administration"),
    (R::Label(L::Plate), "车牌 车牌号 车牌号码 牌照 车号 牌号 plate"),
    (R::Label(L::Email), "邮箱 电子邮箱 电子邮件 邮件地址 邮件 电邮 伊妹儿 email mail 邮箱地址 邮箱号"),
    (R::Label(L::Number), "号码 手机 我的号 另一个号 另外一个号 这个号 换个号 number"),
    (R::Label(L::Company), "公司电话 客服电话 客服热线 服务热线 热线 总机 官方电话 投诉电话 监督电话 服务电话 热线电话 咨询电话 举报电话 报警电话 我们公司的电话 我们电话 \
        我们的电话 公司的电话 银行的电话 hotline"),
    (R::Label(L::Tail), "尾号 前三位 前六位 前四位 尾数"),
    (R::Label(L::Ending), "后四位 末四位 后六位 后三位 后两位 最后四位 最后六位 最后三位 最后两位 后面四位 后边四位 末尾四位"),
    (R::Label(L::Other), "订单 订单号 订单编号 订单号码 单号 流水号 流水 交易号 工号 编号 报案号 案号 立案号 预约码 预约号 验证码 取件码 提货码 兑换码 密码 口令 快递 快递单号 运单 运单号 \
        物流单号 物流 保单 保单号 保单号码 合同 合同号 合同编号 编码 条码 条形码 发票 发票号 发票号码 税号 信用代码 代码 房号 门牌 车架号 发动机号 警号 警官证 学号 序号 户号 户头号 会员号 \
        会员卡 会员卡号 积分卡 购物卡 充值卡 流量卡 批号 批次 型号 邮编 邮政编码 票号 机票 航班 航班号 车次 工单 工单号 工单号码 受理号 受理编号 登记号 登记编号 投诉单号 投诉编号 \
        服务单号 维修单号 退款单号 退货单号 申请号 申请编号 排队号 产品号 产品编号 货号 客户号 客户编号 用户编号 用户号 水表 电表 燃气 表号 机身号 序列号 串号 卡券 券码 商户号 终端号 \
        凭证号 回执号 回执 档案号 病历号 就诊号 床号 座位号 备案号 许可证 执照 证书 文号 qq号 群号 房间号 股票 基金代码 产品代码 金额 余额 一共 总共 总计 合计 \
        order ordernumber reference invoice ticket tracking serial case confirmation code"),
    (R::Filler, "嗯 呃 额 啊 哦 噢 诶 哎 唉 那个 这个 然后 然后是 后面 后面是 接着 接着是 再 再来 就是 是 中间 中间是 最后 最后是 下面是 下面 前面是 杠 横杠 横线 短横 减号 空格 转 哈 呢 吧 \
        加 来着 什么来着 是什么来着 多少来着 是多少来着 几来着 怎么来着 想想 我想想 我想一下 让我想想 让我想一下 我看看 我看一下 我看下 我找找 哎呀 那什么 \
        uh um er and then dash hyphen space is hold_on hang_on let_me_see let_me_check one_second one_sec one_moment you_know"),
    (R::Answer, "对 对的 对对 对对对 好 好的 行 可以 是的 没错 嗯嗯 您说 你说 请说 您讲 请讲 继续 您继续 请继续 记下了 记了 记住了 好了 还有吗 还有呢 后面呢 然后呢 然后呢 下面呢 接着说 \
        往下说 说吧 收到 明白 知道了 听到了 在听 您请 请稍等 稍等 稍等一下 慢点 慢一点 慢慢说 等一下 等下 等等 等一等 等会儿 你等一下 您等一下 ok okay yes yeah right go on mhm"),
    (R::Correction, "不不 不不不 不不不不 说反了 念反了 口误 不对 不对不对 错了 说错了 讲错了 念错了 报错了 记错了 不是 不是不是 哦不 啊不 呃不 更正 更正一下 改一下 重新说 重来 我重说 重说 应该是 应该 不好意思 抱歉 搞错了 弄错了 看错了 \
        sorry no wait actually correction i_mean scratch_that make_that my_bad"),
    (R::Digits(&[0]), "zero"),
    (R::Digits(&[1]), "one"),
    (R::Digits(&[2]), "two"),
    (R::Digits(&[3]), "three"),
    (R::Digits(&[4]), "four"),
    (R::Digits(&[5]), "five"),
    (R::Digits(&[6]), "six"),
    (R::Digits(&[7]), "seven"),
    (R::Digits(&[8]), "eight"),
    (R::Digits(&[9]), "nine"),
    (R::Digits(&[1, 0]), "ten"),
    (R::Digits(&[1, 1]), "eleven"),
    (R::Digits(&[1, 2]), "twelve"),
    (R::Digits(&[1, 3]), "thirteen"),
    (R::Digits(&[1, 4]), "fourteen"),
    (R::Digits(&[1, 5]), "fifteen"),
    (R::Digits(&[1, 6]), "sixteen"),
    (R::Digits(&[1, 7]), "seventeen"),
    (R::Digits(&[1, 8]), "eighteen"),
    (R::Digits(&[1, 9]), "nineteen"),
    (R::Digits(&[2, 0]), "twenty"),
    (R::Digits(&[3, 0]), "thirty"),
    (R::Digits(&[4, 0]), "forty"),
    (R::Digits(&[5, 0]), "fifty"),
    (R::Digits(&[6, 0]), "sixty"),
    (R::Digits(&[7, 0]), "seventy"),
    (R::Digits(&[8, 0]), "eighty"),
    (R::Digits(&[9, 0]), "ninety"),
    (R::Digits(&[X]), "艾克斯 爱克斯 埃克斯 挨克斯 叉 大写x"),
    (R::MaybeDigit(0), "oh o 洞"),
    (R::MaybeDigit(1), "won 腰"),
    (R::MaybeDigit(2), "to too"),
    (R::MaybeDigit(4), "for"),
    (R::MaybeDigit(7), "拐"),
    (R::MaybeDigit(8), "ate"),
    (R::MaybeDigit(9), "勾"),
    (R::Times(2), "double 双"),
    (R::Times(3), "triple"),
    (R::At, "艾特 爱特 埃特 at 小老鼠 圈a 圈诶 花a 花诶"),
    (R::Domain, "点com 点cn 点net 点org 点edu 点康姆 点康母 点抗姆 点考姆 点kom 点西恩 点comcn 点com点cn dot_com dot_cn dot_net dot_org dot_edu dot_co_dot_uk 点康 点抗"),
];

struct Phrases {
    automaton: AhoCorasick,
    roles: Vec<Role>,
}

static PHRASES: LazyLock<Option<Phrases>> = LazyLock::new(|| {
    let entries = TABLE
        .iter()
        .flat_map(|&(role, words)| words.split_whitespace().map(move |word| (role, word)));
    let (roles, words): (Vec<_>, Vec<_>) = entries
        .map(|(role, word)| (role, word.replace('_', " ")))
        .unzip();
    let automaton = AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostLongest)
        // Some thousand states: small enough for the fastest kind.
        .kind(Some(AhoCorasickKind::DFA))
        .build(words)
        .ok()?;
    Some(Phrases { automaton, roles })
});

/// The phrases in `letters`, from left to right, the longest where several begin. Latin ones are whole
/// words.
pub(super) fn find(letters: &[Letter]) -> Vec<Phrase> {
    let Some(phrases) = &*PHRASES else {
        return Vec::new();
    };
    let (text, spaces) = spaced(letters);
    let (mut byte, mut n_chars, mut n_spaces) = (0, 0, 0);
    let mut letter_at = |at: usize| {
        n_chars += text[byte..at].chars().count();
        byte = at;
        while n_spaces < spaces.len() && spaces[n_spaces] < n_chars {
            n_spaces += 1;
        }
        n_chars - n_spaces
    };
    let mut found = Vec::new();
    for hit in phrases.automaton.find_iter(&text) {
        let (from, to) = (letter_at(hit.start()), letter_at(hit.end()));
        let role = phrases.roles[hit.pattern().as_usize()];
        if is_whole(&text, hit.range()) && !is_other_social(&text, role, hit.range()) {
            found.push(Phrase { role, from, to });
        }
    }
    found
}

/// Letters as text, with a space where Latin words end, and where those spaces stand.
fn spaced(letters: &[Letter]) -> (String, Vec<usize>) {
    let (mut text, mut spaces, mut n_chars) = (String::new(), Vec::new(), 0);
    let mut before: Option<&Letter> = None;
    for letter in letters {
        let is_apart = before.is_some_and(|before| {
            before.at + 1 < letter.at
                && before.letter.is_ascii_alphanumeric()
                && letter.letter.is_ascii_alphanumeric()
        });
        if is_apart {
            spaces.push(n_chars);
            text.push(' ');
            n_chars += 1;
        }
        text.push(letter.letter);
        n_chars += 1;
        before = Some(letter);
    }
    (text, spaces)
}

/// Whether Latin letters at the ends of a hit do not go on beyond it.
fn is_whole(text: &str, hit: Range<usize>) -> bool {
    let is_latin = |ch: Option<char>| ch.is_some_and(|ch| ch.is_ascii_alphabetic());
    let (before, inside, after) = (&text[..hit.start], &text[hit.clone()], &text[hit.end..]);
    let goes_on_left = is_latin(before.chars().next_back()) && is_latin(inside.chars().next());
    let goes_on_right = is_latin(inside.chars().next_back()) && is_latin(after.chars().next());
    !goes_on_left && !goes_on_right
}

/// Whose a `social` must be to be a number.
const OWNERS: &[&str] = &[
    "my",
    "your",
    "his",
    "her",
    "their",
    "full",
    "the",
    "last four of",
];
/// What may follow `the social`.
const BEHIND_THE: &[&str] = &[
    "", "is", "s", "was", "please", "for", "on", "and", "again", "it", "number",
];
/// What makes something else of `social`.
const SOCIAL_THINGS: &str = "media network networks networking worker workers services service insurance club clubs care \
    event events life circle circles account accounts page pages feed post posts skills anxiety distancing group \
    groups science studies calendar program programs housing work benefits welfare gathering gatherings security \
    justice class status app apps profile profiles handle handles channels following platform platforms credit hour";

/// Whether a hit is the word `social` where it does not stand for a number: without somebody whose it is, or before
/// what is social.
fn is_other_social(text: &str, role: Role, hit: Range<usize>) -> bool {
    if role != R::Label(L::Ssn) || &text[hit.clone()] != "social" {
        return false;
    }
    let before = text[..hit.start].trim_end();
    let owner = OWNERS.iter().find(|owner| {
        let rest = before.strip_suffix(**owner);
        rest.is_some_and(|rest| !rest.ends_with(|ch: char| ch.is_ascii_alphabetic()))
    });
    let next = text[hit.end..]
        .split_whitespace()
        .next()
        .unwrap_or_default();
    match owner {
        None => true,
        Some(&"the") => {
            let is_digit = next.starts_with(|ch: char| ch.is_ascii_digit());
            !is_digit && !BEHIND_THE.contains(&next)
        }
        Some(_) => SOCIAL_THINGS.split_whitespace().any(|thing| thing == next),
    }
}
