use std::io::{self, ErrorKind};
use std::net::{TcpListener, ToSocketAddrs};

/// Why the mask server cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListenError {
    /// Not an address with a port.
    #[error(
        "\"{0}\" is not an address to listen at; write 127.0.0.1:9000 for this machine only, or \
         [::]:9000 for everybody who can reach it"
    )]
    NotAnAddress(String),
    /// A name nobody knows.
    #[error("nobody knows the address of \"{name}\" ({why}); write an IP address")]
    UnknownName {
        /// As it was written.
        name: String,
        /// The system's answer.
        why: io::Error,
    },
    /// Somebody else listens there.
    #[error(
        "another program listens at {0} already (`ss -ltnp` shows which); end it, or choose \
         another port with --listen"
    )]
    Taken(String),
    /// Not one of this machine's addresses.
    #[error("{0} is no address of this machine (`ip address` shows them); choose another")]
    NotOurs(String),
    /// A port that only root may have.
    #[error("listening at {0} is not allowed; choose a port above 1023 with --listen")]
    Forbidden(String),
    /// Anything else.
    #[error("cannot listen at {address}: {why}; choose another address with --listen")]
    Refused {
        /// As it was written.
        address: String,
        /// The system's answer.
        why: io::Error,
    },
}

/// Listens at `text`, `ADDRESS:PORT` or `NAME:PORT`; of a name's addresses, the first that can be
/// had.
///
/// # Errors
/// One sentence for whoever wrote `text`.
pub fn listen(text: &str) -> Result<TcpListener, ListenError> {
    let address = text.to_owned();
    // An address left out could mean this machine or all the world: nobody should guess.
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => {}
        _ => return Err(ListenError::NotAnAddress(address)),
    }
    let places = text.to_socket_addrs().map_err(|why| match why.kind() {
        ErrorKind::InvalidInput => ListenError::NotAnAddress(address.clone()),
        _ => ListenError::UnknownName { name: address.clone(), why },
    })?;
    let places: Vec<_> = places.collect();
    TcpListener::bind(&places[..]).map_err(|why| match why.kind() {
        ErrorKind::AddrInUse => ListenError::Taken(address),
        ErrorKind::AddrNotAvailable => ListenError::NotOurs(address),
        ErrorKind::PermissionDenied => ListenError::Forbidden(address),
        _ => ListenError::Refused { address, why },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_ports_and_names() {
        for text in ["127.0.0.1:0", "localhost:0", "0.0.0.0:0"] {
            assert!(listen(text).is_ok(), "{text}");
        }
        for text in
            ["", "9000", ":9000", "127.0.0.1", "127.0.0.1:", "a:b:c", "[::1]", "1.2.3.4:99999"]
        {
            let error = listen(text).unwrap_err();
            assert!(matches!(error, ListenError::NotAnAddress(_)), "{text}: {error}");
        }
        // A test network that no machine has (RFC 5737).
        assert!(matches!(listen("192.0.2.1:9000"), Err(ListenError::NotOurs(_))));
        let first = listen("127.0.0.1:0").unwrap();
        let second = listen(&first.local_addr().unwrap().to_string());
        assert!(matches!(second, Err(ListenError::Taken(_))));
    }
}
