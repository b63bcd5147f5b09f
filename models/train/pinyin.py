"""Mandarin syllables and the tokens of the recogniser: an initial, then a final with its tone mark.

The spelling is that of the zipformer's token table (`models/src/decoding/tokens.rs` tells it by `zh` and
`ǎo`): pinyin without the apostrophe, cut behind the initial, `w` and `y` taken as initials, `ü` written only
where pinyin writes it (`nǚ`, but `jū`). A syllable is kept as `SPELLING + TONE`, with `v` for `ü` and 5 for the neutral
tone: `lv4`, `ma5`.
"""

from __future__ import annotations

import re
import unicodedata

INITIALS = "b p m f d t n l g k h j q x zh ch sh r z c s y w".split()
FINALS = (
    "a o e ai ei ao ou an en ang eng ong er i ia ie iao iu ian in iang ing iong u ua uo uai ui uan un uang ue v ve"
).split()
BLANK = "<blk>"
_MARKS = {1: "\u0304", 2: "\u0301", 3: "\u030c", 4: "\u0300", 5: ""}
_TONES = {mark: tone for tone, mark in _MARKS.items() if mark}
_SYLLABLE = re.compile(r"(zh|ch|sh|[bpmfdtnlgkhjqxrzcsyw])?([aoeiuv][a-z]*)([1-5])")
#: Readings that dictionaries give in ways of their own.
_ODD = {"n": "en", "ng": "en", "hm": "hen", "hng": "heng", "m": "mu", "ê": "ei"}


def toned_final(final: str, tone: int) -> str:
    """A final in token spelling: `("ao", 3)` → `ǎo`. The mark stands on a, o or e, else on the last vowel."""
    at = next((final.index(vowel) for vowel in "aoe" if vowel in final), None)
    if at is None:
        at = max(index for index, letter in enumerate(final) if letter in "iuv")
    letters = ["ü" if letter == "v" else letter for letter in final]
    letters[at] = unicodedata.normalize("NFC", letters[at] + _MARKS[tone])
    return "".join(letters)


def token_table() -> list[str]:
    """All tokens; the place in the list is the token's number, the blank is 0."""
    finals = [toned_final(final, tone) for final in FINALS for tone in (1, 2, 3, 4, 5)]
    return [BLANK, *INITIALS, *finals]


def split(syllable: str) -> tuple[str, str, int] | None:
    """Initial (may be empty), final and tone of `zhuang1`; none where it is no Mandarin syllable of the table."""
    found = _SYLLABLE.fullmatch(syllable)
    if not found or found[2] not in FINALS:
        return None
    return found[1] or "", found[2], int(found[3])


def tokens_of(syllable: str) -> list[str] | None:
    """Token texts of a syllable: `zhuang1` → `["zh", "uāng"]`, `er2` → `["ér"]`."""
    parts = split(syllable)
    if parts is None:
        return None
    initial, final, tone = parts
    return ([initial] if initial else []) + [toned_final(final, tone)]


def syllables_of(tokens: list[str]) -> list[str]:
    """Syllables that a row of tokens spells, legal or not; an initial without a final is dropped."""
    syllables: list[str] = []
    initial = ""
    for token in tokens:
        if token in INITIALS:
            initial = token
            continue
        syllables.append(initial + toneless(token) + str(tone_of(token)))
        initial = ""
    return syllables


def tone_of(final: str) -> int:
    """Tone of a final in token spelling, 5 where it has no mark."""
    letters = unicodedata.normalize("NFD", final)
    return next((_TONES[letter] for letter in letters if letter in _TONES), 5)


def toneless(final: str) -> str:
    """A final in token spelling without its mark, `v` for `ü`."""
    letters = unicodedata.normalize("NFD", final)
    bare = "".join(letter for letter in letters if letter not in _TONES)
    return unicodedata.normalize("NFC", bare).replace("ü", "v")


def normalise(syllable: str) -> str:
    """A dictionary's syllable as this recipe writes it: `ü` as `v`, `jv` as `ju`, interjections by their nearest
    whole syllable, no tone as 5."""
    syllable = syllable.strip("_").replace("ü", "v").replace("u:", "v").lower()
    if not syllable[-1:].isdigit():
        syllable += "5"
    bare, tone = syllable[:-1], syllable[-1].replace("0", "5")
    bare = _ODD.get(bare, bare)
    if re.match(r"[jqxy]v", bare):
        bare = bare.replace("v", "u")
    return bare + tone


def read_aloud(hanzi: str) -> list[str]:
    """Dictionary syllables of a text, one a hanzi, others left out. Labels are dictionary tones: no
    sandhi of third tones, but in what pypinyin's dictionary has as a phrase 不 and 一 mostly have the tones that are
    spoken there (不是 `bu2 shi4`, 一定 `yi2 ding4`; 不去 `bu4 qu4`, 一样 `yi1 yang4`)."""
    from pypinyin import Style, lazy_pinyin

    text = re.sub(r"[^\u4e00-\u9fff]", "", hanzi)
    raw = lazy_pinyin(text, style=Style.TONE3, neutral_tone_with_five=True, errors="ignore")
    return [normalise(syllable) for syllable in raw]


def sandhi(hanzi: str, syllables: list[str]) -> list[str]:
    """Tones as they are spoken: third before third becomes second (pair by pair from the right), 不 and 一 change
    before the tone that follows. `hanzi` may be empty where only syllables are known."""
    spoken = list(syllables)
    chars = hanzi if len(hanzi) == len(spoken) else " " * len(spoken)
    for at in range(len(spoken) - 2, -1, -1):
        follows = spoken[at + 1][-1]
        if chars[at] == "不" and follows == "4":
            spoken[at] = "bu2"
        elif chars[at] == "一" and follows in "1234":
            spoken[at] = "yi2" if follows == "4" else "yi4"
        elif spoken[at][-1] == "3" and follows == "3":
            spoken[at] = spoken[at][:-1] + "2"
    return spoken


def zhuyin(bare: str) -> str:
    """A syllable without its tone in zhuyin letters, `zhuang` → `ㄓㄨㄤ`."""
    from pypinyin.style.bopomofo import BopomofoConverter

    return BopomofoConverter().to_bopomofo(bare + "1")
