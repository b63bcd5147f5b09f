//! A user agent for tests: one dialog over a socket of its own.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::server::{PATIENCE, Server};

/// How long something is waited for that is not to come.
const MOMENT: Duration = Duration::from_millis(500);

/// Dialogs so far: each has a name of its own.
static N_AGENTS: AtomicU32 = AtomicU32::new(0);

/// How it is connected.
enum Wire {
    Udp(UdpSocket),
    /// And what was read of the next message.
    Tcp(TcpStream, Vec<u8>),
}

/// What sends requests, and answers those of the server.
pub(crate) struct Agent {
    wire: Wire,
    own: String,
    /// The `Call-ID`.
    pub(crate) call: String,
    /// Where requests go: the server, then the contact that it told.
    target: String,
    /// Behind the address in `To`, once the server told it.
    to_tag: String,
    /// `CSeq` of the last request.
    n_requests: u32,
    n_branches: u32,
}

/// A message that came.
#[derive(Debug)]
pub(crate) struct Message {
    text: String,
}

/// What is sent after the headers that all requests have.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    /// Whole lines.
    pub(crate) headers: String,
    pub(crate) body: String,
}

impl Said {
    /// A body of this type.
    pub(crate) fn body(kind: &str, body: &str) -> Self {
        Self {
            headers: format!("Content-Type: {kind}\r\n"),
            body: body.to_owned(),
        }
    }

    /// With this header, too.
    pub(crate) fn with(mut self, header: &str) -> Self {
        self.headers += header;
        self.headers += "\r\n";
        self
    }
}

impl Agent {
    pub(crate) fn over_udp(server: &Server) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(server.sip("udp")).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let own = socket.local_addr().unwrap().to_string();
        Self::new(Wire::Udp(socket), own, &server.sip("udp"))
    }

    pub(crate) fn over_tcp(server: &Server) -> Self {
        let stream = TcpStream::connect(server.sip("tcp")).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let own = stream.local_addr().unwrap().to_string();
        Self::new(Wire::Tcp(stream, Vec::new()), own, &server.sip("tcp"))
    }

    fn new(wire: Wire, own: String, server: &str) -> Self {
        let number = N_AGENTS.fetch_add(1, Ordering::Relaxed);
        Self {
            wire,
            call: format!("{}-{number}", std::process::id()),
            target: format!("sip:recorder@{server}"),
            own,
            to_tag: String::new(),
            n_requests: 0,
            n_branches: 0,
        }
    }

    /// Has requests outside the dialog go there: a user, and what stands behind the address.
    pub(crate) fn call_to(&mut self, user: &str, parameters: &str) {
        let server = self.target.rsplit('@').next().unwrap().to_owned();
        self.target = format!("sip:{user}@{server}{parameters}");
    }

    /// The next request of this method.
    pub(crate) fn request(&mut self, method: &str, said: &Said) -> String {
        self.n_requests += 1;
        self.n_branches += 1;
        self.same_request(method, said)
    }

    /// A request of this method with number and branch of the last one: an ACK that is no dialog's, a CANCEL.
    pub(crate) fn same_request(&self, method: &str, said: &Said) -> String {
        let (transport, suffix) = match self.wire {
            Wire::Udp(_) => ("UDP", ""),
            Wire::Tcp(..) => ("TCP", ";transport=tcp"),
        };
        let Self {
            own,
            call,
            target,
            to_tag,
            n_requests,
            n_branches,
            ..
        } = self;
        let Said { headers, body } = said;
        let length = match headers.contains("Content-Length") {
            true => String::new(),
            false => format!("Content-Length: {}\r\n", body.len()),
        };
        format!(
            "{method} {target} SIP/2.0\r\n\
             Via: SIP/2.0/{transport} {own};branch=z9hG4bK-{call}-{n_branches}\r\n\
             Max-Forwards: 70\r\n\
             From: <sip:source@{own}>;tag={call}\r\n\
             To: <sip:recorder@127.0.0.1>{to_tag}\r\n\
             Call-ID: {call}\r\n\
             CSeq: {n_requests} {method}\r\n\
             Contact: <sip:source@{own}{suffix}>\r\n\
             {headers}{length}\r\n{body}"
        )
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        match &mut self.wire {
            Wire::Udp(socket) => assert_eq!(socket.send(bytes).unwrap(), bytes.len()),
            // A server that does not want so much has closed.
            Wire::Tcp(stream, _) => {
                let _ = stream.write_all(bytes);
            }
        }
    }

    /// Sends a request and gives its final answer; that of an INVITE is acknowledged.
    pub(crate) fn ask(&mut self, method: &str, said: &Said) -> Message {
        let request = self.request(method, said);
        self.send(request.as_bytes());
        self.settle(method)
    }

    /// Waits for the final answer to the last request, and acknowledges that of an INVITE.
    pub(crate) fn settle(&mut self, method: &str) -> Message {
        let answer = self.answer_to(method);
        if method != "INVITE" {
            return answer;
        }
        if answer.status() < 300 {
            self.to_tag = answer.to_tag();
            if let Some(contact) = answer.contact() {
                self.target = contact;
            }
            self.n_branches += 1;
            let ack = self.same_request("ACK", &Said::default());
            self.send(ack.as_bytes());
        } else {
            let before = std::mem::replace(&mut self.to_tag, answer.to_tag());
            let ack = self.same_request("ACK", &Said::default());
            self.send(ack.as_bytes());
            self.to_tag = before;
        }
        answer
    }

    /// The final answer to the last request, or to the CANCEL that has its number.
    pub(crate) fn answer_to(&mut self, method: &str) -> Message {
        let wanted = Some(format!("{} {method}", self.n_requests));
        self.next_where(|message| message.status() >= 200 && message.header("CSeq") == wanted)
    }

    /// Waits for a request of the server, and answers it.
    pub(crate) fn asked(&mut self, method: &str) -> Message {
        let request = self.next_where(|message| message.text.starts_with(method));
        let mut answer = "SIP/2.0 200 OK\r\n".to_owned();
        for name in ["Via", "From", "To", "Call-ID", "CSeq"] {
            for value in request.headers(name) {
                answer += &format!("{name}: {value}\r\n");
            }
        }
        answer += "Content-Length: 0\r\n\r\n";
        self.send(answer.as_bytes());
        request
    }

    /// Ends the dialog.
    pub(crate) fn hang_up(&mut self) {
        let answer = self.ask("BYE", &Said::default());
        assert_eq!(answer.status(), 200, "{answer:?}");
    }

    fn next_where(&mut self, is_it: impl Fn(&Message) -> bool) -> Message {
        loop {
            let message = self.next().expect("the server closed");
            if is_it(&message) {
                return message;
            }
        }
    }

    /// What comes within a moment: a final answer's status, or 0 where nothing does, or the connection is closed.
    pub(crate) fn status_soon(&mut self) -> u16 {
        self.wait_for(MOMENT);
        let status = loop {
            match self.next() {
                Some(message) if message.status() >= 200 => break message.status(),
                Some(_) => {}
                None => break 0,
            }
        };
        self.wait_for(PATIENCE);
        status
    }

    fn wait_for(&mut self, longest: Duration) {
        let set = match &self.wire {
            Wire::Udp(socket) => socket.set_read_timeout(Some(longest)),
            Wire::Tcp(stream, _) => stream.set_read_timeout(Some(longest)),
        };
        set.unwrap();
    }

    /// The next message; `None` where none came in time, or the server closed.
    fn next(&mut self) -> Option<Message> {
        let mut space = [0; 65_536];
        match &mut self.wire {
            Wire::Udp(socket) => match socket.recv(&mut space) {
                Ok(n_bytes) => Some(Message::of(&space[..n_bytes])),
                Err(cause) => {
                    let kinds = [ErrorKind::WouldBlock, ErrorKind::TimedOut];
                    assert!(kinds.contains(&cause.kind()), "{cause}");
                    None
                }
            },
            Wire::Tcp(stream, read) => loop {
                if let Some(message) = Message::take(read) {
                    return Some(message);
                }
                match stream.read(&mut space) {
                    Ok(0) | Err(_) => return None,
                    Ok(n_bytes) => read.extend(&space[..n_bytes]),
                }
            },
        }
    }
}

