//! The texts that name a question and its entity.
use crate::moment::format_rfc3339;
use crate::value::Value;

/// The entity: a compact JSON array of the key's values, timestamps as RFC 3339. None when one is NULL.
pub fn key_text(values: &[Value<'_>], indexes: &[usize]) -> Option<String> {
    let items: Option<Vec<String>> = indexes
        .iter()
        .map(|&index| key_item(&values[index]))
        .collect();
    Some(format!("[{}]", items?.join(",")))
}

fn key_item(value: &Value<'_>) -> Option<String> {
    Some(match value {
        Value::Null => return None,
        Value::String(text) => quoted(text),
        Value::Timestamp(us) => quoted(&format_rfc3339(*us)),
        Value::Int(number) => number.to_string(),
        Value::Double(number) => number.to_string(),
        Value::Boolean(truth) => truth.to_string(),
    })
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a string is JSON")
}

/// A string or an int as text, for ids and hosts.
pub fn plain_text(value: &Value<'_>) -> Option<String> {
    match value {
        Value::String(text) => Some(text.to_string()),
        Value::Int(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::key_text;
    use crate::value::Value;

    #[test]
    fn a_key_is_a_compact_json_array() {
        let values = [
            Value::String("A\"é".into()),
            Value::Int(-1),
            Value::Boolean(true),
            Value::Timestamp(0),
            Value::Null,
        ];
        assert_eq!(
            key_text(&values, &[1, 0, 2, 3]).unwrap(),
            r#"[-1,"A\"é",true,"1970-01-01T00:00:00Z"]"#
        );
        assert_eq!(key_text(&values, &[0, 4]), None);
    }
}
