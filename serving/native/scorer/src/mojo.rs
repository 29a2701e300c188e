//! H2O's MOJO, as H2O 3.46 writes it: a zip of `model.ini`, `domains/*.txt` and `trees/tCC_TTT.bin` with `_aux.bin`.
use crate::error::{Result, invalid};
use crate::model_ini::ModelIni;
use crate::tree::{self, Tree};
use std::io::{Cursor, Read};
use zip::ZipArchive;

/// The most that one file of a MOJO may unpack to: a tree is kilobytes, so this stops a zip bomb and nothing else.
const MAX_FILE_BYTES: u64 = 256 << 20;
const MAX_TREES: usize = 100_000;

/// A binomial GBM. Nothing in it is trusted beyond its own form: `compile` checks it against the manifest.
pub struct Mojo {
    /// Names of the features' columns, in the order in which trees number them.
    pub columns: Vec<String>,
    /// The levels of each column, None for a numeric one.
    pub domains: Vec<Option<Vec<String>>>,
    pub init_f: f64,
    /// A probability at or above this is labelled positive (H2O: the threshold of the largest F1).
    pub threshold: f64,
    pub trees: Vec<Tree>,
}

type Zip<'a> = ZipArchive<Cursor<&'a [u8]>>;

/// Reads a MOJO.
///
/// Errors name the file within the zip; a model of another kind is refused by the name of what it needs.
pub fn read(bytes: &[u8]) -> Result<Mojo> {
    let mut zip = Zip::new(Cursor::new(bytes)).map_err(|error| invalid("the MOJO", error))?;
    let ini = ModelIni::parse(&text(&mut zip, "model.ini")?)?;
    refuse_other_kinds(&ini)?;
    let columns = feature_columns(&ini)?;
    let domains = (0..columns.len())
        .map(|column| domain(&mut zip, &ini, column))
        .collect::<Result<Vec<_>>>()?;
    let trees = trees(&mut zip, &ini)?;
    let (init_f, threshold) = (ini.number("init_f")?, ini.number("default_threshold")?);
    Ok(Mojo {
        columns,
        domains,
        init_f,
        threshold,
        trees,
    })
}

fn refuse_other_kinds(ini: &ModelIni) -> Result<()> {
    ini.require("algo", &["gbm"])?;
    ini.require("category", &["Binomial"])?;
    ini.require("distribution", &["bernoulli"])?;
    ini.require("link_function", &["logit"])?;
    ini.require("balance_classes", &["false"])?;
    ini.require("_genmodel_encoding", &["AUTO", "Enum"])?;
    ini.require("n_classes", &["2"])?;
    ini.require("n_trees_per_class", &["1"])?;
    ini.require("endianness", &["LITTLE_ENDIAN"])?;
    if let Some(column) = ini.get("offset_column") {
        return Err(invalid(
            "model.ini",
            format_args!("an offset ({column}) is not in this version"),
        ));
    }
    match ini.keys_with("calib") {
        Some(key) => Err(invalid(
            "model.ini",
            format_args!("calibration ({key}) is not in this version"),
        )),
        None => Ok(()),
    }
}

fn feature_columns(ini: &ModelIni) -> Result<Vec<String>> {
    let count: usize = ini.number("n_features")?;
    match ini.columns.get(..count) {
        Some(columns) => Ok(columns.to_vec()),
        None => Err(invalid(
            "model.ini",
            format_args!("n_features = {count}, but {} columns", ini.columns.len()),
        )),
    }
}

fn domain(zip: &mut Zip, ini: &ModelIni, column: usize) -> Result<Option<Vec<String>>> {
    let Some((count, file)) = ini.domains.get(&column) else {
        return Ok(None);
    };
    let path = format!("domains/{file}");
    let escaped = ini.get("escape_domain_values") == Some("true");
    let text = text(zip, &path)?;
    let lines = text.strip_suffix('\n').unwrap_or(&text).split('\n'); // not `lines`: '' and '\r' are levels
    let levels: Vec<String> = lines
        .map(|line| {
            if escaped {
                unescape(line)
            } else {
                line.to_owned()
            }
        })
        .collect();
    if levels.len() != *count {
        return Err(invalid(
            path,
            format_args!("{} levels, model.ini says {count}", levels.len()),
        ));
    }
    Ok(Some(levels))
}

/// Undoes H2O's escaping of a level: `\n`, `\r`, `\t`, and a backslash before anything else stands for that.
fn unescape(line: &str) -> String {
    let (mut level, mut characters) = (String::with_capacity(line.len()), line.chars());
    while let Some(c) = characters.next() {
        level.push(match c {
            '\\' => match characters.next() {
                Some('n') => '\n',
                Some('r') => '\r',
                Some('t') => '\t',
                Some(other) => other,
                None => '\\',
            },
            plain => plain,
        });
    }
    level
}

fn trees(zip: &mut Zip, ini: &ModelIni) -> Result<Vec<Tree>> {
    let count: usize = ini.number("n_trees")?;
    if !(1..=MAX_TREES).contains(&count) {
        return Err(invalid(
            "model.ini",
            format_args!("n_trees = {count}; 1 to {MAX_TREES} are possible"),
        ));
    }
    (0..count)
        .map(|number| {
            let name = format!("trees/t00_{number:03}");
            let (nodes, aux) = (
                file(zip, &format!("{name}.bin"))?,
                file(zip, &format!("{name}_aux.bin"))?,
            );
            tree::read(&nodes, &aux).map_err(|what| invalid(format_args!("{name}.bin"), what))
        })
        .collect()
}

fn text(zip: &mut Zip, path: &str) -> Result<String> {
    String::from_utf8(file(zip, path)?).map_err(|_| invalid(path, "not UTF-8"))
}

fn file(zip: &mut Zip, path: &str) -> Result<Vec<u8>> {
    let entry = zip.by_name(path).map_err(|error| invalid(path, error))?;
    let mut bytes = Vec::new();
    entry
        .take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| invalid(path, error))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(invalid(
            path,
            format_args!("unpacks to more than {MAX_FILE_BYTES} bytes"),
        ));
    }
    Ok(bytes)
}
