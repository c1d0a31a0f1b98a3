//! The standard's own figures, and what servers make of them.

use super::*;
use proptest::prelude::*;

const NONCE: &str = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
const CNONCE: &str = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
const CHALLENGE: &str = "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=MD5, \
    nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";

fn get() -> Method {
    Method::parse("GET").unwrap()
}

#[test]
fn the_example_of_rfc_7616_section_3_9_1_comes_out_as_printed() {
    let sha = CHALLENGE.replace("MD5", "SHA-256");
    let of = |line: &str| {
        let challenge = strongest([line].into_iter()).unwrap();
        let value = Session::new(challenge, CNONCE).authorize("Mufasa", "Circle of Life", &get(), "/dir/index.html");
        assert!(value.contains(", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""), "{value}");
        assert!(value.ends_with(", qop=auth, nc=00000001"), "{value}");
        Credentials::parse(&value).unwrap()
    };
    assert_eq!(of(CHALLENGE).response, "8ca523f5e9506fed4657c9700eebdbec");
    assert_eq!(of(&sha).response, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
    assert_eq!(of(&sha).nonce, NONCE);
}

#[test]
fn a_server_without_qop_gets_the_form_of_rfc_2069() {
    let line = "Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"";
    let mut session = Session::new(strongest([line].into_iter()).unwrap(), CNONCE);
    let value = session.authorize("Mufasa", "CircleOfLife", &get(), "/dir/index.html");
    // The figure of RFC 2069 §2.4 with its erratum 749.
    assert!(value.contains("response=\"1949323746fe6a43ef61f9606e7febea\""), "{value}");
    assert!(["algorithm", "cnonce", "qop", "nc="].iter().all(|word| !value.contains(word)), "{value}");
}

#[test]
fn the_strongest_hash_is_chosen_wherever_it_stands() {
    let md5 = "Digest realm=\"a\", nonce=\"1\", algorithm=MD5, qop=\"auth\"";
    let sha = "digest realm = \"a, b\",nonce=\"2\",algorithm=\"sha-256\",qop=auth, stale=TRUE";
    let others = [
        "Basic realm=\"x\"",
        "Digest realm=\"a\", nonce=\"3\", algorithm=SHA-1024",
        "Digest realm=\"a\"",
        "",
        "Digest",
    ];
    let int = "Digest realm=\"a\", nonce=\"4\", algorithm=SHA-512-256, qop=\"auth-int\"";
    let chosen = strongest([md5, sha, int].into_iter().chain(others)).unwrap();
    assert_eq!((chosen.nonce.as_str(), chosen.realm.as_str(), chosen.stale), ("2", "a, b", true));
    let one_line = format!("{md5}, Basic realm=\"x\", {sha}");
    assert_eq!(Challenge::parse_all(&one_line).len(), 2);
    assert_eq!(strongest([one_line.as_str()].into_iter()), Some(chosen));
    assert_eq!(strongest(others.into_iter()), None);
    let second = md5.replace("\"1\"", "\"5\"");
    assert_eq!(strongest([md5, &second].into_iter()).unwrap().nonce, "1");
}

#[test]
fn the_count_rises_and_a_replay_is_noticed() {
    let challenge = Challenge::new("trunk", "n1", Hash::Sha256);
    let mut session = Session::new(challenge.clone(), "c1");
    let mut send = |password| session.authorize("u", password, &Method::Register, "sip:trunk");
    let (first, second, wrong) = (send("secret"), send("secret"), send("guess"));
    let check =
        |value: &str, last, method| Credentials::parse(value).unwrap().check(&challenge, last, "secret", method);
    assert_eq!(check(&first, 0, &Method::Register), Ok(1));
    assert_eq!(check(&second, 1, &Method::Register), Ok(2));
    assert_eq!(check(&first, 2, &Method::Register), Err(Denied::Replayed));
    assert_eq!(check(&second, 1, &Method::Invite), Err(Denied::Wrong));
    assert_eq!(check(&wrong, 2, &Method::Register), Err(Denied::Wrong));
    let read = Credentials::parse(&second).unwrap();
    let renewed = Challenge { nonce: "n2".into(), ..challenge.clone() };
    assert_eq!(read.check(&renewed, 0, "secret", &Method::Register), Err(Denied::Stale));
    let weaker = Challenge::new("trunk", "n1", Hash::Md5);
    assert_eq!(read.check(&weaker, 0, "secret", &Method::Register), Err(Denied::Unfit));
    let without = Challenge { qop: false, ..challenge };
    assert_eq!(read.check(&without, 0, "secret", &Method::Register), Err(Denied::Unfit));
}

#[test]
fn a_quoted_name_cannot_leave_its_quotes() {
    let challenge = Challenge { opaque: Some("o\"x".into()), ..Challenge::new("a\"b\\, c", "n", Hash::Md5) };
    assert_eq!(Challenge::parse_all(&challenge.clone().stale().to_string()), [challenge.clone().stale()]);
    let value = Session::new(challenge.clone(), "c").authorize("u\", realm=\"evil", "p", &Method::Bye, "sip:a");
    let read = Credentials::parse(&value).unwrap();
    assert_eq!((read.realm.as_str(), read.username.as_str()), ("a\"b\\, c", "u\", realm=\"evil"));
    assert_eq!(read.check(&challenge, 0, "p", &Method::Bye), Ok(1));
}

proptest! {
    #[test]
    fn every_algorithm_convinces_the_server_that_asked_for_it(
        name in "(MD5|SHA-256|SHA-512-256)(-sess)?",
        qop in any::<bool>(),
        user in "\\PC{0,12}",
        password in "\\PC{0,12}",
    ) {
        let algorithm = Algorithm::parse(&name);
        let challenge = Challenge { algorithm, qop, ..Challenge::new("r", "n", Hash::Md5) };
        let read = strongest([challenge.to_string().as_str()].into_iter()).unwrap();
        prop_assert_eq!(&read, &challenge);
        let value = Session::new(read, "c").authorize(&user, &password, &Method::Invite, "sip:x@y");
        let credentials = Credentials::parse(&value).unwrap();
        prop_assert_eq!(&credentials.username, &user);
        prop_assert!(credentials.check(&challenge, 0, &password, &Method::Invite).is_ok());
        let wrong = password + "x";
        prop_assert!(credentials.check(&challenge, 0, &wrong, &Method::Invite).is_err());
    }

    #[test]
    fn no_header_value_makes_a_reader_panic(value in "(Digest )?[\\PC\"=,\\\\ ]{0,80}") {
        let _ = Challenge::parse_all(&value);
        let _ = Credentials::parse(&value);
    }
}
