//! What is spoken with whom: `[sip] listen` and the transports of a trunk.

use super::{SMALLEST, complaints, read};
use crate::sip::Transport;

#[test]
fn sip_listens_once_a_transport_at_addresses_of_one_kind_and_for_tls_with_a_certificate() {
    for wrong in [
        "[]",
        "[\"udp:0.0.0.0:5060\", \"udp:0.0.0.0:5062\"]",
        "[\"udp:0.0.0.0:5060\", \"tcp:[::]:5060\"]",
        "[\"udp:0.0.0.0:5060\", \"tls:0.0.0.0:5061\"]",
        "[\"sctp:0.0.0.0:5060\"]",
    ] {
        assert_eq!(complaints(&format!("[sip]\nlisten = {wrong}\n")).len(), 1, "{wrong}");
    }
    let sip = read(&format!("{SMALLEST}[sip]\nlisten = [\"tcp:0.0.0.0:5062\"]\n")).unwrap().sip;
    // UDP is not wanted: its port is on loopback, where nobody knows it.
    assert!(sip.listen.ip().is_loopback());
    assert_eq!(sip.doors, [(Transport::Tcp, "0.0.0.0:5062".parse().unwrap())]);
}

#[test]
fn a_trunk_over_tls_is_at_another_port_and_its_authorities_are_read_from_their_file() {
    let trunk =
        |lines: &str| read(&SMALLEST.replace("proxy = \"192.0.2.1\"\n", &format!("proxy = \"192.0.2.1\"\n{lines}\n")));
    let tls = trunk("transport = \"TLS\"").unwrap().trunks.remove(0);
    assert_eq!((tls.transport, tls.proxy.port), (Some(Transport::Tls), 5061));
    let none = trunk("").unwrap().trunks.remove(0);
    assert_eq!((none.transport, none.proxy.port, none.ca), (None, 5060, None));
    let asked = trunk("options_every = \"30s\"").unwrap().trunks.remove(0);
    assert_eq!((asked.asked_every, none.asked_every), (Some(core::time::Duration::from_secs(30)), None));
    for wrong in ["transport = \"sctp\"", "options_every = \"1s\"", "transport = \"tls\"\nca_file = \"nowhere.pem\""] {
        assert_eq!(trunk(wrong).unwrap_err().len(), 1, "{wrong}");
    }
}
