//! `if` and `for`.

use expect_test::expect;

use super::check;

#[test]
fn the_forms_of_if() {
    check(
        "if trip.wants_car { step car: Car = f(); } step b: B = g();",
        expect![[r#"
            if trip . wants_car
              Step car: Car = f ()
            Step b: B = g ()
        "#]],
    );
    check(
        "if let Car { x } | Bike { x } = car && x > 5 { step c: C = f(); } else if match x { 1 => true, _ => false } { sleep 5s; } else { step d: D = g(); }",
        expect![[r#"
            if let Car { x } | Bike { x } = car && x > 5
              Step c: C = f ()
            if match x { 1 => true , _ => false }
              sleep 5000ms
            else
              Step d: D = g ()
        "#]],
    );
    check(
        "if if a { b } else { c } { step c: C = f(); } else { }",
        expect![[r#"
            if if a { b } else { c }
              Step c: C = f ()
            else
        "#]],
    );
    check(
        "if a == (Car { x: 1 }) && f(|x| { x }) || { a } == b && matches! { a } { if c { step c: C = f(); } }",
        expect![[r#"
            if a == (Car { x : 1 }) && f (| x | { x }) || { a } == b && matches ! { a }
              if c
                Step c: C = f ()
        "#]],
    );
    check(
        "parallel { if x { step a: A = f(); } { step b: B = g(); step c: C = g(); } if y { step d: D = g(); } }",
        expect![[r#"
            branch
              if x
                Step a: A = f ()
            branch
              Step b: B = g ()
              Step c: C = g ()
            branch
              if y
                Step d: D = g ()
        "#]],
    );
}

#[test]
fn an_if_that_is_half_typed() {
    check(
        "if {} step b: B = g();",
        expect![[r#"
        at `if`: `if` has no condition
        help: write `if condition { … }`
        if  (refused)
        Step b: B = g ()
    "#]],
    );
    check(
        "if x {} else if y {} else {}",
        expect![[r#"
        at `if`: `if` has no step
        help: remove it, or write steps in it
        if x
        if y
        else
    "#]],
    );
    check(
        "if x step b: B = g();",
        expect![[r#"
        at `if`: `if` has no block
        help: write `if condition { … }`
        if x
        Step b: B = g ()
    "#]],
    );
    check(
        "if x; step b: B = g();",
        expect![[r#"
        at `if`: `if` has no block
        help: write `if condition { … }`
        if x
        Step b: B = g ()
    "#]],
    );
    check(
        "if trip. { step b: B = g(); } else { step c: C = g(); }",
        expect![[r#"
        at `.`: this expression is not complete: found `{ … }` after it
        if trip . (refused)
          Step b: B = g ()
        else
          Step c: C = g ()
    "#]],
    );
    check(
        "if x && step b: B = g();",
        expect![[r#"
        at `&`: this expression is not complete: found `step` after it
        if x && (refused)
        Step b: B = g ()
    "#]],
    );
    check(
        "if { step b: B = g(); }",
        expect![[r#"
        at `if`: `if` has no condition
        help: write `if condition { … }`
        if  (refused)
          Step b: B = g ()
    "#]],
    );
    check(
        "if x y { step b: B = g(); }",
        expect![[r#"
        at `…`: this expression cannot be read: unexpected token
        if x y (refused)
          Step b: B = g ()
    "#]],
    );
}

#[test]
fn an_else_that_cannot_be() {
    check(
        "if x { step a: A = f(); } else step b: B = g();",
        expect![[r#"
        at `else`: `else` has no block: found `step` after it
        help: write `else { … }` or `else if condition { … }`
        if x
          Step a: A = f ()
        Step b: B = g ()
    "#]],
    );
    check(
        "if x { step a: A = f(); } else { step c: C = f(); } else { step b: B = g(); }",
        expect![[r#"
        at `else`: `else` has no `if`
        help: it follows the `}` of an `if` directly: `if condition { … } else { … }`
        if x
          Step a: A = f ()
        else
          Step c: C = f ()
        Step b: B = g ()
    "#]],
    );
    check(
        "if x { step a: A = f(); }; else { step b: B = g(); }",
        expect![[r#"
        at `else`: `else` has no `if`
        help: it follows the `}` of an `if` directly: `if condition { … } else { … }`
        if x
          Step a: A = f ()
        Step b: B = g ()
    "#]],
    );
}

#[test]
fn what_stands_beside_an_if() {
    check(
        "if x { step a: A = f() } else { step b: B = g(); }",
        expect![[r#"
        at `()`: `;` is missing after step `a`: found the end
        if x
          Step a: A = f ()
        else
          Step b: B = g ()
    "#]],
    );
    check(
        "if x if y { step a: A = f(); }",
        expect![[r#"
        at `if`: `if` has no block
        help: write `if condition { … }`
        if x
        if y
          Step a: A = f ()
    "#]],
    );
    check(
        "fi x { step a: A = f(); }",
        expect![[r#"
        at `fi`: unknown statement `fi`: did you mean `if`?
        if x
          Step a: A = f ()
    "#]],
    );
    check(
        "i; f step a: A = f();",
        expect![[r#"
        at `i`: unknown statement `i`
        help: a saga is made of `with`, `timeout`, `retry`, `deadline`, `lock`, `step`, `read`, `local`, `pivot`, `receive`, `saga`, `sleep`, `parallel`, `if`, `for` and `return`
        at `f`: unknown statement `f`
        help: a saga is made of `with`, `timeout`, `retry`, `deadline`, `lock`, `step`, `read`, `local`, `pivot`, `receive`, `saga`, `sleep`, `parallel`, `if`, `for` and `return`
        Step a: A = f ()
    "#]],
    );
    check(
        "x { step a: A = f(); } else { step b: B = g(); } step c: C = f();",
        expect![[r#"
            at `x`: unknown statement `x`
            help: a saga is made of `with`, `timeout`, `retry`, `deadline`, `lock`, `step`, `read`, `local`, `pivot`, `receive`, `saga`, `sleep`, `parallel`, `if`, `for` and `return`
            Step a: A = f ()
            Step b: B = g ()
            Step c: C = f ()
        "#]],
    );
    check(
        "#[cfg(x)] if x { step a: A = f(); } #[cfg(x)] timeout 5s;",
        expect![[r#"
        at `# [cfg (x)]`: `if` can have documentation, but no other attribute
        help: remove it: what a saga consists of does not depend on how it is compiled
        at `# [cfg (x)]`: `timeout` can have documentation, but no other attribute
        help: remove it: what a saga consists of does not depend on how it is compiled
        if x
          Step a: A = f ()
         | timeout 5000ms"#]],
    );
    check(
        "step a: A = f() if x { step b: B = g(); }",
        expect![[r#"
        at `()`: `;` is missing after step `a`: found `if`
        Step a: A = f ()
        if x
          Step b: B = g ()
    "#]],
    );
    check(
        "step a: A = f. if x { step b: B = g(); }",
        expect![[r#"
        at `.`: this expression is not complete: found `if` after it
        Step a: A = f . (refused)
        if x
          Step b: B = g ()
    "#]],
    );
}

#[test]
fn a_let_that_is_half_typed() {
    check(
        "if let Some(x) { step b: B = g(); }",
        expect![[r#"
        at `…`: this expression cannot be read: expected `=`
        if let Some (x) (refused)
          Step b: B = g ()
    "#]],
    );
    check(
        "if let = x { step b: B = g(); }",
        expect![[r#"
        at `…`: this expression cannot be read: expected one of: identifier, `::`, `<`, `_`, literal, `const`, `ref`, `mut`, `&`, parentheses, square brackets, `..`, `const`
        if let = x (refused)
          Step b: B = g ()
    "#]],
    );
}

#[test]
fn declarations_in_a_block() {
    check(
        "if x { with a: A; deadline 5s; lock a; return x; timeout 5s; step b: B = g(); } for x: X in y { retry never; step c: C = f(); } parallel for z: Z in zs limit 3 { lock b; step d: D = f(); }",
        expect![[r#"
        at `with`: `with` is said for the whole saga: it cannot stand in `if`
        help: move it out of `if`
        at `deadline`: `deadline` is said for the whole saga: it cannot stand in `if`
        help: move it out of `if`
        at `lock`: `lock` is said for the whole saga: it cannot stand in `if`
        help: move it out of `if`, before the first step
        at `return`: `return` is said for the whole saga: it cannot stand in `if`
        help: move it out of `if`, to the end
        at `timeout`: `timeout` is said for the whole saga: it cannot stand in `if`
        help: move it out of `if`
        at `retry`: `retry` is said for the whole saga: it cannot stand in `for`
        help: move it out of `for`
        at `lock`: `lock` is said for the whole saga: it cannot stand in `parallel for`
        help: move it out of `parallel for`, before the first step
        if x
          Step b: B = g ()
        for x: X in y
          Step c: C = f ()
        for z: Z in zs limit 3
          Step d: D = f ()
    "#]],
    );
}

#[test]
fn a_for_that_is_half_typed() {
    check(
        "for line: Line of lines { step a: A = f(line); }",
        expect![[r#"
        at `Line`: expected `in` after the item, found `of`
        help: write `for line: Type in items { … }`
        for line: Line in lines
          Step a: A = f (line)
    "#]],
    );
    check(
        "for line: Line step b: B = g();",
        expect![[r#"
        at `Line`: expected `in` after the item, found `step`
        help: write `for line: Type in items { … }`
        for line: Line in  (refused)
        Step b: B = g ()
    "#]],
    );
    check(
        "for step b: B = g();",
        expect![[r#"
        at `for`: expected the name of an item, found `step`
        for __saga_item: () in  (refused)
        Step b: B = g ()
    "#]],
    );
    check(
        "parallel for line: Line in lines step b: B = g();",
        expect![[r#"
        at `lines`: `parallel for` has no `limit`
        help: write `limit 4`: so many items are worked on at once; `for` alone works on one after the other
        for line: Line in lines limit 1
        Step b: B = g ()
    "#]],
    );
    check(
        "for line in lines { step a: A = f(line); }",
        expect![[r#"
            at `line`: item `line` has no type
            help: write `for line: Type in items { … }`
            for line: () in lines
              Step a: A = f (line)
        "#]],
    );
    check(
        "for line: in lines { step a: A = f(line); }",
        expect![[r#"
            at `line`: item `line` has no type
            help: write `for line: Type in items { … }`
            for line: () in lines
              Step a: A = f (line)
        "#]],
    );
    check(
        "for line: Vec<Line in lines { step a: A = f(line); }",
        expect![[r#"
        at `Vec < Line`: this is no type
        for line: () in lines
          Step a: A = f (line)
    "#]],
    );
    check(
        "for line: Line lines { step a: A = f(line); }",
        expect![[r#"
            at `Line`: expected `in` after the item, found `lines`
            help: write `for line: Type in items { … }`
            for line: Line in lines
              Step a: A = f (line)
        "#]],
    );
    check(
        "for line: Line = lines { step a: A = f(line); }",
        expect![[r#"
            at `Line`: expected `in` after the item, found `=`
            help: write `for line: Type in items { … }`
            for line: Line in lines
              Step a: A = f (line)
        "#]],
    );
    check(
        "for line: Line { step a: A = f(line); }",
        expect![[r#"
            at `Line`: expected `in` after the item, found `{ … }`
            help: write `for line: Type in items { … }`
            for line: Line in  (refused)
              Step a: A = f (line)
        "#]],
    );
    check(
        "for line: Line in { step a: A = f(line); }",
        expect![[r#"
            at `in`: `for` has nothing to go through
            help: write `for line: Type in items { … }`
            for line: Line in  (refused)
              Step a: A = f (line)
        "#]],
    );
}

#[test]
fn a_for_without_items_or_item() {
    check(
        "for line: Line in lines. { step a: A = f(line); }",
        expect![[r#"
        at `.`: this expression is not complete: found `{ … }` after it
        for line: Line in lines . (refused)
          Step a: A = f (line)
    "#]],
    );
    check(
        "for { step a: A = f(line); }",
        expect![[r#"
        at `for`: expected the name of an item, found `{ … }`
        for __saga_item: () in  (refused)
          Step a: A = f (line)
    "#]],
    );
    check(
        "for in lines { step a: A = f(line); }",
        expect![[r#"
            at `for`: expected the name of an item, found `in`
            for __saga_item: () in lines
              Step a: A = f (line)
        "#]],
    );
    check(
        "for (a, b): Line in lines { step a: A = f(line); }",
        expect![[r#"
            at `for`: expected the name of an item, found `( … )`
            for __saga_item: () in lines
              Step a: A = f (line)
        "#]],
    );
    check(
        "for type: Line in lines { step a: A = f(line); }",
        expect![[r#"
        at `type`: an item cannot be named `type`: that is a word of Rust
        help: rename it, or write `r#type`
        for __saga_item: () in lines
          Step a: A = f (line)
    "#]],
    );
}

#[test]
fn a_for_without_a_block() {
    check(
        "for line: Line in lines; step b: B = g();",
        expect![[r#"
            at `for`: `for` has no block
            help: write `for line: Type in items { … }`
            for line: Line in lines
            Step b: B = g ()
        "#]],
    );
    check(
        "for line: Line in lines step b: B = g();",
        expect![[r#"
            at `for`: `for` has no block
            help: write `for line: Type in items { … }`
            for line: Line in lines
            Step b: B = g ()
        "#]],
    );
    check(
        "for line: Line in lines { }",
        expect![[r#"
        at `for`: `for` has no step
        help: remove it, or write steps in it
        for line: Line in lines
    "#]],
    );
}

#[test]
fn limits() {
    check(
        "for line: Line in lines limit 4 { step a: A = f(line); }",
        expect![[r#"
        at `limit`: a `for` has no `limit`: it works on one item after the other
        help: remove `limit`, or write `parallel for`
        for line: Line in lines
          Step a: A = f (line)
    "#]],
    );
    check(
        "parallel for line: Line in lines { step a: A = f(line); }",
        expect![[r#"
        at `lines`: `parallel for` has no `limit`
        help: write `limit 4`: so many items are worked on at once; `for` alone works on one after the other
        for line: Line in lines limit 1
          Step a: A = f (line)
    "#]],
    );
    check(
        "parallel for line: Line in lines limit 0 { step a: A = f(line); }",
        expect![[r#"
        at `0`: a limit of 0 lets no item be worked on
        help: write `limit 1` or more
        for line: Line in lines limit 1
          Step a: A = f (line)
    "#]],
    );
    check(
        "parallel for line: Line in lines limit { step a: A = f(line); }",
        expect![[r#"
        at `limit`: expected a number after `limit`, found `{ … }`
        help: write `limit 4`: so many items are worked on at once
        for line: Line in lines limit 1
          Step a: A = f (line)
    "#]],
    );
    check(
        "parallel for line: Line in lines limit N { step a: A = f(line); }",
        expect![[r#"
        at `limit`: expected a number after `limit`, found `N`
        help: write `limit 4`: so many items are worked on at once
        for line: Line in lines limit 1
          Step a: A = f (line)
    "#]],
    );
    check(
        "parallel for line: Line in lines limit 5s { step a: A = f(line); }",
        expect![[r#"
        at `limit`: expected a number after `limit`, found `5s`
        help: write `limit 4`: so many items are worked on at once
        for line: Line in lines limit 1
          Step a: A = f (line)
    "#]],
    );
    check(
        "parallel for line: Line in lines limt 4 { step a: A = f(line); }",
        expect![[r#"
        at `limt`: expected `limit`, found `limt`
        help: did you mean `limit`?
        for line: Line in lines limit 4
          Step a: A = f (line)
    "#]],
    );
    check(
        "parallel for line: Line in lines limit 99999999999 { step a: A = f(line); }",
        expect![[r#"
        at `limit`: expected a number after `limit`, found `99999999999`
        help: write `limit 4`: so many items are worked on at once
        for line: Line in lines limit 1
          Step a: A = f (line)
    "#]],
    );
    check(
        "parallel for line in lines { step a: A = f(line); }",
        expect![[r#"
            at `line`: item `line` has no type
            help: write `parallel for line: Type in items limit 4 { … }`
            for line: () in lines limit 1
              Step a: A = f (line)
        "#]],
    );
    check(
        "parallel for line: Line in lines limit 3 { }",
        expect![[r#"
        at `parallel`: `parallel for` has no step
        help: remove it, or write steps in it
        for line: Line in lines limit 3
    "#]],
    );
    check(
        "foreach line: Line in lines { step a: A = f(line); }",
        expect![[r#"
            at `foreach`: unknown statement `foreach`: did you mean `for`?
            for line: Line in lines
              Step a: A = f (line)
        "#]],
    );
}

#[test]
fn the_forms_of_for() {
    check(
        "for line: Line in trip.lines { step a: A = f(line); sleep 5s; }",
        expect![[r#"
        for line: Line in trip . lines
          Step a: A = f (line)
          sleep 5000ms
    "#]],
    );
    check(
        "parallel for line: Vec<(A, B)> in trip.lines.iter().map(|l| { l }) limit 1_000 { step a: A = f(line); }",
        expect![[r#"
        for line: Vec < (A , B) > in trip . lines . iter () . map (| l | { l }) limit 1000
          Step a: A = f (line)
    "#]],
    );
    check(
        "for line: Line in match x { _ => y } { step a: A = f(line); }",
        expect![[r#"
        for line: Line in match x { _ => y }
          Step a: A = f (line)
    "#]],
    );
    check(
        "for limit: Limit in limit + limit { step a: A = f(limit); }",
        expect![[r#"
        for limit: Limit in limit + limit
          Step a: A = f (limit)
    "#]],
    );
}
