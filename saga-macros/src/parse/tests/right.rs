//! What is right.

use expect_test::expect;

use super::{check, check_saga};

#[test]
fn every_clause_in_any_order() {
    check(
        "step flight: Flight = flights.reserve(cx, trip) timeout 5s retry 5 times every 100ms..10s probe flights.find(cx) keyed compensate flights.cancel(cx, flight);",
        expect![[r#"
        Step flight: Flight = flights . reserve (cx , trip) | timeout 5000ms | retry Some(5) 100ms..10000ms | keyed | probe flights . find (cx) | compensate flights . cancel (cx , flight)
    "#]],
    );
    check(
        "step flight: Flight = flights.reserve(cx, trip) compensate flights.cancel(cx, flight) keyed probe flights.find(cx) retry never timeout (limit());",
        expect![[r#"
        Step flight: Flight = flights . reserve (cx , trip) | timeout (limit ()) | retry never | keyed | probe flights . find (cx) | compensate flights . cancel (cx , flight)
    "#]],
    );
}

#[test]
fn defaults_and_return() {
    check(
        "timeout 1h30m; retry forever every 1.5s..(cap); step a: A = f(); return Trip { a };",
        expect![[r#"
        Step a: A = f ()
         | timeout 5400000ms | retry None 1500ms..(cap)return Trip { a }
    "#]],
    );
    check(
        "return x",
        expect![[r#"
        return x
    "#]],
    );
}

#[test]
fn waits_that_are_not_said() {
    check(
        "step a: A = f() retry forever;",
        expect![[r#"
        Step a: A = f () | retry None 100ms..10000ms
    "#]],
    );
    check(
        "step a: A = f() retry 3 times;",
        expect![[r#"
        Step a: A = f () | retry Some(3) 100ms..10000ms
    "#]],
    );
}

#[test]
fn compensations_have_policies() {
    check(
        "step a: A = f() compensate flights.cancel(cx, a) { timeout 3s, retry forever every 1s..1h };",
        expect![[r#"
        Step a: A = f () | compensate flights . cancel (cx , a) | its timeout 3000ms | its retry None 1000ms..3600000ms
    "#]],
    );
    check(
        "step a: A = f() compensate flights.cancel(cx, a)? { timeout 3s retry never };",
        expect![[r#"
        Step a: A = f () | compensate flights . cancel (cx , a) ? | its timeout 3000ms | its retry never
    "#]],
    );
    check(
        "step a: A = f() compensate nothing keyed;",
        expect![[r#"
        Step a: A = f () | keyed | compensate nothing
    "#]],
    );
    check(
        "step a: A = f() compensate Cancel { timeout: 3 };",
        expect![[r#"
        Step a: A = f () | compensate Cancel { timeout : 3 }
    "#]],
    );
    check(
        "step a: A = f() compensate async move { a };",
        expect![[r#"
        Step a: A = f () | compensate async move { a }
    "#]],
    );
}

#[test]
fn parallel_branches_nest() {
    check(
        "parallel { step a: A = f(); { read b: B = g(); parallel { step c: C = h(); step d: D = i(); } } } pivot e: E = j();",
        expect![[r#"
        branch
          Step a: A = f ()
        branch
          Read b: B = g ()
          branch
            Step c: C = h ()
          branch
            Step d: D = i ()
        Pivot e: E = j ()
    "#]],
    );
}

#[test]
fn clause_words_in_calls() {
    check(
        "step a: A = events.publish();",
        expect![[r#"
        Step a: A = events . publish ()
    "#]],
    );
    check(
        "step a: A = flights.timeout(5) timeout 5s;",
        expect![[r#"
        Step a: A = flights . timeout (5) | timeout 5000ms
    "#]],
    );
    check(
        "step a: A = a + limit;",
        expect![[r#"
        Step a: A = a + limit
    "#]],
    );
    check(
        "step a: A = retry.reserve() retry never;",
        expect![[r#"
        Step a: A = retry . reserve () | retry never
    "#]],
    );
    check(
        "step a: A = keyed.probe(compensate, timeout).retry keyed;",
        expect![[r#"
        Step a: A = keyed . probe (compensate , timeout) . retry | keyed
    "#]],
    );
    check(
        "step a: A = step.read(pivot) keyed;",
        expect![[r#"
        Step a: A = step . read (pivot) | keyed
    "#]],
    );
    check(
        "step a: A = timeout as u64 keyed;",
        expect![[r#"
        Step a: A = timeout as u64 | keyed
    "#]],
    );
}

#[test]
fn calls_are_any_expression() {
    check(
        "step a: A = if x { f() } else { g() } keyed;",
        expect![[r#"
        Step a: A = if x { f () } else { g () } | keyed
    "#]],
    );
    check(
        "step a: A = match x { _ => f() }.await? keyed;",
        expect![[r#"
        Step a: A = match x { _ => f () } . await ? | keyed
    "#]],
    );
    check(
        "step a: A = async move { f(); g() } keyed;",
        expect![[r#"
        Step a: A = async move { f () ; g () } | keyed
    "#]],
    );
    check(
        "step a: A = |x| x + 1 keyed;",
        expect![[r#"
        Step a: A = | x | x + 1 | keyed
    "#]],
    );
    check(
        "step a: A = &mut x[1..2] keyed;",
        expect![[r#"
        Step a: A = & mut x [1 .. 2] | keyed
    "#]],
    );
    check(
        "step a: A = x as Vec<u8> timeout 5s;",
        expect![[r#"
        Step a: A = x as Vec < u8 > | timeout 5000ms
    "#]],
    );
    check(
        "step a: A = 'l: loop { break 'l 5 } keyed;",
        expect![[r#"
        Step a: A = 'l : loop { break 'l 5 } | keyed
    "#]],
    );
}

#[test]
fn types_are_any_type() {
    check(
        "step a: Map<K, dyn for<'a> Fn(&'a A) -> Box<dyn Iterator<Item = B>>> = f() keyed;",
        expect![[r#"
        Step a: Map < K , dyn for < 'a > Fn (& 'a A) -> Box < dyn Iterator < Item = B > > > = f () | keyed
    "#]],
    );
}

#[test]
fn several_sagas() {
    check_saga(
        "saga A() { read a: A = f(); } pub(crate) saga B(a: A,) -> Out<B> { return b; }",
        expect![[r#"
        Read a: A = f ()
        return b
    "#]],
    );
    check_saga("", expect![[""]]);
}
