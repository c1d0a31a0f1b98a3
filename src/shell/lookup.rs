//! Finds a trunk's proxy by its name, and goes on looking: at night a name server may be what broke.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::base::TrunkId;
use crate::sip::Hop;
use crate::switch::Input;

const AGAIN_WHEN_FOUND: Duration = Duration::from_secs(300);
const AGAIN_FIRST: Duration = Duration::from_secs(2);
const AGAIN_LAST: Duration = Duration::from_secs(60);

/// Tells the core where `proxy` (`host:port`) is, at first and whenever that changes. An IPv4 address is
/// preferred when hansho itself listens on IPv4, and so on.
pub async fn keep_looking(
    trunk: TrunkId,
    hop: impl Fn(SocketAddr) -> Hop,
    proxy: String,
    ipv4: bool,
    core: mpsc::Sender<Input>,
) {
    let mut known: Option<Result<Vec<SocketAddr>, String>> = None;
    let mut pause = AGAIN_FIRST;
    while !core.is_closed() {
        let found = find(&proxy, ipv4).await;
        let wait = if found.is_ok() { AGAIN_WHEN_FOUND } else { pause };
        pause = if found.is_ok() { AGAIN_FIRST } else { (pause * 2).min(AGAIN_LAST) };
        // An address that once worked is kept while the name server is away.
        let keeps = found.is_err() && matches!(known, Some(Ok(_)));
        if !keeps && known.as_ref() != Some(&found) {
            known = Some(found.clone());
            let _ = core
                .send(Input::TrunkAddress {
                    trunk: trunk.clone(),
                    found: found.map(|found| found.into_iter().map(&hop).collect()),
                })
                .await;
        }
        tokio::time::sleep(wait).await;
    }
}

/// Where `proxy` (`host:port`) is now: all of its addresses.
pub async fn find(proxy: &str, ipv4: bool) -> Result<Vec<SocketAddr>, String> {
    let found = tokio::net::lookup_host(proxy).await;
    let found = found.map_err(|error| format!("`{proxy}` cannot be looked up: {error}"))?;
    let mut addresses: Vec<SocketAddr> = found.filter(|address| address.is_ipv4() == ipv4).collect();
    // Name servers give them in another order each time; which one comes first is not to change with it.
    addresses.sort();
    addresses.dedup();
    match addresses.is_empty() {
        true => Err(format!("`{proxy}` has no {} address", if ipv4 { "IPv4" } else { "IPv6" })),
        false => Ok(addresses),
    }
}
