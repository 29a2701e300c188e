//! `serving._native`: bundles and scoring, for Python.
mod answer;
mod values;

use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use scorer::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

/// As `compile_bundle` in `_native.pyi`.
#[pyfunction]
fn compile_bundle(
    py: Python<'_>,
    mojo: &[u8],
    spec: &str,
    manifest: &str,
    path: &str,
) -> PyResult<()> {
    py.detach(|| scorer::compile::compile(mojo, spec, manifest, Path::new(path)))
        .map_err(raised)
}

/// As `Bundle` in `_native.pyi`.
#[pyclass(frozen)]
struct Bundle(scorer::bundle::Bundle);

#[pymethods]
impl Bundle {
    #[new]
    fn open(path: &str) -> PyResult<Bundle> {
        scorer::bundle::Bundle::open(Path::new(path))
            .map(Bundle)
            .map_err(raised)
    }

    #[getter]
    fn manifest<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        py.import("json")?
            .call_method1("loads", (self.0.manifest(),))
    }

    #[getter]
    fn threshold(&self) -> f64 {
        self.0.model.threshold
    }

    #[getter]
    fn tolerances(&self) -> Vec<&str> {
        self.0.scorecard.names().collect()
    }

    #[getter]
    fn default_tolerance(&self) -> Option<&str> {
        self.0.scorecard.default_name()
    }

    fn score_features(&self, features: &Bound<'_, PyDict>) -> PyResult<(f64, Vec<u32>)> {
        let row = values::row(&self.0.features, features)?;
        let (score, leaves) = self.0.score_with_leaves(&row);
        Ok((score.probability, leaves))
    }

    /// One row is scored in less time than it takes to give the interpreter away and get it back.
    #[pyo3(signature = (body, as_of_us, now_us, tolerance=None))]
    fn score<'py>(
        &self,
        py: Python<'py>,
        body: &[u8],
        as_of_us: Option<i64>,
        now_us: i64,
        tolerance: Option<&str>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let answered = self.0.answer(body, as_of_us, now_us, tolerance);
        answer::answer_dict(py, &self.0, &answered)
    }

    fn time_scoring(
        &self,
        py: Python<'_>,
        features: Vec<Bound<'_, PyDict>>,
        rounds: u32,
    ) -> PyResult<f64> {
        let rows = features
            .iter()
            .map(|row| values::row(&self.0.features, row))
            .collect::<PyResult<Vec<_>>>()?;
        Ok(py.detach(|| {
            let begin = Instant::now();
            for row in (0..rounds).flat_map(|_| &rows) {
                black_box(self.0.score(black_box(row)));
            }
            begin.elapsed().as_nanos() as f64 / (f64::from(rounds) * rows.len() as f64).max(1.0)
        }))
    }
}

fn raised(error: Error) -> PyErr {
    match error {
        Error::Invalid(message) => PyValueError::new_err(message),
        Error::Io(path, io) => match io.raw_os_error() {
            // the three arguments make Python choose FileNotFoundError and its like
            Some(number) => PyOSError::new_err((number, io.to_string(), path)),
            None => PyOSError::new_err(format!("{path}: {io}")),
        },
    }
}

#[pymodule]
mod _native {
    #[pymodule_export]
    use super::{Bundle, compile_bundle};
}
