//! `auricle search`: find phrases in all calls, with the time to play from.

use std::collections::BTreeMap;
use std::io::Write;
use std::ops::Range;

use anyhow::Result;
use auricle_search::query::{Kind, Node, TextComparison, TextField};
use auricle_search::{
    CallHits, ContextLine, FacetCount, FacetMode, Facets, Highlight, Hit, KnownNames, Moment,
    MomentKind, SearchRequest, Sort, is_keyword,
};
use clap::{Args, ValueEnum};
use console::Style;

use super::show::party_style;
use crate::app::App;
use crate::exit::{Exit, usage};
use crate::index::{CallSearch, n_not_found};
use crate::terminal::{
    CLOSE_MARK, OPEN_MARK, PlayTime, Terminal, count, duration_text, pad_to, printable, say, wrap,
};

const QUERY_LANGUAGE: &str = "\
The query language (all of it: docs/query-language.md):
  保证收益                    the characters side by side, wherever words are cut
  \"hold the line\"             a phrase with spaces
  保证 收益                   both, anywhere in one utterance; the same as 保证 AND 收益
  保证 OR 承诺                one of them
  保证 -风险                  the first without the second; the same as 保证 NOT 风险
  保证*                       a word that begins so
  保证 NEAR/5 收益            at most 5 characters between them, in either order
  保证 BEFORE/5 收益          the same, in this order
  sound:保证收益              what sounds like it, however it was written down; tones may differ
  sound:\"bao3 zheng4\"         the same in pinyin
  sound:保证收益~1            one syllable may be another
  word:行                     a whole word, not a part of one
  投诉 THEN/6 退款            the second at most 6 turns after the first, by anyone in one call
  party:customer 退款         said by the customer
  agent:张三 campaign:loans region:sichuan call:dev-01 engine:ort file:recordings
  date:2026-11  date:[2026-11-01 TO 2026-11-20]  duration:>5m  start:<30s
  hit:promise_return  severity:>=major  emotion:angry  intent:opt_out  pii:phone
  score:<60  passed:no  silence:>5s  disposition:refused
  (保证 OR 承诺) party:agent  parentheses

Put a query with spaces or signs into quotes for the shell:
  auricle search 'party:agent sound:保证收益'
  auricle search '投诉 THEN/6 退款' --limit 20 --sort newest
  auricle search -- '-保证 收益'         a query that begins with a sign goes after --
  auricle search 保证收益 --facets        how the hits are spread over parties, agents, campaigns, days

A mistake in a query is shown with its place, and the exit code is 2. No hits: exit code 0.";

/// Options of `auricle search`.
#[derive(Debug, Args)]
#[command(after_long_help = QUERY_LANGUAGE)]
pub(crate) struct SearchArgs {
    /// What to find; several words count as one query.
    #[arg(required = true, value_name = "QUERY")]
    query: Vec<String>,
    /// Calls to show.
    #[arg(long, value_name = "N", default_value_t = 10)]
    limit: usize,
    /// Calls to leave out at the beginning.
    #[arg(long, value_name = "N", default_value_t = 0)]
    offset: usize,
    /// Hits to show of one call; the best are taken.
    #[arg(long, value_name = "N", default_value_t = 5)]
    hits: usize,
    /// Utterances to show before and after each hit.
    #[arg(long, value_name = "N", default_value_t = 0)]
    context: u32,
    /// Order of the calls.
    #[arg(long, value_name = "ORDER", default_value = "relevance")]
    sort: SortOrder,
    /// Say how the hits are spread.
    #[arg(long)]
    facets: bool,
    /// Everything as JSON.
    #[arg(long)]
    json: bool,
}

/// Order of the calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SortOrder {
    /// Best first.
    Relevance,
    /// Latest first.
    Newest,
    /// Earliest first.
    Oldest,
}

