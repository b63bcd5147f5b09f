//! The models: what there is, what is installed, how it is fetched, which one a call gets.
//!
//! A model is a folder `<models folder>/<name>/` with the files its card lists. Cards are TOML; those of
//! this crate's `cards/` are built in, a user's own lie in `<models folder>/cards/` and win over a
//! built-in card of the same name. A small recogniser is part of the program itself, for where nothing better is installed.
//! Nothing here loads a model: engines take the folder.

mod archive;
mod card;
mod carried;
mod choose;
mod download;
mod pull;
mod pull_error;
mod site;
mod store;
mod verify;

pub use card::{
    ArchiveFormat, CardError, Engine, Measured, ModelArchive, ModelCard, ModelFile, ModelKind,
    Need, Unpack, primary_language,
};
pub use choose::{ChooseError, ModelChoice, ModelsConfig, Role, Wanted};
pub use pull::{Proxy, PullOptions, PullProgress, Silent};
pub use pull_error::{ByHand, PullError};
pub use store::{Listed, ModelFiles, ModelState, ModelStore, StoreError};
pub use verify::{FileReport, FileVerdict, VerifyReport, hex, sha256_of_file};

#[cfg(test)]
pub(crate) mod test_server;
