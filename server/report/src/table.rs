//! Long tables: the first rows as HTML, all rows as data that the page's script sorts, filters and pages.

use std::collections::HashMap;

use maud::{Markup, PreEscaped, html};
use serde_json::{Value, json};

use crate::format::{count, decimal, file_stem, length, signed};
use crate::language::Language;

/// Rows that are there without script; also the rows of a page in `table.js`.
const N_STATIC_ROWS: usize = 100;

/// What stands in a column.
pub(crate) enum Kind {
    /// Any text.
    Text,
    /// One of the table's names, which repeat.
    Name,
    /// A call, with a link to its page where there is one.
    Call,
    /// Quantity with so many digits after the point.
    Number(usize),
    /// The same, always with its sign.
    Signed(usize),
    /// Milliseconds.
    Clock,
    /// One of a few words, each with its class.
    Choice(Vec<(&'static str, &'static str)>),
    /// Words side by side.
    Tags,
}

/// A column.
pub(crate) struct Column {
    pub(crate) title: &'static str,
    pub(crate) kind: Kind,
    /// Whether a phone has no room for it.
    pub(crate) class: &'static str,
}

impl Column {
    pub(crate) fn new(title: &'static str, kind: Kind) -> Self {
        let class = match kind {
            Kind::Number(_) | Kind::Signed(_) | Kind::Clock => "n",
            _ => "",
        };
        Self { title, kind, class }
    }

    /// Left out on narrow screens.
    pub(crate) fn wide_only(mut self) -> Self {
        self.class = if self.class == "n" { "n wide" } else { "wide" };
        self
    }
}

/// What stands in a row's column.
pub(crate) enum Cell {
    Text(String),
    /// A place in [`Table::names`].
    Name(Option<usize>),
    Call {
        id: String,
        has_page: bool,
    },
    Number(Option<f64>),
    /// A place in the column's choices.
    Choice(Option<usize>),
    Tags(Vec<String>),
}

/// A long table.
pub(crate) struct Table {
    /// Id of its data in the page, and name of the file it is saved as.
    pub(crate) id: &'static str,
    pub(crate) caption: String,
    pub(crate) columns: Vec<Column>,
    pub(crate) names: Vec<String>,
    pub(crate) rows: Vec<Vec<Cell>>,
}

/// Folder of calls' pages, seen from the batch's page.
pub(crate) const CALLS_FOLDER: &str = "calls/";

impl Table {
    pub(crate) fn render(&self, language: Language) -> Markup {
        html! {
            div data-table=(self.id) {
                (tools(language))
                div.scroll tabindex="0" role="region" aria-label=(self.caption) {
                    table {
                        caption { (self.caption) }
                        thead { tr {
                            @for column in &self.columns {
                                th scope="col" class=(column.class) { (column.title) }
                            }
                        } }
                        tbody {
                            @for row in self.rows.iter().take(N_STATIC_ROWS) {
                                tr { @for (idx, cell) in row.iter().enumerate() { (self.cell(idx, cell)) } }
                            }
                        }
                    }
                }
                @if self.rows.len() > N_STATIC_ROWS {
                    noscript { p.note { (self.truncation(language)) } }
                }
                script type="application/json" id=(self.id) { (PreEscaped(self.data())) }
            }
        }
    }

    fn truncation(&self, language: Language) -> String {
        let (shown, all) = (count(N_STATIC_ROWS as u64), count(self.rows.len() as u64));
        match language {
            Language::English => {
                format!("The first {shown} of {all} rows; the others need script.")
            }
            Language::Chinese => format!("仅显示前 {shown} 行，共 {all} 行；其余需要启用脚本。"),
        }
    }

    fn cell(&self, idx: usize, cell: &Cell) -> Markup {
        let Some(column) = self.columns.get(idx) else {
            return html! {};
        };
        let inner = self.inner(&column.kind, cell);
        html! {
            @if idx == 0 { th scope="row" class=(column.class) { (inner) } }
            @else { td class=(column.class) { (inner) } }
        }
    }

    fn inner(&self, kind: &Kind, cell: &Cell) -> Markup {
        match (cell, kind) {
            (Cell::Text(text), _) => html! { (text) },
            (Cell::Call { id, has_page: true }, _) => {
                html! { a href=(call_page_path(id)) { (id) } }
            }
            (Cell::Call { id, .. }, _) => html! { span { (id) } },
            (Cell::Tags(tags), _) => html! { @for tag in tags { span.tag { (tag) } } },
            (Cell::Name(Some(name)), _) => {
                html! { (self.names.get(*name).map_or("–", String::as_str)) }
            }
            (Cell::Choice(Some(idx)), Kind::Choice(choices)) => html! {
                @if let Some((text, class)) = choices.get(*idx) { span class=(class) { (text) } }
            },
            (Cell::Number(Some(value)), kind) => html! { (number(*value, kind)) },
            _ => html! { "–" },
        }
    }

