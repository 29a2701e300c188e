//! What a record must look like: its fields, their types, and which may not be missing.
use crate::value::Type;
use serde::Deserialize;
use std::collections::HashMap;

/// One field of a JSON record.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    pub name: String,
    #[serde(rename = "type", deserialize_with = "type_by_name")]
    pub kind: Type,
    /// Whether a record that lacks it is refused.
    pub required: bool,
    /// Whether it is decoded, but never stored.
    pub sensitive: bool,
    /// Whether its value must be a JSON object, which is kept as its text; `kind` is then `String`.
    #[serde(default)]
    pub object: bool,
}

pub(crate) fn type_by_name<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Type, D::Error> {
    let name = std::borrow::Cow::<str>::deserialize(deserializer)?;
    Type::from_name(&name)
        .ok_or_else(|| serde::de::Error::custom(format!("{name:?} is not a type")))
}

/// The fields of one kind of record, found by name.
#[derive(Clone, Debug)]
pub struct Fields {
    all: Vec<Field>,
    by_name: HashMap<String, usize>,
    any_sensitive: bool,
}

impl Fields {
    /// `roles` are names of fields that may not be missing either (id, key).
    ///
    /// # Errors
    /// A field is named twice, or a role names none.
    pub fn new(mut all: Vec<Field>, roles: &[&str]) -> Result<Fields, String> {
        let mut by_name = HashMap::with_capacity(all.len());
        for (index, field) in all.iter().enumerate() {
            if by_name.insert(field.name.clone(), index).is_some() {
                return Err(format!("the field {:?} is there twice", field.name));
            }
        }
        for role in roles {
            let index = by_name
                .get(*role)
                .ok_or_else(|| format!("there is no field {role:?}"))?;
            all[*index].required = true;
        }
        let any_sensitive = all.iter().any(|field| field.sensitive);
        Ok(Fields {
            all,
            by_name,
            any_sensitive,
        })
    }

    pub fn all(&self) -> &[Field] {
        &self.all
    }

    pub fn any_sensitive(&self) -> bool {
        self.any_sensitive
    }

    pub fn index(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// As `index`; `guess` is tried first, since producers write their fields in one order.
    pub fn index_near(&self, name: &str, guess: usize) -> Option<usize> {
        match self.all.get(guess) {
            Some(field) if field.name == name => Some(guess),
            _ => self.index(name),
        }
    }
}
