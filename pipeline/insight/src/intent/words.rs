//! English cut into words, and what forms of a word have in common.

/// The words of `text` in lower case, contractions written out: `don't` is two words, whether a recogniser wrote
/// it `don't`, `dont` or `don t`; numbers in digits are the word `#`.
pub(super) fn words_of(text: &str, mut take: impl FnMut(&str)) {
    // `n't` alone has no word before its ending.
    let mut take = |word: &str| {
        if !word.is_empty() {
            take(word);
        }
    };
    for word in joined(text) {
        if word.bytes().all(|byte| byte.is_ascii_digit()) {
            take("#");
            continue;
        }
        let whole = WRITTEN_OUT.iter().find(|(short, _)| *short == word);
        if let Some((_, long)) = whole {
            long.split(' ').for_each(&mut take);
            continue;
        }
        let Some((base, ending)) = word.split_once('\'') else {
            take(&word);
            continue;
        };
        match ending {
            "ll" => [base, "will"].iter().for_each(|word| take(word)),
            "re" => [base, "are"].iter().for_each(|word| take(word)),
            "ve" => [base, "have"].iter().for_each(|word| take(word)),
            "m" => [base, "am"].iter().for_each(|word| take(word)),
            "d" => [base, "would"].iter().for_each(|word| take(word)),
            "t" => [base.strip_suffix('n').unwrap_or(base), "not"]
                .iter()
                .for_each(|word| take(word)),
            "s" if TAKE_IS.contains(&base) => [base, "is"].iter().for_each(|word| take(word)),
            "" | "s" => take(base),
            _ => take(&word.replace('\'', "")),
        }
    }
}

/// Words that have other words inside, as they are said and as recognisers write them; with and without their
/// apostrophes where nothing else is spelled so.
const WRITTEN_OUT: [(&str, &str); 63] = [
    ("ain't", "is not"),
    ("aint", "is not"),
    ("alot", "a lot"),
    ("arent", "are not"),
    ("can't", "can not"),
    ("cannot", "can not"),
    ("cant", "can not"),
    ("couldnt", "could not"),
    ("didnt", "did not"),
    ("doesnt", "does not"),
    ("dont", "do not"),
    ("dunno", "do not know"),
    ("gimme", "give me"),
    ("gonna", "going to"),
    ("gotta", "got to"),
    ("hadnt", "had not"),
    ("hasnt", "has not"),
    ("havent", "have not"),
    ("heres", "here is"),
    ("hes", "he is"),
    ("i'd", "i would"),
    ("ill", "i will"),
    ("im", "i am"),
    ("innit", "is it not"),
    ("isnt", "is not"),
    ("itll", "it will"),
    ("its", "it is"),
    ("ive", "i have"),
    ("kinda", "kind of"),
    ("lemme", "let me"),
    ("lets", "let us"),
    ("let's", "let us"),
    ("mustnt", "must not"),
    ("neednt", "need not"),
    ("ok", "okay"),
    ("outta", "out of"),
    ("shan't", "will not"),
    ("shant", "will not"),
    ("shes", "she is"),
    ("shouldnt", "should not"),
    ("thatll", "that will"),
    ("thats", "that is"),
    ("theres", "there is"),
    ("theyll", "they will"),
    ("theyre", "they are"),
    ("theyve", "they have"),
    ("u", "you"),
    ("wanna", "want to"),
    ("wasnt", "was not"),
    ("werent", "were not"),
    ("weve", "we have"),
    ("whats", "what is"),
    ("wheres", "where is"),
    ("whos", "who is"),
    ("won't", "will not"),
    ("wont", "will not"),
    ("wouldnt", "would not"),
    ("y'all", "you all"),
    ("ya", "you"),
    ("yall", "you all"),
    ("youll", "you will"),
    ("youre", "you are"),
    ("youve", "you have"),
];

/// After these `'s` is a word; after others it tells whose something is.
const TAKE_IS: [&str; 12] = [
    "he", "here", "how", "it", "she", "that", "there", "this", "what", "when", "where", "who",
];

/// What contractions end in; recognisers may set it apart.
const ENDINGS: [&str; 6] = ["t", "s", "re", "ll", "ve", "m"];

/// Words with their apostrophes, the endings of contractions at their words.
fn joined(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let is_inside = |letter: char| letter.is_alphanumeric() || is_apostrophe(letter);
    for part in text.split(|letter| !is_inside(letter)) {
        let word: String = part
            .trim_matches(is_apostrophe)
            .chars()
            .flat_map(char::to_lowercase)
            .map(|letter| if is_apostrophe(letter) { '\'' } else { letter })
            .collect();
        match words.last_mut() {
            Some(before) if is_ending(&word, before) => {
                before.push('\'');
                before.push_str(&word);
            }
            _ if word.is_empty() => {}
            _ => words.push(word),
        }
    }
    words
}

fn is_ending(word: &str, before: &str) -> bool {
    let may_be_denied = word != "t" || before.ends_with('n');
    ENDINGS.contains(&word) && may_be_denied && !before.contains('\'')
}

const fn is_apostrophe(letter: char) -> bool {
    matches!(letter, '\'' | '’' | 'ʼ')
}

