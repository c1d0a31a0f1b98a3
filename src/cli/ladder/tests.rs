use super::*;
use serde_json::json;

fn message(seconds: f64, sent: bool, remote: &str, what: Value) -> Value {
    let at = Timestamp::from_microsecond(1_700_000_000_000_000 + (seconds * 1e6) as i64).unwrap();
    let mut message = json!({
        "place": 0, "at": [at.to_string()], "sent": sent, "transport": "udp", "local": "192.0.2.1:5060",
        "remote": remote, "cseq": "1 INVITE", "sdp": false, "headers": [],
    });
    what.as_object().unwrap().iter().for_each(|(key, value)| message[key] = value.clone());
    message
}

fn answer(messages: Vec<Value>, gap: Value) -> Value {
    let ladder = json!({
        "attempt": 1, "name": "山田", "phone": "+818012345678", "called_in": false, "call_id": "8d7f", "gap": gap,
        "messages": messages,
    });
    json!({ "ladders": [ladder], "left_out": 0, "lost": 0, "trouble": null })
}

fn drawn(answer: &Value) -> String {
    page(answer, &TimeZone::UTC, None)
}

#[test]
fn a_call_with_a_challenge_a_copy_a_diversion_and_two_far_ends_is_drawn() {
    const PROXY: &str = "192.0.2.9:5060";
    let mut copies = message(0.004, true, PROXY, json!({ "method": "INVITE", "sdp": true, "cseq": "2 INVITE" }));
    copies["at"] = json!([copies["at"][0], "2023-11-14T22:13:20.504Z", "2023-11-14T22:13:21.504Z"]);
    let diverted = json!([{ "name": "Diversion", "value": "<sip:+8150@pbx>;reason=no-answer" }]);
    let answer = answer(
        vec![
            message(0.0, true, PROXY, json!({ "method": "INVITE", "sdp": true })),
            message(0.003, false, PROXY, json!({ "code": 407, "reason": "Proxy Authentication Required" })),
            message(0.0035, true, PROXY, json!({ "method": "ACK", "cseq": "1 ACK" })),
            copies,
            message(2.5, false, PROXY, json!({ "code": 181, "reason": "", "cseq": "2 INVITE", "headers": diverted })),
            message(4.0, true, "192.0.2.7:5062", json!({ "method": "BYE", "cseq": "3 BYE" })),
        ],
        Value::Null,
    );
    let expected = "\
attempt 1  山田 at +818012345678  2023-11-14 22:13:20.000 +00:00  Call-ID 8d7f
            hansho                            192.0.2.9:5060                    192.0.2.7:5062
            192.0.2.1:5060                    udp                               udp
    +0.000  |--INVITE (SDP)------------------>|                                 |  1 INVITE
    +0.003  |<-407 Proxy Authentication Req..-|                                 |  1 INVITE
    +0.004  |--ACK--------------------------->|                                 |  1 ACK
    +0.004  |--INVITE (SDP) x3--------------->|                                 |  2 INVITE  last +1.504
    +2.500  |<-181----------------------------|                                 |  2 INVITE
            |                                 |                                 |  Diversion: <sip:+8150@pbx>;reason=no-answer
    +4.000  |--BYE------------------------------------------------------------->|  3 BYE
";
    assert_eq!(drawn(&answer), expected);
}

#[test]
fn nothing_of_the_network_reaches_the_terminal_raw() {
    let hostile = "\u{1b}[2J\r\n\u{202e}x\u{7}\u{9b}31m\u{61c}";
    let evil = json!({
        "method": hostile, "cseq": hostile, "remote": hostile, "transport": hostile, "local": hostile,
        "headers": [{ "name": "Reason", "value": hostile }],
    });
    let answer = answer(
        vec![
            message(0.0, true, "x", evil),
            message(0.0, false, "y", json!({ "code": 200, "reason": hostile })),
            message(0.0, false, "y", json!({ "nonsense": hostile })),
        ],
        Value::Null,
    );
    let page = drawn(&answer);
    assert!(!page.contains(['\u{1b}', '\r', '\u{202e}', '\u{7}', '\u{9b}', '\u{61c}']), "{page:?}");
    assert_eq!(page.lines().count(), 7, "{page}");
}

