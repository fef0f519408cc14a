//! Chance from a seed.
//!
//! `SplitMix64`: Steele, Lea and Flood, *Fast splittable pseudorandom number generators*, OOPSLA
//! 2014; constants as in Vigna's public-domain `splitmix64.c`. Eight bytes of state, so that every
//! errand carries its own dice and what one customer does never depends on when another is
//! simulated. A crate's generator may change its stream between versions; ours must not, because
//! the same options promise the same bytes.

/// The golden ratio's fraction as a 64-bit number, which `SplitMix64` steps by.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub(super) struct Dice(u64);

impl Dice {
    /// Returns the stream of a seed.
    pub(super) const fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns the next 64 bits.
    pub(super) const fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mix(self.0)
    }

    /// Returns a number from 0 to below `bound` (0 for a bound of 0), by multiplication rather than
    /// by remainder. The bias is below `bound` / 2^64.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        let product = u128::from(self.roll()) * u128::from(bound);
        u64::try_from(product >> 64).unwrap_or(0)
    }

    /// Returns a number from `low` to `high`, both included; `low` where `high` is below it.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        let width = u64::try_from(high.saturating_sub(low)).unwrap_or(0).saturating_add(1);
        low.saturating_add(i64::try_from(self.below(width)).unwrap_or(0))
    }

    /// Returns true with that probability.
    pub(super) fn chance(&mut self, probability: f64) -> bool {
        let high_bits = u32::try_from(self.roll() >> 32).unwrap_or(u32::MAX);
        f64::from(high_bits) / 4_294_967_296.0 < probability
    }

    /// Returns one of `choices`, all alike; the default of an empty list.
    pub(super) fn pick<T: Copy + Default>(&mut self, choices: &[T]) -> T {
        let count = u64::try_from(choices.len()).unwrap_or(0);
        let index = usize::try_from(self.below(count)).unwrap_or(0);
        choices.get(index).copied().unwrap_or_default()
    }
}

/// Scrambles 64 bits, one to one (`SplitMix64`'s finalizer): also the hash of seeds and numbers here.
pub(super) const fn mix(bits: u64) -> u64 {
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_the_published_splitmix64() {
        // Known answers of the reference implementation.
        let mut dice = Dice::seeded(1_234_567);
        assert_eq!(dice.roll(), 6_457_827_717_110_365_317);
        assert_eq!(dice.roll(), 3_203_168_211_198_807_973);
        assert_eq!(dice.roll(), 9_817_491_932_198_370_423);
    }

    #[test]
    fn numbers_stay_within_their_bounds_and_reach_both() {
        let mut dice = Dice::seeded(7);
        let rolls: Vec<i64> = (0..1000).map(|_| dice.between(-2, 2)).collect();
        assert_eq!(rolls.iter().min(), Some(&-2));
        assert_eq!(rolls.iter().max(), Some(&2));
        assert_eq!(dice.between(3, 1), 3);
        assert_eq!(dice.below(0), 0);
        assert_eq!(dice.pick::<u8>(&[]), 0);
    }

    #[test]
    fn a_chance_comes_true_as_often_as_it_says() {
        let mut dice = Dice::seeded(7);
        let hits = (0..100_000).filter(|_| dice.chance(0.3)).count();
        assert!((29_000..31_000).contains(&hits), "{hits}");
        assert!(!dice.chance(0.0));
        assert!(dice.chance(1.0));
    }
}
