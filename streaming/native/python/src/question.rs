//! One question for Python: `Transform.question` as a dict.
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use transform::problem::Problem;
use transform::value::Value;
use transform::{Question, Transform};

/// As `Transform.question` in `_native.pyi`.
pub fn question_dict<'py>(
    py: Python<'py>,
    transform: &Transform,
    question: &Question<'_>,
) -> PyResult<Bound<'py, PyDict>> {
    let out = PyDict::new(py);
    out.set_item("id", &question.id)?;
    out.set_item("key", &question.key)?;
    out.set_item("host", &question.host)?;
    out.set_item("as_of_us", question.as_of_us)?;
    out.set_item("as_of_source", question.as_of_source.name())?;
    out.set_item("due_us", question.due_us)?;
    out.set_item(
        "fields",
        named(
            py,
            transform
                .event_fields()
                .iter()
                .map(|field| field.name.as_str()),
            &question.fields,
        )?,
    )?;
    let columns = transform
        .feature_columns()
        .iter()
        .map(|column| column.name.as_str());
    out.set_item("features", named(py, columns, &question.features)?)?;
    out.set_item(
        "unknown",
        question
            .unknown
            .iter()
            .map(AsRef::as_ref)
            .collect::<Vec<&str>>(),
    )?;
    let errors = question
        .problems
        .iter()
        .map(|problem| problem_dict(py, problem))
        .collect::<PyResult<Vec<_>>>()?;
    out.set_item("errors", PyList::new(py, errors)?)?;
    Ok(out)
}

fn named<'py, 'a>(
    py: Python<'py>,
    names: impl Iterator<Item = &'a str>,
    values: &[Value<'_>],
) -> PyResult<Bound<'py, PyDict>> {
    let out = PyDict::new(py);
    for (name, value) in names.zip(values) {
        match value {
            Value::Null => out.set_item(name, py.None())?,
            Value::String(text) => out.set_item(name, text.as_ref())?,
            Value::Int(number) | Value::Timestamp(number) => out.set_item(name, number)?,
            Value::Double(number) => out.set_item(name, number)?,
            Value::Boolean(truth) => out.set_item(name, truth)?,
        }
    }
    Ok(out)
}

fn problem_dict<'py>(py: Python<'py>, problem: &Problem) -> PyResult<Bound<'py, PyDict>> {
    let out = PyDict::new(py);
    out.set_item("reason", problem.reason.code())?;
    out.set_item("field", &problem.field)?;
    out.set_item("detail", &problem.detail)?;
    out.set_item("at_byte", problem.at_byte)?;
    Ok(out)
}
