//! The lines for people, in the node's language.
//!
//! Easy to get wrong: names, messages and reasons come from outside. They are put in as they are; whoever sends
//! the line escapes it for its own medium.

use super::name_of;
use crate::base::ContactId;
use crate::base::Language::{self, En, Ja};
use crate::incident::{Answer, Behaviour, Detour, Outcome, Record};
use crate::switch::tell::{Event, What};

/// One line about `event`.
pub(super) fn of(event: &Event, subject: Option<&str>, record: &Record, language: Language) -> String {
    let line = match language {
        Ja => japanese(event, record),
        En => english(event, record),
    };
    match subject.filter(|_| names_its_subject(&event.what)) {
        Some(subject) => format!("{line}: {subject}"),
        None => line,
    }
}

/// Does the line end with what the incident is about?
fn names_its_subject(what: &What) -> bool {
    matches!(
        what,
        What::Accepted { .. }
            | What::Suppressed { .. }
            | What::Exhausted
            | What::Resolved { .. }
            | What::Cancelled { .. }
    )
}

fn japanese(event: &Event, record: &Record) -> String {
    let name = event.name.as_deref().unwrap_or("不明");
    match &event.what {
        What::Accepted { call_flow, .. } => format!("🔔 障害を受け付けました（{call_flow}）"),
        What::Again { message, alerts, .. } => {
            format!("🔔 同じ障害の通知がもう一度届きました（{alerts}件）{}", colon(message.as_deref()))
        }
        What::Cleared { dedup, by } => format!("通知のひとつが解消しました（{dedup}、{by}）"),
        What::Suppressed { .. } => "🔕 静観中のため電話しません".to_owned(),
        What::Acknowledged { by: Some(by), .. } => {
            format!("🚨🚨障害通知、電話以外で対応開始の連絡がありました（{by}）🚨🚨")
        }
        What::Acknowledged { by: None, missing } => {
            let name = takers(name, record, "さん、");
            let missing = listed(missing, record, "さん、").map(|names| format!("（未対応: {names}さん）"));
            format!("🚨🚨障害通知、{name}さんが対応を開始されました🚨🚨{}", missing.unwrap_or_default())
        }
        What::Escalated { call_flow } if record.taken_by.is_empty() => {
            format!("⏫ 対応者がいないため、{call_flow}に電話します")
        }
        What::Escalated { call_flow } => format!("⏫ まだ全員が対応していないため、{call_flow}に電話します"),
        What::Exhausted => match reached(record) {
            Reached::All => format!("🆘 全員に{}回ずつ電話しましたが、対応者がいません", record.round),
            Reached::Some => format!("🆘 {}巡電話しましたが、対応者がいません", record.round),
            Reached::Nobody => "🆘 今は電話を受け付ける人がいません".to_owned(),
        },
        What::Resolved { by } => format!("✅ 障害は解消しました（{by}）"),
        What::Cancelled { by } => format!("⏹ 呼び出しは中止されました（{by}）"),
        What::Round { round } => format!("{round}巡目の呼び出しを始めました"),
        What::Skipped { reason } => format!("{name}さんには電話しません（{reason}）"),
        What::Dialling { phone } => format!("📞 {name}さんに電話しています（{phone}）"),
        What::Rerouted { detour: Detour { from, trunk, code, reason, .. } } => {
            format!("⚠️ {name}さんへの電話: トランク{from}が使えず{trunk}からかけています{}", why(*code, reason))
        }
        What::Ringing { .. } => format!("{name}さんの電話が鳴っています"),
        What::Answered => format!("{name}さんの電話がつながりました"),
        What::CalledIn { phone } => format!("{name}さんから電話がありました（{phone}）"),
        What::PromptStarted => format!("{name}さんに案内を流しています"),
        What::Key { digit, means, .. } => format!("{name}さんが{digit}を押しました（{}）", key(*means, Ja)),
        What::Taken => format!("{name}さんが対応します"),
        What::Left => format!("{name}さんは今回の呼び出しから外れました"),
        What::Quieted { hours, .. } => format!("🔕 {name}さんが{hours}時間の静観を設定しました"),
        What::Ended { outcome, code, reason, .. } => {
            let mark = if *outcome == Outcome::Failed { "⚠️ " } else { "" };
            format!("{mark}{name}さんへの電話: {}{}", ended(*outcome, Ja), why(*code, reason))
        }
        What::Quiet { suppression } => format!("🔕 静観が設定されました（{}）", suppression.by),
        What::Lifted { by, .. } => format!("🔔 静観が解除されました（{by}）"),
        What::RoomCreated { room } => format!("会議室{room}が開きました"),
        What::RoomJoined { room, people } => format!("{name}さんが会議室{room}に入りました（{people}人）"),
        What::RoomTalking { room, talking } => {
            format!("{name}さんが会議室{room}で話し{}", if *talking { "始めました" } else { "終えました" })
        }
        What::RoomLeft { room, people } => format!("{name}さんが会議室{room}を出ました（残り{people}人）"),
        What::RoomEnded { room } => format!("会議室{room}が閉じました"),
        What::RoomSaid { room, text, by } => format!("{by}が会議室{room}で放送しました：{text}"),
        What::RoomMuted { room, muted: true, by } => format!("{by}が会議室{room}の{name}さんをミュートしました"),
        What::RoomMuted { room, muted: false, by } => {
            format!("{by}が会議室{room}の{name}さんのミュートを解除しました")
        }
        What::RoomKicked { room, by } => format!("{by}が{name}さんを会議室{room}から退出させました"),
        What::RoomLocked { room, locked: true, by } => format!("{by}が会議室{room}をロックしました"),
        What::RoomLocked { room, locked: false, by } => format!("{by}が会議室{room}のロックを解除しました"),
        What::RoomDialled { room, by, .. } => format!("{by}が{name}さんを会議室{room}に呼んでいます"),
        What::RoomMissed { room, reason, .. } => format!("{name}さんは会議室{room}に入りませんでした（{reason}）"),
        What::RoomTurnedAway { room, .. } => format!("{name}さんは会議室{room}に入れませんでした（ロック中）"),
        What::TrunkRegistered { trunk, .. } => format!("☎️ トランク{trunk}が使えます"),
        What::TrunkFailed { trunk, code, reason, .. } => {
            format!("⚠️ トランク{trunk}が使えません{}", why(*code, reason))
        }
        What::TargetFailed { trunk, target, code, reason, .. } => {
            format!("⚠️ トランク{trunk}の{target}が応答しません{}", why(*code, reason))
        }
        What::UserRegistered { user, .. } => format!("📱 {user}さんの電話機が登録されました"),
        What::UserUnregistered { user, reason, .. } => {
            format!("📴 {user}さんの電話機の登録がなくなりました（{reason}）")
        }
        What::ShutOut { source, tries, .. } => {
            format!("🚫 {source}からの誤ったパスワードが{tries}回続いたため、しばらく応答しません")
        }
        What::VoiceFailed { reason, spoken_by: None } => {
            format!("⚠️ 音声を作れず、録音済みの案内を流しました（{reason}）")
        }
        What::VoiceFailed { reason, spoken_by: Some(voice) } => {
            format!("⚠️ 音声{voice}が代わりに話しました（{reason}）")
        }
        What::VoiceLate { seconds } => format!("⚠️ 音声が{seconds:.0}秒たってもできないので、先に電話します"),
        What::VoiceIncomplete { missing } => {
            format!("⚠️ 案内に必要なパラメーターがありません（{}）。その部分を省いて読み上げました", missing.join("、"))
        }
        What::NotifyFailed { notifier, reason, .. } => format!("⚠️ {notifier}への通知を送れませんでした（{reason}）"),
        What::NotifyTest { from } => {
            format!("🔧 テスト送信です（{from}、hansho selftest）。障害ではありません。対応は不要です。")
        }
        What::MessageSent { to, .. } => format!("{to}にSMSを送りました"),
        What::MessageFailed { to, reason, .. } => format!("⚠️ {to}にSMSを送れませんでした（{reason}）"),
        What::MessageReceived { from, text, .. } => format!("{from}からSMSが届きました: {text}"),
        What::DialRefused { number, reason, .. } => format!("⚠️ {number}には電話しません（{reason}）"),
        What::HotlineInquiry { hotline, caller, .. } => {
            format!("ホットライン {hotline}: {caller}さんが通話を希望しています")
        }
        What::HotlineAccepted { hotline, .. } => format!("ホットライン {hotline}: 通話できると返事がありました"),
        What::HotlineRefused { hotline, .. } => format!("ホットライン {hotline}: 時間内に返事がありませんでした"),
        What::CallInReceived { caller, .. } => format!("{caller}から着信がありました"),
        What::CallInWrongPin { caller } => format!("{caller}が誤った暗証番号を押しました"),
        What::CallInMessage { .. } => format!("{name}さんが録音メッセージを残しました"),
        What::CallInRefused { trunk, caller, .. } => format!("{caller}からの着信を断りました（トランク{trunk}）"),
    }
}

