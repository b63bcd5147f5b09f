//! Sockets of SIP, and what comes out of them.
//!
//! ```text
//! UDP ────────────▶ who? ─▶ message ─┐
//! TCP ─▶ who? ─▶ connection ─▶ message ─┴▶ way it came ─▶ not too many? ─▶ transactions
//! TLS ─▶ who? ─▶ handshake ─┘
//! ```
//!
//! The library that knows SIP can listen by itself. It is not asked to: then a socket that cannot be bound is no error, nobody
//! knows a port that was 0, a connection without a handshake stays for ever, and one datagram that it does not survive ends
//! all of UDP.
//!
//! **Invariant**: nothing of somebody who may not call is read beyond its sender's address.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use rsipstack::platform::CancellationToken;
use rsipstack::platform::net::UdpSocket as PlatformSocket;
use rsipstack::sip::{HeadersExt, Method, SipMessage, Transport};
use rsipstack::transaction::endpoint::EndpointInnerRef;
use rsipstack::transport::tcp::TcpConnection;
use rsipstack::transport::tls::TlsConnection;
use rsipstack::transport::udp::{UdpConnection, UdpInner};
use rsipstack::transport::{
    SipAddr, SipConnection, TcpListenerConnection, TlsConfig, TlsListenerConnection, TransportEvent,
};
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;

use super::address::{Door, Protocol};
use super::capture::Taps;
use super::config::SipConfig;
use super::counts::SipCounts;
use super::gate::{Entry, Gate, Rate};
use super::way::Way;
use crate::exit::usage;
use crate::serve::tcp::watch_over;

/// The longest datagram there is.
const LONGEST_DATAGRAM: usize = 65_535;
/// Datagrams that wait in the system: some hundred calls that begin at once.
const WAITING_BYTES: usize = 1 << 20;
/// Connections at a time: each takes 128 KiB.
const MOST_CONNECTIONS: usize = 2_048;
/// How long a connection may take to be encrypted.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// A connection over which nothing came for so long is closed: longer than the time after which a session says that it goes on.
const IDLE: Duration = Duration::from_secs(7_200);
/// After an error that concerns all that comes.
const PAUSE: Duration = Duration::from_millis(100);
/// Sent to keep a way through a NAT open, and its answer (RFC 5626, section 3.5.1).
const PING: &[u8] = b"\r\n\r\n";
const PONG: &[u8] = b"\r\n";

/// A socket that is bound.
pub(super) enum Bound {
    Udp(Arc<UdpSocket>, SocketAddr),
    Stream(Protocol, Arc<TcpListener>, SocketAddr),
}

impl Bound {
    /// # Errors
    /// Names the door that cannot be opened.
    pub(super) async fn open(door: Door) -> Result<Self> {
        let bound = match door.protocol {
            Protocol::Udp => Self::udp(door.address).await,
            Protocol::Tcp | Protocol::Tls => Self::stream(door).await,
        };
        bound.with_context(|| {
            format!("cannot listen on `{door}`\nhint: another program may listen there; `live.sip.listen` says where")
        })
    }

    async fn udp(address: SocketAddr) -> Result<Self> {
        let socket = UdpSocket::bind(address).await?;
        // It is no harm where the system gives less.
        let _ = SockRef::from(&socket).set_recv_buffer_size(WAITING_BYTES);
        let address = socket.local_addr()?;
        Ok(Self::Udp(Arc::new(socket), address))
    }

    async fn stream(door: Door) -> Result<Self> {
        let listener = TcpListener::bind(door.address).await?;
        let address = listener.local_addr()?;
        Ok(Self::Stream(door.protocol, Arc::new(listener), address))
    }

    /// Where it listens.
    pub(super) fn door(&self) -> Door {
        match self {
            Self::Udp(_, address) => Door {
                protocol: Protocol::Udp,
                address: *address,
            },
            Self::Stream(protocol, _, address) => Door {
                protocol: *protocol,
                address: *address,
            },
        }
    }
}

/// What makes connections encrypted, out of the files' contents.
///
/// # Errors
/// What is wrong with them; nothing of the key.
pub(super) fn tls_acceptor(certificates: &[u8], key: &[u8]) -> Result<TlsAcceptor> {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};

    let wrong = |key: &str, what: &str| usage(format!("`live.sip.{key}` {what}"));
    let chain = CertificateDer::pem_slice_iter(certificates).collect::<Result<Vec<_>, _>>();
    let chain = chain.unwrap_or_default();
    if chain.is_empty() {
        return Err(wrong("certificate_file", "must hold certificates, PEM"));
    }
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| {
        wrong(
            "key_file",
            "must hold a private key, PEM, without a password",
        )
    })?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|cause| anyhow!("TLS cannot be served: {cause}"))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|cause| {
            wrong(
                "certificate_file",
                &format!("does not go with the key: {cause}"),
            )
        })?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Takes what comes.
