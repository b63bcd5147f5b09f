//! The languages that text classifiers are taught.

use super::classes::WordClasses;
use super::model::IntentModel;

/// What the sentences of a classifier are written in: how they are cut into tokens, what those are made into, and
/// which word classes and model Auricle brings with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Language {
    /// Hanzi and their sounds.
    #[default]
    Mandarin,
    /// Words and their stems.
    English,
}

impl Language {
    /// All there are.
    pub const ALL: [Self; 2] = [Self::Mandarin, Self::English];

    /// Of a language tag (BCP 47), as packs have one: `en`, `en-GB` …; Mandarin where it is another or none.
    pub fn of_tag(tag: &str) -> Self {
        match tag.split(['-', '_']).next() {
            Some(main) if main.eq_ignore_ascii_case("en") => Self::English,
            _ => Self::Mandarin,
        }
    }

    /// What most of these texts are in, by their letters.
    pub fn of_texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let (mut n_latin, mut n_hanzi) = (0_usize, 0_usize);
        for letter in texts.into_iter().flat_map(str::chars) {
            n_latin += usize::from(letter.is_ascii_alphabetic());
            n_hanzi += usize::from(('\u{4e00}'..='\u{9fff}').contains(&letter));
        }
        // A hanzi says about as much as three letters.
        match n_latin > 3 * n_hanzi {
            true => Self::English,
            false => Self::Mandarin,
        }
    }

    /// The model for calls in this language that Auricle brings with it.
    pub fn model(self) -> &'static IntentModel {
        IntentModel::default_of(self)
    }

    /// The word classes that Auricle brings with it.
    pub fn word_classes(self) -> &'static WordClasses {
        WordClasses::default_of(self)
    }

    /// The number that model files tell features by: models made with other features cannot be used.
    pub(super) const fn features_version(self) -> u16 {
        match self {
            Self::Mandarin => 1,
            Self::English => 2,
        }
    }

    /// Whose features have this number.
    pub(super) fn of_features(version: u16) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|language| language.features_version() == version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_letters_tell_languages() {
        for (tag, expected) in [
            ("en", Language::English),
            ("en-GB", Language::English),
            ("EN_in", Language::English),
            ("zh", Language::Mandarin),
            ("", Language::Mandarin),
        ] {
            assert_eq!(Language::of_tag(tag), expected, "{tag}");
        }
        let of = |text| Language::of_texts([text]);
        assert_eq!(of("please don't call me again"), Language::English);
        assert_eq!(of("我的OK绷呢"), Language::Mandarin);
        assert_eq!(of(""), Language::Mandarin);
    }

    #[test]
    fn each_language_has_a_model_of_its_own() {
        for language in Language::ALL {
            let model = language.model();
            assert_eq!(model.language(), language);
            assert!(model.labels(auricle_contracts::Party::Customer).count() > 10);
            let version = language.features_version();
            assert_eq!(Language::of_features(version), Some(language));
        }
    }
}
