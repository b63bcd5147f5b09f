//! Sums that means, deviations and trends are taken from, and quantiles.

/// Mean and deviation of values that come one by one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Moments {
    n: f64,
    sum: f64,
    squares: f64,
}

impl Moments {
    pub(super) fn push(&mut self, value: f32) {
        let value = f64::from(value);
        self.n += 1.0;
        self.sum += value;
        self.squares += value * value;
    }

    /// Takes in what `other` took.
    pub(super) fn add(&mut self, other: &Self) {
        self.n += other.n;
        self.sum += other.sum;
        self.squares += other.squares;
    }

    pub(super) fn n(&self) -> f32 {
        self.n as f32
    }

    /// 0 without values.
    pub(super) fn mean(&self) -> f32 {
        (self.sum / self.n.max(1.0)) as f32
    }

    /// Of the values themselves, not of a population; 0 without values.
    pub(super) fn deviation(&self) -> f32 {
        let n = self.n.max(1.0);
        let mean = self.sum / n;
        (self.squares / n - mean * mean).max(0.0).sqrt() as f32
    }
}

/// Least squares of points that come one by one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Line {
    n: f64,
    x: f64,
    y: f64,
    xx: f64,
    xy: f64,
}

impl Line {
    pub(super) fn push(&mut self, x: f32, y: f32) {
        let (x, y) = (f64::from(x), f64::from(y));
        self.n += 1.0;
        self.x += x;
        self.y += y;
        self.xx += x * x;
        self.xy += x * y;
    }

    /// 0 where there are no two places.
    pub(super) fn slope(&self) -> f32 {
        let spread = self.n * self.xx - self.x * self.x;
        if spread <= 1e-9 {
            return 0.0;
        }
        ((self.n * self.xy - self.x * self.y) / spread) as f32
    }
}

/// The value that a share of `sorted` lies below; 0 without values.
pub(super) fn quantile(sorted: &[f32], share: f32) -> f32 {
    let last = sorted.len().saturating_sub(1);
    let place = share.clamp(0.0, 1.0) * last as f32;
    let below = place.floor() as usize;
    let part = place - below as f32;
    let at = |idx: usize| sorted.get(idx.min(last)).copied().unwrap_or(0.0);
    at(below) + part * (at(below + 1) - at(below))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_give_what_the_values_do() {
        let (mut moments, mut line) = (Moments::default(), Line::default());
        for x in 0..5_u8 {
            moments.push(f32::from(x));
            line.push(f32::from(x), 3.0 - 2.0 * f32::from(x));
        }
        assert_eq!((moments.mean(), moments.n()), (2.0, 5.0));
        assert!((moments.deviation() - 2.0_f32.sqrt()).abs() < 1e-6);
        assert!((line.slope() + 2.0).abs() < 1e-6);
        assert_eq!(
            (Moments::default().mean(), Line::default().slope()),
            (0.0, 0.0)
        );
    }

    #[test]
    fn quantiles_lie_between_values() {
        for (share, expected) in [(0.0, 1.0), (0.5, 2.5), (1.0, 4.0), (2.0, 4.0)] {
            assert_eq!(quantile(&[1.0, 2.0, 3.0, 4.0], share), expected, "{share}");
        }
        assert_eq!(quantile(&[], 0.5), 0.0);
    }
}
