//! Traces of calls: where the time of each utterance went, by OpenTelemetry's protocol, for whoever asks for them.
//!
//! ```text
//! call ────────────────────────────────────────────────── save
//!   └ utterance: speech ─ endpoint ─ recognise ─ judge ─ tell
//! ```
//! Stages only note times; spans are made here, by the threads that tell and save.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use auricle_contracts::{AlertState, CallId, Happening};
use auricle_live::{Clock, MachineClock, UtteranceTimes};
use opentelemetry::trace::{Span, SpanBuilder, SpanKind, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};
use schemars::JsonSchema;
use serde::Deserialize;

use super::tls;

/// How long a collector may take.
const COLLECTED_WITHIN: Duration = Duration::from_secs(10);

/// `[live.traces]`.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TracesConfig {
    /// Where OpenTelemetry's collector takes traces over HTTP; without it there are none.
    #[schemars(example = &"http://127.0.0.1:4318")]
    pub(crate) endpoint: Option<String>,
    /// Share of the calls that are traced.
    #[schemars(range(min = 0, max = 1))]
    pub(crate) calls_ratio: f64,
}

impl Default for TracesConfig {
    fn default() -> Self {
        Self {
            endpoint: None,
            calls_ratio: 1.0,
        }
    }
}

/// Makes spans and sends them, behind everybody's back.
pub(crate) struct Traces {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    /// When the pipeline's clock was at 0.
    zero: SystemTime,
    /// The span of each call under way.
    calls: Mutex<HashMap<CallId, Context>>,
}

impl Traces {
    /// `None` where nobody asks for traces.
    ///
    /// # Errors
    /// When the endpoint is no address.
    pub(crate) fn begin(config: &TracesConfig, clock: &MachineClock) -> Result<Option<Self>> {
        let Some(endpoint) = &config.endpoint else {
            return Ok(None);
        };
        tls::install();
        let exporter = SpanExporter::builder()
            .with_http()
            .with_endpoint(address(endpoint))
            .with_timeout(COLLECTED_WITHIN)
            .build()
            .with_context(|| {
                format!("`live.traces.endpoint`: no traces can be sent to `{endpoint}`")
            })?;
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(Sampler::TraceIdRatioBased(config.calls_ratio))
            .with_resource(Resource::builder().with_service_name("auricle").build())
            .build();
        Ok(Some(Self {
            tracer: provider.tracer("auricle"),
            provider,
            zero: SystemTime::now() - Duration::from_micros(clock.now_us()),
            calls: Mutex::default(),
        }))
    }

    /// A call began, or an alert was told.
    pub(crate) fn happened(&self, call: &CallId, happening: &Happening) {
        match happening {
            Happening::CallStarted { source, engine, .. } => {
                let span = SpanBuilder::from_name("call")
                    .with_kind(SpanKind::Server)
                    .with_attributes([
                        KeyValue::new("call.id", call.0.clone()),
                        KeyValue::new("call.source", source.clone()),
                        KeyValue::new("call.engine", engine.clone()),
                    ]);
                let span = self.tracer.build_with_context(span, &Context::new());
                self.calls()
                    .insert(call.clone(), Context::new().with_span(span));
            }
            Happening::Alert(alert) if alert.state != AlertState::Confirmed => {
                if let Some(call) = self.calls().get(call) {
                    call.span().add_event(
                        "alert",
                        vec![
                            KeyValue::new("alert.rule", alert.hit.rule.clone()),
                            KeyValue::new("alert.state", alert.state.as_str()),
                        ],
                    );
                }
            }
            _ => {}
        }
    }

    /// An utterance is about to be told.
    pub(crate) fn utterance(&self, times: &UtteranceTimes) {
        let Some(call) = self.calls().get(&times.call_id).cloned() else {
            return;
        };
        let told = SystemTime::now();
        let at = |us: u64| self.zero + Duration::from_micros(us);
        let utterance = SpanBuilder::from_name("utterance")
            .with_start_time(at(times.began_us))
            .with_attributes([KeyValue::new("leg.party", times.party.as_str())]);
        let utterance = self.tracer.build_with_context(utterance, &call);
        let utterance = call.with_span(utterance);
        for (name, from, to) in [
            ("speech", at(times.began_us), at(times.ended_us)),
            ("endpoint", at(times.ended_us), at(times.closed_us)),
            ("recognise", at(times.closed_us), at(times.recognised_us)),
            ("judge", at(times.recognised_us), at(times.judged_us)),
            ("tell", at(times.judged_us), told),
        ] {
            let step = SpanBuilder::from_name(name).with_start_time(from);
            let mut step = self.tracer.build_with_context(step, &utterance);
            step.end_with_timestamp(to.max(from));
        }
        utterance.span().end_with_timestamp(told);
    }

    /// A call that is over was saved, or could not be; that began at `from`.
    pub(crate) fn saved(&self, call: &CallId, from: SystemTime) {
        let Some(call) = self.calls().remove(call) else {
            return;
        };
        let save = SpanBuilder::from_name("save").with_start_time(from);
        self.tracer.build_with_context(save, &call).end();
        call.span().end();
    }

    /// Sends what is left.
    pub(crate) fn end(&self) {
        if let Err(cause) = self.provider.shutdown() {
            tracing::warn!("not all traces are sent: {cause}");
        }
    }

    fn calls(&self) -> std::sync::MutexGuard<'_, HashMap<CallId, Context>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Collectors take traces at `/v1/traces` (OTLP specification 1.7, "OTLP/HTTP Request").
fn address(endpoint: &str) -> String {
    let without_scheme = endpoint
        .split_once("://")
        .map_or(endpoint, |(_, rest)| rest);
    match without_scheme.trim_end_matches('/').contains('/') {
        true => endpoint.to_owned(),
        false => format!("{}/v1/traces", endpoint.trim_end_matches('/')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_is_named_by_its_host_or_in_full() {
        for (said, meant) in [
            ("http://collector:4318", "http://collector:4318/v1/traces"),
            ("http://collector:4318/", "http://collector:4318/v1/traces"),
            (
                "https://traces.example/otlp/v1/traces",
                "https://traces.example/otlp/v1/traces",
            ),
        ] {
            assert_eq!(address(said), meant);
        }
    }
}
