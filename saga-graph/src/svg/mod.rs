//! A drawing in two lanes: the way forward goes down, and beside it the way back goes up.

mod pen;
mod rows;

use crate::saga::{Saga, Step, Zone};
use crate::text::{short, xml};
use pen::{
    Anchor, Area, BACK, BACKWARD, BAR, DOUBT, FAILURE, FORWARD, FRAME, Face, INK, PIVOT, Pen, Stroke, width,
};
use rows::{BOX, Content, Frame, FrameKind, GAP, RAIL, RAIL_BELOW, Row, even, gap_below, middles, rows};

/// Around the drawing.
const MARGIN: i32 = 16;
/// Between the lanes.
const LANE_GAP: i32 = 150;
/// The pills where a saga begins and ends.
const PILL: i32 = 30;
/// From the right edge of the way forward to where failures turn.
const TURN: i32 = 18;

/// `saga` as an SVG to be put into a page: it takes on the colour of the text around it, and needs no script, font,
/// style sheet or network. It holds no empty line, so that Markdown passes it through.
pub fn svg(saga: &Saga) -> String {
    let rows = rows(&saga.body);
    let begin = short(&saga.signature(), 48);
    let completed = if saga.has_output() {
        short(&format!("Completed: {}", saga.output), 40)
    } else {
        "Completed".to_owned()
    };
    let has_way_back = rows.iter().any(|row| row.turns || row.back > 0);
    let pills = pill_width(&begin).max(pill_width(&completed));
    let forward = rows.iter().map(|row| row.forward).fold(pills, i32::max);
    let back = rows.iter().map(|row| row.back).fold(pill_width("Compensated"), i32::max);
    let x = MARGIN + forward / 2;
    let back_x = has_way_back.then_some(MARGIN + forward + LANE_GAP + back / 2);
    let mut drawing = Drawing { pen: Pen { out: String::new() }, x, turn_x: MARGIN + forward + TURN, back_x };
    let mut full_width = MARGIN + forward + MARGIN;
    if has_way_back {
        full_width += LANE_GAP + back;
    }
    let height = drawing.lanes(&rows, &begin, &completed, full_width);
    // On a page that is too narrow it shrinks a little, and then is scrolled.
    let min_width = full_width * 4 / 5;
    let label = xml(&format!("The saga {}: its way forward, and its way back if something fails", saga.name));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"{label}\" \
         viewBox=\"0 0 {full_width} {height}\" width=\"{full_width}\" height=\"{height}\" \
         font-family=\"system-ui, sans-serif\" style=\"max-width:100%;min-width:{min_width}px;height:auto\">\n\
         <title>{label}</title>\n{}</svg>\n",
        drawing.pen.out
    )
}

/// Widths are even, so that everything has a middle.
fn pill_width(text: &str) -> i32 {
    even(width(text, Face::Name) + 36)
}

struct Drawing {
    pen: Pen,
    /// The middle of the way forward.
    x: i32,
    /// Where failures turn upward.
    turn_x: i32,
    /// The middle of the way back, if there is one.
    back_x: Option<i32>,
}

