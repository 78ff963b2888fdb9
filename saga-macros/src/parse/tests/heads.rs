//! Heads, options and participants.

use expect_test::expect;

use super::{check, check_saga};

#[test]
fn a_head_that_is_half_typed() {
    check_saga(
        "saga",
        expect![[r#"
        at `saga`: expected the name of a saga, found the end
    "#]],
    );
    check_saga(
        "saga A",
        expect![[r#"
        at `A`: saga `A` has no body: found the end
        help: write `saga A(…) -> Output { … }`
    "#]],
    );
    check_saga(
        "saga A(a: X)",
        expect![[r#"
        at `( … )`: saga `A` has no body: found the end
        help: write `saga A(…) -> Output { … }`
    "#]],
    );
    check_saga(
        "saga A(a: X) ->",
        expect![[r#"
        at `-`: `->` has no type
        help: write `-> Output`, or nothing for `()`
        at `>`: saga `A` has no body: found the end
        help: write `saga A(…) -> Output { … }`
    "#]],
    );
    check_saga(
        "saga A(a: X) -> { step b: B = g(); }",
        expect![[r#"
        at `-`: `->` has no type
        help: write `-> Output`, or nothing for `()`
        Step b: B = g ()
    "#]],
    );
    check_saga(
        "saga A { step b: B = g(); }",
        expect![[r#"
        at `A`: saga `A` has no inputs
        help: write `saga A(input: Type)`, or `saga A()`
        Step b: B = g ()
    "#]],
    );
    check_saga(
        "saga A(a) { step b: B = a.g(); }",
        expect![[r#"
        at `a`: input `a` has no type
        help: write `a: Type`
        Step b: B = a . g ()
    "#]],
    );
    check_saga(
        "saga A(a: X b: Y, c: Z) { step b: B = g(); }",
        expect![[r#"
        at `b`: expected `,` after an input, found `b`
        at `b`: step `b` has the name of an input
        help: rename it
    "#]],
    );
    check_saga(
        "saga A(/** Doc. */ a: X) { step b: B = g(); }",
        expect![[r#"
        at `# [doc = " Doc. "]`: an input can have no documentation and no attribute
        Step b: B = g ()
    "#]],
    );
    check_saga(
        "saga A() - X { step b: B = g(); }",
        expect![[r#"
        at `-`: expected `->` or the saga's body, found `-`
        help: write `saga Name(input: Type) -> Output { … }`
        Step b: B = g ()
    "#]],
    );
    check_saga(
        "saga if() { } saga B() { step b: B = g(); }",
        expect![[r#"
        at `if`: a saga cannot be named `if`: that is a word of Rust
        help: rename it, or write `r#if`
        Step b: B = g ()
    "#]],
    );
}

#[test]
fn no_saga() {
    check_saga(
        "sage A() { step b: B = g(); }",
        expect![[r#"
        at `sage`: expected a saga, found `sage`
        help: did you mean `saga`?
        Step b: B = g ()
    "#]],
    );
    check_saga(
        "struct A { x: X } saga B() { step b: B = g(); }",
        expect![[r#"
        at `struct`: expected a saga, found `struct`
        help: write `saga Name(input: Type) -> Output { … }`
        Step b: B = g ()
    "#]],
    );
    check_saga(
        "/** Doc. */",
        expect![[r#"
        at `[doc = " Doc. "]`: expected a saga, found the end
        help: write `saga Name(input: Type) -> Output { … }`
    "#]],
    );
    check_saga(
        "pub",
        expect![[r#"
        at `pub`: expected a saga, found the end
        help: write `saga Name(input: Type) -> Output { … }`
    "#]],
    );
    check_saga(
        "pub(x) saga A() { step b: B = g(); }",
        expect![[r#"
        at `pub (x)`: this visibility cannot be read: unexpected token
        Step b: B = g ()
    "#]],
    );
}

#[test]
fn options() {
    check_saga("#[saga(crate = ::a::b, version = 2)] #[must_use] saga A() {}", expect![[""]]);
    check_saga(
        "#[saga(crate = b, versoin = 3, x)] saga A() {}",
        expect![[r#"
            at `b`: `b` depends on where the saga stands
            help: write `crate = ::b` or `crate = crate::b`
            at `versoin`: unknown option `versoin` of `#[saga(…)]`
            help: did you mean `version`?
            at `x`: unknown option `x` of `#[saga(…)]`
            help: did you mean `tx`?
        "#]],
    );
    check_saga(
        "#[saga(version = two)] saga A() {}",
        expect![[r#"
        at `# [saga (version = two)]`: this option cannot be read: expected integer literal
        help: write `#[saga(crate = ::path, version = N)]`
    "#]],
    );
    check_saga(
        "#[saga] saga A() {}",
        expect![[r#"
        at `# [saga]`: this option cannot be read: expected attribute arguments in parentheses: #[saga(...)]
        help: write `#[saga(crate = ::path, version = N)]`
    "#]],
    );
    check_saga(
        "#[saga(version = 99999999999)] saga A() {}",
        expect![[r#"
        at `99999999999`: `99999999999` is no version
        help: write a number such as `version = 2`
    "#]],
    );
}

#[test]
fn participants() {
    check(
        "with a: A, b: step c: C = b.f();",
        expect![[r#"
            at `b`: participant `b` has no type
            help: write `b: Type`
            Step c: C = b . f ()
        "#]],
    );
    check(
        "with a, b: B; step c: C = a.f();",
        expect![[r#"
        at `a`: participant `a` has no type
        help: write `a: Type`
        Step c: C = a . f ()
    "#]],
    );
    check(
        "with; step c: C = f();",
        expect![[r#"
        at `with`: `with` names no participant
        help: write `with name: Type;`
        Step c: C = f ()
    "#]],
    );
    check(
        "with a: A b: B; step c: C = f();",
        expect![[r#"
        at `b`: expected `,` after a participant, found `b`
        Step c: C = f ()
    "#]],
    );
    check(
        "with a: A",
        expect![[r#"
        at `A`: `;` is missing after `with`: found the end
    "#]],
    );
}
