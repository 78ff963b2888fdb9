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