pub(super) struct Reader {
    endpoint: EndpointInnerRef,
    gate: Gate,
    requests: Rate,
    counts: Arc<SipCounts>,
    taps: Arc<Taps>,
    connections: Arc<Semaphore>,
    tls: Option<TlsAcceptor>,
}

impl Reader {
    /// # Errors
    /// When the configuration's networks cannot be read.
    pub(super) fn new(
        endpoint: EndpointInnerRef,
        config: &SipConfig,
        counts: &Arc<SipCounts>,
        taps: &Arc<Taps>,
        tls: Option<TlsAcceptor>,
    ) -> Result<Arc<Self>> {
        Ok(Arc::new(Self {
            endpoint,
            gate: Gate::new(config)?,
            requests: Rate::of_requests(config.most_set_ups_per_sec, Instant::now()),
            counts: Arc::clone(counts),
            taps: Arc::clone(taps),
            connections: Arc::new(Semaphore::new(MOST_CONNECTIONS)),
            tls,
        }))
    }

    /// Reads these sockets until the program ends. `told` says where the other side reaches a socket.
    ///
    /// # Errors
    /// Whatever the library says to sockets that are bound: nothing, as far as is known.
    pub(super) async fn begin(
        self: &Arc<Self>,
        sockets: Vec<Bound>,
        told: impl Fn(SocketAddr) -> SocketAddr,
    ) -> Result<()> {
        self.serve_library().await;
        let transports = &self.endpoint.transport_layer;
        for socket in sockets {
            let this = Arc::clone(self);
            match socket {
                Bound::Udp(socket, local) => {
                    let conn: Arc<dyn PlatformSocket> = socket.clone();
                    let addr = address(Transport::Udp, told(local));
                    let inner = UdpInner { conn, addr };
                    let connection = UdpConnection::attach(inner, None, None).await;
                    transports.add_transport(connection.clone().into());
                    go_on(move || {
                        let (this, socket) = (Arc::clone(&this), Arc::clone(&socket));
                        this.read_datagrams(socket, local, connection.clone())
                    });
                }
                Bound::Stream(protocol, listener, local) => {
                    transports.add_transport(named(protocol, told(local)).await?);
                    go_on(move || {
                        let (this, listener) = (Arc::clone(&this), Arc::clone(&listener));
                        this.accept(listener, protocol)
                    });
                }
            }
        }
        Ok(())
    }