fn english(event: &Event, record: &Record) -> String {
    let name = event.name.as_deref().unwrap_or("somebody unknown");
    match &event.what {
        What::Accepted { call_flow, .. } => format!("🔔 New incident, calling {call_flow}"),
        What::Again { message, alerts, .. } => {
            format!("🔔 The same incident was raised again, {alerts} alert(s) now{}", colon(message.as_deref()))
        }
        What::Cleared { dedup, by } => format!("One of the alerts is over ({dedup}, {by})"),
        What::Suppressed { .. } => "🔕 Nobody is called: it is to be quiet about this".to_owned(),
        What::Acknowledged { by: Some(by), .. } => format!("🚨🚨 Incident: taken without a call (by {by}) 🚨🚨"),
        What::Acknowledged { by: None, missing } => {
            let missing = listed(missing, record, ", ").map(|names| format!(" (not by {names})"));
            let has = if everybody(record) && record.taken_by.len() > 1 { "have" } else { "has" };
            let name = takers(name, record, ", ");
            format!("🚨🚨 Incident: {name} {has} taken it 🚨🚨{}", missing.unwrap_or_default())
        }
        What::Escalated { call_flow } if record.taken_by.is_empty() => {
            format!("⏫ Nobody took it; {call_flow} is called now")
        }
        What::Escalated { call_flow } => format!("⏫ Not everybody took it; {call_flow} is called now"),
        What::Exhausted => match reached(record) {
            Reached::All | Reached::Some => {
                format!("🆘 Nobody took the incident in {} round(s) of calls", record.round)
            }
            Reached::Nobody => "🆘 Nobody accepts calls now".to_owned(),
        },
        What::Resolved { by } => format!("✅ Resolved by {by}"),
        What::Cancelled { by } => format!("⏹ The calling was stopped by {by}"),
        What::Round { round } => format!("Round {round} of the calling begins"),
        What::Skipped { reason } => format!("{name} is not called ({reason})"),
        What::Dialling { phone } => format!("📞 Calling {name} ({phone})"),
        What::Rerouted { detour: Detour { from, trunk, code, reason, .. } } => {
            format!("⚠️ The call to {name} goes over {trunk}, because {from} did not carry it{}", why(*code, reason))
        }
        What::Ringing { .. } => format!("{name}'s phone rings"),
        What::Answered => format!("{name}'s phone was picked up"),
        What::CalledIn { phone } => format!("{name} called in ({phone})"),
        What::PromptStarted => format!("{name} hears the message"),
        What::Key { digit, means, .. } => format!("{name} pressed {digit} ({})", key(*means, En)),
        What::Taken => format!("{name} takes it"),
        What::Left => format!("{name} is left out of this callout"),
        What::Quieted { hours, .. } => format!("🔕 {name} asked for {hours} hour(s) of quiet"),
        What::Ended { outcome, code, reason, .. } => {
            let mark = if *outcome == Outcome::Failed { "⚠️ " } else { "" };
            format!("{mark}The call to {name}: {}{}", ended(*outcome, En), why(*code, reason))
        }
        What::Quiet { suppression } => format!("🔕 {} asked for quiet", suppression.by),
        What::Lifted { by, .. } => format!("🔔 {by} ended the quiet"),
        What::RoomCreated { room } => format!("Room {room} opened"),
        What::RoomJoined { room, people } => format!("{name} joined room {room} ({people} inside)"),
        What::RoomTalking { room, talking } => {
            format!("{name} {} talking in room {room}", if *talking { "began" } else { "stopped" })
        }
        What::RoomLeft { room, people } => format!("{name} left room {room} ({people} inside)"),
        What::RoomEnded { room } => format!("Room {room} closed"),
        What::RoomSaid { room, text, by } => format!("{by} had this said in room {room}: {text}"),
        What::RoomMuted { room, muted: true, by } => format!("{by} muted {name} in room {room}"),
        What::RoomMuted { room, muted: false, by } => format!("{by} has {name} heard again in room {room}"),
        What::RoomKicked { room, by } => format!("{by} took {name} out of room {room}"),
        What::RoomLocked { room, locked: true, by } => format!("{by} locked room {room}"),
        What::RoomLocked { room, locked: false, by } => format!("{by} unlocked room {room}"),
        What::RoomDialled { room, by, .. } => format!("{by} asks {name} into room {room}"),
        What::RoomMissed { room, reason, .. } => format!("{name} did not come into room {room}: {reason}"),
        What::RoomTurnedAway { room, reason } => format!("{name} was turned away from room {room}: {reason}"),
        What::TrunkRegistered { trunk, .. } => format!("☎️ Trunk {trunk} is there"),
        What::TrunkFailed { trunk, code, reason, .. } => {
            format!("⚠️ Trunk {trunk} is away{}", why(*code, reason))
        }
        What::TargetFailed { trunk, target, code, reason, .. } => {
            format!("⚠️ Trunk {trunk} fails at {target}{}", why(*code, reason))
        }
        What::UserRegistered { user, .. } => format!("📱 A phone of {user} is registered"),
        What::UserUnregistered { user, reason, .. } => format!("📴 A phone of {user} is registered no more ({reason})"),
        What::ShutOut { source, tries, .. } => {
            format!("🚫 {source} had {tries} wrong passwords and hears nothing for a while")
        }
        What::VoiceFailed { reason, spoken_by: None } => {
            format!("⚠️ The message could not be spoken; the recorded prompt stood in ({reason})")
        }
        What::VoiceFailed { reason, spoken_by: Some(voice) } => format!("⚠️ The voice {voice} stood in ({reason})"),
        What::VoiceLate { seconds } => {
            format!("⚠️ The message was not made within {seconds:.0} s; the call is made all the same")
        }
        What::VoiceIncomplete { missing } => {
            format!("⚠️ Parameters of the message are missing ({}); it is spoken without them", missing.join(", "))
        }
        What::NotifyFailed { notifier, reason, .. } => format!("⚠️ {notifier} could not be told: {reason}"),
        What::NotifyTest { from } => {
            format!("🔧 This is a test from {from} (hansho selftest). Nothing is wrong, and there is nothing to do.")
        }
        What::MessageSent { to, .. } => format!("A short message was sent to {to}"),
        What::MessageFailed { to, reason, .. } => format!("⚠️ No short message could be sent to {to}: {reason}"),
        What::MessageReceived { from, text, .. } => format!("A short message came from {from}: {text}"),
        What::DialRefused { number, reason, .. } => format!("⚠️ {number} is not called: {reason}"),
        What::HotlineInquiry { hotline, caller, .. } => format!("Hotline {hotline}: {caller} would like to talk"),
        What::HotlineAccepted { hotline, .. } => format!("Hotline {hotline}: the call is welcome"),
        What::HotlineRefused { hotline, .. } => format!("Hotline {hotline}: no answer in time"),
        What::CallInReceived { caller, .. } => format!("{caller} calls in"),
        What::CallInWrongPin { caller } => format!("{caller} entered a wrong PIN"),
        What::CallInMessage { .. } => format!("{name} left a message"),
        What::CallInRefused { trunk, caller, .. } => format!("A call from {caller} over {trunk} was refused"),
    }
}

