//! Why a record is refused.
use std::fmt;

/// The kinds of problems; their names are the codes in dead letters and answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    NotJson,
    NotAnObject,
    DuplicateField,
    WrongType,
    Missing,
    TooLarge,
}

impl Reason {
    pub fn code(self) -> &'static str {
        match self {
            Reason::NotJson => "not_json",
            Reason::NotAnObject => "not_an_object",
            Reason::DuplicateField => "duplicate_field",
            Reason::WrongType => "wrong_type",
            Reason::Missing => "missing",
            Reason::TooLarge => "too_large",
        }
    }
}

/// One problem of one record. `detail` never repeats a value: it may be sensitive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub reason: Reason,
    pub field: Option<String>,
    pub detail: String,
    /// Where in the record, from 0.
    pub at_byte: Option<usize>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.reason.code())?;
        if let Some(field) = &self.field {
            write!(f, " {field}")?;
        }
        write!(f, ": {}", self.detail)?;
        self.at_byte.map_or(Ok(()), |at| write!(f, " (byte {at})"))
    }
}
