//! `/alertinfo`: what unattended monitoring posts, an array of alerts, each of them spoken as one sentence.
//!
//! Easy to get wrong: `lastcheck` is a date and a time, and only the date is spoken, as a date. A date that is none is
//! left out of the sentence; the alert is raised all the same.

use super::json::{self, Node};
use super::limit::{self, Parameters};
use super::{Draft, IntakeError, Read, Request, Signal};
use serde_json::Value;

/// `{"alertinfo": [{"host", "service", "lastcheck", "systemname"}]}`.
pub(super) fn read(request: &Request<'_>) -> Result<Read, IntakeError> {
    let body = json::parse(request.body, "JSON with the array `alertinfo`")?;
    signals(&Node::root(&body)?)
}

/// The alerts of an object that has `alertinfo`: an array, or one alert without it.
pub(super) fn signals(body: &Node<'_>) -> Result<Read, IntakeError> {
    let alerts = body.get("alertinfo");
    let all = match alerts.value() {
        Some(Value::Object(_)) => vec![alerts],
        Some(Value::Array(all)) if !all.is_empty() => alerts.items()?,
        _ => return Err(alerts.wrong("an array of alerts")),
    };
    Ok(all.iter().map(|alert| draft(alert).map(Signal::Raise)).collect::<Result<Vec<_>, _>>()?.into())
}

fn draft(alert: &Node<'_>) -> Result<Draft, IntakeError> {
    let host = alert.get("host").needed("the name of the machine")?;
    let text = |name: &str| alert.get(name).text("a text");
    let (service, checked, system) = (text("service")?, text("lastcheck")?, text("systemname")?);
    let day = checked.as_deref().and_then(day).map(|(y, m, d)| format!("{y}年{m}月{d}日に"));
    let system_part = system.as_deref().map(|system| format!("システム名{system}の"));
    let service_part = service.as_deref().map(|service| format!("で{service}"));
    let sentence = format!(
        "{}{}{host}{}のアラートが発生しました",
        day.unwrap_or_default(),
        system_part.unwrap_or_default(),
        service_part.unwrap_or_default(),
    );
    let mut parameters = Parameters::default();
    alert.put_all(&mut parameters);
    let part = |text: &Option<String>| text.clone().unwrap_or_default();
    Ok(Draft {
        message: limit::spoken(&sentence),
        dedup: limit::dedup(&format!("alertinfo:{}/{host}/{}", part(&system), part(&service))),
        host: limit::name(&host),
        service: service.as_deref().and_then(limit::name),
        parameters: parameters.done(),
        ..Draft::default()
    })
}

/// Year, month and day at the beginning of `2023-10-03 13:20:52`, `2023/10/3` or `2023-10-03T…`.
fn day(text: &str) -> Option<(u32, u32, u32)> {
    let date = text.split([' ', 'T', 't']).next()?;
    let mut parts = date.split(['-', '/']).map(|part| part.parse::<u32>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let is_a_day = (1900..=9999).contains(&year) && (1..=12).contains(&month) && (1..=days).contains(&day);
    (is_a_day && parts.next().is_none()).then_some((year, month, day))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::tests::json;

    fn posted(body: &str) -> Result<Vec<Signal>, IntakeError> {
        read(&json(body)).map(|read| read.signals)
    }

    fn drafts(body: &str) -> Vec<Draft> {
        let raise = |signal| match signal {
            Signal::Raise(draft) => draft,
            other => panic!("no raise: {other:?}"),
        };
        posted(body).unwrap().into_iter().map(raise).collect()
    }

    #[test]
    fn an_alert_is_spoken_as_one_sentence_with_its_date_as_a_date() {
        let body = r#"{"alertinfo":[{"host":"server1","service":"CPU Utilization","lastcheck":"2023-10-03 13:20:52","systemname":"XYZ"}]}"#;
        let draft = drafts(body).remove(0);
        let sentence = "2023年10月3日にシステム名XYZのserver1でCPU Utilizationのアラートが発生しました";
        assert_eq!(draft.message.as_deref(), Some(sentence));
        assert_eq!((draft.host.as_deref(), draft.service.as_deref()), (Some("server1"), Some("CPU Utilization")));
        assert_eq!(draft.parameters["lastcheck"], "2023-10-03 13:20:52");
        assert_eq!(draft.parameters.len(), 4);
        assert_eq!(draft.dedup.as_deref(), Some("alertinfo:XYZ/server1/CPU Utilization"));
    }

    #[test]
    fn each_element_is_an_alert_in_the_order_of_the_array() {
        let hosts = drafts(r#"{"alertinfo":[{"host":"a"},{"host":"b","lastcheck":"soon"}]}"#);
        assert_eq!(hosts.iter().map(|draft| draft.host.as_deref()).collect::<Vec<_>>(), [Some("a"), Some("b")]);
        assert_eq!(hosts[1].message.as_deref(), Some("bのアラートが発生しました"));
    }

    #[test]
    fn only_days_that_exist_are_days() {
        assert_eq!(day("2024-02-29T00:00:00Z"), Some((2024, 2, 29)));
        assert_eq!(day("2023/1/2"), Some((2023, 1, 2)));
        for text in ["2023-02-29", "2023-13-01", "1696306852", "", "2023-10-03-1", "03/10/2023"] {
            assert_eq!(day(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(posted("{}").unwrap_err().field(), Some("alertinfo"));
        assert_eq!(posted(r#"{"alertinfo":[]}"#).unwrap_err().field(), Some("alertinfo"));
        assert_eq!(
            posted(r#"{"alertinfo":[{"host":"a"},{"service":"b"}]}"#).unwrap_err().field(),
            Some("alertinfo[1].host")
        );
        assert_eq!(posted(r#"{"alertinfo":[7]}"#).unwrap_err().field(), Some("alertinfo[0].host"));
    }
}
