#!/usr/bin/env python3
"""Writes corpus/rules.txt and corpus/generated.txt.

rules.txt has what the tests of the rule packs say: what rules look for must be told apart from what sounds like it.
generated.txt has sentences from small slot grammars, for what prose does not cover evenly.

Numbers, dates, names and places turn up in calls in every combination; a few hundred hand-written lines
cannot show that any of them may follow any frame. The grammars below are the project's own. Run again after
changing them: the same script always writes the same file.
"""

import argparse
import pathlib
import random
import re
import sys

DIGITS = "零一二三四五六七八九"
SPOKEN = "零幺二三四五六七八九"
SURNAMES = list("王李张刘陈杨黄赵周吴徐孙马朱胡郭何高林罗郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁于余叶蒋杜苏魏程吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫雷龙史陶贺毛段郝顾龚邵万覃武钱戴严莫孔向常")
TITLES = ["先生", "女士", "小姐", "经理", "老师", "医生", "师傅", "总", "主任", "阿姨"]
PROVINCES = "北京 上海 天津 重庆 广东 江苏 浙江 山东 河南 河北 四川 湖北 湖南 福建 安徽 江西 辽宁 陕西 山西 云南 广西 贵州 黑龙江 吉林 甘肃 内蒙古 新疆 海南 宁夏 青海 西藏".split()
CITIES = "广州 深圳 杭州 南京 苏州 成都 武汉 西安 郑州 青岛 长沙 沈阳 大连 厦门 宁波 无锡 合肥 福州 济南 昆明 哈尔滨 石家庄 太原 南昌 南宁 贵阳 长春 兰州 海口 东莞 佛山 温州 常州 徐州 烟台 洛阳 桂林 绍兴 扬州 珠海".split()
COUNTRIES = "美国 英国 法国 德国 日本 韩国 俄罗斯 意大利 西班牙 葡萄牙 荷兰 瑞典 挪威 芬兰 丹麦 波兰 奥地利 瑞士 比利时 希腊 土耳其 埃及 南非 印度 泰国 越南 马来西亚 印度尼西亚 菲律宾 澳大利亚 新西兰 加拿大 墨西哥 巴西 阿根廷 智利 秘鲁 匈牙利 捷克 乌克兰".split()
BANKS = "工商银行 建设银行 农业银行 中国银行 交通银行 招商银行 中信银行 光大银行 民生银行 平安银行 邮储银行 浦发银行 兴业银行".split()
GOODS = "手机 电脑 冰箱 洗衣机 空调 电视 衣服 鞋子 裤子 外套 书包 耳机 充电器 奶粉 尿不湿 面膜 口红 沙发 床垫 热水器 吸尘器 电饭锅 保温杯 自行车 轮胎 茶叶 大米 牛奶 水果 玩具".split()
ISSUES = "打不开 坏了 有异味 少了一件 颜色不对 尺寸不合适 没有发票 一直没有发货 包装破损 跟描述不一样 用了两天就坏了 漏水 充不进去电 声音特别大 按键失灵".split()
PRODUCTS = "信用贷款 抵押贷款 消费贷 经营贷 车贷 房贷 信用卡 理财产品 重疾险 医疗险 意外险 车险 年金险 宽带套餐 流量套餐 会员卡 课程 基金 定期存款 分期业务".split()
TIMES = "今天上午 今天下午 今天晚上 明天上午 明天下午 明天晚上 后天上午 后天下午 这个周末 下个星期一 下个星期三 下个星期五 月底之前 下个月初 三天之内 一个小时以后 半个小时以内".split()
COLOURS = "黑色 白色 红色 蓝色 绿色 黄色 灰色 褐色 紫色 橙色 银色 粉红色".split()
SCHOOLS = "北京大学 清华大学 复旦大学 浙江大学 南京大学 武汉大学 中山大学 四川大学 厦门大学 山东大学 师范学院 医学院 工业大学 农业大学 交通大学".split()
JOBS = "作家 画家 演员 导演 歌手 诗人 记者 律师 医生 教师 工程师 科学家 数学家 物理学家 化学家 历史学家 政治家 外交官 军官 企业家 建筑师 运动员 教练 翻译家 哲学家 音乐家 摄影师 主持人".split()
SPORTS = "足球 篮球 排球 乒乓球 羽毛球 网球 棒球 冰球 橄榄球 手球 水球 曲棍球".split()
POSITIONS = "前锋 中场 后卫 门将 中锋 控球后卫 边锋 守门员".split()
FAMILIES = "菊科 豆科 兰科 蔷薇科 禾本科 百合科 唇形科 毛茛科 杜鹃花科 十字花科 鲤科 犬科 猫科 鹿科 鼠科 鸭科 雀科 蝰蛇科 天牛科 凤蝶科".split()
PLACES = "山坡草地 林下 河边 溪旁 灌丛中 路旁 沼泽 岩石缝隙 山谷 田边 海拔较高的草甸 热带雨林".split()
FIELDS = "文学 历史 哲学 经济学 法学 物理学 化学 生物学 数学 医学 天文学 地理学 心理学 社会学 语言学 建筑学 考古学 计算机科学".split()
DYNASTIES = "唐朝 宋朝 元朝 明朝 清朝 汉朝 隋朝 晋朝 东汉 西汉 南宋 北宋".split()
OFFICES = "知县 知府 巡抚 总督 尚书 侍郎 御史 刺史 太守 将军 节度使 参政 主事 郎中 给事中 布政使".split()


