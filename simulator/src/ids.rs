//! Identifiers and pseudo-random choices that depend on a seed and nothing else.

use std::fmt::Write as _;

use uuid::Uuid;

/// A small generator (splitmix64): fast, seedable, good enough to look random.
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    /// A generator for this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `n`; 0 for `n` = 0.
    pub fn below(&mut self, n: usize) -> usize {
        if n == 0 { 0 } else { usize::try_from(self.bits() % n as u64).unwrap_or(0) }
    }

    /// One of these.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// A series of ids for one scope of one simulator.
#[derive(Debug, Clone)]
pub struct Ids(Rng);

impl Ids {
    /// The series for this seed and scope; two scopes never share one.
    pub fn new(seed: u64, scope: &str) -> Self {
        // FNV-1a over the scope, started from the seed.
        let hash = scope.bytes().fold(seed ^ 0xCBF2_9CE4_8422_2325, |h, b| {
            (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01B3)
        });
        Self(Rng::new(hash))
    }

    /// The next id. Its version digit is arbitrary, as in the ids that vendors hand out.
    pub fn uuid(&mut self) -> Uuid {
        Uuid::from_u64_pair(self.0.bits(), self.0.bits())
    }

    /// The next number below `n`.
    pub fn number(&mut self, n: usize) -> usize {
        self.0.below(n)
    }

    /// An opaque word of 2 × `pairs` hex digits, for tokens.
    pub fn word(&mut self, pairs: usize) -> String {
        let mut word = String::with_capacity(pairs * 2 + 16);
        while word.len() < pairs * 2 {
            // Writing to a string does not fail.
            let _written = write!(word, "{:016x}", self.0.bits());
        }
        word.truncate(pairs * 2);
        word
    }
}
