//! What is spoken with whom: `[sip] listen` and the transports of a trunk.

use super::{SMALLEST, complaints, read};
use crate::sip::{CallerIn, Transport};

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
fn a_name_server_may_be_named_with_its_port_or_without() {
    let resolver = |text: &str| {
        read(&format!("{SMALLEST}[sip]\nresolver = \"{text}\"\n"))
            .map(|settings| settings.sip.resolver.unwrap().to_string())
    };
    assert_eq!(resolver("192.0.2.53").unwrap(), "192.0.2.53:53");
    assert_eq!(resolver("127.0.0.1:5353").unwrap(), "127.0.0.1:5353");
    assert_eq!(resolver("[::1]:53").unwrap(), "[::1]:53");
    for wrong in ["", "ns.example.com", "0.0.0.0", "127.0.0.1:0"] {
        assert_eq!(resolver(wrong).unwrap_err().len(), 1, "{wrong}");
    }
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
    let wants = |lines: &str| trunk(lines).unwrap().trunks.remove(0).caller_in;
    assert_eq!(wants(""), CallerIn { from: true, asserted: false, preferred: false });
    let both = wants("caller_id_in = [\"P-Asserted-Identity\", \"p-preferred-identity\"]");
    assert_eq!(both, CallerIn { from: false, asserted: true, preferred: true });
    assert_eq!(trunk("public_address = \"203.0.113.5\"").unwrap().trunks[0].public_address, "203.0.113.5".parse().ok());
    for wrong in [
        "public_address = \"2001:db8::1\"",
        "public_address = \"home\"",
        "caller_id_in = [\"to\"]",
        "caller_id_in = []",
        "transport = \"sctp\"",
        "options_every = \"1s\"",
        "transport = \"tls\"\nca_file = \"nowhere.pem\"",
    ] {
        assert_eq!(trunk(wrong).unwrap_err().len(), 1, "{wrong}");
    }
}
