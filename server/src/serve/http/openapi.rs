//! The HTTP interface as an OpenAPI 3.1 document: made of the routes that are served, so that neither can lack what the
//! other has.

use std::sync::{Arc, LazyLock};

use auricle_contracts::LiveEvent;
use auricle_wire::CallDescription;
use auricle_wire::listen::ClientText;
use axum::http::header;
use axum::response::IntoResponse;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{ContentBuilder, Ref, Response, ResponseBuilder};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use super::error::Mistake;
use super::{Served, groups};
use crate::serve::access::Role;

/// The schemes below, by name.
const BEARER: &str = "bearer";
const QUERY_KEY: &str = "query_key";
const AUDIOHOOK_KEY: &str = "audiohook_key";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Auricle",
        description = "Call-centre speech analytics: calls under way, alerts, past calls, search. Docs: docs/live.md.\n\nWithout configured keys this machine alone is let in, and no key is wanted. `security` of an operation names the role that a key needs: a supervisor may what an inspector may, support captures packets beside that, an integrator may everything else. Mistakes are JSON, whatever is wrong."
    ),
    components(schemas(Mistake, ClientText, CallDescription, LiveEvent)),
    tags(
        (name = "live", description = "What happens in calls under way."),
        (name = "ingest", description = "Audio of calls."),
        (name = "calls", description = "Calls under way, and saved ones."),
        (name = "alerts", description = "Alerts of live calls, and who saw to them."),
        (name = "search", description = "The query language over the saved calls."),
        (name = "jobs", description = "Work beside live calls."),
        (name = "webhooks", description = "Events sent to other programs."),
        (name = "configuration", description = "Packs, cards and words, read again while calls go on."),
        (name = "health", description = "Whether the program lives, is ready, and how it does."),
    ),
    modifiers(&Keys),
)]
struct Interface;

/// How keys are sent.
struct Keys;

impl Modify for Keys {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let mut bearer = Http::new(HttpAuthScheme::Bearer);
        bearer.description =
            Some("`Authorization: Bearer KEY`; `auricle api-key` makes keys.".to_owned());
        components.add_security_scheme(BEARER, SecurityScheme::Http(bearer));
        let query = ApiKeyValue::with_description(
            "key",
            "For browsers, which can send no headers with a WebSocket. Addresses may be logged on their way.",
        );
        let query = SecurityScheme::ApiKey(ApiKey::Query(query));
        components.add_security_scheme(QUERY_KEY, query);
        let audiohook = ApiKeyValue::with_description(
            "X-API-KEY",
            "A client of `live.audiohook.clients`, whose secret signs the request.",
        );
        let audiohook = SecurityScheme::ApiKey(ApiKey::Header(audiohook));
        components.add_security_scheme(AUDIOHOOK_KEY, audiohook);
    }
}

/// Who is let in, and by whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    /// Everybody.
    Open,
    /// Who has this role; the router looks.
    Key(Role),
    /// Who has this role; the route looks itself, and has refusals of its own.
    Own(Role),
    /// Who signs the request; the route looks itself.
    Signed,
}

/// Routes with the same door. There is no way to add one without its description.
pub(super) struct Group {
    pub(super) door: Door,
    routes: OpenApiRouter<Arc<Served>>,
    /// Connections that are refused count as such.
    pub(super) counts_refused: bool,
}

impl Group {
    pub(super) fn new(door: Door) -> Self {
        Self {
            door,
            routes: OpenApiRouter::new(),
            counts_refused: false,
        }
    }

    /// Adds what `utoipa_axum::routes!` makes of a handler and its `utoipa::path`.
    pub(super) fn with(mut self, mut routes: UtoipaMethodRouter<Arc<Served>>) -> Self {
        for item in routes.1.paths.values_mut() {
            for operation in operations(item) {
                self.door.describe(operation);
            }
        }
        self.routes = self.routes.routes(routes);
        self
    }

    pub(super) fn counting_refused(self) -> Self {
        Self {
            counts_refused: true,
            ..self
        }
    }

    pub(super) fn into_router(self) -> axum::Router<Arc<Served>> {
        self.routes.into()
    }
}

impl Door {
    fn describe(self, operation: &mut Operation) {
        if let Self::Key(role) | Self::Own(role) = self {
            let security = [BEARER, QUERY_KEY];
            let security = security.map(|name| SecurityRequirement::new(name, [role.as_str()]));
            operation.security = Some(security.to_vec());
        }
        if self == Self::Signed {
            let nothing: [&str; 0] = [];
            let security = SecurityRequirement::new(AUDIOHOOK_KEY, nothing);
            operation.security = Some(vec![security]);
        }
        let has_body = operation.request_body.is_some();
        let responses = &mut operation.responses.responses;
        let mut answer = |status: &str, description: &str| {
            let response = mistake(description);
            let entry = responses.entry(status.to_owned());
            entry.or_insert_with(|| response.into());
        };
        answer("503", "The server is full, or slow: ask again later.");
        if has_body {
            answer("408", "The body did not come in time.");
        }
        match self {
            Self::Open | Self::Own(_) | Self::Signed => {}
            Self::Key(role) => {
                answer("401", "There is no key, or nobody has it.");
                let role = role.as_str();
                answer("403", &format!("The key is not one of the role `{role}`."));
                answer("default", "Something is wrong.");
            }
        }
    }
}

fn mistake(description: &str) -> Response {
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Mistake")))
        .build();
    ResponseBuilder::new()
        .description(description)
        .content("application/json", content)
        .build()
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem {
        get,
        put,
        post,
        delete,
        patch,
        head,
        options,
        ..
    } = item;
    [get, put, post, delete, patch, head, options]
        .into_iter()
        .flatten()
}

/// The whole interface.
pub(crate) fn document() -> utoipa::openapi::OpenApi {
    let mut document = Interface::openapi();
    for group in groups() {
        document.merge(group.routes.into_openapi());
    }
    document
}

static TEXT: LazyLock<String> = LazyLock::new(|| document().to_json().unwrap_or_default());

/// This document, for programs that make clients of it. `auricle openapi` prints it, too.
#[utoipa::path(
    get,
    path = "/api/v1/openapi.json",
    operation_id = "get_openapi",
    tag = "health",
    responses((status = 200, description = "OpenAPI 3.1.", body = serde_json::Value, content_type = "application/json"))
)]
pub(super) async fn openapi() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], TEXT.as_str())
}