impl Drawing {
    /// Draws everything and gives the height of it.
    fn lanes(&mut self, rows: &[Row<'_>], begin: &str, completed: &str, full_width: i32) -> i32 {
        let mut y = MARGIN;
        let pill = self.pill(self.x, y, begin, FORWARD);
        let mut from = pill.bottom();
        // What the way back leads through, from above; and the lowest place where it begins.
        let mut undone = Vec::new();
        let mut lowest = None;
        if let Some(x) = self.back_x {
            undone.push(self.pill(x, y, "Compensated", BACKWARD));
        }
        y = from + GAP;
        for row in rows {
            let area = Area::below(self.x, y, row.forward, row.height);
            self.pen.line(&[(self.x, from), (self.x, y)], FORWARD, true);
            self.forward(row, self.x, y);
            let back = self.back_x.and_then(|x| self.back(row, x, y));
            if let Some(x) = self.back_x {
                self.failure(row, area, x, back);
                if row.turns && (back.is_none() || matches!(row.content, Content::Step { .. })) {
                    lowest = Some(y - GAP / 2);
                }
            }
            if let Some(back) = back {
                undone.push(back);
                lowest = None;
            }
            from = area.bottom();
            y = from + gap_below(row);
            if gap_below(row) > GAP {
                self.no_return(from + gap_below(row) / 2, full_width);
            }
        }
        if let Some(x) = self.back_x {
            self.way_back(x, &undone, lowest);
        }
        self.pen.line(&[(self.x, from), (self.x, y)], FORWARD, true);
        let end = self.pill(self.x, y, completed, FORWARD).bottom() + MARGIN;
        if self.back_x.is_some() { self.legend(end + 4) } else { end }
    }

    fn pill(&mut self, x: i32, y: i32, text: &str, stroke: Stroke) -> Area {
        let area = Area::below(x, y, pill_width(text), PILL);
        self.pen.area(area, PILL / 2, Stroke { width: "1.5", ..stroke }, "0.12");
        self.pen.text((x, y + 20), text, Face::Name, Anchor::Middle, stroke.color);
        area
    }

    /// Arrows from each area up to the one before it, and from the lowest place where the way back begins.
    fn way_back(&mut self, x: i32, undone: &[Area], lowest: Option<i32>) {
        for pair in undone.windows(2) {
            if let [above, below] = pair {
                self.pen.line(&[(x, below.y), (x, above.bottom())], BACKWARD, true);
            }
        }
        if let (Some(last), Some(lowest)) = (undone.last(), lowest) {
            self.pen.line(&[(x, lowest), (x, last.bottom())], BACKWARD, true);
        }
    }

    /// From a row to where its failing leads.
    fn failure(&mut self, row: &Row<'_>, area: Area, back_x: i32, back: Option<Area>) {
        let label_x = self.turn_x + 8;
        let (step, frame) = match &row.content {
            Content::Step { step, .. } => (Some(*step), None),
            Content::Frame(frame) => (None, Some(frame)),
        };
        match (step, back) {
            (None, Some(back)) if row.turns => {
                let y = area.middle();
                self.pen.line(&[(area.right(), y), (back.x, y)], FAILURE, true);
                let (label, note) = match frame {
                    Some(frame) if frame.is_concurrent => ("one fails", "in flight: waited for"),
                    _ => ("refused", ""),
                };
                self.pen.text((label_x, y - 6), label, Face::Small, Anchor::Start, BACK);
                self.pen.text((label_x, y + 15), note, Face::Small, Anchor::Start, BACK);
            }
            _ if row.turns => {
                let (y, turn) = (area.y + 12, area.y - GAP / 2);
                let points = [(area.right(), y), (self.turn_x, y), (self.turn_x, turn), (back_x, turn)];
                self.pen.line(&points, FAILURE, true);
                let label = step.map_or("refused", Step::refusal);
                self.pen.text((label_x, turn - 5), &short(label, 28), Face::Small, Anchor::Start, BACK);
            }
            _ => {}
        }
        if let (Some(step), Some(back)) = (step, back)
            && step.can_be_in_doubt()
        {
            let y = back.middle() + 4;
            self.pen.line(&[(area.right(), y), (back.x, y)], DOUBT, true);
            self.pen.text((label_x, y - 5), "in doubt", Face::Small, Anchor::Start, BACK);
        }
    }

    fn no_return(&mut self, y: i32, full_width: i32) {
        let stroke = Stroke { color: PIVOT, width: "2", dashes: "10 5" };
        self.pen.line(&[(MARGIN / 2, y), (full_width - MARGIN / 2, y)], stroke, false);
        let at = (full_width - MARGIN / 2, y + 15);
        self.pen.text(at, "point of no return: from here only forward", Face::Title, Anchor::End, PIVOT);
    }

    fn legend(&mut self, y: i32) -> i32 {
        let entries = [
            (FAILURE, "refused: had no effect, the steps before it are compensated"),
            (DOUBT, "in doubt: may have had an effect, and is compensated, too"),
            (BACKWARD, "compensated, latest first; so is a saga that is cancelled or past its deadline"),
        ];
        let mut y = y;
        for (stroke, text) in entries {
            self.pen.line(&[(MARGIN, y), (MARGIN + 32, y)], stroke, true);
            self.pen.text((MARGIN + 42, y + 4), text, Face::Small, Anchor::Start, INK);
            y += 17;
        }
        y
    }

    /// The forward part of a row.
    fn forward(&mut self, row: &Row<'_>, x: i32, y: i32) {
        let area = Area::below(x, y, row.forward, row.height);
        match &row.content {
            Content::Step { step, lines, .. } => {
                let is_pivot = step.zone == Zone::Pivot;
                let color = if is_pivot { PIVOT } else { INK };
                let radius = if step.kind.is_call() { 4 } else { 16 };
                let stroke = Stroke { color, width: if is_pivot { "3" } else { "1.2" }, dashes: "" };
                self.pen.area(area, radius, stroke, if is_pivot { "0.14" } else { "0.05" });
                self.lines(area, lines, INK);
            }
            Content::Frame(frame) => self.forward_frame(frame, area, x),
        }
    }

    fn lines(&mut self, area: Area, lines: &[String], color: &str) {
        let x = area.x + area.width / 2;
        let count = i32::try_from(lines.len()).unwrap_or_default();
        // The first line is 13 high, the others 11, each with its share of leading.
        let mut y = area.middle() - (count - 1) * 8 + 5;
        for (i, line) in lines.iter().enumerate() {
            let face = if i == 0 { Face::Name } else { Face::Small };
            self.pen.text((x, y), line, face, Anchor::Middle, color);
            y += if i == 0 { 16 } else { 14 };
        }
    }

    fn forward_frame(&mut self, frame: &Frame<'_>, area: Area, x: i32) {
        self.frame(area, &frame.title, INK);
        let widths: Vec<i32> = frame.columns.iter().map(|column| column.forward).collect();
        let middles = middles(&widths, x);
        let (top, bottom) = (area.y + RAIL, area.bottom() - RAIL_BELOW);
        self.rails(&middles, top, bottom, frame.kind, FORWARD);
        for (column, x) in frame.columns.iter().zip(&middles) {
            let Some(x) = *x else { continue };
            let mut from = top;
            if !column.label.is_empty() {
                self.pen.text((x, top + 15), &column.label, Face::Small, Anchor::Middle, INK);
                from += 20;
            }
            let mut y = area.y + frame.rows_at;
            for row in &column.rows {
                self.pen.line(&[(x, from), (x, y)], FORWARD, true);
                self.forward(row, x, y);
                from = y + row.height;
                y = from + gap_below(row);
            }
            self.pen.line(&[(x, from), (x, bottom)], FORWARD, frame.kind == FrameKind::Parallel);
            if frame.kind == FrameKind::For {
                let side = area.x + 12;
                self.pen.line(&[(x, bottom), (side, bottom), (side, top + 4), (x, top + 4)], FORWARD, true);
            }
        }
        self.pen.line(&[(x, bottom), (x, area.bottom())], FORWARD, false);
    }

    fn frame(&mut self, area: Area, title: &str, color: &'static str) {
        self.pen.area(area, 8, Stroke { color, dashes: "1 3", ..FRAME }, "0.03");
        self.pen.text((area.x + 8, area.y + 15), title, Face::Title, Anchor::Start, color);
    }

    fn rails(&mut self, middles: &[Option<i32>], top: i32, bottom: i32, kind: FrameKind, stroke: Stroke) {
        let mut middles = middles.iter().flatten().copied();
        let Some(first) = middles.next() else { return };
        let last = middles.last().unwrap_or(first);
        let (stroke, reach) = match kind {
            FrameKind::Parallel => (Stroke { width: BAR.width, ..stroke }, 20),
            FrameKind::If | FrameKind::For => (stroke, 0),
        };
        if first - reach < last + reach {
            self.pen.line(&[(first - reach, top), (last + reach, top)], stroke, false);
            self.pen.line(&[(first - reach, bottom), (last + reach, bottom)], stroke, false);
        }
    }

    /// The backward part of a row, if there is something to undo in it.
    fn back(&mut self, row: &Row<'_>, x: i32, y: i32) -> Option<Area> {
        if row.back == 0 {
            return None;
        }
        match &row.content {
            Content::Step { undo, .. } => {
                let area = Area::below(x, y + (row.height - BOX) / 2, row.back, BOX);
                self.pen.area(area, 4, Stroke { width: "1.2", ..BACKWARD }, "0.08");
                self.lines(area, undo, BACK);
                Some(area)
            }
            Content::Frame(frame) => {
                let area = Area::below(x, y, row.back, row.height);
                self.back_frame(frame, area, x);
                Some(area)
            }
        }
    }

    fn back_frame(&mut self, frame: &Frame<'_>, area: Area, x: i32) {
        self.frame(area, frame.back_title, BACK);
        let widths: Vec<i32> = frame.columns.iter().map(|column| column.back).collect();
        let middles = middles(&widths, x);
        let (top, bottom) = (area.y + RAIL, area.bottom() - RAIL_BELOW);
        self.rails(&middles, top, bottom, frame.kind, BACKWARD);
        for (column, x) in frame.columns.iter().zip(&middles) {
            let Some(x) = *x else { continue };
            let mut undone = Vec::new();
            let mut y = area.y + frame.rows_at;
            for row in &column.rows {
                undone.extend(self.back(row, x, y));
                y += row.height + gap_below(row);
            }
            self.way_back(x, &undone, Some(bottom));
            if let Some(first) = undone.first() {
                self.pen.line(&[(x, first.y), (x, top)], BACKWARD, frame.kind == FrameKind::Parallel);
            }
            if frame.kind == FrameKind::For {
                let side = area.right() - 12;
                self.pen.line(&[(x, top + 4), (side, top + 4), (side, bottom), (x, bottom)], BACKWARD, true);
            }
        }
        self.pen.line(&[(x, area.bottom()), (x, bottom)], BACKWARD, false);
    }
}
