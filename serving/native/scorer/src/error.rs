//! Why a model or a bundle is refused.
use std::{fmt, io};

/// The one error of this crate.
#[derive(Debug)]
pub enum Error {
    /// The bytes are not what they should be; the message names the place.
    Invalid(String),
    /// A file could not be read or written.
    Io(String, io::Error),
}

pub type Result<T> = std::result::Result<T, Error>;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Invalid(message) => f.write_str(message),
            Error::Io(path, error) => write!(f, "{path}: {error}"),
        }
    }
}

impl std::error::Error for Error {}

/// A refusal: `place` says where, `what` says what is wrong there.
pub fn invalid(place: impl fmt::Display, what: impl fmt::Display) -> Error {
    Error::Invalid(format!("{place}: {what}"))
}
