//! The look-ups that are under way, one a trunk, while trunks come and go.
//!
//! It never answers for a look-up that was ended: where a trunk moved, what its former name led to may come late, and
//! would send calls where it was.

use std::collections::HashMap;

use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::{NameServers, Wanted, keep_looking};
use crate::base::TrunkId;
use crate::switch::Input;

/// What was found and nobody has taken yet.
const WAITING: usize = 64;

/// Every look-up.
#[derive(Debug)]
pub(in crate::shell) struct Searches {
    servers: NameServers,
    running: HashMap<TrunkId, Running>,
    last: u64,
    tell: mpsc::Sender<(u64, Input)>,
    told: mpsc::Receiver<(u64, Input)>,
}

#[derive(Debug)]
struct Running {
    number: u64,
    task: AbortHandle,
}

impl Searches {
    /// None yet; these are asked.
    pub(in crate::shell) fn new(servers: NameServers) -> Searches {
        let (tell, told) = mpsc::channel(WAITING);
        Searches { servers, running: HashMap::new(), last: 0, tell, told }
    }

    /// Looks for a trunk from now on, in the place of what was looked for in its name.
    pub(in crate::shell) fn begin(&mut self, wanted: Wanted) {
        self.end(&wanted.trunk);
        self.last += 1;
        let (number, trunk) = (self.last, wanted.trunk.clone());
        let (found, mut news) = mpsc::channel(1);
        let (looking, tell) = (keep_looking(wanted, self.servers.clone(), found), self.tell.clone());
        let handing_on = async move {
            while let Some(input) = news.recv().await {
                // Whoever would hear of it ends.
                let _ = tell.send((number, input)).await;
            }
        };
        let task = tokio::spawn(async { tokio::join!(looking, handing_on) }).abort_handle();
        self.running.insert(trunk, Running { number, task });
    }

    /// Nobody looks for this trunk any more.
    pub(in crate::shell) fn end(&mut self, trunk: &TrunkId) {
        if let Some(running) = self.running.remove(trunk) {
            running.task.abort();
        }
    }

    /// Waits for what is found next. Nothing is lost when the waiting is given up.
    pub(in crate::shell) async fn found(&mut self) -> Input {
        loop {
            match self.told.recv().await {
                Some((number, input)) if self.running.values().any(|running| running.number == number) => return input,
                Some(_) => {}
                // Never, as we hold a sender ourselves.
                None => std::future::pending().await,
            }
        }
    }
}

impl Drop for Searches {
    fn drop(&mut self) {
        self.running.values().for_each(|running| running.task.abort());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Host;
    use crate::sip::Transport;

    fn wanted(address: &str) -> Wanted {
        Wanted {
            trunk: TrunkId::parse("main").unwrap(),
            host: Host { name: address.to_owned(), port: 5060, written: true },
            transport: Some(Transport::Udp),
            line: None,
            own: crate::base::PerFamily::from(std::net::IpAddr::from([127, 0, 0, 1])),
        }
    }

    fn address(input: &Input) -> String {
        let Input::TrunkAddress { found: Ok(found), .. } = input else { panic!("{input:?}") };
        found.targets[0].address.ip().to_string()
    }

    #[tokio::test]
    async fn what_a_trunk_was_called_before_is_not_told_any_more() {
        let mut searches = Searches::new(NameServers::System);
        searches.begin(wanted("192.0.2.1"));
        let first = searches.told.recv().await.unwrap();
        assert_eq!(address(&first.1), "192.0.2.1");
        // It lies there, found and not taken yet, when the trunk moves.
        searches.tell.send(first).await.unwrap();
        searches.begin(wanted("192.0.2.2"));
        assert_eq!(address(&searches.found().await), "192.0.2.2");
    }
}
