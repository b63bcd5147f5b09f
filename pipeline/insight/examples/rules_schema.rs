//! Prints the JSON schema of rule packs: `rules_schema > docs/rules.schema.json`.

#![expect(clippy::print_stdout, reason = "a command")]

fn main() {
    println!("{:#}", auricle_insight::rules::schema());
}
