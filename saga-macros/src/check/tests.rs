//! The mistakes that a saga which parses can still hold.

#![allow(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]
#![allow(clippy::needless_pass_by_value, reason = "an `Expect` is made for one check")]

use std::fmt::Write;

use expect_test::{Expect, expect};

use super::{calls, check, settle_names, values};
use crate::model::resolve;
use crate::parse::parse;

/// Checks the statements of a saga; compares the errors, then the calls that rustc is not shown.
#[track_caller]
fn mistakes(body: &str, expected: Expect) {
    let text = format!("saga Trip(trip: Order) {{ with flights: Flights, hotels: Hotels; {body} }}");
    mistakes_of_saga(&text, expected);
}

#[track_caller]
fn mistakes_of_saga(text: &str, expected: Expect) {
    let (mut sagas, mut report) = parse(text.parse().unwrap());
    settle_names(&mut sagas, &mut report);
    let mut refused = String::new();
    for saga in &sagas {
        let model = resolve(saga);
        check(&model, &mut report);
        let calls = model.steps.iter().flat_map(|step| calls(&step.ast).map(|(_, call)| call));
        for call in calls.chain(values(saga)).chain(&saga.returns).filter(|call| call.is_refused()) {
            writeln!(refused, "refused: {}", call.tokens).unwrap();
        }
    }
    expected.assert_eq(&(report.into_text() + &refused));
}

#[test]
fn a_saga_without_mistakes() {
    mistakes(
        "step flight: F = flights.reserve(cx, trip) compensate flights.cancel(cx, flight);step hotel: H = hotels.reserve(cx, trip, flight) compensate hotels.cancel(cx, hotel); pivot paid: P = flights.pay(cx, flight); step voucher: V = flights.voucher(cx, paid); read info: I = hotels.info(cx);",
        expect![[""]],
    );
    mistakes(
        "step flight: F = flights.reserve(cx, trip) compensate flights.cancel(cx, flight); step last: L = flights.last(cx);",
        expect![[""]],
    );
    mistakes(
        "parallel { step flight: F = flights.reserve(cx, trip) compensate flights.cancel(cx, flight); step b: B = hotels.b(cx) compensate nothing; }",
        expect![[""]],
    );
}

