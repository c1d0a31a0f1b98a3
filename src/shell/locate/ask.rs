//! The questions about one name, in the order of RFC 3263: NAPTR, SRV, addresses.
//!
//! Easy to get wrong: "there is no such record" is an answer, and silence is none. Where NAPTR or SRV are not answered,
//! as some routers at home do it, the address still serves, but in doubt: it does not replace what is known.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{RData, RecordType};

use super::{Found, Wanted};
use crate::base::{Family, Rng};
use crate::sip::Transport;
use crate::sip::locate::{self, First, MOST, Naptr, Srv};

/// How long a name server may think, and how often it is asked.
const PATIENCE: Duration = Duration::from_secs(3);
const TRIES: usize = 2;
/// How long an address holds that the system found, which does not say.
const SYSTEM_HOLDS: Duration = Duration::from_secs(300);
/// How long an address holds that was written down.
const WRITTEN_HOLDS: Duration = Duration::from_secs(86_400);

/// Whom to ask.
#[derive(Clone, Debug)]
pub(in crate::shell) enum NameServers {
    /// Those of the system (`/etc/resolv.conf`, `/etc/hosts`), read again for each name.
    System,
    /// This one.
    At(SocketAddr),
}

/// What became of one question.
enum Answer {
    Records(Vec<RData>),
    /// There are none of these.
    None,
    /// Nobody said.
    Silence(String),
}

impl NameServers {
    /// Everywhere that what is wanted is.
    pub(super) async fn find(&self, wanted: &Wanted, rng: &mut Rng) -> Result<Found, String> {
        let (name, port) = (wanted.host.name.as_str(), wanted.host.port);
        if let Ok(address) = name.parse::<IpAddr>() {
            return at_address(wanted, address);
        }
        let mut search = Search::new(self.resolver(), matches!(self, NameServers::System));
        match locate::first(wanted.host.written, wanted.transport) {
            First::Address => {}
            First::Naptr => {
                let mut offered = locate::offered(search.naptr(name).await);
                if offered.is_empty() {
                    offered = locate::services(name, None);
                }
                search.services(wanted, offered, rng).await;
            }
            First::Services => search.services(wanted, locate::services(name, wanted.transport), rng).await,
        }
        if search.targets.is_empty() && !search.is_denied {
            search.host(wanted, wanted.transport.unwrap_or_default(), name, port).await;
        }
        search.done(wanted)
    }

    fn resolver(&self) -> Option<TokioResolver> {
        let (provider, system) = (TokioRuntimeProvider::default(), matches!(self, NameServers::System));
        let builder = match self {
            NameServers::System => TokioResolver::builder(provider),
            NameServers::At(address) => {
                let mut connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
                connections.iter_mut().for_each(|connection| connection.port = address.port());
                let server = NameServerConfig::new(address.ip(), true, connections.to_vec());
                let mut builder =
                    TokioResolver::builder_with_config(ResolverConfig::from_name_servers(vec![server]), provider);
                *builder.options_mut() = ResolverOpts::default();
                Ok(builder)
            }
        };
        let mut builder = builder
            .inspect_err(|error| tracing::debug!(%error, "the system names no name server; only the system is asked"))
            .ok()?;
        let options = builder.options_mut();
        (options.timeout, options.attempts, options.cache_size) = (PATIENCE, TRIES, 64);
        // Whoever names a name server means it.
        if !system {
            options.use_hosts_file = hickory_resolver::config::ResolveHosts::Never;
        }
        builder.build().inspect_err(|error| tracing::debug!(%error, "no resolver")).ok()
    }
}

fn at_address(wanted: &Wanted, address: IpAddr) -> Result<Found, String> {
    let (transport, address) = (wanted.transport.unwrap_or_default(), SocketAddr::new(address, wanted.host.port));
    let family = Family::of(address.ip());
    if wanted.own.get(family).is_none() {
        return Err(format!("`{address}` is {family}, and [sip] listen names no address of it"));
    }
    Ok(Found {
        targets: vec![(transport, address)],
        records: vec![address.to_string()],
        valid: WRITTEN_HOLDS,
        doubt: None,
    })
}

