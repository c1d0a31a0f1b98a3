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
    let mut known: Option<Result<SocketAddr, String>> = None;
    let mut pause = AGAIN_FIRST;
    while !core.is_closed() {
        let found = find(&proxy, ipv4).await;
        let wait = if found.is_ok() { AGAIN_WHEN_FOUND } else { pause };
        pause = if found.is_ok() { AGAIN_FIRST } else { (pause * 2).min(AGAIN_LAST) };
        // An address that once worked is kept while the name server is away.
        let keeps = found.is_err() && matches!(known, Some(Ok(_)));
        if !keeps && known.as_ref() != Some(&found) {
            known = Some(found.clone());
            let _ = core.send(Input::TrunkAddress { trunk: trunk.clone(), found: found.map(&hop) }).await;
        }
        tokio::time::sleep(wait).await;
    }
}

/// Where `proxy` (`host:port`) is now.
pub async fn find(proxy: &str, ipv4: bool) -> Result<SocketAddr, String> {
    match tokio::net::lookup_host(proxy).await {
        Ok(mut addresses) => addresses
            .find(|address| address.is_ipv4() == ipv4)
            .ok_or_else(|| format!("`{proxy}` has no {} address", if ipv4 { "IPv4" } else { "IPv6" })),
        Err(error) => Err(format!("`{proxy}` cannot be looked up: {error}")),
    }
}
