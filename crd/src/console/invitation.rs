//! How customers are invited: the text, when to remind, when to give up.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::value::IsoDuration;

/// Invitations of this console. An invitation is drafted once per account; sending is done by hand.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = crate::schema::rules(&[
    ("!has(self.messages) || self.messages.all(l, self.messages[l].contains('{{ link }}'))",
     "every message must keep {{ link }}: text may change, the link may not"),
])))]
pub struct InvitationPolicy {
    /// The text per language (`de`, `en`): must keep `{{ link }}`. Default: the console's own text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 32, "additionalProperties" = {"type": "string", "minLength": 1, "maxLength": 8192}))]
    pub messages: BTreeMap<String, String>,
    /// How long after the last mail a reminder is due. Default: P7D.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub remind_after: Option<IsoDuration>,
    /// Most reminders per invitation. Default: 2.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(range(max = 10))]
    pub max_reminders: Option<u32>,
    /// How long an invitation may stay unanswered before it counts as overdue. Default: P30D.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub expire_after: Option<IsoDuration>,
}

/// The invitation policy in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reminders {
    /// How long after the last mail a reminder is due.
    pub remind_after: IsoDuration,
    /// Most reminders per invitation.
    pub max_reminders: u32,
    /// When an invitation counts as overdue.
    pub expire_after: IsoDuration,
}

impl InvitationPolicy {
    /// The policy in force, with the documented defaults where nothing is declared.
    pub fn effective(&self) -> Reminders {
        Reminders {
            remind_after: self.remind_after.unwrap_or(IsoDuration::days(7)),
            max_reminders: self.max_reminders.unwrap_or(2),
            expire_after: self.expire_after.unwrap_or(IsoDuration::days(30)),
        }
    }
}
