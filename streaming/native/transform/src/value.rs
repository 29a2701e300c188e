//! The five types of fields and expressions, and one value of any of them.
use std::borrow::Cow;

/// The type of a field, of a feature and of every step between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    String,
    Int,
    Double,
    Boolean,
    Timestamp,
}

impl Type {
    /// Reads the name that pipeline files and programs use.
    pub fn from_name(name: &str) -> Option<Type> {
        Some(match name {
            "string" => Type::String,
            "int" => Type::Int,
            "double" => Type::Double,
            "boolean" => Type::Boolean,
            "timestamp" => Type::Timestamp,
            _ => return None,
        })
    }

    pub fn name(self) -> &'static str {
        match self {
            Type::String => "string",
            Type::Int => "int",
            Type::Double => "double",
            Type::Boolean => "boolean",
            Type::Timestamp => "timestamp",
        }
    }
}

/// One value; strings borrow from the record where they can. A timestamp counts microseconds since 1970 UTC.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value<'a> {
    #[default]
    Null,
    String(Cow<'a, str>),
    Int(i64),
    Double(f64),
    Boolean(bool),
    Timestamp(i64),
}

impl Value<'_> {
    /// Whether the value is of the type `of`; NULL is of every type.
    pub fn is(&self, of: Type) -> bool {
        match self {
            Value::Null => true,
            Value::String(_) => of == Type::String,
            Value::Int(_) => of == Type::Int,
            Value::Double(_) => of == Type::Double,
            Value::Boolean(_) => of == Type::Boolean,
            Value::Timestamp(_) => of == Type::Timestamp,
        }
    }
}