impl SearchArgs {
    fn request(&self) -> SearchRequest {
        SearchRequest {
            sort: match self.sort {
                SortOrder::Relevance => Sort::Relevance,
                SortOrder::Newest => Sort::Newest,
                SortOrder::Oldest => Sort::Oldest,
            },
            offset: self.offset,
            limit: self.limit,
            hits_per_call: self.hits,
            context: self.context,
            facets: if self.facets {
                FacetMode::Count
            } else {
                FacetMode::Skip
            },
            ..SearchRequest::new(self.query.join(" "))
        }
    }
}

pub(crate) fn run(app: &mut App, args: &SearchArgs) -> Result<Exit> {
    let request = args.request();
    // The query first: its mistakes can be told where nothing was analysed yet.
    let node = auricle_search::parse(&request.query);
    let node = node.map_err(|mistake| usage(mistake.to_string()))?;
    let search = CallSearch::open(&app.config.data.index())?;
    let found = search.search(&request)?;
    let n_lacking = app.runtime.block_on(n_not_found(&app.config.data));
    if let Some(n_lacking) = n_lacking.filter(|n_lacking| *n_lacking > 0) {
        say!(
            "warning: {} heard and not in the search index yet\nhint: the next analyze adds what is missing, and so does `auricle index rebuild`",
            count(n_lacking, "call")
        );
    }
    let unknown = search.known_names().map_or_else(
        |_| Vec::new(),
        |names| unknown_names(&request.query, &node, &names),
    );
    let misread = match found.total_hits {
        0 => misread(&request.query),
        _ => Vec::new(),
    };
    for note in unknown.iter().chain(&misread) {
        say!("note: {note}");
    }
    let out = &mut app.terminal;
    if args.json {
        serde_json::to_writer_pretty(&mut *out, &found)?;
        writeln!(out)?;
        return Ok(Exit::Done);
    }
    for call in &found.calls {
        write_call(out, call)?;
    }
    let shown = args.offset + found.calls.len();
    let more = match found.total_calls.saturating_sub(shown as u64) {
        0 => String::new(),
        n_more => format!("; {} more: --offset {shown}", count(n_more, "call")),
    };
    let (hits, calls) = (
        count(found.total_hits, "hit"),
        count(found.total_calls, "call"),
    );
    writeln!(out, "{hits} in {calls}{more}")?;
    if args.facets {
        write_facets(out, &found.facets)?;
    }
    Ok(Exit::Done)
}

/// What words of a query that finds nothing may have meant.
fn misread(query: &str) -> Vec<String> {
    let mut notes = Vec::new();
    for word in query.split([' ', '(', ')', '\u{3000}']) {
        let capitals = word.to_ascii_uppercase();
        if word != capitals && is_keyword(&capitals) {
            notes.push(format!(
                "`{word}` was looked for as a word; between two queries it is written in capitals: {capitals}"
            ));
        }
        let name = word.trim_start_matches('-').split([':', '：']).next();
        let is_text = |name: &&str| !name.is_empty() && !name.is_ascii() && *name != word;
        if let Some(name) = name.filter(is_text)
            && word.starts_with(name)
            && matches!(
                auricle_search::parse(word),
                Ok(Node {
                    kind: Kind::Phrase(_),
                    ..
                })
            )
        {
            notes.push(format!(
                "`{word}` was looked for as text: no field is called `{name}`; docs/query-language.md lists them"
            ));
        }
    }
    notes
}

/// Names of rules, intents and outcomes that no call has. They are no mistake: others may come.
fn unknown_names(query: &str, node: &Node, known: &KnownNames) -> Vec<String> {
    // What was asked for by another name stands at the same place.
    let mut asked = Asked::new();
    names_in(node, &node.span, &mut asked);
    let mut notes = Vec::new();
    for ((from, to), names) in asked {
        let known_of = |field: TextField| match field {
            TextField::Hit => ("hit", &known.rules),
            TextField::Intent => ("intent", &known.intents),
            _ => ("disposition", &known.dispositions),
        };
        let is_known = |&(field, name): &(TextField, &str)| {
            // PACK/ID
            let name = name.rsplit('/').next().unwrap_or(name);
            let (_, known) = known_of(field);
            known.iter().any(|known| known.eq_ignore_ascii_case(name))
        };
        let Some(&(field, _)) = names.first().filter(|_| !names.iter().any(is_known)) else {
            continue;
        };
        let (field, known) = known_of(field);
        let name = query.get(from..to).unwrap_or_default();
        notes.push(match known.is_empty() {
            true => format!("no call has any `{field}:`"),
            false => format!("no call has `{name}`; there are {}", known.join(", ")),
        });
    }
    notes
}

