//! Reports of many calls as pages that need nothing but themselves: what was found in a batch, and what a
//! new score changed. Data in, HTML out; nothing is read, written or looked up.

mod batch;
mod batch_page;
mod call_page;
mod change;
mod format;
mod language;
mod page;
mod playable;
mod plot;
mod rescore;
mod table;

pub use batch::{Batch, BatchOptions, Detail, fails_call};
pub use batch_page::batch_page;
pub use call_page::{BATCH_PAGE_FILE, call_page, call_page_path};
pub use change::{AgentTally, Change, Changes, Outline, RuleNames, RuleTally};
pub use format::shown_score;
pub use language::{Language, UnknownLanguage};
pub use page::{PAGE_HEAD_BYTES, is_own_page};
pub use playable::{Clip, MediaUrl, Playable};
pub use rescore::rescore_page;
