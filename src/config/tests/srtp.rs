//! `srtp`: whether voice is encrypted, and the warning where its keys are not.

use crate::config::tests::{SMALLEST, read};
use crate::sip::Srtp;

fn trunk(lines: &str) -> Result<(Srtp, Vec<String>), Vec<String>> {
    let text = SMALLEST.replace("proxy = \"192.0.2.1\"\n", &format!("proxy = \"192.0.2.1\"\n{lines}\n"));
    let settings = read(&text).map_err(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    let line = |number: usize| text.lines().nth(number - 1).unwrap_or_default().to_owned();
    let warned = settings.warnings.iter().map(|it| format!("{} `{}` {it}", it.key, line(it.line.unwrap_or_default())));
    Ok((settings.trunks[0].srtp, warned.collect()))
}

#[test]
fn voice_is_encrypted_as_a_trunk_says_and_not_otherwise() {
    assert_eq!(trunk("").unwrap(), (Srtp::Off, vec![]));
    assert_eq!(trunk("srtp = \"off\"").unwrap(), (Srtp::Off, vec![]));
    for (word, srtp) in [("optional", Srtp::Optional), ("required", Srtp::Required)] {
        assert_eq!(trunk(&format!("srtp = \"{word}\"\ntransport = \"tls\"")).unwrap(), (srtp, vec![]));
    }
    let wrong = trunk("srtp = \"sdes\"").unwrap_err();
    let expected = "trunk[1].srtp: found `sdes`; accepted: \"off\", \"optional\" or \"required\"";
    assert_eq!(wrong, [expected]);
}

#[test]
fn keys_that_travel_in_the_clear_are_warned_of_with_their_line() {
    for transport in ["", "transport = \"udp\"", "transport = \"tcp\""] {
        let (srtp, warned) = trunk(&format!("{transport}\nsrtp = \"required\"")).unwrap();
        assert_eq!(srtp, Srtp::Required, "it is no mistake in a network of one's own");
        let begin = "trunk[1].srtp `srtp = \"required\"` trunk[1].srtp: \"required\" sends the keys in SIP";
        assert!(warned.len() == 1 && warned[0].starts_with(begin), "{transport}: {warned:?}");
    }
}

#[test]
fn phones_of_one_s_own_are_encrypted_as_the_registrar_says() {
    let house = |door: &str, srtp: &str| {
        let house = "[[user]]\nname = \"ann\"\npassword = \"tigers-do-not-sleep\"\n";
        let text = format!("{SMALLEST}[sip]\nlisten = [{door}]\n[registrar]\nrealm = \"h.example\"\n{srtp}\n{house}");
        let settings = read(&text).unwrap();
        (settings.registrar.unwrap().sip().srtp, settings.warnings.len())
    };
    assert_eq!(house("\"udp:0.0.0.0:5060\"", ""), (Srtp::Off, 0));
    assert_eq!(house("\"udp:0.0.0.0:5060\"", "srtp = \"optional\""), (Srtp::Optional, 1));
}
