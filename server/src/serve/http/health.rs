//! Whether the program lives, is ready, and how it does.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use auricle_live::{BOUNDS_MS, Histogram};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;

use super::Served;
use super::error::ApiError;
use crate::serve::ingest::sip::Sip;
use crate::serve::line_figures::{LineFigures, Spread};

/// Whether the program lives.
#[utoipa::path(
    get,
    path = "/healthz",
    operation_id = "get_health",
    tag = "health",
    responses((status = 200, description = "It does.", body = String, content_type = "text/plain"))
)]
pub(crate) async fn alive() -> &'static str {
    "alive\n"
}

/// Ready for calls: not full, not about to end.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "get_readiness",
    tag = "health",
    responses(
        (status = 200, description = "It takes calls.", body = String, content_type = "text/plain"),
        (status = 503, description = "It takes none; why.", body = String, content_type = "text/plain"),
    )
)]
pub(crate) async fn ready(State(served): State<Arc<Served>>) -> impl IntoResponse {
    let live = served.calls.live();
    let not_ready = match live.n_calls() >= served.config.live.most_calls {
        _ if served.is_draining.load(Ordering::Relaxed) => Some("about to end\n"),
        _ if live.has_failed() => Some("broken off\n"),
        true => Some("full\n"),
        false => None,
    };
    match not_ready {
        Some(cause) => (StatusCode::SERVICE_UNAVAILABLE, cause),
        None => (StatusCode::OK, "ready\n"),
    }
}

/// Figures in Prometheus' text format, version 0.0.4.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "get_metrics",
    tag = "health",
    responses((status = 200, description = "A line each.", body = String, content_type = "text/plain; version=0.0.4"))
)]
pub(crate) async fn metrics(
    State(served): State<Arc<Served>>,
) -> Result<impl IntoResponse, ApiError> {
    let live = served.calls.live();
    let (metrics, counts) = (live.metrics(), live.metrics().counts());
    let mut page = Page::default();
    page.gauge("live_calls", "calls under way", live.n_calls() as u64);
    page.gauge(
        "live_calls_unsaved",
        "calls that are over and not saved yet: the disk is behind, or full",
        served.calls.n_unsaved() as u64,
    );
    page.gauge(
        "live_events_waiting",
        "events that wait to be told",
        live.n_events_waiting() as u64,
    );
    let waiting = [
        (
            "live_packets_waiting",
            "packets that wait for the front end",
            counts.packets_waiting,
        ),
        (
            "live_speech_waiting_ms",
            "speech that waits for recognition",
            counts.speech_waiting_ms,
        ),
        (
            "live_reports_waiting",
            "partials, utterances and others that wait for judgement",
            counts.reports_waiting,
        ),
    ];
    for (name, help, value) in waiting {
        page.gauge(name, help, value);
    }
    if let Some(bytes) = resident_bytes() {
        page.gauge("resident_bytes", "memory of the process", bytes);
    }
    let counters = [
        ("live_calls_opened", "calls taken in", counts.calls_opened),
        (
            "live_calls_refused",
            "calls not taken in",
            counts.calls_refused,
        ),
        ("live_calls_ended", "calls over", counts.calls_ended),
        (
            "live_connections_refused",
            "connections refused, or ended because of what came",
            counts.connections_refused,
        ),
        (
            "live_legs_off_pace",
            "legs whose audio did not come at the pace of speech: the rate that was said may be wrong",
            counts.legs_off_pace,
        ),
        (
            "live_partials_shed",
            "partials left out under load",
            counts.partials_shed,
        ),
        (
            "live_voices_shed",
            "utterances whose voice was not measured under load: their emotion is told by words alone",
            counts.voices_shed,
        ),
        (
            "live_stalls",
            "turns in which a stage could not pass on what it had",
            counts.stalls,
        ),
        (
            "live_failures",
            "legs or utterances that could not be heard",
            counts.failures,
        ),
        (
            "live_vad_failures",
            "batches of frames that could not be judged",
            counts.vad_failures,
        ),
        ("live_steps", "steps of recognition", counts.steps),
        (
            "live_chunks",
            "chunks of speech that these steps took",
            counts.chunks,
        ),
    ];
    for (name, help, value) in counters {
        page.counter(name, help, value);
    }
    page.counter(
        "http_keys_refused",
        "requests that were not let in: no key, a wrong one, or one for something else",
        served.n_keys_refused.load(Ordering::Relaxed),
    );
    let announcements = served.calls.announcements();
    page.gauge(
        "live_announcements",
        "calls that were announced and did not begin yet",
        announcements.n_waiting,
    );
    page.counter(
        "live_announcements_forgotten",
        "calls that were announced and did not begin in time",
        announcements.n_forgotten,
    );
    if let Some(recordings) = served.calls.recordings() {
        let stats = recordings.stats();
        page.gauge(
            "recordings_open",
            "recordings of calls that are not saved yet",
            stats.n_open,
        );
        page.gauge(
            "recordings_longest_to_disk_ms",
            "the longest that audio waited for the disk, of the last minute or two, milliseconds",
            stats.longest_to_disk_ms,
        );
        page.counter(
            "recordings_failures",
            "writes of recordings that failed, a full disk's included",
            stats.n_failures,
        );
        page.counter(
            "recordings_unrecorded_samples",
            "samples that found no room in a recording, as the disk was full",
            stats.unrecorded_samples,
        );
    }
    page.histogram(
        "live_packet_to_partial",
        "from a packet's coming in to the partial that has its sound",
        &metrics.packet_to_partial,
    );
    page.histogram(
        "live_end_to_final",
        "from the end of the trailing silence to the final",
        &metrics.end_to_final,
    );
    page.histogram(
        "live_word_to_alert",
        "from the last word of a hit to its alert, told while the utterance goes on",
        &metrics.word_to_alert,
    );
    page.histogram(
        "live_word_to_alert_at_end",
        "from the last word of a hit to its alert, told when the utterance is over",
        &metrics.word_to_alert_at_end,
    );
    lines(served.calls.line_figures(), &mut page);
    if let Some(served) = &served.sip {
        sip(served, &mut page);
    }
    page.gauge(
        "live_events_unwritten",
        "events that were told and wait for the disk",
        served.archive.n_waiting(),
    );
    page.counter(
        "live_events_lost",
        "events that were told and could not be kept",
        served.archive.n_lost(),
    );
    reloads(&served, &mut page);
    webhooks(&served, &mut page).await?;
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], page.text))
}

