//! SIP: recordings of SIPREC, and calls that are made to us to be heard.
//!
//! ```text
//! listen ─▶ transactions ─▶ call ─▶ session ─▶ negotiate, naming ─▶ leg ─▶ carry
//!  (sockets)  (rsipstack)  (dialog)  (what is said of the call)      (RTP)
//! ```
//!
//! **Invariant**: what the library logs, whole messages among it, reaches no log (`logs.rs`).
//! **Invariant**: what is logged here has no number, no name, no body and no error of the library, which quotes them.

mod address;
mod call;
mod capture;
pub(crate) mod config;
mod counts;
mod digest;
mod doors;
mod duplicates;
mod gate;
mod leg;
mod listen;
mod naming;
mod negotiate;
mod problems;
mod refusal;
mod request;
mod session;
mod timer;
mod way;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use auricle_contracts::CallId;
use auricle_media::{Media, MediaCounts};
use rsipstack::EndpointBuilder;
use rsipstack::dialog::dialog::Dialog;
use rsipstack::dialog::dialog_layer::DialogLayer;
use rsipstack::platform::CancellationToken;
use rsipstack::sip::{HeadersExt, Method, Request, StatusCode};
use rsipstack::transaction::endpoint::EndpointInnerRef;
use rsipstack::transaction::{Transaction, TransactionReceiver};
use rsipstack::transport::{SipConnection, TransportLayer};
use tokio::runtime::Handle;
use tokio::sync::watch;

pub(crate) use self::capture::{CallCapture, NotCaptured};
use self::capture::{Inspector, Taps};
pub(crate) use self::counts::SipCounted;
use self::counts::SipCounts;
use self::digest::Guard;
pub(crate) use self::doors::{SipDoors, SipSecrets};
use self::gate::{Entry, Gate, Rate};
use self::listen::Reader;
use self::refusal::Refusal;
use self::request::{abilities, check, outside, timer_asked, value};
use self::session::Sessions;
use self::timer::SessionTimer;
use self::way::Way;
use super::leg_time::WallTime;
use super::not_taken::cause_and_hint;
use crate::clock;
use crate::serve::calls::Calls;
use crate::terminal::say;

/// How we are called where that is asked.
const USER_AGENT: &str = "Auricle";
/// How long what came may take to be heard at the end, and the other sides to say that they know of it.
const END_WITHIN: Duration = Duration::from_secs(5);

/// How far the program is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Serving,
    /// No more calls.
    Draining,
    /// Calls are ended.
    Ending,
}

/// Serves SIP.
pub(crate) struct Sip {
    calls: Arc<Calls>,
    sessions: Arc<Sessions>,
    media: Media,
    endpoint: EndpointInnerRef,
    dialogs: DialogLayer,
    reader: Arc<Reader>,
    gate: Gate,
    guard: Guard,
    set_ups: Rate,
    counts: Arc<SipCounts>,
    taps: Arc<Taps>,
    advertised: Option<IpAddr>,
    session_secs: u64,
    stage: watch::Sender<Stage>,
    /// Dialogs.
    under_way: watch::Sender<usize>,
    /// The second in which a refusal was told last.
    told_secs: AtomicU64,
    incoming: tokio::sync::Mutex<TransactionReceiver>,
}

/// What is known of a call that may begin.
struct SetUp {
    way: Way,
    timer: Option<SessionTimer>,
}

