//! Counts over closed labels: a small box of plain integers.
//!
//! Counting is an addition at a computed place. There is no lock, no hash and no allocation, which
//! is why a worker can afford it for every touchpoint.

/// Counts with one axis per label.
#[derive(Clone, Debug)]
pub(super) struct Grid<const N: usize> {
    sizes: [usize; N],
    counts: Vec<u64>,
}

impl<const N: usize> Grid<N> {
    /// Returns zeros for every combination of labels; an axis has at least one place.
    pub(super) fn new(sizes: [usize; N]) -> Self {
        let sizes = sizes.map(|size| size.max(1));
        Self { sizes, counts: vec![0; sizes.iter().product()] }
    }

    /// Counts one. The last place of an axis also takes whatever lies beyond it.
    pub(super) fn add(&mut self, at: [usize; N]) {
        let place = self
            .sizes
            .iter()
            .zip(at)
            .fold(0, |place, (&size, index)| place * size + index.min(size - 1));
        if let Some(count) = self.counts.get_mut(place) {
            *count += 1;
        }
    }

    /// Returns every combination that was counted.
    pub(super) fn iter(&self) -> impl Iterator<Item = ([usize; N], u64)> {
        self.counts
            .iter()
            .enumerate()
            .filter(|&(_, &count)| count > 0)
            .map(|(place, &count)| (self.coordinates(place), count))
    }

    /// Sets every count to zero.
    pub(super) fn clear(&mut self) {
        self.counts.fill(0);
    }

    fn coordinates(&self, mut place: usize) -> [usize; N] {
        let mut at = [0; N];
        for (index, size) in at.iter_mut().zip(self.sizes).rev() {
            *index = place % size;
            place /= size;
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_combination_has_a_place_of_its_own() {
        let mut grid = Grid::new([2, 3, 4]);
        let all: Vec<[usize; 3]> =
            (0..2).flat_map(|a| (0..3).flat_map(move |b| (0..4).map(move |c| [a, b, c]))).collect();
        for (times, &at) in all.iter().enumerate() {
            for _ in 0..=times {
                grid.add(at);
            }
        }
        let expected: Vec<([usize; 3], u64)> = all.into_iter().zip(1..).collect();
        assert_eq!(grid.iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_lies_beyond_an_axis_is_counted_in_its_last_place() {
        let mut grid = Grid::new([2, 2]);
        grid.add([9, 0]);
        assert_eq!(grid.iter().collect::<Vec<_>>(), [([1, 0], 1)]);
    }
}
