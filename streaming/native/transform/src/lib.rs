//! A pipeline's transform: event bytes in, typed fields and features out. Knows no Python.
pub mod toml;
pub mod value;
