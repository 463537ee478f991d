//! Horizontal bars, one below the other, each with its value.

use super::axis::{Axis, short};
use super::{CHARACTER, COLOURS, Drawing, Side, WIDTH};

/// From one bar to the next, and how much of it is bar.
const ROW: f64 = 24.0;
const THICKNESS: f64 = 16.0;

/// What the title takes.
const TOP: f64 = 40.0;

/// Where the greatest is so many times the least, the least would be no more than a line.
const TOO_WIDE: f64 = 100.0;

/// A bar.
#[derive(Clone, Debug)]
pub(crate) struct Bar {
    /// At its left.
    pub(crate) label: String,
    /// How long it is; above 0.
    pub(crate) value: f64,
    /// Whether it is to stand out.
    pub(crate) ours: bool,
}

/// Draws them in the order given, by a logarithm if the least would not be seen otherwise, which the axis then says.
pub(crate) fn bars(title: &str, axis_label: &str, bars: &[Bar]) -> String {
    let mut drawing = Drawing::new();
    drawing.title(8.0, 22.0, title);
    #[expect(clippy::cast_precision_loss, reason = "a label is short")]
    let longest = bars.iter().map(|bar| bar.label.chars().count()).max().unwrap_or(0) as f64;
    let least = bars.iter().map(|bar| bar.value).fold(f64::MAX, f64::min);
    let most = bars.iter().map(|bar| bar.value).fold(f64::MIN_POSITIVE, f64::max);
    let is_log = most > TOO_WIDE * least && least > 0.0;
    // Beside the longest bar there is room for its value.
    let places = (16.0 + longest * CHARACTER, WIDTH - 70.0);
    let axis = if is_log { Axis::log(least, most, places) } else { Axis::linear(most, places) };
    let mut bottom = TOP;
    for bar in bars {
        let end = axis.place(bar.value);
        let middle = bottom + ROW / 2.0 + 4.0;
        drawing.text(places.0 - 8.0, middle, Side::Left, &bar.label);
        let paint = if bar.ours { format!("fill=\"{}\"", COLOURS[0]) } else { "class=\"other\"".to_owned() };
        drawing.raw(format_args!(
            r#"<rect {paint} x="{:.1}" y="{:.1}" width="{:.1}" height="{THICKNESS}" rx="2"/>"#,
            places.0,
            bottom + (ROW - THICKNESS) / 2.0,
            (end - places.0).max(1.0)
        ));
        drawing.text(end + 6.0, middle, Side::Right, short(bar.value));
        bottom += ROW;
    }
    for mark in axis.marks() {
        let x = axis.place(mark);
        drawing.grid((x, TOP), (x, bottom + 4.0));
        drawing.text(x, bottom + 18.0, Side::Middle, short(mark));
    }
    let axis_label = if is_log { format!("{axis_label} (logarithmic)") } else { axis_label.to_owned() };
    drawing.text(f64::midpoint(places.0, places.1), bottom + 38.0, Side::Middle, axis_label);
    drawing.end(bottom + 50.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(values: &[f64]) -> String {
        let bar = |(at, &value): (usize, &f64)| Bar { label: format!("a<b {at}"), value, ours: at == 0 };
        bars("A & B", "records a second", &values.iter().enumerate().map(bar).collect::<Vec<_>>())
    }

    fn widths(svg: &str) -> Vec<f64> {
        svg.split("width=\"").skip(1).map(|rest| rest.split('"').next().unwrap().parse().unwrap()).collect()
    }

    #[test]
    fn bars_are_as_long_as_their_values() {
        let svg = drawn(&[200.0, 100.0]);
        let widths = widths(&svg);
        assert!((widths[0] / widths[1] - 2.0).abs() < 0.01, "{widths:?}");
        assert!(!svg.contains("logarithmic"));
    }

    #[test]
    fn a_logarithm_shows_the_small_and_is_told() {
        let svg = drawn(&[1e6, 1e3]);
        assert!(svg.contains("logarithmic") && widths(&svg)[1] >= 1.0);
    }

    #[test]
    fn labels_are_escaped_and_values_written() {
        let svg = drawn(&[1_234_567.0]);
        assert!(svg.contains("A &amp; B") && svg.contains("a&lt;b 0") && svg.contains(">1.23 M<"), "{svg}");
    }

    #[test]
    fn nothing_is_a_picture_too() {
        assert!(drawn(&[]).ends_with("</svg>\n"));
    }
}