def number(value):
    """An amount below ten million as it is said."""
    if value == 0:
        return "零"
    high, low = divmod(value, 10000)
    text = (below_myriad(high) + "万") if high else ""
    if low:
        text += ("零" if high and low < 1000 else "") + below_myriad(low)
    return text[1:] if text.startswith("一十") else text


def below_myriad(value):
    text, zero = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, value = divmod(value, unit)
        if digit:
            text += ("零" if zero and text else "") + DIGITS[digit] + name
            zero = False
        else:
            zero = True
    return text


class Grammar:
    """Fills the slots of frames."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def slots(self):
        pick, between = self.random.choice, self.random.randint
        return {
            "name": pick(SURNAMES) + pick(TITLES),
            "surname": pick(SURNAMES),
            "province": pick(PROVINCES), "city": pick(CITIES), "city2": pick(CITIES),
            "country": pick(COUNTRIES), "country2": pick(COUNTRIES),
            "bank": pick(BANKS), "goods": pick(GOODS), "issue": pick(ISSUES), "product": pick(PRODUCTS),
            "time": pick(TIMES), "colour": pick(COLOURS), "colour2": pick(COLOURS), "school": pick(SCHOOLS),
            "job": pick(JOBS), "job2": pick(JOBS), "sport": pick(SPORTS), "position": pick(POSITIONS),
            "family": pick(FAMILIES), "place": pick(PLACES), "field": pick(FIELDS), "dynasty": pick(DYNASTIES),
            "office": pick(OFFICES), "office2": pick(OFFICES),
            "yuan": number(pick([between(1, 99) * 10, between(1, 99) * 100, between(1, 60) * 1000, between(101, 9999)])),
            "big": number(between(1, 90) * 10000), "small": number(between(2, 30)), "count": number(between(11, 999)),
            "percent": "百分之" + number(between(1, 99)), "rate": DIGITS[between(1, 9)] + "点" + DIGITS[between(1, 9)],
            "month": number(between(1, 12)), "day": number(between(1, 28)), "digit": DIGITS[between(3, 9)],
            "hour": number(between(7, 22)), "year": "一九" + DIGITS[between(0, 9)] + DIGITS[between(0, 9)],
            "year2": "二零" + DIGITS[between(0, 2)] + DIGITS[between(0, 9)],
            "tail": "".join(pick(DIGITS) for _ in range(4)),
            "phone": "幺" + pick("三五七八九") + "".join(pick(SPOKEN) for _ in range(9)),
            "code": "".join(pick(SPOKEN) for _ in range(6)),
        }

    def fill(self, frame):
        return frame.format(**self.slots())


CALL_FRAMES = """
请问是{name}吗，我是{bank}的客服
{name}您好，您在{bank}申请的{product}已经通过了
我姓{surname}，手机号是{phone}
请您记一下我的电话，{phone}
您的验证码是{code}，请不要告诉别人
尾号{tail}的储蓄卡今天支出{yuan}元
尾号{tail}的信用卡本期账单{yuan}元，还款日是{month}月{day}号
一共是{yuan}块钱，您看可以吗
每个月还{yuan}块，分{small}期
最高可以申请{big}元，利率是{rate}
年化收益率大约{rate}个点，不保本
手续费是{percent}，也就是{yuan}块
{time}有时间吗，我给您送过去
那我{time}再给您打电话
{time}{hour}点以后打给我吧
我想咨询一下{product}怎么办理
你们的{product}怎么收费
我的{product}想退掉，可以吗
我买的{goods}{issue}，要退货
上个星期买的{goods}{issue}，你们管不管
请问{goods}有{colour}的吗
{colour}的{goods}没有货了，{colour2}的要不要
{goods}现在打{digit}折，只要{yuan}块
从{city}到{city2}多少公里
我要从{city}寄一箱{goods}到{city2}
地址是{city}市人民路{count}号，收件人{name}
我在{city}，不在{city2}，你们{time}别送
{month}月{day}号{hour}点的票还有没有
{name}说{time}过来办理
您的订单{month}月{day}号已经发出，预计{time}送到
欠款{yuan}元已经逾期{small}天，请{time}处理
我{time}先还{yuan}块，剩下的{month}月份还
您的保单{month}月{day}号到期，保费{yuan}元
身份证后四位是{tail}，对吗
房间号是{count}，住{small}个晚上，一共{yuan}元
""".split("\n")

PROSE_FRAMES = """
他是{country}{job}，{year}年{month}月{day}日出生于{city}
她是{country}的{job}和{job2}，毕业于{school}
{year}年，他从{school}毕业，获得{field}学士学位
他在{school}讲授{field}，并且担任系主任
{surname}氏是{dynasty}官员，历任{office}、{office2}
{dynasty}末年，他被任命为{office}，不久病死
他原籍{province}{city}，{dynasty}进士，官至{office}
这种植物属于{family}，生长在{place}，花{colour}
该种分布于{province}、{city}等地，常生长于{place}
它是{family}的一种动物，背部{colour}，腹部{colour2}
{country}和{country2}于{year}年建立外交关系
{country}国家{sport}队以{small}比{small}战胜了{country2}队
他是一名{country}{sport}运动员，司职{position}
{year2}年，他加入{country2}的一家{sport}俱乐部，担任{position}
该比赛于{year2}年{month}月{day}日在{country}举行，共有{count}名选手参加
{city}位于{province}的东部，人口约{big}
这座桥全长{count}米，{year}年建成通车
该校创立于{year}年，现有学生{count}人
{year2}年的人口普查显示，该地共有{big}人，占全国的{percent}
{country}的首都是一座历史悠久的城市，面积{count}平方公里
公司总部设在{city}，{year2}年的收入为{yuan}万元
这部电影于{year2}年{month}月{day}日在{country}上映
该专辑在{country}的排行榜上获得第{small}名
这颗小行星是{year}年由{country}{job}发现的
战争爆发以后，{country}宣布支持{country2}
他翻译了{country}{job}的许多{field}著作
{year}年{month}月，{country}总理访问了{country2}
铁路从{city}经过{city2}，全长{count}公里
""".split("\n")


def written():
    """The text of each file by its name."""
    grammar = Grammar(20261121)
    lines = []
    for frames, repeats in ((CALL_FRAMES, 28), (PROSE_FRAMES, 28)):
        for frame in filter(None, frames):
            lines += [grammar.fill(frame) for _ in range(repeats)]
    packs = pathlib.Path(__file__).parents[2] / "packs"
    tests = [path.read_text(encoding="utf-8") for path in sorted(packs.glob("*.tests.yaml"))]
    said = [text for page in tests for text in re.findall(r'text: "([^"]+)"', page)]
    rules = [text for text in said if re.fullmatch(r"[\u4e00-\u9fff，。？！；：、]{4,}", text)]
    return {name: "\n".join(dict.fromkeys(texts)) + "\n" for name, texts in (("generated.txt", lines), ("rules.txt", rules))}


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--check", action="store_true", help="write nothing; fail where the files are not what would be written")
    is_checked = arguments.parse_args().check
    corpus = pathlib.Path(__file__).parent / "corpus"
    for name, text in written().items():
        path = corpus / name
        if not is_checked:
            path.write_text(text, encoding="utf-8")
        elif path.read_text(encoding="utf-8") != text:
            sys.exit(f"error: {path} is not what this script writes\nhint: run python3 models/lm/generate.py and commit it")


if __name__ == "__main__":
    main()
