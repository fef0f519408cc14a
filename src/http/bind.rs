//! Taking an address, and saying in one sentence why it cannot be had.

use std::io;

use tokio::net::TcpListener;

/// Why nothing listens. The operator chooses another address (`http.listen`), or ends who has it.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Somebody else has it.
    #[error(
        "cannot listen on \"{address}\": the port is in use, perhaps by another rega; choose another with `http.listen`"
    )]
    InUse {
        /// The address as it was written.
        address: String,
    },
    /// Ports below 1024 need rights that a stream processor should not have.
    #[error(
        "cannot listen on \"{address}\": this user may not; choose a port from 1024 with `http.listen`"
    )]
    NotPermitted {
        /// The address as it was written.
        address: String,
    },
    /// It belongs to another machine.
    #[error(
        "cannot listen on \"{address}\": this machine does not have that address; 127.0.0.1 is local only, 0.0.0.0 is everywhere"
    )]
    NotHere {
        /// The address as it was written.
        address: String,
    },
    /// It is no address, or its name is unknown.
    #[error("cannot listen on \"{address}\": write host:port, such as 127.0.0.1:9464")]
    NoAddress {
        /// The address as it was written.
        address: String,
        /// What the resolver says.
        source: io::Error,
    },
    /// Anything else the system has against it.
    #[error("cannot listen on \"{address}\"")]
    Other {
        /// The address as it was written.
        address: String,
        /// What the system says.
        source: io::Error,
    },
}

/// Listens on `address` (`host:port`; port 0 takes any free one, which the listener then knows).
///
/// # Errors
///
/// The operator chooses another address; the message says what is wrong with this one.
pub async fn bind(address: &str) -> Result<TcpListener, BindError> {
    let resolved: Vec<_> = match tokio::net::lookup_host(address).await {
        Ok(addresses) => addresses.collect(),
        Err(source) => return Err(BindError::NoAddress { address: address.to_owned(), source }),
    };
    TcpListener::bind(&*resolved).await.map_err(|source| because(address.to_owned(), source))
}

fn because(address: String, source: io::Error) -> BindError {
    // Everything else is `Other`: the system's list grows.
    #[expect(clippy::wildcard_enum_match_arm, reason = "a foreign enum that grows")]
    match source.kind() {
        io::ErrorKind::AddrInUse => BindError::InUse { address },
        io::ErrorKind::PermissionDenied => BindError::NotPermitted { address },
        io::ErrorKind::AddrNotAvailable => BindError::NotHere { address },
        _ => BindError::Other { address, source },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_in_use_says_so() {
        let first = bind("127.0.0.1:0").await.unwrap();
        let address = first.local_addr().unwrap().to_string();
        let error = bind(&address).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "cannot listen on \"{address}\": the port is in use, perhaps by another rega; \
                 choose another with `http.listen`"
            )
        );
    }

    #[tokio::test]
    async fn what_is_no_address_is_told_how_to_write_one() {
        for address in ["9464", "127.0.0.1", "127.0.0.1:http:80", "127.0.0.1:99999", ""] {
            let error = bind(address).await.unwrap_err();
            assert!(matches!(error, BindError::NoAddress { .. }), "{address}: {error:?}");
        }
    }

    #[tokio::test]
    async fn another_machines_address_says_so() {
        // From the block that is reserved for documentation.
        let error = bind("192.0.2.1:9464").await.unwrap_err();
        assert!(matches!(error, BindError::NotHere { .. }), "{error:?}");
    }
}
