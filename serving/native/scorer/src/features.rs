//! From typed feature values to what trees compare: numbers, and indexes of levels.
//!
//! How H2O 3.46 reads our types from Parquet (settled by importing them; `test_admission_h2o` holds it):
//! - string: enum, levels as they are (no trimming; `NA` and `null` are levels like any other), but for those with a
//!   U+FFFD, see [`as_h2o_reads`]. `''` becomes a level of its own where training saw it; where it did not, it is
//!   missing, like NULL and every unseen level.
//! - boolean: enum with the levels `False` and `True`, or numeric 0 and 1, as the trainer asks. Ours asks for enum.
//! - int: numeric, compared as the nearest double; the smallest int64 is H2O's own mark for missing.
//! - double: numeric; NaN and both infinities are missing. The import of Parquet gives some numbers as the double beside
//!   them (2570.5 as 2570.4999999999995): admission could refuse a candidate for a row whose value lies on a threshold.
use crate::error::{Result, invalid};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::HashMap;
use transform::value::{Type, Value};

/// The index of a missing or unseen level: beyond every set of levels.
pub const MISSING: u32 = u32::MAX;

/// A level as H2O has it. One that holds U+FFFD, the replacement character, H2O takes for text that is not UTF-8: it
/// writes each run of bytes beyond ASCII as `<0x...>` (`é\u{fffd}` becomes `<0xC3A9EFBFBD>`). All others stay.
pub fn as_h2o_reads(level: &str) -> Cow<'_, str> {
    if !level.contains(char::REPLACEMENT_CHARACTER) {
        return Cow::Borrowed(level);
    }
    let mut text = String::with_capacity(2 * level.len());
    for run in level
        .as_bytes()
        .chunk_by(|a, b| a.is_ascii() == b.is_ascii())
    {
        if run[0].is_ascii() {
            text.extend(run.iter().map(|byte| char::from(*byte)));
        } else {
            text.push_str("<0x");
            text.extend(run.iter().map(|byte| format!("{byte:02X}")));
            text.push('>');
        }
    }
    Cow::Owned(text)
}

/// One feature of the pipeline, as the bundle's feature table has it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feature {
    pub name: String,
    /// A name of [`transform::value::Type`].
    #[serde(rename = "type")]
    pub kind: String,
    /// In the model's order. For a feature that the model dropped (a constant one): as the manifest has them.
    pub levels: Option<Vec<String>>,
    /// The range seen in training.
    pub min: Option<f64>,
    pub max: Option<f64>,
}

/// What of a value was not seen in training.
#[derive(Clone, Debug, PartialEq)]
pub enum Remark {
    Unseen(String),
    Outside(f64),
}

/// What trees compare of one row, by feature. `numbers` holds NaN where missing; for a categorical feature the level's
/// index, since H2O also splits those by number.
#[derive(Debug, Default)]
pub struct Row {
    pub numbers: Vec<f64>,
    pub categories: Vec<u32>,
}

impl Row {
    /// The numbers as the nearest floats, which XGBoost compares; where it is `sparse`, a zero is missing.
    pub fn with_floats(&self, sparse: bool) -> Row {
        let rounded = |number: &f64| match *number as f32 {
            0.0 if sparse => f64::NAN,
            float => f64::from(float),
        };
        Row {
            numbers: self.numbers.iter().map(rounded).collect(),
            categories: self.categories.clone(),
        }
    }
}

#[derive(Debug)]
pub struct Features {
    columns: Vec<Column>,
    by_name: HashMap<String, usize>,
}

#[derive(Debug)]
struct Column {
    feature: Feature,
    kind: Type,
    index: Option<HashMap<String, u32>>,
}

impl Features {
    /// Checks the table: names and levels are distinct, types known, and levels only where they can be.
    pub fn new(features: Vec<Feature>) -> Result<Features> {
        let columns = features
            .into_iter()
            .map(Column::new)
            .collect::<Result<Vec<_>>>()?;
        let by_name: HashMap<_, _> = columns
            .iter()
            .enumerate()
            .map(|(at, c)| (c.feature.name.clone(), at))
            .collect();
        match by_name.len() == columns.len() && columns.len() < usize::from(u16::MAX) {
            true => Ok(Features { columns, by_name }),
            false => Err(invalid(
                "the features",
                "two have one name, or there are more than 65534",
            )),
        }
    }

