//! Several runs in a few figures.

/// The middle one, or the mean of the two in the middle; NaN of none.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => values[middle],
        _ => (values[middle - 1] + values[middle]) / 2.0,
    }
}

/// The greatest less the least, as a part of the median.
pub(crate) fn spread(values: impl IntoIterator<Item = f64>) -> f64 {
    let values: Vec<f64> = values.into_iter().collect();
    (most(values.iter().copied()) - least(values.iter().copied())) / median(values)
}

/// The least.
pub(crate) fn least(values: impl IntoIterator<Item = f64>) -> f64 {
    values.into_iter().fold(f64::NAN, f64::min)
}

/// The greatest.
pub(crate) fn most(values: impl IntoIterator<Item = f64>) -> f64 {
    values.into_iter().fold(f64::NAN, f64::max)
}

/// The median of each round's ratio of one to other: what was run one after the other met a machine in the same mood.
pub(crate) fn ratio(one: impl IntoIterator<Item = f64>, other: impl IntoIterator<Item = f64>) -> f64 {
    median(one.into_iter().zip(other).map(|(one, other)| one / other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_does_not_mind_the_order() {
        assert_eq!(median([3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median([4.0, 1.0, 3.0, 2.0]), 2.5);
        assert_eq!(median([7.0]), 7.0);
        assert!(median([]).is_nan());
    }

    #[test]
    fn the_spread_is_a_part_of_the_median() {
        assert_eq!(spread([2.0, 1.0, 4.0]), 1.5);
        assert_eq!(spread([5.0]), 0.0);
    }

    #[test]
    fn a_ratio_is_of_rounds_and_not_of_medians() {
        // The machine became slower, and the two kept their distance but once.
        assert_eq!(ratio([2.0, 4.0, 30.0], [1.0, 2.0, 3.0]), 2.0);
    }
}
