//! Lines over a logarithmic axis, in panels side by side that share it.

use std::fmt::Write;

use super::axis::{Axis, short};
use super::{COLOURS, Drawing, Side, WIDTH};

/// Where panels begin and end, from the top.
const TOP: f64 = 80.0;
const BOTTOM: f64 = 290.0;

/// What marks take at the left of a panel.
const MARKS: f64 = 52.0;

/// Between a panel's right side and the next.
const GAP: f64 = 18.0;

/// A line.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    /// What the legend calls it.
    pub(crate) name: String,
    /// From the left; `x` is above 0.
    pub(crate) points: Vec<(f64, f64)>,
}

/// Lines of one unit.
#[derive(Clone, Debug)]
pub(crate) struct Panel {
    /// What its values are.
    pub(crate) y_label: String,
    /// Those of one name have one colour in all panels.
    pub(crate) series: Vec<Series>,
}

/// Draws the panels from left to right, `x` by its logarithm, `y` from 0.
pub(crate) fn lines(title: &str, x_label: &str, panels: &[Panel]) -> String {
    let mut drawing = Drawing::new();
    drawing.title(8.0, 22.0, title);
    let mut names: Vec<&str> = Vec::new();
    for series in panels.iter().flat_map(|panel| &panel.series) {
        if !names.contains(&&*series.name) {
            names.push(&series.name);
        }
    }
    legend(&mut drawing, &names);
    #[expect(clippy::cast_precision_loss, reason = "one or two")]
    let each = WIDTH / panels.len().max(1) as f64;
    let mut left = 0.0;
    for panel in panels {
        draw(&mut drawing, panel, (left + MARKS, left + each - GAP), x_label, &names);
        left += each;
    }
    drawing.end(BOTTOM + 50.0)
}

fn legend(drawing: &mut Drawing, names: &[&str]) {
    let mut x = 8.0;
    for (at, name) in names.iter().enumerate() {
        drawing.raw(format_args!(r#"<rect fill="{}" x="{x:.1}" y="36" width="12" height="12" rx="2"/>"#, colour(at)));
        drawing.text(x + 18.0, 46.0, Side::Right, name);
        #[expect(clippy::cast_precision_loss, reason = "a name is short")]
        let width = name.chars().count() as f64 * super::CHARACTER;
        x += width + 36.0;
    }
}

fn colour(at: usize) -> &'static str {
    COLOURS[at % COLOURS.len()]
}

fn draw(drawing: &mut Drawing, panel: &Panel, (left, right): (f64, f64), x_label: &str, names: &[&str]) {
    let points = || panel.series.iter().flat_map(|series| &series.points);
    let (least, most) =
        points().fold((f64::MAX, f64::MIN_POSITIVE), |(least, most), (x, _)| (x.min(least), x.max(most)));
    let x_axis = Axis::log(least.min(most), most, (left, right));
    let highest = points().map(|point| point.1).fold(f64::MIN_POSITIVE, f64::max);
    let y_axis = Axis::linear(highest, (BOTTOM, TOP));
    for mark in y_axis.marks() {
        let y = y_axis.place(mark);
        drawing.grid((left, y), (right, y));
        drawing.text(left - 6.0, y + 4.0, Side::Left, short(mark));
    }
    for mark in x_axis.marks() {
        let x = x_axis.place(mark);
        drawing.grid((x, BOTTOM), (x, BOTTOM + 5.0));
        drawing.text(x, BOTTOM + 20.0, Side::Middle, short(mark));
    }
    drawing.text(left, TOP - 12.0, Side::Right, &panel.y_label);
    drawing.text(f64::midpoint(left, right), BOTTOM + 40.0, Side::Middle, format!("{x_label} (logarithmic)"));
    for series in &panel.series {
        let colour = colour(names.iter().position(|name| *name == series.name).unwrap_or(0));
        let mut path = String::new();
        for &(x, y) in &series.points {
            let (x, y) = (x_axis.place(x), y_axis.place(y));
            let _ = write!(path, "{x:.1},{y:.1} ");
            drawing.raw(format_args!(r#"<circle fill="{colour}" cx="{x:.1}" cy="{y:.1}" r="3"/>"#));
        }
        drawing.raw(format_args!(
            r#"<polyline fill="none" stroke="{colour}" stroke-width="2" points="{}"/>"#,
            path.trim_end()
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(name: &str, points: &[(f64, f64)]) -> Series {
        Series { name: name.to_owned(), points: points.to_vec() }
    }

    #[test]
    fn a_steady_value_is_a_level_line_over_equal_steps() {
        let panel =
            Panel { y_label: "ns".to_owned(), series: vec![series("one", &[(1e3, 50.0), (1e4, 50.0), (1e5, 50.0)])] };
        let svg = lines("T", "keys", &[panel]);
        let points = svg.split("points=\"").nth(1).unwrap().split('"').next().unwrap();
        let pairs = points.split(' ').map(|pair| pair.split_once(',').unwrap());
        let (xs, ys): (Vec<f64>, Vec<f64>) =
            pairs.map(|(x, y)| (x.parse::<f64>().unwrap(), y.parse::<f64>().unwrap())).unzip();
        assert!(ys.iter().all(|y| *y == TOP), "{ys:?}");
        assert!((xs[2] - xs[1] - (xs[1] - xs[0])).abs() < 0.2, "{xs:?}");
    }

    #[test]
    fn a_name_has_one_colour_in_all_panels() {
        let panel = |names: [&str; 2]| Panel {
            y_label: "y".to_owned(),
            series: names.iter().map(|name| series(name, &[(10.0, 1.0)])).collect(),
        };
        let svg = lines("T", "keys", &[panel(["a", "b"]), panel(["b", "a"])]);
        let strokes: Vec<_> = svg.split("stroke=\"").skip(1).map(|rest| &rest[..7]).collect();
        assert_eq!(strokes, [COLOURS[0], COLOURS[1], COLOURS[1], COLOURS[0]]);
    }
}
