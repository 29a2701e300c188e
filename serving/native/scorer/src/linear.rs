//! A linear model: the terms of its sum, as H2O's `GlmMojoModel` adds them up.
use crate::error::{Result, invalid};
use crate::features::{Features, Row};
use crate::model_ini::ModelIni;
use serde::{Deserialize, Serialize};

/// What one feature adds; a missing value counts as the mean, or as the most frequent level.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "lowercase")]
pub enum Term {
    Number {
        feature: u16,
        coefficient: f64,
        mean: f64,
    },
    Levels {
        feature: u16,
        /// One a level.
        coefficients: Vec<f64>,
        mode: u32,
    },
}

impl Term {
    fn of(&self, row: &Row) -> f64 {
        match self {
            Term::Number {
                feature,
                coefficient,
                mean,
            } => {
                let number = row.numbers[usize::from(*feature)];
                coefficient * if number.is_nan() { *mean } else { number }
            }
            Term::Levels {
                feature,
                coefficients,
                mode,
            } => {
                let level = row.categories[usize::from(*feature)] as usize;
                let known = coefficients.get(level);
                *known.unwrap_or_else(|| &coefficients[*mode as usize])
            }
        }
    }

    fn feature_mut(&mut self) -> &mut u16 {
        match self {
            Term::Number { feature, .. } | Term::Levels { feature, .. } => feature,
        }
    }

    /// Whether it can be added up for whatever row: its feature is there, and of its kind.
    pub fn is_sound(&self, features: &Features) -> bool {
        match self {
            Term::Number {
                feature,
                coefficient,
                mean,
            } => {
                usize::from(*feature) < features.len()
                    && coefficient.is_finite()
                    && mean.is_finite()
            }
            Term::Levels {
                feature,
                coefficients,
                mode,
            } => {
                usize::from(*feature) < features.len()
                    && features.is_categorical(usize::from(*feature))
                    && (*mode as usize) < coefficients.len()
                    && coefficients.iter().all(|each| each.is_finite())
            }
        }
    }
}

/// The sum of all terms, in their order, and the intercept behind them. It is a number for whatever row: where two terms
/// overflow in opposite directions, which H2O answers with NaN, they cancel each other out.
pub fn sum(terms: &[Term], intercept: f64, row: &Row) -> f64 {
    let term_of = |term: &Term| term.of(row).clamp(f64::MIN, f64::MAX);
    terms.iter().fold(0.0, |sum, term| sum + term_of(term)) + intercept
}

/// The terms, whose features are the model's columns by number, and the intercept. `levels` has the number of levels of
/// each categorical column; the numeric columns follow.
pub fn read(ini: &ModelIni, levels: &[usize], columns: usize) -> Result<(Vec<Term>, f64)> {
    ini.require("family", &["binomial"])?;
    ini.require("link", &["logit"])?;
    ini.require("mean_imputation", &["true"])?;
    let all_levels = ini.get("use_all_factor_levels") == Some("true");
    let (beta, offsets): (Vec<f64>, Vec<usize>) = (ini.list("beta")?, ini.list("cat_offsets")?);
    let (modes, means): (Vec<u32>, Vec<f64>) = (ini.list("cat_modes")?, ini.list("num_means")?);
    let first_level = usize::from(!all_levels);
    let expected: Vec<usize> = [0]
        .into_iter()
        .chain(levels.iter().scan(0, |end, count| {
            *end += count - first_level;
            Some(*end)
        }))
        .collect();
    let coefficients = expected.last().copied().unwrap_or(0);
    let numbers = columns - levels.len();
    if offsets != expected || beta.len() != coefficients + numbers + 1 {
        return Err(invalid(
            "model.ini",
            format_args!(
                "{} coefficients at {offsets:?} for {columns} columns of which {} have levels",
                beta.len(),
                levels.len()
            ),
        ));
    }
    if modes.len() < levels.len() || means.len() < numbers {
        return Err(invalid("model.ini", "cat_modes or num_means are too few"));
    }
    let of_levels = levels.iter().enumerate().map(|(at, _)| Term::Levels {
        feature: at as u16,
        coefficients: [0.0][..first_level]
            .iter()
            .chain(&beta[offsets[at]..offsets[at + 1]])
            .copied()
            .collect(),
        mode: modes[at],
    });
    let of_numbers = (0..numbers).map(|at| Term::Number {
        feature: (levels.len() + at) as u16,
        coefficient: beta[coefficients + at],
        mean: means[at],
    });
    Ok((of_levels.chain(of_numbers).collect(), beta[beta.len() - 1]))
}

/// The same terms with the features of these columns.
pub fn with_features(mut terms: Vec<Term>, feature_of_column: &[u16]) -> Vec<Term> {
    for term in &mut terms {
        let column = term.feature_mut();
        *column = feature_of_column[usize::from(*column)];
    }
    terms
}
