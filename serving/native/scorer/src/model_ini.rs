//! `model.ini` of a MOJO: key = value pairs, the columns, and which column has which file of levels.
use crate::error::{Error, Result, invalid};
use std::collections::HashMap;

const FILE: &str = "model.ini";

pub struct ModelIni {
    info: HashMap<String, String>,
    /// Names of all columns; the features come first, the response is the last.
    pub columns: Vec<String>,
    /// By column: how many levels it has, and the file under `domains/` that lists them.
    pub domains: HashMap<usize, (usize, String)>,
}

impl ModelIni {
    pub fn parse(text: &str) -> Result<ModelIni> {
        let mut ini = ModelIni {
            info: HashMap::new(),
            columns: Vec::new(),
            domains: HashMap::new(),
        };
        let mut section = "";
        for (number, line) in text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty())
        {
            match (section, line) {
                (_, "[info]" | "[columns]" | "[domains]") => section = line,
                ("[info]", _) => ini.info_line(line).ok_or_else(|| broken(number, line))?,
                ("[columns]", _) => ini.columns.push(line.to_owned()),
                ("[domains]", _) => ini.domain_line(line).ok_or_else(|| broken(number, line))?,
                _ => return Err(broken(number, line)),
            }
        }
        Ok(ini)
    }

    fn info_line(&mut self, line: &str) -> Option<()> {
        let (key, value) = line.split_once('=')?;
        self.info
            .insert(key.trim().to_owned(), value.trim().to_owned());
        Some(())
    }

    /// `column: number-of-levels file`
    fn domain_line(&mut self, line: &str) -> Option<()> {
        let (column, rest) = line.split_once(": ")?;
        let (count, file) = rest.split_once(' ')?;
        self.domains
            .insert(column.parse().ok()?, (count.parse().ok()?, file.to_owned()));
        Some(())
    }

    /// The value of a key; None where it is absent, or H2O wrote a Java null.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.info
            .get(key)
            .map(String::as_str)
            .filter(|value| *value != "null")
    }

    pub fn keys_with(&self, prefix: &str) -> Option<&str> {
        self.info
            .keys()
            .map(String::as_str)
            .filter(|key| key.starts_with(prefix))
            .min()
    }

    pub fn number<T: std::str::FromStr>(&self, key: &str) -> Result<T> {
        let value = self.get(key).unwrap_or("nothing");
        value
            .parse()
            .map_err(|_| invalid(FILE, format_args!("{key} is {value}, not a number")))
    }

    /// The numbers of a list, `[1.0, 2.0]`; none where the key is absent.
    pub fn list<T: std::str::FromStr>(&self, key: &str) -> Result<Vec<T>> {
        let value = self.get(key).unwrap_or("[]");
        let items = value.trim_start_matches('[').trim_end_matches(']');
        items
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .map(str::parse)
            .collect::<std::result::Result<_, _>>()
            .map_err(|_| invalid(FILE, format_args!("{key} is no list of numbers")))
    }

    /// Refuses a model whose `key` has another value than those that this version scores.
    pub fn require(&self, key: &str, supported: &[&str]) -> Result<()> {
        let value = self.get(key).unwrap_or("nothing");
        if supported.contains(&value) {
            return Ok(());
        }
        Err(invalid(
            FILE,
            format_args!(
                "{key} = {value} is not in this version (only {})",
                supported.join(", ")
            ),
        ))
    }
}

fn broken(number: usize, line: &str) -> Error {
    let shown: String = line.chars().take(60).collect();
    invalid(
        format_args!("{FILE} line {}", number + 1),
        format_args!("not understood: {shown:?}"),
    )
}
