//! The columns that decoding a batch gives: the problem, if any; the roles; the stored bytes; the fields.
use crate::columns::{Column, struct_of};
use arrow_array::builder::BinaryBuilder;
use arrow_array::{ArrayRef, StructArray};
use std::borrow::Cow;
use std::sync::Arc;
use transform::fields::Field;
use transform::problem::{Problem, Reason};
use transform::record::Record;
use transform::value::{Type, Value};

/// A text or NULL.
pub fn text(value: Option<String>) -> Value<'static> {
    value.map_or(Value::Null, |text| Value::String(Cow::Owned(text)))
}

/// A timestamp or NULL.
pub fn moment(us: Option<i64>) -> Value<'static> {
    us.map_or(Value::Null, Value::Timestamp)
}

/// The columns that decoding gives, while they are filled.
pub struct Decoded {
    problem: [(&'static str, Column); 4],
    roles: Vec<(&'static str, Column)>,
    stored: BinaryBuilder,
    /// One per field that may be stored: its index in the record, its name.
    fields: Vec<(usize, String, Column)>,
    rows: usize,
}

impl Decoded {
    pub fn new(roles: &[(&'static str, Type)], fields: &[Field], rows: usize) -> Decoded {
        let stored_fields = fields
            .iter()
            .enumerate()
            .filter(|(_, field)| !field.sensitive);
        let text = || Column::new(Type::String, rows);
        Decoded {
            problem: [
                ("reason", text()),
                ("field", text()),
                ("detail", text()),
                ("at_byte", Column::new(Type::Int, rows)),
            ],
            roles: roles
                .iter()
                .map(|(name, kind)| (*name, Column::new(*kind, rows)))
                .collect(),
            stored: BinaryBuilder::with_capacity(rows, rows * 256),
            fields: stored_fields
                .map(|(index, field)| (index, field.name.clone(), Column::new(field.kind, rows)))
                .collect(),
            rows,
        }
    }

    /// A record without a value: a tombstone.
    pub fn push_absent(&mut self) {
        let detail = "the record has no value".to_owned();
        let problem = Problem {
            reason: Reason::NotJson,
            field: None,
            detail,
            at_byte: None,
        };
        self.push_problem(&problem);
    }

    pub fn push(&mut self, record: &Record<'_>, roles: &[Value<'_>]) {
        if let Some(problem) = record.problems.first() {
            self.push_problem(problem);
            return;
        }
        self.problem
            .iter_mut()
            .for_each(|(_, column)| column.push(&Value::Null));
        self.roles
            .iter_mut()
            .zip(roles)
            .for_each(|((_, column), value)| column.push(value));
        self.stored.append_value(&record.stored);
        self.fields
            .iter_mut()
            .for_each(|(index, _, column)| column.push(&record.values[*index]));
    }

    fn push_problem(&mut self, problem: &Problem) {
        let at_byte = problem
            .at_byte
            .and_then(|at| i64::try_from(at).ok())
            .map_or(Value::Null, Value::Int);
        let values = [
            text(Some(problem.reason.code().to_owned())),
            text(problem.field.clone()),
            text(Some(problem.detail.clone())),
            at_byte,
        ];
        self.problem
            .iter_mut()
            .zip(&values)
            .for_each(|((_, column), value)| column.push(value));
        self.roles
            .iter_mut()
            .for_each(|(_, column)| column.push(&Value::Null));
        self.stored.append_null();
        self.fields
            .iter_mut()
            .for_each(|(_, _, column)| column.push(&Value::Null));
    }

    pub fn finish(mut self, record: &str) -> Result<StructArray, String> {
        let fields = self
            .fields
            .iter_mut()
            .map(|(_, name, column)| (name.clone(), column.finish()))
            .collect();
        let mut columns: Vec<(String, ArrayRef)> = Vec::new();
        for (name, column) in self.problem.iter_mut().chain(&mut self.roles) {
            columns.push(((*name).to_owned(), column.finish()));
        }
        columns.push(("stored".to_owned(), Arc::new(self.stored.finish())));
        columns.push((record.to_owned(), Arc::new(struct_of(fields, self.rows)?)));
        struct_of(columns, self.rows)
    }
}
