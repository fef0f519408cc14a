//! What the simulated shop sells: a household shop of two thousand products.

use super::dice::{Dice, mix};

/// How many products there are: enough that customers meet different ones, few enough that the
/// popular ones come up again and again.
const PRODUCTS: u64 = 2000;

/// A shelf, and what people type to find it.
#[derive(Debug)]
pub(super) struct Category {
    pub(super) name: &'static str,
    /// What a product of this shelf may be called.
    pub(super) example: &'static str,
    pub(super) queries: &'static [&'static str],
    pub(super) article: &'static str,
    low_cents: u64,
    high_cents: u64,
}

static CATEGORIES: [Category; 8] = [
    Category {
        name: "coffee",
        example: "Espresso machine, two cups",
        queries: &["espresso machine", "best coffee grinder", "v60 vs aeropress", "descaler"],
        article: "how-to-descale-your-machine",
        low_cents: 1200,
        high_cents: 64_000,
    },
    Category {
        name: "kitchen",
        example: "Cast iron pan, 28 cm",
        queries: &["cast iron pan", "knife set price", "how to sharpen a knife", "air fryer"],
        article: "seasoning-cast-iron",
        low_cents: 900,
        high_cents: 32_000,
    },
    Category {
        name: "audio",
        example: "Over-ear headphones, wireless",
        queries: &["wireless headphones", "earbuds vs headphones", "bluetooth speaker near me"],
        article: "pairing-in-two-minutes",
        low_cents: 2500,
        high_cents: 38_000,
    },
    Category {
        name: "lighting",
        example: "Desk lamp, dimmable",
        queries: &["desk lamp", "warm white bulb e27", "smart lamp how to install"],
        article: "warm-or-cold-light",
        low_cents: 500,
        high_cents: 15_000,
    },
    Category {
        name: "garden",
        example: "Raised bed, larch, 120 cm",
        queries: &["raised bed kit", "tomato seeds when to sow", "hose reel", "garden store open"],
        article: "what-to-sow-this-month",
        low_cents: 300,
        high_cents: 22_000,
    },
    Category {
        name: "outdoor",
        example: "Hiking backpack, 30 l",
        queries: &["hiking backpack 30l", "rain jacket", "tent for two", "rain jacket vs poncho"],
        article: "packing-for-a-weekend",
        low_cents: 1900,
        high_cents: 45_000,
    },
    Category {
        name: "toys",
        example: "Wooden train with bridge",
        queries: &["gift ideas 6 years", "wooden train", "board game for two"],
        article: "quiet-games-for-rainy-days",
        low_cents: 800,
        high_cents: 9000,
    },
    Category {
        name: "laptops",
        example: "Laptop, 14 inch, 16 GB",
        queries: &["14 inch laptop", "laptop for students", "usb-c charger 65w", "laptop price"],
        article: "choosing-a-laptop",
        low_cents: 2900,
        high_cents: 189_000,
    },
];

/// One product; everything about it follows from its number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Product {
    pub(super) number: u32,
    pub(super) category: &'static Category,
    pub(super) cents: u64,
}

impl Product {
    /// Returns the product of that number.
    pub(super) fn of(number: u32) -> Self {
        let bits = mix(u64::from(number));
        let shelf = usize::try_from(bits % 8).unwrap_or(0);
        let category = CATEGORIES.get(shelf).unwrap_or(&CATEGORIES[0]);
        // Twice the lower of two draws: most prices lie near the low end of a shelf.
        let width = category.high_cents - category.low_cents;
        let (one, other) = ((bits >> 8) % width, (bits >> 32) % width);
        let cents = (category.low_cents + one.min(other)) / 100 * 100 + 99;
        Self { number, category, cents }
    }

    /// Returns the number of a product that somebody looks at: a few are popular.
    pub(super) fn popular(dice: &mut Dice) -> u32 {
        let shelf = 1_u64 << dice.below(7);
        let number = dice.below(PRODUCTS * shelf / 64);
        u32::try_from(number).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_stay_on_their_shelf() {
        for number in 0..2000 {
            let product = Product::of(number);
            assert!(product.category.low_cents <= product.cents + 99);
            assert!(product.cents <= product.category.high_cents + 99);
        }
    }
}
