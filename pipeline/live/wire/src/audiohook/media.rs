//! Audio that is offered, and what is taken of it.

use auricle_contracts::Party;
use serde_json::Value;

use crate::layout::Layout;

/// Samples per second and channel of every session.
pub(super) const RATE_HZ: u32 = 8000;
/// What messages say that must be offered.
pub(super) const FORMAT: &str =
    "audio in PCMU, 8000 Hz, with the channels external, internal or both";

/// One kind of audio.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Media {
    channels: &'static [&'static str],
    /// Who is on the channels: the external one is the customer's.
    pub(super) layout: Layout,
}

/// All that is taken, the best first.
static CHOICES: [Media; 4] = [
    Media {
        channels: &["external", "internal"],
        layout: Layout::Split { agent_channel: 1 },
    },
    Media {
        channels: &["internal", "external"],
        layout: Layout::Split { agent_channel: 0 },
    },
    Media {
        channels: &["external"],
        layout: Layout::Single(Some(Party::Customer)),
    },
    Media {
        channels: &["internal"],
        layout: Layout::Single(Some(Party::Agent)),
    },
];

impl Media {
    /// The best of what is offered.
    pub(super) fn choose(offered: &[Value]) -> Option<&'static Self> {
        let is_offered = |media: &&Self| offered.iter().any(|offered| media.is(offered));
        CHOICES.iter().find(is_offered)
    }

    fn is(&self, offered: &Value) -> bool {
        let text = |key: &str| offered.get(key).and_then(Value::as_str);
        let rate_hz = offered.get("rate").and_then(Value::as_u64);
        let channels = offered.get("channels").and_then(Value::as_array);
        let is_ours = |channels: &Vec<Value>| {
            let names = channels.iter().map(Value::as_str);
            names.eq(self.channels.iter().map(|name| Some(*name)))
        };
        text("type") == Some("audio")
            && text("format") == Some("PCMU")
            && rate_hz == Some(u64::from(RATE_HZ))
            && channels.is_some_and(is_ours)
    }

    /// As `opened` has it.
    pub(super) fn json(&self) -> String {
        let names: Vec<_> = self
            .channels
            .iter()
            .map(|name| format!("\"{name}\""))
            .collect();
        let names = names.join(",");
        format!(r#"{{"type":"audio","format":"PCMU","channels":[{names}],"rate":{RATE_HZ}}}"#)
    }
}
