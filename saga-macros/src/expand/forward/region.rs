//! A sequence: the enum of its positions, and what the runtime asks of it.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::{arrive, holds, parallel, position, step};
use crate::expand::event::StepEvents;
use crate::expand::names::{doc, plain, snake};
use crate::expand::place::Outside;
use crate::expand::{Code, Expansion, Position, RegionNames, backward, branches, calls};
use crate::layout::{NodeLayout, RegionLayout};

/// The positions of a region and of all its branches.
pub(in crate::expand) fn expand(saga: &Expansion<'_>, region: &RegionLayout, code: &mut Code) {
    let names = RegionNames::new(saga, region);
    items(saga, region, &names, code);
    code.implementation.extend(implementation(saga, region, &names));
    for (index, node) in region.nodes.iter().enumerate() {
        match node {
            NodeLayout::Step(layout) => step::expand(saga, region, index, layout, code),
            NodeLayout::Parallel(layout) => parallel::expand(saga, region, index, layout, code),
        }
    }
    end(saga, region, &names, code);
}

fn items(saga: &Expansion<'_>, region: &RegionLayout, names: &RegionNames, code: &mut Code) {
    let vis = &saga.model.ast.vis;
    let RegionNames { forward, end, .. } = names;
    let head = doc(&match region.label.as_str() {
        "" => format!("Where a [`{}`] is on its way forward.", plain(&saga.model.ast.name)),
        label => format!("Where the branch `{}` is on its way forward.", snake(label)),
    });
    let variants = region.nodes.iter().map(|node| {
        let Position { variant, ty } = position(saga, node);
        let doc = doc(&match node {
            NodeLayout::Step(step) => format!("`{}` is to be done.", saga.step_name(step.id)),
            NodeLayout::Parallel(layout) => branches::text(saga, layout, "done"),
        });
        quote!(#doc #variant(#ty),)
    });
    let (end_variant, end_ty, end_doc) = (&end.variant, &end.ty, doc(end_text(region)));
    code.items.extend(quote! {
        #head
        #[derive(::core::clone::Clone, ::core::fmt::Debug)]
        #vis enum #forward {
            #(#variants)*
            #end_doc
            #end_variant(#end_ty),
        }
    });
}

fn end_text(region: &RegionLayout) -> &'static str {
    if region.label.is_empty() { "All is done: the output is to be built." } else { "The branch is done." }
}

fn implementation(saga: &Expansion<'_>, region: &RegionLayout, names: &RegionNames) -> TokenStream {
    let RegionNames { forward, backward, end } = names;
    let Expansion { event, .. } = saga;
    let end_variant = &end.variant;
    let apply = (0..region.nodes.len()).map(|index| apply_arms(saga, region, index));
    let calls = region.nodes.iter().map(|node| calls_arm(saga, node));
    let methods = quote! {
        fn apply(
            self,
            event: #event,
            turn: &mut __saga::Option<__saga::Cause>,
        ) -> __saga::Applied<Self> {
            match (self, event) {
                #(#apply)*
                (at, _) => __saga::Err(__saga::Rejected(at)),
            }
        }

        fn calls(&self, calls: &mut __saga::Vec<__saga::Call>) {
            match self {
                #(#calls)*
                Self::#end_variant(_) => {}
            }
        }
    };
    let turning = turning(saga, region, end);
    let all_turn = turning.len() == region.nodes.len() + 1;
    if region.label.is_empty() {
        let can_turn = if all_turn {
            quote!(true)
        } else {
            quote!(match self { #(Self::#turning(_) => true,)* _ => false })
        };
        let others = (!all_turn).then(|| quote!(at => __saga::Err(__saga::Rejected(at)),));
        return quote! {
            #[automatically_derived]
            impl __saga::Forward for #forward {
                type Event = #event;
                type Backward = #backward;

                #methods

                fn can_turn(&self) -> bool {
                    #can_turn
                }

                fn is_open(&self) -> bool {
                    __saga::is_open(|calls| self.calls(calls))
                }

                fn turn(self) -> __saga::Result<#backward, __saga::Rejected<Self>> {
                    match self {
                        #(Self::#turning(at) => __saga::Ok(at.turn()),)*
                        #others
                    }
                }

                fn is_done(&self) -> bool {
                    match self {
                        Self::#end_variant(_) => true,
                        _ => false,
                    }
                }
            }
        };
    }
    let turn = region.turns.then(|| {
        quote! {
            fn turn(self) -> #backward {
                match self {
                    #(Self::#turning(at) => at.turn(),)*
                }
            }
        }
    });
    quote!(impl #forward { #methods #turn })
}

