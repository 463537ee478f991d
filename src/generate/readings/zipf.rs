//! Popularity: the n-th most popular of things is drawn 1/n as often as the first.

use crate::generate::random::Random;

/// Draws ranks.
pub(super) struct Zipf {
    /// Up to each rank, the sum of shares so far: by divisions and sums, which every machine rounds alike.
    sums: Vec<f64>,
}

impl Zipf {
    /// Ranks 0 to `count`, of shares 1 / (rank + 1 + `flatness`).
    pub(super) fn new(count: u32, flatness: f64) -> Self {
        let shares = (1..=count).map(|n| 1.0 / (f64::from(n) + flatness));
        let add = |sum: &mut f64, share: f64| {
            *sum += share;
            Some(*sum)
        };
        Zipf { sums: shares.scan(0.0, add).collect() }
    }

    /// A rank.
    pub(super) fn draw(&self, random: &mut Random) -> u64 {
        let drawn = random.unit() * self.sums.last().copied().unwrap_or(0.0);
        let rank = self.sums.partition_point(|sum| *sum <= drawn);
        rank.min(self.sums.len().saturating_sub(1)) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_half_as_popular_as_the_first() {
        let (zipf, mut random) = (Zipf::new(50, 0.0), Random::new(1, 0));
        let mut counts = [0_u32; 50];
        (0..200_000).for_each(|_| counts[zipf.draw(&mut random) as usize] += 1);
        for n in [2_u32, 5, 10, 50] {
            let share = f64::from(counts[n as usize - 1]) / f64::from(counts[0]);
            assert!((share * f64::from(n) - 1.0).abs() < 0.1, "the {n}-th: {share}");
        }
    }
}
