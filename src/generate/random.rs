//! Chance, the same on every machine: a documented generator, and arithmetic that IEEE 754 fixes to the last bit.

use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::Rng;

/// A source of chance. PCG's sequence is specified and tested against reference vectors, so a seed means the same
/// dump for ever; the state is given whole, since seeding from fewer bits is left to each version of the crate.
pub(super) struct Random(Pcg64Mcg);

impl Random {
    /// The source for one `purpose` of a seed: sources of different purposes do not follow each other.
    pub(super) fn new(seed: u64, purpose: u64) -> Self {
        let high = mix(seed ^ mix(purpose));
        Random(Pcg64Mcg::new((u128::from(high) << 64) | u128::from(mix(!high))))
    }

    /// Sixty-four even bits.
    pub(super) fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Even in [0, 1).
    pub(super) fn unit(&mut self) -> f64 {
        unit(self.bits())
    }

    /// Even in [low, high).
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + self.unit() * (high - low)
    }

    /// Even in 0..bound; 0 when the bound is.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        // The high half of the product: no division, and a bias of bound / 2^64.
        ((u128::from(self.bits()) * u128::from(bound)) >> 64) as u64
    }

    /// True with a probability.
    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Bell-shaped, of mean 0 and that deviation: four even draws summed, since logarithms differ between platforms.
    pub(super) fn bell(&mut self, deviation: f64) -> f64 {
        const UNIT_DEVIATION: f64 = 0.577_350_269_189_625_8; // of the sum: the root of 4 / 12
        let bits = self.bits();
        let sum: u64 = (0..4).map(|quarter| (bits >> (16 * quarter)) & 0xffff).sum();
        (sum as f64 / 65_535.0 - 2.0) * (deviation / UNIT_DEVIATION)
    }

    /// A whole number whose mean is `value`: rounded up as often as its fraction says.
    pub(super) fn round(&mut self, value: f64) -> u64 {
        (value + self.unit()) as u64
    }
}

/// Scatters bits so that near numbers lie far apart, and no two numbers fall together (the finaliser of SplitMix64).
pub(super) fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// What stands at a place, the same whoever asks: the scattered bits of its numbers.
pub(super) fn place(numbers: &[u64]) -> u64 {
    numbers.iter().fold(0, |hash, &number| mix(hash ^ number))
}

/// Bits as a number in [0, 1).
pub(super) fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1u64 << 53) as f64
}

/// Bits as a number in [-1, 1).
pub(super) fn signed_unit(bits: u64) -> f64 {
    unit(bits) * 2.0 - 1.0
}

/// `value` to so many parts of one: `to_parts(v, 100.0)` keeps two decimals.
pub(super) fn to_parts(value: f64, parts: f64) -> f64 {
    (value * parts).round() / parts
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The draws are part of what a seed promises: a change of the generator must show here.
    #[test]
    fn a_seed_means_the_same_draws_for_ever() {
        let mut random = Random::new(7, 0);
        assert_eq!([random.bits(), random.bits()], FIRST_DRAWS);
        assert_eq!(mix(0), 0xe220_a839_7b1d_cdaf, "SplitMix64's first output of seed 0");
    }

    const FIRST_DRAWS: [u64; 2] = [8_292_520_329_299_819_974, 7_282_921_329_599_686_000];

    #[test]
    fn draws_have_the_moments_they_claim() {
        let mut random = Random::new(1, 1);
        let draws: Vec<f64> = (0..100_000).map(|_| random.bell(2.0)).collect();
        let mean = draws.iter().sum::<f64>() / 1e5;
        let variance = draws.iter().map(|d| (d - mean) * (d - mean)).sum::<f64>() / 1e5;
        assert!(mean.abs() < 0.05 && (variance.sqrt() - 2.0).abs() < 0.05, "{mean} {variance}");
        let rounded: u64 = (0..100_000).map(|_| random.round(0.3)).sum();
        assert!((29_000..31_000).contains(&rounded), "{rounded}");
        assert!((0..1000).all(|_| random.below(3) < 3));
    }
}
