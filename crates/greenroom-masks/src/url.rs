use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use hyper::Uri;

/// Where a mask server is: `http://HOST[:PORT][/PATH]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaskServerUrl {
    host: String,
    port: u16,
    path: String,
}

impl MaskServerUrl {
    /// A name, or an address without brackets.
    pub fn host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    /// TCP port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What is asked for, `/` at least.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What stands in the header `Host`.
    pub fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// Whether pictures that are sent there stay on this machine.
    pub fn is_this_machine(&self) -> bool {
        self.host == "localhost"
            || self.host().parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

impl FromStr for MaskServerUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| {
            format!(
                "\"{text}\" is no address of a mask server: {why}; write http://HOST:PORT, for \
                 example http://127.0.0.1:9000"
            )
        };
        let uri: Uri = text.parse().map_err(|error| wrong(&format!("{error}")))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => {
                return Err(format!(
                    "{text}: mask servers are asked over http only; have a tunnel or VPN keep it \
                     secret (ssh -L 9000:localhost:9000 HOST, then http://127.0.0.1:9000)"
                ));
            }
            _ => return Err(wrong("it does not begin with http://")),
        }
        let host = uri.host().filter(|host| !host.is_empty() && *host != "[]");
        let host = host.ok_or_else(|| wrong("it names no host"))?.to_owned();
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        if authority.contains('@') {
            // Not said again: this goes into logs.
            return Err(
                "the address of a mask server has a name or password in it, and these are \
                        not sent; write http://HOST:PORT"
                    .to_owned(),
            );
        }
        // `http` reads a port that is none as no port.
        let port = match uri.port_u16() {
            Some(0) => return Err(wrong("0 is no port")),
            Some(port) => port,
            None if authority.len() == host.len() => 80,
            None => return Err(wrong("its port is no number from 1 to 65535")),
        };
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        Ok(Self { host, port, path })
    }
}

impl fmt::Display for MaskServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path == "/" { "" } else { &self.path };
        write!(f, "http://{}:{}{path}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        let url = |text: &str| text.parse::<MaskServerUrl>();
        let bodypix = url("http://bodypix:9000").unwrap();
        assert_eq!((bodypix.host(), bodypix.port(), bodypix.path()), ("bodypix", 9000, "/"));
        assert!(!bodypix.is_this_machine());
        let six = url("http://[::1]:9000/masks?a=b").unwrap();
        assert_eq!((six.host(), six.port(), six.path()), ("::1", 9000, "/masks?a=b"));
        assert!(six.is_this_machine() && six.authority() == "[::1]:9000");
        assert_eq!(url("http://example").unwrap().port(), 80);
        for url in [bodypix, six] {
            assert_eq!(url.to_string().parse(), Ok(url));
        }
    }

    #[test]
    fn what_is_no_address_gets_a_sentence() {
        for (text, needle) in [
            ("", "http://HOST"),
            ("bodypix:9000", "http://HOST"),
            ("127.0.0.1", "does not begin with http://"),
            ("ftp://a", "does not begin with http://"),
            ("https://a:9000", "tunnel"),
            ("http://:9000", "http://HOST"),
            ("http://a:99999", "port"),
            ("http://a:0", "port"),
            ("http://me:secret@a:9000", "password"),
            ("http://a b", "http://HOST"),
        ] {
            let error = text.parse::<MaskServerUrl>().expect_err(text);
            assert!(error.contains(needle) && !error.contains('\n'), "{text}: {error}");
            assert!(!error.contains("secret@"), "{error}");
        }
    }
}
