//! The trunks of the configuration as others want them: the agent, TLS, whoever looks names up; at the start, and when the
//! file is read again.
//!
//! Easy to get wrong: a place that a trunk left is given to another one, and a connection that was made for the first
//! must not carry what is for the second, whose certificate may be another one.

use std::net::IpAddr;

use super::core::Core;
use super::locate::Wanted;
use super::transport::{Tls, TlsError, TlsSettings, TrunkTls};
use crate::base::PerFamily;
use crate::config::{Settings, Trunk};
use crate::sip::{self, NextTrunk, Renewed, Transport, TrunkRenewal};

/// The trunks for the agent, the one that is tried first at the front.
pub(super) fn for_agent(settings: &Settings) -> Vec<sip::Trunk> {
    let everywhere = settings.sip.public_address;
    let of = |trunk: &Trunk| sip::Trunk { public_address: trunk.public_address.or(everywhere), ..trunk.sip(None) };
    ordered(settings).into_iter().map(of).collect()
}

/// The same where others were there before.
pub(super) fn next(before: &Settings, after: &Settings) -> Vec<NextTrunk> {
    let moved = |trunk: &sip::Trunk| {
        let way = |settings: &Settings| {
            let found = settings.trunks.iter().find(|known| known.id == trunk.id);
            found.map(|known| (known.proxy.clone(), known.transport, known.ca.clone()))
        };
        way(before) != way(after)
    };
    for_agent(after).into_iter().map(|trunk| NextTrunk { moved: moved(&trunk), trunk }).collect()
}

/// Whose certificates are taken, a trunk each in the same order, and which is ours.
pub(super) fn tls(settings: &Settings) -> Result<Tls, TlsError> {
    let of = |trunk: &Trunk| {
        let is_name = |name: &&String| name.trim_matches(['[', ']']).parse::<IpAddr>().is_err();
        let names: Vec<String> = [&trunk.proxy.name, &trunk.domain].into_iter().filter(is_name).cloned().collect();
        let names = if names.is_empty() { vec![trunk.proxy.name.clone()] } else { names };
        let spoken = trunk.transport.is_none_or(|transport| transport == Transport::Tls);
        spoken.then(|| TrunkTls { names, ca: trunk.ca.clone() })
    };
    let (certificate, key) = (settings.sip.certificate.clone(), settings.sip.key.as_ref());
    let own = certificate.zip(key.map(|key| key.reveal().to_owned()));
    Tls::new(&TlsSettings { own, trunks: ordered(settings).into_iter().map(of).collect() })
}

/// What is looked for to find a trunk at this place; `own`: where we listen.
pub(super) fn wanted(trunk: &Trunk, place: usize, own: PerFamily<IpAddr>) -> Wanted {
    Wanted {
        trunk: trunk.id.clone(),
        host: trunk.proxy.clone(),
        transport: trunk.transport,
        line: u8::try_from(place).ok(),
        own,
    }
}

/// The trunks, the one that is tried first at the front.
pub(super) fn ordered(settings: &Settings) -> Vec<&Trunk> {
    let mut trunks: Vec<&Trunk> = settings.trunks.iter().collect();
    trunks.sort_by_key(|trunk| trunk.priority);
    trunks
}

impl Core {
    /// The corridor has other trunks: their certificates stand at their places before anything is sent, and those that
    /// are new are looked for. A sentence for each that is another one.
    pub(super) fn take_trunks(&mut self, done: &[TrunkRenewal], tls: &Tls) -> Vec<String> {
        let settings = self.settings.clone();
        let standing: Vec<&TrunkRenewal> = done.iter().filter(|it| it.what != Renewed::Removed).collect();
        let places: Vec<usize> = standing.iter().map(|it| it.place).collect();
        self.streams.renew(tls, &places);
        for trunk in done {
            match trunk.what {
                Renewed::Removed => self.searches.end(&trunk.id),
                Renewed::Added | Renewed::Moved => {
                    self.streams.leave(trunk.place);
                    if let Some(found) = settings.trunks.iter().find(|known| known.id == trunk.id) {
                        self.searches.begin(wanted(found, trunk.place, self.own));
                    }
                }
                Renewed::Same | Renewed::Changed => {}
            }
        }
        done.iter().filter_map(sentence).collect()
    }
}

fn sentence(TrunkRenewal { id, what, .. }: &TrunkRenewal) -> Option<String> {
    let what = match what {
        Renewed::Same => return None,
        Renewed::Added => "added",
        Renewed::Changed => "changed",
        Renewed::Moved => "moved: calls that are up go on where they are",
        Renewed::Removed => "removed: calls that are up go on to their end",
    };
    Some(format!("trunk {id}: {what}"))
}