impl Message {
    fn of(bytes: &[u8]) -> Self {
        Self {
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    /// Takes a whole message off, where there is one.
    fn take(read: &mut Vec<u8>) -> Option<Self> {
        let head = read.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
        let length = Self::of(&read[..head]).header("Content-Length");
        let whole = head + length.map_or(0, |length| length.parse::<usize>().unwrap());
        (read.len() >= whole).then(|| Self::of(&read.drain(..whole).collect::<Vec<u8>>()))
    }

    /// Of an answer; 0 for a request.
    pub(crate) fn status(&self) -> u16 {
        let line = self.text.strip_prefix("SIP/2.0 ").unwrap_or_default();
        line.split(' ').next().unwrap().parse().unwrap_or_default()
    }

    fn headers(&self, wanted: &str) -> Vec<String> {
        let head = self.text.split("\r\n\r\n").next().unwrap();
        let lines = head.split("\r\n").filter_map(|line| line.split_once(':'));
        lines
            .filter(|(name, _)| name.trim().eq_ignore_ascii_case(wanted))
            .map(|(_, value)| value.trim().to_owned())
            .collect()
    }

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.headers(name).into_iter().next()
    }

    /// As it is written behind the address.
    fn to_tag(&self) -> String {
        let to = self.header("To").unwrap_or_default();
        let tag = to.split(";tag=").nth(1);
        tag.map_or_else(String::new, |tag| format!(";tag={tag}"))
    }

    fn contact(&self) -> Option<String> {
        let contact = self.header("Contact")?;
        let (_, behind) = contact.split_once('<')?;
        Some(behind.split('>').next()?.to_owned())
    }

    pub(crate) fn body(&self) -> &str {
        self.text.split("\r\n\r\n").nth(1).unwrap_or_default()
    }

    /// Of the media lines, in their order.
    pub(crate) fn audio_ports(&self) -> Vec<u16> {
        let lines = self.body().lines();
        let media = lines.filter_map(|line| line.strip_prefix("m=audio "));
        media
            .map(|media| media.split(' ').next().unwrap().parse().unwrap())
            .collect()
    }
}
