//! Which endpoints the controller may speak to in place of a vendor's own hosts.
//!
//! https only; an address that is private, loopback or link-local is refused unless a flag allows it: whoever may write
//! a flag of the controller decides where credentials go, and nobody else. The address is checked after it was
//! resolved, each time a console is connected. Vendors' own hosts are in the adapters and are not checked here.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use url::Url;

#[cfg(test)]
mod tests;

/// What is allowed beyond public addresses over https.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Networks.
    pub networks: Vec<Network>,
    /// Plain http, in these networks.
    pub http: bool,
}

/// A set of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// This machine's own.
    Loopback,
    /// RFC 1918, RFC 6598 and unique local addresses.
    Private,
    /// Link-local addresses: cloud metadata services among them.
    LinkLocal,
    /// An address and how many of its bits count.
    Prefix(IpAddr, u8),
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("`{text}` is no network; write loopback, private, link-local or 10.1.0.0/16");
        match text {
            "loopback" => return Ok(Self::Loopback),
            "private" => return Ok(Self::Private),
            "link-local" => return Ok(Self::LinkLocal),
            _ => {}
        }
        let (address, bits) = text.split_once('/').ok_or_else(bad)?;
        let address: IpAddr = address.parse().map_err(|_| bad())?;
        let bits: u8 = bits.parse().map_err(|_| bad())?;
        if bits > if address.is_ipv4() { 32 } else { 128 } {
            return Err(bad());
        }
        Ok(Self::Prefix(address, bits))
    }
}

impl Network {
    fn holds(self, address: IpAddr) -> bool {
        match self {
            Self::Loopback => kind(address) == Kind::Loopback,
            Self::Private => kind(address) == Kind::Private,
            Self::LinkLocal => kind(address) == Kind::LinkLocal,
            Self::Prefix(network, bits) => match (network, address) {
                (IpAddr::V4(network), IpAddr::V4(address)) => {
                    let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
                    network.to_bits() & mask == address.to_bits() & mask
                }
                (IpAddr::V6(network), IpAddr::V6(address)) => {
                    let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
                    network.to_bits() & mask == address.to_bits() & mask
                }
                _ => false,
            },
        }
    }
}

/// What an address is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Public,
    Loopback,
    Private,
    LinkLocal,
    /// Unspecified, broadcast, multicast, documentation: never a console.
    Never,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "public",
            Self::Loopback => "a loopback address",
            Self::Private => "a private address",
            Self::LinkLocal => "a link-local address",
            Self::Never => "no address of a server",
        })
    }
}

fn kind(address: IpAddr) -> Kind {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            if v4.is_loopback() {
                Kind::Loopback
            } else if v4.is_private() || (a == 100 && (64..128).contains(&b)) {
                Kind::Private
            } else if v4.is_link_local() {
                Kind::LinkLocal
            } else if a == 0 || a >= 224 || v4.is_documentation() {
                Kind::Never
            } else {
                Kind::Public
            }
        }
        IpAddr::V6(v6) => {
            let first = v6.segments()[0];
            if v6.is_loopback() {
                Kind::Loopback
            } else if first & 0xfe00 == 0xfc00 {
                Kind::Private
            } else if first & 0xffc0 == 0xfe80 {
                Kind::LinkLocal
            } else if v6.is_unspecified() || v6.is_multicast() {
                Kind::Never
            } else {
                Kind::Public
            }
        }
    }
}

/// Why an endpoint is refused. Nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not https.
    #[error("{endpoint} is not https; start the controller with --allow-http-endpoints if that is meant")]
    NotHttps {
        /// Which.
        endpoint: String,
    },
    /// The name leads nowhere.
    #[error("{endpoint} cannot be resolved: {because}; check the name in --endpoint")]
    Unresolved {
        /// Which.
        endpoint: String,
        /// Why.
        because: String,
    },
    /// The name leads to an address that is not allowed.
    #[error(
        "{endpoint} is at {address}, {what}; start the controller with --allow-endpoint-networks if that is meant"
    )]
    NotAllowed {
        /// Which.
        endpoint: String,
        /// Where it leads.
        address: IpAddr,
        /// What that address is.
        what: String,
    },
}

impl Allowed {
    /// Whether one resolved address may be spoken to.
    fn address(&self, endpoint: &Url, address: IpAddr) -> Result<(), Refused> {
        let what = kind(address);
        if self.networks.iter().any(|network| network.holds(address)) {
            return Ok(());
        }
        let refused = |what: String| Refused::NotAllowed { endpoint: endpoint.to_string(), address, what };
        match what {
            Kind::Public if endpoint.scheme() == "https" => Ok(()),
            Kind::Public => Err(refused("and http is for allowed networks only".to_owned())),
            other => Err(refused(other.to_string())),
        }
    }

    /// Resolves the endpoint and checks every address that it leads to.
    pub async fn check(&self, endpoint: &Url) -> Result<(), Refused> {
        if endpoint.scheme() != "https" && !(self.http && endpoint.scheme() == "http") {
            return Err(Refused::NotHttps { endpoint: endpoint.to_string() });
        }
        let unresolved = |because: String| Refused::Unresolved { endpoint: endpoint.to_string(), because };
        let host = endpoint.host_str().ok_or_else(|| unresolved("it names no host".to_owned()))?;
        let port = endpoint.port_or_known_default().unwrap_or(443);
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let addresses: Vec<IpAddr> = tokio::net::lookup_host((host, port))
            .await
            .map_err(|error| unresolved(error.to_string()))?
            .map(|address| address.ip())
            .collect();
        if addresses.is_empty() {
            return Err(unresolved("it has no address".to_owned()));
        }
        addresses.into_iter().try_for_each(|address| self.address(endpoint, address))
    }
}

/// The endpoint of a Console: its namespaced name wins over its bare one.
pub fn of<'e>(endpoints: &'e BTreeMap<String, Url>, namespace: &str, console: &str) -> Option<&'e Url> {
    endpoints.get(&format!("{namespace}/{console}")).or_else(|| endpoints.get(console))
}