/// One name being followed.
struct Search {
    resolver: Option<TokioResolver>,
    /// May the system be asked for what no name server knows?
    system: bool,
    targets: Vec<(Transport, SocketAddr)>,
    records: Vec<String>,
    until: Option<Instant>,
    doubt: Option<String>,
    /// SRV says that there is no such service.
    is_denied: bool,
    /// The name server says nothing about addresses of IPv6.
    is_mute_on_ipv6: bool,
}

impl Search {
    fn new(resolver: Option<TokioResolver>, system: bool) -> Search {
        let (targets, records) = (Vec::new(), Vec::new());
        let (until, doubt) = (None, None);
        Search { resolver, system, targets, records, until, doubt, is_denied: false, is_mute_on_ipv6: false }
    }

    async fn ask(&mut self, name: &str, kind: RecordType) -> Answer {
        let Some(resolver) = &self.resolver else { return Answer::None };
        // With a dot at its end no search domain is tried behind it.
        let whole = format!("{}.", name.trim_end_matches('.'));
        match resolver.lookup(whole.as_str(), kind).await {
            Ok(found) => {
                let records: Vec<RData> = found.answers().iter().map(|record| record.data.clone()).collect();
                self.hold(found.valid_until());
                Answer::Records(records)
            }
            Err(error) if error.is_no_records_found() || error.is_nx_domain() => Answer::None,
            Err(error) => Answer::Silence(sentence(name, kind, &error)),
        }
    }

    async fn naptr(&mut self, name: &str) -> Vec<Naptr> {
        let mut found = Vec::new();
        match self.ask(name, RecordType::NAPTR).await {
            Answer::Records(records) => {
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                found.extend(records.into_iter().filter_map(|record| match record {
                    RData::NAPTR(it) => Some(Naptr {
                        order: it.order,
                        preference: it.preference,
                        flags: text(&it.flags),
                        services: text(&it.services),
                        replacement: plain(&it.replacement.to_utf8()),
                    }),
                    _ => None,
                }));
            }
            Answer::None => {}
            Answer::Silence(why) => self.doubt = Some(why),
        }
        found.truncate(MOST);
        self.note(&found);
        found
    }

    /// Follows these services until the targets are many enough.
    async fn services(&mut self, wanted: &Wanted, services: Vec<(Transport, String)>, rng: &mut Rng) {
        let mut denied = false;
        for (transport, name) in
            services.into_iter().filter(|(it, _)| wanted.transport.is_none_or(|known| known == *it))
        {
            let records = match self.ask(&name, RecordType::SRV).await {
                Answer::Records(records) => records,
                Answer::None => continue,
                Answer::Silence(why) => {
                    // What comes behind that which is known matters little.
                    if self.targets.is_empty() {
                        self.doubt = Some(why);
                    }
                    continue;
                }
            };
            let mut found: Vec<Srv> = records.into_iter().filter_map(srv).collect();
            denied = denied || (!found.is_empty() && found.iter().all(|record| record.target.is_empty()));
            found.sort();
            self.note(&found);
            for (host, port) in locate::drawn(found, rng) {
                if self.targets.len() < MOST {
                    self.host(wanted, transport, &host, port).await;
                }
            }
        }
        self.is_denied = denied && self.targets.is_empty();
    }

