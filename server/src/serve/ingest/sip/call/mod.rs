//! One call as SIP has it, from its INVITE to its end.
//!
//! ```text
//! INVITE ─▶ may it? ─▶ session ─▶ 200 ─▶ going on ─▶ BYE came ──────────────▶ over
//!              │          │                 │  ▲ └─▶ legs are over, timer, end ─▶ BYE ─▶ over
//!              └──────────┴─▶ refused       └──┘ re-INVITE, UPDATE
//! ```
//!
//! The library keeps transactions and dialogs: retransmissions, ACK, CANCEL, tags, CSeq. What it tells of a dialog comes on a
//! channel of that dialog's own.

mod clock;
mod reason;

use std::future::pending;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use rsipstack::dialog::DialogId;
use rsipstack::dialog::dialog::{
    DialogState, DialogStateReceiver, TerminatedReason, TransactionHandle,
};
use rsipstack::dialog::invite_dialog::InviteDialog;
use rsipstack::sip::{Header, Method, Request, Response, StatusCode, StatusCodeKind, Uri};
use rsipstack::transaction::Transaction;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use self::clock::{Clock, until};
use super::capture::{Tap, Tapped};
use super::refusal::Refusal;
use super::request::{
    Role, abilities, contact, contact_header, not_allowed, takes_update, told, value,
};
use super::session::{HungUp, Offer, Over, Reply, Session};
use super::way::Way;
use super::{SetUp, Sip, Stage};

/// Answers an INVITE outside of a call, and stays with the call to its end.
pub(super) async fn begin(sip: Arc<Sip>, mut tx: Transaction) {
    let came = Instant::now();
    let set_up = match sip.admit(&tx.original) {
        Ok(set_up) => set_up,
        Err(refusal) => return sip.refuse(&mut tx, &refusal).await,
    };
    // The other side sends it no more, which may take us a moment.
    if tx.send_trying().await.is_err() {
        return;
    }
    match open(&sip, &tx, set_up, came).await {
        Ok(call) => call.answer(tx).await,
        Err(refusal) => {
            sip.refuse(&mut tx, &refusal).await;
            // It is said again until the other side has it: nobody asks for it after a 100.
            let _ = tx.receive().await;
        }
    }
}

/// Opens dialog and session.
async fn open(
    sip: &Arc<Sip>,
    tx: &Transaction,
    set_up: SetUp,
    came: Instant,
) -> Result<Call, Refusal> {
    let SetUp { way, timer } = set_up;
    let reached_at = way.reached_at(sip.advertised);
    let contact = contact(&tx.original, way.transport, reached_at);
    let (sender, states) = sip.dialogs.new_dialog_state_channel();
    let own = Some(contact.clone());
    let dialog = sip
        .dialogs
        .get_or_create_server_invite(tx, sender, None, own);
    let dialog = dialog.map_err(|_| {
        Refusal::new(
            StatusCode::BadRequest,
            "malformed",
            "`Contact`, `From`, `To`, `CSeq` or `Record-Route` cannot be read",
        )
    })?;
    let tapped = sip.taps.open(&tx.original, way, came);
    let under_way = UnderWay::new(sip, dialog.id(), tapped);
    let (session, reply) = {
        let uri = tx.original.uri.to_string();
        let headers = told(&tx.original);
        let offer = offer(&tx.original, &uri, &headers, &way, reached_at.ip());
        sip.sessions.open(&offer, under_way.tap()).await?
    };
    Ok(Call {
        sip: Arc::clone(sip),
        role: match reply.is_siprec {
            true => Role::Recorder,
            false => Role::Listener,
        },
        update: match takes_update(&tx.original) {
            true => Refresh::Update,
            false => Refresh::Invite,
        },
        sdp: reply.sdp,
        dialog,
        states,
        session,
        way,
        contact,
        clock: Clock::new(timer),
        refreshing: None,
        under_way,
    })
}

fn offer<'a>(
    request: &'a Request,
    request_uri: &'a str,
    headers: &'a [(String, String)],
    way: &Way,
    local: IpAddr,
) -> Offer<'a> {
    Offer {
        call_id: value(request, "Call-ID").unwrap_or_default(),
        from: value(request, "From").unwrap_or_default(),
        to: value(request, "To").unwrap_or_default(),
        request_uri,
        headers,
        content_type: value(request, "Content-Type"),
        body: &request.body,
        peer: way.peer,
        local,
    }
}

/// A dialog that the library knows, counted. Dropped, it is forgotten.
struct UnderWay {
    sip: Arc<Sip>,
    id: DialogId,
    tapped: Tapped,
}

