//! `[live.digits]`.

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::exit::usage;
use crate::judge::Judges;

/// `[live.digits]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DigitsConfig {
    /// What is kept of a key that is pressed: `masked`, when and by whom; `clear`, which one, too; `none`, nothing.
    pub(crate) keep: Keep,
    /// Rules, `ID` or `PACK/ID`. With `keep = "clear"`, keys are masked from 10 s before each of their hits to 120 s behind it.
    #[schemars(example = [&"asks_for_card"])]
    pub(crate) mask_by_rules: Vec<String>,
}

/// What is kept of a key that is pressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Keep {
    /// When it was and by whom, and not which.
    #[default]
    Masked,
    /// Which one it was, too.
    Clear,
    /// Nothing.
    None,
}

impl DigitsConfig {
    /// Whether every rule that masks is in a pack that is loaded: one that is misspelt would mask nothing.
    ///
    /// # Errors
    /// Names a rule that is in none.
    pub(crate) fn check(&self, judges: &Judges) -> Result<()> {
        let mut rules = self.mask_by_rules.iter();
        match rules.find(|rule| !judges.has_rule(rule)) {
            None => Ok(()),
            Some(rule) => Err(usage(format!(
                "`live.digits.mask_by_rules`: no pack that is loaded has the rule `{rule}`\nhint: `auricle rules show PACK` lists rules; `PACK/ID` is that of one pack"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn a_rule_that_nobody_has_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let judges = Judges::load(&testing::config(folder.path())).unwrap();
        let check = |rules: &[&str]| {
            let config = DigitsConfig {
                keep: Keep::Clear,
                mask_by_rules: rules.iter().map(|rule| (*rule).to_owned()).collect(),
            };
            let checked = config.check(&judges);
            checked.map_err(|error| error.to_string())
        };
        assert_eq!(check(&[]), Ok(()));
        let known = ["secret_request", "zh-telemarketing/secret_request"];
        assert_eq!(check(&known), Ok(()));
        let error = check(&["secret_request", "secret_requests"]).unwrap_err();
        assert!(error.contains("the rule `secret_requests`"), "{error}");
    }

    #[test]
    fn keys_are_masked_unless_somebody_says_otherwise() {
        let read = |text: &str| toml::from_str::<DigitsConfig>(text).unwrap();
        assert_eq!(read("").keep, Keep::Masked);
        assert_eq!(read("keep = 'clear'").keep, Keep::Clear);
        assert_eq!(read("keep = 'none'").keep, Keep::None);
        assert!(toml::from_str::<DigitsConfig>("keep = 'all'").is_err());
    }
}
