//! CloudWatch's alarms as they arrive inside an SNS message: from the alarm itself, or through EventBridge.
//!
//! `ALARM` raises and `OK` resolves; `INSUFFICIENT_DATA` is neither, unless the operator's URL says that it is a
//! problem. An alarm is known by its ARN.

use super::json::Node;
use super::limit::{self, Parameters};
use super::{Draft, IntakeError, Read, Signal};

const STATES: &str = "`ALARM`, `OK` or `INSUFFICIENT_DATA`";

/// The alarm, if the message is one.
pub(super) fn read(message: &Node<'_>, insufficient_raises: bool) -> Option<Result<Read, IntakeError>> {
    let detail = message.get("detail");
    if message.get("AlarmName").is_there() {
        Some(classic(message, insufficient_raises))
    } else if detail.get("alarmName").is_there() {
        Some(event(message, &detail, insufficient_raises))
    } else {
        None
    }
}

fn classic(alarm: &Node<'_>, insufficient_raises: bool) -> Result<Read, IntakeError> {
    let name = alarm.get("AlarmName").needed("the name of the alarm")?;
    let account = || {
        let part = |field: &str| alarm.get(field).any().unwrap_or_default();
        format!("{}/{}/{name}", part("AWSAccountId"), part("Region"))
    };
    let key = alarm.first(&["AlarmArn"]).unwrap_or_else(account);
    let mut parameters = Parameters::default();
    alarm.put_named(
        &mut parameters,
        &[
            ("AlarmName", "alarm"),
            ("AlarmDescription", "description"),
            ("NewStateValue", "state"),
            ("NewStateReason", "reason"),
            ("StateChangeTime", "time"),
            ("Region", "region"),
            ("AWSAccountId", "account"),
        ],
    );
    let trigger = alarm.get("Trigger");
    trigger.put_named(
        &mut parameters,
        &[("MetricName", "metric"), ("Namespace", "namespace"), ("Threshold", "threshold")],
    );
    for dimension in trigger.get("Dimensions").items().unwrap_or_default() {
        if let (Some(name), Some(value)) = (dimension.first(&["name"]), dimension.first(&["value"])) {
            parameters.put(&name, &value);
        }
    }
    let told = alarm.first(&["AlarmDescription"]).unwrap_or_else(|| name.clone());
    settle(&alarm.get("NewStateValue"), insufficient_raises, Alarm { name, key, told, parameters })
}

fn event(message: &Node<'_>, detail: &Node<'_>, insufficient_raises: bool) -> Result<Read, IntakeError> {
    let name = detail.get("alarmName").needed("the name of the alarm")?;
    let key = message.get("resources").nth(0).any().unwrap_or_else(|| name.clone());
    let (state, configuration) = (detail.get("state"), detail.get("configuration"));
    let mut parameters = Parameters::default();
    parameters.put("alarm", &name);
    state.put_named(&mut parameters, &[("value", "state"), ("reason", "reason"), ("timestamp", "time")]);
    message.put_named(&mut parameters, &[("region", "region"), ("account", "account")]);
    configuration.put_named(&mut parameters, &[("description", "description")]);
    let metric = configuration.get("metrics").nth(0).get("metricStat").get("metric");
    metric.put_named(&mut parameters, &[("name", "metric"), ("namespace", "namespace")]);
    metric.get("dimensions").put_all(&mut parameters);
    let told = configuration.first(&["description"]).unwrap_or_else(|| name.clone());
    settle(&state.get("value"), insufficient_raises, Alarm { name, key, told, parameters })
}

struct Alarm {
    name: String,
    key: String,
    told: String,
    parameters: Parameters,
}

fn settle(state: &Node<'_>, insufficient_raises: bool, alarm: Alarm) -> Result<Read, IntakeError> {
    let dedup =
        limit::dedup(&format!("cloudwatch:{}", alarm.key)).ok_or_else(|| state.wrong("an alarm with a name"))?;
    match state.needed(STATES)?.as_str() {
        "OK" => Ok(Signal::Resolve { dedup }.into()),
        "INSUFFICIENT_DATA" if !insufficient_raises => Ok(Read::default()),
        "ALARM" | "INSUFFICIENT_DATA" => Ok(Signal::Raise(draft(alarm, dedup)).into()),
        other => Err(IntakeError::text(state.path(), other, STATES)),
    }
}

fn draft(alarm: Alarm, dedup: String) -> Draft {
    let Alarm { name, told, parameters, .. } = alarm;
    let hosts = ["InstanceId", "DBInstanceIdentifier", "LoadBalancer", "FunctionName", "ClusterName"];
    let host = hosts.iter().find_map(|dimension| parameters.get(dimension)).and_then(limit::name);
    Draft {
        message: limit::spoken(&told),
        host,
        service: limit::name(&name),
        parameters: parameters.done(),
        dedup: Some(dedup),
        ..Draft::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn alarm(state: &str) -> Value {
        json!({
            "AlarmName": "cpu-high", "AlarmDescription": null, "AWSAccountId": "123456789012", "NewStateValue": state,
            "NewStateReason": "Threshold Crossed", "StateChangeTime": "2026-11-21T03:00:00.000+0000",
            "Region": "US West (Oregon)", "AlarmArn": "arn:aws:cloudwatch:us-west-2:123456789012:alarm:cpu-high",
            "OldStateValue": "OK",
            "Trigger": { "MetricName": "CPUUtilization", "Namespace": "AWS/EC2", "Threshold": 90.0,
                         "Dimensions": [{ "value": "i-0abc", "name": "InstanceId" }] },
        })
    }

    fn signals(message: &Value) -> Result<Vec<Signal>, IntakeError> {
        read(&Node::at(message, "Message"), false).expect("an alarm").map(|read| read.signals)
    }

    #[test]
    fn an_alarm_raises_and_ok_resolves_under_its_arn() {
        let raised = signals(&alarm("ALARM")).unwrap();
        let [Signal::Raise(draft)] = &raised[..] else { panic!("{raised:?}") };
        assert_eq!((draft.message.as_deref(), draft.host.as_deref()), (Some("cpu-high"), Some("i-0abc")));
        assert_eq!(draft.parameters["reason"], "Threshold Crossed");
        assert_eq!(signals(&alarm("OK")).unwrap(), [Signal::Resolve { dedup: draft.dedup.clone().unwrap() }]);
        assert_eq!(signals(&alarm("INSUFFICIENT_DATA")).unwrap(), []);
        assert_eq!(signals(&alarm("WET")).unwrap_err().field(), Some("Message.NewStateValue"));
    }

    #[test]
    fn eventbridges_shape_is_the_same_alarm() {
        let event = json!({
            "detail-type": "CloudWatch Alarm State Change", "region": "us-west-2",
            "resources": ["arn:aws:cloudwatch:us-west-2:123456789012:alarm:cpu-high"],
            "detail": { "alarmName": "cpu-high", "state": { "value": "OK", "reason": "fine" },
                        "configuration": { "description": "CPU is high" } },
        });
        let Signal::Raise(draft) = &signals(&alarm("ALARM")).unwrap()[0] else { panic!("a raise") };
        assert_eq!(signals(&event).unwrap(), [Signal::Resolve { dedup: draft.dedup.clone().unwrap() }]);
    }

    #[test]
    fn another_message_is_no_alarm() {
        assert!(read(&Node::at(&json!({ "Records": [] }), "Message"), false).is_none());
    }
}