/// How good the lines were of calls that are over.
fn lines(figures: &LineFigures, page: &mut Page) {
    page.spread(
        "live_line_mos",
        "mean opinion of a listener, estimated, of each line of calls that came in packets and are over",
        &figures.mos,
    );
    page.spread(
        "live_line_loss_ratio",
        "packets lost or late, of those that were sent, of each of these lines",
        &figures.loss_ratio,
    );
    let name = "live_line_problems_total";
    page.head(
        name,
        "lines of calls that are over, by what was wrong",
        "counter",
    );
    for (problem, n) in figures.problems() {
        let problem = problem.as_str();
        let _ = writeln!(page.text, "auricle_{name}{{problem=\"{problem}\"}} {n}");
    }
}

/// What SIP and RTP brought.
fn sip(served: &Sip, page: &mut Page) {
    let (counted, media) = (served.counted(), served.media_counts());
    let gauges = [
        (
            "sip_dialogs",
            "calls over SIP under way",
            served.n_dialogs(),
        ),
        (
            "sip_sessions",
            "of these, recordings and calls that are heard or stand by",
            served.n_sessions(),
        ),
        (
            "sip_transactions",
            "requests under way, and those that may be repeated",
            served.n_transactions(),
        ),
        (
            "rtp_ports_in_use",
            "pairs of ports for audio that are in use",
            media.ports_in_use,
        ),
        ("rtp_ports", "pairs of ports for audio", media.ports),
    ];
    for (name, help, value) in gauges {
        page.gauge(name, help, value as u64);
    }
    let counters = [
        (
            "sip_set_ups",
            "calls that were begun over SIP",
            counted.set_ups,
        ),
        (
            "sip_not_let_in",
            "messages and connections of those who may not call: `live.sip.allow`",
            counted.not_let_in,
        ),
        (
            "sip_unreadable",
            "messages and connections that are no SIP",
            counted.unreadable,
        ),
        (
            "sip_shed",
            "requests and connections that were dropped, as too many came at once",
            counted.shed,
        ),
        ("rtp_datagrams", "datagrams of audio", media.datagrams),
        ("rtp_bytes", "bytes of these", media.bytes),
        (
            "rtp_unreadable",
            "datagrams that are neither RTP nor RTCP",
            media.unreadable,
        ),
        (
            "rtp_unauthentic",
            "datagrams that SRTP refused",
            media.unauthentic,
        ),
        (
            "rtp_dropped_by_kernel",
            "datagrams that found no room in the kernel",
            media.dropped_by_kernel,
        ),
        (
            "rtp_no_room",
            "packets that were left out, as their call was too slow",
            media.no_room,
        ),
    ];
    for (name, help, value) in counters {
        page.counter(name, help, value);
    }
    let name = "sip_refused_total";
    page.head(name, "requests over SIP that were refused", "counter");
    for (reason, n) in counted.refused {
        let _ = writeln!(page.text, "auricle_{name}{{reason=\"{reason}\"}} {n}");
    }
}

