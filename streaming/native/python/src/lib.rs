//! `streaming._native`: the transform, for Python.
use pyo3::prelude::*;

#[pymodule]
mod _native {}
