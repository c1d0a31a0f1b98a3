use crate::config::Settings;
use crate::config::tests::{complaints, read_text, read_without_trunk};
use crate::sip::digest::Hash;

const BLOCKS: &str = r#"
[registrar]
realm = "phones.example"
[[user]]
name = "ann"
password = "a long enough one"
"#;

fn read(more: &str) -> Settings {
    read_text(more).unwrap()
}

#[test]
fn without_its_block_there_is_no_registrar() {
    assert!(read("").registrar.is_none());
}

#[test]
fn the_smallest_registrar_takes_phones_of_private_networks_alone() {
    let registrar = read(BLOCKS).registrar.unwrap();
    let house = registrar.sip();
    assert_eq!((house.realm.as_str(), house.expires_s, house.phones_max), ("phones.example", (60, 3_600), 8));
    assert_eq!(house.hashes, [Hash::Sha256, Hash::Md5]);
    let allowed = |ip: &str| house.allow_from.iter().any(|range| range.contains(ip.parse().unwrap()));
    assert!(["192.168.1.9", "10.8.0.2", "100.64.0.1", "127.0.0.1", "fd00::1"].into_iter().all(allowed));
    assert!(!["198.51.100.7", "8.8.8.8", "2001:db8::1"].into_iter().any(allowed));
}

#[test]
fn a_phone_of_nobody_and_a_weak_password_are_told() {
    let weak = BLOCKS.replace("a long enough one", "1234");
    assert!(complaints(&weak)[0].contains("found 4 bytes (not shown)"), "{:?}", complaints(&weak));
    let slip = format!(
        "{BLOCKS}[[contact]]\nid = \"ann\"\nphones = [\"sip:anm@phones.example\", \"sip:ann@PHONES.example;x=1\"]\n"
    );
    let told = complaints(&slip);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("there is no user `anm`") && told[0].contains("ann"), "{told:?}");
}

#[test]
fn half_a_registrar_is_none() {
    for (more, wanted) in [
        ("[[user]]\nname = \"ann\"\npassword = \"a long enough one\"\n", "registrar: missing"),
        ("[registrar]\nrealm = \"phones.example\"\n", "user: missing"),
        (&BLOCKS.replace("realm = \"phones.example\"\n", ""), "registrar.realm: missing"),
        (&BLOCKS.replace("password = ", "#"), "user[1].password: missing"),
        (&format!("{BLOCKS}[[user]]\nname = \"ann\"\npassword = \"a long enough one\"\n"), "`ann` is taken"),
        (&BLOCKS.replace("[[user]]", "expires_min = \"2h\"\n[[user]]"), "longer than expires_max"),
        (&format!("{BLOCKS}[[trunk]]\nid = \"registrar\"\nproxy = \"192.0.2.9\"\n"), "another id for the trunk"),
    ] {
        let told = complaints(more);
        assert_eq!(told.len(), 1, "{more}: {told:?}");
        assert!(told[0].contains(wanted), "{told:?}");
    }
}

#[test]
fn no_trunk_is_needed_where_phones_register_here() {
    assert_eq!(read_without_trunk(BLOCKS).map(|settings| settings.trunks.len()), Ok(0));
    assert!(read_without_trunk("").is_err());
}
