use std::collections::BTreeMap;

use crate::base::Language;
use crate::phrase::{Filled, Form, Template, fill};

fn parameters(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn filled(text: &str, form: Form, language: Language, pairs: &[(&str, &str)]) -> Filled {
    Template::parse(text).unwrap_or_else(|fault| panic!("{text}: {fault}")).fill(form, language, &parameters(pairs))
}

fn written(text: &str, pairs: &[(&str, &str)]) -> String {
    filled(text, Form::Written, Language::Ja, pairs).text
}

fn fault(text: &str) -> String {
    Template::parse(text).map_or_else(|fault| fault.to_string(), |_| panic!("{text} is taken"))
}

#[test]
fn parameters_are_put_where_their_names_stand() {
    let pairs = [("host", "db-01"), ("check.name", "disk"), ("サーバー", "本番"), ("my host", "web"), ("a-b", "x")];
    assert_eq!(written("{{ host }} is {{check.name}}", &pairs), "db-01 is disk");
    assert_eq!(written("{{サーバー}}の{{ my host }}、{{a-b}}", &pairs), "本番のweb、x");
    assert_eq!(written("{ host } {{-  host -}} !", &pairs), "{ host }db-01!");
    assert_eq!(written("no names\n", &[]), "no names\n");
}

#[test]
fn a_parameter_is_no_template_of_its_own() {
    let pairs = [("host", "{{ secret }} {% if x %} <b>"), ("secret", "42")];
    assert_eq!(written("{{host}}", &pairs), "{{ secret }} {% if x %} <b>");
}

#[test]
fn what_is_missing_is_left_out_and_named() {
    let hole = filled("{{server}}で{{incident}}が発生", Form::Spoken, Language::Ja, &[("server", "web")]);
    assert_eq!((hole.text.as_str(), hole.missing.as_slice()), ("webでが発生", ["incident".to_owned()].as_slice()));
    let guarded = "{% if server %}{{server}}で{% endif %}{{ incident | default(\"障害\") }}が発生";
    let whole = filled(guarded, Form::Spoken, Language::Ja, &[]);
    assert_eq!((whole.text.as_str(), whole.missing.is_empty()), ("障害が発生", true));
}

#[test]
fn the_date_alone_is_the_date_alone() {
    let at = [("lastcheck", "2023-10-03 13:20:52")];
    let text = "{{lastcheck | date}}|{{ lastcheck|time }}|{{lastcheck|datetime}}";
    assert_eq!(filled(text, Form::Spoken, Language::Ja, &at).text, "2023年10月3日|13時20分|2023年10月3日13時20分");
    assert_eq!(filled(text, Form::Written, Language::En, &at).text, "2023-10-03|13:20|2023-10-03 13:20");
    assert_eq!(written("{{x|date}}", &[("x", "yesterday")]), "yesterday");
}

#[test]
fn filters_for_the_voice_leave_the_screen_alone() {
    let pairs = [("n", "080"), ("id", "ab-1"), ("big", "12,000")];
    let text = "{{n|digits}} {{n|count}} {{id|spell}} {{big|count}}";
    assert_eq!(filled(text, Form::Written, Language::En, &pairs).text, "080 080 ab-1 12,000");
    let spoken = filled(text, Form::Spoken, Language::En, &pairs).text;
    assert_eq!(spoken, "zero eight zero eighty A B dash one twelve thousand");
    assert_eq!(filled("{{n|digits}}", Form::Spoken, Language::Ja, &pairs).text, "ゼロハチゼロ");
    assert_eq!(written("{{id | upper | lower}}", &pairs), "ab-1");
}

#[test]
fn conditions_choose() {
    let text =
        "{% if state == \"down\" and host %}{{host}} is down{% elif state is defined %}{{state}}{% else %}?{% endif %}";
    assert_eq!(written(text, &[("state", "down"), ("host", "db")]), "db is down");
    assert_eq!(written(text, &[("state", "up")]), "up");
    assert_eq!(written(text, &[]), "?");
}

#[test]
fn what_is_wrong_with_a_template_is_found_when_it_is_read() {
    for (text, why) in [
        ("{{server", "never closed"),
        ("{{}}", "no name"),
        ("{{ a | nosuch }}", "no filter `nosuch`"),
        ("{{ a | date(1, 2) }}", "arguments"),
        ("{% for x in y %}{% endfor %}", "only `if`"),
        ("{% if a %}", "never closed"),
        ("{% endif %}", "without `if`"),
        ("{{ range(10) }}", "no function `range`"),
        ("{{ \"a\" * 100000000 }}", "`*`"),
        ("{{ [1] }}", "`[`"),
        ("{# x #}", "comment"),
        ("{{ a is odd }}", "is odd"),
        ("{{ a | | b }}", ""),
        ("{{ a and }}", ""),
        ("{{ \"a }}", "never closed"),
    ] {
        assert!(fault(text).contains(why), "{text}: {}", fault(text));
    }
    assert!(fault(&"x".repeat(5_001)).contains("5000"));
    assert!(fault(&"{{a".repeat(300)).len() < 200);
    let many: String = (0..101).map(|n| format!("{{{{n{n}}}}}")).collect();
    assert!(fault(&many).contains("100 names"));
}

#[test]
fn a_template_names_what_it_wants() {
    let template = Template::parse("{{a}} {% if b.c %}{{ d | default(\"x\") }}{{a}}{% endif %}").unwrap();
    assert_eq!(template.names().collect::<Vec<_>>(), ["a", "b.c", "d"]);
}

#[test]
fn a_text_from_outside_that_is_no_template_is_taken_as_it_stands() {
    let known = parameters(&[("host", "db-01")]);
    let fill = |text| fill(text, Form::Written, Language::En, &known);
    assert_eq!(fill("{{ host }} {% of %} {{x}}").text, "db-01 {% of %} ");
    assert_eq!(fill("{{ host }} {% of %} {{x}}").missing, ["x"]);
    assert_eq!(fill("100% {{").text, "100% {{");
    assert_eq!(fill("plain {text}").text, "plain {text}");
}

#[test]
fn no_template_makes_a_text_without_end() {
    let known = parameters(&[("a", &"x".repeat(1_000_000))]);
    let template = Template::parse(&"{{a}}".repeat(400)).unwrap();
    assert_eq!(template.fill(Form::Spoken, Language::En, &known).text.chars().count(), 10_000);
}
