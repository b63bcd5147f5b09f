//! What calls are assessed with: packs, score cards and models, by campaign and language.

mod built_in;
mod doubts;
mod seat;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use auricle_contracts::{Assessment, CallMetadata, Transcript};
use auricle_insight::intent::{IntentModel, Language};
use auricle_insight::rules::PackFile;
use auricle_insight::{CallRun, Judge, Recipe};
use auricle_store::Store;
use globset::{Glob, GlobMatcher};
use schemars::JsonSchema;
use serde::Deserialize;

pub(crate) use self::built_in::{BuiltIn, CARDS, PACKS};
use self::seat::{Models, NamedCard, Wanted, bench};
pub(crate) use self::seat::{classifier, read};
use crate::config::Config;
use crate::emotion;
use crate::exit::usage;
use crate::file_name::digits;
use crate::terminal::say;

/// `[insight]`: what calls are assessed with.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct InsightConfig {
    /// Rule packs: files, or names of `auricle rules list`, each for calls in its `language` (all calls where it says
    /// none); a language that none is for has the one that the program carries.
    #[schemars(example = [&"zh-finance", &"ours.yaml"])]
    pub(crate) packs: Vec<PathBuf>,
    /// Score card, by name or file: for calls whose packs have a rule that it names.
    #[schemars(example = &"our-card.yaml")]
    pub(crate) card: Option<PathBuf>,
    /// Text classifier that `auricle intent train` wrote, for calls in the language of its texts; none for those the
    /// program carries.
    #[schemars(example = &"our.intents")]
    pub(crate) intents: Option<PathBuf>,
    /// Emotion model, by the name on its card or file (ONNX, or JSON weights; models/emotion/README.md); none for the one
    /// the program carries.
    #[schemars(example = &"our-emotion.onnx")]
    pub(crate) emotion: Option<PathBuf>,
    /// Other packs and cards for some campaigns: the first whose pattern fits is used.
    pub(crate) campaigns: Vec<CampaignConfig>,
}

/// `[[insight.campaigns]]`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CampaignConfig {
    /// A campaign's name; `*` and `?` stand for anything.
    #[schemars(example = &"loans-*")]
    pub(crate) campaign: String,
    /// Packs, by name or file.
    #[serde(default)]
    #[schemars(example = [&"zh-finance", &"loans.yaml"])]
    pub(crate) packs: Vec<PathBuf>,
    /// Score card, by name or file.
    #[serde(default)]
    #[schemars(example = &"zh-telemarketing")]
    pub(crate) card: Option<PathBuf>,
}

/// What a command line asks for, of all campaigns, where what is configured has something else.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    /// Packs, by name or file. Languages that none of them is for keep what is configured.
    pub(crate) packs: Vec<PathBuf>,
    /// Score card, by name or file. Calls whose rules it does not ask about keep what is configured.
    pub(crate) card: Option<PathBuf>,
}

/// Digits of a checksum of rules.
const PRINT_DIGITS: usize = 16;

/// Judges for all calls.
pub(crate) struct Judges {
    campaigns: Vec<(GlobMatcher, Bench)>,
    others: Bench,
    /// The model in place of the built-in one.
    emotions: Option<emotion::Chosen>,
    print: String,
}

/// A judge for each language.
struct Bench {
    mandarin: Seated,
    english: Seated,
    /// The card that is asked for, or else configured, used or not.
    card: Option<NamedCard>,
}

impl Bench {
    const fn all(&self) -> [&Seated; 2] {
        [&self.mandarin, &self.english]
    }

    const fn of(&self, language: Language) -> &Seated {
        match language {
            Language::Mandarin => &self.mandarin,
            Language::English => &self.english,
        }
    }
}

