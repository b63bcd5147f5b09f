//! What the customer wants, and what the agent does, by the words.

mod augment;
mod bags;
mod calibrate;
mod classes;
mod evaluate;
mod features;
mod file;
mod fit;
mod model;
mod random;
mod rows;
pub mod similarity;
mod table;
mod tokens;
mod train;

pub use evaluate::{LabelReport, Report, cross_validate, evaluate};
pub use file::ReadModelError;
pub use model::{IntentModel, LabelScore};
pub use rows::{LabelledText, MAX_LABEL_BYTES, ParseRowsError, parse_rows};
pub use train::{TrainError, TrainOptions, TrainProgress, train};
