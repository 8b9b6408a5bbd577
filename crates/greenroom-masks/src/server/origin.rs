//! Which requests are a web page's. A browser sends them for any page that its user looks at, also to
//! servers that listen to this machine only: a page must neither have pictures worked on nor, under a
//! name that it has pointed at 127.0.0.1 (DNS rebinding), read what comes out.

use std::net::IpAddr;

use hyper::Request;
use hyper::header::{HOST, ORIGIN};
use hyper::http::uri::Authority;

use super::refusal::Refusal;

/// Header in which browsers say which site a request comes from; `none`: its user asked for it.
const SEC_FETCH_SITE: &str = "sec-fetch-site";
/// Characters of a wrong name that the refusal repeats.
const MOST_NAME_CHARS: usize = 80;

/// The names under which a server on this machine may be asked for over loopback.
#[derive(Debug, Default)]
pub(super) struct OwnNames(Vec<String>);

impl OwnNames {
    /// Those of this machine, and those that its `/etc/hosts` gives to loopback.
    pub(super) fn of_this_machine() -> Self {
        let mut names = Vec::new();
        let mut add = |name: &str| names.push(name.trim().to_ascii_lowercase());
        if let Ok(name) = std::fs::read_to_string("/proc/sys/kernel/hostname") {
            add(&name);
            add(name.split('.').next().unwrap_or_default());
        }
        for line in std::fs::read_to_string("/etc/hosts").unwrap_or_default().lines() {
            let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
            let address = words.next().and_then(|word| word.parse().ok());
            if address.is_some_and(|address: IpAddr| address.is_loopback()) {
                words.for_each(&mut add);
            }
        }
        names.retain(|name| !name.is_empty());
        Self(names)
    }

    /// Refuses what a web page sends: `request`, which came to the address `local` of ours.
    pub(super) fn check<B>(&self, local: IpAddr, request: &Request<B>) -> Result<(), Refusal> {
        let headers = request.headers();
        let is_a_pages = headers.get_all(SEC_FETCH_SITE).iter().any(|site| site != "none");
        if is_a_pages || headers.contains_key(ORIGIN) {
            return Err(Refusal::WebPage);
        }
        // From other machines a server is asked for under names that only they know.
        if !local.to_canonical().is_loopback() {
            return Ok(());
        }
        let named = headers.get_all(HOST).iter().map(|name| name.as_bytes());
        let named = named.chain(request.uri().authority().map(|name| name.as_str().as_bytes()));
        // Browsers always send one; programs of HTTP/1.0 need not.
        for name in named {
            if !self.is_ours(local, name) {
                let name = String::from_utf8_lossy(name);
                let name = name.chars().take(MOST_NAME_CHARS).flat_map(char::escape_default);
                return Err(Refusal::OtherHost(name.collect()));
            }
        }
        Ok(())
    }

    /// Whether `host`, a name or address with or without a port, is this machine.
    fn is_ours(&self, local: IpAddr, host: &[u8]) -> bool {
        // Allowed for a service that has no name.
        if host.is_empty() {
            return true;
        }
        let Ok(authority) = Authority::try_from(host) else { return false };
        if authority.as_str().contains('@') {
            return false;
        }
        let name = authority.host().trim_end_matches('.').to_ascii_lowercase();
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = bare.parse::<IpAddr>() {
            return address.to_canonical().is_loopback() || address == local;
        }
        name == "localhost" || name.ends_with(".localhost") || self.0.contains(&name)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    fn outcome(local: IpAddr, uri: &str, headers: &[(&str, &str)]) -> Result<(), Refusal> {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        OwnNames(vec!["desk.example.org".into(), "bodypix".into()])
            .check(local, &request.body(()).unwrap())
    }

    #[test]
    fn over_loopback_only_names_of_this_machine_are_answered() {
        for local in [Ipv4Addr::LOCALHOST.into(), IpAddr::from(Ipv6Addr::LOCALHOST)] {
            for host in [
                "localhost",
                "LocalHost:9000",
                "localhost.:9000",
                "masks.localhost",
                "127.0.0.1:9000",
                "127.8.8.8",
                "[::1]:9000",
                "[::ffff:127.0.0.1]",
                "bodypix:9000",
                "desk.example.org",
                "",
            ] {
                assert_eq!(outcome(local, "/", &[("host", host)]), Ok(()), "{host}");
            }
            for host in [
                "evil.example.com",
                "evil.example.com:9000",
                "localhost.evil.example.com",
                "127.0.0.1.evil.example.com",
                "127.0.0.1@evil.example.com",
                "evil.example.com@127.0.0.1",
                "192.0.2.7",
                "[2001:db8::1]:9000",
                "router",
                "local host",
                "desk.example.org.evil.com",
            ] {
                let refused = outcome(local, "/", &[("host", host)]);
                assert!(matches!(refused, Err(Refusal::OtherHost(_))), "{host}: {refused:?}");
            }
            // Whichever of several a server of names would believe.
            let two = [("host", "localhost"), ("host", "evil.example.com")];
            assert!(outcome(local, "/", &two).is_err());
            assert!(outcome(local, "http://evil.example.com/", &two[..1]).is_err());
            assert_eq!(outcome(local, "/", &[]), Ok(()));
        }
    }

    #[test]
    fn from_other_machines_any_name_will_do() {
        let local = Ipv4Addr::new(172, 18, 0, 3).into();
        for host in ["bodypix:9000", "masks.example.org", "172.18.0.3:9000"] {
            assert_eq!(outcome(local, "/", &[("host", host)]), Ok(()));
        }
    }

    #[test]
    fn web_pages_are_refused_everywhere() {
        for local in [Ipv4Addr::LOCALHOST, Ipv4Addr::new(172, 18, 0, 3)] {
            for header in [
                ("origin", "http://evil.example.com"),
                ("origin", "null"),
                ("origin", "http://localhost:9000"),
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-site", "same-origin"),
            ] {
                let refused = outcome(local.into(), "/", &[("host", "localhost"), header]);
                assert_eq!(refused, Err(Refusal::WebPage), "{header:?}");
            }
            let typed_in = [("host", "localhost"), ("sec-fetch-site", "none")];
            assert_eq!(outcome(local.into(), "/", &typed_in), Ok(()));
            // As Node's fetch does it.
            let node = [("host", "localhost"), ("sec-fetch-mode", "cors"), ("accept", "*/*")];
            assert_eq!(outcome(local.into(), "/", &node), Ok(()));
        }
    }

    #[test]
    fn a_wrong_name_is_repeated_without_control_characters() {
        let request = Request::builder().header("host", &b"a\xffb\t"[..]).body(()).unwrap();
        let refused = OwnNames::default().check(Ipv4Addr::LOCALHOST.into(), &request);
        let said = refused.unwrap_err().to_string();
        assert!(said.is_ascii() && !said.chars().any(char::is_control), "{said}");
    }
}
