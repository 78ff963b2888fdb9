//! `local`, `receive` and `saga`.

use expect_test::expect;

use super::check;

#[test]
fn what_is_right() {
    check(
        "local a: A = add(tx, trip)? compensate remove(tx, a); receive b: B within 24h else B::none() events Got, Missed; receive c: C else d within (limit()); saga d: D = book::Hotel::<X>(a, &b) else d;",
        expect![[r#"
            Local a: A = add (tx , trip) ? | compensate remove (tx , a)
            Receive b: B =  | within 86400000ms | else B :: none () | events Got, Missed
            Receive c: C =  | within (limit ()) | else d
            Saga d: D = book :: Hotel ::< X > (a , & b) | else d
        "#]],
    );
    check(
        "local.a(); step a: A = local.receive(saga) + within; step receive: A = sleep(lock, saga) keyed;",
        expect![[r#"
            at `local`: expected the name of a step, found `.`
            Step a: A = local . receive (saga) + within
            Step receive: A = sleep (lock , saga) | keyed
        "#]],
    );
}

#[test]
fn a_local() {
    check(
        "local a = f(tx); local b: B; local c: C = ; local d: D = f(tx) timeout 5s retry never;",
        expect![[r#"
        at `a`: step `a` has no type
        help: write `local a: Type = function(tx, …);`
        at `B`: step `b` has no call
        help: write `local b: Type = function(tx, …);`
        at `=`: step `c` has no call
        help: write `local c: Type = function(tx, …);`
        at `timeout`: `d` is a `local`: it is part of a transaction of the log
        help: remove `timeout`, or write `step`
        at `retry`: `d` is a `local`: it is refused, or done exactly once
        help: remove `retry`, or write `step`
        Local a: () = f (tx) (refused)
        Local b: B =  (refused)
        Local c: C =  (refused)
        Local d: D = f (tx)
    "#]],
    );
    check(
        "loca a: A = f(tx) undo g(tx);",
        expect![[r#"
        at `loca`: unknown statement `loca`: did you mean `local`?
        at `undo`: unknown clause `undo`: did you mean `compensate`?
        Local a: A = f (tx) | compensate g (tx)
    "#]],
    );
}

#[test]
fn a_receive() {
    check(
        "receive a: A; step b: B = g();",
        expect![[r#"
        at `a`: `receive a` does not say how long it waits
        help: write `receive a: Type within 24h;`
        Receive a: A = 
        Step b: B = g ()
    "#]],
    );
    check(
        "receive a: A within; step b: B = g();",
        expect![[r#"
        at `within`: expected a duration after `within`, found `;`
        help: write `5s`, `1h30m`, or an expression in parentheses
        Receive a: A = 
        Step b: B = g ()
    "#]],
    );
    check(
        "receive a: A within 5; step b: B = g();",
        expect![[r#"
        at `5`: the duration `5` has a number without a unit
        help: did you mean `5s`?
        Receive a: A = 
        Step b: B = g ()
    "#]],
    );
    check(
        "receive a within 5s; step b: B = g();",
        expect![[r#"
        at `a`: step `a` has no type
        help: write `receive a: Type within 24h;`
        Receive a: () =  (refused) | within 5000ms
        Step b: B = g ()
    "#]],
    );
    check(
        "receive a: A step b: B = g();",
        expect![[r#"
        at `A`: `;` is missing after step `a`: found `step`
        Receive a: A = 
        Step b: B = g ()
    "#]],
    );
    check(
        "receive a: A = f(cx) within 5s; step b: B = g();",
        expect![[r#"
        at `=`: `receive a` waits for a signal: it calls nothing
        help: write `receive a: Type within 24h;`, or `step` instead of `receive`
        Receive a: A =  | within 5000ms
        Step b: B = g ()
    "#]],
    );
    check(
        "receive a: A = f(cx); step b: B = g();",
        expect![[r#"
        at `=`: `receive a` waits for a signal: it calls nothing
        help: write `receive a: Type within 24h;`, or `step` instead of `receive`
        Receive a: A = 
        Step b: B = g ()
    "#]],
    );
}

#[test]
fn the_clauses_of_a_receive() {
    check(
        "receive a: A within 5s within 6s; step b: B = g();",
        expect![[r#"
        at `within`: `within` is given twice
        help: remove one of the two
        Receive a: A =  | within 6000ms
        Step b: B = g ()
    "#]],
    );
    check(
        "receive a: A within 5s timeout 5s retry never; step b: B = g();",
        expect![[r#"
        at `timeout`: `a` is a `receive`: it waits as long as `within` says
        help: remove `timeout`
        at `retry`: `a` is a `receive`: it waits once, and calls nobody
        help: remove `retry`
        Receive a: A =  | within 5000ms
        Step b: B = g ()
    "#]],
    );
    check(
        "receive a: A within 5s foo;",
        expect![[r#"
            at `foo`: unknown clause `foo`
            help: a `receive` has the clauses `within`, `else` and `events`; `;` ends it
            Receive a: A =  | within 5000ms
        "#]],
    );
    check(
        "receive: A within 5s; step b: B = g();",
        expect![[r#"
        at `receive`: expected the name of a step, found `:`
        Step b: B = g ()
    "#]],
    );
    check(
        "step a: A = f(cx) within 5s; step b: B = g();",
        expect![[r#"
        at `within`: `within` belongs to `receive`, and `a` is none
        help: write `timeout` to limit each attempt of a call
        Step a: A = f (cx)
        Step b: B = g ()
    "#]],
    );
}

#[test]
fn a_saga() {
    check(
        "saga a: A = Other; saga b: B = other.start(b); saga c: C = Other::<X>(c) timeout 5s; saga d: D = Other {};",
        expect![[r#"
            at `Other`: `a` is the output of another saga, but this begins none
            help: write `saga a: Type = OtherSaga(…);`
            at `other . start (b)`: `b` is the output of another saga, but this begins none
            help: write `saga b: Type = OtherSaga(…);`
            at `timeout`: `c` is a `saga`: its own steps have time-outs
            help: remove `timeout`, or write a `deadline` in that saga
            at `Other { }`: `d` is the output of another saga, but this begins none
            help: write `saga d: Type = OtherSaga(…);`
            Saga a: A = Other (refused)
            Saga b: B = other . start (b) (refused)
            Saga c: C = Other ::< X > (c)
            Saga d: D = Other { } (refused)
        "#]],
    );
    check(
        "saga a: A; saga b = Other(b); saga c: C = Other(; ); saga d: D = Other. ; saga Other(x: X) {}",
        expect![[r#"
            at `A`: step `a` has no call
            help: write `saga a: Type = OtherSaga(…);`
            at `b`: step `b` has no type
            help: write `saga b: Type = OtherSaga(…);`
            at `…`: this expression cannot be read: expected an expression
            at `.`: this expression is not complete: found `;` after it
            at `Other`: step `Other` has no type
            help: write `saga Other: Type = OtherSaga(…);`
            at `{ … }`: a block is a branch: it stands directly in `parallel`
            help: write its statements without the braces
            Saga a: A =  (refused)
            Saga b: () = Other (b) (refused)
            Saga c: C = Other (;) (refused)
            Saga d: D = Other . (refused)
            Saga Other: () =  (refused)
        "#]],
    );
}

#[test]
fn values_of_else() {
    check(
        "read a: A = if x { f() } else { g() } else h();",
        expect![[r#"
        Read a: A = if x { f () } else { g () } | else h ()
    "#]],
    );
    check(
        "read a: A = if x { f() } else if y { g() } else { h() } else if z { 1 } else { 2 } timeout 5s;",
        expect![[r#"
        Read a: A = if x { f () } else if y { g () } else { h () } | timeout 5000ms | else if z { 1 } else { 2 }
    "#]],
    );
    check(
        "read a: A = f() else; step b: B = g();",
        expect![[r#"
        at `else`: `else` has no value
        help: write `else value`
        Read a: A = f () | else  (refused)
        Step b: B = g ()
    "#]],
    );
    check(
        "read a: A = f() else x. timeout 5s;",
        expect![[r#"
        at `.`: this expression is not complete: found `timeout` after it
        Read a: A = f () | timeout 5000ms | else x . (refused)
    "#]],
    );
    check(
        "read a: A = f. else x timeout 5s;",
        expect![[r#"
        at `.`: this expression is not complete: found `else` after it
        Read a: A = f . (refused) | timeout 5000ms | else x
    "#]],
    );
    check(
        "read a: A = else x;",
        expect![[r#"
        at `=`: step `a` has no call
        help: write `read a: Type = participant.method(cx, …);`
        Read a: A =  (refused) | else x
    "#]],
    );
    check(
        "read a: A else x;",
        expect![[r#"
        at `A`: step `a` has no call
        help: write `read a: Type = participant.method(cx, …);`
        Read a: A =  (refused) | else x
    "#]],
    );
    check(
        "read a: A = f() else x else y;",
        expect![[r#"
        at `else`: `else` is given twice
        help: remove one of the two
        Read a: A = f () | else y
    "#]],
    );
    check(
        "read a: A = f() fallback x otherwise y;",
        expect![[r#"
        at `fallback`: unknown clause `fallback`: did you mean `else`?
        at `otherwise`: unknown clause `otherwise`: did you mean `else`?
        at `otherwise`: `else` is given twice
        help: remove one of the two
        Read a: A = f () | else y
    "#]],
    );
    check(
        "read a = f() else x;",
        expect![[r#"
        at `a`: step `a` has no type
        help: write `read a: Type = participant.method(cx, …);`
        Read a: () = f () (refused) | else x (refused)
    "#]],
    );
}

#[test]
fn names_of_events() {
    check(
        "step a: A = f() events A, B, C keyed; step b: B = g() events D timeout 5s events E;",
        expect![[r#"
        at `events`: `events` is given twice
        help: remove one of the two
        Step a: A = f () | keyed | events A, B, C
        Step b: B = g () | timeout 5000ms | events E
    "#]],
    );
    check(
        "step a: A = f() events; step b: B = g();",
        expect![[r#"
        at `events`: `events` names no event
        help: write `events Done, Refused, Compensated`: one to three names of yours
        Step a: A = f ()
        Step b: B = g ()
    "#]],
    );
    check(
        "step a: A = f() events keyed;",
        expect![[r#"
        at `events`: `events` names no event
        help: write `events Done, Refused, Compensated`: one to three names of yours
        Step a: A = f () | keyed
    "#]],
    );
    check(
        "step a: A = f() events A, B, C, D, E keyed;",
        expect![[r#"
        at `,`: `events` names more than three events
        help: a step has three: it is done, refused, or compensated
        Step a: A = f () | keyed | events A, B, C
    "#]],
    );
    check(
        "step a: A = f() events A, timeout 5s;",
        expect![[r#"
        at `,`: there is no `,` between clauses
        help: clauses follow one another; `;` ends the step
        Step a: A = f () | timeout 5000ms | events A
    "#]],
    );
    check(
        "step a: A = f() events A B;",
        expect![[r#"
        at `B`: unknown clause `B`
        help: a step has the clauses `timeout`, `retry`, `probe`, `keyed`, `compensate`, `else` and `events`; `;` ends it
        Step a: A = f () | events A
    "#]],
    );
    check(
        "step a: A = f() events A, step b: B = g();",
        expect![[r#"
        at `,`: expected the name of an event, found `step`
        Step a: A = f () | events A
        Step b: B = g ()
    "#]],
    );
    check(
        "step a: A = f() events type, B; step b: B = g() events C, 5;",
        expect![[r#"
            at `type`: an event cannot be named `type`: that is a word of Rust
            help: rename it, or write `r#type`
            at `,`: expected the name of an event, found `5`
            Step a: A = f () | events B
            Step b: B = g () | events C
        "#]],
    );
    check(
        "step a: A = f() event A;",
        expect![[r#"
        at `event`: unknown clause `event`: did you mean `events`?
        Step a: A = f () | events A
    "#]],
    );
    check(
        "step a: A = f() events A, B::C;",
        expect![[r#"
        at `:`: expected a clause or `;`, found `:`
        Step a: A = f () | events A, B
    "#]],
    );
}