/// Was everybody to take it?
fn everybody(record: &Record) -> bool {
    record.plan_in_force().is_some_and(|plan| plan.call_flow.answer == Answer::All)
}

/// Who took it: the one it ended with, or all where everybody was to.
fn takers(name: &str, record: &Record, between: &str) -> String {
    let all = listed(&record.taken_by, record, between).filter(|_| everybody(record));
    all.unwrap_or_else(|| name.to_owned())
}

/// The names of these people; nothing where there are none.
fn listed(people: &[ContactId], record: &Record, between: &str) -> Option<String> {
    let names: Vec<String> = people.iter().map(|contact| name_of(contact, record)).collect();
    (!names.is_empty()).then(|| names.join(between))
}

/// Who of an incident's people was called.
enum Reached {
    All,
    /// Others do not accept calls now.
    Some,
    Nobody,
}

fn reached(record: &Record) -> Reached {
    match (record.skipped.is_empty(), record.attempts.is_empty()) {
        (true, _) => Reached::All,
        (false, false) => Reached::Some,
        (false, true) => Reached::Nobody,
    }
}

fn colon(text: Option<&str>) -> String {
    text.map(|text| format!(": {text}")).unwrap_or_default()
}

/// ` (486 Busy Here)`, with as much of it as there is.
fn why(code: Option<u16>, reason: &str) -> String {
    match (code, reason.trim()) {
        (None, "") => String::new(),
        (Some(code), "") => format!(" ({code})"),
        (None, reason) => format!(" ({reason})"),
        (Some(code), reason) => format!(" ({code} {reason})"),
    }
}

