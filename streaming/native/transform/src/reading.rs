//! A record while it is read: a visitor that takes its fields one by one.
use crate::fields::Fields;
use crate::problem::{Problem, Reason};
use crate::record::Record;
use crate::scalars::{read_object, read_value};
use crate::value::Value;
use serde::de::{DeserializeSeed, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// What has happened to a field so far.
#[derive(Clone, Default)]
struct Seen {
    once: bool,
    refused: bool,
}

/// A record while it is read.
pub struct Reading<'a, 'f> {
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
    pub fn new(text: &'a str, fields: &'f Fields) -> Self {
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
        let read = if field.object {
            read_object(raw.get())
        } else {
            read_value(raw.get(), field.kind)
        };
        match read {
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

    pub fn finish(mut self) -> Record<'a> {
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
