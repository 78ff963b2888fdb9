//! Each position carries exactly what exists there and is still needed.

use expect_test::{Expect, expect};

use super::{expand_text, outline};

#[track_caller]
fn check(saga: &str, expected: Expect) {
    let file = expand_text(saga);
    let text = quote::ToTokens::to_token_stream(&file).to_string();
    assert!(!text.contains("compile_error"), "{text}");
    expected.assert_eq(&outline::outline(&file));
}

#[test]
fn a_sequence_with_an_implicit_pivot() {
    check(
        "pub saga Trip(x: X) -> R { with p: P;
            step a: A = p.a(cx, x) compensate p.undo(cx, a);
            step b: B = p.b(cx, x, a) compensate p.undo(cx, b);
            step c: C = p.c(cx);
            return R { b, c };
        }",
        expect![[r#"
            TripForward = A(TripAStep) | B(TripBStep) | C(TripCStep) | Return(TripReturn)
            TripAStep { x, attempts }
                done → TripBStep
                turn → TripBackward
            TripBStep { x, a, undo, attempts }
                done → TripCStep
                turn → TripBackward
            TripCStep { b, undo, attempts }
                done → TripReturn
                turn → TripBackward
            TripReturn { b, c }
            TripBackward = SettleB(TripBSettlement) | CompensateB(TripBCompensation) | SettleA(TripASettlement) | CompensateA(TripACompensation) | Undone
            TripBSettlement { x, a, undo, attempts }
                done → TripBCompensation
                absent → TripBackward
            TripBCompensation { b, undo, attempts }
                compensated → TripBackward
            TripASettlement { x, attempts }
                done → TripACompensation
                absent → TripBackward
            TripACompensation { a, attempts }
                compensated → TripBackward
        "#]],
    );
}

#[test]
fn a_compensation_by_key() {
    check(
        "pub saga Trip(x: X, y: Y) { with p: P;
            step a: A = p.a(cx, x) compensate p.undo(cx, y);
            step b: B = p.b(cx, a) compensate p.undo(cx);
        }",
        expect![[r#"
            TripForward = A(TripAStep) | B(TripBStep) | Return(TripReturn)
            TripAStep { x, y, attempts }
                done → TripBStep
                turn → TripBackward
            TripBStep { a, undo, attempts }
                done → TripReturn
                turn → TripBackward
            TripReturn { undo }
                turn → TripBackward
            TripBackward = CompensateB(TripBCompensation) | CompensateA(TripACompensation) | Undone
            TripBCompensation { undo, attempts }
                compensated → TripBackward
            TripACompensation { y, attempts }
                compensated → TripBackward
        "#]],
    );
}

#[test]
fn reads_and_harmless_steps_are_not_undone() {
    check(
        "pub saga Trip(x: X) { with p: P;
            read a: A = p.a(cx, x);
            step b: B = p.b(cx, a) compensate nothing;
            step c: C = p.c(cx) compensate p.undo(cx, c, a);
            pivot d: D = p.d(cx, b);
            step e: E = p.e(cx, d);
        }",
        expect![[r#"
            TripForward = A(TripAStep) | B(TripBStep) | C(TripCStep) | D(TripDStep) | E(TripEStep) | Return(TripReturn)
            TripAStep { x, attempts }
                done → TripBStep
                turn → TripBackward
            TripBStep { a, attempts }
                done → TripCStep
                turn → TripBackward
            TripCStep { a, b, attempts }
                done → TripDStep
                turn → TripBackward
            TripDStep { b, undo, attempts }
                done → TripEStep
                turn → TripBackward
            TripEStep { d, attempts }
                done → TripReturn
            TripReturn {  }
            TripBackward = SettleC(TripCSettlement) | CompensateC(TripCCompensation) | Undone
            TripCSettlement { a, attempts }
                done → TripCCompensation
                absent → TripBackward
            TripCCompensation { a, c, attempts }
                compensated → TripBackward
        "#]],
    );
}

#[test]
fn branches_carry_what_is_used_in_them() {
    check(
        "pub saga Trip(x: X, y: Y) -> C { with p: P;
            step a: A = p.a(cx) compensate p.undo(cx, a);
            parallel {
                step b: B = p.b(cx, x) compensate p.undo(cx, b, y);
                { step c: C = p.c(cx, x) compensate nothing; step d: D = p.d(cx, c) compensate p.undo(cx, d); }
            }
            return c;
        }",
        expect![[r#"
            TripForward = A(TripAStep) | BToD(TripBToDParallel) | Return(TripReturn)
            TripAStep { x, y, attempts }
                done → TripBToDParallel
                turn → TripBackward
            TripBToDParallel { undo, b, c_to_d }
                join → TripReturn
                turn → TripBackward
            TripBBranch = B(TripBStep) | BranchDone(TripBBranchDone)
            TripBStep { x, y, attempts }
                done → TripBBranchDone
                turn → TripBBranchBackward
            TripBBranchDone { undo }
                turn → TripBBranchBackward
            TripCToDBranch = C(TripCStep) | D(TripDStep) | BranchDone(TripCToDBranchDone)
            TripCStep { x, attempts }
                done → TripDStep
                turn → TripCToDBranchBackward
            TripDStep { c, attempts }
                done → TripCToDBranchDone
                turn → TripCToDBranchBackward
            TripCToDBranchDone { c, undo }
                turn → TripCToDBranchBackward
            TripReturn { c, undo }
                turn → TripBackward
            TripBackward = CompensateBToD(TripBToDParallelBackward) | SettleA(TripASettlement) | CompensateA(TripACompensation) | Undone
            TripBToDParallelBackward { b, c_to_d, undo }
                join → TripBackward
            TripBBranchBackward = SettleB(TripBSettlement) | CompensateB(TripBCompensation) | Undone
            TripBSettlement { x, y, attempts }
                done → TripBCompensation
                absent → TripBBranchBackward
            TripBCompensation { y, b, attempts }
                compensated → TripBBranchBackward
            TripCToDBranchBackward = SettleD(TripDSettlement) | CompensateD(TripDCompensation) | Undone
            TripDSettlement { c, attempts }
                done → TripDCompensation
                absent → TripCToDBranchBackward
            TripDCompensation { d, attempts }
                compensated → TripCToDBranchBackward
            TripASettlement { attempts }
                done → TripACompensation
                absent → TripBackward
            TripACompensation { a, attempts }
                compensated → TripBackward
        "#]],
    );
}

#[test]
fn nested_parallels() {
    check(
        "pub saga Trip(x: X) { with p: P;
            parallel {
                step a: A = p.a(cx, x) compensate p.undo(cx, a);
                {
                    step b: B = p.b(cx) compensate p.undo(cx, b);
                    parallel {
                        step c: C = p.c(cx, b) compensate p.undo(cx, c);
                        step d: D = p.d(cx, x) compensate nothing;
                    }
                }
            }
            pivot e: E = p.e(cx, a, c);
        }",
        expect![[r#"
            TripForward = AToD(TripAToDParallel) | E(TripEStep) | Return(TripReturn)
            TripAToDParallel { a, b_to_d }
                join → TripEStep
                turn → TripBackward
            TripABranch = A(TripAStep) | BranchDone(TripABranchDone)
            TripAStep { x, attempts }
                done → TripABranchDone
                turn → TripABranchBackward
            TripABranchDone { a, undo }
                turn → TripABranchBackward
            TripBToDBranch = B(TripBStep) | CToD(TripCToDParallel) | BranchDone(TripBToDBranchDone)
            TripBStep { x, attempts }
                done → TripCToDParallel
                turn → TripBToDBranchBackward
            TripCToDParallel { undo, c, d }
                join → TripBToDBranchDone
                turn → TripBToDBranchBackward
            TripCBranch = C(TripCStep) | BranchDone(TripCBranchDone)
            TripCStep { b, attempts }
                done → TripCBranchDone
                turn → TripCBranchBackward
            TripCBranchDone { c, undo }
                turn → TripCBranchBackward
            TripDBranch = D(TripDStep) | BranchDone(TripDBranchDone)
            TripDStep { x, attempts }
                done → TripDBranchDone
                turn → TripDBranchBackward
            TripDBranchDone {  }
                turn → TripDBranchBackward
            TripBToDBranchDone { c, undo }
                turn → TripBToDBranchBackward
            TripEStep { a, c, undo, attempts }
                done → TripReturn
                turn → TripBackward
            TripReturn {  }
            TripBackward = CompensateAToD(TripAToDParallelBackward) | Undone
            TripAToDParallelBackward { a, b_to_d }
                join → TripBackward
            TripABranchBackward = SettleA(TripASettlement) | CompensateA(TripACompensation) | Undone
            TripASettlement { x, attempts }
                done → TripACompensation
                absent → TripABranchBackward
            TripACompensation { a, attempts }
                compensated → TripABranchBackward
            TripBToDBranchBackward = CompensateCToD(TripCToDParallelBackward) | SettleB(TripBSettlement) | CompensateB(TripBCompensation) | Undone
            TripCToDParallelBackward { c, d, undo }
                join → TripBToDBranchBackward
            TripCBranchBackward = SettleC(TripCSettlement) | CompensateC(TripCCompensation) | Undone
            TripCSettlement { b, attempts }
                done → TripCCompensation
                absent → TripCBranchBackward
            TripCCompensation { c, attempts }
                compensated → TripCBranchBackward
            TripDBranchBackward = Undone
            TripBSettlement { attempts }
                done → TripBCompensation
                absent → TripBToDBranchBackward
            TripBCompensation { b, attempts }
                compensated → TripBToDBranchBackward
        "#]],
    );
}

#[test]
fn a_parallel_after_the_pivot_does_not_turn() {
    check(
        "pub saga Trip() -> B { with p: P;
            pivot a: A = p.a(cx);
            parallel {
                step b: B = p.b(cx, a);
                { step c: C = p.c(cx); step d: D = p.d(cx, c); }
            }
            return b;
        }",
        expect![[r#"
            TripForward = A(TripAStep) | BToD(TripBToDParallel) | Return(TripReturn)
            TripAStep { attempts }
                done → TripBToDParallel
                turn → TripBackward
            TripBToDParallel { b, c_to_d }
                join → TripReturn
            TripBBranch = B(TripBStep) | BranchDone(TripBBranchDone)
            TripBStep { a, attempts }
                done → TripBBranchDone
            TripBBranchDone { b }
            TripCToDBranch = C(TripCStep) | D(TripDStep) | BranchDone(TripCToDBranchDone)
            TripCStep { attempts }
                done → TripDStep
            TripDStep { c, attempts }
                done → TripCToDBranchDone
            TripCToDBranchDone {  }
            TripReturn { b }
            TripBackward = Undone
        "#]],
    );
}

#[test]
fn a_parallel_with_nothing_to_undo() {
    check(
        "pub saga Trip(x: X) { with p: P;
            step z: Z = p.z(cx) compensate p.undo(cx, z);
            parallel { read a: A = p.a(cx, x); step b: B = p.b(cx) compensate nothing; }
        }",
        expect![[r#"
            TripForward = Z(TripZStep) | AToB(TripAToBParallel) | Return(TripReturn)
            TripZStep { x, attempts }
                done → TripAToBParallel
                turn → TripBackward
            TripAToBParallel { undo, a, b }
                join → TripReturn
                turn → TripBackward
            TripABranch = A(TripAStep) | BranchDone(TripABranchDone)
            TripAStep { x, attempts }
                done → TripABranchDone
            TripABranchDone {  }
            TripBBranch = B(TripBStep) | BranchDone(TripBBranchDone)
            TripBStep { attempts }
                done → TripBBranchDone
            TripBBranchDone {  }
            TripReturn { undo }
                turn → TripBackward
            TripBackward = SettleZ(TripZSettlement) | CompensateZ(TripZCompensation) | Undone
            TripZSettlement { attempts }
                done → TripZCompensation
                absent → TripBackward
            TripZCompensation { z, attempts }
                compensated → TripBackward
        "#]],
    );
}

#[test]
fn names_that_meet_get_a_number() {
    check(
        "pub saga Trip(a_to_b: X, attempts: Y) { with p: P;
            parallel {
                { step a: A = p.a(cx, a_to_b) compensate nothing; step b: B = p.b(cx, attempts) compensate nothing; }
                step c: C = p.c(cx) compensate nothing;
            }
            parallel { parallel { step r#return: D = p.d(cx, a_to_b) compensate p.undo(cx); } }
        }",
        expect![[r#"
            TripForward = AToC(TripAToCParallel) | Return2(TripReturn2Parallel) | Return(TripReturn)
            TripAToCParallel { a_to_b, a_to_b2, c }
                join → TripReturn2Parallel
                turn → TripBackward
            TripAToB2Branch = A(TripAStep) | B(TripBStep) | BranchDone(TripAToB2BranchDone)
            TripAStep { a_to_b, attempts, attempts2 }
                done → TripBStep
            TripBStep { attempts, attempts2 }
                done → TripAToB2BranchDone
            TripAToB2BranchDone {  }
            TripCBranch = C(TripCStep) | BranchDone(TripCBranchDone)
            TripCStep { attempts2 }
                done → TripCBranchDone
            TripCBranchDone {  }
            TripReturn2Parallel { r#return }
                join → TripReturn
                turn → TripBackward
            TripReturnBranch = Return3(TripReturn3Parallel) | BranchDone(TripReturnBranchDone)
            TripReturn3Parallel { return2 }
                join → TripReturnBranchDone
                turn → TripReturnBranchBackward
            TripReturn2Branch = Return(TripReturnStep) | BranchDone(TripReturn2BranchDone)
            TripReturnStep { a_to_b, attempts2 }
                done → TripReturn2BranchDone
                turn → TripReturn2BranchBackward
            TripReturn2BranchDone { undo }
                turn → TripReturn2BranchBackward
            TripReturnBranchDone { undo }
                turn → TripReturnBranchBackward
            TripReturn { undo }
                turn → TripBackward
            TripBackward = CompensateReturn2(TripReturn2ParallelBackward) | Undone
            TripReturn2ParallelBackward { r#return }
                join → TripBackward
            TripReturnBranchBackward = CompensateReturn3(TripReturn3ParallelBackward) | Undone
            TripReturn3ParallelBackward { return2 }
                join → TripReturnBranchBackward
            TripReturn2BranchBackward = CompensateReturn(TripReturnCompensation) | Undone
            TripReturnCompensation { attempts2 }
                compensated → TripReturn2BranchBackward
        "#]],
    );
}