/// A judge, and what it judges by.
pub(crate) struct Seated {
    language: Language,
    pub(crate) judge: Judge,
    /// The judge's card.
    card: Option<NamedCard>,
    /// Whose packs these are.
    choice: Choice,
    /// What the judge's rules were compiled from.
    pub(crate) packs: Vec<PackFile>,
    pub(crate) recipe: Recipe,
    /// Of the recipe: changes whenever a call may be assessed otherwise.
    pub(crate) print: String,
}

/// Whose packs a call gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    /// Those that are configured.
    Configured,
    /// The one that the program carries.
    BuiltIn,
}

impl Judges {
    /// What the configuration says.
    pub(crate) fn load(config: &Config) -> Result<Self> {
        Self::load_with(config, &config.insight, &Asked::default())
    }

    /// The same with other packs and cards than those of the configuration.
    pub(crate) fn load_with(
        config: &Config,
        insight: &InsightConfig,
        asked: &Asked,
    ) -> Result<Self> {
        let models = Models::load(config, insight)?;
        let mut campaigns = Vec::new();
        for campaign in &insight.campaigns {
            let pattern = Glob::new(&campaign.campaign)
                .map_err(|cause| usage(format!("`insight.campaigns`: {cause}")))?;
            let wanted = Wanted {
                packs: [&asked.packs, &campaign.packs, &insight.packs],
                cards: [&asked.card, &campaign.card, &insight.card].map(Option::as_deref),
                models: &models,
            };
            let bench = bench(config, &wanted)?;
            campaigns.push((pattern.compile_matcher(), bench));
        }
        let wanted = Wanted {
            packs: [&asked.packs, &insight.packs, &[]],
            cards: [&asked.card, &insight.card, &None].map(Option::as_deref),
            models: &models,
        };
        let others = bench(config, &wanted)?;
        let mut judges = Self {
            campaigns,
            others,
            emotions: models.emotions,
            print: String::new(),
        };
        let patterns = insight.campaigns.iter().map(|one| one.campaign.as_str());
        let prints = judges.all().map(|seated| seated.print.as_str());
        let parts: Vec<&str> = patterns.chain(prints).collect();
        judges.print = digits(parts.join("\n"), PRINT_DIGITS);
        Ok(judges)
    }

    /// Opens what is opened at its first use only. For commands that save what they find: without it the
    /// built-in model would decide in its place.
    ///
    /// # Errors
    /// When a model cannot be opened.
    pub(crate) fn check_models(&self) -> Result<()> {
        self.emotions
            .as_ref()
            .map_or(Ok(()), emotion::Chosen::check)
    }

    /// Says [`Self::doubts`] before work begins.
    pub(crate) fn say_doubts(&self) {
        for doubt in self.doubts() {
            say!("warning: {doubt}");
        }
    }

    /// What works, and is hardly what was meant: cards that ask about rules of packs that are not loaded, rules that
    /// ask for labels which the text classifier does not tell. A line each.
    pub(crate) fn doubts(&self) -> Vec<String> {
        let doubts = self.benches().flat_map(doubts::of);
        let doubts: BTreeSet<String> = doubts.collect();
        doubts.into_iter().collect()
    }

    /// The packs of all campaigns and languages.
    pub(crate) fn packs(&self) -> Vec<&str> {
        let packs = self.all().flat_map(|seated| seated.judge.rules.packs());
        let names: BTreeSet<&str> = packs.map(|pack| pack.id.as_str()).collect();
        names.into_iter().collect()
    }

    /// Whether a rule of any campaign and language has this name, `ID` or `PACK/ID`.
    pub(crate) fn has_rule(&self, name: &str) -> bool {
        self.all().any(|seated| seated.judge.rules.has(name))
    }

    /// Files that packs and cards were read from, included ones, too. Names of what the program carries stand among them.
    pub(crate) fn files(&self) -> BTreeSet<PathBuf> {
        let packs = self.all().flat_map(|seated| &seated.packs);
        let of_packs = packs.flat_map(|pack| std::iter::once(&pack.file).chain(&pack.included));
        let cards = self.benches().filter_map(|bench| bench.card.as_ref());
        let cards = cards.chain(self.all().filter_map(|seated| seated.card.as_ref()));
        let of_cards = cards.map(|card| &card.name);
        of_packs.chain(of_cards).map(PathBuf::from).collect()
    }

