//! These are the addresses that are played: their schemes, and what of one is told.

/// The schemes that an address may have.
pub(crate) const SCHEMES: [&str; 5] = ["http", "https", "rtsp", "rtmp", "rtmps"];

/// What of an address is told, from the slashes behind its scheme on.
pub(crate) fn cut_address(address: &str) -> String {
    let host_at = address.find(|c| c != '/').unwrap_or(address.len());
    let (slashes, rest) = address.split_at(host_at);
    let is_login = |authority: &str| {
        let port = authority.rsplit_once(':').map_or("", |(_, port)| port);
        let is_port = port.bytes().all(|byte| byte.is_ascii_digit());
        !is_port && !authority.ends_with(']')
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let query_at = rest.find('?').unwrap_or(rest.len());
    // A password may have a `/`, or even a `?`, in it: then what looks like the host is none.
    let login = match (authority.contains('@'), authority.contains(':')) {
        (false, true) if is_login(authority) => rest.rfind('@'),
        (false, false) => None,
        _ => rest[..query_at].rfind('@'),
    };
    let told = login.map_or(rest, |at| &rest[at + 1..]);
    let told = match told.split_once('?') {
        Some((told, query)) if !query.is_empty() => format!("{told}?..."),
        _ => told.to_owned(),
    };
    format!("{slashes}{told}")
}
