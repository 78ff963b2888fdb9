//! Steps that are half typed.

use expect_test::expect;

use super::check;

#[test]
fn no_semicolon() {
    check(
        "step a: A = f() step b: B = g();",
        expect![[r#"
        at `()`: `;` is missing after step `a`: found `step`
        Step a: A = f ()
        Step b: B = g ()
    "#]],
    );
    check(
        "step a: A = f() keyed pivot b: B = g();",
        expect![[r#"
        at `keyed`: `;` is missing after step `a`: found `pivot`
        Step a: A = f () | keyed
        Pivot b: B = g ()
    "#]],
    );
    check(
        "step a: A = f()",
        expect![[r#"
        at `()`: `;` is missing after step `a`: found the end
        Step a: A = f ()
    "#]],
    );
    check(
        "step a: A = f() /** Doc. */ step b: B = g();",
        expect![[r#"
        at `()`: `;` is missing after step `a`: found a doc comment or attribute
        Step a: A = f ()
        Step b: B = g ()
    "#]],
    );
    check(
        "step a: A = f() return x;",
        expect![[r#"
        at `()`: `;` is missing after step `a`: found `return`
        Step a: A = f ()
        return x
    "#]],
    );
    check(
        "parallel { step a: A = f() { step b: B = g(); } }",
        expect![[r#"
        at `()`: `;` is missing after step `a`: found `{ … }`
        branch
          Step a: A = f ()
        branch
          Step b: B = g ()
    "#]],
    );
    check(
        "step a: A = f() retrun x;",
        expect![[r#"
        at `()`: `;` is missing after step `a`: found `retrun`
        at `retrun`: unknown statement `retrun`: did you mean `return`?
        Step a: A = f ()
        return x
    "#]],
    );
}

#[test]
fn no_type() {
    check(
        "step a = f(); step b: B = g();",
        expect![[r#"
        at `a`: step `a` has no type
        help: write `step a: Type = participant.method(cx, …);`
        Step a: () = f () (refused)
        Step b: B = g ()
    "#]],
    );
    check(
        "step a; step b: B = g();",
        expect![[r#"
        at `a`: step `a` has no type
        help: write `step a: Type = participant.method(cx, …);`
        Step a: () =  (refused)
        Step b: B = g ()
    "#]],
    );
    check(
        "step a step b: B = g();",
        expect![[r#"
        at `a`: step `a` has no type
        help: write `step a: Type = participant.method(cx, …);`
        Step a: () =  (refused)
        Step b: B = g ()
    "#]],
    );
    check(
        "step a: = f(); step b: B = g();",
        expect![[r#"
        at `a`: step `a` has no type
        help: write `step a: Type = participant.method(cx, …);`
        Step a: () = f () (refused)
        Step b: B = g ()
    "#]],
    );
    check(
        "step a: Vec< = f(); step b: B = g();",
        expect![[r#"
            at `Vec <`: this type is not complete
            Step a: () = f () (refused)
            Step b: B = g ()
        "#]],
    );
    check(
        "step a: A, B = f();",
        expect![[r#"
        at `A , B`: this is no type
        Step a: () = f () (refused)
    "#]],
    );
}

#[test]
fn no_name() {
    check(
        "step; step b: B = g();",
        expect![[r#"
        at `step`: expected the name of a step, found `;`
        Step b: B = g ()
    "#]],
    );
    check(
        "step step b: B = g();",
        expect![[r#"
        at `step`: expected the name of a step, found `step`
        Step b: B = g ()
    "#]],
    );
    check(
        "step : A = f(); step b: B = g();",
        expect![[r#"
        at `step`: expected the name of a step, found `:`
        Step b: B = g ()
    "#]],
    );
    check(
        "step type: A = f(); step b: B = g();",
        expect![[r#"
        at `type`: a step cannot be named `type`: that is a word of Rust
        help: rename it, or write `r#type`
        Step b: B = g ()
    "#]],
    );
    check(
        "step _: A = f();",
        expect![[r#"
        at `_`: a step cannot be named `_`: that is a word of Rust
        help: rename it
    "#]],
    );
    check(
        r#"step "a": A = f(); step b: B = g();"#,
        expect![[r#"
        at `step`: expected the name of a step, found `"a"`
        Step b: B = g ()
    "#]],
    );
}