    /// Has the store know what the fingerprints of assessments stand for. Before any of them is saved.
    ///
    /// # Errors
    /// As the store gives them.
    pub(crate) async fn save_recipes(&self, store: &Store) -> Result<()> {
        let recipes: BTreeMap<&str, &Recipe> =
            self.all().map(|one| (&*one.print, &one.recipe)).collect();
        let recipes = recipes
            .into_iter()
            .map(|(print, recipe)| Ok((print.to_owned(), serde_json::to_string(recipe)?)))
            .collect::<Result<Vec<_>>>()?;
        Ok(store.save_recipes(&recipes).await?)
    }

    fn benches(&self) -> impl Iterator<Item = &Bench> {
        let campaigns = self.campaigns.iter().map(|(_, bench)| bench);
        campaigns.chain([&self.others])
    }

    fn all(&self) -> impl Iterator<Item = &Seated> {
        self.benches().flat_map(Bench::all)
    }

    /// Changes whenever any call may be assessed otherwise.
    pub(crate) fn print(&self) -> &str {
        &self.print
    }

    /// Whether a call with this metadata, assessed with this fingerprint, would be assessed alike today. Its language
    /// is not asked for: it follows from the transcript and the code, which the fingerprint has.
    pub(crate) fn is_in_force(&self, metadata: &CallMetadata, print: &str) -> bool {
        let all = self.bench_of(metadata).all();
        all.iter().any(|seated| seated.print == print)
    }

    /// What is made of a call.
    pub(crate) fn assess(&self, transcript: &Transcript) -> Assessment {
        CallRun::assess(&self.of(transcript).judge, transcript)
    }

    /// What this call is assessed with.
    pub(crate) fn of(&self, transcript: &Transcript) -> &Seated {
        let bench = self.bench_of(&transcript.metadata);
        bench.of(language_of(transcript))
    }

    /// What a call that has just begun is judged with: nothing is said yet to tell its language from.
    pub(crate) fn judge_for(&self, metadata: &CallMetadata, language: Language) -> &Judge {
        &self.bench_of(metadata).of(language).judge
    }

    /// The text classifier for a language.
    pub(crate) fn intents(&self, language: Language) -> Arc<IntentModel> {
        Arc::clone(&self.others.of(language).judge.intents)
    }

    fn bench_of(&self, metadata: &CallMetadata) -> &Bench {
        let Some(campaign) = &metadata.campaign else {
            return &self.others;
        };
        let found = self
            .campaigns
            .iter()
            .find(|(pattern, _)| pattern.is_match(campaign));
        found.map_or(&self.others, |(_, bench)| bench)
    }
}