    fn row_data(&self, row: &[Cell]) -> String {
        let cells = row.iter().zip(&self.columns);
        let cells: Vec<Value> = cells
            .map(|(cell, column)| cell_data(cell, &column.kind))
            .collect();
        Value::Array(cells).to_string()
    }

    /// `{"kinds":[…],"names":[…],"rows":[[…],…]}` as `table.js` reads it, safe within a script element.
    fn data(&self) -> String {
        let kinds: Vec<Value> = self.columns.iter().map(kind_data).collect();
        // Row by row: a tree of a hundred thousand calls would take much more room than its text.
        let rows: Vec<String> = self.rows.iter().map(|row| self.row_data(row)).collect();
        let data = format!(
            "{{\"kinds\":{},\"names\":{},\"rows\":[{}]}}",
            json!(kinds),
            json!(self.names),
            rows.join(",\n")
        );
        data.replace('<', "\\u003c")
            .replace('>', "\\u003e")
            .replace('&', "\\u0026")
    }
}

fn tools(language: Language) -> Markup {
    html! {
        div.tools hidden {
            label { (language.filter()) " " input type="search" autocomplete="off"; }
            span role="status" {}
            button.back type="button" { (language.previous()) }
            button.on type="button" { (language.next()) }
            button.save type="button" { (language.export_csv()) }
        }
    }
}

/// Where a call's page lies, seen from the batch's page.
pub(crate) fn call_page_path(id: &str) -> String {
    format!("{CALLS_FOLDER}{}.html", file_stem(id))
}

fn number(value: f64, kind: &Kind) -> String {
    match kind {
        Kind::Signed(n_digits) => signed(value, *n_digits),
        Kind::Clock => length(value.max(0.0) as u64),
        Kind::Number(0) if value >= 0.0 => count(value.round() as u64),
        Kind::Number(n_digits) => decimal(value, *n_digits),
        _ => decimal(value, 0),
    }
}

fn kind_data(column: &Column) -> Value {
    let mut data = match &column.kind {
        Kind::Text => json!({ "k": "text" }),
        Kind::Name => json!({ "k": "name" }),
        Kind::Call => json!({ "k": "link", "to": CALLS_FOLDER }),
        Kind::Number(n_digits) => json!({ "k": "number", "d": n_digits }),
        Kind::Signed(n_digits) => json!({ "k": "sign", "d": n_digits }),
        Kind::Clock => json!({ "k": "clock" }),
        Kind::Choice(choices) => json!({ "k": "choice", "of": choices }),
        Kind::Tags => json!({ "k": "tags" }),
    };
    data["c"] = json!(column.class);
    data
}

fn cell_data(cell: &Cell, kind: &Kind) -> Value {
    match cell {
        Cell::Text(text) => json!(text),
        Cell::Name(name) | Cell::Choice(name) => json!(name),
        // An id that is its own file name needs no address beside it.
        Cell::Call { id, has_page: true } if file_stem(id) == *id => json!(id),
        Cell::Call { id, has_page: true } => json!([id, call_page_path(id)]),
        Cell::Call { id, .. } => json!([id, ""]),
        Cell::Tags(tags) => json!(tags),
        Cell::Number(value) => number_data(value.filter(|value| value.is_finite()), kind),
    }
}

/// No more digits than the page shows, and none after the point where there is nothing.
fn number_data(value: Option<f64>, kind: &Kind) -> Value {
    let Some(value) = value else {
        return Value::Null;
    };
    let n_digits = match kind {
        Kind::Number(n_digits) | Kind::Signed(n_digits) => *n_digits,
        _ => 0,
    };
    let scale = 10f64.powi(i32::try_from(n_digits).unwrap_or(0));
    let rounded = (value * scale).round() / scale;
    if rounded.fract() == 0.0 && rounded.abs() < 9e15 {
        json!(rounded as i64)
    } else {
        json!(rounded)
    }
}

/// Names that repeat, each kept once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    names: Vec<String>,
    places: HashMap<String, usize>,
}

impl Names {
    /// The place of a name, new or not.
    pub(crate) fn place(&mut self, name: &str) -> usize {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        self.names.push(name.to_owned());
        self.places.insert(name.to_owned(), self.names.len() - 1);
        self.names.len() - 1
    }

    pub(crate) fn get(&self, place: usize) -> &str {
        self.names.get(place).map_or("", String::as_str)
    }

    pub(crate) fn list(&self) -> &[String] {
        &self.names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_never_ends_its_script_element() {
        let table = Table {
            id: "x",
            caption: String::new(),
            columns: vec![
                Column::new("a", Kind::Text),
                Column::new("b", Kind::Number(1)),
            ],
            names: Vec::new(),
            rows: vec![vec![
                Cell::Text("</script><!--&".into()),
                Cell::Number(Some(2.04)),
            ]],
        };
        let data = table.data();
        assert!(!data.contains(['<', '>', '&']), "{data}");
        let read: Value = serde_json::from_str(&data).unwrap();
        assert_eq!(read["rows"], json!([["</script><!--&", 2]]));
    }
}
