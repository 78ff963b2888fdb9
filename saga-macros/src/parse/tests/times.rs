//! `sleep`, `deadline` and `lock`.

use expect_test::expect;

use super::check;

#[test]
fn what_is_right() {
    check(
        "deadline 1h30m; lock a.b, f(x, y), A::<B, C>::new(), |a, b| a; step a: A = f(); sleep (wait(a)); sleep until (a.b); sleep 0s;",
        expect![[r#"
            deadline 5400000ms
            lock a . b | f (x , y) | A ::< B , C >:: new () | | a , b | a
            Step a: A = f ()
            sleep (wait (a))
            sleep at a . b
            sleep 0ms
        "#]],
    );
    check(
        "timeout 5s; lock a,; deadline at (trip.start - DAY); deadline.x();",
        expect![[r#"
        at `.`: expected a duration after `deadline`, found `.`
        help: write `5s`, `1h30m`, or an expression in parentheses
        at `deadline`: `deadline` is given twice
        help: remove one of the two
        deadline at trip . start - DAY
        lock a
         | timeout 5000ms"#]],
    );
}

#[test]
fn a_sleep() {
    check(
        "sleep; step b: B = g();",
        expect![[r#"
        at `sleep`: expected a duration after `sleep`, found `;`
        help: write `5s`, `1h30m`, or an expression in parentheses
        Step b: B = g ()
    "#]],
    );
    check(
        "sleep step b: B = g();",
        expect![[r#"
        at `sleep`: expected a duration after `sleep`, found `step`
        help: an expression stands in parentheses: `(LIMIT)`
        Step b: B = g ()
    "#]],
    );
    check(
        "sleep 5; step b: B = g();",
        expect![[r#"
        at `5`: the duration `5` has a number without a unit
        help: did you mean `5s`?
        Step b: B = g ()
    "#]],
    );
    check(
        "sleep 5h step b: B = g();",
        expect![[r#"
        at `5h`: `;` is missing after `sleep`: found `step`
        sleep 18000000ms
        Step b: B = g ()
    "#]],
    );
    check(
        "sleep LONG; step b: B = g();",
        expect![[r#"
        at `LONG`: expected a duration after `sleep`, found `LONG`
        help: an expression stands in parentheses: `(LIMIT)`
        Step b: B = g ()
    "#]],
    );
}

#[test]
fn a_sleep_until() {
    check(
        "sleep until; step b: B = g();",
        expect![[r#"
        at `until`: `sleep until` has no time
        help: write `sleep until (time);`, an expression of type `SystemTime`
        sleep at  (refused)
        Step b: B = g ()
    "#]],
    );
    check(
        "sleep until (); step b: B = g();",
        expect![[r#"
        at `( … )`: `sleep until` has no time
        help: write `sleep until (time);`, an expression of type `SystemTime`
        sleep at  (refused)
        Step b: B = g ()
    "#]],
    );
    check(
        "sleep until (a.); step b: B = g();",
        expect![[r#"
        at `.`: this expression is not complete: found the end after it
        sleep at a . (refused)
        Step b: B = g ()
    "#]],
    );
    check(
        "sleep until a.b; step b: B = g();",
        expect![[r#"
        at `a`: a time stands in parentheses
        help: write `sleep until (time);`, an expression of type `SystemTime`
        sleep at a . b (refused)
        Step b: B = g ()
    "#]],
    );
    check(
        "sleep until 5h; step b: B = g();",
        expect![[r#"
        at `5h`: a time stands in parentheses
        help: write `sleep until (time);`, an expression of type `SystemTime`
        sleep at 5h (refused)
        Step b: B = g ()
    "#]],
    );
    check(
        "sleep at (a); step b: B = g();",
        expect![[r#"
        at `at`: expected `until`, found `at`
        help: write `sleep until (time);`
        sleep at a
        Step b: B = g ()
    "#]],
    );
    check(
        "sleep untl (a); step b: B = g();",
        expect![[r#"
        at `untl`: expected `until`, found `untl`
        help: write `sleep until (time);`
        sleep at a
        Step b: B = g ()
    "#]],
    );
    check(
        "wait 24h; step b: B = g();",
        expect![[r#"
        at `wait`: unknown statement `wait`: did you mean `sleep`?
        sleep 86400000ms
        Step b: B = g ()
    "#]],
    );
    check(
        "sleep 5h keyed; step b: B = g();",
        expect![[r#"
        at `5h`: `;` is missing after `sleep`: found `keyed`
        sleep 18000000ms
        Step b: B = g ()
    "#]],
    );
}

#[test]
fn a_deadline() {
    check(
        "deadline; step b: B = g();",
        expect![[r#"
        at `deadline`: expected a duration after `deadline`, found `;`
        help: write `5s`, `1h30m`, or an expression in parentheses
        Step b: B = g ()
    "#]],
    );
    check(
        "deadline 0s; step b: B = g();",
        expect![[r#"
        at `0s`: a deadline of 0 leaves the saga no time
        help: write a longer one, such as `deadline 30m;`
        Step b: B = g ()
    "#]],
    );
    check(
        "deadline 5m; deadline 6m; step b: B = g();",
        expect![[r#"
        at `deadline`: `deadline` is given twice
        help: remove one of the two
        deadline 300000ms
        Step b: B = g ()
    "#]],
    );
    check(
        "deadline until (a); step b: B = g();",
        expect![[r#"
        at `until`: expected `at`, found `until`
        help: write `deadline at (time);`
        deadline at a
        Step b: B = g ()
    "#]],
    );
    check(
        "deadline at a; step b: B = g();",
        expect![[r#"
        at `a`: a time stands in parentheses
        help: write `deadline at (time);`, an expression of type `SystemTime`
        deadline at a (refused)
        Step b: B = g ()
    "#]],
    );
    check(
        "dedline 5m step b: B = g();",
        expect![[r#"
        at `dedline`: unknown statement `dedline`: did you mean `deadline`?
        at `5m`: `;` is missing after `deadline`: found `step`
        deadline 300000ms
        Step b: B = g ()
    "#]],
    );
}

#[test]
fn a_lock() {
    check(
        "lock; step b: B = g();",
        expect![[r#"
            at `lock`: `lock` names nothing to lock
            help: write `lock key, …;`: each key an expression, such as `trip.customer`
            lock  (refused)
            Step b: B = g ()
        "#]],
    );
    check(
        "lock a. ; step b: B = g();",
        expect![[r#"
        at `.`: this expression is not complete: found `;` after it
        lock a . (refused)
        Step b: B = g ()
    "#]],
    );
    check(
        "lock a, b., c step b: B = g();",
        expect![[r#"
            at `.`: this expression is not complete: found `step` after it
            lock a | b . (refused) | c
            Step b: B = g ()
        "#]],
    );
    check(
        "lock a, , b; step b: B = g();",
        expect![[r#"
        at `…`: this expression is not complete
        lock a |  (refused) | b
        Step b: B = g ()
    "#]],
    );
    check(
        "lock a; lock b; step b: B = g();",
        expect![[r#"
        at `lock`: `lock` is given twice
        help: remove one of the two
        lock a
        Step b: B = g ()
    "#]],
    );
    check(
        "step b: B = g(); lock a;",
        expect![[r#"
        at `lock`: `lock` comes after a step: all locks are taken before anything is done
        help: move it before the first step
        lock a
        Step b: B = g ()
    "#]],
    );
    check(
        "sleep 5h; lock a;",
        expect![[r#"
        at `lock`: `lock` comes after a step: all locks are taken before anything is done
        help: move it before the first step
        lock a
        sleep 18000000ms
    "#]],
    );
}
