//! From the sum of a row's leaves to a probability and a label, as H2O's `GbmMojoModel` does it for binomial models.

/// The inverse of the logit link; H2O caps the exponential at 1e19, so that no probability is exactly 0.
pub fn probability(sum: f64, init_f: f64) -> f64 {
    let exp = (-(sum + init_f)).exp();
    1.0 / (1.0 + exp.min(1e19))
}

/// H2O's label: a probability at the threshold is positive.
pub fn is_positive(probability: f64, threshold: f64) -> bool {
    probability >= threshold
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_at_zero() {
        assert_eq!(probability(0.25, -0.25), 0.5);
    }

    #[test]
    fn never_exactly_zero() {
        assert_eq!(probability(-1e6, 0.0), 1.0 / (1.0 + 1e19));
        assert_eq!(probability(1e6, 0.0), 1.0);
    }

    #[test]
    fn positive_at_the_threshold() {
        assert!(is_positive(0.5, 0.5));
        assert!(!is_positive(0.5f64.next_down(), 0.5));
    }
}
