// Words of a random text, counted in a hash map and in a tree, the most frequent ones sorted.
include!("bench.rs");

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasherDefault;

fn run() -> u64 {
    let mut random = Random::new();
    let mut text = String::new();
    for _ in 0..400_000 {
        let n = random.next() % 20_000 * (random.next() % 3 + 1);
        text.push_str(&format!("w{:x}{}", n, if random.next() % 7 == 0 { ".\n" } else { " " }));
    }
    let mut counts: HashMap<&str, u32, BuildHasherDefault<DefaultHasher>> = HashMap::default();
    let mut lengths: BTreeMap<(usize, &str), u32> = BTreeMap::new();
    for word in text.split_whitespace() {
        let word = word.trim_end_matches('.');
        *counts.entry(word).or_insert(0) += 1;
        *lengths.entry((word.len(), word)).or_insert(0) += 1;
    }
    let mut order: Vec<_> = counts.into_iter().collect();
    order.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let mut sum = 0u64;
    for (i, (word, count)) in order.iter().take(1000).enumerate() {
        sum = sum.wrapping_mul(31).wrapping_add(*count as u64 * (i as u64 + 1) + word.len() as u64);
    }
    for ((length, word), count) in &lengths {
        sum = sum.wrapping_mul(31).wrapping_add((*length as u64) << 32 | (*count as u64) << 8 | word.as_bytes()[1] as u64);
    }
    sum
}
