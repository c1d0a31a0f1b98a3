//! `[http]`: where programs outside raise incidents and look at them, and what they may leave out.

use core::net::SocketAddr;
use std::collections::BTreeMap;

use super::CallFlow;
use super::people::list;
use super::reader::Section;
use crate::base::CallFlowId;

/// The most topics that are confirmed, and the longest name of one.
const TOPICS: usize = 100;
const TOPIC: usize = 512;

/// `[http]`.
#[derive(Clone, Debug, Default)]
pub struct Http {
    /// The TCP address to bind; `None`: no HTTP.
    pub listen: Option<SocketAddr>,
    /// The call flow of triggers that name none, neither themselves nor by their token.
    pub call_flow: Option<CallFlowId>,
    /// The topics of AWS SNS whose subscription is confirmed.
    pub sns_topics: Vec<String>,
}

pub(super) fn http(root: &mut Section<'_>, call_flows: &BTreeMap<CallFlowId, CallFlow>) -> Http {
    let mut http = root.table("http");
    let listen = http.text("listen", "\"ADDRESS:PORT\", such as \"127.0.0.1:8080\"", |text| text.parse().ok());
    let accepted = list("the id of a [[call_flow]]", call_flows.keys());
    let call_flow =
        http.text("call_flow", &accepted, |text| text.parse().ok().filter(|id| call_flows.contains_key(id)));
    let mut sns = http.table("sns");
    let topics = sns.list("topics", TOPICS, "a topic: \"arn:aws:sns:REGION:ACCOUNT:NAME\"", topic);
    sns.finish();
    http.finish();
    let sns_topics = topics.into_iter().flatten().map(|topic| topic.value).collect();
    Http { listen, call_flow, sns_topics }
}

fn topic(text: &str) -> Option<String> {
    let fits = text.len() <= TOPIC && text.split(':').count() == 6 && text.bytes().all(|b| b.is_ascii_graphic());
    // `aws`, `aws-cn` or `aws-us-gov`.
    (fits && text.starts_with("arn:aws") && text.contains(":sns:")).then(|| text.to_owned())
}