/// What the forms of a word have in common: `called`, `calls` and `calling` are one. It need not be a word, and
/// doubled letters at its end are one.
pub(super) fn stem(word: &str) -> String {
    if let Some((_, base)) = IRREGULAR.iter().find(|(form, _)| *form == word) {
        return stem(base);
    }
    if !word.is_ascii() || word.len() <= 3 {
        return word.to_owned();
    }
    let mut stem = without_ending(word).to_owned();
    if let Some(base) = stem.strip_suffix("our").filter(|base| base.len() >= 3) {
        stem = format!("{base}or");
    }
    let bytes = stem.as_bytes();
    if let [.., before, last] = bytes
        && before == last
        && bytes.len() > 3
    {
        stem.pop();
    }
    match stem.strip_suffix("iz") {
        Some(base) => format!("{base}is"),
        None => stem
            .strip_suffix('i')
            .map_or_else(|| stem.clone(), |base| format!("{base}y")),
    }
}

fn without_ending(word: &str) -> &str {
    let has_vowel = |base: &&str| base.len() >= 3 && base.contains(['a', 'e', 'i', 'o', 'u', 'y']);
    let cut = |ending: &str| word.strip_suffix(ending).filter(has_vowel);
    if let Some(base) = cut("ing").or_else(|| cut("ed")) {
        return without_e(base);
    }
    if let Some(base) = cut("ies") {
        return &word[..base.len() + 1];
    }
    let singular = match word.ends_with("ss") || word.ends_with("us") || word.ends_with("is") {
        true => word,
        false => word.strip_suffix('s').unwrap_or(word),
    };
    without_e(singular)
}

/// `guarantee` and `guaranteed` have one stem; three letters stay.
fn without_e(mut word: &str) -> &str {
    while let Some(base) = word.strip_suffix('e').filter(|base| base.len() >= 3) {
        word = base;
    }
    word
}

/// Forms that do not follow from their words.
const IRREGULAR: [(&str, &str); 46] = [
    ("am", "be"),
    ("are", "be"),
    ("been", "be"),
    ("being", "be"),
    ("bought", "buy"),
    ("came", "come"),
    ("did", "do"),
    ("does", "do"),
    ("doing", "do"),
    ("done", "do"),
    ("gave", "give"),
    ("given", "give"),
    ("goes", "go"),
    ("going", "go"),
    ("gone", "go"),
    ("got", "get"),
    ("gotten", "get"),
    ("had", "have"),
    ("has", "have"),
    ("heard", "hear"),
    ("is", "be"),
    ("kept", "keep"),
    ("left", "leave"),
    ("lost", "lose"),
    ("made", "make"),
    ("paid", "pay"),
    ("ran", "run"),
    ("rang", "ring"),
    ("rung", "ring"),
    ("said", "say"),
    ("sent", "send"),
    ("sold", "sell"),
    ("spent", "spend"),
    ("spoke", "speak"),
    ("spoken", "speak"),
    ("stole", "steal"),
    ("stolen", "steal"),
    ("taken", "take"),
    ("thought", "think"),
    ("told", "tell"),
    ("took", "take"),
    ("was", "be"),
    ("went", "go"),
    ("were", "be"),
    ("won", "win"),
    ("wrote", "write"),
];

/// The consonants of a word: vowels are what recognisers mistake, and doubled letters sound as one.
pub(super) fn skeleton(word: &str) -> String {
    let mut bones = String::with_capacity(word.len());
    for (place, letter) in word.chars().enumerate() {
        let letter = match letter {
            'a' | 'e' | 'i' | 'o' | 'u' | 'y' | 'w' | 'h' if place > 0 => continue,
            'a' | 'e' | 'i' | 'o' | 'u' => 'a',
            'q' => 'k',
            'c' | 'z' => 's',
            other => other,
        };
        if !bones.ends_with(letter) {
            bones.push(letter);
        }
    }
    bones
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn contractions_are_written_out() {
        let check = |text: &str, expected: &str| {
            let mut words = Vec::new();
            words_of(text, |word| words.push(word.to_owned()));
            assert_eq!(words.join(" "), expected, "{text}");
        };
        for text in [
            "I don't care",
            "i dont care",
            "I don t care",
            "i don’t care",
        ] {
            check(text, "i do not care");
        }
        check("we'll see, they're late", "we will see they are late");
        check("That's the customer's card", "that is the customer card");
        check(
            "you won't, can't and cannot",
            "you will not can not and can not",
        );
        check("I'm gonna call 911 ok", "i am going to call # okay");
        check("'twas rock 'n' roll", "twas rock n roll");
        check("… — 你好", "你好");
        check("n't and n t", "not and not");
    }

    #[test]
    fn forms_of_a_word_are_one() {
        let check = |forms: &str| {
            let stems: Vec<String> = forms.split(' ').map(stem).collect();
            assert!(stems.iter().all(|one| *one == stems[0]), "{stems:?}");
        };
        check("call calls called calling");
        check("cancel cancels cancelled canceled cancelling");
        check("charge charges charged charging");
        check("company companies");
        check("guarantee guarantees guaranteed guaranteeing");
        check("fee fees");
        check("stop stops stopped stopping");
        check("authorise authorize authorised authorizing");
        check("tell told tells telling");
        check("try tries tried trying");
        check("neighbour neighbor neighbours");
        assert_ne!(stem("thing"), stem("the"));
        assert_ne!(stem("need"), stem("no"));
    }

    #[test]
    fn words_that_sound_alike_have_the_same_bones() {
        for (one, other) in [("call", "coal"), ("sale", "sell"), ("prize", "price")] {
            assert_eq!(skeleton(one), skeleton(other), "{one}");
        }
        assert_ne!(skeleton("pay"), skeleton("bay"));
    }

    proptest! {
        #[test]
        fn any_text_has_words(text in ".{0,40}|[a-z' ]{0,40}") {
            words_of(&text, |word| {
                let _ = (stem(word), skeleton(word));
                assert!(!word.is_empty());
            });
        }
    }
}