/// The language most is said in.
fn language_of(transcript: &Transcript) -> Language {
    let utterances = transcript.utterances.iter();
    Language::of_texts(utterances.map(|utterance| match utterance.spoken.as_str() {
        "" => utterance.text.as_str(),
        spoken => spoken,
    }))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::testing;

    fn judges(configure: impl Fn(&mut InsightConfig)) -> Judges {
        let folder = tempfile::tempdir().unwrap();
        let mut config = testing::config(folder.path());
        configure(&mut config.insight);
        Judges::load(&config).unwrap()
    }

    #[test]
    fn what_the_program_carries_fits_together() {
        assert_eq!(judges(|_| {}).doubts(), Vec::<String>::new());
    }

    /// A pack, and a card that names its rule.
    fn own(folder: &Path, name: &str, language: &str) -> [PathBuf; 2] {
        let rules =
            format!("rules:\n- {{id: {name}_rule, when: {{says: [保证收益, guarantee]}}}}\n");
        let pack = format!("pack: {name}\nlanguage: {language}\n{rules}");
        let card = format!(
            "card: {name}\nsections:\n- title: t\n  questions: [{{id: q, question: Q?, unless_rules: [{name}_rule]}}]\n"
        );
        let files = ["pack", "card"].map(|kind| folder.join(format!("{name}.{kind}.yaml")));
        fs::write(&files[0], pack).unwrap();
        fs::write(&files[1], card).unwrap();
        files
    }

    /// What calls of a language are judged by: packs, and the card.
    fn used(bench: &Bench, language: Language) -> (Vec<&str>, Option<&str>) {
        let seated = bench.of(language);
        let packs = seated.judge.rules.packs().iter();
        let card = seated.judge.card.as_ref();
        (
            packs.map(|pack| &*pack.id).collect(),
            card.map(|card| &*card.card),
        )
    }

    #[test]
    fn packs_and_cards_are_for_calls_of_their_language() {
        let folder = tempfile::tempdir().unwrap();
        let [mandarin, of_mandarin] = own(folder.path(), "ours", "zh-CN");
        let [english, of_english] = own(folder.path(), "theirs", "en");
        let [both, of_both] = own(folder.path(), "any", "''");
        let of = |packs: &[&PathBuf], card: Option<&PathBuf>| {
            judges(|insight| {
                insight.packs = packs.iter().map(|path| path.to_path_buf()).collect();
                insight.card = card.cloned();
            })
        };
        let (zh, en) = (Language::Mandarin, Language::English);
        let built_in = (vec!["en-service"], Some("en-service"));

        let one = of(&[&mandarin], Some(&of_mandarin));
        assert_eq!(used(&one.others, zh), (vec!["ours"], Some("ours")));
        assert_eq!(used(&one.others, en), built_in);
        assert_eq!(one.doubts(), [""; 0]);

        let two = of(&[&mandarin, &english], Some(&of_english));
        assert_eq!(used(&two.others, zh), (vec!["ours"], None));
        assert_eq!(used(&two.others, en), (vec!["theirs"], Some("theirs")));

        let all = of(&[&both], Some(&of_both));
        assert_eq!(used(&all.others, zh), (vec!["any"], Some("any")));
        assert_eq!(used(&all.others, en), (vec!["any"], Some("any")));
        assert_ne!(all.others.mandarin.print, all.others.english.print);

        let with_english = of(&[&both, &english], Some(&of_both));
        assert_eq!(used(&with_english.others, zh), used(&all.others, zh));
        assert_eq!(used(&with_english.others, en).0, ["any", "theirs"]);
        // Calls of the language that nothing changed for are not due.
        assert_eq!(
            with_english.others.mandarin.print,
            all.others.mandarin.print
        );
        assert_ne!(with_english.others.english.print, all.others.english.print);
    }

    #[test]
    fn a_command_line_overrides_only_what_it_names() {
        let folder = tempfile::tempdir().unwrap();
        let [mandarin, of_mandarin] = own(folder.path(), "ours", "zh");
        let [english, of_english] = own(folder.path(), "theirs", "en");
        let [new, of_new] = own(folder.path(), "new", "zh");
        let mut config = testing::config(folder.path());
        config.insight.packs = vec![mandarin, english];
        config.insight.card = Some(of_english);
        config.insight.campaigns = vec![CampaignConfig {
            campaign: "loans".into(),
            packs: vec!["zh-finance".into()],
            card: Some(of_mandarin),
        }];
        let (zh, en) = (Language::Mandarin, Language::English);
        let check = |asked: Asked, expected: [(&str, Option<&str>); 4]| {
            let judges = Judges::load_with(&config, &config.insight, &asked).unwrap();
            let (others, (_, loans)) = (&judges.others, &judges.campaigns[0]);
            let of_others = [used(others, zh), used(others, en)];
            let all = [of_others, [used(loans, zh), used(loans, en)]].concat();
            let all = all
                .into_iter()
                .map(|(packs, card)| (packs.join(","), card.map(str::to_owned)));
            let expected =
                expected.map(|(packs, card)| (packs.to_owned(), card.map(str::to_owned)));
            assert_eq!(all.collect::<Vec<_>>(), expected, "{asked:?}");
        };
        let theirs = ("theirs", Some("theirs"));
        // A campaign has what is configured for all where it names nothing for a language.
        let finance = ("zh-finance", Some("zh-telemarketing"));
        let all = [("ours", None), theirs, finance, theirs];
        check(Asked::default(), all);
        let asked = Asked {
            packs: vec![new],
            card: None,
        };
        // Packs for one language leave those of the other.
        check(
            asked.clone(),
            [("new", None), theirs, ("new", None), theirs],
        );
        let asked = Asked {
            card: Some(of_new),
            ..asked
        };
        let new = ("new", Some("new"));
        check(asked, [new, theirs, new, theirs]);
    }

    #[test]
    fn doubts_name_card_rules_and_language() {
        let folder = tempfile::tempdir().unwrap();
        let [pack, card] = own(folder.path(), "ours", "zh");
        let of = |card: &PathBuf| {
            let judges = judges(|insight| {
                insight.packs = vec![pack.clone()];
                insight.card = Some(card.clone());
            });
            judges.doubts()
        };
        assert_eq!(of(&card), [""; 0]);
        let text = fs::read_to_string(&card).unwrap();
        let some = "unless_rules: [ours_rule, our_rule, quite_another]";
        fs::write(&card, text.replace("unless_rules: [ours_rule]", some)).unwrap();
        let [doubt] = of(&card).try_into().unwrap();
        for word in [
            "ours.card.yaml` asks about 3 rules",
            "`our_rule` (did you mean `ours_rule`?), `quite_another`",
            "packs ours, for Mandarin calls",
        ] {
            assert!(doubt.contains(word), "{doubt}");
        }
        fs::write(&card, text.replace("ours_rule", "our_rule")).unwrap();
        let doubts = of(&card);
        assert!(
            doubts.iter().all(|doubt| !doubt.contains("English")),
            "{doubts:?}"
        );
        assert!(
            doubts[0].contains("did you mean `ours_rule`?"),
            "{doubts:?}"
        );
        assert!(doubts[0].contains("is used for no call"), "{doubts:?}");
    }

    #[test]
    fn campaigns_share_one_classifier_a_language() {
        let judges = judges(|insight| {
            insight.campaigns = vec![CampaignConfig {
                campaign: "loans*".into(),
                packs: Vec::new(),
                card: None,
            }];
        });
        for language in Language::ALL {
            let shared = judges.intents(language);
            let (_, campaign) = &judges.campaigns[0];
            let of_campaign = &campaign.of(language).judge.intents;
            assert!(Arc::ptr_eq(&shared, of_campaign), "{language:?}");
        }
    }

    #[test]
    fn what_is_in_force_is_asked_by_campaign() {
        let judges = judges(|insight| {
            insight.campaigns = vec![CampaignConfig {
                campaign: "loans*".into(),
                packs: vec!["zh-finance".into()],
                card: None,
            }];
        });
        let of = |campaign: Option<&str>| CallMetadata {
            campaign: campaign.map(str::to_owned),
            ..CallMetadata::default()
        };
        let (loans, others) = (of(Some("loans 7")), of(None));
        let said = Transcript {
            metadata: loans.clone(),
            ..testing::transcript("a")
        };
        let by_loans = &judges.of(&said).print;
        let by_others = &judges.of(&testing::transcript("a")).print;
        assert!(judges.is_in_force(&loans, by_loans));
        assert!(!judges.is_in_force(&others, by_loans));
        assert!(judges.is_in_force(&others, by_others));
        assert!(!judges.is_in_force(&loans, by_others));
    }
}
