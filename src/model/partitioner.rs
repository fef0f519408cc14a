//! Which partition a key belongs to, as producers decide it.
//!
//! Java's clients use murmur2, librdkafka's use CRC-32. State is right only if one customer's
//! records share one partition, so whoever re-partitions must decide alike.

/// A way to choose a partition by key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Partitioner {
    /// Java's default (`org.apache.kafka.common.utils.Utils.murmur2`).
    Murmur2,
    /// librdkafka's default (`consistent_random` for keyed records).
    Crc32,
}

impl Partitioner {
    /// Every variant.
    pub const ALL: &'static [Self] = &[Self::Murmur2, Self::Crc32];

    /// Returns the name used in config and arguments.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Murmur2 => "murmur2",
            Self::Crc32 => "crc32",
        }
    }

    /// Returns the partition of a key, 0 where there are none.
    pub fn partition(self, key: &[u8], partition_count: u32) -> u32 {
        let hash = match self {
            Self::Murmur2 => murmur2(key) & 0x7fff_ffff,
            Self::Crc32 => crc32(key),
        };
        hash.checked_rem(partition_count).unwrap_or(0)
    }
}

/// `MurmurHash2`, seed 0x9747b28c, as Kafka's Java client computes it.
fn murmur2(key: &[u8]) -> u32 {
    const MIX: u32 = 0x5bd1_e995;
    let length = u32::try_from(key.len()).unwrap_or(u32::MAX);
    let mut hash = 0x9747_b28c ^ length;
    let mut words = key.chunks_exact(4);
    for word in &mut words {
        let mut bytes = [0; 4];
        bytes.copy_from_slice(word);
        let mut mixed = u32::from_le_bytes(bytes).wrapping_mul(MIX);
        mixed ^= mixed >> 24;
        hash = hash.wrapping_mul(MIX) ^ mixed.wrapping_mul(MIX);
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        let mut bytes = [0; 4];
        for (slot, byte) in bytes.iter_mut().zip(rest) {
            *slot = *byte;
        }
        hash = (hash ^ u32::from_le_bytes(bytes)).wrapping_mul(MIX);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(MIX);
    hash ^ (hash >> 15)
}

/// CRC-32 (IEEE 802.3), as zlib and librdkafka compute it.
fn crc32(key: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for &byte in key {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            let carry = crc & 1;
            crc >>= 1;
            if carry == 1 {
                crc ^= 0xedb8_8320;
            }
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn murmur2_agrees_with_the_java_client() {
        // Known answers of Kafka's own `UtilsTest.testMurmur2`.
        for (key, expected) in [
            ("21", -973_932_308_i32),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ] {
            assert_eq!(murmur2(key.as_bytes()).cast_signed(), expected, "{key}");
        }
    }

    #[test]
    fn crc32_is_the_published_one() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }
}