    /// The addresses of a host.
    async fn host(&mut self, wanted: &Wanted, transport: Transport, host: &str, port: u16) {
        let mut addresses: Vec<IpAddr> = Vec::new();
        for (kind, family) in kinds(wanted) {
            // Some routers at home drop such a question, and waiting for it at each host would take longer than all may.
            if family == Family::V6 && self.is_mute_on_ipv6 && wanted.own.v4.is_some() {
                continue;
            }
            match self.ask(host, kind).await {
                Answer::Records(records) => addresses.extend(records.iter().filter_map(address)),
                Answer::None => {}
                Answer::Silence(why) => {
                    self.is_mute_on_ipv6 |= family == Family::V6;
                    self.doubt = Some(why);
                }
            }
        }
        if addresses.is_empty() {
            addresses = self.of_system(wanted, host).await;
        }
        // Name servers give them in another order each time; which one comes first is not to change with it.
        addresses.sort_by_key(|ip| (ip.is_ipv4(), *ip));
        addresses.dedup();
        self.note(&addresses);
        let room = MOST.saturating_sub(self.targets.len());
        self.targets.extend(addresses.into_iter().take(room).map(|ip| (transport, SocketAddr::new(ip, port))));
    }

    /// The system knows names that are in no DNS: its own, and those of the neighbours.
    async fn of_system(&mut self, wanted: &Wanted, host: &str) -> Vec<IpAddr> {
        if !self.system {
            return Vec::new();
        }
        let Ok(found) = tokio::net::lookup_host((host, 0)).await else { return Vec::new() };
        let found: Vec<IpAddr> =
            found.map(|address| address.ip()).filter(|ip| wanted.own.like(*ip).is_some()).take(MOST).collect();
        if !found.is_empty() {
            self.hold(Instant::now() + SYSTEM_HOLDS);
        }
        found
    }

    fn done(self, wanted: &Wanted) -> Result<Found, String> {
        let name = &wanted.host.name;
        let Search { targets, records, until, doubt, is_denied, .. } = self;
        match (targets.is_empty(), doubt) {
            // That is an answer, whatever else was not answered.
            (true, _) if is_denied => Err(format!("`{name}` says in its SRV records that it has no SIP service")),
            (true, Some(why)) => Err(why),
            (true, None) => {
                let families: Vec<String> = kinds(wanted).map(|(_, family)| family.to_string()).collect();
                Err(format!("there is no {} address behind the name `{name}`", families.join(" or ")))
            }
            (false, doubt) => {
                let valid = until.map_or(SYSTEM_HOLDS, |until| until.saturating_duration_since(Instant::now()));
                Ok(Found { targets, records, valid, doubt })
            }
        }
    }

    fn hold(&mut self, until: Instant) {
        self.until = Some(self.until.map_or(until, |known| known.min(until)));
    }

    fn note(&mut self, records: &[impl std::fmt::Debug]) {
        self.records.extend(records.iter().map(|record| format!("{record:?}")));
    }
}

/// The records that name addresses of use, with their families: those of IPv6 first.
fn kinds(wanted: &Wanted) -> impl Iterator<Item = (RecordType, Family)> {
    let all = [(RecordType::AAAA, Family::V6), (RecordType::A, Family::V4)];
    all.into_iter().filter(|(_, family)| wanted.own.get(*family).is_some())
}

fn srv(record: RData) -> Option<Srv> {
    let RData::SRV(it) = record else { return None };
    let target = plain(&it.target.to_utf8());
    Some(Srv { priority: it.priority, weight: it.weight, port: it.port, target })
}

fn address(record: &RData) -> Option<IpAddr> {
    match record {
        RData::A(it) => Some(IpAddr::V4(it.0)),
        RData::AAAA(it) => Some(IpAddr::V6(it.0)),
        _ => None,
    }
}

/// A name without the dot at its end; the root is nothing.
fn plain(name: &str) -> String {
    name.trim_end_matches('.').to_owned()
}

/// What stands in the log, in `status` and in `trunk.failed`.
fn sentence(name: &str, kind: RecordType, error: &NetError) -> String {
    match error {
        NetError::Timeout | NetError::NoConnections | NetError::Io(_) => {
            format!("`{name}` ({kind}) cannot be looked up: no name server answers")
        }
        error => format!("`{name}` ({kind}) cannot be looked up: {error}"),
    }
}
