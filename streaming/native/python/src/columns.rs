//! Values into Arrow columns and back, one column per field or feature.
use arrow_array::builder::{
    ArrayBuilder, BooleanBuilder, Float64Builder, Int64Builder, StringBuilder,
    TimestampMicrosecondBuilder,
};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, StructArray};
use arrow_schema::{DataType, TimeUnit};
use std::borrow::Cow;
use transform::fields::Field;
use transform::value::{Type, Value};

/// The zone of every timestamp column.
const UTC: &str = "UTC";

/// A column that is being filled.
pub enum Column {
    String(StringBuilder),
    Int(Int64Builder),
    Double(Float64Builder),
    Boolean(BooleanBuilder),
    Timestamp(TimestampMicrosecondBuilder),
}

impl Column {
    pub fn new(kind: Type, rows: usize) -> Column {
        match kind {
            Type::String => Column::String(StringBuilder::with_capacity(rows, rows * 8)),
            Type::Int => Column::Int(Int64Builder::with_capacity(rows)),
            Type::Double => Column::Double(Float64Builder::with_capacity(rows)),
            Type::Boolean => Column::Boolean(BooleanBuilder::with_capacity(rows)),
            Type::Timestamp => Column::Timestamp(
                TimestampMicrosecondBuilder::with_capacity(rows).with_timezone(UTC),
            ),
        }
    }

    /// Adds a value; one of another type than the column's is NULL.
    pub fn push(&mut self, value: &Value<'_>) {
        match (self, value) {
            (Column::String(column), Value::String(text)) => column.append_value(text),
            (Column::Int(column), Value::Int(number)) => column.append_value(*number),
            (Column::Double(column), Value::Double(number)) => column.append_value(*number),
            (Column::Boolean(column), Value::Boolean(truth)) => column.append_value(*truth),
            (Column::Timestamp(column), Value::Timestamp(us)) => column.append_value(*us),
            (column, _) => column.push_null(),
        }
    }

    fn push_null(&mut self) {
        match self {
            Column::String(column) => column.append_null(),
            Column::Int(column) => column.append_null(),
            Column::Double(column) => column.append_null(),
            Column::Boolean(column) => column.append_null(),
            Column::Timestamp(column) => column.append_null(),
        }
    }

    pub fn finish(&mut self) -> ArrayRef {
        let builder: &mut dyn ArrayBuilder = match self {
            Column::String(column) => column,
            Column::Int(column) => column,
            Column::Double(column) => column,
            Column::Boolean(column) => column,
            Column::Timestamp(column) => column,
        };
        builder.finish()
    }
}

/// The columns of a struct as values, one per field; a field that the struct lacks is NULL (it was added later).
pub struct Values<'a> {
    columns: Vec<Option<&'a ArrayRef>>,
    rows: &'a StructArray,
}

impl<'a> Values<'a> {
    /// # Errors
    /// A column is of another type than its field.
    pub fn of(rows: &'a StructArray, fields: &[Field]) -> Result<Values<'a>, String> {
        let columns = fields
            .iter()
            .map(|field| column_of(rows, field))
            .collect::<Result<_, _>>()?;
        Ok(Values { columns, rows })
    }

    pub fn row(&self, row: usize) -> Vec<Value<'a>> {
        if self.rows.is_null(row) {
            return vec![Value::Null; self.columns.len()];
        }
        self.columns
            .iter()
            .map(|column| column.map_or(Value::Null, |column| value_at(column, row)))
            .collect()
    }
}

fn column_of<'a>(rows: &'a StructArray, field: &Field) -> Result<Option<&'a ArrayRef>, String> {
    let Some(column) = rows.column_by_name(&field.name) else {
        return Ok(None);
    };
    let fits = match column.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 => field.kind == Type::String,
        DataType::Int64 => field.kind == Type::Int,
        DataType::Float64 => field.kind == Type::Double,
        DataType::Boolean => field.kind == Type::Boolean,
        DataType::Timestamp(TimeUnit::Microsecond, _) => field.kind == Type::Timestamp,
        _ => false,
    };
    let mismatch = || {
        format!(
            "column {:?} is {}, not {}",
            field.name,
            column.data_type(),
            field.kind.name()
        )
    };
    fits.then_some(Some(column)).ok_or_else(mismatch)
}

/// One value of a column of one of the types above.
pub fn value_at(column: &ArrayRef, row: usize) -> Value<'_> {
    if column.is_null(row) {
        return Value::Null;
    }
    match column.data_type() {
        DataType::Utf8 => Value::String(Cow::Borrowed(column.as_string::<i32>().value(row))),
        DataType::LargeUtf8 => Value::String(Cow::Borrowed(column.as_string::<i64>().value(row))),
        DataType::Int64 => Value::Int(column.as_primitive::<Int64Type>().value(row)),
        DataType::Float64 => Value::Double(column.as_primitive::<Float64Type>().value(row)),
        DataType::Boolean => Value::Boolean(column.as_boolean().value(row)),
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            Value::Timestamp(column.as_primitive::<TimestampMicrosecondType>().value(row))
        }
        _ => Value::Null,
    }
}

/// A struct array of named columns; `rows` long even without a column.
pub fn struct_of(columns: Vec<(String, ArrayRef)>, rows: usize) -> Result<StructArray, String> {
    let fields = columns
        .iter()
        .map(|(name, column)| arrow_schema::Field::new(name, column.data_type().clone(), true))
        .collect();
    let arrays = columns.into_iter().map(|(_, column)| column).collect();
    StructArray::try_new_with_length(fields, arrays, None, rows).map_err(|error| error.to_string())
}
