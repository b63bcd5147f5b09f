//! How loud a leg is.

const WINDOWS_PER_SEC: u32 = 50;
/// What is told of digital silence, mean square: −120 dBFS.
const LEAST_POWER: f64 = 1e-12;

/// The loudest 20 ms of what was heard, without their mean, as `auricle_audio` surveys recordings: a sine of full scale has
/// −3 dBFS.
#[derive(Default)]
pub(super) struct Level {
    rate_hz: u32,
    window: Window,
    /// Mean square; `None`: no window was full.
    loudest: Option<f64>,
}

#[derive(Default)]
struct Window {
    n: u32,
    sum: f64,
    sum_squares: f64,
}

impl Level {
    /// Takes samples, −1 to 1, that follow those before. At another rate, a window that is not full is left out.
    pub(super) fn hear(&mut self, samples: &[f32], rate_hz: u32) {
        if self.rate_hz != rate_hz {
            self.rate_hz = rate_hz;
            self.window = Window::default();
        }
        for sample in samples {
            let sample = f64::from(*sample);
            self.window.n = self.window.n.saturating_add(1);
            self.window.sum += sample;
            self.window.sum_squares += sample * sample;
            if self.window.n >= rate_hz / WINDOWS_PER_SEC {
                self.close_window();
            }
        }
    }

    /// The loudest since it was asked last, dBFS; `None` where no 20 ms came.
    pub(super) fn take_dbfs(&mut self) -> Option<f32> {
        let power = self.loudest.take()?;
        Some((10.0 * power.max(LEAST_POWER).log10()) as f32)
    }

    fn close_window(&mut self) {
        let window = std::mem::take(&mut self.window);
        let n = f64::from(window.n);
        let mean = window.sum / n;
        let power = window.sum_squares / n - mean * mean;
        self.loudest = Some(self.loudest.map_or(power, |loudest| loudest.max(power)));
    }
}

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use super::*;

    fn tone(amplitude: f32) -> Vec<f32> {
        let step = TAU / 16.0;
        (0..160)
            .map(|idx| amplitude * (step * idx as f32).sin())
            .collect()
    }

    #[test]
    fn the_loudest_since_it_was_asked() {
        let mut level = Level::default();
        assert_eq!(level.take_dbfs(), None);
        for amplitude in [0.01, 1.0, 0.1] {
            level.hear(&tone(amplitude), 8_000);
        }
        let loudest = level.take_dbfs().unwrap();
        assert!((loudest + 3.01).abs() < 0.01, "{loudest}");
        assert_eq!(level.take_dbfs(), None);
        level.hear(&[0.0; 100], 8_000);
        assert_eq!(level.take_dbfs(), None, "20 ms are not full");
        level.hear(&[0.0; 60], 8_000);
        assert_eq!(level.take_dbfs(), Some(-120.0));
        // A constant is no sound.
        level.hear(&[0.25; 320], 16_000);
        assert_eq!(level.take_dbfs(), Some(-120.0));
    }
}
