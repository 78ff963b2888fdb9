//! Calls that are half typed.

use expect_test::expect;

use super::check;

#[test]
fn an_incomplete_call() {
    check(
        "step a: A = flights. ; step b: B = f();",
        expect![[r#"
        at `.`: this expression is not complete: found `;` after it
        Step a: A = flights . (refused)
        Step b: B = f ()
    "#]],
    );
    check(
        "step a: A = flights. compensate flights.cancel(cx); step b: B = f();",
        expect![[r#"
        at `.`: this expression is not complete: found `compensate` after it
        Step a: A = flights . (refused) | compensate flights . cancel (cx)
        Step b: B = f ()
    "#]],
    );
    check(
        "step a: A = flights.reserve(cx, trip.) keyed;",
        expect![[r#"
        at `…`: this expression is not complete
        Step a: A = flights . reserve (cx , trip .) (refused) | keyed
    "#]],
    );
    check(
        "step a: A = flights.reserve(cx) + timeout 5s;",
        expect![[r#"
        at `+`: this expression is not complete: found `timeout` after it
        Step a: A = flights . reserve (cx) + (refused) | timeout 5000ms
    "#]],
    );
    check(
        "step a: A = x + ;",
        expect![[r#"
        at `+`: this expression is not complete: found `;` after it
        Step a: A = x + (refused)
    "#]],
    );
}

#[test]
fn an_incomplete_call_before_a_statement() {
    check(
        "step a: A = flights. step b: B = f();",
        expect![[r#"
        at `.`: this expression is not complete: found `step` after it
        Step a: A = flights . (refused)
        Step b: B = f ()
    "#]],
    );
    check(
        "step a: A = flights. parallel { step b: B = f(); } step c: C = g();",
        expect![[r#"
        at `.`: this expression is not complete: found `parallel` after it
        Step a: A = flights . (refused)
        branch
          Step b: B = f ()
        Step c: C = g ()
    "#]],
    );
    check(
        "step a: A = flights. return x;",
        expect![[r#"
        at `.`: this expression is not complete: found `return` after it
        Step a: A = flights . (refused)
        return x
    "#]],
    );
    check(
        "step a: A = flights. /** Doc. */ step b: B = f();",
        expect![[r#"
        at `.`: this expression is not complete: found a doc comment or attribute after it
        Step a: A = flights . (refused)
        Step b: B = f ()
    "#]],
    );
    check(
        "step a: A = flights. stpe b: B = f();",
        expect![[r#"
        at `.`: this expression is not complete: found `stpe` after it
        at `stpe`: unknown statement `stpe`: did you mean `step`?
        Step a: A = flights . (refused)
        Step b: B = f ()
    "#]],
    );
    check(
        "step a: A = flights.",
        expect![[r#"
        at `.`: this expression is not complete: found the end after it
        Step a: A = flights . (refused)
    "#]],
    );
}

#[test]
fn no_call() {
    check(
        "step a: A = ; step b: B = f();",
        expect![[r#"
        at `=`: step `a` has no call
        help: write `step a: Type = participant.method(cx, …);`
        Step a: A =  (refused)
        Step b: B = f ()
    "#]],
    );
    check(
        "step a: A; step b: B = f();",
        expect![[r#"
        at `A`: step `a` has no call
        help: write `step a: Type = participant.method(cx, …);`
        Step a: A =  (refused)
        Step b: B = f ()
    "#]],
    );
    check(
        "step a: A = step b: B = f();",
        expect![[r#"
        at `=`: step `a` has no call
        help: write `step a: Type = participant.method(cx, …);`
        Step a: A =  (refused)
        Step b: B = f ()
    "#]],
    );
    check(
        "step a: A timeout 5s; step b: B = f();",
        expect![[r#"
        at `A`: step `a` has no call
        help: write `step a: Type = participant.method(cx, …);`
        Step a: A =  (refused) | timeout 5000ms
        Step b: B = f ()
    "#]],
    );
    check(
        "step a: A = f() probe; step b: B = f();",
        expect![[r#"
        at `probe`: `probe` has no call
        help: write `probe participant.find(cx)`
        Step a: A = f () | probe  (refused)
        Step b: B = f ()
    "#]],
    );
    check(
        "step a: A = f() compensate; step b: B = f();",
        expect![[r#"
        at `compensate`: `compensate` has no call
        help: write `compensate participant.cancel(cx, …)`, or `compensate nothing`
        Step a: A = f () | compensate  (refused)
        Step b: B = f ()
    "#]],
    );
    check(
        "step a: A = f() compensate keyed;",
        expect![[r#"
        at `compensate`: `compensate` has no call
        help: write `compensate participant.cancel(cx, …)`, or `compensate nothing`
        Step a: A = f () | keyed | compensate  (refused)
    "#]],
    );
}

#[test]
fn a_call_that_is_no_expression() {
    check(
        "step a: A = f() 5 keyed;",
        expect![[r#"
        at `…`: this expression cannot be read: unexpected token
        Step a: A = f () 5 (refused) | keyed
    "#]],
    );
    check(
        "step a: A = f(,) keyed;",
        expect![[r#"
        at `…`: this expression cannot be read: expected an expression
        Step a: A = f (,) (refused) | keyed
    "#]],
    );
}
