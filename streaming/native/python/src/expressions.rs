//! Compiled expressions over a record batch: for tests, and for whoever wants one expression without a pipeline.
use arrow_array::{Array, StructArray};
use transform::program::{Program, Scratch};
use transform::value::Value;

use crate::columns::{Column, struct_of, value_at};

/// One column per output; a field that the batch lacks is NULL, and so is an absent `as_of`.
pub fn evaluate(program: &Program, batch: &StructArray) -> Result<StructArray, String> {
    let columns: Vec<_> = program
        .fields()
        .iter()
        .map(|field| batch.column_by_name(&field.name))
        .collect();
    let as_of = batch.column_by_name("as_of");
    let mut filled: Vec<Column> = program
        .outputs()
        .iter()
        .map(|output| Column::new(output.of, batch.len()))
        .collect();
    let mut scratch = Scratch::default();
    let mut values = Vec::new();
    for row in 0..batch.len() {
        let fields: Vec<Value<'_>> = columns
            .iter()
            .map(|column| column.map_or(Value::Null, |column| value_at(column, row)))
            .collect();
        let moment = as_of.map_or(Value::Null, |column| value_at(column, row));
        program.run(&fields, moment, &mut scratch, &mut values);
        for (column, value) in filled.iter_mut().zip(&values) {
            column.push(value);
        }
    }
    let names = program.outputs().iter().map(|output| output.name.clone());
    let arrays = filled.iter_mut().map(|column| column.finish());
    struct_of(names.zip(arrays).collect(), batch.len())
}
