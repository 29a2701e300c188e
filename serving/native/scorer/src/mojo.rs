//! H2O's MOJO, as H2O 3.46 writes it: a zip of `model.ini`, `domains/*.txt` and what the algorithm has learnt:
//! `trees/tCC_TTT.bin` with `_aux.bin` (GBM, DRF), `boosterBytes` (XGBoost), or keys of `model.ini` (GLM).
use crate::booster::{self, OneHot};
use crate::error::{Result, invalid};
use crate::linear::{self, Term};
use crate::model_ini::ModelIni;
use crate::tree::{self, Tree};
use crate::verdict::Balance;
use std::io::{Cursor, Read};
use zip::ZipArchive;

/// The most that one file of a MOJO may unpack to: a tree is kilobytes, so this stops a zip bomb and nothing else.
const MAX_FILE_BYTES: u64 = 256 << 20;
const MAX_TREES: usize = 100_000;

/// A binomial model. Nothing in it is trusted beyond its own form: `compile` checks it against the manifest.
pub struct Mojo {
    /// Names of the features' columns, in the order in which trees number them.
    pub columns: Vec<String>,
    /// The levels of each column, None for a numeric one.
    pub domains: Vec<Option<Vec<String>>>,
    /// A probability at or above this is labelled positive (H2O: the threshold of the largest F1).
    pub threshold: f64,
    /// What undoes the sampling of `balance_classes`.
    pub balance: Option<Balance>,
    pub learnt: Learnt,
}

/// What an algorithm has learnt.
pub enum Learnt {
    Gbm { init_f: f64, trees: Vec<Tree> },
    Drf { trees: Vec<Tree> },
    Xgboost { sparse: bool, trees: Vec<Tree> },
    Glm { intercept: f64, terms: Vec<Term> },
}

impl Mojo {
    /// None where the algorithm has none.
    pub fn trees(&self) -> &[Tree] {
        match &self.learnt {
            Learnt::Gbm { trees, .. } | Learnt::Drf { trees } | Learnt::Xgboost { trees, .. } => {
                trees
            }
            Learnt::Glm { .. } => &[],
        }
    }
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
    let learnt = match ini.get("algo") {
        Some("gbm") => gbm(&mut zip, &ini)?,
        Some("drf") => drf(&mut zip, &ini)?,
        Some("xgboost") => xgboost(&mut zip, &ini, &domains)?,
        _ => glm(&ini, &domains)?,
    };
    Ok(Mojo {
        columns,
        domains,
        threshold: ini.number("default_threshold")?,
        balance: balance(&ini)?,
        learnt,
    })
}

fn refuse_other_kinds(ini: &ModelIni) -> Result<()> {
    ini.require("algo", &["gbm", "drf", "xgboost", "glm"])?;
    ini.require("category", &["Binomial"])?;
    ini.require("n_classes", &["2"])?;
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

fn balance(ini: &ModelIni) -> Result<Option<Balance>> {
    if ini.get("balance_classes") != Some("true") {
        return Ok(None);
    }
    let pair = |key: &str| {
        let shares: Vec<f64> = ini.list(key)?;
        <[f64; 2]>::try_from(shares)
            .map_err(|_| invalid("model.ini", format_args!("{key} is not two numbers")))
    };
    Ok(Some(Balance {
        real: pair("prior_class_distrib")?,
        trained: pair("model_class_distrib")?,
    }))
}

fn gbm(zip: &mut Zip, ini: &ModelIni) -> Result<Learnt> {
    ini.require("distribution", &["bernoulli"])?;
    ini.require("link_function", &["logit"])?;
    Ok(Learnt::Gbm {
        init_f: ini.number("init_f")?,
        trees: trees(zip, ini)?,
    })
}

fn drf(zip: &mut Zip, ini: &ModelIni) -> Result<Learnt> {
    ini.require("binomial_double_trees", &["false"])?;
    Ok(Learnt::Drf {
        trees: trees(zip, ini)?,
    })
}

fn xgboost(zip: &mut Zip, ini: &ModelIni, domains: &[Option<Vec<String>>]) -> Result<Learnt> {
    ini.require("use_all_factor_levels", &["true"])?;
    let (levels, numeric) = categorical_first(ini, domains)?;
    let mut offsets = vec![0];
    for count in levels {
        offsets.push(offsets[offsets.len() - 1] + count + 1); // one more for missing
    }
    if ini.list::<usize>("cat_offsets")? != offsets {
        return Err(invalid(
            "model.ini",
            "cat_offsets are not those of its levels",
        ));
    }
    let sparse = ini.get("sparse") == Some("true");
    let columns = OneHot {
        offsets,
        numeric,
        sparse,
    };
    Ok(Learnt::Xgboost {
        sparse,
        trees: booster::read(&file(zip, "boosterBytes")?, &columns)?,
    })
}

fn glm(ini: &ModelIni, domains: &[Option<Vec<String>>]) -> Result<Learnt> {
    let (levels, _) = categorical_first(ini, domains)?;
    let (terms, intercept) = linear::read(ini, &levels, domains.len())?;
    Ok(Learnt::Glm { intercept, terms })
}

/// Of a model whose categorical columns come first: the number of levels of each, and how many numeric ones follow.
fn categorical_first(
    ini: &ModelIni,
    domains: &[Option<Vec<String>>],
) -> Result<(Vec<usize>, usize)> {
    let levels: Vec<usize> = domains
        .iter()
        .map_while(|each| Some(each.as_ref()?.len()))
        .collect();
    let (cats, nums): (usize, usize) = (ini.number("cats")?, ini.number("nums")?);
    match (cats, nums) == (levels.len(), domains.len() - levels.len()) {
        true => Ok((levels, nums)),
        false => Err(invalid(
            "model.ini",
            format_args!(
                "cats = {cats}, nums = {nums}, but the first {} of {} columns have levels",
                levels.len(),
                domains.len()
            ),
        )),
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
    ini.require("_genmodel_encoding", &["AUTO", "Enum", "SortByResponse"])?;
    ini.require("n_trees_per_class", &["1"])?;
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