/// Names by the place where they are asked for.
type Asked<'n> = BTreeMap<(usize, usize), Vec<(TextField, &'n str)>>;

/// Whole names; `place` is where `node` is asked for.
fn names_in<'n>(node: &'n Node, place: &Range<usize>, names: &mut Asked<'n>) {
    match &node.kind {
        Kind::Text {
            field: field @ (TextField::Hit | TextField::Intent | TextField::Disposition),
            comparison: TextComparison::IsNamed,
            value,
        } => {
            let name = (*field, value.as_str());
            names
                .entry((place.start, place.end))
                .or_default()
                .push(name);
        }
        Kind::And(parts) | Kind::Or(parts) => {
            let first = parts.first().map(|part| &part.span);
            let is_one_value =
                parts.len() > 1 && parts.iter().all(|part| Some(&part.span) == first);
            for part in parts {
                let place = if is_one_value { &node.span } else { &part.span };
                names_in(part, place, names);
            }
        }
        Kind::Not(inner) => names_in(inner, &inner.span, names),
        Kind::Then { left, right, .. } | Kind::Near { left, right, .. } => {
            names_in(left, &left.span, names);
            names_in(right, &right.span, names);
        }
        _ => {}
    }
}

fn write_call(out: &mut Terminal, call: &CallHits) -> Result<()> {
    let name = out.paint(&Style::new().bold(), printable(&call.call_id));
    let mut facts = vec![call.file.clone(), duration_text(call.duration_ms)];
    for (title, value) in [
        ("agent", &call.metadata.agent),
        ("campaign", &call.metadata.campaign),
    ] {
        facts.extend(value.as_ref().map(|value| format!("{title} {value}")));
    }
    facts.extend(call.metadata.started_at.clone());
    if call.total_hits as usize > call.hits.len() {
        facts.push(format!(
            "{} of {}",
            call.hits.len(),
            count(call.total_hits, "hit")
        ));
    }
    let facts = printable(&facts.join(" · "));
    writeln!(out, "{name}  {}", out.paint(&Style::new().dim(), facts))?;
    for moment in &call.moments {
        write_moment(out, moment)?;
    }
    for hit in &call.hits {
        write_hit(out, hit)?;
    }
    Ok(writeln!(out)?)
}

/// Something that belongs to the call: a silence, something that was not said.
fn write_moment(out: &mut Terminal, moment: &Moment) -> Result<()> {
    let what = match moment.kind {
        MomentKind::Silence => {
            let secs = moment.end_ms.saturating_sub(moment.start_ms) as f64 / 1000.0;
            format!("{secs:.1} s of silence")
        }
        MomentKind::Hit if moment.why.is_empty() => moment.name.clone(),
        MomentKind::Hit => format!("{}: {}", moment.name, moment.why),
        MomentKind::Pii => moment.name.clone(),
    };
    let time = format!("{:>8}", PlayTime(moment.play_from_ms).to_string());
    let dim = Style::new().dim();
    let what = out.paint(&dim, printable(&what));
    Ok(writeln!(out, "  {}  {what}", out.paint(&dim, time))?)
}

