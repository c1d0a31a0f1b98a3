//! What is spoken with whom: `[sip] listen` and the transports of a trunk.

use super::{SMALLEST, complaints, complaints_of, read};
use crate::sip::{CallerIn, Transport};

#[test]
fn sip_listens_once_a_transport_in_each_family_and_for_tls_with_a_certificate() {
    for wrong in [
        "[]",
        "[\"udp:0.0.0.0:5060\", \"udp:0.0.0.0:5062\"]",
        "[\"udp:0.0.0.0:5060\", \"udp:[::]:5060\", \"udp:[::1]:5062\"]",
        "[\"udp:[::ffff:192.0.2.1]:5060\"]",
        "[\"udp:0.0.0.0:5060\", \"tls:0.0.0.0:5061\"]",
        "[\"sctp:0.0.0.0:5060\"]",
    ] {
        assert_eq!(complaints(&format!("[sip]\nlisten = {wrong}\n")).len(), 1, "{wrong}");
    }
    let settings = read(&format!("{SMALLEST}[sip]\nlisten = [\"tcp:0.0.0.0:5062\"]\n")).unwrap();
    let sip = settings.sip;
    // UDP is not wanted: its port is on loopback, where nobody knows it.
    assert!(sip.listen.v4.unwrap().ip().is_loopback() && sip.listen.v6.is_none());
    assert_eq!(sip.doors, [(Transport::Tcp, "0.0.0.0:5062".parse().unwrap())]);
    // Where we are is where the connections are taken.
    assert_eq!((sip.own, settings.media.address), (core::net::IpAddr::from([0, 0, 0, 0]).into(), sip.own));
}

const BOTH: &str = "[sip]\nlisten = [\"udp:0.0.0.0:5060\", \"udp:[::]:5060\"]\n";

#[test]
fn both_families_are_listened_on_together_and_addresses_are_one_or_one_for_each() {
    let sip = read(&format!("{SMALLEST}{BOTH}")).unwrap();
    assert_eq!((sip.sip.listen.v6, sip.sip.own.v6), ("[::]:5060".parse().ok(), "::".parse().ok()));
    assert_eq!((sip.media.address.v4, sip.media.address.v6), ("0.0.0.0".parse().ok(), "::".parse().ok()));
    let more = "public_address = \"203.0.113.5\"\n[media]\naddress = [\"192.0.2.5\", \"2001:db8::5\"]\n";
    let given = read(&format!("{SMALLEST}{BOTH}{more}")).unwrap();
    assert_eq!((given.sip.public_address.v4, given.sip.public_address.v6), ("203.0.113.5".parse().ok(), None));
    let voice = given.media.address;
    assert_eq!((voice.v4, voice.v6), ("192.0.2.5".parse().ok(), "2001:db8::5".parse().ok()));
    let one = read(&format!("{SMALLEST}{BOTH}[media]\naddress = \"2001:db8::5\"\n")).unwrap().media.address;
    assert_eq!(
        (one.v4, one.v6),
        ("0.0.0.0".parse().ok(), "2001:db8::5".parse().ok()),
        "what is left out is everywhere"
    );
    for wrong in
        ["[]", "[\"192.0.2.5\", \"192.0.2.6\"]", "[\"192.0.2.5\", \"home\"]", "[\"::1\", \"::2\", \"::3\"]", "5"]
    {
        assert_eq!(complaints(&format!("{BOTH}[media]\naddress = {wrong}\n")).len(), 1, "{wrong}");
    }
}

#[test]
fn an_address_of_a_family_in_which_nothing_listens_is_complained_about_with_its_line() {
    let trunk = "[[trunk]]\nid = \"six\"\nproxy = \"[2001:db8::1]:5062\"\n";
    let complaint = &complaints_of(&format!("{SMALLEST}{trunk}"))[0];
    let line = read(&format!("{SMALLEST}{trunk}")).unwrap_err()[0].line;
    assert_eq!(line, Some(SMALLEST.lines().count() + 3));
    assert!(complaint.contains("2001:db8::1 is IPv6, and nothing listens on IPv6"), "{complaint}");
    assert!(complaint.contains("\"udp:[::]:5060\" in sip.listen as well"), "{complaint}");
    assert!(read(&format!("{SMALLEST}{trunk}{BOTH}")).is_ok());
    let registrar = "[[trunk]]\nid = \"six\"\nregistrar = \"2001:db8::1\"\nusername = \"u\"\npassword = \"p\"\n";
    assert!(complaints_of(&format!("{SMALLEST}{registrar}"))[0].contains("registrar"));
    let six = "[sip]\nlisten = [\"udp:[::]:5060\"]\n";
    let four = complaints_of(&format!("{SMALLEST}{six}"));
    assert!(four.len() == 1 && four[0].contains("192.0.2.1 is IPv4, and nothing listens on IPv4"), "{four:?}");
    let house = "[registrar]\nrealm = \"house.test\"\naddress = \"2001:db8::2\"\n[[user]]\nname = \"sato\"\npassword = \"change me\"\n";
    assert!(complaints_of(&format!("{SMALLEST}{house}"))[0].contains("2001:db8::2 is IPv6"));
    assert!(read(&format!("{SMALLEST}{house}{BOTH}")).is_ok());
    // What is wrong in sip.listen is not told again at every address.
    assert_eq!(complaints_of(&format!("{SMALLEST}{trunk}[sip]\nlisten = [\"udp:[::]\"]\n")).len(), 1);
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
    let given = trunk("public_address = \"203.0.113.5\"").unwrap().trunks[0].public_address;
    assert_eq!((given.v4, given.v6), ("203.0.113.5".parse().ok(), None));
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
