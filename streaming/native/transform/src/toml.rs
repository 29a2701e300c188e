//! Where the keys of a TOML file stand, for messages with line and column.
use toml_edit::{Document, Item, Table, Value};

/// Line and column of a place, both counted from 1, the column in characters.
pub type Place = (usize, usize);

/// Why a text is not TOML, and where.
#[derive(Debug)]
pub struct NotToml {
    pub message: String,
    pub place: Place,
}

/// The dotted path of every key and table of a TOML text, in its order, with its place. Array items go by index.
pub fn positions(source: &str) -> Result<Vec<(String, Place)>, NotToml> {
    let document = Document::parse(source).map_err(|error| NotToml {
        message: error.message().to_owned(),
        place: place(source, error.span().map_or(0, |span| span.start)),
    })?;
    let mut found = Vec::new();
    walk_table(document.as_table(), "", &mut found);
    Ok(found
        .into_iter()
        .map(|(path, at)| (path, place(source, at)))
        .collect())
}

fn place(source: &str, at: usize) -> Place {
    let mut at = at.min(source.len());
    while !source.is_char_boundary(at) {
        at -= 1;
    }
    let before = &source[..at];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (
        before.matches('\n').count() + 1,
        before[line_start..].chars().count() + 1,
    )
}

type Found = Vec<(String, usize)>;

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

fn walk_table(table: &Table, path: &str, found: &mut Found) {
    for (name, item) in table.iter() {
        let path = joined(path, name);
        // a table is where its header is; a key, and a table that only its children name, is where its name is
        let header = item
            .as_table()
            .filter(|inner| !inner.is_implicit() && !inner.is_dotted())
            .and_then(Table::span);
        let key = table.key(name).and_then(toml_edit::Key::span);
        if let Some(span) = header.or(key) {
            found.push((path.clone(), span.start));
        }
        walk_item(item, &path, found);
    }
}

fn walk_item(item: &Item, path: &str, found: &mut Found) {
    match item {
        Item::Table(table) => walk_table(table, path, found),
        Item::Value(value) => walk_value(value, path, found),
        Item::ArrayOfTables(tables) => {
            for (index, table) in tables.iter().enumerate() {
                let path = joined(path, &index.to_string());
                if let Some(span) = table.span() {
                    found.push((path.clone(), span.start));
                }
                walk_table(table, &path, found);
            }
        }
        Item::None => {}
    }
}

fn walk_value(value: &Value, path: &str, found: &mut Found) {
    match value {
        Value::InlineTable(table) => {
            for (name, inner) in table.iter() {
                let path = joined(path, name);
                if let Some(span) = table.key(name).and_then(toml_edit::Key::span) {
                    found.push((path.clone(), span.start));
                }
                walk_value(inner, &path, found);
            }
        }
        Value::Array(array) => {
            for (index, inner) in array.iter().enumerate() {
                let path = joined(path, &index.to_string());
                if let Some(span) = inner.span() {
                    found.push((path.clone(), span.start));
                }
                walk_value(inner, &path, found);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::positions;
    use std::collections::HashMap;

    fn places(source: &str) -> HashMap<String, (usize, usize)> {
        positions(source).unwrap().into_iter().collect()
    }

    #[test]
    fn every_key_table_and_item_has_its_place() {
        let found = places(
            "name = \"x\"\n[events]\n  topic = [1, 22]\n[a.b]\nc.d = { \"ä\" = 1, e = 2 }\n[[x]]\ny = 1\n",
        );
        assert_eq!(found["name"], (1, 1));
        assert_eq!(found["events"], (2, 1));
        assert_eq!(found["events.topic"], (3, 3));
        assert_eq!(found["events.topic.1"], (3, 15));
        assert_eq!(found["a.b"], (4, 1));
        assert_eq!(found["a.b.c.d.e"], (5, 18));
        assert_eq!(found["x.0.y"], (7, 1));
    }

    #[test]
    fn what_is_not_toml_says_where() {
        let error = positions("a = 1\nb = = 2\n").unwrap_err();
        assert_eq!(error.place.0, 2);
    }

    #[test]
    fn deep_nesting_is_an_error_and_no_overflow() {
        assert!(positions(&format!("a = {}", "[".repeat(100_000))).is_err());
    }
}
