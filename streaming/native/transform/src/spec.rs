//! A compiled pipeline as JSON text: what `streaming.pipeline_file.compile_pipeline` writes, candidates carry and `Transform` reads.
use crate::fields::Field;
use crate::value::Type;
use serde::Deserialize;

/// The version of the format that this crate reads.
pub const VERSION: u32 = 1;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    pub version: u32,
    pub pipeline: String,
    pub event: EventSpec,
    pub label: LabelSpec,
    pub wait: WaitSpec,
    pub max_wait_us: i64,
    pub features: FeaturesSpec,
}

/// `[events]`: the fields, and which of them play a role.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventSpec {
    pub fields: Vec<Field>,
    pub key: Vec<String>,
    pub id: String,
    pub time: String,
    pub host: Option<String>,
}

/// `[label]`: likewise, with the program of its value (one output, boolean).
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelSpec {
    pub fields: Vec<Field>,
    pub key: Vec<String>,
    pub time: Option<String>,
    pub value: serde_json::Value,
}

/// From a question to its `due`: `{"duration_us": n}`, or `{"program": ...}` (one output, timestamp).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitSpec {
    DurationUs(i64),
    Program(serde_json::Value),
}

/// The features, in the order of the program's outputs.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeaturesSpec {
    pub columns: Vec<FeatureColumn>,
    pub program: serde_json::Value,
}

/// What the model sees of one feature.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureColumn {
    pub name: String,
    #[serde(rename = "type", deserialize_with = "crate::fields::type_by_name")]
    pub kind: Type,
}

impl Spec {
    /// # Errors
    /// The text is not a spec of this version.
    pub fn from_json(text: &str) -> Result<Spec, String> {
        let spec: Spec =
            serde_json::from_str(text).map_err(|error| format!("the spec is broken: {error}"))?;
        if spec.version == VERSION {
            return Ok(spec);
        }
        Err(format!(
            "the spec is of version {}; this hotpath reads version {VERSION}: compile it again",
            spec.version
        ))
    }
}
