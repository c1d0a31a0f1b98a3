use super::*;
use crate::sip::table;
use crate::sip::tests::bench::{Bench, asks};
use crate::sip::tests::peer;
use crate::sip::transactions::CallKey;

const OWNER: Owner = Owner::Call(CallKey(1));

fn dialog() -> Dialog {
    Dialog::of_invite(&asks(Method::Invite, 5, "theirs", "", ""), "ours", peer()).unwrap()
}

fn name(pulse: &Pulse) -> &'static str {
    match pulse.state {
        State::Resting { .. } => "Resting",
        State::Asking(_) => "Asking",
    }
}

/// It asks, and nothing is under way but the question.
fn asking(bench: &mut Bench, dialog: &mut Dialog) -> (Pulse, TxId) {
    let mut pulse = Pulse::new(bench.now);
    bench.now = bench.now + PAUSE;
    pulse.on_deadline(&mut bench.ctx(), OWNER, dialog);
    assert_eq!(bench.done(), ["OPTIONS"]);
    let State::Asking(attempt) = &pulse.state else { panic!("it does not ask") };
    let tx = attempt.tx();
    (pulse, tx)
}

fn row(state: &str, event: &str) -> Option<String> {
    let (mut bench, mut dialog) = (Bench::new(), dialog());
    let (mut pulse, tx) = match state {
        "Resting" => (Pulse::new(bench.now), None),
        _ => {
            let (pulse, tx) = asking(&mut bench, &mut dialog);
            (pulse, Some(tx))
        }
    };
    if event == "due" {
        bench.now = bench.now + PAUSE;
        pulse.on_deadline(&mut bench.ctx(), OWNER, &mut dialog);
        return bench.row(state, event, &Next::Stay, name(&pulse));
    }
    let tx = tx?;
    let next = match event.parse() {
        Ok(code) => {
            let response = bench.response(&Method::Options, code, "");
            pulse.on_response(&mut bench.ctx(), &mut dialog, tx, &response)
        }
        Err(_) => {
            pulse.unanswered = if event == "timeout" { 0 } else { UNANSWERED_MAX - 1 };
            pulse.on_timeout(&mut bench.ctx(), OWNER, &mut dialog, tx)
        }
    };
    bench.row(state, event, &next, name(&pulse))
}

#[test]
fn the_code_does_what_the_table_says() {
    let mut events = vec!["due", "100", "200", "401", "404", "405", "410", "481", "503"];
    events.extend(["timeout", "timeout, as often as allowed"]);
    table::compare(include_str!("../pulse.rs"), &["Resting", "Asking"], &events, row);
}

#[test]
fn an_answer_to_a_challenge_takes_a_number_that_the_next_request_does_not_use_again() {
    let (mut bench, mut dialog) = (Bench::new(), dialog());
    let (mut pulse, tx) = asking(&mut bench, &mut dialog);
    let challenge = bench.response(&Method::Options, 401, "");
    pulse.on_response(&mut bench.ctx(), &mut dialog, tx, &challenge);
    bench.done();
    let used = bench.last(&Method::Options).cseq().unwrap().number;
    assert_eq!(dialog.request(Method::Bye).seq, used + 1);
}

#[test]
fn an_answer_makes_good_for_all_the_silence_before_it() {
    let (mut bench, mut dialog) = (Bench::new(), dialog());
    let (mut pulse, tx) = asking(&mut bench, &mut dialog);
    pulse.unanswered = UNANSWERED_MAX - 1;
    let response = bench.response(&Method::Options, 200, "");
    pulse.on_response(&mut bench.ctx(), &mut dialog, tx, &response);
    assert_eq!((pulse.unanswered, pulse.next_deadline()), (0, Some(bench.now + PAUSE)));
}
