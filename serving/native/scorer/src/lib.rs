//! Bundles of compiled models, and their scoring. Knows no Python.
//!
//! The way of a model: [`mojo`] reads H2O's zip, [`tree`] and `booster` its trees, [`linear`] its coefficients,
//! [`compile`] lays them out, [`layout`] writes the file; [`bundle`] maps and validates it, [`features`] turns values into
//! what trees compare, [`score`] walks the trees, [`verdict`] makes a probability and a label of their sum, [`scorecard`]
//! decides by a risk tolerance.
mod booster;
pub mod bundle;
pub mod compile;
pub mod error;
pub mod features;
pub mod layout;
pub mod linear;
mod mapped;
pub mod model;
mod model_ini;
pub mod mojo;
pub mod score;
pub mod scorecard;
pub mod tree;
mod validate;
pub mod verdict;
