//! A sequence: the enum of its positions, and what the runtime asks of it.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::{arrive, block, position, step};
use crate::expand::event::{StepEvents, event_pattern};
use crate::expand::names::{doc, plain, snake};
use crate::expand::{Code, Expansion, Keyword, Position, RegionNames, backward, blocks, calls};
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
    let body = quote! {
        #(#variants)*
        #end_doc
        #end_variant(#end_ty),
    };
    code.items.extend(saga.declared(&head, Keyword::Enum, forward, &body));
}

fn end_text(region: &RegionLayout) -> &'static str {
    if region.label.is_empty() { "All is done: the output is to be built." } else { "The branch is done." }
}

fn implementation(saga: &Expansion<'_>, region: &RegionLayout, names: &RegionNames) -> TokenStream {
    let RegionNames { forward, backward, end } = names;
    let Expansion { event, participants, attempts, generics, given, .. } = saga;
    let (parameters, bounds) = saga.parameters();
    let end_variant = &end.variant;
    let steps = region.nodes.iter().filter(|node| matches!(node, NodeLayout::Step(_)));
    let steps = steps.map(|node| position(saga, node).variant);
    let advance = (0..region.nodes.len()).map(|index| advance_arms(saga, region, index));
    let calls = region.nodes.iter().map(|node| calls_arm(saga, node));
    let call = region.nodes.iter().map(|node| call_arm(saga, node));
    let hold = hold(saga, region);
    let turning = turning(saga, region, end);
    let all_turn = turning.len() == region.nodes.len() + 1;
    let implementation = quote! {
        #[automatically_derived]
        impl #generics __saga::Region for #forward #given {
            type Event = #event;

            fn ledger(&mut self) -> __saga::Option<&mut __saga::Ledger> {
                let ledger = match self {
                    #(Self::#steps(at) => &mut at.#attempts,)*
                    _ => return __saga::None,
                };
                __saga::Some(ledger)
            }

            fn calls(&self, calls: &mut __saga::Vec<__saga::Call>) {
                match self {
                    #(#calls)*
                    Self::#end_variant(_) => {}
                }
            }

            fn advance(
                self,
                event: #event,
                turn: &mut __saga::Option<__saga::Cause>,
            ) -> __saga::Applied<Self> {
                let next = match (self, event) {
                    #(#advance)*
                    (at, _) => return __saga::Err(__saga::Rejected(at)),
                };
                __saga::Ok(next)
            }

            #hold
        }
    };
    let call = quote! {
        fn call #parameters (
            &self,
            place: &__saga::Place,
            request: __saga::Request<#participants>,
        ) -> __saga::Option<__saga::CallFuture<#event>> #bounds {
            let call = match self {
                #(#call)*
                _ => return __saga::None,
            };
            __saga::Some(call)
        }
    };
    if region.label.is_empty() {
        let can_turn = if all_turn {
            quote!(true)
        } else {
            quote!(match self { #(Self::#turning(_) => true,)* _ => false })
        };
        let others = (!all_turn).then(|| quote!(at => return __saga::Err(__saga::Rejected(at)),));
        return quote! {
            #implementation

            #[automatically_derived]
            impl #generics __saga::Forward for #forward #given {
                type Backward = #backward;

                fn can_turn(&self) -> bool {
                    #can_turn
                }

                fn turn(self) -> __saga::Applied<#backward, Self> {
                    let turned = match self {
                        #(Self::#turning(at) => at.turn(),)*
                        #others
                    };
                    __saga::Ok(turned)
                }

                fn is_done(&self) -> bool {
                    match self {
                        Self::#end_variant(_) => true,
                        _ => false,
                    }
                }
            }

            impl #generics #forward #given { #call }
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
    quote!(#implementation impl #generics #forward #given { #call #turn })
}

/// `fn hold`, where there is a block that opens several calls at once.
fn hold(saga: &Expansion<'_>, region: &RegionLayout) -> Option<TokenStream> {
    let blocks = region.nodes.iter().enumerate().filter(|(index, node)| block::holds(region, *index, node));
    let blocks = blocks.map(|(_, node)| position(saga, node).variant).collect::<Vec<_>>();
    (!blocks.is_empty()).then(|| {
        quote! {
            fn hold(&mut self) {
                match self {
                    #(Self::#blocks(at) => at.hold(),)*
                    at => __saga::hold(at),
                }
            }
        }
    })
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
    let (variant, turbofish) = (position(saga, node).variant, saga.turbofish_untold());
    match node {
        NodeLayout::Step(step) => calls::step_arm(saga, step.id, &quote!(Self::#variant)),
        NodeLayout::Block(_) => quote!(Self::#variant(at) => return at.call #turbofish (place, request),),
    }
}

/// The arms of `advance` for the position with number `index`.
fn advance_arms(saga: &Expansion<'_>, region: &RegionLayout, index: usize) -> TokenStream {
    let Expansion { event, .. } = saga;
    let Position { variant, .. } = position(saga, &region.nodes[index]);
    let NodeLayout::Step(step) = &region.nodes[index] else {
        let joined = joined(saga, region, index, &quote!(at.apply(event, turn)));
        return quote!((Self::#variant(at), event) => #joined?,);
    };
    let id = step.id;
    let StepEvents { done, otherwise, .. } = StepEvents::new(saga, id);
    let is_arm = match region.nodes.get(index + 1) {
        Some(NodeLayout::Block(block)) if matches!(block.kind, BlockKind::If { .. }) => {
            let arms = crate::expand::names::number(block.branches.len());
            Some(quote!(if output < #arms))
        }
        _ => None,
    };
    let arms = std::iter::once(done).chain(otherwise).map(|variant| {
        let pattern = event_pattern(saga, id, &variant, &quote!(output));
        quote!(#event::#pattern)
    });
    let arms = arms.collect::<Vec<_>>();
    let next = after_done(saga, region, index);
    quote!(#((Self::#variant(at), #arms) #is_arm => #next,)*)
}

/// The position after a step that is done with `output`.
fn after_done(saga: &Expansion<'_>, region: &RegionLayout, index: usize) -> TokenStream {
    match region.nodes.get(index + 1) {
        // Perhaps there is nothing to do in it.
        Some(NodeLayout::Block(block)) if block.kind != BlockKind::Parallel => {
            let joined = joined(saga, region, index + 1, &quote!(__saga::Ok(at.done(output))));
            quote!(#joined?)
        }
        _ => {
            let (Position { variant: next, .. }, _) = arrive(saga, region, index + 1);
            quote!(Self::#next(at.done(output)))
        }
    }
}

/// What the block with number `index` is `applied` to, or the position after it.
fn joined(saga: &Expansion<'_>, region: &RegionLayout, index: usize, applied: &TokenStream) -> TokenStream {
    let Position { variant, ty } = position(saga, &region.nodes[index]);
    let (Position { variant: next, .. }, _) = arrive(saga, region, index + 1);
    quote! {
        __saga::in_parallel(#applied, #ty::join, |next| __saga::arrived(Self::#next(next), turn), Self::#variant)
    }
}

/// The end of a region: its data, and where compensation begins from it.
fn end(saga: &Expansion<'_>, region: &RegionLayout, names: &RegionNames, code: &mut Code) {
    let vis = &saga.model.ast.vis;
    let Expansion { generics, given, .. } = saga;
    let RegionNames { backward, end, .. } = names;
    let ty = &end.ty;
    let doc = doc(end_text(region));
    let fields = saga.fields(&region.end);
    let undo = saga.undo_field(region, region.nodes.len());
    let unused = saga.phantom(&saga.types(&region.end)).map(|phantom| {
        let unused = &saga.unused;
        quote!(#unused: #phantom,)
    });
    code.items.extend(saga.declared(&doc, Keyword::Struct, ty, &quote!(#fields #undo #unused)));
    if region.end_turns {
        let undo = backward::undo_of_self(saga, region, region.nodes.len());
        code.implementation.extend(quote! {
            impl #generics #ty #given {
                /// The saga turns: where compensation begins.
                #vis fn turn(self) -> #backward {
                    #undo
                }
            }
        });
    }
}
