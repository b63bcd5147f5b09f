//! Phrases that give sentences away. `..` stands for up to six other letters; spaces do not count.

/// What a phrase tells of its sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Greeting and name: no reason yet.
    Greeting,
    /// The call is recorded: no reason either.
    Notice,
    /// Why an agent calls.
    Purpose,
    /// What a customer wants or lacks.
    Problem,
    /// What a customer may want, where nothing else is said.
    Wish,
    /// The speaker binds himself or his side.
    Commit,
    /// The speaker gives his word: binding without any action.
    Pledge,
    /// What is done for the other.
    Action,
    /// What is paid, or otherwise done by customers.
    Payment,
    /// By when.
    Deadline,
    /// The other is asked to do it: no promise.
    Request,
    /// What happens otherwise: a threat, no promise.
    Threat,
    /// What a customer answers in the end.
    Verdict,
    /// What was done.
    Done,
    /// Thanks and goodbye.
    Farewell,
}

impl Role {
    /// Whether a "no" right before the phrase makes it none.
    pub(super) const fn minds_negation(self) -> bool {
        matches!(
            self,
            Self::Purpose
                | Self::Wish
                | Self::Commit
                | Self::Pledge
                | Self::Action
                | Self::Payment
        )
    }
}

/// All phrases, by role.
pub(super) const PHRASES: &[(Role, &[&str])] = &[
    (
        Role::Greeting,
        &[
            "您好", "你好", "喂", "早上好", "上午好", "下午好", "晚上好", "我是", "这里是", "我这边是", "我叫", "我姓", "工号",
            "请问是", "请问您是", "打扰您", "方便吗", "方便接", "什么事", "哪位", "你是谁", "哪里",
            "hello", "hi", "good morning", "good afternoon", "good evening", "my name is", "this is", "speaking",
            "how are you", "who is this", "am i speaking", "how can i help", "how may i help",
        ],
    ),
    (
        Role::Notice,
        &["录音", "recorded", "recording", "quality and training"],
    ),
    (
        Role::Purpose,
        &[
            "给您介绍", "跟您介绍", "向您介绍", "为您介绍", "介绍一下", "给您推荐", "向您推荐", "推荐一款", "推荐一个",
            "来电是", "打电话是", "打给您是", "打这个电话", "这次来电", "致电", "想跟您", "想和您", "跟您说一下", "跟您说说",
            "通知您", "通知你", "提醒您", "跟您确认", "跟您核实", "跟您核对", "核实一下", "核对一下", "回访", "满意度", "调查一下", "做个调查",
            "关于您", "有一个新", "有个新", "有一款", "有一种", "有个产品", "新产品", "推出", "活动", "优惠", "有一笔", "欠款", "逾期", "欠费",
            "还款", "没有还", "还没还", "没有付", "还没付", "没交钱", "没有交", "为什么不交", "为什么没交", "不交钱", "欠的", "你借的", "您借的",
            "到期", "续费", "续保", "账单", "您申请的", "您的订单", "您的快递", "您的包裹", "您买的", "您订的", "您在我们", "您上个月", "您上次", "您..申请的", "您..买的", "您..买过的", "您..咨询过", "您..预约", "给您推荐的", "出了..问题", "用不了", "送您一", "送你一", "欠了",
            "我们是做", "可以借", "额度", "邀请您", "请您参加", "跟我买", "赚钱的机会", "机会想", "投资机会", "有人用了你的", "涉嫌",
            "记录有..问题", "账户..异常", "账号..异常", "体检", "试听", "试用", "课..结束", "体验课",
            "calling about", "calling to", "calling because", "calling regarding", "calling from..about", "call is about",
            "reason for my call", "reason i am calling", "reason im calling", "let you know", "we are offering", "we have a new",
            "special offer", "remind you", "follow up", "following up", "your account", "your order", "your application",
            "your policy", "your loan", "overdue", "past due", "payment due", "outstanding balance", "renew", "survey",
        ],
    ),
    (
        Role::Problem,
        &[
            "想问", "问一下", "咨询", "了解一下", "我申请的", "帮我", "坏了", "出问题", "有问题", "出故障", "没有声音", "没声音", "没收到", "没有收到", "收不到",
            "打不开", "用不了", "不能用", "登不上", "登录不了", "上不去", "断了", "连不上", "退货", "退款", "退钱", "想退", "要退", "退掉", "退订", "投诉",
            "举报", "怎么办呢", "怎么回事", "办到哪", "到哪一步", "进度", "怎么样了", "不满意", "修理过", "维修", "修一下", "换货", "换一个", "取消订单", "取消预约", "改签", "挂失", "开通", "报修", "预约", "被骗", "盗刷",
            "扣了", "多收", "乱扣", "破了", "破的", "假的", "漏水", "没到货", "没发货", "还没到", "还没发", "什么时候到", "查一下", "忘记密码", "丢了",
            "i have a question", "a problem", "an issue", "not working", "doesnt work", "does not work", "stopped working", "broken",
            "refund", "return it", "send it back", "cancel", "complain", "complaint", "how do i", "can you help", "i need help",
            "havent received", "have not received", "never arrived", "hasnt arrived", "has not arrived", "charged twice", "was charged",
            "overcharged", "wrong", "i lost", "i forgot", "id like to", "i would like to", "i want to ask", "trouble",
        ],
    ),
    (
        Role::Wish,
        &["我想", "我要", "想借", "想办", "想买", "想退", "想取消", "想申请", "想换", "想订", "想查", "想报", "能不能", "可不可以", "i want", "i need", "can you", "could you"],
    ),
    (
        Role::Commit,
        &[
            "我会", "我们会", "会给您", "会给你", "会打给", "会联系", "会跟您", "会帮您", "会为您", "会安排", "会处理", "我来", "我给您", "我给你", "我帮您", "我帮你",
            "我替您", "我为您", "给您", "帮您", "替您", "为您", "这边会", "我这边", "我就", "我马上", "马上", "立刻", "立即", "尽快", "我一定", "一定会", "一定", "肯定", "不会再",
            "经理会", "师傅会", "同事会", "专员会", "老师会", "系统会", "公司会", "客服会", "人员会", "再给您", "再联系", "再打给", "现在就",
            "i will", "ill", "we will", "well", "someone will", "they will", "theyll", "he will", "she will", "let me", "going to",
            "you will", "youll", "my manager will", "right away", "immediately", "as soon as",
        ],
    ),
    (
        Role::Pledge,
        &[
            "我保证", "我向您保证", "我可以保证", "我能保证", "都能保证", "可以保证", "向您承诺", "我承诺", "我们承诺", "说到做到", "打包票", "包在我身上", "我担保", "拍胸脯",
            "i promise", "we promise", "i guarantee", "we guarantee", "you have my word", "i give you my word", "i assure you",
        ],
    ),
    (
        Role::Action,
        &[
            "联系您", "联系你", "跟您联系", "和您联系", "与您联系", "联系他", "回电", "给您..电话", "给你..电话", "给您打", "给你打", "打给您", "打给你", "打过来", "打过去", "回复您", "回复你", "答复",
            "发给您", "发给你", "发您", "给您发", "发短信", "发到您", "寄给", "寄到", "寄出", "发货", "送到", "送货", "送您", "送你", "配送", "上门", "安排", "处理", "解决", "记录", "登记", "反馈", "反映",
            "转告", "转接", "转达", "核实", "跟进", "取消您", "取消你", "取消掉", "办好", "办理", "办完", "帮您办", "给您办", "开通", "修好", "维修", "查清楚", "换新", "换一", "更换", "补发", "补上", "补偿", "赔偿", "赔付",
            "退给", "退回", "退款", "退到", "退钱", "退您", "减免", "到账", "到帐", "转给您", "打到您", "申请", "通过", "批准", "批下来",
            "联系我们", "打扰您", "不会再打", "不会再联系",
            "call you", "call back", "call him", "get back to", "contact you", "email", "text you", "send", "sent", "refund", "credit",
            "ship", "deliver", "receive", "arrive", "fix", "resolve", "arrange", "schedule", "book", "cancel", "update",
            "escalate", "follow up", "replace", "take care of", "remove you", "look into",
        ],
    ),
    (
        Role::Payment,
        &[
            "还款", "还钱", "还上", "还清", "还给你", "还给您", "会还", "一定还", "再还", "先还", "就还", "付款", "付清", "付钱", "会付", "一定付", "就付", "交钱", "交费", "缴费", "会交", "一定交", "就交", "交上", "转过去", "转账", "汇款", "打过去", "存进去",
            "过来签", "过去签", "过去办", "过来办", "去办", "去签", "签合同", "天合同", "去看看", "过来看",
            "pay", "paid", "transfer", "sign", "come in", "come by",
        ],
    ),
    (
        Role::Deadline,
        &[
            "今天", "今晚", "明天", "明早", "明晚", "后天", "下周", "下个星期", "下星期", "下礼拜", "下个礼拜", "本周", "这周", "周末", "周一", "周二", "周三", "周四", "周五", "周六", "周日", "星期一", "星期二",
            "星期三", "星期四", "星期五", "星期六", "星期天", "星期日", "礼拜一", "礼拜二", "礼拜三", "礼拜四", "礼拜五", "礼拜六", "礼拜天", "下个月", "下月", "月底", "月初", "年底", "上午", "下午", "晚上", "中午", "早上", "点之前", "点前", "之前", "以内", "之内", "天内", "小时内", "分钟内",
            "工作日", "小时后", "小时以后", "分钟后", "天后", "天以后", "发了工资", "发工资", "号之前", "号还", "号前", "马上", "立刻", "立即", "尽快", "半天", "待会", "一会儿", "稍后", "回头", "到时候",
            "today", "tonight", "tomorrow", "next week", "next month", "this week", "this afternoon", "this morning", "this evening",
            "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "within", "by the end", "business days",
            "hours", "shortly", "right away", "immediately", "as soon as", "in a minute", "in a moment", "end of the month",
        ],
    ),
    (
        Role::Request,
        &[
            "请您", "请你", "麻烦您", "麻烦你", "你再打", "您再打", "你..打过来", "您..打过来", "你..再打", "您..再打", "你..打来", "你..联系我", "您..联系我", "给我回", "给我打", "打给我", "联系我", "你给我", "您给我", "你帮我", "您帮我", "帮我", "你们要", "让你们", "叫你们", "您可以", "你可以", "能不能", "可不可以", "您需要", "你需要", "您要不", "要不您",
            "can you", "could you", "would you", "please", "will you", "you need to", "you have to", "call me",
        ],
    ),
    (
        Role::Threat,
        &[
            "否则", "要不然", "不然", "不还", "不交", "再不", "不配合", "不付", "起诉", "法院", "报警", "抓你", "抓走", "带走", "上征信", "拉黑", "后果", "坐牢", "你老板", "你家人", "你父母", "你同事", "你领导", "别怪",
            "or else", "otherwise", "police", "lawsuit", "sue", "arrest",
        ],
    ),
    (
        Role::Verdict,
        &[
            "不用了", "不需要", "不要", "不买", "不办", "不学了", "不想", "不换", "不做", "不投", "没兴趣", "没有兴趣", "算了", "不考虑", "不放心", "不同意", "别再打", "不会告诉", "不可能", "投诉", "报警", "告你", "告诉别人",
            "我买", "我办", "我要办", "我要买", "我要订", "想买", "可以办", "给我办", "那就办", "那就买", "帮我办", "我订", "我同意", "感兴趣", "有兴趣", "不错", "好吧", "行吧", "那行", "那好", "就这样", "没问题", "考虑", "想一想", "想想", "商量", "再说", "可以的", "试试", "再打",
            "not interested", "no thanks", "no thank you", "dont call", "do not call", "i dont want", "i dont need", "not now", "maybe later",
            "think about it", "sounds good", "thats fine", "that works", "ill take", "sign me up", "go ahead", "i agree", "i will take", "complain", "call me",
            "no problem", "perfect", "great",
        ],
    ),
    (
        Role::Done,
        &[
            "已经..退", "已经..办", "已经..登记", "已经..取消", "已经..处理", "已经..提交", "已经..安排", "已经..开通", "已经..寄", "已经..发", "已经..修", "已经..恢复", "办好了", "处理好了", "取消了", "退了", "登记好了", "记录好了", "查到了", "开通了", "修好了", "解决了", "提交了", "安排好了",
            "have been", "has been", "is done", "all set", "already",
        ],
    ),
    (
        Role::Farewell,
        &[
            "再见", "拜拜", "谢谢", "多谢", "不客气", "打扰了", "打扰您了", "祝您", "祝你", "愉快", "慢走", "辛苦了", "不好意思", "对不起", "好的", "嗯", "没关系",
            "goodbye", "good bye", "bye", "thank you", "thanks", "have a nice", "have a good", "have a great", "take care", "youre welcome", "you too",
        ],
    ),
];
