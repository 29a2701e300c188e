//! `serving._native`: bundles and scoring, for Python.
use pyo3::prelude::*;

#[pymodule]
mod _native {}