#[test]
fn the_output_of_a_later_step() {
    mistakes(
        "step hotel: H = hotels.reserve(cx, trip, flight) compensate hotels.cancel(cx, hotel);step flight: F = flights.reserve(cx, trip) compensate flights.cancel(cx, flight);",
        expect![[r#"
        at `flight`: `flight` is the output of a later step: here only `trip` can be used
        help: move step `flight` before step `hotel`
        refused: hotels . reserve (cx , trip , flight)
    "#]],
    );
    mistakes(
        "step a: A = flights.a(cx, trip, b) probe flights.find(b) compensate flights.b(b, a); step b: B = flights.b(cx) keyed;",
        expect![[r#"
        at `b`: `b` is the output of a later step: here only `trip` can be used
        help: move step `b` before step `a`
        refused: flights . a (cx , trip , b)
        refused: flights . find (b)
        refused: flights . b (b , a)
    "#]],
    );
}

#[test]
fn the_output_of_a_sibling_branch() {
    mistakes(
        "parallel { step a: A = flights.a(cx) compensate nothing; step b: B = hotels.b(cx, a) compensate nothing; }",
        expect![[r#"
        at `a`: `a` is the output of a sibling branch: here only `trip` can be used
        help: put both steps into one branch `{ … }`, `a` first, or this one behind the `parallel`
        refused: hotels . b (cx , a)
    "#]],
    );
    mistakes(
        "parallel { step a: A = flights.a(cx, b) compensate nothing; { step b: B = hotels.b(cx) compensate nothing; step c: C = hotels.c(cx, b) compensate nothing; } } step d: D = flights.d(cx, a, b, c);",
        expect![[r#"
        at `b`: `b` is the output of a sibling branch: here only `trip` can be used
        help: put both steps into one branch `{ … }`, `b` first, or this one behind the `parallel`
        refused: flights . a (cx , b)
    "#]],
    );
}

#[test]
fn the_own_output() {
    mistakes(
        "step a: A = flights.a(cx, a) probe flights.find(cx, a) compensate flights.b(cx, a);",
        expect![[r#"
        at `a`: `a` is the output of this very step: here only `trip` can be used
        help: only its compensation can use it: this call runs when `a` does not exist yet
        refused: flights . a (cx , a)
        refused: flights . find (cx , a)
    "#]],
    );
}

#[test]
fn an_output_in_a_format_string() {
    mistakes(
        r#"step a: A = flights.a(cx, format!("{b:?}")) compensate nothing; step b: B = hotels.b(cx);"#,
        expect![[r#"
        at `"{b:?}"`: `b` is the output of a later step: here only `trip` can be used
        help: move step `b` before step `a`
        refused: flights . a (cx , format ! ("{b:?}"))
    "#]],
    );
}

#[test]
fn names_that_are_no_outputs() {
    mistakes(
        "step a: A = flights.b(trip.b, b::new(), X { b: 1 }, |b| b + 1, b(cx)) compensate nothing; step b: B = hotels.b(cx);",
        expect![[""]],
    );
}

#[test]
fn no_output_exists_yet() {
    mistakes_of_saga(
        "saga A() { with p: P; step a: A = p.a(cx, b) compensate nothing; step b: B = p.b(cx); }",
        expect![[r#"
        at `b`: `b` is the output of a later step: here no output exists yet
        help: move step `b` before step `a`
        refused: p . a (cx , b)
    "#]],
    );
}

#[test]
fn no_compensation() {
    mistakes(
        "step a: A = flights.a(cx); step b: B = flights.b(cx) compensate nothing;",
        expect![[r#"
        at `a`: step `a` has no compensation
        help: add `compensate <call>`, which undoes it
        help: add `compensate nothing` if its effect is harmless
        help: write `pivot a: …` if it is the point of no return
    "#]],
    );
    mistakes(
        "step a: A = flights.a(cx); pivot b: B = flights.b(cx);",
        expect![[r#"
        at `a`: step `a` has no compensation
        help: add `compensate <call>`, which undoes it
        help: add `compensate nothing` if its effect is harmless
    "#]],
    );
    mistakes(
        "parallel { step a: A = flights.a(cx); step b: B = flights.b(cx); }",
        expect![[r#"
        at `a`: step `a` has no compensation
        help: add `compensate <call>`, which undoes it
        help: add `compensate nothing` if its effect is harmless
        at `b`: step `b` has no compensation
        help: add `compensate <call>`, which undoes it
        help: add `compensate nothing` if its effect is harmless
    "#]],
    );
}

#[test]
fn a_compensation_after_the_pivot() {
    mistakes(
        "pivot p: P = flights.pay(cx); step flight: F = flights.reserve(cx, trip) compensate flights.cancel(cx, flight);",
        expect![[r#"
        at `compensate`: step `flight` can never be compensated: it comes after the pivot `p`
        help: remove `compensate`: after the pivot a step is retried until it is done
        help: or move step `flight` before the pivot
        refused: flights . cancel (cx , flight)
    "#]],
    );
    mistakes(
        "pivot p: P = flights.pay(cx); parallel { step flight: F = flights.reserve(cx, trip) compensate flights.cancel(cx, flight); }",
        expect![[r#"
        at `compensate`: step `flight` can never be compensated: it comes after the pivot `p`
        help: remove `compensate`: after the pivot a step is retried until it is done
        help: or move step `flight` before the pivot
        refused: flights . cancel (cx , flight)
    "#]],
    );
}

#[test]
fn a_compensation_of_the_pivot() {
    mistakes(
        "pivot p: P = flights.pay(cx) compensate flights.refund(cx);",
        expect![[r#"
        at `compensate`: the pivot `p` can never be compensated: it is the point of no return
        help: remove `compensate`, or write `step` instead of `pivot`
        refused: flights . refund (cx)
    "#]],
    );
}

#[test]
fn two_pivots() {
    mistakes(
        "pivot p: P = flights.pay(cx); pivot q: Q = flights.pay(cx);",
        expect![[r#"
        at `q`: a saga has only one pivot: `p` is it already
        help: write `step q: …`: after the pivot a step is retried until it is done
    "#]],
    );
}

#[test]
fn a_pivot_in_parallel() {
    mistakes(
        "parallel { pivot p: P = flights.pay(cx); step a: A = flights.a(cx) compensate nothing; }",
        expect![[r#"
        at `p`: the pivot `p` stands in `parallel`: its sibling branches could still fail
        help: move it behind the `parallel`, or write `step` instead of `pivot`
    "#]],
    );
}

#[test]
fn a_doubt_that_nobody_could_settle() {
    mistakes(
        "step a: A = reserve(cx) compensate cancel(cx, a); step b: B = last(cx);",
        expect![[r#"
        at `a`: nobody could settle a doubt about `a`, should its call get no answer
        help: add `keyed` if the call answers the same to the same key, with one effect
        help: add `probe <call>`, which finds out whether it was done
        help: write a compensation that does not mention `a`, but undoes by `cx.action_key()`
        at `b`: nobody could settle a doubt about `b`, should its call get no answer
        help: add `keyed` if the call answers the same to the same key, with one effect
        help: add `probe <call>`, which finds out whether it was done
    "#]],
    );
    mistakes(
        "pivot a: A = pay(cx); step b: B = ship(cx);",
        expect![[r#"
        at `a`: nobody could settle a doubt about `a`, should its call get no answer
        help: add `keyed` if the call answers the same to the same key, with one effect
        help: add `probe <call>`, which finds out whether it was done
        at `b`: nobody could settle a doubt about `b`, should its call get no answer
        help: add `keyed` if the call answers the same to the same key, with one effect
        help: add `probe <call>`, which finds out whether it was done
    "#]],
    );
}

#[test]
fn doubts_that_are_settled() {
    mistakes(
        "step a: A = reserve(cx) keyed compensate cancel(cx, a); step b: B = reserve(cx) probe find(cx) compensate cancel(cx, b); step c: C = reserve(cx) compensate cancel(cx); step d: D = reserve(cx) compensate nothing; step e: E = last(cx) keyed;",
        expect![[""]],
    );
}

#[test]
fn an_await() {
    mistakes(
        "step a: A = flights.a(cx).await compensate flights.b(cx, a).await?; pivot b: B = async move { flights.b(cx).await }.await;",
        expect![[r#"
        at `await`: write the call without `.await`: the engine awaits it, and retries it
        help: several calls in one go are written in an `async` block, or better in a function of yours
        at `await`: write the call without `.await`: the engine awaits it, and retries it
        help: several calls in one go are written in an `async` block, or better in a function of yours
        at `await`: write the call without `.await`: the engine awaits it, and retries it
        help: several calls in one go are written in an `async` block, or better in a function of yours
        refused: flights . a (cx) . await
        refused: flights . b (cx , a) . await ?
        refused: async move { flights . b (cx) . await } . await
    "#]],
    );
    mistakes(
        "step a: A = async { flights.a(cx).await } compensate nothing; return a.b().await;",
        expect![[r#"
        at `await`: `return` builds the output from what is there: it cannot wait
        help: do it in a step, or in a `read`, and use its output here
        refused: a . b () . await
    "#]],
    );
}

#[test]
fn clauses_that_a_read_cannot_have() {
    mistakes(
        "read a: A = flights.a(cx) keyed probe flights.b(cx) compensate flights.c(cx);",
        expect![[r#"
        at `keyed`: `a` is a `read`: it has no effect that a key could guard
        help: remove `keyed`, or write `step`
        at `probe`: `a` is a `read`: it is made again, not probed
        help: remove `probe`, or write `step`
        at `compensate`: `a` is a `read`: it has no effect to compensate
        help: remove `compensate`, or write `step`
        refused: flights . b (cx)
        refused: flights . c (cx)
    "#]],
    );
}

#[test]
fn no_return() {
    mistakes_of_saga(
        "saga A() -> Out<X> { with p: P; step a: A = p.a(cx); }",
        expect![[r#"
        at `}`: saga `A` has an output, but no `return`
        help: end it with `return <expression>;`, which builds the output
    "#]],
    );
}

#[test]
fn no_step() {
    mistakes_of_saga(
        "saga A() {}",
        expect![[r#"
        at `A`: saga `A` has no step
        help: write `step name: Type = participant.method(cx, …);`
    "#]],
    );
    mistakes_of_saga(
        "saga A(x: X) -> X { return x; }",
        expect![[r#"
        at `A`: saga `A` has no step
        help: write `step name: Type = participant.method(cx, …);`
    "#]],
    );
}

#[test]
fn one_mistake_is_one_error() {
    mistakes(
        "step a: A = flights.; step b: B = hotels.b(cx, a) compensate nothing;",
        expect![[r#"
        at `.`: this expression is not complete: found `;` after it
        refused: flights .
    "#]],
    );
    mistakes(
        "step a = flights.a(cx); step b: B = hotels.b(cx, a) compensate hotels.c(cx, b);",
        expect![[r#"
            at `a`: step `a` has no type
            help: write `step a: Type = participant.method(cx, …);`
            refused: flights . a (cx)
            refused: hotels . b (cx , a)
        "#]],
    );
}

/// A condition's name that looks like an output is not a misspelt output.
#[test]
fn a_name_of_a_condition_that_looks_like_an_output() {
    let text = "saga Trip(order: Order) { with flights: Flights;
        if let Some(bag) = order.first() {
            step bags: B = flights.load(cx, bag) compensate flights.unload(cx, bag);
        }
    }";
    let (sagas, report) = parse(text.parse().unwrap());
    let model = resolve(&sagas[0]);
    let bags = model.steps.iter().find(|step| step.ast.name == "bags").unwrap();
    assert!(!bags.is_compensated_by_output());
    assert!(bags.must_be_keyed.is_empty());
    assert_eq!(report.into_text(), "");
}

#[test]
fn who_has_to_be_keyed() {
    let text = "saga Trip(trip: Order) { with flights: Flights, hotels: Hotels;
        step a: A = hotels.reserve(cx, flights) compensate hotels.cancel(cx, a);
        step b: B = hotels.reserve(cx) compensate hotels.cancel(cx);
        step c: C = hotels.reserve(cx) keyed compensate hotels.cancel(cx, c);
        read d: D = hotels.info(cx);
        pivot e: E = hotels.pay(cx);
        step f: F = flights.ship(cx);
        step g: G = elsewhere.ship(cx);
    }";
    let (sagas, mut report) = parse(text.parse().unwrap());
    let model = resolve(&sagas[0]);
    check(&model, &mut report);
    let keyed = model.steps.iter().map(|step| &step.must_be_keyed[..]).collect::<Vec<_>>();
    assert_eq!(keyed, [&["hotels", "flights"][..], &[], &[], &[], &["hotels"], &["flights"], &["elsewhere"]]);
    assert_eq!(report.into_text(), "");
}

#[test]
fn a_name_that_a_pattern_binds_is_no_slip_for_the_output() {
    let text = "saga Trip(trip: Order, given: Option<B>) { with flights: Flights;
        if let Some(flight1) = given {
            step flight2: F = flights.reserve(cx) compensate flights.cancel(cx, flight1, trip.flight3);
        }
    }";
    let (sagas, mut report) = parse(text.parse().unwrap());
    let model = resolve(&sagas[0]);
    check(&model, &mut report);
    assert!(model.steps.iter().all(|step| step.must_be_keyed.is_empty()));
    assert_eq!(report.into_text(), "");
}

#[test]
fn clauses_of_other_kinds() {
    mistakes(
        "receive a: A within 5s keyed probe flights.a(cx) compensate flights.b(cx); pivot b: B = flights.b(cx);",
        expect![[r#"
            at `keyed`: `a` is a `receive`: it calls nobody
            help: remove `keyed`
            at `probe`: `a` is a `receive`: it calls nobody
            help: remove `probe`
            at `compensate`: `a` is a `receive`: it has no effect to compensate
            help: remove `compensate`
            refused: flights . a (cx)
            refused: flights . b (cx)
        "#]],
    );
    mistakes(
        "local a: A = flights.a(tx) keyed probe flights.a(cx) compensate flights.b(tx, a); pivot b: B = flights.b(cx);",
        expect![[r#"
            at `keyed`: `a` is a `local`: it is done exactly once without a key
            help: remove `keyed`, or write `step`
            at `probe`: `a` is a `local`: it is never in doubt
            help: remove `probe`, or write `step`
            refused: flights . a (cx)
        "#]],
    );
    mistakes(
        "saga a: A = Other(trip) keyed probe flights.a(cx) compensate flights.b(cx); pivot b: B = flights.b(cx);",
        expect![[r#"
            at `keyed`: `a` is a `saga`: it is begun exactly once without a key
            help: remove `keyed`
            at `probe`: `a` is a `saga`: it is never in doubt
            help: remove `probe`
            at `compensate`: `a` is a `saga`: it compensates its own steps
            help: remove `compensate`
            refused: flights . a (cx)
            refused: flights . b (cx)
        "#]],
    );
    mistakes(
        "local a: A = flights.a(tx); pivot b: B = flights.b(cx); local c: C = flights.c(tx) compensate flights.d(tx);",
        expect![[r#"
            at `a`: step `a` has no compensation
            help: add `compensate <call>`, which undoes it
            help: add `compensate nothing` if its effect is harmless
            at `compensate`: step `c` can never be compensated: it comes after the pivot `b`
            help: remove `compensate`: after the pivot a step is retried until it is done
            help: or move step `c` before the pivot
            refused: flights . d (tx)
        "#]],
    );
    mistakes(
        "step a: A = flights.a(cx) compensate nothing; local c: C = flights.c(tx) compensate flights.d(tx);",
        expect![""],
    );
}

#[test]
fn an_else_that_cannot_be() {
    mistakes(
        "step a: A = flights.a(cx) compensate flights.b(cx) else x(); read b: B = flights.b(cx) else y(); pivot c: C = flights.c(cx) else z(); step d: D = flights.d(cx) else v(); local e: E = flights.e(tx) else w();",
        expect![[r#"
            at `else`: step `a` has no `else`: before the pivot the saga compensates if it is refused
            help: remove `else`, or move step `a` behind the pivot
            at `else`: the pivot `c` has no `else`: done or not, it decides about the saga
            help: remove `else`
            refused: x ()
            refused: z ()
        "#]],
    );
    mistakes(
        "step a: A = flights.a(cx) else x();",
        expect![[r#"
        at `else`: the pivot `a` has no `else`: done or not, it decides about the saga
        help: remove `else`
        refused: x ()
    "#]],
    );
    mistakes(
        "read a: A = flights.a(cx) else b; step b: B = flights.b(cx);",
        expect![[r#"
        at `b`: `b` is the output of a later step: here only `trip` can be used
        help: move step `b` before step `a`
        refused: b
    "#]],
    );
}

#[test]
fn events_that_never_happen() {
    mistakes(
        "step a: A = flights.a(cx) compensate flights.b(cx) events A, B, C; read b: B = flights.b(cx) events D, E, F; step c: C = flights.c(cx) compensate nothing events G, H, I; pivot d: D = flights.c(cx) events J, K, L; step e: E = flights.d(cx) events M, N, O; step f: F = flights.f(cx) events P, Q;",
        expect![[r#"
            at `F`: event `F` never happens: `b` is never compensated
            help: remove it: the third event of a step says that it was compensated
            at `I`: event `I` never happens: `c` is never compensated
            help: remove it: the third event of a step says that it was compensated
            at `L`: event `L` never happens: `d` is never compensated
            help: remove it: the third event of a step says that it was compensated
            at `O`: event `O` never happens: `e` is never compensated
            help: remove it: the third event of a step says that it was compensated
        "#]],
    );
}

#[test]
fn an_await_where_nothing_waits() {
    mistakes(
        "deadline at (a().await); lock trip.id, b().await; read x: X = flights.x(cx) else c().await; local y: Y = flights.y(tx).await compensate nothing; sleep until (d().await); if let Some(x) = e().await { for z: Z in f().await { parallel { if g().await { sleep until (h().await); } if async { i().await } { sleep 5s; } } } } else { sleep until (j().await); } pivot p: P = flights.p(cx); saga s: S = Other(k().await);",
        expect![[r#"
            at `await`: this is evaluated at once by the coordinator: it cannot wait
            help: wait in a step or in a `read` before it, and use its output here
            at `await`: a `local` runs in the transaction of its record: it cannot wait
            help: wait in a step or in a `read` before it, and use its output here
            at `await`: this is evaluated at once by the coordinator: it cannot wait
            help: wait in a step or in a `read` before it, and use its output here
            at `await`: this is evaluated at once by the coordinator: it cannot wait
            help: wait in a step or in a `read` before it, and use its output here
            at `await`: this is evaluated at once by the coordinator: it cannot wait
            help: wait in a step or in a `read` before it, and use its output here
            at `await`: this is evaluated at once by the coordinator: it cannot wait
            help: wait in a step or in a `read` before it, and use its output here
            at `await`: this is evaluated at once by the coordinator: it cannot wait
            help: wait in a step or in a `read` before it, and use its output here
            at `await`: this is evaluated at once by the coordinator: it cannot wait
            help: wait in a step or in a `read` before it, and use its output here
            at `await`: this is evaluated at once by the coordinator: it cannot wait
            help: wait in a step or in a `read` before it, and use its output here
            at `await`: this is evaluated at once by the coordinator: it cannot wait
            help: wait in a step or in a `read` before it, and use its output here
            at `await`: this is evaluated at once by the coordinator: it cannot wait
            help: wait in a step or in a `read` before it, and use its output here
            refused: c () . await
            refused: flights . y (tx) . await
            refused: d () . await
            refused: if let Some (x) = e () . await { 0 } else { 1 }
            refused: f () . await
            refused: if g () . await { 0 } else { 1 }
            refused: h () . await
            refused: j () . await
            refused: Other (k () . await)
            refused: a () . await
            refused: b () . await
        "#]],
    );
}

#[test]
fn values_that_mention_what_is_wrong() {
    mistakes(
        "deadline at (a); lock a, trip; step a = flights.a(cx); if a { sleep until (a.b); } for x in xs { for y: Y in x { sleep 5s; } } step b: B = flights.b(cx, a) compensate nothing;",
        expect![[r#"
            at `a`: step `a` has no type
            help: write `step a: Type = participant.method(cx, …);`
            at `x`: item `x` has no type
            help: write `for x: Type in items { … }`
            refused: a , trip
            refused: flights . a (cx)
            refused: if a { 0 } else { 1 }
            refused: a . b
            refused: xs
            refused: x
            refused: flights . b (cx , a)
            refused: a
            refused: a
        "#]],
    );
}