    /// Timers, and connections that the library opens itself for requests of ours. Its first step is to listen by itself on all
    /// sockets that it knows: it must be over before it knows any.
    async fn serve_library(&self) {
        let endpoint = Arc::clone(&self.endpoint);
        let mut serving: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async move {
            // It ends with the program.
            let _ = endpoint.serve().await;
        });
        std::future::poll_fn(|context| {
            let _ = serving.as_mut().poll(context);
            Poll::Ready(())
        })
        .await;
        tokio::spawn(serving);
    }

    async fn read_datagrams(
        self: Arc<Self>,
        socket: Arc<UdpSocket>,
        local: SocketAddr,
        connection: UdpConnection,
    ) {
        let mut room = vec![0_u8; LONGEST_DATAGRAM];
        loop {
            let (n_bytes, peer) = match socket.recv_from(&mut room).await {
                Ok(received) => received,
                Err(cause) => {
                    tracing::debug!("SIP: nothing can be received: {cause}");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            if self.gate.entry(peer.ip()) == Entry::Closed {
                self.counts.not_let_in();
                continue;
            }
            let datagram = room.get(..n_bytes).unwrap_or_default();
            if datagram.trim_ascii().is_empty() {
                if datagram == PING {
                    let _ = socket.send_to(PONG, peer).await;
                }
                continue;
            }
            let message = SipMessage::try_from(datagram).ok().and_then(|message| {
                SipConnection::update_msg_received(message, peer, Transport::Udp).ok()
            });
            let Some(message) = message else {
                self.counts.unreadable();
                continue;
            };
            let way = Way::new(peer, local, Transport::Udp);
            self.take(message, connection.clone().into(), way).await;
        }
    }

    async fn accept(self: Arc<Self>, listener: Arc<TcpListener>, protocol: Protocol) {
        loop {
            let (stream, peer) = match listener.accept().await {
                Ok(accepted) => accepted,
                Err(cause) => {
                    tracing::warn!("SIP takes no connection: {cause}");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            if self.gate.entry(peer.ip()) == Entry::Closed {
                self.counts.not_let_in();
                continue;
            }
            let Ok(place) = Arc::clone(&self.connections).try_acquire_owned() else {
                self.counts.shed();
                continue;
            };
            watch_over(&stream);
            let this = Arc::clone(&self);
            tokio::spawn(async move {
                this.read_stream(stream, peer, protocol).await;
                drop(place);
            });
        }
    }

    /// Reads a connection to its end. Calls that were begun on it go on without it.
    async fn read_stream(&self, stream: TcpStream, peer: SocketAddr, protocol: Protocol) {
        let Ok(local) = stream.local_addr() else {
            return;
        };
        let over = CancellationToken::new();
        let connection = match protocol {
            Protocol::Tls => self.encrypt(stream, peer, local, &over).await,
            _ => {
                let named = address(Transport::Tcp, local);
                let connection = TcpConnection::from_stream(stream, named, Some(over.clone()));
                connection.ok().map(SipConnection::from)
            }
        };
        let Some(connection) = connection else {
            return;
        };
        let way = Way::new(peer, local, connection.transport());
        // It holds what was read and not taken yet: no more than what one read gives, as taking does not wait for calls.
        let (sender, mut messages) = mpsc::unbounded_channel();
        let reading = connection.clone();
        tokio::spawn(async move {
            // However it ends, the connection is over.
            let _ = reading.serve_loop(sender, IDLE).await;
        });
        while let Some(event) = messages.recv().await {
            if let TransportEvent::Incoming(message, connection, _) = event {
                self.take(message, connection, way).await;
            }
        }
        over.cancel();
        let _ = connection.close().await;
    }

    /// `None` where the other side does not do its part in time.
    async fn encrypt(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        local: SocketAddr,
        over: &CancellationToken,
    ) -> Option<SipConnection> {
        let acceptor = self.tls.as_ref()?;
        let handshake = tokio::time::timeout(HANDSHAKE_WITHIN, acceptor.accept(stream));
        let Ok(Ok(stream)) = handshake.await else {
            self.counts.unreadable();
            return None;
        };
        let named = |socket| address(Transport::Tls, socket);
        let over = Some(over.clone());
        let connection = TlsConnection::from_server_stream(stream, named(local), named(peer), over);
        connection.await.ok().map(SipConnection::from)
    }

    /// Has the library find the transaction of a message, or begin one.
    async fn take(&self, mut message: SipMessage, connection: SipConnection, way: Way) {
        self.taps.came(&message, way);
        if let SipMessage::Request(request) = &mut message {
            let is_inside = matches!(request.to_header().map(|to| to.tag()), Ok(Ok(Some(_))));
            let is_of_another = matches!(request.method, Method::Ack | Method::Cancel);
            if !is_inside && !is_of_another && !self.requests.takes(Instant::now()) {
                self.counts.shed();
                return;
            }
            way.mark(request);
        }
        let from = address(way.transport, way.peer);
        let taken = self
            .endpoint
            .on_received_message(message, connection, &from);
        if taken.await.is_err() {
            self.counts.unreadable();
        }
    }
}

/// A socket that the library names in what it sends, and does not serve.
async fn named(protocol: Protocol, told: SocketAddr) -> Result<SipConnection> {
    let connection = match protocol {
        Protocol::Tls => {
            let listener = TlsListenerConnection::new(told, None, TlsConfig::default()).await;
            listener.map(SipConnection::from)
        }
        Protocol::Udp | Protocol::Tcp => {
            let listener = TcpListenerConnection::new(told, None).await;
            listener.map(SipConnection::from)
        }
    };
    connection.map_err(|_| anyhow!("a socket of SIP is not taken"))
}

fn address(transport: Transport, address: SocketAddr) -> SipAddr {
    SipAddr::new(transport, address.into())
}

/// Has something go on until it ends by itself, after a defect, too.
fn go_on<Task>(begin: impl Fn() -> Task + Send + 'static)
where
    Task: Future<Output = ()> + Send + 'static,
{
    tokio::spawn(async move {
        while tokio::spawn(begin())
            .await
            .is_err_and(|ended| ended.is_panic())
        {
            tracing::error!("SIP: a message broke off its reader, which goes on: a defect");
        }
    });
}
