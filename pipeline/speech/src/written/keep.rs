//! Words of the language that contain a numeral and stay as they are: 一定, 万一, 十分, 星期三.
//!
//! Found by longest match over the characters, whatever the decoder's cut. Single digit words stay hanzi
//! anyway unless they count something (see `units`), so the list holds words that a unit, a place word or a row
//! of digits would otherwise swallow.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::cells::{Cells, digit_of, is_numeral, myriad_of, place_of};
use super::number::{is_counter, read_cardinal};

/// Separated by white space, so that the lists read as what they are.
const WORDS: &[&str] = &[
    // 一 as part of a word.
    "一定 一下 一下子 一下午 一起 一样 一些 一直 一会 一会儿 一共 一般 一切 一边 一方面 一旦 一向 一概 一律 \
     一致 一再 一时 一刻 一同 一并 一道 一路 一半 一面 一带 一度 一举 一经 一早 一生 一辈子 一阵 一番 一块儿 一贯 一律 \
     一手 一口气 一流 一体 一一 一系列 一站式 一次性 一键 一卡通 一点点 一点儿 一点一点 一丁点 一言为定 一言不发 一心 一心一意 \
     一模一样 一五一十 一清二楚 一干二净 一毛不拔 一分一秒 一分为二 一无所有 一无所知 一天到晚 一年到头 一年四季 一日三餐 \
     一来二去 一来一回 一举两得 一刀两断 一石二鸟 一箭双雕 一三五 一二线 一二三线 一二把手 一把手 一路平安 一路顺风 一帆风顺 \
     一视同仁 一概而论 一如既往 一目了然 一塌糊涂 一本正经 一拖再拖 一而再再而三 不怕一万就怕万一 一百个放心 一百个愿意 一百个不愿意 \
     一波三折 一日千里 一落千丈 一掷千金 一诺千金 一刻千金 一应俱全 一技之长 一臂之力 一席之地 一气之下 一命呜呼 \
     统一 唯一 惟一 万一 逐一 专一 单一 同一 第一时间 第一手 第一线 第一百货 天下第一 不一 不一样 不一定 独一无二 数一数二 \
     百里挑一 千篇一律 表里如一 始终如一 九九归一 合二为一 二合一 三合一 四合一 五合一 多合一 知行合一 不管三七二十一 三七二十一",
    // Others in idioms.
    "七七四十九 九九八十一 九牛一毛 九牛二虎 九死一生 五花八门 五颜六色 五湖四海 五光十色 五十步笑百步 四分五裂 四面八方 四通八达 四舍五入 四季 \
     七上八下 七七八八 七嘴八舌 七手八脚 七零八落 乱七八糟 杂七杂八 横七竖八 八九不离十 十有八九 十之八九 \
     三心二意 三番五次 三番两次 三三两两 三言两语 三长两短 三天两头 三天打鱼 两天晒网 三年五载 三年两载 三令五申 三顾茅庐 \
     三五成群 三教九流 三六九等 三从四德 三头六臂 三生三世 三生有幸 三更半夜 三分钟热度 三下五除二 三百六十行 三十六计 \
     三十而立 四十不惑 不三不四 不二 丢三落四 推三阻四 颠三倒四 低三下四 张三 李四 王五 朝三暮四 举一反三 接二连三 再三 \
     半斤八两 二话不说 二百五 五五开 三七开 四六开 二八开 六六大顺 六神无主 五体投地 五谷杂粮 八字没一撇 八百年 八辈子 \
     十分 十足 十全十美 十万火急 十拿九稳 十字 十字路口 红十字 红十字会 十恶不赦 十年寒窗 十年如一日 十指连心 十八般 \
     十万八千里 千万别 千万不要 千万不能 千方百计 千千万万 千辛万苦 千军万马 千变万化 成千上万 成百上千 \
     百分点 百家争鸣 百年大计 百发百中 百折不挠 万无一失 万万不可 万万没想到 万事如意 一千零一夜 \
     数十万 数十亿 数十年 数十个 数十名 数十家 千儿八百 百儿八十 万儿八千 五年计划 八千里路 两万五千里长征 二万五千里长征",
    // 两, 二, 三 … as part of a word.
    "两边 两者 两口子 两旁 两侧 两岸 两头 两面 两难 两全 两全其美 两清 两码事 两回事 两样 两下子 两点一线 没两样 \
     这两天 那两天 前两天 过两天 头两天 后两天 隔两天 这两年 那两年 前两年 过两年 头两年 近两年 这两周 前两周 过两周 这两个月 前两个月 \
     过两个月 这两小时 这两日 前两日 二手 二手房 二手车 二维码 二话 二胎 二婚 二楼东 二线 二级市场 二元 \
     三方 第三方 第三者 第三产业 第二职业 第六感 三角 三角形 三角债 三角洲 四角 八角 五角星 五角大楼 三元桥 三元里 三元牛奶 \
     三亚 三明治 三轮 三星 三包 三农 三峡 三国 三伏天 三九天 三八线 三里屯 三元区 三好学生 四川 四合院 四大 五一 五一节 五四青年 \
     六一 六一节 七一 八一 十一长假 十一小长假 十一假期 十一期间 十一放假 十一黄金周 国庆十一 双十一 双十二 双一流 双十二 三一五 三八节 三八妇女节 五保户 五险一金 六险二金 七夕 八卦 \
     八成 九成 七成 六成 五成 四成 三成 两成 九江 九寨沟 十堰 九龙 八达岭 五台山 五月天 六安 四平 五粮液 七匹狼 三七 十三陵 十三香 \
     九九重阳 二十四节气 十二生肖 十二星座 百年 五百强企业 一年级 二年级 三年级 四年级 五年级 六年级 七年级 八年级 九年级 四级 六级 四六级 \
     三甲 三级甲等 二甲 八宝 四方 五官 七天连锁",
    // The calendar.
    "星期一 星期二 星期三 星期四 星期五 星期六 礼拜一 礼拜二 礼拜三 礼拜四 礼拜五 礼拜六 周一 周二 周三 周四 周五 周六 \
     周一三五 周二四六 初一 初二 初三 初四 初五 初六 初七 初八 初九 初十 高一 高二 高三 大一 大二 大三 大四 研一 研二 研三 \
     大年初一 正月初一 初一十五 正月十五 腊八 腊月二十三 大年三十 年三十 三伏 三九 农历三月三 三月三",
];

