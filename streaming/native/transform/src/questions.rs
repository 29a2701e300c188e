//! Questions and labels: decoded records whose fields play roles.
use crate::fields::Fields;
use crate::json::decode;
use crate::key::{key_text, plain_text};
use crate::record::Record;
use crate::spec::{EventSpec, LabelSpec};
use crate::value::Value;

/// What `[events]` says of a record.
#[derive(Debug)]
pub struct EventRecord {
    pub fields: Fields,
    key: Vec<usize>,
    id: usize,
    time: usize,
    host: Option<usize>,
}

/// A decoded event. `id` and `key` are there whenever the record has no problems.
#[derive(Debug)]
pub struct Event<'a> {
    pub record: Record<'a>,
    pub id: Option<String>,
    pub key: Option<String>,
    pub host: Option<String>,
    /// The body's own moment.
    pub time_us: Option<i64>,
}

impl EventRecord {
    /// # Errors
    /// A role names no field.
    pub fn new(spec: EventSpec) -> Result<EventRecord, String> {
        let mut roles: Vec<&str> = spec.key.iter().map(String::as_str).collect();
        roles.push(&spec.id);
        let fields = Fields::new(spec.fields, &roles)?;
        Ok(EventRecord {
            key: indexes(&fields, &spec.key)?,
            id: index(&fields, &spec.id)?,
            time: index(&fields, &spec.time)?,
            host: spec.host.map(|name| index(&fields, &name)).transpose()?,
            fields,
        })
    }

    pub fn decode<'a>(&self, body: &'a [u8]) -> Event<'a> {
        let record = decode(body, &self.fields);
        Event {
            id: plain_text(&record.values[self.id]),
            key: key_text(&record.values, &self.key),
            host: self
                .host
                .and_then(|index| plain_text(&record.values[index])),
            time_us: timestamp(&record.values[self.time]),
            record,
        }
    }
}

/// What `[label]` says of a record.
#[derive(Debug)]
pub struct LabelRecord {
    pub fields: Fields,
    key: Vec<usize>,
    time: Option<usize>,
}

/// A decoded label. `key` is there whenever the record has no problems.
#[derive(Debug)]
pub struct Label<'a> {
    pub record: Record<'a>,
    pub key: Option<String>,
    pub time_us: Option<i64>,
}

impl LabelRecord {
    /// # Errors
    /// A role names no field.
    pub fn new(spec: &LabelSpec) -> Result<LabelRecord, String> {
        let roles: Vec<&str> = spec.key.iter().map(String::as_str).collect();
        let fields = Fields::new(spec.fields.clone(), &roles)?;
        Ok(LabelRecord {
            key: indexes(&fields, &spec.key)?,
            time: spec
                .time
                .as_ref()
                .map(|name| index(&fields, name))
                .transpose()?,
            fields,
        })
    }

    pub fn decode<'a>(&self, body: &'a [u8]) -> Label<'a> {
        let record = decode(body, &self.fields);
        Label {
            key: key_text(&record.values, &self.key),
            time_us: self.time.and_then(|index| timestamp(&record.values[index])),
            record,
        }
    }
}

fn index(fields: &Fields, name: &str) -> Result<usize, String> {
    fields
        .index(name)
        .ok_or_else(|| format!("there is no field {name:?}"))
}

fn indexes(fields: &Fields, names: &[String]) -> Result<Vec<usize>, String> {
    names.iter().map(|name| index(fields, name)).collect()
}

fn timestamp(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::Timestamp(us) => Some(*us),
        _ => None,
    }
}
