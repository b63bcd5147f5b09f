//! The form of one frame's spectrum.

use super::measures::N_CEPSTRA;
use super::spectrum::{Spectrum, bin_at, decibel, hz_of};
use super::stats::Line;

const N_FILTERS: usize = 24;
/// Bands of a third of an octave and less, for slopes.
const LOW_HZ: f32 = 200.0;
const HIGH_HZ: f32 = 3_500.0;

/// What is told of a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Shape {
    pub(super) level_db: f32,
    pub(super) effort_ratio_db: f32,
    pub(super) alpha_ratio_db: f32,
    pub(super) hammarberg_db: f32,
    pub(super) tilt_db: f32,
    pub(super) tilt_middle_db: f32,
    pub(super) centroid_hz: f32,
    pub(super) flux: f32,
    pub(super) cepstra: [f32; N_CEPSTRA],
}

/// A triangle on the mel scale: its first bin and the weights from there on.
struct Filter {
    first_bin: usize,
    weights: Vec<f32>,
    octave: f32,
    centre_hz: f32,
}

pub(super) struct ShapeFinder {
    filters: Vec<Filter>,
    /// Cosines, [`N_FILTERS`] for each coefficient.
    cosines: Vec<f32>,
}

/// How the form changes from frame to frame.
#[derive(Default)]
pub(super) struct Flux {
    /// Form of the frame before: shares of power by filter.
    before: Option<[f32; N_FILTERS]>,
}

impl Flux {
    pub(super) fn clear(&mut self) {
        self.before = None;
    }

    fn of(&mut self, bands: &[f32; N_FILTERS]) -> f32 {
        let total = bands.iter().sum::<f32>().max(f32::MIN_POSITIVE);
        let form = bands.map(|band| (band / total).sqrt());
        let before = self.before.replace(form).unwrap_or(form);
        let changes = form.iter().zip(&before);
        let squares = changes.map(|(here, before)| (here - before).powi(2));
        squares.sum::<f32>().sqrt()
    }
}

impl ShapeFinder {
    pub(super) fn new() -> Self {
        let cosine = |at: usize| {
            let (coefficient, filter) = (1 + at / N_FILTERS, at % N_FILTERS);
            let angle = coefficient as f32 * (filter as f32 + 0.5) / N_FILTERS as f32;
            (std::f32::consts::PI * angle).cos() * (2.0 / N_FILTERS as f32).sqrt()
        };
        Self {
            filters: mel_filters(),
            cosines: (0..N_CEPSTRA * N_FILTERS).map(cosine).collect(),
        }
    }

    pub(super) fn shape(&self, spectrum: &Spectrum, flux: &mut Flux) -> Shape {
        let power = spectrum.power();
        let bands = self.bands(power);
        let sum = |from: f32, to: f32| power[bin_at(from)..bin_at(to)].iter().sum::<f32>();
        let total = sum(LOW_HZ, HIGH_HZ).max(f32::MIN_POSITIVE);
        let centre = |(bin, power): (usize, &f32)| hz_of(bin) * power;
        let tops = bands.map(decibel);
        Shape {
            level_db: spectrum.level_db(),
            effort_ratio_db: decibel(sum(600.0, 1_200.0)) - decibel(sum(LOW_HZ, 500.0)),
            alpha_ratio_db: decibel(sum(1_000.0, 3_400.0)) - decibel(sum(LOW_HZ, 1_000.0)),
            hammarberg_db: self.top(&tops, 0.0, 2_000.0) - self.top(&tops, 2_000.0, HIGH_HZ),
            tilt_db: self.slope(&tops, 300.0, 3_400.0),
            tilt_middle_db: self.slope(&tops, 500.0, 1_500.0),
            centroid_hz: power.iter().enumerate().map(centre).sum::<f32>() / total,
            flux: flux.of(&bands),
            cepstra: self.cepstra(&tops),
        }
    }

    fn bands(&self, power: &[f32]) -> [f32; N_FILTERS] {
        let mut bands = [0.0; N_FILTERS];
        for (band, filter) in bands.iter_mut().zip(&self.filters) {
            let bins = &power[filter.first_bin..][..filter.weights.len()];
            let parts = filter.weights.iter().zip(bins);
            *band = parts.map(|(weight, bin)| weight * bin).sum();
        }
        bands
    }

    fn within(&self, from: f32, to: f32) -> impl Iterator<Item = (usize, &Filter)> {
        let filters = self.filters.iter().enumerate();
        filters.filter(move |(_, filter)| (from..to).contains(&filter.centre_hz))
    }

    fn top(&self, levels: &[f32; N_FILTERS], from: f32, to: f32) -> f32 {
        let levels = self.within(from, to).map(|(at, _)| levels[at]);
        levels.fold(f32::MIN, f32::max)
    }

    fn slope(&self, levels: &[f32; N_FILTERS], from: f32, to: f32) -> f32 {
        let mut line = Line::default();
        for (at, filter) in self.within(from, to) {
            // Power by hertz: filters grow wider.
            let width: f32 = filter.weights.iter().sum();
            line.push(filter.octave, levels[at] - 10.0 * width.log10());
        }
        line.slope()
    }

    fn cepstra(&self, levels: &[f32; N_FILTERS]) -> [f32; N_CEPSTRA] {
        let mut cepstra = [0.0; N_CEPSTRA];
        for (value, cosines) in cepstra.iter_mut().zip(self.cosines.chunks(N_FILTERS)) {
            let parts = cosines.iter().zip(levels);
            *value = parts.map(|(cosine, level)| cosine * level).sum();
        }
        cepstra
    }
}

fn mel_filters() -> Vec<Filter> {
    let mel = |hz: f32| 1127.0 * (1.0 + hz / 700.0).ln();
    let hz = |mel: f32| 700.0 * ((mel / 1127.0).exp() - 1.0);
    let step = (mel(HIGH_HZ) - mel(LOW_HZ)) / (N_FILTERS + 1) as f32;
    let filter = |at: usize| {
        let centre = mel(LOW_HZ) + (at + 1) as f32 * step;
        let weight = |bin: usize| 1.0 - ((mel(hz_of(bin)) - centre) / step).abs();
        let (first_bin, last_bin) = (bin_at(hz(centre - step)), bin_at(hz(centre + step)));
        Filter {
            first_bin,
            weights: (first_bin..last_bin)
                .map(|bin| weight(bin).max(0.0))
                .collect(),
            octave: hz(centre).log2(),
            centre_hz: hz(centre),
        }
    };
    (0..N_FILTERS).map(filter).collect()
}
