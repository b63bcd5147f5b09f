//! Recording sessions over SIP: one dialog a call, all from one socket, one request after the other.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

/// How long an answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// The longest answer.
const LONGEST_BYTES: usize = 16_384;

/// All calls.
pub(crate) struct Sessions {
    socket: UdpSocket,
    server: String,
    own: String,
    dialogs: Vec<Dialog>,
    set_up_ms: Vec<u128>,
}

struct Dialog {
    id: String,
    to: String,
    target: String,
}

/// A request of a dialog.
struct Request<'r> {
    method: &'r str,
    number: u32,
    target: &'r str,
    to: &'r str,
    id: &'r str,
    /// Whole lines.
    headers: &'r str,
    body: &'r str,
}

impl Sessions {
    /// Calls to the program that listens there over UDP.
    ///
    /// # Errors
    /// When there is no socket.
    pub(crate) fn new(server: &str) -> Result<Self> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.connect(server)?;
        socket.set_read_timeout(Some(ANSWER_WITHIN))?;
        Ok(Self {
            own: socket.local_addr()?.to_string(),
            socket,
            server: server.to_owned(),
            dialogs: Vec::new(),
            set_up_ms: Vec::new(),
        })
    }

    /// Opens a call; the ports that its two streams go to.
    ///
    /// # Errors
    /// When it is refused, or not answered.
    pub(crate) fn open(&mut self) -> Result<Vec<u16>> {
        let number = self.dialogs.len();
        let id = format!("bench-{}-{number}", std::process::id());
        let target = format!("sip:recorder@{}", self.server);
        let to = format!("<{target}>");
        let body = recording(number);
        let invite = Request {
            method: "INVITE",
            number: 1,
            target: &target,
            to: &to,
            id: &id,
            headers: "Require: siprec\r\nContent-Type: multipart/mixed;boundary=part\r\n",
            body: &body,
        };
        let began = Instant::now();
        self.send(&invite)?;
        let answer = self.answer(&id, "1 INVITE")?;
        self.set_up_ms.push(began.elapsed().as_millis());
        let dialog = Dialog {
            to: header(&answer, "To")
                .context("an answer without `To`")?
                .to_owned(),
            target: contact(&answer).unwrap_or(target),
            id,
        };
        self.send(&dialog.request("ACK", 1))?;
        self.dialogs.push(dialog);
        let media = answer.split("m=audio ").skip(1);
        let ports = media.filter_map(|line| line.split(' ').next()?.parse().ok());
        let ports: Vec<u16> = ports.filter(|port| *port != 0).collect();
        ensure!(ports.len() == 2, "not both streams were taken: {answer}");
        Ok(ports)
    }

    /// Ends all calls.
    ///
    /// # Errors
    /// When one is not known to the program any more, or it does not answer.
    pub(crate) fn hang_up(&mut self) -> Result<()> {
        for dialog in std::mem::take(&mut self.dialogs) {
            self.send(&dialog.request("BYE", 2))?;
            self.answer(&dialog.id, "2 BYE")?;
        }
        Ok(())
    }

    /// How long set-ups took: the middle, and the most.
    pub(crate) fn set_up_ms(&self) -> (u128, u128) {
        let mut sorted = self.set_up_ms.clone();
        sorted.sort_unstable();
        let middle = sorted.get(sorted.len() / 2).copied();
        (
            middle.unwrap_or_default(),
            sorted.last().copied().unwrap_or_default(),
        )
    }

    fn send(&self, request: &Request<'_>) -> Result<()> {
        let Request {
            method,
            number,
            target,
            to,
            id,
            headers,
            body,
        } = request;
        let (own, length) = (&self.own, body.len());
        let text = format!(
            "{method} {target} SIP/2.0\r\n\
             Via: SIP/2.0/UDP {own};branch=z9hG4bK-{id}-{method}\r\n\
             Max-Forwards: 70\r\n\
             From: <sip:bench@{own}>;tag={id}\r\n\
             To: {to}\r\n\
             Call-ID: {id}\r\n\
             CSeq: {number} {method}\r\n\
             Contact: <sip:bench@{own}>;+sip.src\r\n\
             {headers}Content-Length: {length}\r\n\r\n{body}"
        );
        self.socket.send(text.as_bytes())?;
        Ok(())
    }

    /// The final answer to a request; what else comes is not looked at.
    fn answer(&self, id: &str, sequence: &str) -> Result<String> {
        let mut space = [0; LONGEST_BYTES];
        loop {
            let n_bytes = self.socket.recv(&mut space).context("no answer")?;
            let text = String::from_utf8_lossy(&space[..n_bytes]).into_owned();
            let is_of =
                header(&text, "Call-ID") == Some(id) && header(&text, "CSeq") == Some(sequence);
            let status = text.strip_prefix("SIP/2.0 ").filter(|_| is_of);
            match status.and_then(|status| status.bytes().next()) {
                None | Some(b'1') => {}
                Some(b'2') => return Ok(text),
                Some(_) => anyhow::bail!("refused: {text}"),
            }
        }
    }
}

impl Dialog {
    fn request<'d>(&'d self, method: &'d str, number: u32) -> Request<'d> {
        Request {
            method,
            number,
            target: &self.target,
            to: &self.to,
            id: &self.id,
            headers: "",
            body: "",
        }
    }
}

fn header<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let mut lines = text.split("\r\n").take_while(|line| !line.is_empty());
    lines.find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

fn contact(text: &str) -> Option<String> {
    let (_, behind) = header(text, "Contact")?.split_once('<')?;
    Some(behind.split('>').next()?.to_owned())
}

/// Session description and metadata of a call between an agent and a customer (RFC 7866, section 6; RFC 7865).
fn recording(number: usize) -> String {
    let session = format!("00000000-0000-4000-8000-{number:012}");
    let stream = |label: u32| {
        format!("m=audio 9 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=label:{label}\r\na=sendonly\r\n")
    };
    let streams = [1, 2].map(stream).concat();
    let party = |place: u32, user: &str| {
        format!(
            "<participant participant_id='p{place}'><nameID aor='sip:{user}@bench.example.com'/></participant>\
             <stream stream_id='t{place}' session_id='{session}'><label>{place}</label></stream>\
             <participantstreamassoc participant_id='p{place}'><send>t{place}</send></participantstreamassoc>"
        )
    };
    let parties = [party(1, "8001"), party(2, "customer")].concat();
    format!(
        "--part\r\nContent-Type: application/sdp\r\n\r\n\
         v=0\r\no=- {number} 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n{streams}\r\n\
         --part\r\nContent-Type: application/rs-metadata+xml\r\nContent-Disposition: recording-session\r\n\r\n\
         <?xml version='1.0' encoding='UTF-8'?>\r\n\
         <recording xmlns='urn:ietf:params:xml:ns:recording:1'><datamode>complete</datamode>\
         <session session_id='{session}'/>{parties}</recording>\r\n--part--\r\n"
    )
}