fn key(means: Option<Behaviour>, language: Language) -> &'static str {
    match (language, means) {
        (Ja, None) => "このキーに意味はありません",
        (Ja, Some(Behaviour::Take)) => "対応開始",
        (Ja, Some(Behaviour::Next)) => "次の担当者へ",
        (Ja, Some(Behaviour::Join)) => "会議室へ",
        (Ja, Some(Behaviour::Leave)) => "今回は外れる",
        (Ja, Some(Behaviour::Quiet)) => "静観",
        (Ja, Some(Behaviour::Repeat)) => "もう一度",
        (En, None) => "no meaning here",
        (En, Some(Behaviour::Take)) => "takes it",
        (En, Some(Behaviour::Next)) => "the next person",
        (En, Some(Behaviour::Join)) => "into the room",
        (En, Some(Behaviour::Leave)) => "left out",
        (En, Some(Behaviour::Quiet)) => "quiet",
        (En, Some(Behaviour::Repeat)) => "once more",
    }
}

fn ended(outcome: Outcome, language: Language) -> &'static str {
    match (language, outcome) {
        (Ja, Outcome::Taken) => "対応開始",
        (Ja, Outcome::Passed) => "次の担当者へ",
        (Ja, Outcome::Left) => "今回は外れる",
        (Ja, Outcome::Quieted) => "静観",
        (Ja, Outcome::Ignored) => "つながったが操作なし",
        (Ja, Outcome::NoAnswer) => "応答なし",
        (Ja, Outcome::Busy) => "話し中",
        (Ja, Outcome::Rejected) => "拒否",
        (Ja, Outcome::Unreachable) => "つながらない番号",
        (Ja, Outcome::Failed) => "発信できませんでした",
        (Ja, Outcome::Cancelled) => "取りやめ",
        (En, Outcome::Taken) => "takes it",
        (En, Outcome::Passed) => "passed to the next person",
        (En, Outcome::Left) => "left out of this callout",
        (En, Outcome::Quieted) => "asked for quiet",
        (En, Outcome::Ignored) => "picked up, no key pressed",
        (En, Outcome::NoAnswer) => "no answer",
        (En, Outcome::Busy) => "busy",
        (En, Outcome::Rejected) => "declined",
        (En, Outcome::Unreachable) => "the number leads nowhere",
        (En, Outcome::Failed) => "could not be made",
        (En, Outcome::Cancelled) => "ended by hansho",
    }
}
