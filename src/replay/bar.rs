//! The progress bar: bytes, events a second, event time and stalls; on a terminal only.

use std::io::{IsTerminal, stderr};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::progress::Progress;
use hexflow_dataflows::time::Instant as EventTime;

/// How often it is drawn.
const PERIOD: Duration = Duration::from_millis(100);

/// A bar on standard error, or nothing if that is no terminal.
#[derive(Clone)]
pub struct Bar(ProgressBar);

impl Bar {
    /// Shows how `progress` gets on towards `bytes`.
    pub fn start(bytes: u64, progress: &Arc<Progress>) -> Bar {
        if !stderr().is_terminal() {
            return Bar(ProgressBar::hidden());
        }
        let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes}  {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        let (drawn, progress) = (bar.clone(), Arc::clone(progress));
        // Without the thread there is no bar, and nothing else is missed.
        let _ = thread::Builder::new().name("bar".to_owned()).spawn(move || draw(&drawn, &progress));
        Bar(bar)
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}

fn draw(bar: &ProgressBar, progress: &Progress) {
    let began = Instant::now();
    while !bar.is_finished() {
        #[expect(clippy::cast_precision_loss, reason = "shown to a person")]
        let rate = progress.records.load(Relaxed) as f64 / began.elapsed().as_secs_f64();
        let at = EventTime::from_ms(progress.event_ms.load(Relaxed) / 1000 * 1000);
        bar.set_position(progress.bytes.load(Relaxed).min(bar.length().unwrap_or(u64::MAX)));
        bar.set_message(format!("{rate:.0} events/s  at {at}  stalls {}", progress.stalls.load(Relaxed)));
        thread::sleep(PERIOD);
    }
}
