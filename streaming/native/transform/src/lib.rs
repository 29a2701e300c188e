//! A pipeline's transform: event bytes in, typed fields and features out. Knows no Python.
//!
//! `Transform::from_spec` reads what `streaming.pipeline_file.compile_pipeline` wrote; `Transform::question` answers one request.
mod evaluate;
pub mod fields;
pub mod json;
mod key;
pub mod moment;
pub mod problem;
pub mod program;
pub mod questions;
mod reading;
pub mod record;
mod scalars;
mod spec;
pub mod toml;
mod transform;
pub mod value;

pub use spec::FeatureColumn;
pub use transform::{AsOfSource, Question, Transform};