/// The variants from which the saga can compensate.
fn turning(saga: &Expansion<'_>, region: &RegionLayout, end: &Position) -> Vec<Ident> {
    let nodes = region.nodes.iter().map(|node| position(saga, node).variant);
    let all = nodes.chain([end.variant.clone()]).enumerate();
    all.filter(|(index, _)| region.turns_at(*index, saga.model)).map(|(_, variant)| variant).collect()
}

fn calls_arm(saga: &Expansion<'_>, node: &NodeLayout) -> TokenStream {
    let variant = position(saga, node).variant;
    match node {
        NodeLayout::Step(_) => {
            let attempts = &saga.attempts;
            quote!(Self::#variant(at) => calls.push(at.#attempts.call()),)
        }
        NodeLayout::Parallel(parallel) => {
            let branches = parallel.branches.iter().map(|branch| snake(&branch.label));
            quote!(Self::#variant(at) => { #(at.#branches.calls(calls);)* })
        }
    }
}

/// The arms of `apply` for the position with number `index`.
fn apply_arms(saga: &Expansion<'_>, region: &RegionLayout, index: usize) -> TokenStream {
    let Expansion { event, attempts, .. } = saga;
    let node = &region.nodes[index];
    let Position { variant, ty } = position(saga, node);
    let (Position { variant: next, .. }, _) = arrive(saga, region, index + 1);
    match node {
        NodeLayout::Step(step) => {
            let StepEvents { done, refused, attempt, .. } = StepEvents::new(saga, step.id);
            let next = match hold(saga, region, index) {
                None => quote!(__saga::Ok(Self::#next(at.done(output)))),
                Some(hold) => quote! {{
                    let mut next = at.done(output);
                    #hold
                    __saga::Ok(Self::#next(next))
                }},
            };
            quote! {
                (Self::#variant(at), #event::#done(output)) if at.#attempts.is_open() => #next,
                (Self::#variant(mut at), #event::#refused(refusal)) => {
                    at.#attempts.refuse(refusal, turn).at(Self::#variant(at))
                }
                (Self::#variant(mut at), #event::#attempt(fact)) => {
                    at.#attempts.record(fact, turn).at(Self::#variant(at))
                }
            }
        }
        NodeLayout::Parallel(_) => {
            let next = match hold(saga, region, index) {
                None => quote!(Self::#next),
                Some(hold) => quote! {
                    |mut next| {
                        #hold
                        Self::#next(next)
                    }
                },
            };
            quote! {
                (Self::#variant(at), event) => {
                    __saga::in_parallel(at.apply(event, turn), #ty::join, #next, Self::#variant)
                }
            }
        }
    }
}

/// What the next position must not open once the saga is to turn.
fn hold(saga: &Expansion<'_>, region: &RegionLayout, index: usize) -> Option<TokenStream> {
    let attempts = &saga.attempts;
    match region.nodes.get(index + 1)? {
        node if !holds(saga, node) => None,
        NodeLayout::Step(_) => Some(quote!(next.#attempts.hold(turn);)),
        NodeLayout::Parallel(_) => Some(quote!(next.hold(turn);)),
    }
}

/// The end of a region: its data, and where compensation begins from it.
fn end(saga: &Expansion<'_>, region: &RegionLayout, names: &RegionNames, code: &mut Code) {
    let vis = &saga.model.ast.vis;
    let RegionNames { backward, end, .. } = names;
    let ty = &end.ty;
    let doc = doc(end_text(region));
    let fields = saga.fields(&region.end);
    let undo = saga.undo_field(region, region.nodes.len());
    code.items.extend(quote! {
        #doc
        #[derive(::core::clone::Clone, ::core::fmt::Debug)]
        #vis struct #ty { #fields #undo }
    });
    if region.end_turns {
        let undo = backward::undo_of_self(saga, region, region.nodes.len());
        code.implementation.extend(quote! {
            impl #ty {
                /// The saga turns: where compensation begins.
                #vis fn turn(self) -> #backward {
                    #undo
                }
            }
        });
    }
}

/// The attempt of each step, by the step's index and its position: arms of a `match`.
pub(in crate::expand) fn arms(
    saga: &Expansion<'_>,
    region: &RegionLayout,
    outside: Option<&Outside<'_>>,
) -> TokenStream {
    let forward = RegionNames::new(saga, region).forward;
    let arms = region.nodes.iter().map(|node| {
        let position = position(saga, node);
        match node {
            NodeLayout::Step(step) => {
                let variant = &position.variant;
                calls::step_arm(saga, step.id, outside, &quote!(#forward::#variant))
            }
            NodeLayout::Parallel(parallel) => {
                let branches = parallel.branches.iter().map(|branch| {
                    let (region, position, field) = (&forward, &position, snake(&branch.label));
                    arms(saga, branch, Some(&Outside { around: outside, region, position, branch: &field }))
                });
                branches.collect()
            }
        }
    });
    arms.collect()
}
