//! What every program prints.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{CellAlignment, LineStyle, Table, TableStyle};
use saga_runtime::coordinator::{Recovery, Unclaimed};

use crate::audit::{AuditReport, Total};
use crate::ending::Ending;
use crate::money::Cents;
use crate::service::kind::ServiceKind;

/// Lines above, below and under the header only.
const STYLE: TableStyle = UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none());

/// A table with lines above, below and under this header only.
pub fn horizontal_lines<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(STYLE).set_header(header);
    table
}

/// What a coordinator found in its log, as far as there is anything to say: the sagas that had not ended, and children of
/// theirs, which go without saying.
pub(super) fn recovery_lines(subject: &str, mut unfinished: Vec<&str>, recovery: &Recovery) -> Vec<String> {
    let mut lines = Vec::new();
    let stands_still = |saga: &str| {
        recovery.unclaimed.iter().any(|unclaimed| unclaimed.id.as_str() == saga)
            || recovery.quarantined.iter().any(|(id, _)| id == saga)
    };
    unfinished.retain(|saga| !stands_still(saga));
    match unfinished.len() {
        0 => {}
        1 => lines.push(format!("resumed 1 {subject} that had not ended")),
        count => lines.push(format!("resumed {count} {subject}s that had not ended")),
    }
    for Unclaimed { id, definition, fingerprint, registered } in &recovery.unclaimed {
        let why = if registered.is_empty() {
            "this program has no such saga".to_owned()
        } else {
            let known = registered.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            format!("here it has the form {known}: the program that began it can end it")
        };
        lines.push(format!("left alone: saga {id} is a `{definition}` of the form {fingerprint}, and {why}"));
    }
    let quarantined = recovery.quarantined.iter();
    lines.extend(quarantined.map(|(id, cause)| format!("quarantined: saga {id}: {cause}")));
    lines
}

/// The sagas that something is held for, that stand in no line of the table, and that have not ended.
pub(super) fn others_lines<O>(shown: &BTreeSet<&str>, endings: &BTreeMap<String, Ending<O>>) -> Vec<String> {
    let others = endings.iter().filter(|(saga, ending)| !ending.is_end() && !shown.contains(saga.as_str()));
    others.map(|(saga, ending)| format!("saga {saga} is {ending}")).collect()
}

/// The audit's sums, and what does not add up.
pub(super) fn audit_text<K: ServiceKind>(report: &AuditReport<K>) -> String {
    let subject = K::SUBJECT;
    let mut table =
        horizontal_lines(["audit", "initial", "left", "held", &format!("owned by completed {subject}s")]);
    for total in &report.totals {
        table.add_row(numbers(total));
        for made in &total.made {
            let (name, held, owned) =
                (format!("{}s", made.what), made.held.to_string(), made.owned.to_string());
            table.add_row([name, String::new(), String::new(), held, owned]);
        }
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let mut text = table.to_string();
    if report.is_clean() {
        let passed = format!(
            "\naudit passed: what the services hold is what the completed {subject}s own, to the unit"
        );
        return text + &passed;
    }
    let count = report.discrepancies.len();
    // Writing to a string cannot fail.
    let _ = if report.is_unfinished() {
        write!(text, "\naudit OPEN, {count} are held for {subject}s that have not ended:")
    } else {
        write!(text, "\naudit FAILED, {count} do not add up:")
    };
    for discrepancy in &report.discrepancies {
        let _ = write!(text, "\n  {discrepancy}");
    }
    text
}

fn numbers<K: ServiceKind>(total: &Total<K>) -> [String; 5] {
    let show = |number: i64| {
        if total.service.counts_money() { Cents(number).to_string() } else { number.to_string() }
    };
    let name = total.service.unit().to_owned();
    [name, show(total.initial), show(total.remaining), show(total.held), show(total.owned)]
}
