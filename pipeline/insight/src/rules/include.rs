//! Words and conditions that several packs share, in files of their own.
//!
//! ```text
//! pack ─ include ─▶ shared file ─ include ─▶ shared file …
//! ```
//!
//! What they hold becomes the pack's: every name is there once, whichever file it stands in. A file that is named more
//! than once is read once.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::format::{Pack, SharedFile};
use super::mistake::{Notes, Place};
use super::node::read_tree;
use super::reader::{At, read};

/// Files that one pack may include, those of its files included.
const MOST_FILES: usize = 64;

/// A shared file as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Included {
    /// The same for the same file, by whatever name it is included.
    pub id: String,
    /// Its name, for messages.
    pub file: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// Finds the file that is named second in the one named first (the pack's own name, or [`Included::file`]); else the
/// cause.
pub type Find<'a> = dyn FnMut(&str, &str) -> Result<Included, String> + 'a;

/// Puts what the pack includes into it; what is wrong goes to `notes`.
pub(super) fn include(pack: &mut Pack, find: &mut Find<'_>, notes: &mut Notes) {
    let own = notes.files()[0].clone();
    let mut shelf = Shelf {
        find,
        notes,
        way: Vec::new(),
        read: Vec::new(),
    };
    let wanted = std::mem::take(&mut pack.include);
    shelf.include(&own, &wanted, pack);
    pack.include = wanted;
}

struct Shelf<'s, 'f> {
    find: &'s mut Find<'f>,
    notes: &'s mut Notes,
    /// Ids and names of the files that are being read, the outermost first.
    way: Vec<(String, String)>,
    /// Ids of those that were read.
    read: Vec<String>,
}

impl Shelf<'_, '_> {
    fn include(&mut self, from: &str, wanted: &[At<String>], pack: &mut Pack) {
        for at in wanted {
            let Some(name) = &at.value else { continue };
            match (self.find)(from, name) {
                Ok(found) => self.add(found, at.place, pack),
                Err(cause) => {
                    let hint = "name a file by its way from the one that includes it, or one that the program carries";
                    let cause = format!("cannot include `{name}`: {cause}");
                    self.notes.error(at.place, cause, hint);
                }
            }
        }
    }

    fn add(&mut self, found: Included, place: Place, pack: &mut Pack) {
        if let Some(from) = self.way.iter().position(|(id, _)| *id == found.id) {
            let names = self.way[from..].iter().map(|(_, name)| name.as_str());
            let way: Vec<&str> = names.chain([found.file.as_str()]).collect();
            let cause = format!("files include each other: `{}`", way.join("` → `"));
            let hint = "put what both need into a third file";
            self.notes.error(place, cause, hint);
            return;
        }
        if self.read.contains(&found.id) {
            return;
        }
        if self.read.len() >= MOST_FILES {
            let cause = format!("more than `{MOST_FILES}` files are included");
            self.notes.error(place, cause, "join some of them");
            return;
        }
        self.read.push(found.id.clone());
        let outer = self.notes.enter(&found.file);
        let tree = read_tree(&found.bytes, self.notes);
        let shared = tree.and_then(|tree| read::<SharedFile>(&tree, self.notes));
        if let Some(shared) = shared {
            self.way.push((found.id, found.file.clone()));
            self.include(&found.file, &shared.include, pack);
            self.way.pop();
            self.merge("words", shared.words, &mut pack.words);
            self.merge("conditions", shared.conditions, &mut pack.conditions);
        }
        self.notes.leave(outer);
    }

    fn merge<T>(
        &mut self,
        kind: &str,
        from: BTreeMap<String, At<T>>,
        into: &mut BTreeMap<String, At<T>>,
    ) {
        for (name, at) in from {
            match into.entry(name) {
                Entry::Vacant(entry) => drop(entry.insert(at)),
                Entry::Occupied(entry) => {
                    let there = self.notes.shown(entry.get().place);
                    let cause = format!("`{kind}.{}` is there twice: also in {there}", entry.key());
                    let hint = "give one of the two another name";
                    self.notes.error(at.place, cause, hint);
                }
            }
        }
    }
}

/// What is told where nothing can be included.
pub(super) fn find_nothing(_: &str, _: &str) -> Result<Included, String> {
    Err("there are no other files here".to_owned())
}

/// Whether a name stands in an included file: it need not be used by every pack.
pub(super) fn is_included(place: Place) -> bool {
    place.file != 0
}
