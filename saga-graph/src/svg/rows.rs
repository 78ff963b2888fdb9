//! How much room everything takes. A row holds a block's part of both lanes, so that a compensation stands beside
//! what it undoes.

use super::pen::{Face, width};
use crate::saga::{Block, Step, Undo, Zone, for_title};
use crate::text::short;

/// Between rows.
pub(super) const GAP: i32 = 36;
/// Below the pivot, where the point of no return is drawn.
pub(super) const PIVOT_GAP: i32 = 56;
/// Between columns.
const COLUMN_GAP: i32 = 20;
/// Between a frame and what is in it.
const PAD: i32 = 14;
/// From a frame's upper edge to the rail that its columns begin at.
pub(super) const RAIL: i32 = 28;
/// From a frame's last rail to its lower edge.
pub(super) const RAIL_BELOW: i32 = 14;
/// From a rail to the rows.
const RAIL_GAP: i32 = 24;
/// A line of text that labels a column.
const LABEL: i32 = 14;
/// The narrowest column: one that has only a line.
const COLUMN_MIN: i32 = 28;
/// The narrowest box.
const BOX_MIN: i32 = 110;
/// The highest box of two lines.
pub(super) const BOX: i32 = 46;

/// One block.
pub(super) struct Row<'a> {
    pub(super) content: Content<'a>,
    pub(super) height: i32,
    /// The width of the way forward.
    pub(super) forward: i32,
    /// The width of the way back; 0 if there is nothing to undo.
    pub(super) back: i32,
    /// Whether its failing turns the saga.
    pub(super) turns: bool,
}

pub(super) enum Content<'a> {
    Step { step: &'a Step, lines: Vec<String>, undo: Vec<String> },
    Frame(Frame<'a>),
}

/// Columns that are all gone through, or one of them, or one for each item.
pub(super) struct Frame<'a> {
    pub(super) kind: FrameKind,
    /// Whether something in it can be in flight when something else in it fails.
    pub(super) is_concurrent: bool,
    pub(super) title: String,
    pub(super) back_title: &'static str,
    pub(super) columns: Vec<Column<'a>>,
    /// Where the rows begin, from the frame's upper edge.
    pub(super) rows_at: i32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum FrameKind {
    Parallel,
    If,
    For,
}

/// A sequence.
pub(super) struct Column<'a> {
    pub(super) label: String,
    pub(super) rows: Vec<Row<'a>>,
    pub(super) height: i32,
    pub(super) forward: i32,
    pub(super) back: i32,
}

/// `width`, rounded up to an even number.
pub(super) fn even(width: i32) -> i32 {
    width + width % 2
}

/// The rows of a sequence.
pub(super) fn rows(blocks: &[Block]) -> Vec<Row<'_>> {
    blocks.iter().map(row).collect()
}

/// How much room is below a row.
pub(super) fn gap_below(row: &Row<'_>) -> i32 {
    match &row.content {
        Content::Step { step, .. } if step.zone == Zone::Pivot => PIVOT_GAP,
        _ => GAP,
    }
}

fn row(block: &Block) -> Row<'_> {
    match block {
        Block::Step(step) => step_row(step),
        Block::Parallel(branches) => {
            let columns = branches.iter().map(|branch| column(String::new(), branch)).collect();
            let title = "parallel: at the same time".to_owned();
            frame_row(block, FrameKind::Parallel, title, "each branch", columns)
        }
        Block::If(arms) => {
            let label = |condition: &Option<String>| match condition {
                Some(condition) => short(condition, 30),
                None => "else".to_owned(),
            };
            let columns = arms.iter().map(|arm| column(label(&arm.condition), &arm.body)).collect();
            frame_row(block, FrameKind::If, "if".to_owned(), "the arm taken", columns)
        }
        Block::For { item, items, limit, body } => {
            let title = short(&for_title(item, items, *limit), 48);
            let back_title = if *limit > 1 { "each item" } else { "each item, latest first" };
            frame_row(block, FrameKind::For, title, back_title, vec![column(String::new(), body)])
        }
    }
}

