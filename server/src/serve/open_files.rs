//! Files that may be open: a recording for each call, a socket for each leg.

/// Raises what this process may open to what the system lets it. Many systems begin with 1,024, for programs that use
/// select(2).
#[cfg(unix)]
pub(super) fn allow_many() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return;
    }
    limit.current = limit.maximum;
    if let Err(cause) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!("no more files may be opened than the system began with: {cause}");
    }
}

/// The system has no such limit.
#[cfg(not(unix))]
pub(super) fn allow_many() {}
