//! Feature values from Python.
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use scorer::features::{Features, Row};
use std::borrow::Cow;
use transform::value::{Type, Value};

/// The row of a dict of features; every feature of the bundle must be there, and no other.
pub fn row(features: &Features, given: &Bound<'_, PyDict>) -> PyResult<Row> {
    let mut row = features.empty_row();
    for (name, value) in given.iter() {
        let name: String = name.extract()?;
        let at = features.position(&name);
        let at = at.ok_or_else(|| {
            PyValueError::new_err(format!("feature {name}: the bundle has none of this name"))
        })?;
        let value = value_of(&value, features.kind(at)).map_err(|error| {
            PyValueError::new_err(format!(
                "feature {name}: not a {}: {error}",
                features.kind(at).name()
            ))
        })?;
        features.put(&mut row, at, &value);
    }
    match (0..features.len())
        .map(|at| features.name(at))
        .find(|name| !given.contains(*name).unwrap_or(false))
    {
        Some(name) => Err(PyValueError::new_err(format!(
            "feature {name} is not given; a missing value is None"
        ))),
        None => Ok(row),
    }
}

fn value_of(value: &Bound<'_, PyAny>, kind: Type) -> PyResult<Value<'static>> {
    if value.is_none() {
        return Ok(Value::Null);
    }
    Ok(match kind {
        Type::String => Value::String(Cow::Owned(value.extract()?)),
        Type::Int => Value::Int(value.extract()?),
        Type::Double => Value::Double(value.extract()?),
        Type::Boolean => Value::Boolean(value.extract()?),
        Type::Timestamp => return Err(PyValueError::new_err("a timestamp is no feature")),
    })
}
