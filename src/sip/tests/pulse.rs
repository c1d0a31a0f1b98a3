use super::*;
use crate::sip::table::rows;
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

fn row(event: &str) -> Option<String> {
    let (mut bench, mut dialog) = (Bench::new(), dialog());
    if event == "due" {
        let mut pulse = Pulse::new(bench.now);
        bench.now = bench.now + PAUSE;
        pulse.on_deadline(&mut bench.ctx(), OWNER, &mut dialog);
        return bench.row("Resting", event, &Next::Stay, name(&pulse));
    }
    let (mut pulse, tx) = asking(&mut bench, &mut dialog);
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
    bench.row("Asking", event, &next, name(&pulse))
}

#[test]
fn the_code_does_what_the_table_says() {
    let events = ["due", "100", "200", "401", "404", "405", "410", "481", "503", "timeout"];
    let done = events.iter().chain(&["timeout, as often as allowed"]).filter_map(|event| row(event));
    assert_eq!(done.collect::<Vec<_>>(), rows(include_str!("../pulse.rs")));
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
