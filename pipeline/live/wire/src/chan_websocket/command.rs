//! Commands to Asterisk.

/// What a listener may ask of the channel. Asterisk answers neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChanWebsocketCommand {
    /// Answers it, where it was dialled with the option `n`; otherwise it is answered when the connection is there.
    Answer,
    /// Hangs it up, and closes the connection.
    Hangup,
}

/// How events and commands are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ControlFormat {
    /// A line, `plain-text`: what Asterisk does where it is told nothing.
    PlainText,
    /// A JSON object: the option `f(json)`, or `control_message_format = json` in `chan_websocket.conf`.
    Json,
}

impl ChanWebsocketCommand {
    /// The text message to be sent.
    pub const fn text(self, format: ControlFormat) -> &'static str {
        match (self, format) {
            (Self::Answer, ControlFormat::PlainText) => "ANSWER",
            (Self::Answer, ControlFormat::Json) => r#"{"command":"ANSWER"}"#,
            (Self::Hangup, ControlFormat::PlainText) => "HANGUP",
            (Self::Hangup, ControlFormat::Json) => r#"{"command":"HANGUP"}"#,
        }
    }
}
