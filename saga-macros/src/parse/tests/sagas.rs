//! Generic sagas.

use expect_test::expect;

use super::check_saga;

#[test]
fn generics() {
    check_saga(
        "saga Trip<P: Desk + Fn(A) -> B, const N: usize,>(trip: P) -> Vec<X> where P: Y<Z = X> + 'static, X: for<'a> W<'a> { step b: B = g(); }",
        expect![[r#"
            generics < P : Desk + Fn (A) -> B , const N : usize > where P : Y < Z = X > + 'static , X : for < 'a > W < 'a >
            Step b: B = g ()
        "#]],
    );
    check_saga(
        "saga Trip<>() where { step b: B = g(); }",
        expect![[r#"
        generics  
        Step b: B = g ()
    "#]],
    );
}

#[test]
fn lifetimes() {
    check_saga(
        "saga Trip<'a, P: Desk, 'b: 'a>(trip: P) { step b: B = g(); }",
        expect![[r#"
        at `'a`: saga data must own its data: there is no `'a` for it
        help: remove the lifetime; write `String` instead of `&str`, `Vec<T>` instead of `&[T]`
        at `'b`: saga data must own its data: there is no `'b` for it
        help: remove the lifetime; write `String` instead of `&str`, `Vec<T>` instead of `&[T]`
        generics < P : Desk > 
        Step b: B = g ()
    "#]],
    );
}

#[test]
fn generics_that_are_half_typed() {
    check_saga(
        "saga Trip<P: Desk(trip: P) { step b: B = g(); }",
        expect![[r#"
        at `<`: these generics are not complete: found no `>`
        Step b: B = g ()
    "#]],
    );
    check_saga(
        "saga Trip< { step b: B = g(); }",
        expect![[r#"
        at `<`: these generics are not complete: found no `>`
        at `Trip`: saga `Trip` has no inputs
        help: write `saga Trip(input: Type)`, or `saga Trip()`
        Step b: B = g ()
    "#]],
    );
    check_saga(
        "saga Trip<P Q>(trip: P) { step b: B = g(); }",
        expect![[r#"
        at `…`: these generics cannot be read: expected `,`
        help: write `saga Name<P: Desk>(input: Type) -> Output { … }`
        Step b: B = g ()
    "#]],
    );
    check_saga(
        "saga Trip<P>(trip: P) where P { step b: B = g(); }",
        expect![[r#"
        at `…`: this `where` cannot be read: expected `:`
        help: write `where P: Desk`
        generics < P > 
        Step b: B = g ()
    "#]],
    );
    check_saga(
        "saga Trip<P>(trip: P) -> where P: D { step b: B = g(); }",
        expect![[r#"
            at `-`: `->` has no type
            help: write `-> Output`, or nothing for `()`
            generics < P > where P : D
            Step b: B = g ()
        "#]],
    );
    check_saga(
        "saga Trip<P>(trip: P) where P: D saga B() { step b: B = g(); }",
        expect![[r#"
        at `D`: saga `Trip` has no body: found `saga`
        help: write `saga Trip(…) -> Output { … }`
        Step b: B = g ()
    "#]],
    );
    check_saga(
        "saga Trip<",
        expect![[r#"
        at `<`: these generics are not complete: found no `>`
        at `<`: saga `Trip` has no body: found the end
        help: write `saga Trip(…) -> Output { … }`
    "#]],
    );
}