#[test]
fn a_gap_and_what_is_missing_are_said() {
    let later = |place| message(1.0, true, "x", json!({ "method": "BYE", "place": place }));
    let mut answer = answer(vec![later(0), later(3), later(4)], json!({ "missing": 80, "after": 2 }));
    answer["lost"] = 7.into();
    answer["left_out"] = 2.into();
    answer["trouble"] = "the disk is full".into();
    let page = drawn(&answer);
    assert_eq!(page.matches("... 80 messages are left out ...").count(), 1, "{page}");
    for said in ["7 messages were lost", "2 more calls", "--attempt N", "the disk is full"] {
        assert!(page.contains(said), "{page}");
    }
    assert_eq!(drawn(&json!({ "ladders": [] })), "no SIP messages were kept");
}

#[test]
fn odd_answers_make_a_page_and_no_panic() {
    for odd in [json!(null), json!({ "ladders": [{}] }), json!({ "ladders": [{ "messages": [{}, 7, null] }] })] {
        assert!(!drawn(&odd).is_empty());
    }
    let many: Vec<Value> =
        (0..20).map(|n| message(0.0, true, &format!("h{n}"), json!({ "method": "OPTIONS" }))).collect();
    let page = drawn(&answer(many, Value::Null));
    assert!(page.contains("udp h19") && page.lines().all(|line| line.len() < 300), "{page}");
    let wide = message(0.0, false, "x", json!({ "code": 480, "reason": "応答".repeat(40) }));
    let page = drawn(&answer(vec![wide], Value::Null));
    assert!(page.lines().all(|line| width(line) < 90), "{page}");
}

#[test]
fn a_narrow_terminal_gets_narrow_columns_and_a_long_address_does_not_push_the_next_one() {
    let long = "[2001:db8:1234:5678:9abc:def0:1234:5678]:5060";
    let messages = vec![
        message(0.0, true, long, json!({ "method": "INVITE" })),
        message(1.0, true, "192.0.2.7:5062", json!({ "method": "BYE" })),
    ];
    let answer = answer(messages, Value::Null);
    for (columns, most) in [(None, 95), (Some(80), 80), (Some(20), 60), (Some(300), 95)] {
        let drawn = page(&answer, &TimeZone::UTC, columns);
        let lines: Vec<&str> = drawn.lines().skip(1).collect();
        assert!(lines.iter().all(|line| width(line) <= most), "{columns:?}\n{drawn}");
        let (heads, rail) = (lines[0], lines[2]);
        let second = heads.find("192.0.2.7").or_else(|| heads.find("192.0")).unwrap();
        assert_eq!(rail.as_bytes()[second], b'|', "{drawn}");
    }
}

#[test]
fn calls_of_no_incident_are_listed_and_drawn_under_their_ends() {
    let call = json!({
        "call_id": "x@pbx\u{1b}", "called_in": true, "from": "<sip:anna@pbx>;tag=1", "to": "<sip:bell@pbx>",
        "began_at": "2023-11-14T22:13:20.5Z", "code": 480,
    });
    let line = "2023-11-14 22:13:20.500 +00:00  in   480  <sip:anna@pbx>;tag=1 -> <sip:bell@pbx>  Call-ID x@pbx?";
    let list = json!({ "ladders": [], "calls": [call] });
    assert_eq!(drawn(&list), format!("the latest calls: --call CALL-ID draws one\n  {line}\n"));
    let mut alone = call;
    alone["messages"] = json!([message(0.0, false, "192.0.2.9:5060", json!({ "method": "INVITE" }))]);
    let drawn = drawn(&json!({ "ladders": [alone] }));
    assert!(drawn.starts_with(&format!("{line}\n")) && drawn.contains("|<-INVITE---"), "{drawn}");
}
