//! One JSON record into typed values: strict, without a tree in between, naming every problem.
//!
//! Values borrow from the record wherever no escape stands in the way. Skipping a value is iterative in serde_json, so
//! that nesting costs a byte a level and no stack.
use crate::fields::Fields;
use crate::problem::{Problem, Reason};
use crate::scalars::{kind_of, read_value};
use crate::value::Value;
use serde::Deserializer as _;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// The largest record, as at the brokers (`streaming.records.MAX_RECORD_BYTES`).
pub const MAX_RECORD_BYTES: usize = 8 * 1024 * 1024;

/// A decoded record. With problems, `values` holds what could be read.
#[derive(Debug)]
pub struct Record<'a> {
    /// One per field, in their order.
    pub values: Vec<Value<'a>>,
    /// Names that no field has.
    pub unknown: Vec<Cow<'a, str>>,
    pub problems: Vec<Problem>,
    /// The record as it may be stored: without its sensitive fields.
    pub stored: Cow<'a, [u8]>,
}

/// Decodes a record. A body that is no JSON object has one problem that says so, and no values.
pub fn decode<'a>(body: &'a [u8], fields: &Fields) -> Record<'a> {
    match read(body, fields) {
        Ok(reading) => reading.finish(),
        Err(problem) => Record {
            values: vec![Value::Null; fields.all().len()],
            unknown: Vec::new(),
            problems: vec![problem],
            stored: Cow::Borrowed(if fields.any_sensitive() { &[] } else { body }),
        },
    }
}

fn read<'a, 'f>(body: &'a [u8], fields: &'f Fields) -> Result<Reading<'a, 'f>, Problem> {
    let text = check_text(body)?;
    let mut reading = Reading::new(text, fields);
    let mut json = serde_json::Deserializer::from_str(text);
    json.deserialize_map(&mut reading)
        .and_then(|()| json.end())
        .map_err(|error| not_json(text, &error))?;
    Ok(reading)
}

/// The body as text that begins like an object.
fn check_text(body: &[u8]) -> Result<&str, Problem> {
    if body.len() > MAX_RECORD_BYTES {
        return Err(whole(
            Reason::TooLarge,
            format!("{} bytes; {MAX_RECORD_BYTES} at most", body.len()),
            None,
        ));
    }
    let text = std::str::from_utf8(body).map_err(|error| {
        whole(
            Reason::NotJson,
            "not UTF-8".into(),
            Some(error.valid_up_to()),
        )
    })?;
    let is_space = |c: char| matches!(c, ' ' | '\n' | '\r' | '\t');
    let start = text.trim_start_matches(is_space);
    if start.starts_with('{') {
        return Ok(text);
    }
    serde_json::from_str::<IgnoredAny>(text).map_err(|error| not_json(text, &error))?;
    let detail = format!("must be a JSON object, not {}", kind_of(start));
    Err(whole(
        Reason::NotAnObject,
        detail,
        Some(text.len() - start.len()),
    ))
}

fn whole(reason: Reason, detail: String, at_byte: Option<usize>) -> Problem {
    Problem {
        reason,
        field: None,
        detail,
        at_byte,
    }
}

fn not_json(text: &str, error: &serde_json::Error) -> Problem {
    let line_start = match error.line() {
        0 | 1 => 0,
        line => text
            .match_indices('\n')
            .nth(line - 2)
            .map_or(0, |(at, _)| at + 1),
    };
    let at = if error.is_eof() {
        text.len()
    } else {
        (line_start + error.column().saturating_sub(1)).min(text.len())
    };
    let message = error.to_string();
    let detail = message
        .split(" at line ")
        .next()
        .unwrap_or(&message)
        .to_owned();
    whole(Reason::NotJson, detail, Some(at))
}

/// What has happened to a field so far.
#[derive(Clone, Default)]
struct Seen {
    once: bool,
    refused: bool,
}

/// A record while it is read.
struct Reading<'a, 'f> {
    text: &'a str,
    fields: &'f Fields,
    values: Vec<Value<'a>>,
    seen: Vec<Seen>,
    unknown: Vec<Cow<'a, str>>,
    problems: Vec<Problem>,
    /// What may be stored; kept only when the record has to be written anew.
    kept: Vec<(Cow<'a, str>, &'a RawValue)>,
    next: usize,
}

impl<'a, 'f> Reading<'a, 'f> {
    fn new(text: &'a str, fields: &'f Fields) -> Self {
        let count = fields.all().len();
        Reading {
            text,
            fields,
            values: vec![Value::Null; count],
            seen: vec![Seen::default(); count],
            unknown: Vec::new(),
            problems: Vec::new(),
            kept: Vec::new(),
            next: 0,
        }
    }

    fn take(&mut self, name: Cow<'a, str>, raw: &'a RawValue) {
        let index = self.fields.index_near(&name, self.next);
        if let Some(index) = index {
            self.next = index + 1;
            self.take_field(index, raw);
        } else {
            self.unknown.push(name.clone());
        }
        let sensitive = index.is_some_and(|index| self.fields.all()[index].sensitive);
        if self.fields.any_sensitive() && !sensitive {
            self.kept.push((name, raw));
        }
    }

    fn take_field(&mut self, index: usize, raw: &'a RawValue) {
        let field = &self.fields.all()[index];
        let at_byte = Some(raw.get().as_ptr() as usize - self.text.as_ptr() as usize);
        if self.seen[index].once {
            self.refuse(
                index,
                Reason::DuplicateField,
                "is there twice".to_owned(),
                at_byte,
            );
            return;
        }
        self.seen[index].once = true;
        match read_value(raw.get(), field.kind) {
            Ok(value) => self.values[index] = value,
            Err(detail) => self.refuse(index, Reason::WrongType, detail, at_byte),
        }
    }

    /// Notes the first problem of a field: a hostile record has at most one for each.
    fn refuse(&mut self, index: usize, reason: Reason, detail: String, at_byte: Option<usize>) {
        if !std::mem::replace(&mut self.seen[index].refused, true) {
            let field = Some(self.fields.all()[index].name.clone());
            self.problems.push(Problem {
                reason,
                field,
                detail,
                at_byte,
            });
        }
    }

    fn finish(mut self) -> Record<'a> {
        for (index, field) in self.fields.all().iter().enumerate() {
            if field.required && self.values[index] == Value::Null {
                let detail = if self.seen[index].once {
                    "is null, and may not be"
                } else {
                    "is missing"
                };
                self.refuse(index, Reason::Missing, detail.to_owned(), None);
            }
        }
        let stored = if self.fields.any_sensitive() {
            Cow::Owned(rewrite(&self.kept))
        } else {
            Cow::Borrowed(self.text.as_bytes())
        };
        Record {
            values: self.values,
            unknown: self.unknown,
            problems: self.problems,
            stored,
        }
    }
}

fn rewrite(entries: &[(Cow<'_, str>, &RawValue)]) -> Vec<u8> {
    let mut out = vec![b'{'];
    for (name, raw) in entries {
        if out.len() > 1 {
            out.push(b',');
        }
        out.extend(
            serde_json::to_string(name)
                .expect("a string is JSON")
                .bytes(),
        );
        out.push(b':');
        out.extend(raw.get().bytes());
    }
    out.push(b'}');
    out
}

impl<'de> Visitor<'de> for &mut Reading<'de, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key_seed(Name)? {
            self.take(name, map.next_value()?);
        }
        Ok(())
    }
}

/// A key, borrowed where it can be.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: serde::Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

#[cfg(test)]
mod tests;