impl UnderWay {
    fn new(sip: &Arc<Sip>, id: DialogId, tapped: Tapped) -> Self {
        sip.under_way.send_modify(|n| *n = n.saturating_add(1));
        Self {
            sip: Arc::clone(sip),
            id,
            tapped,
        }
    }

    fn tap(&self) -> &Arc<Tap> {
        self.tapped.tap()
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.sip.dialogs.remove_dialog(&self.id);
        self.sip.under_way.send_modify(|n| *n = n.saturating_sub(1));
    }
}

/// How we say that a session goes on.
#[derive(Clone, Copy)]
enum Refresh {
    /// Without a session description (RFC 3311).
    Update,
    /// With the last one again, for those who know no UPDATE (RFC 4028, section 7.4).
    Invite,
}

/// A call that is answered.
struct Call {
    sip: Arc<Sip>,
    dialog: InviteDialog,
    states: DialogStateReceiver,
    session: Session,
    way: Way,
    contact: Uri,
    role: Role,
    update: Refresh,
    /// What was answered last.
    sdp: String,
    clock: Clock,
    /// A request of ours that says that the session goes on, under way.
    refreshing: Option<JoinHandle<Option<Response>>>,
    /// Last, so that the library forgets the dialog behind all else.
    under_way: UnderWay,
}

/// What happens to a call.
enum Next {
    State(Option<Box<DialogState>>),
    Over(Over),
    Due,
    Refreshed(Option<Response>),
    Ending,
}