/// Numbers that begin like a word of the list and are none: 十分钟 against 十分.
const NUMBERS: &str = "十分钟 十分之 一块钱 三角五分 四角钱 三角钱 八角钱 十字头 二次方 二元钱 两面包 四级风 六级风 四方面 三方面 一定额 三八三 百年一遇";

/// What a day is called by. Its numeral opens a longer number (每周三百块) unless an hour, a date or a rate
/// follows (周三十点, 周三十五号, 周一百分之五).
const DAY_HEADS: [&str; 4] = ["星期", "礼拜", "周", "初"];

struct Entry {
    characters: Vec<char>,
    stays: bool,
}

/// Entries by their first character, longest first.
static ENTRIES: LazyLock<HashMap<char, Vec<Entry>>> = LazyLock::new(|| {
    let words = WORDS
        .iter()
        .flat_map(|group| group.split_whitespace())
        .map(|word| (word, true));
    let numbers = NUMBERS.split_whitespace().map(|word| (word, false));
    let mut by_first: HashMap<char, Vec<Entry>> = HashMap::new();
    for (word, stays) in words.chain(numbers) {
        let characters: Vec<char> = word.chars().collect();
        if let Some(&first) = characters.first() {
            by_first
                .entry(first)
                .or_default()
                .push(Entry { characters, stays });
        }
    }
    for entries in by_first.values_mut() {
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.characters.len()));
    }
    by_first
});

/// Marks every word that stays.
pub(super) fn mark_kept_words(cells: &mut Cells<'_>) {
    let mut at = 0;
    while at < cells.len() {
        let kept = find_entry(cells, at).filter(|entry| entry.stays);
        match kept.map(|entry| at + entry.characters.len()) {
            Some(end) => {
                cells.keep(at, end);
                at = end;
            }
            None => at += 1,
        }
    }
}

/// The longest entry at a position that is no part of a longer number.
fn find_entry<'e>(cells: &Cells<'_>, at: usize) -> Option<&'e Entry> {
    let entries = ENTRIES.get(&cells.ch(at))?;
    entries.iter().find(|entry| {
        let matches = entry
            .characters
            .iter()
            .enumerate()
            .all(|(i, &ch)| cells.ch(at + i) == ch);
        matches && (!entry.stays || stands_alone(cells, at, &entry.characters))
    })
}

fn stands_alone(cells: &Cells<'_>, at: usize, word: &[char]) -> bool {
    // 三点十分 and 打十分 count minutes and points.
    let counted = word == ['十', '分'] && matches!(cells.back(at, 1), '点' | '打');
    !counted && !begins_inside_number(cells, at, word) && !ends_inside_number(cells, at, word)
}

/// 三十分 is a number and 分; 幺三八零一共 ends in 一共; 三百一起 ends in 一起.
fn begins_inside_number(cells: &Cells<'_>, at: usize, word: &[char]) -> bool {
    let (before, first) = (cells.back(at, 1), word[0]);
    if !is_numeral(before) || !is_numeral(first) || cells.get(at - 1).is_some_and(|c| c.kept) {
        return false;
    }
    let all_numerals = word.iter().all(|&ch| is_numeral(ch));
    // 二十 | 万一不够: a pause before the word sets it off.
    let set_off = first != '十' && cells.get(at).is_some_and(|cell| cell.after_pause);
    if digit_of(first).is_none() {
        return !set_off && (digit_of(before).is_some() || place_of(before).is_some());
    }
    all_numerals || before == '十' || before == '零' && place_of(cells.back(at, 2)).is_some()
}

/// 系统一百 holds 一百 and no 统一, 最高三十万 no grade; 五一二三 is no holiday.
fn ends_inside_number(cells: &Cells<'_>, at: usize, word: &[char]) -> bool {
    let end = at + word.len();
    let last = word[word.len() - 1];
    if !is_numeral(last) || !is_numeral(cells.ch(end)) {
        return false;
    }
    // 双十一百亿补贴: the day is never said otherwise.
    if cells.ch(at) == '双' {
        return false;
    }
    let is_day = DAY_HEADS.iter().any(|head| cells.follows(at, head));
    let longer = read_cardinal(cells, end - 1).is_some_and(|number| {
        let opens_rate = cells.follows(end, "百分之");
        // 初一十五: nobody says 一十 for ten.
        let tells_time = is_day
            && (matches!(cells.ch(number.end), '点' | '号' | '日')
                || cells.follows(end - 1, "一十"));
        number.end > end && !opens_rate && !tells_time && number.value.is_some()
    });
    let all_numerals = word.iter().all(|&ch| is_numeral(ch));
    let digit_follows = |at: usize| digit_of(cells.ch(at)).is_some();
    let plain_row = word.iter().all(|&ch| digit_of(ch).is_some())
        && digit_follows(end)
        && (digit_follows(end + 1) || !is_counter(cells, end + 1));
    let ten_thousand = all_numerals && myriad_of(cells.ch(end)).is_some();
    (longer || plain_row || ten_thousand) && !is_counter(cells, end)
}
