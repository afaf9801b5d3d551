// The longest common subsequence of two random sequences, and the shortest ways through a grid of random costs.
include!("bench.rs");

use std::cmp::Reverse;
use std::collections::BinaryHeap;

fn subsequence(a: &[u8], b: &[u8]) -> u32 {
    let mut above = vec![0u32; b.len() + 1];
    let mut row = above.clone();
    for x in a {
        for (j, y) in b.iter().enumerate() {
            row[j + 1] = if x == y { above[j] + 1 } else { row[j].max(above[j + 1]) };
        }
        std::mem::swap(&mut above, &mut row);
    }
    above[b.len()]
}

fn shortest(costs: &[Vec<u32>]) -> Vec<Vec<u64>> {
    let n = costs.len();
    let mut best = vec![vec![u64::MAX; n]; n];
    let mut queue = BinaryHeap::new();
    best[0][0] = costs[0][0] as u64;
    queue.push(Reverse((best[0][0], 0, 0)));
    while let Some(Reverse((way, x, y))) = queue.pop() {
        if way > best[x][y] {
            continue;
        }
        for (dx, dy) in [(0, 1), (1, 0), (0, usize::MAX), (usize::MAX, 0)] {
            let (u, v) = (x.wrapping_add(dx), y.wrapping_add(dy));
            if u < n && v < n && way + (costs[u][v] as u64) < best[u][v] {
                best[u][v] = way + costs[u][v] as u64;
                queue.push(Reverse((best[u][v], u, v)));
            }
        }
    }
    best
}

fn run() -> u64 {
    let mut random = Random::new();
    let mut letters = |n| -> Vec<u8> { (0..n).map(|_| (random.next() % 4) as u8).collect() };
    let (a, b) = (letters(6000), letters(6000));
    let mut sum = subsequence(&a, &b) as u64;
    let costs: Vec<Vec<u32>> = (0..400).map(|_| (0..400).map(|_| random.next() % 100 + 1).collect()).collect();
    for way in shortest(&costs).iter().flatten() {
        sum = sum.wrapping_mul(31).wrapping_add(*way);
    }
    sum
}
