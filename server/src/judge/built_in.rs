//! Packs and score cards that the program carries with it.

/// A pack or card that the program carries with it.
pub(crate) struct BuiltIn {
    pub(crate) name: &'static str,
    pub(crate) language: &'static str,
    pub(crate) text: &'static str,
    /// Its tests; empty for what has none.
    pub(crate) tests: &'static str,
}

macro_rules! pack {
    ($name:literal, $language:literal) => {
        BuiltIn {
            name: $name,
            language: $language,
            text: include_str!(concat!("../../../packs/", $name, ".yaml")),
            tests: include_str!(concat!("../../../packs/", $name, ".tests.yaml")),
        }
    };
}

macro_rules! card {
    ($name:literal, $language:literal) => {
        BuiltIn {
            name: $name,
            language: $language,
            text: include_str!(concat!("../../../packs/cards/", $name, ".yaml")),
            tests: "",
        }
    };
}

/// Rule packs, the first of each language being the one calls get where nothing is configured.
pub(crate) const PACKS: &[BuiltIn] = &[
    pack!("zh-telemarketing", "zh"),
    pack!("zh-finance", "zh"),
    pack!("zh-collection", "zh"),
    pack!("zh-ecommerce-dunning", "zh"),
    pack!("zh-education", "zh"),
    pack!("en-service", "en"),
];

/// Score cards, in the same way.
pub(crate) const CARDS: &[BuiltIn] = &[card!("zh-telemarketing", "zh"), card!("en-service", "en")];
