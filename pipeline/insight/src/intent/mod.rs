//! What the customer wants, and what the agent does, by the words.

mod augment;
mod bags;
mod calibrate;
mod callback_time;
mod classes;
mod disposition;
mod evaluate;
mod features;
mod file;
mod fit;
mod language;
mod model;
mod random;
mod rarity;
mod rows;
mod similarity;
mod table;
mod tokens;
mod train;
mod words;

pub(crate) use features::Seen;
pub(crate) use random::scramble;

pub use callback_time::{CallbackTime, callback_time, local_time};
pub use classes::WordClasses;
pub use disposition::disposition;
pub use evaluate::{LabelReport, Report, cross_validate, evaluate};
pub use file::ReadModelError;
pub use language::Language;
pub use model::{IntentModel, LabelScore, add_callback_times};
pub use rows::{LabelledText, MAX_LABEL_BYTES, ParseRowsError, parse_rows};
pub use similarity::Similarity;
pub use train::{
    ParseThresholdsError, RareLabel, TrainError, TrainOptions, TrainProgress, parse_thresholds,
    rare_labels, train,
};

#[cfg(test)]
mod tests;