/// How a call ends.
enum End {
    /// The other side said so, or is gone: nothing is said to it.
    Theirs(HungUp),
    /// We say so, with this reason; the session does not know it yet.
    Ours(HungUp, &'static str),
    /// The session is over by itself.
    Over(&'static str),
}

impl Call {
    /// Says yes, and stays.
    async fn answer(self, mut tx: Transaction) {
        let headers = self.answer_headers();
        let body = self.sdp.clone().into_bytes();
        // Where the other side has cancelled meanwhile, that comes out of the states.
        let _ = self.dialog.accept(Some(headers), Some(body));
        let mut dialog = self.dialog.clone();
        tokio::spawn(async move {
            let _ = dialog.handle(&mut tx).await;
        });
        self.stay().await;
    }

    /// Stays with the call to its end.
    async fn stay(mut self) {
        let mut stage = self.sip.stage.subscribe();
        let end = loop {
            let due = self.clock.due();
            let next = tokio::select! {
                state = self.states.recv() => Next::State(state.map(Box::new)),
                over = self.session.over() => Next::Over(over),
                response = refreshed(&mut self.refreshing) => Next::Refreshed(response),
                () = until(due) => Next::Due,
                () = ending(&mut stage) => Next::Ending,
            };
            let end = match next {
                Next::State(state) => self.told(state).await,
                Next::Over(over) => Some(End::Over(reason::of(&over))),
                Next::Refreshed(response) => self.refreshed(response),
                Next::Due => self.due(),
                Next::Ending => Some(End::Ours(HungUp::Draining, reason::STOPPING)),
            };
            if let Some(end) = end {
                break end;
            }
        };
        self.end(end).await;
    }

    async fn end(self, end: End) {
        let Self {
            dialog,
            session,
            refreshing,
            under_way,
            ..
        } = self;
        if let Some(refreshing) = refreshing {
            refreshing.abort();
        }
        match end {
            End::Theirs(why) => session.hang_up(why).await,
            End::Ours(why, reason) => {
                tokio::join!(session.hang_up(why), bye(&dialog, reason));
            }
            End::Over(reason) => {
                drop(session);
                bye(&dialog, reason).await;
            }
        }
        drop(under_way);
    }

    /// What the library tells of the dialog.
    async fn told(&mut self, state: Option<Box<DialogState>>) -> Option<End> {
        match state.map(|state| *state) {
            Some(DialogState::Terminated(_, why)) => Some(End::Theirs(match why {
                TerminatedReason::UacBye | TerminatedReason::UacCancel => HungUp::Bye,
                _ => HungUp::Lost,
            })),
            None => Some(End::Theirs(HungUp::Lost)),
            Some(DialogState::Updated(_, request, handle)) => {
                self.offered(&request, handle).await;
                None
            }
            Some(DialogState::Options(_, _, handle)) => {
                let _ = handle
                    .respond(StatusCode::OK, Some(abilities()), None)
                    .await;
                None
            }
            Some(
                DialogState::Info(_, _, handle)
                | DialogState::Notify(_, _, handle)
                | DialogState::Refer(_, _, handle)
                | DialogState::Message(_, _, handle)
                | DialogState::Publish(_, _, handle),
            ) => {
                refuse(&handle, &not_allowed()).await;
                None
            }
            Some(_) => None,
        }
    }

    /// A re-INVITE or an UPDATE. One that is refused changes nothing.
    async fn offered(&mut self, request: &Request, handle: TransactionHandle) {
        let taken = self.take(request).await;
        match taken {
            Ok(reply) => {
                let mut headers = self.answer_headers();
                if reply.is_none() {
                    headers.retain(|header| !matches!(header, Header::ContentType(_)));
                }
                let body = reply.map(String::into_bytes);
                let _ = handle.respond(StatusCode::OK, Some(headers), body).await;
            }
            Err(refusal) => {
                self.sip.note_refusal(&refusal, &self.way);
                refuse(&handle, &refusal).await;
            }
        }
    }

    /// Gives the session description of the answer, where it has one.
    async fn take(&mut self, request: &Request) -> Result<Option<String>, Refusal> {
        let timer = self.sip.timer(request)?;
        let way = Way::of(request).unwrap_or(self.way);
        let local = way.reached_at(self.sip.advertised).ip();
        let uri = request.uri.to_string();
        let headers = told(request);
        let offer = offer(request, &uri, &headers, &way, local);
        let reply = self.session.offered(&offer).await?;
        self.clock = Clock::new(timer);
        match reply {
            Some(Reply { sdp, .. }) => {
                self.sdp.clone_from(&sdp);
                Ok(Some(sdp))
            }
            // Without an offer it asks for ours (RFC 3261, section 14.2): nothing is to change.
            None if request.method == Method::Invite => Ok(Some(self.sdp.clone())),
            None => Ok(None),
        }
    }

    /// Headers of a 200 with a session description.
    fn answer_headers(&self) -> Vec<Header> {
        let mut headers = abilities();
        headers.push(contact_header(&self.contact, self.role));
        headers.push(Header::ContentType("application/sdp".into()));
        if let Some(timer) = self.clock.timer {
            headers.push(Header::SessionExpires(timer.session_expires().into()));
            if timer.is_required() {
                headers.push(Header::Require("timer".into()));
            }
        }
        headers
    }

    /// The session's timer: it is over, or we say that it goes on.
    fn due(&mut self) -> Option<End> {
        if self.clock.is_over() {
            return Some(End::Ours(HungUp::TimerExpired, reason::EXPIRED));
        }
        let timer = self.clock.take_refresh()?;
        let mut headers = vec![
            Header::SessionExpires(timer.our_session_expires().into()),
            Header::Supported("timer".into()),
        ];
        let (dialog, how, sdp) = (self.dialog.clone(), self.update, self.sdp.clone());
        self.refreshing = Some(tokio::spawn(async move {
            let answered = match how {
                Refresh::Update => dialog.update(Some(headers), None).await,
                Refresh::Invite => {
                    headers.push(Header::ContentType("application/sdp".into()));
                    dialog.reinvite(Some(headers), Some(sdp.into_bytes())).await
                }
            };
            answered.ok().flatten()
        }));
        None
    }

    /// What was answered to that. Without a good answer the session is over when its time is.
    fn refreshed(&mut self, response: Option<Response>) -> Option<End> {
        let (response, timer) = response.zip(self.clock.timer)?;
        if response.status_code == StatusCode::CallTransactionDoesNotExist {
            return Some(End::Theirs(HungUp::Lost));
        }
        if response.status_code.kind() == StatusCodeKind::Successful {
            let mut headers = response.headers.iter();
            let expires = headers.find_map(|header| match header {
                Header::SessionExpires(expires) => Some(expires.value()),
                _ => None,
            });
            self.clock = Clock::new(Some(timer.answered(expires)));
        }
        None
    }
}

async fn refuse(handle: &TransactionHandle, refusal: &Refusal) {
    let headers = Some(refusal.headers());
    let _ = handle.respond(refusal.status.clone(), headers, None).await;
}

/// Waits for a request of ours; without one, for ever. Nothing is lost where this is dropped while it waits.
async fn refreshed(request: &mut Option<JoinHandle<Option<Response>>>) -> Option<Response> {
    let Some(answer) = request else {
        return pending().await;
    };
    let response = answer.await.ok().flatten();
    *request = None;
    response
}

/// Says that it is over. Whatever is answered, or nothing: it is.
async fn bye(dialog: &InviteDialog, reason: &str) {
    let _ = dialog.bye_with_reason(reason.to_owned()).await;
}

/// Waits until calls are ended.
async fn ending(stage: &mut watch::Receiver<Stage>) {
    let _ = stage.wait_for(|stage| *stage == Stage::Ending).await;
}
