//! One request's answer as a dict.
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use scorer::bundle::{Answered, Bundle};
use scorer::features::Remark;
use scorer::scorecard::{Reason, Verdict};
use transform::problem::Problem;
use transform::value::Value;

/// As `Bundle.score` in `_native.pyi`.
pub fn answer_dict<'py>(
    py: Python<'py>,
    bundle: &Bundle,
    answered: &Answered<'_>,
) -> PyResult<Bound<'py, PyDict>> {
    let (out, question) = (PyDict::new(py), &answered.question);
    out.set_item("id", &question.id)?;
    out.set_item("key", &question.key)?;
    out.set_item("host", &question.host)?;
    out.set_item("as_of_us", question.as_of_us)?;
    out.set_item("as_of_source", question.as_of_source.name())?;
    out.set_item("due_us", question.due_us)?;
    let fields = bundle
        .transform
        .event_fields()
        .iter()
        .map(|field| field.name.as_str());
    out.set_item("fields", named(py, fields, &question.fields)?)?;
    let columns = bundle
        .transform
        .feature_columns()
        .iter()
        .map(|column| column.name.as_str());
    out.set_item("features", named(py, columns, &question.features)?)?;
    out.set_item(
        "unknown",
        PyList::new(py, question.unknown.iter().map(AsRef::as_ref))?,
    )?;
    let errors = question
        .problems
        .iter()
        .map(|problem| problem_dict(py, problem))
        .collect::<PyResult<Vec<_>>>()?;
    out.set_item("errors", PyList::new(py, errors)?)?;
    out.set_item("probability", answered.score.map(|score| score.probability))?;
    out.set_item("positive", answered.score.map(|score| score.positive))?;
    put_verdict(&out, answered.verdict.as_ref())?;
    put_remarks(&out, bundle, answered)?;
    Ok(out)
}

fn put_verdict(out: &Bound<'_, PyDict>, verdict: Option<&Verdict<'_>>) -> PyResult<()> {
    out.set_item("decision", verdict.map(|each| each.decision.name()))?;
    let reason = verdict.and_then(|each| each.reason);
    out.set_item("reason", reason.map(Reason::code))?;
    out.set_item("tolerance", verdict.and_then(|each| each.tolerance))?;
    let valid_until_us = verdict.and_then(|each| each.valid_until_us);
    out.set_item("tolerance_valid_until_us", valid_until_us)?;
    out.set_item(
        "tolerance_expired",
        valid_until_us.and(verdict.map(|each| each.is_expired)),
    )
}

fn put_remarks(out: &Bound<'_, PyDict>, bundle: &Bundle, answered: &Answered<'_>) -> PyResult<()> {
    let (unseen, outside) = (PyList::empty(out.py()), PyList::empty(out.py()));
    for (at, remark) in &answered.remarks {
        let name = bundle.features.name(*at);
        match remark {
            Remark::Unseen(level) => unseen.append((name, level))?,
            Remark::Outside(value) => outside.append((name, value))?,
        }
    }
    out.set_item("unseen", unseen)?;
    out.set_item("outside", outside)
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
