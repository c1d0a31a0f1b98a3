use super::*;
use crate::sip::Cause;
use crate::sip::table;
use crate::sip::tests::bench::{Bench, asks};
use crate::sip::tests::peer;
use crate::sip::transactions::CallKey;

fn row(event: &str) -> Option<String> {
    let mut bench = Bench::new();
    let mut dialog = Dialog::of_invite(&asks(Method::Invite, 5, "theirs", "", ""), "ours", peer()).unwrap();
    let end = End { cause: Cause::Us, code: Some(200), reason: "test".into() };
    let mut farewell = Farewell::start(&mut bench.ctx(), Owner::Call(CallKey(1)), &mut dialog, end);
    assert_eq!(bench.done(), ["BYE"]);
    let tx = farewell.tx();
    let next = match event {
        "timeout" => farewell.on_timeout(tx),
        "BYE" | "other request" => {
            let method = if event == "BYE" { Method::Bye } else { Method::Info };
            let (message, tx) = bench.request(asks(method, 6, "theirs", "ours", ""));
            farewell.on_request(&mut bench.ctx(), Asked { message: &message, tx, source: peer() })
        }
        code => {
            let response = bench.response(&Method::Bye, code.parse().unwrap(), "");
            farewell.on_response(&mut bench.ctx(), tx, &response)
        }
    };
    bench.row("Leaving", event, &next, "Leaving")
}

#[test]
fn the_code_does_what_the_table_says() {
    let events = ["100", "401", "200", "408", "481", "timeout", "BYE", "other request"];
    table::compare(include_str!("../farewell.rs"), &["Leaving"], &events, |_, event| row(event));
}