    pub fn len(&self) -> usize {
        self.columns.len()
    }

    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    pub fn names_and_types(&self) -> impl Iterator<Item = (&str, Type)> {
        self.columns
            .iter()
            .map(|column| (column.feature.name.as_str(), column.kind))
    }

    pub fn name(&self, at: usize) -> &str {
        &self.columns[at].feature.name
    }

    pub fn kind(&self, at: usize) -> Type {
        self.columns[at].kind
    }

    pub fn position(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    pub fn is_categorical(&self, at: usize) -> bool {
        self.columns[at].index.is_some()
    }

    /// A row in which everything is missing.
    pub fn empty_row(&self) -> Row {
        Row {
            numbers: vec![f64::NAN; self.len()],
            categories: vec![MISSING; self.len()],
        }
    }

    /// Puts a value into its place; says what of it was not seen in training. A value of another type than the
    /// feature's is missing: the transform gives no such value, and `serving._native` refuses it.
    pub fn put(&self, row: &mut Row, at: usize, value: &Value<'_>) -> Option<Remark> {
        let column = &self.columns[at];
        let (number, category, remark) = match &column.index {
            Some(index) => column.categorical(index, value),
            None => column.numeric(value),
        };
        (row.numbers[at], row.categories[at]) = (number, category);
        remark
    }
}

impl Column {
    fn new(feature: Feature) -> Result<Column> {
        let refuse = |what: &str| Err(invalid(format_args!("feature {}", feature.name), what));
        let Some(kind) = Type::from_name(&feature.kind) else {
            return refuse("unknown type");
        };
        let index = feature.levels.as_ref().map(|levels| {
            levels
                .iter()
                .enumerate()
                .map(|(at, level)| (level.clone(), at as u32))
                .collect::<HashMap<_, _>>()
        });
        match (kind, &index) {
            (Type::Timestamp, _) => {
                return refuse("a timestamp is no feature; make a number of it (unix_seconds)");
            }
            (Type::String, None) => return refuse("a string without levels"),
            (Type::Int | Type::Double, Some(_)) => return refuse("a number with levels"),
            _ => {}
        }
        match (&index, &feature.levels) {
            (Some(index), Some(levels)) if index.len() != levels.len() => {
                refuse("a level is listed twice")
            }
            _ => Ok(Column {
                feature,
                kind,
                index,
            }),
        }
    }

    fn categorical(
        &self,
        index: &HashMap<String, u32>,
        value: &Value<'_>,
    ) -> (f64, u32, Option<Remark>) {
        let level = match value {
            Value::String(text) => text.as_ref(),
            Value::Boolean(true) => "True",
            Value::Boolean(false) => "False",
            _ => return (f64::NAN, MISSING, None),
        };
        match index.get(as_h2o_reads(level).as_ref()) {
            Some(category) => (f64::from(*category), *category, None),
            None if level.is_empty() => (f64::NAN, MISSING, None),
            None => (f64::NAN, MISSING, Some(Remark::Unseen(level.to_owned()))),
        }
    }

    fn numeric(&self, value: &Value<'_>) -> (f64, u32, Option<Remark>) {
        let number = match value {
            Value::Double(number) => *number,
            Value::Int(number) => *number as f64,
            Value::Boolean(truth) => f64::from(u8::from(*truth)),
            _ => f64::NAN,
        };
        let feature = &self.feature;
        let outside = feature.min.is_some_and(|min| number < min)
            || feature.max.is_some_and(|max| number > max);
        let is_missing = !number.is_finite() || *value == Value::Int(i64::MIN);
        let compared = if is_missing { f64::NAN } else { number };
        (
            compared,
            MISSING,
            outside.then_some(Remark::Outside(number)),
        )
    }
}
