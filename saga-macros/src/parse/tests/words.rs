//! Words and their places.

use expect_test::expect;

use super::check;

#[test]
fn unknown_statements() {
    check(
        "retrun Trip { a };",
        expect![[r#"
        at `retrun`: unknown statement `retrun`: did you mean `return`?
        return Trip { a }
    "#]],
    );
    check(
        "stpe a: A = f(); step b: B = a.g();",
        expect![[r#"
        at `stpe`: unknown statement `stpe`: did you mean `step`?
        Step a: A = f ()
        Step b: B = a . g ()
    "#]],
    );
    check(
        "let a = f(); step b: B = g();",
        expect![[r#"
            at `let`: unknown statement `let`
            help: a saga is made of `with`, `timeout`, `retry`, `deadline`, `lock`, `step`, `read`, `local`, `pivot`, `receive`, `saga`, `sleep`, `parallel`, `if`, `for` and `return`
            Step b: B = g ()
        "#]],
    );
    check(
        "a.b(); step b: B = g();",
        expect![[r#"
            at `a`: unknown statement `a`
            help: a saga is made of `with`, `timeout`, `retry`, `deadline`, `lock`, `step`, `read`, `local`, `pivot`, `receive`, `saga`, `sleep`, `parallel`, `if`, `for` and `return`
            Step b: B = g ()
        "#]],
    );
    check(
        "+ 5; step b: B = g();",
        expect![[r#"
        at `+`: expected a statement, found `+`
        Step b: B = g ()
    "#]],
    );
    check(
        "slep 5h; step b: B = g();",
        expect![[r#"
            at `slep`: unknown statement `slep`: did you mean `sleep`?
            sleep 18000000ms
            Step b: B = g ()
        "#]],
    );
    check(";;", expect![[""]]);
    check(
        "/** Doc. */",
        expect![[r#"
        at `[doc = " Doc. "]`: expected a statement, found the end
    "#]],
    );
}

#[test]
fn unknown_clauses() {
    check(
        "step a: A = f() undo g();",
        expect![[r#"
        at `undo`: unknown clause `undo`: did you mean `compensate`?
        Step a: A = f () | compensate g ()
    "#]],
    );
    check(
        "step a: A = f() compansate g() keyed;",
        expect![[r#"
        at `compansate`: unknown clause `compansate`: did you mean `compensate`?
        Step a: A = f () | keyed | compensate g ()
    "#]],
    );
    check(
        "step a: A = f() keyd;",
        expect![[r#"
        at `keyd`: unknown clause `keyd`: did you mean `keyed`?
        Step a: A = f () | keyed
    "#]],
    );
    check(
        "step a: A = f() trip keyed; step b: B = g();",
        expect![[r#"
            at `trip`: unknown clause `trip`
            help: a step has the clauses `timeout`, `retry`, `probe`, `keyed`, `compensate`, `else` and `events`; `;` ends it
            Step a: A = f () | keyed
            Step b: B = g ()
        "#]],
    );
    check(
        "step a: A = f() keyed, timeout 5s;",
        expect![[r#"
        at `,`: there is no `,` between clauses
        help: clauses follow one another; `;` ends the step
        Step a: A = f () | timeout 5000ms | keyed
    "#]],
    );
    check(
        "step a: A = f() keyed = 5 timeout 5s;",
        expect![[r#"
        at `=`: expected a clause or `;`, found `=`
        Step a: A = f () | timeout 5000ms | keyed
    "#]],
    );
    check(
        "step a: A = f(cx b);",
        expect![[r#"
        at `…`: this expression cannot be read: expected `,`
        Step a: A = f (cx b) (refused)
    "#]],
    );
}

#[test]
fn clauses_twice() {
    check(
        "step a: A = f() timeout 5s timeout 6s keyed keyed retry never retry never probe g() probe h() compensate i() compensate j();",
        expect![[r#"
        at `timeout`: `timeout` is given twice
        help: remove one of the two
        at `keyed`: `keyed` is given twice
        help: remove one of the two
        at `retry`: `retry` is given twice
        help: remove one of the two
        at `probe`: `probe` is given twice
        help: remove one of the two
        at `compensate`: `compensate` is given twice
        help: remove one of the two
        Step a: A = f () | timeout 5000ms | retry never | keyed | probe h () | compensate j ()
    "#]],
    );
    check(
        "timeout 5s; timeout 6s; retry never; retry never;",
        expect![[r#"
        at `timeout`: `timeout` is given twice
        help: remove one of the two
        at `retry`: `retry` is given twice
        help: remove one of the two
         | timeout 5000ms | retry never"#]],
    );
    check(
        "step a: A = f() compensate g() { timeout 5s, timeout 6s };",
        expect![[r#"
        at `timeout`: `timeout` is given twice
        help: remove one of the two
        Step a: A = f () | compensate g () | its timeout 5000ms
    "#]],
    );
}

#[test]
fn a_block_that_is_no_branch() {
    check(
        "{ step a: A = f(); } step b: B = g();",
        expect![[r#"
        at `{ … }`: a block is a branch: it stands directly in `parallel`
        help: write its statements without the braces
        Step a: A = f ()
        Step b: B = g ()
    "#]],
    );
    check(
        "parallel { { { step a: A = f(); } } }",
        expect![[r#"
        at `{ … }`: a block is a branch: it stands directly in `parallel`
        help: write its statements without the braces
        branch
          Step a: A = f ()
    "#]],
    );
}

#[test]
fn declarations_in_a_branch() {
    check(
        "parallel { with a: A; step a: A = f(); } step b: B = g();",
        expect![[r#"
        at `with`: `with` is said for the whole saga: it cannot stand in `parallel`
        help: move it out of `parallel`
        branch
          Step a: A = f ()
        Step b: B = g ()
    "#]],
    );
    check(
        "parallel { { step a: A = f(); return a; } step b: B = g(); }",
        expect![[r#"
        at `return`: `return` is said for the whole saga: it cannot stand in `parallel`
        help: move it out of `parallel`, to the end
        branch
          Step a: A = f ()
        branch
          Step b: B = g ()
    "#]],
    );
}

#[test]
fn attributes_of_a_step() {
    check(
        "#[cfg(test)] step a: A = f(); #[] step b: B = g();",
        expect![[r#"
        at `# [cfg (test)]`: a step can have documentation, but no other attribute
        help: remove it: what a saga consists of does not depend on how it is compiled
        at `# []`: this attribute cannot be read: unexpected end of input, expected identifier
        Step a: A = f ()
        Step b: B = g ()
    "#]],
    );
}

#[test]
fn empty_blocks() {
    check(
        "parallel { }",
        expect![[r#"
        at `parallel`: `parallel` has no branch
        help: remove it, or write steps in it
    "#]],
    );
    check(
        "parallel { {} step a: A = f(); }",
        expect![[r#"
        at `{ … }`: this branch has no step
        help: remove it, or write a step in it
        branch
          Step a: A = f ()
    "#]],
    );
    check(
        "parallel; step a: A = f();",
        expect![[r#"
        at `parallel`: `parallel` has no block
        help: write `parallel { … }`
        Step a: A = f ()
    "#]],
    );
}

#[test]
fn return_twice_or_early() {
    check(
        "return a; return b;",
        expect![[r#"
        at `return`: `return` is given twice
        help: remove one of the two
        return a
    "#]],
    );
    check(
        "return a; step b: B = g();",
        expect![[r#"
        at `return`: `return` is not the last statement
        help: move it to the end: it runs when all steps are done
        Step b: B = g ()
        return a
    "#]],
    );
    check(
        "return; step b: B = g();",
        expect![[r#"
        at `return`: `return` is not the last statement
        help: move it to the end: it runs when all steps are done
        Step b: B = g ()
    "#]],
    );
    check(
        "return a + ;",
        expect![[r#"
        at `+`: this expression is not complete: found `;` after it
        return a + (refused)
    "#]],
    );
}
