//! A sequence: the enum of its positions, and what the runtime asks of it.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::{arrive, block, holds, position, step};
use crate::ast::StepKind;
use crate::expand::event::{StepEvents, event_pattern};
use crate::expand::names::{doc, plain, snake};
use crate::expand::{Code, Expansion, Position, RegionNames, backward, blocks, calls};
use crate::layout::{NodeLayout, RegionLayout};
use crate::model::BlockKind;

/// The positions of a region and of all its branches.
pub(in crate::expand) fn expand(saga: &Expansion<'_>, region: &RegionLayout, code: &mut Code) {
    let names = RegionNames::new(saga, region);
    items(saga, region, &names, code);
    code.implementation.extend(implementation(saga, region, &names));
    for (index, node) in region.nodes.iter().enumerate() {
        match node {
            NodeLayout::Step(layout) => step::expand(saga, region, index, layout, code),
            NodeLayout::Block(layout) => block::expand(saga, region, index, layout, code),
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
            NodeLayout::Block(layout) => blocks::text(saga, layout, "done"),
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
    let Expansion { event, participants, .. } = saga;
    let (parameters, bounds) = saga.parameters();
    let end_variant = &end.variant;
    let call = region.nodes.iter().map(|node| call_arm(saga, node));
    let call = quote! {
        fn call #parameters (
            &self,
            place: &__saga::Place,
            request: __saga::Request<#participants>,
        ) -> __saga::Option<__saga::CallFuture<#event>> #bounds {
            match self {
                #(#call)*
                _ => __saga::None,
            }
        }
    };
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

            impl #forward { #call }
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
    quote!(impl #forward { #methods #call #turn })
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
        NodeLayout::Block(_) => quote!(Self::#variant(at) => at.calls(calls),),
    }
}

fn call_arm(saga: &Expansion<'_>, node: &NodeLayout) -> TokenStream {
    let variant = position(saga, node).variant;
    match node {
        NodeLayout::Step(step) => calls::step_arm(saga, step.id, &quote!(Self::#variant)),
        NodeLayout::Block(_) => quote!(Self::#variant(at) => at.call(place, request),),
    }
}

/// The arms of `apply` for the position with number `index`.
fn apply_arms(saga: &Expansion<'_>, region: &RegionLayout, index: usize) -> TokenStream {
    let Expansion { event, attempts, .. } = saga;
    let Position { variant, ty } = position(saga, &region.nodes[index]);
    let NodeLayout::Step(step) = &region.nodes[index] else {
        let next = next(saga, region, index);
        return quote! {
            (Self::#variant(at), event) => {
                __saga::in_parallel(at.apply(event, turn), #ty::join, #next, Self::#variant)
            }
        };
    };
    let id = step.id;
    let StepEvents { refused, attempt, otherwise, .. } = StepEvents::new(saga, id);
    let is_passive = saga.step(id).ast.kind.is_made() || saga.step(id).ast.kind == StepKind::Receive;
    // What the coordinator decides it decides only for a saga that goes on.
    let goes_on = is_passive.then(|| quote!(&&turn.is_none()));
    let is_arm = match region.nodes.get(index + 1) {
        Some(NodeLayout::Block(block)) if matches!(block.kind, BlockKind::If { .. }) => {
            let arms = crate::expand::names::number(block.branches.len());
            Some(quote!(&& output < #arms))
        }
        _ => None,
    };
    let done = event_pattern(saga, id, &StepEvents::new(saga, id).done, &quote!(output));
    let next = after_done(saga, region, index);
    let refused = refused.map(|refused| {
        let refused = event_pattern(saga, id, &refused, &quote!(refusal));
        quote! {
            (Self::#variant(mut at), #event::#refused) => {
                at.#attempts.refuse(refusal, turn).at(Self::#variant(at))
            }
        }
    });
    let attempt = attempt.map(|attempt| {
        let attempt = event_pattern(saga, id, &attempt, &quote!(fact));
        quote! {
            (Self::#variant(mut at), #event::#attempt) => {
                at.#attempts.record(fact, turn).at(Self::#variant(at))
            }
        }
    });
    let otherwise = otherwise.map(|otherwise| {
        let otherwise = event_pattern(saga, id, &otherwise, &quote!(output));
        quote!((Self::#variant(at), #event::#otherwise) if at.#attempts.has_failed() && turn.is_none() => #next,)
    });
    quote! {
        (Self::#variant(at), #event::#done) if at.#attempts.is_open() #goes_on #is_arm => #next,
        #refused
        #attempt
        #otherwise
    }
}

/// The position after a step that is done with `output`.
fn after_done(saga: &Expansion<'_>, region: &RegionLayout, index: usize) -> TokenStream {
    if let Some(NodeLayout::Block(block)) = region.nodes.get(index + 1)
        && block.kind != BlockKind::Parallel
    {
        // Perhaps there is nothing to do in it.
        let Position { variant, ty } = position(saga, &region.nodes[index + 1]);
        let next = next(saga, region, index + 1);
        return quote!(__saga::in_parallel(__saga::Ok(at.done(output)), #ty::join, #next, Self::#variant));
    }
    let (Position { variant: next, .. }, _) = arrive(saga, region, index + 1);
    match hold(saga, region, index) {
        None => quote!(__saga::Ok(Self::#next(at.done(output)))),
        Some(hold) => quote! {{
            let mut next = at.done(output);
            #hold
            __saga::Ok(Self::#next(next))
        }},
    }
}

/// How the position after a block becomes one of the region: a function.
fn next(saga: &Expansion<'_>, region: &RegionLayout, index: usize) -> TokenStream {
    let (Position { variant: next, .. }, _) = arrive(saga, region, index + 1);
    match hold(saga, region, index) {
        None => quote!(Self::#next),
        Some(hold) => quote! {
            |mut next| {
                #hold
                Self::#next(next)
            }
        },
    }
}

/// What the next position must not open once the saga is to turn.
fn hold(saga: &Expansion<'_>, region: &RegionLayout, index: usize) -> Option<TokenStream> {
    let attempts = &saga.attempts;
    match region.nodes.get(index + 1)? {
        node if !holds(saga, node) => None,
        NodeLayout::Step(_) => Some(quote!(next.#attempts.hold(turn);)),
        NodeLayout::Block(_) => Some(quote!(next.hold(turn);)),
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