/// What calls that open now are heard and judged by, and how it came there.
fn reloads(served: &Served, page: &mut Page) {
    let now = served.holder.now();
    let name = "live_in_force";
    page.head(
        name,
        "fingerprints of what new calls are judged and heard by",
        "gauge",
    );
    let (rules, hearing) = (now.judges.print(), now.hearing_print());
    let _ = writeln!(
        page.text,
        "auricle_{name}{{rules=\"{rules}\",hearing=\"{hearing}\"}} 1"
    );
    page.gauge(
        "live_in_force_kept",
        "sets of rules and words in memory: the one in force, and those that calls under way began with",
        served.holder.n_kept() as u64,
    );
    page.counter(
        "live_reloads",
        "times that rules and words were read again and put into force",
        served.reloader.n_good(),
    );
    page.counter(
        "live_reloads_refused",
        "times that something was wrong with them, and all stayed as it was",
        served.reloader.n_refused(),
    );
}

/// By webhook: what it took, and what it did not.
async fn webhooks(served: &Served, page: &mut Page) -> Result<(), ApiError> {
    let (mut delivered, mut failed) = (Vec::new(), Vec::new());
    let (mut waiting, mut dead) = (Vec::new(), Vec::new());
    for webhook in served.webhooks.all() {
        let name = &webhook.config.name;
        let counts = served.store.delivery_counts(name).await?;
        delivered.push((name.as_str(), webhook.n_delivered()));
        failed.push((name.as_str(), webhook.n_failed()));
        waiting.push((name.as_str(), counts.n_waiting));
        dead.push((name.as_str(), counts.n_dead));
    }
    let help = "events that a webhook took";
    page.by_webhook("webhook_delivered_total", help, "counter", &delivered);
    let help = "attempts that a webhook did not take";
    page.by_webhook("webhook_failed_total", help, "counter", &failed);
    let help = "events that wait for a webhook";
    page.by_webhook("webhook_waiting", help, "gauge", &waiting);
    let help = "events that a webhook never took";
    page.by_webhook("webhook_dead", help, "gauge", &dead);
    Ok(())
}

#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn head(&mut self, name: &str, help: &str, kind: &str) {
        let _ = writeln!(self.text, "# HELP auricle_{name} {help}");
        let _ = writeln!(self.text, "# TYPE auricle_{name} {kind}");
    }

    fn gauge(&mut self, name: &str, help: &str, value: u64) {
        self.head(name, help, "gauge");
        let _ = writeln!(self.text, "auricle_{name} {value}");
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) {
        let name = format!("{name}_total");
        self.head(&name, help, "counter");
        let _ = writeln!(self.text, "auricle_{name} {value}");
    }

    /// Names of webhooks need no escapes.
    fn by_webhook(&mut self, name: &str, help: &str, kind: &str, values: &[(&str, u64)]) {
        if values.is_empty() {
            return;
        }
        self.head(name, help, kind);
        for (webhook, value) in values {
            let _ = writeln!(self.text, "auricle_{name}{{webhook=\"{webhook}\"}} {value}");
        }
    }

    fn spread(&mut self, name: &str, help: &str, spread: &Spread) {
        self.head(name, help, "histogram");
        let now = spread.read();
        for (bound, n_within) in &now.within {
            let _ = writeln!(
                self.text,
                "auricle_{name}_bucket{{le=\"{bound}\"}} {n_within}"
            );
        }
        let (count, sum) = (now.count, now.sum);
        let _ = writeln!(self.text, "auricle_{name}_bucket{{le=\"+Inf\"}} {count}");
        let _ = writeln!(self.text, "auricle_{name}_sum {sum}");
        let _ = writeln!(self.text, "auricle_{name}_count {count}");
    }

    fn histogram(&mut self, name: &str, help: &str, histogram: &Histogram) {
        let name = format!("{name}_seconds");
        self.head(&name, help, "histogram");
        let measured = histogram.read();
        let mut n_within = 0;
        for (bound_ms, n) in BOUNDS_MS.iter().zip(measured.buckets) {
            n_within += n;
            let bound = *bound_ms as f64 / 1000.0;
            let _ = writeln!(
                self.text,
                "auricle_{name}_bucket{{le=\"{bound}\"}} {n_within}"
            );
        }
        let count = measured.count();
        let _ = writeln!(self.text, "auricle_{name}_bucket{{le=\"+Inf\"}} {count}");
        let sum = measured.sum_us as f64 / 1e6;
        let _ = writeln!(self.text, "auricle_{name}_sum {sum}");
        let _ = writeln!(self.text, "auricle_{name}_count {count}");
    }
}

/// Memory that the process holds; `None` where the system does not say.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}