impl Sip {
    /// Has everything ready; nothing is read yet.
    ///
    /// # Errors
    /// What of it cannot be.
    pub(crate) fn new(
        doors: &mut SipDoors,
        calls: &Arc<Calls>,
        wall: WallTime,
        runtime: &Handle,
    ) -> Result<Arc<Self>> {
        let _in_runtime = runtime.enter();
        let (config, media) = (&doors.config, doors.media.clone());
        let over = CancellationToken::new();
        let taps = Arc::new(Taps::default());
        let endpoint = EndpointBuilder::new()
            .with_user_agent(USER_AGENT)
            .with_transport_layer(TransportLayer::new(over.clone()))
            .with_cancel_token(over)
            .with_inspector(Box::new(Inspector::new(&taps)))
            .build();
        let incoming = endpoint
            .incoming_transactions()
            .map_err(|_| anyhow!("SIP cannot be served"))?;
        let endpoint = endpoint.inner;
        let counts = Arc::new(SipCounts::default());
        let tls = doors.secrets.tls.take();
        Ok(Arc::new(Self {
            sessions: Sessions::new(config, Arc::clone(calls), media.clone(), wall)?,
            calls: Arc::clone(calls),
            media,
            dialogs: DialogLayer::new(Arc::clone(&endpoint)),
            reader: Reader::new(Arc::clone(&endpoint), config, &counts, &taps, tls)?,
            endpoint,
            gate: Gate::new(config)?,
            guard: Guard::new(std::mem::take(&mut doors.secrets.users), &config.realm)?,
            set_ups: Rate::new(config.most_set_ups_per_sec, Instant::now()),
            counts,
            taps,
            advertised: config.advertised_address,
            session_secs: config.session_secs,
            stage: watch::Sender::new(Stage::Serving),
            under_way: watch::Sender::new(0),
            told_secs: AtomicU64::new(0),
            incoming: tokio::sync::Mutex::new(incoming),
        }))
    }

    /// Takes calls until the program ends; says where.
    ///
    /// # Errors
    /// When the library does not take a socket.
    pub(crate) async fn listen(self: &Arc<Self>, doors: SipDoors) -> Result<()> {
        let listening: Vec<String> = doors
            .sockets
            .iter()
            .map(|socket| socket.door().to_string())
            .collect();
        let advertised = self.advertised;
        let told = |local: SocketAddr| match advertised {
            Some(address) => SocketAddr::new(address, local.port()),
            None => SipConnection::resolve_bind_address(local),
        };
        let serving = Arc::clone(self);
        tokio::spawn(async move { serving.serve().await });
        self.reader.begin(doors.sockets, told).await?;
        for door in listening {
            say!("listening: SIP on {door}");
        }
        let (address, ports) = (doors.config.rtp_address, doors.config.ports());
        let (first, last) = (ports.start(), ports.end());
        say!("listening: RTP on {address}, ports {first} to {last}");
        Ok(())
    }

    async fn serve(self: Arc<Self>) {
        let mut incoming = self.incoming.lock().await;
        while let Some(tx) = incoming.recv().await {
            let this = Arc::clone(&self);
            tokio::spawn(async move { this.answer(tx).await });
        }
    }

    /// Answers a request, and stays with a call that it begins.
    async fn answer(self: Arc<Self>, mut tx: Transaction) {
        let is_inside = matches!(tx.original.to_header().map(|to| to.tag()), Ok(Ok(Some(_))));
        if is_inside {
            return self.answer_inside(tx).await;
        }
        if tx.original.method == Method::Invite {
            return call::begin(self, tx).await;
        }
        let answered = check(&tx.original)
            .and_then(|()| outside(tx.original.method))
            .and_then(|()| self.is_serving());
        match answered {
            Ok(()) => {
                let _ = tx.reply_with(StatusCode::OK, abilities(), None).await;
            }
            Err(refusal) => self.refuse(&mut tx, &refusal).await,
        }
    }

    /// Within a call.
    async fn answer_inside(&self, mut tx: Transaction) {
        let refusal = match (check(&tx.original), self.dialogs.match_dialog(&tx)) {
            (Ok(()), Some(Dialog::Invite(mut dialog))) if !dialog.state().is_terminated() => {
                // What is wrong with it is answered by the library.
                let _ = dialog.handle(&mut tx).await;
                return;
            }
            (Err(refusal), Some(_)) => refusal,
            // None, or one that is over and not let go yet.
            (_, _) => Refusal::new(
                StatusCode::CallTransactionDoesNotExist,
                "no_call",
                "there is no such call",
            ),
        };
        self.refuse(&mut tx, &refusal).await;
    }

