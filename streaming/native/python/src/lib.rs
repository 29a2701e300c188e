//! `streaming._native`: the transform, for Python.
mod batches;
mod capsule;
mod columns;
mod decoded;
mod expressions;
mod question;

use pyo3::prelude::*;

#[pymodule]
mod _native {
    use super::{batches, capsule, expressions, question};
    use pyo3::exceptions::PyValueError;
    use pyo3::prelude::*;
    use pyo3::types::PyDict;
    use std::collections::HashMap;

    #[pymodule_export]
    use super::capsule::ArrowArray;

    /// A compiled pipeline; see `_native.pyi`.
    #[pyclass(frozen)]
    struct Transform(transform::Transform);

    type Batch = arrow_array::StructArray;

    impl Transform {
        /// Runs over a batch without the GIL.
        fn over(
            &self,
            py: Python<'_>,
            batch: &Bound<'_, PyAny>,
            run: fn(&transform::Transform, &Batch) -> Result<Batch, String>,
        ) -> PyResult<ArrowArray> {
            let batch = capsule::take_batch(batch)?;
            py.detach(|| run(&self.0, &batch))
                .map(ArrowArray)
                .map_err(PyValueError::new_err)
        }
    }

    #[pymethods]
    impl Transform {
        #[new]
        fn new(spec: &str) -> PyResult<Transform> {
            transform::Transform::from_spec(spec)
                .map(Transform)
                .map_err(PyValueError::new_err)
        }

        fn decode_events(&self, py: Python<'_>, batch: &Bound<'_, PyAny>) -> PyResult<ArrowArray> {
            self.over(py, batch, batches::decode_events)
        }

        fn decode_labels(&self, py: Python<'_>, batch: &Bound<'_, PyAny>) -> PyResult<ArrowArray> {
            self.over(py, batch, batches::decode_labels)
        }

        fn features(&self, py: Python<'_>, batch: &Bound<'_, PyAny>) -> PyResult<ArrowArray> {
            self.over(py, batch, batches::features)
        }

        fn label_values(&self, py: Python<'_>, batch: &Bound<'_, PyAny>) -> PyResult<ArrowArray> {
            self.over(py, batch, batches::label_values)
        }

        #[pyo3(signature = (body, as_of_us, now_us))]
        fn question<'py>(
            &self,
            py: Python<'py>,
            body: &[u8],
            as_of_us: Option<i64>,
            now_us: i64,
        ) -> PyResult<Bound<'py, PyDict>> {
            question::question_dict(py, &self.0, &self.0.question(body, as_of_us, now_us))
        }
    }

    /// The fields of a JSON record that is no pipeline's own; see `_native.pyi`.
    #[pyclass(frozen)]
    struct RecordForm(transform::fields::Fields);

    #[pymethods]
    impl RecordForm {
        #[new]
        fn new(fields: &str) -> PyResult<RecordForm> {
            let fields = serde_json::from_str(fields)
                .map_err(|error| PyValueError::new_err(error.to_string()))?;
            transform::fields::Fields::new(fields, &[])
                .map(RecordForm)
                .map_err(PyValueError::new_err)
        }

        fn decode(&self, py: Python<'_>, batch: &Bound<'_, PyAny>) -> PyResult<ArrowArray> {
            let batch = capsule::take_batch(batch)?;
            py.detach(|| batches::decode_records(&self.0, &batch))
                .map(ArrowArray)
                .map_err(PyValueError::new_err)
        }
    }

    /// Compiled expressions; see `_native.pyi`.
    #[pyclass(frozen)]
    struct Program(transform::program::Program);

    #[pymethods]
    impl Program {
        #[new]
        fn new(program: &str) -> PyResult<Program> {
            let json = serde_json::from_str(program)
                .map_err(|error| PyValueError::new_err(error.to_string()))?;
            transform::program::Program::from_json(&json)
                .map(Program)
                .map_err(PyValueError::new_err)
        }

        fn evaluate(&self, py: Python<'_>, batch: &Bound<'_, PyAny>) -> PyResult<ArrowArray> {
            let batch = capsule::take_batch(batch)?;
            py.detach(|| expressions::evaluate(&self.0, &batch))
                .map(ArrowArray)
                .map_err(PyValueError::new_err)
        }
    }

    /// Dotted path of every key and table -> (line, column), both from 1.
    #[pyfunction]
    fn toml_positions(source: &str) -> PyResult<HashMap<String, (usize, usize)>> {
        match transform::toml::positions(source) {
            Ok(found) => Ok(found.into_iter().collect()),
            Err(error) => Err(PyValueError::new_err((
                error.message,
                error.place.0,
                error.place.1,
            ))),
        }
    }
}
