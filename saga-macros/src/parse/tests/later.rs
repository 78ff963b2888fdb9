//! The later language, which this version refuses.

use expect_test::expect;

use super::{check, check_saga};

#[test]
fn statements_of_the_later_language() {
    check(
        "deadline 30m; lock a, b; sleep 24h; sleep until (x); receive x: X within 24h; saga y: Y = Other(a); local z: Z = f(tx); step b: B = g();",
        expect![[r#"
        at `deadline`: this version of `saga!` does not have `deadline`
        at `lock`: this version of `saga!` does not have `lock`
        at `sleep`: this version of `saga!` does not have `sleep`
        at `sleep`: this version of `saga!` does not have `sleep`
        at `receive`: this version of `saga!` does not have `receive`
        at `saga`: this version of `saga!` does not have `saga`
        at `local`: this version of `saga!` does not have `local`
        Step b: B = g ()
    "#]],
    );
    check(
        "if trip.wants_car { step car: Car = f(); } else if let Some(X { y }) = z { } else { } step b: B = g();",
        expect![[r#"
        at `if`: this version of `saga!` does not have `if`
        Step b: B = g ()
    "#]],
    );
    check(
        "for line: Line in trip.lines { step car: Car = f(); } step b: B = g();",
        expect![[r#"
        at `for`: this version of `saga!` does not have `for`
        Step b: B = g ()
    "#]],
    );
    check(
        "parallel for line: Line in trip.lines limit 3 { step car: Car = f(); } step b: B = g();",
        expect![[r#"
        at `parallel`: this version of `saga!` does not have `parallel for`
        Step b: B = g ()
    "#]],
    );
    check(
        "if let Car { x } = car { step c: C = f(); } step b: B = g();",
        expect![[r#"
        at `if`: this version of `saga!` does not have `if`
        Step b: B = g ()
    "#]],
    );
    check(
        "parallel { if x { step c: C = f(); } step b: B = g(); }",
        expect![[r#"
        at `if`: this version of `saga!` does not have `if`
        branch
          Step b: B = g ()
    "#]],
    );
}

#[test]
fn clauses_of_the_later_language() {
    check(
        "step a: A = f() events A, B, C keyed; step b: B = g();",
        expect![[r#"
        at `events`: this version of `saga!` does not have `events`
        Step a: A = f () | keyed
        Step b: B = g ()
    "#]],
    );
    check(
        "read a: A = f() else B::default() timeout 5s; step b: B = g();",
        expect![[r#"
        at `else`: this version of `saga!` does not have `else`
        Read a: A = f () | timeout 5000ms
        Step b: B = g ()
    "#]],
    );
}

#[test]
fn generic_sagas() {
    check_saga(
        "saga Trip<P: Desk>(trip: P) -> X where P: Y { step b: B = g(); }",
        expect![[r#"
        at `<`: this version of `saga!` does not have `saga Name<…>`
        at `where`: this version of `saga!` does not have `where`
        Step b: B = g ()
    "#]],
    );
}