    /// Whether a call may begin, as far as that can be told without its body.
    ///
    /// # Errors
    /// Why not.
    fn admit(&self, request: &Request) -> Result<SetUp, Refusal> {
        let way = Way::of(request).ok_or_else(|| {
            let why = "nobody knows where this came from";
            Refusal::new(StatusCode::ServerInternalError, "malformed", why)
        })?;
        check(request)?;
        self.is_serving()?;
        if self.gate.entry(way.peer.ip()) == Entry::Password {
            let now_secs = clock::unix_ms() / 1_000;
            let authorization = value(request, "Authorization");
            let proven = self.guard.verify(authorization, request.method, now_secs);
            proven.map_err(|why| Refusal::unproven(why, self.guard.challenge(why, now_secs)))?;
        }
        self.counts.set_up();
        if !self.set_ups.takes(Instant::now()) {
            let why = "too many calls begin at once (`live.sip.most_set_ups_per_sec`)";
            return Err(Refusal::overloaded("rate", why));
        }
        Ok(SetUp {
            way,
            timer: self.timer(request)?,
        })
    }

    /// What is agreed about the session's timer.
    ///
    /// # Errors
    /// When what is asked for cannot be.
    fn timer(&self, request: &Request) -> Result<Option<SessionTimer>, Refusal> {
        Ok(timer_asked(request)?.agree(self.session_secs)?)
    }

    fn is_serving(&self) -> Result<(), Refusal> {
        match *self.stage.borrow() {
            Stage::Serving => Ok(()),
            Stage::Draining | Stage::Ending => Err(Refusal::overloaded(
                "draining",
                "the program is about to end",
            )),
        }
    }

    async fn refuse(&self, tx: &mut Transaction, refusal: &Refusal) {
        if let Some(way) = Way::of(&tx.original) {
            self.note_refusal(refusal, &way);
        }
        let headers = refusal.headers();
        let status = refusal.status.clone();
        let _ = tx.reply_with(status, headers, None).await;
    }

    /// Counts why something is refused, and logs it, one a second: anybody may send it. That a password is asked for is no
    /// refusal.
    fn note_refusal(&self, refusal: &Refusal, way: &Way) {
        if refusal.is_question() {
            return;
        }
        self.counts.refused(refusal.reason);
        self.calls.live().metrics().connection_refused();
        let now_secs = clock::unix_ms() / 1_000;
        if self.told_secs.swap(now_secs, Ordering::Relaxed) == now_secs {
            return;
        }
        let (cause, hint) = cause_and_hint(&refusal.why);
        let status = refusal.status.code();
        tracing::warn!(peer = %way.peer, status, hint, "SIP: a request is refused: {cause}");
    }

    /// Takes no more calls; those under way go on.
    pub(crate) fn drain(&self) {
        self.stage.send_replace(Stage::Draining);
    }

    /// Ends calls under way, and waits a little until the other sides know.
    pub(crate) async fn end(&self) {
        self.stage.send_replace(Stage::Ending);
        let mut under_way = self.under_way.subscribe();
        let all_over = under_way.wait_for(|n| *n == 0);
        let _ = tokio::time::timeout(END_WITHIN, all_over).await;
    }

    /// Captures the packets of a call from now on, for so long at most.
    ///
    /// # Errors
    /// When it did not come by SIP, somebody captures it, or too many calls are captured.
    pub(crate) fn capture(
        &self,
        call: &CallId,
        length: Duration,
    ) -> Result<CallCapture, NotCaptured> {
        CallCapture::begin(&self.taps, call, length)
    }

    /// Counts since the program began.
    pub(crate) fn counted(&self) -> SipCounted {
        self.counts.read()
    }

    /// Dialogs under way, those that are ending among them.
    pub(crate) fn n_dialogs(&self) -> usize {
        *self.under_way.borrow()
    }

    /// Sessions under way: recordings and calls that are heard.
    pub(crate) fn n_sessions(&self) -> usize {
        self.sessions.n_under_way()
    }

    /// Transactions that the library keeps.
    pub(crate) fn n_transactions(&self) -> usize {
        self.endpoint.get_stats().running_transactions
    }

    /// Counts of all streams.
    pub(crate) fn media_counts(&self) -> MediaCounts {
        self.media.counts()
    }
}
