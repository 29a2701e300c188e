//! The transform over record batches.
use crate::columns::{Column, Values, struct_of, value_at};
use crate::decoded::{Decoded, moment, text};
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, StructArray};
use arrow_schema::DataType;
use transform::Transform;
use transform::fields::Fields;
use transform::json::decode;
use transform::value::{Type, Value};

/// As `Transform.decode_events` in `_native.pyi`.
pub fn decode_events(transform: &Transform, batch: &StructArray) -> Result<StructArray, String> {
    let bodies = bodies(batch)?;
    let mut out = Decoded::new(
        &[
            ("id", Type::String),
            ("key", Type::String),
            ("host", Type::String),
            ("as_of", Type::Timestamp),
            ("due", Type::Timestamp),
        ],
        transform.event_fields(),
        bodies.len(),
    );
    for row in 0..bodies.len() {
        let Some(body) = body_at(bodies, row) else {
            out.push_absent();
            continue;
        };
        let event = transform.decode_event(body);
        let due = transform.due(&event.record.values, event.time_us);
        let roles = [
            text(event.id),
            text(event.key),
            text(event.host),
            moment(event.time_us),
            moment(due),
        ];
        out.push(&event.record, &roles);
    }
    out.finish("event")
}

/// As `Transform.decode_labels` in `_native.pyi`.
pub fn decode_labels(transform: &Transform, batch: &StructArray) -> Result<StructArray, String> {
    let bodies = bodies(batch)?;
    let mut out = Decoded::new(
        &[
            ("key", Type::String),
            ("host", Type::String),
            ("time", Type::Timestamp),
        ],
        transform.label_fields(),
        bodies.len(),
    );
    for row in 0..bodies.len() {
        let Some(body) = body_at(bodies, row) else {
            out.push_absent();
            continue;
        };
        let label = transform.decode_label(body);
        out.push(
            &label.record,
            &[text(label.key), Value::Null, moment(label.time_us)],
        );
    }
    out.finish("label")
}

/// As `RecordForm.decode` in `_native.pyi`.
pub fn decode_records(form: &Fields, batch: &StructArray) -> Result<StructArray, String> {
    let bodies = bodies(batch)?;
    let mut out = Decoded::new(&[], form.all(), bodies.len());
    for row in 0..bodies.len() {
        match body_at(bodies, row) {
            Some(body) => out.push(&decode(body, form), &[]),
            None => out.push_absent(),
        }
    }
    out.finish("record")
}

/// As `Transform.features` in `_native.pyi`.
pub fn features(transform: &Transform, batch: &StructArray) -> Result<StructArray, String> {
    let events = struct_column(batch, "event")?;
    let values = Values::of(events, transform.event_fields())?;
    let as_of = column(batch, "as_of")?;
    let mut columns: Vec<Column> = transform
        .feature_columns()
        .iter()
        .map(|feature| Column::new(feature.kind, batch.len()))
        .collect();
    for row in 0..batch.len() {
        let moment = match value_at(as_of, row) {
            Value::Timestamp(us) => Some(us),
            _ => None,
        };
        let row = values.row(row);
        for (column, value) in columns.iter_mut().zip(transform.features(&row, moment)) {
            column.push(&value);
        }
    }
    let names = transform
        .feature_columns()
        .iter()
        .map(|feature| format!("f_{}", feature.name));
    struct_of(
        names.zip(columns.iter_mut().map(Column::finish)).collect(),
        batch.len(),
    )
}

/// As `Transform.label_values` in `_native.pyi`.
pub fn label_values(transform: &Transform, batch: &StructArray) -> Result<StructArray, String> {
    let values = Values::of(struct_column(batch, "label")?, transform.label_fields())?;
    let mut outcomes = Column::new(Type::Boolean, batch.len());
    for row in 0..batch.len() {
        let outcome = transform.label_value(&values.row(row));
        outcomes.push(&outcome.map_or(Value::Null, Value::Boolean));
    }
    struct_of(vec![("value".to_owned(), outcomes.finish())], batch.len())
}

fn column<'a>(batch: &'a StructArray, name: &str) -> Result<&'a ArrayRef, String> {
    batch
        .column_by_name(name)
        .ok_or_else(|| format!("the batch has no column {name:?}"))
}

fn struct_column<'a>(batch: &'a StructArray, name: &str) -> Result<&'a StructArray, String> {
    column(batch, name)?
        .as_struct_opt()
        .ok_or_else(|| format!("the column {name:?} must be a struct"))
}

fn bodies(batch: &StructArray) -> Result<&ArrayRef, String> {
    let bodies = column(batch, "value")?;
    match bodies.data_type() {
        DataType::Binary | DataType::LargeBinary => Ok(bodies),
        other => Err(format!("the column \"value\" must be binary, not {other}")),
    }
}

fn body_at(bodies: &ArrayRef, row: usize) -> Option<&[u8]> {
    if bodies.is_null(row) {
        return None;
    }
    Some(match bodies.data_type() {
        DataType::LargeBinary => bodies.as_binary::<i64>().value(row),
        _ => bodies.as_binary::<i32>().value(row),
    })
}
