//! Time-outs and retries.

use expect_test::expect;

use super::check;

#[test]
fn durations() {
    check(
        "step a: A = f() timeout 5 min keyed;",
        expect![[r#"
        at `5 min`: `5 min` is not written as one duration
        help: did you mean `5m`?
        Step a: A = f () | keyed
    "#]],
    );
    check(
        "step a: A = f() timeout 5 keyed;",
        expect![[r#"
        at `5`: the duration `5` has a number without a unit
        help: did you mean `5s`?
        Step a: A = f () | keyed
    "#]],
    );
    check(
        "step a: A = f() timeout 5min keyed;",
        expect![[r#"
        at `5min`: `min` is no unit of a duration
        help: did you mean `5m`?
        Step a: A = f () | keyed
    "#]],
    );
    check(
        "step a: A = f() timeout keyed;",
        expect![[r#"
        at `timeout`: expected a duration after `timeout`, found `keyed`
        help: write `5s`, `1h30m`, or an expression in parentheses
        Step a: A = f () | keyed
    "#]],
    );
    check(
        "step a: A = f() timeout;",
        expect![[r#"
        at `timeout`: expected a duration after `timeout`, found `;`
        help: write `5s`, `1h30m`, or an expression in parentheses
        Step a: A = f ()
    "#]],
    );
    check(
        "step a: A = f() timeout LIMIT keyed;",
        expect![[r#"
        at `LIMIT`: expected a duration after `timeout`, found `LIMIT`
        help: an expression stands in parentheses: `(LIMIT)`
        Step a: A = f () | keyed
    "#]],
    );
    check(
        "step a: A = f() timeout -5s keyed;",
        expect![[r#"
        at `-`: expected a duration after `timeout`, found `-`
        help: write `5s`, `1h30m`, or an expression in parentheses
        Step a: A = f () | keyed
    "#]],
    );
    check(
        r#"step a: A = f() timeout "5s" keyed;"#,
        expect![[r#"
        at `"5s"`: `"5s"` is no duration
        help: the units are `d`, `h`, `m`, `s`, `ms`, `us` and `ns`: `30m`, `1.5s`, `1h30m`
        Step a: A = f () | keyed
    "#]],
    );
    check(
        "step a: A = f() timeout () keyed;",
        expect![[r#"
        at `( … )`: this is no expression
        help: write an expression of type `Duration` in the parentheses
        Step a: A = f () | keyed
    "#]],
    );
    check(
        "step a: A = f() timeout 0s keyed;",
        expect![[r#"
        at `0s`: a time-out of 0 leaves the call no time
        help: write a longer one, such as `timeout 30s`
        Step a: A = f () | keyed
    "#]],
    );
    check(
        "step a: A = f() timeout 213504d keyed;",
        expect![[r#"
        at `213504d`: the duration `213504d` does not fit whole nanoseconds in 64 bits
        help: the shortest is `1ns`, the longest is `213503d`
        Step a: A = f () | keyed
    "#]],
    );
    check(
        "timeout 5 s; step b: B = g();",
        expect![[r#"
        at `5 s`: `5 s` is not written as one duration
        help: did you mean `5s`?
        Step b: B = g ()
    "#]],
    );
}

#[test]
fn retries() {
    check(
        "step a: A = f() retry keyed;",
        expect![[r#"
        at `retry`: expected how often to retry, found `keyed`
        help: write `retry 5 times every 100ms..10s`, `retry forever every 100ms..10s` or `retry never`
        Step a: A = f () | keyed
    "#]],
    );
    check(
        "step a: A = f() retry 5 keyed;",
        expect![[r#"
        at `5`: expected `times`, found `keyed`
        help: write `retry 5 times`
        Step a: A = f () | keyed
    "#]],
    );
    check(
        "step a: A = f() retry 5 time keyed;",
        expect![[r#"
        at `time`: expected `times`, found `time`
        help: write `retry 5 times`
        Step a: A = f () | retry Some(5) 100ms..10000ms | keyed
    "#]],
    );
    check(
        "step a: A = f() retry nevr keyed;",
        expect![[r#"
        at `nevr`: expected how often to retry, found `nevr`
        help: did you mean `retry never`?
        Step a: A = f () | keyed
    "#]],
    );
    check(
        "step a: A = f() retry 0 times keyed;",
        expect![[r#"
        at `0`: `retry 0 times` never tries again
        help: write `retry never`
        Step a: A = f () | keyed
    "#]],
    );
    check(
        "step a: A = f() retry 5000000000 times keyed;",
        expect![[r#"
        at `5000000000`: `5000000000` retries are too many: at most 4294967295 can be counted
        help: write `retry forever`
        Step a: A = f () | keyed
    "#]],
    );
    check(
        "step a: A = f() retry 5s times keyed;",
        expect![[r#"
        at `5s`: `5s` is no number of retries
        help: write `retry 5 times every 100ms..10s`, `retry forever every 100ms..10s` or `retry never`
        Step a: A = f () | keyed
    "#]],
    );
    check(
        "step a: A = f() retry always keyed;",
        expect![[r#"
        at `always`: expected how often to retry, found `always`
        help: write `retry 5 times every 100ms..10s`, `retry forever every 100ms..10s` or `retry never`
        Step a: A = f () | keyed
    "#]],
    );
}

#[test]
fn waits() {
    check(
        "step a: A = f() retry forever every keyed;",
        expect![[r#"
        at `every`: expected a duration after `every`, found `keyed`
        help: write `5s`, `1h30m`, or an expression in parentheses
        Step a: A = f () | keyed
    "#]],
    );
    check(
        "step a: A = f() retry forever every 5s keyed;",
        expect![[r#"
        at `5s`: expected `..` and the longest wait, found `keyed`
        help: write `every 5s..10s`: the first wait, and the longest one
        Step a: A = f () | keyed
    "#]],
    );
    check(
        "step a: A = f() retry forever every 5s..1s keyed;",
        expect![[r#"
        at `1s`: the longest wait is shorter than the first one
        help: write the first wait, then the longest: `every 100ms..10s`
        Step a: A = f () | keyed
    "#]],
    );
    check(
        "step a: A = f() retry forever every 0s..1s keyed;",
        expect![[r#"
        at `0s`: a first wait of 0 tries again without a pause
        help: write a longer one, such as `every 100ms..10s`
        Step a: A = f () | keyed
    "#]],
    );
    check(
        "step a: A = f() retry forever every 1s..=5s keyed;",
        expect![[r#"
        at `=`: the longest wait follows `..` without `=`
        help: write `100ms..10s`
        Step a: A = f () | retry None 1000ms..5000ms | keyed
    "#]],
    );
    check(
        "step a: A = f() retry forever every 1s.. keyed;",
        expect![[r#"
        at `.`: expected a duration after `every`, found `keyed`
        help: write `5s`, `1h30m`, or an expression in parentheses
        Step a: A = f () | keyed
    "#]],
    );
    check(
        "step a: A = f() retry forever evry 1s..2s keyed;",
        expect![[r#"
        at `evry`: expected `every`, found `evry`
        help: did you mean `every`?
        Step a: A = f () | retry None 1000ms..2000ms | keyed
    "#]],
    );
    check(
        "step a: A = f() retry forever every 5 sec..1min keyed;",
        expect![[r#"
        at `5 sec`: `5 sec` is not written as one duration
        help: did you mean `5s`?
        at `1min`: `min` is no unit of a duration
        help: did you mean `1m`?
        Step a: A = f () | keyed
    "#]],
    );
}

#[test]
fn policies_of_a_compensation() {
    check(
        "step a: A = f() compensate g() { timeot 3s };",
        expect![[r#"
        at `timeot`: expected `timeout` or `retry`, found `timeot`
        help: did you mean `timeout`?
        Step a: A = f () | compensate g () | its timeout 3000ms
    "#]],
    );
    check(
        "step a: A = f() compensate g() { keyed };",
        expect![[r#"
        at `keyed`: expected `timeout` or `retry`, found `keyed`
        Step a: A = f () | compensate g ()
    "#]],
    );
    check(
        "step a: A = f() compensate nothing { timeout 3s };",
        expect![[r#"
        at `{ timeout 3s }`: `compensate nothing` calls nothing: it has no time-out and no retries
        help: remove the block
        Step a: A = f () | compensate nothing
    "#]],
    );
    check(
        "step a: A = f() compensate g() {};",
        expect![[r#"
        Step a: A = f () | compensate g ()
    "#]],
    );
}
