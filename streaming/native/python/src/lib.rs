//! `streaming._native`: the transform, for Python.
use pyo3::prelude::*;

#[pymodule]
mod _native {
    use pyo3::exceptions::PyValueError;
    use pyo3::prelude::*;
    use std::collections::HashMap;

    /// Dotted path of every key and table -> (line, column), both from 1.
    #[pyfunction]
    fn toml_positions(source: &str) -> PyResult<HashMap<String, (usize, usize)>> {
        match transform::toml::positions(source) {
            Ok(found) => Ok(found.into_iter().collect()),
            Err(error) => Err(PyValueError::new_err((error.message, error.place.0, error.place.1))),
        }
    }
}
