//! Holds the arrows between the rooms: which crate of the workspace may depend on which.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

/// Crate and the crates of the workspace it may depend on, tests and build scripts included.
/// Change ARCHITECTURE.md with this table.
const ALLOWED: [(&str, &[&str]); 20] = [
    ("auricle-contracts", &[]),
    ("auricle-pinyin", &[]),
    ("auricle-audio", &[]),
    ("auricle-networks", &[]),
    ("auricle-progress", &[]),
    ("auricle-rtp", &[]),
    ("auricle-spool", &[]),
    ("auricle-media", &["auricle-audio", "auricle-rtp"]),
    ("auricle-models", &["auricle-audio", "auricle-networks"]),
    (
        "auricle-speech",
        &[
            "auricle-audio",
            "auricle-models",
            "auricle-pinyin",
            "auricle-contracts",
        ],
    ),
    ("auricle-insight", &["auricle-contracts", "auricle-pinyin"]),
    ("auricle-search", &["auricle-contracts", "auricle-pinyin"]),
    (
        "auricle-live",
        &[
            "auricle-audio",
            "auricle-models",
            "auricle-speech",
            "auricle-insight",
            "auricle-progress",
            "auricle-contracts",
        ],
    ),
    ("auricle-record", &["auricle-spool", "auricle-contracts"]),
    ("auricle-wire", &["auricle-contracts"]),
    ("auricle-bodies", &["auricle-contracts"]),
    ("auricle-store", &["auricle-contracts", "auricle-bodies"]),
    ("auricle-report", &["auricle-contracts"]),
    ("auricle", &["*"]),
    ("auricle-benches", &["*"]),
];

/// Arrows that are not in the table, as text.
fn forbidden(arrows: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let mut found = Vec::new();
    for (from, targets) in arrows {
        let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| name == from) else {
            found.push(format!("`{from}` is not in the table of arrows"));
            continue;
        };
        let is_allowed = |to: &&str| allowed.contains(&"*") || allowed.contains(to);
        let wrong = targets
            .iter()
            .map(String::as_str)
            .filter(|to| !is_allowed(to));
        found.extend(wrong.map(|to| format!("`{from}` may not depend on `{to}`")));
    }
    found
}

/// The arrows inside the workspace.
fn arrows(metadata: &Metadata) -> BTreeMap<String, BTreeSet<String>> {
    let members = metadata.workspace_packages();
    let names = members
        .iter()
        .map(|package| package.name.to_string())
        .collect::<BTreeSet<_>>();
    let targets = |package: &cargo_metadata::Package| {
        let dependencies = package.dependencies.iter().filter(|dependency| {
            names.contains(&dependency.name) && dependency.kind != DependencyKind::Unknown
        });
        dependencies
            .map(|dependency| dependency.name.clone())
            .collect::<BTreeSet<_>>()
    };
    members
        .iter()
        .map(|package| (package.name.to_string(), targets(package)))
        .collect()
}

fn workspace() -> Metadata {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    MetadataCommand::new()
        .manifest_path(manifest)
        .no_deps()
        .exec()
        .unwrap()
}

#[test]
fn no_room_depends_on_one_it_may_not() {
    let arrows = arrows(&workspace());
    assert_eq!(forbidden(&arrows), Vec::<String>::new());
    assert!(
        arrows["auricle"].contains("auricle-store"),
        "arrows were read at all"
    );
}

#[test]
fn the_table_names_only_rooms_that_exist() {
    let arrows = arrows(&workspace());
    for (name, allowed) in ALLOWED {
        for room in allowed.iter().chain([&name]).filter(|room| **room != "*") {
            assert!(
                arrows.contains_key(*room),
                "`{room}` is no crate of the workspace"
            );
        }
    }
}

#[test]
fn a_forbidden_arrow_and_an_unknown_room_are_found() {
    let arrow =
        |from: &str, to: &str| BTreeMap::from([(from.to_owned(), BTreeSet::from([to.to_owned()]))]);
    assert_eq!(
        forbidden(&arrow("auricle-audio", "auricle-models")),
        ["`auricle-audio` may not depend on `auricle-models`"]
    );
    assert_eq!(forbidden(&arrow("auricle-new", "auricle-audio")).len(), 1);
    assert!(forbidden(&arrow("auricle", "auricle-store")).is_empty());
}

/// An arrow between unrelated rooms would also let a circle in.
#[test]
fn the_table_has_no_circle() {
    let rank = |name: &str| ALLOWED.iter().position(|(room, _)| *room == name).unwrap();
    for (name, allowed) in ALLOWED {
        for to in allowed.iter().filter(|to| **to != "*") {
            assert!(rank(to) < rank(name), "`{name}` stands before `{to}`");
        }
    }
}
