use std::str::FromStr;

/// How much processor time greenroom may use: a share of one core.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CpuBudget {
    share: f64,
}

/// The part of the budget that is left on battery.
const ON_BATTERY: f64 = 0.5;
/// Least and most of a budget, in percent of one core.
const PERCENT: std::ops::RangeInclusive<f64> = 1.0..=6400.0;

impl CpuBudget {
    /// The share of one core that may be used: 1 is all of it.
    pub fn share(self, on_battery: bool) -> f64 {
        if on_battery { ON_BATTERY * self.share } else { self.share }
    }
}

impl FromStr for CpuBudget {
    type Err = ();

    /// A percentage: `50%` is half a core.
    fn from_str(text: &str) -> Result<Self, ()> {
        let number = text.trim().strip_suffix('%').ok_or(())?;
        let percent: f64 = number.trim_end().parse().map_err(|_| ())?;
        if !PERCENT.contains(&percent) {
            return Err(());
        }
        Ok(Self { share: percent / 100.0 })
    }
}
