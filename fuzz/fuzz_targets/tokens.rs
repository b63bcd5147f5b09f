//! Text as a recogniser's `tokens.txt`.
#![no_main]

use auricle_models::TokenTable;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(table) = TokenTable::parse(text) else {
        return;
    };
    assert!(!table.is_empty());
    for id in 0..table.len().min(64) {
        let found = table.id(&table.text(id)).expect("every token has a number");
        assert_eq!(table.text(found), table.text(id));
    }
    // Decoders may give numbers that the table does not have.
    let _ = (table.kind(), table.text(table.len()), table.text(usize::MAX));
});