/// `  1:02.3  agent     这个产品【保证收益】`: the time is where to play from. What led to the hit of a
/// `THEN` stands before it, with `then` below.
fn write_hit(out: &mut Terminal, hit: &Hit) -> Result<()> {
    for (line, role) in earlier_lines(hit) {
        write_line(out, line.start_ms, line.party, &line.text, &line.highlights)?;
        if role == Role::Lead {
            let then = out.paint(&Style::new().dim(), "then");
            writeln!(out, "{:>10}  {then}", "")?;
        }
    }
    let (text, highlights) = match &hit.snippet {
        Some(snippet) => (&snippet.text, &snippet.highlights),
        None => (&hit.text, &hit.highlights),
    };
    write_line(out, hit.play_from_ms, hit.party, text, highlights)?;
    if highlights.is_empty() && !hit.spoken_highlights.is_empty() {
        // What matched was written otherwise: numbers, mostly.
        let spoken = (&hit.spoken, &hit.spoken_highlights);
        write_line(out, hit.play_from_ms, hit.party, spoken.0, spoken.1)?;
    }
    for line in &hit.after {
        write_line(out, line.start_ms, line.party, &line.text, &line.highlights)?;
    }
    Ok(())
}

/// What a line before a hit is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// It is the left side of a `THEN`.
    Lead,
    /// It stands near the hit.
    Context,
}

/// Leads and context in the order of the call; a lead that is near is no context.
fn earlier_lines(hit: &Hit) -> Vec<(&ContextLine, Role)> {
    let leads = hit.led_by.iter().map(|line| (line, Role::Lead));
    let around = hit.before.iter().map(|line| (line, Role::Context));
    let mut lines: Vec<_> = leads.chain(around).collect();
    lines.sort_by_key(|(line, _)| line.utterance);
    lines.dedup_by_key(|(line, _)| line.utterance);
    lines
}

fn write_line(
    out: &mut Terminal,
    from_ms: u64,
    party: auricle_contracts::Party,
    text: &str,
    highlights: &[Highlight],
) -> Result<()> {
    let head = format!(
        "  {}  {}  ",
        out.paint(&Style::new().dim(), format!("{:>8}", PlayTime(from_ms))),
        out.paint(
            &party_style(party),
            pad_to(party.as_str(), "customer".len())
        ),
    );
    // Where there is colour, marked by characters without columns: they are painted after wrapping.
    let (open, close) = if out.is_coloured() {
        (OPEN_MARK, CLOSE_MARK)
    } else {
        ('【', '】')
    };
    let (open, close) = (open.to_string(), close.to_string());
    let marked = auricle_search::mark(&printable(text), highlights, &open, &close);
    let room = out.width.saturating_sub(23);
    let mut is_open = false;
    for (line_idx, line) in wrap(&marked, room).into_iter().enumerate() {
        let shown = show_marks(out, &line, &mut is_open);
        let head = if line_idx == 0 {
            head.as_str()
        } else {
            "                      "
        };
        writeln!(out, "{head}{shown}")?;
    }
    Ok(())
}

/// Paints what is marked. A highlight may go on from line to line.
fn show_marks(out: &Terminal, line: &str, is_open: &mut bool) -> String {
    let hit_style = Style::new().bold().red();
    let mut shown = String::new();
    for part in line.split_inclusive([OPEN_MARK, CLOSE_MARK]) {
        let text = part.trim_end_matches([OPEN_MARK, CLOSE_MARK]);
        if *is_open && !text.is_empty() {
            shown += &out.paint(&hit_style, text);
        } else {
            shown += text;
        }
        if part.ends_with(OPEN_MARK) {
            *is_open = true;
        } else if part.ends_with(CLOSE_MARK) {
            *is_open = false;
        }
    }
    shown
}

fn write_facets(out: &mut Terminal, facets: &Facets) -> Result<()> {
    for (title, counts) in [
        ("party", &facets.party),
        ("agent", &facets.agent),
        ("campaign", &facets.campaign),
        ("region", &facets.region),
        ("rule", &facets.rule),
        ("emotion", &facets.emotion),
        ("intent", &facets.intent),
        ("score", &facets.score),
        ("month", &facets.month),
        ("day", &facets.day),
    ] {
        if !counts.is_empty() {
            writeln!(out, "\n{}", out.paint(&Style::new().bold(), title))?;
        }
        for FacetCount { value, hits, calls } in counts {
            writeln!(
                out,
                "  {}  {} in {}",
                pad_to(&printable(value), 16),
                count(*hits, "hit"),
                count(*calls, "call")
            )?;
        }
    }
    Ok(())
}
