//! Pictures of figures: SVG, written by hand, legible on white and on dark pages.
//!
//! Text and lines are of a grey that stands out from both; where the viewer tells which page it is, of one that fits better.

mod axis;
mod bars;
mod lines;

use std::fmt::{Display, Write};

pub(crate) use self::bars::{Bar, bars};
pub(crate) use self::lines::{Panel, Series, lines};

/// How wide a picture is.
const WIDTH: f64 = 760.0;

/// About how wide a character is.
const CHARACTER: f64 = 6.8;

/// Colours of series, apart from each other also for those who see few colours, on white and on black.
const COLOURS: [&str; 4] = ["#d9652b", "#3f83c9", "#2a9d74", "#b0609e"];

const STYLE: &str = "\
text{font:12px system-ui,sans-serif;fill:#777}\
.title{font-size:15px;font-weight:600}\
.grid{stroke:#777;stroke-opacity:.3}\
.other{fill:#8a94a0}\
@media(prefers-color-scheme:light){text{fill:#3d444d}}\
@media(prefers-color-scheme:dark){text{fill:#c9d1d9}}";

/// A picture that is being drawn.
struct Drawing {
    shapes: String,
}

/// On which side of its point a text is.
#[derive(Clone, Copy, Debug)]
enum Side {
    Right,
    Left,
    Middle,
}

impl Drawing {
    fn new() -> Self {
        Drawing { shapes: String::new() }
    }

    fn text(&mut self, x: f64, y: f64, side: Side, text: impl Display) {
        let anchor = match side {
            Side::Right => "start",
            Side::Left => "end",
            Side::Middle => "middle",
        };
        let text = escaped(&text.to_string());
        let _ = writeln!(self.shapes, r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{text}</text>"#);
    }

    fn title(&mut self, x: f64, y: f64, text: &str) {
        let _ = writeln!(self.shapes, r#"<text class="title" x="{x:.1}" y="{y:.1}">{}</text>"#, escaped(text));
    }

    fn grid(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        let _ = writeln!(self.shapes, r#"<line class="grid" x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}"/>"#);
    }

    fn raw(&mut self, shape: impl Display) {
        let _ = writeln!(self.shapes, "{shape}");
    }

    /// The file.
    fn end(self, height: f64) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH:.0} {height:.0}\" role=\"img\">\n\
             <style>{STYLE}</style>\n{}</svg>\n",
            self.shapes
        )
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
