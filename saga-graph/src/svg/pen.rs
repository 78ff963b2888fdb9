//! Strokes and words of an SVG. Nothing here has an id, so that any number of drawings stand on one page.

use std::fmt::Write as _;

use crate::text::{clean, xml};

/// The colour of the way back: readable on white and on black.
pub(super) const BACK: &str = "#d9573f";
/// The colour of the point of no return.
pub(super) const PIVOT: &str = "#b57b00";
/// The colour of everything else: that of the text around the drawing.
pub(super) const INK: &str = "currentColor";

/// How a line is drawn.
#[derive(Clone, Copy)]
pub(super) struct Stroke {
    pub(super) color: &'static str,
    pub(super) width: &'static str,
    pub(super) dashes: &'static str,
}

pub(super) const FORWARD: Stroke = Stroke { color: INK, width: "1.5", dashes: "" };
pub(super) const BACKWARD: Stroke = Stroke { color: BACK, width: "1.5", dashes: "" };
pub(super) const DOUBT: Stroke = Stroke { color: BACK, width: "1.2", dashes: "2 4" };
pub(super) const FAILURE: Stroke = Stroke { color: BACK, width: "1.2", dashes: "6 4" };
pub(super) const FRAME: Stroke = Stroke { color: INK, width: "1", dashes: "" };
pub(super) const BAR: Stroke = Stroke { width: "4", ..FORWARD };

/// How words are set.
#[derive(Clone, Copy)]
pub(super) enum Face {
    /// The name of a step.
    Name,
    /// A second line, or a label.
    Small,
    /// The title of a frame or lane.
    Title,
}

#[derive(Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A rectangle by its edges.
#[derive(Clone, Copy)]
pub(super) struct Area {
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) width: i32,
    pub(super) height: i32,
}

impl Area {
    /// The area of this size whose upper edge has its middle at (`x`, `y`).
    pub(super) fn below(x: i32, y: i32, width: i32, height: i32) -> Self {
        Self { x: x - width / 2, y, width, height }
    }

    pub(super) fn right(self) -> i32 {
        self.x + self.width
    }

    pub(super) fn bottom(self) -> i32 {
        self.y + self.height
    }

    pub(super) fn middle(self) -> i32 {
        self.y + self.height / 2
    }
}

pub(super) type Point = (i32, i32);

/// Writes the elements, one a line.
pub(super) struct Pen {
    pub(super) out: String,
}

impl Pen {
    /// A line through `points`, its corners rounded, with a head at its end if it is an arrow.
    pub(super) fn line(&mut self, points: &[Point], stroke: Stroke, is_arrow: bool) {
        let mut path = String::new();
        for (i, &(x, y)) in points.iter().enumerate() {
            let around = i.checked_sub(1).map(|before| (points.get(before), points.get(i + 1)));
            let _ = match around {
                None => write!(path, "M{x} {y}"),
                Some((Some(&before), Some(&after))) => {
                    let (ax, ay) = toward((x, y), before);
                    let (bx, by) = toward((x, y), after);
                    write!(path, "L{ax} {ay}Q{x} {y} {bx} {by}")
                }
                Some(_) => write!(path, "L{x} {y}"),
            };
        }
        let Stroke { color, width, dashes } = stroke;
        let dashes = dashes_attribute(dashes);
        let _ = writeln!(
            self.out,
            "<path d=\"{path}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"{width}\"{dashes}/>"
        );
        if let (true, [.., before, last]) = (is_arrow, points) {
            self.head(*before, *last, color);
        }
    }

    /// The head of an arrow that comes from `before`, along one of the axes.
    fn head(&mut self, before: Point, (x, y): Point, color: &str) {
        let (dx, dy) = ((x - before.0).signum(), (y - before.1).signum());
        let (ax, ay) = (x - 7 * dx - 4 * dy, y - 7 * dy - 4 * dx);
        let (bx, by) = (x - 7 * dx + 4 * dy, y - 7 * dy + 4 * dx);
        let _ = writeln!(self.out, "<path d=\"M{x} {y}L{ax} {ay}L{bx} {by}Z\" fill=\"{color}\"/>");
    }

    /// A box with rounded corners and a breath of colour.
    pub(super) fn area(&mut self, area: Area, radius: i32, stroke: Stroke, fill: &str) {
        let Area { x, y, width, height } = area;
        let Stroke { color, width: line, dashes } = stroke;
        let dashes = dashes_attribute(dashes);
        let _ = writeln!(
            self.out,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{radius}\" fill=\"{color}\" \
             fill-opacity=\"{fill}\" stroke=\"{color}\" stroke-width=\"{line}\"{dashes}/>"
        );
    }

    /// `text`, with its baseline at `y`.
    pub(super) fn text(&mut self, (x, y): Point, text: &str, face: Face, anchor: Anchor, color: &str) {
        let text = xml(text);
        if text.is_empty() {
            return;
        }
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let face = match face {
            Face::Name => " font-size=\"13\" font-weight=\"600\"",
            Face::Small => " font-size=\"11\"",
            Face::Title => " font-size=\"11\" font-style=\"italic\"",
        };
        let _ = writeln!(self.out, "<text x=\"{x}\" y=\"{y}\" fill=\"{color}\"{face}{anchor}>{text}</text>");
    }
}

fn dashes_attribute(dashes: &str) -> String {
    if dashes.is_empty() { String::new() } else { format!(" stroke-dasharray=\"{dashes}\"") }
}

/// The point beside a corner where its rounding begins, on the way to `to`.
fn toward((x, y): Point, to: Point) -> Point {
    let step = |from: i32, to: i32| from + (to - from).signum() * ((to - from).abs() / 2).min(6);
    (step(x, to.0), step(y, to.1))
}

/// How wide `text` is at most. No font is at hand: this is that of a wide one.
pub(super) fn width(text: &str, face: Face) -> i32 {
    let (narrow, wide) = match face {
        Face::Name => (82, 140),
        Face::Small | Face::Title => (64, 118),
    };
    let tenths: i32 = clean(text).chars().map(|c| if u32::from(c) < 0x1100 { narrow } else { wide }).sum();
    tenths / 10
}