fn step_row(step: &Step) -> Row<'_> {
    let note = match step.zone {
        _ if step.otherwise => "else a value",
        Zone::Pivot => "in doubt: settled first",
        Zone::Retriable if step.can_fail() => "tried until done",
        Zone::Compensatable if step.undo == Undo::Nothing => "harmless: never undone",
        Zone::Compensatable | Zone::Retriable => "",
    };
    let mut lines = vec![short(&step.title(), 30), short(&step.detail(), 34), note.to_owned()];
    lines.retain(|line| !line.is_empty() && line != "()");
    let undo = if step.is_undone() {
        let how = match step.undo {
            Undo::ByKey => "by its key",
            Undo::ByOutput => "with its output",
            Undo::None | Undo::Nothing => "by its own compensations",
        };
        vec![short(&format!("compensate {}", step.name), 34), how.to_owned()]
    } else {
        Vec::new()
    };
    Row {
        height: BOX + 14 * i32::try_from(lines.len().saturating_sub(2)).unwrap_or_default(),
        forward: box_width(&lines),
        back: if undo.is_empty() { 0 } else { box_width(&undo) },
        turns: step.turns(),
        content: Content::Step { step, lines, undo },
    }
}

fn box_width(lines: &[String]) -> i32 {
    let widths =
        lines.iter().enumerate().map(|(i, line)| width(line, if i == 0 { Face::Name } else { Face::Small }));
    even((widths.max().unwrap_or_default() + 24).max(BOX_MIN))
}

fn column(label: String, blocks: &[Block]) -> Column<'_> {
    let rows = rows(blocks);
    let gaps: i32 = rows.iter().rev().skip(1).map(gap_below).sum();
    let label_width = width(&label, Face::Small) + 8;
    Column {
        height: rows.iter().map(|row| row.height).sum::<i32>() + gaps,
        forward: rows.iter().map(|row| row.forward).fold(COLUMN_MIN.max(even(label_width)), i32::max),
        back: rows.iter().map(|row| row.back).fold(0, i32::max),
        label,
        rows,
    }
}

fn frame_row<'a>(
    block: &'a Block,
    kind: FrameKind,
    title: String,
    back_title: &'static str,
    columns: Vec<Column<'a>>,
) -> Row<'a> {
    let label = if columns.iter().any(|column| !column.label.is_empty()) { LABEL } else { 0 };
    let rows_at = RAIL + label + RAIL_GAP;
    let highest = columns.iter().map(|column| column.height).fold(0, i32::max);
    // At the side of a `for` runs the line to the next item.
    let side = if kind == FrameKind::For { 2 * PAD } else { 0 };
    let forward = total(columns.iter().map(|column| column.forward)) + 2 * PAD + side;
    let back = total(columns.iter().map(|column| column.back)) + 2 * PAD + side;
    let has_undo = columns.iter().any(|column| column.back > 0);
    let title_width = |title: &str| width(title, Face::Title) + PAD;
    Row {
        height: rows_at + highest + RAIL_GAP + RAIL_BELOW,
        forward: forward.max(even(title_width(&title))),
        back: if has_undo { back.max(even(title_width(back_title))) } else { 0 },
        turns: block.steps().iter().any(|step| step.turns()),
        content: Content::Frame(Frame {
            kind,
            is_concurrent: is_concurrent(block),
            title,
            back_title,
            columns,
            rows_at,
        }),
    }
}

fn is_concurrent(block: &Block) -> bool {
    let any = |blocks: &[Block]| blocks.iter().any(is_concurrent);
    match block {
        Block::Step(_) => false,
        Block::Parallel(_) => true,
        Block::If(arms) => arms.iter().any(|arm| any(&arm.body)),
        Block::For { limit, body, .. } => *limit > 1 || any(body),
    }
}

/// The width of columns side by side; one that is empty is left out.
pub(super) fn total(widths: impl Iterator<Item = i32>) -> i32 {
    let sum: i32 = widths.filter(|width| *width > 0).map(|width| width + COLUMN_GAP).sum();
    (sum - COLUMN_GAP).max(0)
}

/// The middle of each column, if their row of columns has its middle at `x`; `None` for one that is left out.
pub(super) fn middles(widths: &[i32], x: i32) -> Vec<Option<i32>> {
    let mut left = x - total(widths.iter().copied()) / 2;
    let mut middles = Vec::new();
    for &width in widths {
        if width > 0 {
            middles.push(Some(left + width / 2));
            left += width + COLUMN_GAP;
        } else {
            middles.push(None);
        }
    }
    middles
}
