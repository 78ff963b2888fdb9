//! Names that cannot be.

use expect_test::expect;

use super::{check, check_saga};

#[test]
fn names_twice() {
    check(
        "step a: A = f(); step a: A = g(); step b: B = f(a);",
        expect![[r#"
        at `a`: step `a` is declared twice
        help: rename it
        Step a: A = f ()
        Step b: B = f (a)
    "#]],
    );
    check(
        "step trip: A = f(); step flights: B = g();",
        expect![[r#"
        at `trip`: step `trip` has the name of an input
        help: rename it
        at `flights`: step `flights` has the name of a participant
        help: rename it
    "#]],
    );
    check(
        "step cx: A = f();",
        expect![[r#"
        at `cx`: a step cannot be named `cx`: that is the context of an attempt
        help: rename it
    "#]],
    );
    check(
        "step flight_a: A = f(); step flightA: A = f();",
        expect![[r#"
        at `flightA`: the names of the steps `flight_a` and `flightA` both become `FlightA`
        help: rename it
        Step flight_a: A = f ()
    "#]],
    );
    check(
        "step _1: A = f();",
        expect![[r#"
        at `_1`: `_1` is no name for a step: it does not start with a letter
        help: rename it
    "#]],
    );
    check(
        "step r#a: A = f(); parallel { step a: A = g(); }",
        expect![[r#"
        at `a`: step `a` is declared twice
        help: rename it
        Step r#a: A = f ()
    "#]],
    );
}

#[test]
fn names_of_the_head() {
    check_saga(
        "saga A(a: A, a: B) { with a: C, cx: D; step b: B = f(a); } saga A() {}",
        expect![[r#"
        at `A`: saga `A` is declared twice
        help: rename one of the two
        at `a`: input `a` is declared twice
        help: rename it
        at `a`: participant `a` has the name of an input
        help: rename it
        at `cx`: a participant cannot be named `cx`: that is the context of an attempt
        help: rename it
        Step b: B = f (a)
    "#]],
    );
}

#[test]
fn names_in_the_arms_of_an_if() {
    check(
        "if x { step a: A = f(); if y { step b: B = f(); } } else if z { step b: B = g(); } else { step a: A = h(); step b: B = f(); } step c: C = f(a, b);",
        expect![[r#"
            if x
              Step a: A = f ()
              if y
                Step b: B = f ()
            if z
              Step b: B = g ()
            else
              Step a: A = h ()
              Step b: B = f ()
            Step c: C = f (a , b)
        "#]],
    );
    check(
        "if x { step a: A = f(); step a: A = g(); } else { step b: B = f(); }",
        expect![[r#"
        at `a`: step `a` is declared twice
        help: rename it
        if x
          Step a: A = f ()
        else
          Step b: B = f ()
    "#]],
    );
    check(
        "if x { step a: A = f(); } else { step b: B = f(); } step a: A = f();",
        expect![[r#"
        at `a`: step `a` is declared twice
        help: rename it
        if x
          Step a: A = f ()
        else
          Step b: B = f ()
    "#]],
    );
    check(
        "if x { step a: A = f(); } if x { step a: A = f(); }",
        expect![[r#"
        at `a`: step `a` is declared twice
        help: rename it
        if x
          Step a: A = f ()
        if x
    "#]],
    );
    check(
        "if x { step a: A = f(); } else { step a: B = f(); }",
        expect![[r#"
            at `a`: step `a` has another type in another arm of the `if`
            help: rename it, or give it the same type: behind the `if` both are one output
            if x
              Step a: A = f ()
            else
        "#]],
    );
    check(
        "if x { step flight_a: A = f(); } else { step flightA: A = f(); }",
        expect![[r#"
        at `flightA`: the names of the steps `flight_a` and `flightA` both become `FlightA`
        help: rename it
        if x
          Step flight_a: A = f ()
        else
    "#]],
    );
    check(
        "if x { for a: A in b { step c: C = f(); } } else { step a: B = f(); }",
        expect![[r#"
        if x
          for a: A in b
            Step c: C = f ()
        else
          Step a: B = f ()
    "#]],
    );
    check(
        "parallel { if x { step a: A = f(); } else { step b: B = f(); } if y { step b: B = f(); } }",
        expect![[r#"
        at `b`: step `b` is declared twice
        help: rename it
        branch
          if x
            Step a: A = f ()
          else
            Step b: B = f ()
        branch
          if y
    "#]],
    );
}

#[test]
fn names_of_items() {
    check(
        "for line: Line in a { step b: B = f(line); } for line: Line in a { step c: C = f(line); } step line: Line = f();",
        expect![[r#"
            for line: Line in a
              Step b: B = f (line)
            for line: Line in a
              Step c: C = f (line)
            Step line: Line = f ()
        "#]],
    );
    check(
        "step a: A = f(); for a: A in b { step c: C = f(a); }",
        expect![[r#"
        at `a`: item `a` has the name of a step
        help: rename it
        Step a: A = f ()
        for __saga_item: A in b
          Step c: C = f (a)
    "#]],
    );
    check(
        "for trip: A in b { step c: C = f(trip); } for flights: A in b { step d: D = f(); } for cx: A in b { step e: E = f(); }",
        expect![[r#"
        at `trip`: item `trip` has the name of an input
        help: rename it
        at `flights`: item `flights` has the name of a participant
        help: rename it
        at `cx`: an item cannot be named `cx`: that is the context of an attempt
        help: rename it
        for __saga_item: A in b
          Step c: C = f (trip)
        for __saga_item: A in b
          Step d: D = f ()
        for __saga_item: A in b
          Step e: E = f ()
    "#]],
    );
    check(
        "for a: A in b { for a: A in b { step c: C = f(a); } step a: A = f(); }",
        expect![[r#"
        at `a`: item `a` is declared twice
        help: rename it
        at `a`: step `a` has the name of an item
        help: rename it
        for a: A in b
          for __saga_item: A in b
            Step c: C = f (a)
    "#]],
    );
    check(
        "for in b { for : A in c { step c: C = f(); } }",
        expect![[r#"
            at `for`: expected the name of an item, found `in`
            at `for`: expected the name of an item, found `:`
            for __saga_item: () in b
              for __saga_item: () in c
                Step c: C = f ()
        "#]],
    );
}

#[test]
fn names_of_transactions() {
    check(
        "step tx: A = f();",
        expect![[r#"
        Step tx: A = f ()
    "#]],
    );
    check(
        "step tx: A = f(); if x { local a: A = f(tx); }",
        expect![[r#"
        at `tx`: a step cannot be named `tx`: that is the transaction of a `local`
        help: rename it
        if x
          Local a: A = f (tx)
    "#]],
    );
    check_saga(
        "saga A(tx: X) { parallel { for tx: T in x { local a: A = f(tx); } } }",
        expect![[r#"
        at `tx`: an input cannot be named `tx`: that is the transaction of a `local`
        help: rename it
        at `tx`: an item cannot be named `tx`: that is the transaction of a `local`
        help: rename it
        branch
          for __saga_item: T in x
            Local a: A = f (tx)
    "#]],
    );
}

#[test]
fn names_of_events() {
    check(
        "step a: A = f() events A, B, C; step b: B = g() events D, A; step c: C = g() events E, F, E;",
        expect![[r#"
        at `A`: event `A` is declared twice: it is one of step `a`
        help: rename it
        at `E`: event `E` is declared twice: it is one of step `c`
        help: rename it
        Step a: A = f () | events A, B, C
        Step b: B = g ()
        Step c: C = g ()
    "#]],
    );
    check(
        "if x { step a: A = f() events A, B; } else { step a: A = g() events A, B; }",
        expect![[r#"
        if x
          Step a: A = f () | events A, B
        else
          Step a: A = g () | events A, B
    "#]],
    );
    check(
        "if x { step a: A = f() events A, B; } else { step a: A = g() events B, A; }",
        expect![[r#"
        at `B`: event `B` is declared twice: it is one of step `a`
        help: rename it
        at `A`: event `A` is declared twice: it is one of step `a`
        help: rename it
        if x
          Step a: A = f () | events A, B
        else
          Step a: A = g ()
    "#]],
    );
}
