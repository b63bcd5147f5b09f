//! What a BYE of ours says (RFC 3326).

use crate::serve::ingest::sip::session::Over;

const SILENT: &str = "SIP;cause=408;text=\"no audio came\"";
const TOO_LONG: &str = "Q.850;cause=16;text=\"no call may last longer\"";
const OVER: &str = "Q.850;cause=16;text=\"all streams are over\"";
const FAILED: &str = "SIP;cause=500;text=\"the call cannot be heard any more\"";
/// The session's timer expired (RFC 4028, section 10).
pub(super) const EXPIRED: &str = "SIP;cause=408;text=\"the session timer expired\"";
/// The program ends.
pub(super) const STOPPING: &str = "SIP;cause=503;text=\"the program ends\"";

/// Why a session is over by itself.
pub(super) const fn of(over: &Over) -> &'static str {
    match over {
        Over::Silent => SILENT,
        Over::TooLong => TOO_LONG,
        Over::LegsEnded => OVER,
        Over::Failed(_) => FAILED,
    }
}
