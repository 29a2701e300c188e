//! Bundles of compiled models, and their scoring. Knows no Python.
//!
//! The way of a model: [`mojo`] reads H2O's zip, [`tree`] its trees, [`compile`] lays them out, [`layout`] writes the
//! file; [`bundle`] maps and validates it, [`features`] turns values into what trees compare, [`score`] walks the
//! trees, [`verdict`] makes a probability and a label of their sum.
pub mod bundle;
pub mod compile;
pub mod error;
pub mod features;
pub mod layout;
mod mapped;
mod model_ini;
pub mod mojo;
pub mod score;
pub mod tree;
mod validate;
pub mod verdict;
