//! Why the compiler says so: the rules of the language, family by family, each with its message, its reason and its mend.
//!
//! | family | what it is about |
//! | --- | --- |
//! | [names] | what can be used where, and what may be called what |
//! | [compensation] | which steps have one, and the point of no return |
//! | [doubt] | lost replies that nobody could clear up |
//! | [blocks] | `parallel`, `if`, `for`, and expressions in them |
//! | [clauses] | which clause stands where |
//! | [times] | durations, retries, waits |
//! | [locks] | what can be locked, and when |
//! | [children] | sagas that others begin |
//! | [types] | what rustc says of types and data |
//! | [syntax] | how things are written |
//!
//! All mistakes of a declaration are reported at once, each at its own word. The message says what is wrong; the `help`
//! lines below it say how to mend it, each line another way. The messages are those of the cases in `tests/ui/fail`, which
//! stand there as whole programs under the names that the messages show. A test compares them with this page.
//!
//! A mend is what stands in the saga afterwards. It compiles as it is shown, with
//! `saga Book(trip: Trip) { with flights: Flights, hotels: Hotels; … }` around it where no saga is shown.

chapters! {
    /// What can be used where, and what may be called what.
    names, "names.md";
    /// Which steps have a compensation, and the point of no return.
    compensation, "compensation.md";
    /// Lost replies that nobody could clear up.
    doubt, "doubt.md";
    /// `parallel`, `if`, `for`, and expressions in them.
    blocks, "blocks.md";
    /// Which clause stands where.
    clauses, "clauses.md";
    /// Durations, retries, waits.
    times, "times.md";
    /// What can be locked, and when.
    locks, "locks.md";
    /// Sagas that others begin.
    children, "children.md";
    /// What rustc says of types and data.
    types, "types.md";
    /// How things are written.
    syntax, "syntax.md";
}
