//! Draws the sagas of the tests into a folder: `cargo run -p saga-graph --example draw -- FOLDER`.

use std::path::Path;
use std::{env, fs, io};

use saga_graph::{RecordView, Saga};

#[path = "../tests/graph/sagas.rs"]
mod sagas;

/// Names that would end a label early, if they could.
const NASTY: &str = "a\"b'<c>&d`e|f\\g{h}[i](j)#k;%%{l}%%\nend --> style x:#y; é 漢 🦀 \u{0}\u{202e}";

fn main() -> io::Result<()> {
    let folder = env::args().nth(1).ok_or_else(|| io::Error::other("name a folder"))?;
    let folder = Path::new(&folder);
    fs::create_dir_all(folder)?;
    let nasty = nasty();
    let nasty_run: Vec<RecordView<'_>> =
        sagas::TRIP.iter().map(|record| RecordView { step: record.step.map(|_| NASTY), ..*record }).collect();
    draw(folder, "travel", &sagas::travel(), sagas::TRIP)?;
    draw(folder, "every-form", &sagas::every_form(), sagas::ORDER)?;
    draw(folder, "without-a-pivot", &sagas::without_a_pivot(), &[])?;
    draw(folder, "nasty", &nasty, &nasty_run)?;
    let empty = Saga { name: String::new(), inputs: Vec::new(), output: String::new(), body: Vec::new() };
    draw(folder, "empty", &empty, &[])
}

fn draw(folder: &Path, name: &str, saga: &Saga, records: &[RecordView<'_>]) -> io::Result<()> {
    let write = |suffix: &str, text: String| fs::write(folder.join(format!("{name}{suffix}")), text);
    write(".mmd", saga_graph::mermaid(saga))?;
    write(".run.mmd", saga_graph::sequence(saga, records))?;
    write(".dot", saga_graph::dot(saga))?;
    write(".svg", saga_graph::svg(saga))?;
    write(".md", saga_graph::rustdoc(saga))
}

/// Every name, type and text of [`sagas::every_form`] is nasty.
fn nasty() -> Saga {
    let mut saga = sagas::every_form();
    NASTY.clone_into(&mut saga.name);
    NASTY.clone_into(&mut saga.output);
    for field in &mut saga.inputs {
        NASTY.clone_into(&mut field.name);
        NASTY.clone_into(&mut field.ty);
    }
    sagas::rename(&mut saga.body, NASTY);
    saga
}
