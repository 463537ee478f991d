//! Rolling windows over speeds: rows of `sensor_windows`.

use std::ops::Range;
use std::sync::Arc;

use hexflow_operators::FixedMap;
use hexflow_operators::panes::{Figures, Panes};
use hexflow_operators::sessions::Step;
use hexflow_operators::slides::Slides;
use serde::{Deserialize, Serialize};

use crate::change::Change;

/// The primary key of `sensor_windows`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WindowKey {
    /// The sensor.
    pub sensor_id: i64,
    /// Of the visits.
    #[serde(with = "crate::shared_text")]
    pub traveler_type: Arc<str>,
    /// ms since the epoch; not within the window.
    pub window_end: i64,
}

/// The other columns of `sensor_windows`. Speeds are null where there are no samples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// Length, ms.
    pub window_ms: i64,
    /// m/s.
    pub min_speed: Option<f64>,
    /// m/s.
    pub max_speed: Option<f64>,
    /// m/s, the mean of the samples.
    pub avg_speed: Option<f64>,
    /// Speed samples.
    pub samples: u64,
    /// Travellers with a visit of this type that touches the window, each once.
    pub travelers: u64,
}

/// A change of `sensor_windows`.
pub type WindowChange = Change<WindowKey, Window>;

/// The windows of a worker's sensors.
pub struct Windows {
    slides: Slides,
    sensors: FixedMap<i64, FixedMap<Arc<str>, Panes>>,
    /// Those with changes to tell.
    changed: Vec<(i64, Arc<str>)>,
}

impl Windows {
    /// Without any window yet.
    pub fn new(slides: Slides) -> Self {
        Windows { slides, sensors: FixedMap::default(), changed: Vec::new() }
    }

    /// A speed sample came or went.
    pub fn sample(&mut self, sensor_id: i64, step: &Step<Arc<str>>) {
        self.panes(sensor_id, &step.tag).value(step.at_ms, step.value, step.diff);
    }

    /// Windows count a traveller more (`diff` 1) or less (-1).
    pub fn presence(&mut self, sensor_id: i64, traveler_type: &Arc<str>, windows: Range<i64>, diff: i64) {
        self.panes(sensor_id, traveler_type).presence(windows, diff);
    }

    /// The panes of a sensor and a type, which are about to change.
    fn panes(&mut self, sensor_id: i64, traveler_type: &Arc<str>) -> &mut Panes {
        let types = self.sensors.entry(sensor_id).or_default();
        if !types.contains_key(traveler_type) {
            types.insert(Arc::clone(traveler_type), Panes::new(self.slides));
        }
        let panes = types.get_mut(traveler_type).expect("inserted above");
        if !panes.is_changed() {
            self.changed.push((sensor_id, Arc::clone(traveler_type)));
        }
        panes
    }

    /// Tells each row that changed.
    pub fn tell(&mut self, mut tell: impl FnMut(WindowChange)) {
        for (sensor_id, traveler_type) in self.changed.drain(..) {
            let panes = self.sensors.get_mut(&sensor_id).and_then(|types| types.get_mut(&traveler_type));
            let Some(panes) = panes else { continue };
            panes.tell(|k, figures| {
                let (traveler_type, window_end) = (Arc::clone(&traveler_type), self.slides.end_ms(k));
                let key = WindowKey { sensor_id, traveler_type, window_end };
                tell(Change { key, row: figures.map(|figures| row(self.slides, figures)) });
            });
        }
    }

    /// Forgets windows that end at or before `end_ms`.
    pub fn forget(&mut self, end_ms: i64) {
        self.sensors.retain(|_, types| {
            types.retain(|_, panes| {
                panes.forget(end_ms);
                !panes.is_empty()
            });
            !types.is_empty()
        });
    }
}

fn row(slides: Slides, Figures { values, present }: Figures) -> Window {
    Window {
        window_ms: slides.window_ms(),
        min_speed: values.min(),
        max_speed: values.max(),
        avg_speed: values.mean(),
        samples: values.count,
        travelers: present,
    }
}
