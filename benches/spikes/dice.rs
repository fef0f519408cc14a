//! Chance, from a seed.

/// Xorshift: the same seed gives the same weeks.
#[derive(Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        for _ in 0..10 {
            dice.next();
        }
        dice
    }

    pub(crate) fn bits(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// From 0 to 1.
    pub(crate) fn next(&mut self) -> f64 {
        f64::from(u32::try_from(self.bits() >> 32).unwrap()) / f64::from(u32::MAX)
    }

    /// Knuth's, in pieces that do not underflow.
    pub(crate) fn poisson(&mut self, mean: f64) -> u32 {
        let (mut left, mut count) = (mean, 0);
        while 0.0 < left {
            let limit = (-left.min(30.0)).exp();
            left -= 30.0;
            let mut product = self.next();
            while limit < product {
                count += 1;
                product *= self.next();
            }
        }
        count
    }
}
