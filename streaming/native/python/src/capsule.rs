//! Arrow arrays between Python and Rust, by the capsules of Arrow's C data interface: nothing is copied, and pyo3 and
//! arrow may be of any versions. The only `unsafe` of this crate.
use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi, to_ffi};
use arrow_array::{Array, StructArray};
use arrow_schema::DataType;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use std::ffi::CStr;

const SCHEMA_NAME: &CStr = c"arrow_schema";
const ARRAY_NAME: &CStr = c"arrow_array";

type Capsules<'py> = (Bound<'py, PyCapsule>, Bound<'py, PyCapsule>);

/// Takes a record batch (or struct array) over from Python and validates it completely.
pub fn take_batch(source: &Bound<'_, PyAny>) -> PyResult<StructArray> {
    let (schema, array): Capsules<'_> = source
        .call_method0("__arrow_c_array__")
        .map_err(|_| {
            PyTypeError::new_err("needs a record batch with __arrow_c_array__, such as pyarrow's")
        })?
        .extract()?;
    let schema = schema
        .pointer_checked(Some(SCHEMA_NAME))?
        .cast::<FFI_ArrowSchema>();
    let array = array
        .pointer_checked(Some(ARRAY_NAME))?
        .cast::<FFI_ArrowArray>();
    // SAFETY: the interface says that capsules of these names hold these structures, alive as long as the capsules,
    // which outlive this call. `from_raw` moves the array out and leaves a released one for the capsule to drop.
    let data = unsafe { from_ffi(FFI_ArrowArray::from_raw(array.as_ptr()), schema.as_ref()) }
        .map_err(invalid)?;
    data.validate_full().map_err(invalid)?;
    match data.data_type() {
        DataType::Struct(_) => Ok(StructArray::from(data)),
        other => Err(PyTypeError::new_err(format!(
            "needs a record batch, not an array of {other}"
        ))),
    }
}

fn invalid(error: arrow_schema::ArrowError) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// A struct array for Python: `pyarrow.record_batch(x)` takes it without a copy.
#[pyclass(frozen)]
pub struct ArrowArray(pub StructArray);

#[pymethods]
impl ArrowArray {
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Capsules<'py>> {
        drop(requested_schema); // optional in the interface: the array goes out in the schema that it has
        let (array, schema) = to_ffi(&self.0.to_data()).map_err(invalid)?;
        Ok((
            PyCapsule::new_with_value(py, schema, SCHEMA_NAME)?,
            PyCapsule::new_with_value(py, array, ARRAY_NAME)?,
        ))
    }
}
