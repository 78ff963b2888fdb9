//! The positions on the way forward: one type per step and per `parallel`, and one enum per region.

use std::collections::BTreeSet;

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::event::StepEvents;
use super::{Expansion, Position, RegionNames, backward, calls, names, quiet};
use crate::ast::StepKind;
use crate::layout::{NodeLayout, ParallelLayout, RegionLayout, StepLayout, UndoLayout};
use crate::model::{StepId, VariableId, Zone};

/// The positions of the saga's body and of all its branches.
pub(super) fn expand(saga: &Expansion<'_>, layout: &RegionLayout) -> TokenStream {
    region(saga, layout)
}

/// The names of a node's position.
pub(super) fn position(saga: &Expansion<'_>, node: &NodeLayout) -> Position {
    match node {
        NodeLayout::Step(step) => {
            let camel = saga.camel(step.id);
            Position { variant: names::variant(&camel), ty: saga.item(&format!("{camel}Step")) }
        }
        NodeLayout::Parallel(parallel) => Position {
            variant: names::variant(&parallel.label),
            ty: saga.item(&format!("{}Parallel", parallel.label)),
        },
    }
}

/// The position with number `index` of `region`, as it is arrived at: the variant and the value. The variables that
/// it carries are in scope by their names.
pub(super) fn arrive(saga: &Expansion<'_>, region: &RegionLayout, index: usize) -> (Position, TokenStream) {
    let Some(node) = region.nodes.get(index) else {
        let Position { variant, ty } = RegionNames::new(saga, region).end;
        let fields = saga.idents(&region.end);
        let value = quote!(#ty { #(#fields),* });
        return (Position { variant, ty }, value);
    };
    let Position { variant, ty } = position(saga, node);
    let runtime = &saga.runtime;
    let value = match node {
        NodeLayout::Step(step) => {
            let fields = saga.idents(&step.forward);
            // The record before opens the first attempt; only an explicit pivot is opened by a record of its own.
            let explicit = saga.model.steps[step.id].zone == Zone::Pivot { explicit: true };
            let attempts = if explicit { quote!(waiting) } else { quote!(opened) };
            quote!(#ty { #(#fields,)* attempts: #runtime::machine::Attempts::#attempts() })
        }
        NodeLayout::Parallel(parallel) => {
            let fields = saga.idents(&parallel.forward);
            let branches = parallel.branches.iter().map(|branch| {
                let field = names::snake(&branch.label);
                let forward = RegionNames::new(saga, branch).forward;
                let (Position { variant, .. }, value) = arrive(saga, branch, 0);
                quote!(#field: #forward::#variant(#value))
            });
            quote!(#ty { #(#fields,)* #(#branches),* })
        }
    };
    (Position { variant, ty }, value)
}

fn region(saga: &Expansion<'_>, region: &RegionLayout) -> TokenStream {
    let names = RegionNames::new(saga, region);
    let positions = region.nodes.iter().enumerate().map(|(index, node)| match node {
        NodeLayout::Step(layout) => step(saga, region, index, layout),
        NodeLayout::Parallel(layout) => parallel(saga, region, index, layout),
    });
    let end = end(saga, region, &names);
    let body = region_enum(saga, region, &names);
    quote!(#body #(#positions)* #end)
}

/// The enum of a region's positions and what the runtime asks of it.
fn region_enum(saga: &Expansion<'_>, region: &RegionLayout, names: &RegionNames) -> TokenStream {
    let head = saga.type_head(&match region.label.as_str() {
        "" => format!("Where a [`{}`] is on its way forward.", saga.model.ast.name),
        label => format!("Where the branch `{}` is on its way forward.", names::snake(label)),
    });
    let RegionNames { forward, backward, end } = names;
    let (end_variant, end_ty) = (&end.variant, &end.ty);
    let variants = region.nodes.iter().map(|node| {
        let Position { variant, ty } = position(saga, node);
        let doc = match node {
            NodeLayout::Step(step) => format!("`{}` is to be done.", saga.step_name(step.id)),
            NodeLayout::Parallel(_) => "Branches that run at the same time.".to_owned(),
        };
        quote!(#[doc = #doc] #variant(#ty),)
    });
    let methods = region_methods(saga, region, names);
    let debug = debug(saga, region, forward);
    let quiet = quiet();
    let runtime = &saga.runtime;
    let turn = turn_arms(saga, region, end);
    let can_turn =
        region.nodes.iter().filter(|node| node.turns(saga.model)).map(|node| position(saga, node).variant);
    let can_turn = can_turn.chain(region.end_turns.then(|| end_variant.clone())).collect::<Vec<_>>();
    let implementation = if region.label.is_empty() {
        let event = &saga.event;
        quote! {
            #[automatically_derived]
            #quiet
            impl #runtime::machine::Forward for #forward {
                type Event = #event;
                type Backward = #backward;

                #methods

                fn can_turn(&self) -> bool {
                    match self {
                        #(Self::#can_turn(_) => true,)*
                        #[allow(unreachable_patterns, reason = "generated")]
                        _ => false,
                    }
                }

                fn turn(
                    self,
                ) -> ::core::result::Result<#backward, #runtime::machine::Rejected<Self>> {
                    ::core::result::Result::Ok(match self {
                        #turn
                        #[allow(unreachable_patterns, reason = "generated")]
                        at => return ::core::result::Result::Err(#runtime::machine::Rejected(at)),
                    })
                }
            }
        }
    } else {
        let turn = region.end_turns.then(|| {
            quote! {
                fn turn(self) -> #backward {
                    match self { #turn }
                }
            }
        });
        quote!(#[automatically_derived] #quiet impl #forward { #methods #turn })
    };
    let call = region_call(saga, region, forward);
    let end_doc = if region.label.is_empty() {
        "All is done: the output is to be built."
    } else {
        "The branch is done."
    };
    quote! {
        #head enum #forward {
            #(#variants)*
            #[doc = #end_doc]
            #end_variant(#end_ty),
        }
        #implementation
        #call
        #debug
    }
}

/// `apply`, `calls`, `is_open` and `is_done`: the same for the body and for a branch.
fn region_methods(saga: &Expansion<'_>, region: &RegionLayout, names: &RegionNames) -> TokenStream {
    let Expansion { runtime, event, .. } = saga;
    let end_variant = &names.end.variant;
    let apply = (0..region.nodes.len()).map(|index| apply_arms(saga, region, index));
    let calls = region.nodes.iter().map(|node| {
        let variant = position(saga, node).variant;
        match node {
            NodeLayout::Step(step) => {
                let call = call_value(saga, step.id);
                quote!(Self::#variant(at) => calls.push(#call),)
            }
            NodeLayout::Parallel(parallel) => {
                let branches = parallel.branches.iter().map(|branch| names::snake(&branch.label));
                quote!(Self::#variant(at) => { #(at.#branches.calls(calls);)* })
            }
        }
    });
    let open = region.nodes.iter().map(|node| {
        let variant = position(saga, node).variant;
        match node {
            NodeLayout::Step(step) if matches!(saga.model.steps[step.id].zone, Zone::Pivot { .. }) => {
                quote!(Self::#variant(at) => at.attempts.is_open() || at.attempts.in_doubt(),)
            }
            NodeLayout::Step(_) => quote!(Self::#variant(at) => at.attempts.is_open(),),
            NodeLayout::Parallel(parallel) => {
                let branches = parallel.branches.iter().map(|branch| names::snake(&branch.label));
                quote!(Self::#variant(at) => #(at.#branches.is_open())||*,)
            }
        }
    });
    quote! {
        fn apply(
            self,
            event: #event,
            turn: &mut ::core::option::Option<#runtime::machine::Cause>,
        ) -> ::core::result::Result<Self, #runtime::machine::Rejected<Self>> {
            match (self, event) {
                #(#apply)*
                (at, _) => ::core::result::Result::Err(#runtime::machine::Rejected(at)),
            }
        }

        fn calls(&self, calls: &mut ::std::vec::Vec<#runtime::machine::Call>) {
            match self {
                #(#calls)*
                Self::#end_variant(_) => {}
            }
        }

        fn is_open(&self) -> bool {
            match self {
                #(#open)*
                Self::#end_variant(_) => false,
            }
        }

        fn is_done(&self) -> bool {
            ::core::matches!(self, Self::#end_variant(_))
        }
    }
}

/// The `Call` of a step's position.
fn call_value(saga: &Expansion<'_>, id: StepId) -> TokenStream {
    let runtime = &saga.runtime;
    let role = role(saga, id);
    let settlement = settlement(saga, id);
    quote!(#runtime::machine::Call::action(#id, #role, at.attempts, #settlement))
}

pub(super) fn role(saga: &Expansion<'_>, id: StepId) -> TokenStream {
    let runtime = &saga.runtime;
    let role = match saga.model.steps[id].zone {
        Zone::Compensatable => quote!(Compensatable),
        Zone::Pivot { .. } => quote!(Pivot),
        Zone::Retriable => quote!(Retriable),
    };
    quote!(#runtime::machine::Role::#role)
}

/// `Self::FLIGHT_SETTLEMENT`, as a path that does not depend on where it stands.
pub(super) fn settlement(saga: &Expansion<'_>, id: StepId) -> TokenStream {
    let ty = saga.item(&format!("{}Step", saga.camel(id)));
    quote!(#ty::SETTLEMENT)
}

/// The arms of `apply` for the position with number `index`.
fn apply_arms(saga: &Expansion<'_>, region: &RegionLayout, index: usize) -> TokenStream {
    let Expansion { runtime, private: p, event, .. } = saga;
    let node = &region.nodes[index];
    let Position { variant, .. } = position(saga, node);
    let (Position { variant: next, .. }, _) = arrive(saga, region, index + 1);
    let held = hold(saga, region, index);
    match node {
        NodeLayout::Step(step) => {
            let StepEvents { done, refused, attempt, .. } = StepEvents::new(saga, step.id);
            let name = saga.step_name(step.id);
            let role = role(saga, step.id);
            quote! {
                (Self::#variant(at), #event::#done(output)) if at.attempts.is_open() => {
                    ::core::result::Result::Ok(Self::#next(at.done(output)#held))
                }
                (Self::#variant(mut at), #event::#refused(refusal)) => {
                    let legal = at.attempts.refuse(#role, #name, refusal, turn);
                    #p::legal(legal, Self::#variant(at))
                }
                (Self::#variant(mut at), #event::#attempt(fact)) => {
                    let legal = at.attempts.record(#role, #name, fact, turn);
                    #p::legal(legal, Self::#variant(at))
                }
            }
        }
        NodeLayout::Parallel(_) => quote! {
            (Self::#variant(at), event) => match at.apply(event, turn) {
                ::core::result::Result::Ok(at) => ::core::result::Result::Ok(match at.join() {
                    ::core::result::Result::Ok(next) => Self::#next(next #held),
                    ::core::result::Result::Err(#runtime::machine::Rejected(at)) => Self::#variant(at),
                }),
                ::core::result::Result::Err(#runtime::machine::Rejected(at)) => {
                    ::core::result::Result::Err(#runtime::machine::Rejected(Self::#variant(at)))
                }
            },
        },
    }
}

/// `.held(turn)` where the next position must open nothing once the saga is to turn.
fn hold(saga: &Expansion<'_>, region: &RegionLayout, index: usize) -> Option<TokenStream> {
    let next = region.nodes.get(index + 1)?;
    (holds(saga, next)).then(|| quote!(.held(turn.is_some())))
}

/// Whether a node's position opens something that a turned saga must not open.
fn holds(saga: &Expansion<'_>, node: &NodeLayout) -> bool {
    match node {
        NodeLayout::Step(step) => {
            matches!(saga.model.steps[step.id].zone, Zone::Compensatable | Zone::Pivot { explicit: false })
        }
        NodeLayout::Parallel(parallel) => parallel.zone != Zone::Retriable,
    }
}

fn turn_arms(saga: &Expansion<'_>, region: &RegionLayout, end: &Position) -> TokenStream {
    let end_variant = &end.variant;
    let positions = region
        .nodes
        .iter()
        .filter(|node| node.turns(saga.model))
        .map(|node| position(saga, node).variant)
        .chain(region.end_turns.then(|| end_variant.clone()));
    quote!(#(Self::#positions(at) => at.turn(),)*)
}

/// A step's position: its type, its transitions and its calls.
fn step(saga: &Expansion<'_>, region: &RegionLayout, index: usize, layout: &StepLayout) -> TokenStream {
    let Expansion { runtime, private: p, .. } = saga;
    let Position { ty, .. } = position(saga, &region.nodes[index]);
    let name = saga.step_name(layout.id);
    let head = saga.type_head(&format!("`{name}` is to be done."));
    let docs = &saga.model.steps[layout.id].ast.attrs;
    let fields = saga.fields(&layout.forward);
    let done = done(saga, region, index, layout);
    let turn = region.nodes[index].turns(saga.model).then(|| step_turn(saga, region, index, layout));
    let is_first = index == 0 && region.label.is_empty();
    let held = (!is_first && holds(saga, &region.nodes[index])).then(|| {
        quote! {
            fn held(mut self, hold: bool) -> Self {
                if hold {
                    self.attempts = #runtime::machine::Attempts::waiting();
                }
                self
            }
        }
    });
    let settlement = settlement_value(saga, layout.id);
    let call = step_call(saga, layout.id, &layout.forward);
    let action = calls::action(saga, layout.id);
    let probe = calls::probe(saga, layout.id);
    let quiet = quiet();
    quote! {
        #(#docs)*
        #[doc = ""]
        #head struct #ty {
            #fields
            attempts: #runtime::machine::Attempts,
        }

        #[automatically_derived]
        #quiet
        impl #ty {
            const SETTLEMENT: #runtime::machine::Settlement = #settlement;

            #done
            #turn
            #held
            #call
            #action
            #probe
        }

        #[automatically_derived]
        impl ::core::fmt::Debug for #ty {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                #p::debug(f, #name, &self.attempts)
            }
        }
    }
}

fn done(saga: &Expansion<'_>, region: &RegionLayout, index: usize, layout: &StepLayout) -> TokenStream {
    let p = &saga.private;
    let vis = &saga.model.ast.vis;
    let step = &saga.model.steps[layout.id];
    let (name, ty) = (&step.ast.name, &step.ast.ty);
    let doc = format!("`{}` is done.", saga.step_name(layout.id));
    let (next, value) = arrive(saga, region, index + 1);
    let next_ty = next.ty;
    let carried = carried(region, index + 1);
    let taken = saga.idents(&(&layout.forward & &carried));
    let output = if carried.contains(&step.output) {
        quote!(let #name = #p::Arc::new(__saga_output);)
    } else {
        quote!(::core::mem::drop(__saga_output);)
    };
    quote! {
        #[doc = #doc]
        #vis fn done(self, __saga_output: #ty) -> #next_ty {
            let Self { #(#taken,)* .. } = self;
            #output
            #value
        }
    }
}

/// What the position with number `index` carries of its own region.
fn carried(region: &RegionLayout, index: usize) -> BTreeSet<VariableId> {
    match region.nodes.get(index) {
        Some(NodeLayout::Step(step)) => step.forward.clone(),
        Some(NodeLayout::Parallel(parallel)) => parallel.forward.clone(),
        None => region.end.clone(),
    }
}

fn step_turn(saga: &Expansion<'_>, region: &RegionLayout, index: usize, layout: &StepLayout) -> TokenStream {
    let runtime = &saga.runtime;
    let vis = &saga.model.ast.vis;
    let doc = format!("The saga turns at `{}`: where compensation begins.", saga.step_name(layout.id));
    let RegionNames { backward, .. } = RegionNames::new(saga, region);
    let (entry, entry_uses) = backward::entry(saga, region, index);
    let camel = saga.camel(layout.id);
    let (in_doubt, doubt_uses) = match &layout.undo {
        UndoLayout::None => (None, BTreeSet::new()),
        UndoLayout::ByKey { compensation } => {
            let variant = names::variant(&format!("Compensate{camel}"));
            let ty = saga.item(&format!("{camel}Compensation"));
            let fields = saga.idents(compensation);
            let value = quote!(#backward::#variant(#ty {
                #(#fields,)*
                attempts: #runtime::machine::Attempts::opened(),
            }));
            (Some(value), compensation.clone())
        }
        UndoLayout::ByOutput { settlement, .. } => {
            let variant = names::variant(&format!("Settle{camel}"));
            let ty = saga.item(&format!("{camel}Settlement"));
            let fields = saga.idents(settlement);
            let value = quote!(#backward::#variant(#ty { #(#fields,)* attempts: attempts.unsettled() }));
            (Some(value), settlement.clone())
        }
    };
    let taken = saga.idents(&(&entry_uses | &doubt_uses));
    let body = match in_doubt {
        Some(value) => quote!(if attempts.in_doubt() { #value } else { #entry }),
        None => entry,
    };
    quote! {
        #[doc = #doc]
        #vis fn turn(self) -> #backward {
            let Self { #(#taken,)* attempts, .. } = self;
            #body
        }
    }
}

/// How a doubt about the step can be settled.
fn settlement_value(saga: &Expansion<'_>, id: StepId) -> TokenStream {
    let Expansion { runtime, private: p, .. } = saga;
    let step = &saga.model.steps[id];
    let probe = step.ast.probe.is_some();
    let participants = &saga.model.ast.participants;
    let keyed = if step.ast.keyed.is_some() || step.ast.kind == StepKind::Read {
        quote!(true)
    } else {
        let mentioned = saga.mentioned_participants(id).into_iter().map(|i| {
            let ty = &participants[i].ty;
            quote!(#p::IsKeyed::<#ty>::KEYED)
        });
        let mentioned = mentioned.collect::<Vec<_>>();
        if mentioned.is_empty() { quote!(false) } else { quote!(#(#mentioned)&&*) }
    };
    let asserted = step.must_be_keyed.iter().map(|i| {
        let ty = &participants[*i].ty;
        quote!(#p::must_be_keyed::<#ty>();)
    });
    quote! {{
        #(#asserted)*
        #[allow(unused_imports, reason = "generated")]
        use #p::NotKeyed as _;
        #runtime::machine::Settlement { keyed: #keyed, probe: #probe }
    }}
}

/// One attempt of the action or its probe.
pub(super) fn step_call(saga: &Expansion<'_>, id: StepId, own: &BTreeSet<VariableId>) -> TokenStream {
    let Expansion { runtime, private: p, event, participants, .. } = saga;
    let step = &saga.model.steps[id];
    let position = saga.item(&format!("{}Step", saga.camel(id)));
    let uses = &step.action_uses | &step.probe_uses;
    let outer = saga.outer_parameters(&(&uses - own));
    let own_used = saga.idents(&(&uses & own));
    let outer_used = saga.idents(&(&uses - own));
    let done = StepEvents::new(saga, id).done;
    let arguments = calls::arguments(saga, &step.action_uses);
    let action = quote! {
        #p::Box::pin(async move {
            #p::settled(#position::action(#arguments).await, #event::#done)
        })
    };
    let body = if step.ast.probe.is_some() {
        let arguments = calls::arguments(saga, &step.probe_uses);
        quote! {
            if kind == #runtime::machine::CallKind::Probe {
                return #p::Box::pin(async move {
                    #p::probed(#position::probe(#arguments).await, #event::#done)
                });
            }
            #action
        }
    } else {
        action
    };
    quote! {
        fn call(
            &self,
            kind: #runtime::machine::CallKind,
            participants: &#p::Arc<#participants>,
            cx: #runtime::Context
            #outer
        ) -> #p::CallFuture<#event> {
            let participants = #p::Arc::clone(participants);
            #(let #own_used = #p::Arc::clone(&self.#own_used);)*
            #(let #outer_used = #p::Arc::clone(#outer_used);)*
            #body
        }
    }
}

/// The end of a region: its data, and where compensation begins from it.
fn end(saga: &Expansion<'_>, region: &RegionLayout, names: &RegionNames) -> TokenStream {
    let vis = &saga.model.ast.vis;
    let ty = &names.end.ty;
    let doc = if region.label.is_empty() {
        "All is done: the output is to be built."
    } else {
        "The branch is done."
    };
    let head = saga.type_head(doc);
    let fields = saga.fields(&region.end);
    let quiet = quiet();
    let turn = region.end_turns.then(|| {
        let backward = &names.backward;
        let (entry, uses) = backward::entry(saga, region, region.nodes.len());
        let taken = saga.idents(&uses);
        quote! {
            #[automatically_derived]
            #quiet
            impl #ty {
                /// The saga turns: where compensation begins.
                #vis fn turn(self) -> #backward {
                    let Self { #(#taken,)* .. } = self;
                    #entry
                }
            }
        }
    });
    quote!(#head struct #ty { #fields } #turn)
}

/// A parallel's position: one sub-state per branch.
fn parallel(
    saga: &Expansion<'_>,
    region_layout: &RegionLayout,
    index: usize,
    layout: &ParallelLayout,
) -> TokenStream {
    let vis = &saga.model.ast.vis;
    let Position { ty, .. } = position(saga, &region_layout.nodes[index]);
    let head = saga.type_head("Branches that run at the same time.");
    let fields = saga.fields(&layout.forward);
    let quiet = quiet();
    let branches = layout.branches.iter().map(|branch| {
        let (field, ty) = (names::snake(&branch.label), RegionNames::new(saga, branch).forward);
        let doc = format!("The branch `{field}`.");
        quote!(#[doc = #doc] #vis #field: #ty,)
    });
    let apply = parallel_apply(saga, layout);
    let join = parallel_join(saga, region_layout, index, layout);
    let held = holds(saga, &region_layout.nodes[index]).then(|| parallel_held(saga, layout));
    let turn = (layout.zone != Zone::Retriable).then(|| parallel_turn(saga, region_layout, index, layout));
    let call = parallel_call(saga, region_layout, layout);
    let inner = layout.branches.iter().map(|branch| region(saga, branch));
    quote! {
        #head struct #ty { #fields #(#branches)* }

        #[automatically_derived]
        #quiet
        impl #ty { #apply #join #turn #held #call }

        #(#inner)*
    }
}

/// The steps of a branch as a pattern.
pub(super) fn step_range(branch: &RegionLayout) -> TokenStream {
    let (first, last) = (branch.steps.start, branch.steps.end.saturating_sub(1));
    if first == last { quote!(#first) } else { quote!(#first..=#last) }
}

fn parallel_apply(saga: &Expansion<'_>, layout: &ParallelLayout) -> TokenStream {
    let Expansion { runtime, event, .. } = saga;
    let arms = layout.branches.iter().map(|branch| {
        let field = names::snake(&branch.label);
        let range = step_range(branch);
        quote! {
            ::core::option::Option::Some(#range) => match self.#field.apply(event, turn) {
                ::core::result::Result::Ok(at) => ::core::result::Result::Ok(Self { #field: at, ..self }),
                ::core::result::Result::Err(#runtime::machine::Rejected(at)) => {
                    ::core::result::Result::Err(#runtime::machine::Rejected(Self { #field: at, ..self }))
                }
            },
        }
    });
    quote! {
        fn apply(
            self,
            event: #event,
            turn: &mut ::core::option::Option<#runtime::machine::Cause>,
        ) -> ::core::result::Result<Self, #runtime::machine::Rejected<Self>> {
            match #runtime::machine::Event::step(&event) {
                #(#arms)*
                _ => ::core::result::Result::Err(#runtime::machine::Rejected(self)),
            }
        }
    }
}

/// The next position once every branch is done; otherwise the parallel given back.
fn parallel_join(
    saga: &Expansion<'_>,
    region: &RegionLayout,
    index: usize,
    layout: &ParallelLayout,
) -> TokenStream {
    let vis = &saga.model.ast.vis;
    let runtime = &saga.runtime;
    let (next, value) = arrive(saga, region, index + 1);
    let next_ty = next.ty;
    let carried = carried(region, index + 1);
    let own = saga.idents(&(&layout.forward & &carried));
    let ends = layout.branches.iter().map(|branch| {
        let names = RegionNames::new(saga, branch);
        let (field, forward, variant) = (names::snake(&branch.label), names.forward, names.end.variant);
        let ty = names.end.ty;
        let outputs = saga.idents(&(&branch.end & &carried));
        quote!(#field: #forward::#variant(#ty { #(#outputs,)* .. }))
    });
    quote! {
        /// The position after it, once every branch is done.
        #vis fn join(self) -> ::core::result::Result<#next_ty, #runtime::machine::Rejected<Self>> {
            match self {
                Self { #(#own,)* #(#ends,)* .. } => ::core::result::Result::Ok(#value),
                #[allow(unreachable_patterns, reason = "generated")]
                at => ::core::result::Result::Err(#runtime::machine::Rejected(at)),
            }
        }
    }
}

fn parallel_held(saga: &Expansion<'_>, layout: &ParallelLayout) -> TokenStream {
    let holds = layout.branches.iter().filter_map(|branch| {
        let field = names::snake(&branch.label);
        let first = branch.nodes.first()?;
        let variant = position(saga, first).variant;
        let forward = RegionNames::new(saga, branch).forward;
        Some(quote! {
            #field: match self.#field {
                #forward::#variant(at) => #forward::#variant(at.held(hold)),
                at => at,
            },
        })
    });
    quote! {
        fn held(self, hold: bool) -> Self {
            Self { #(#holds)* ..self }
        }
    }
}

fn parallel_turn(
    saga: &Expansion<'_>,
    region: &RegionLayout,
    index: usize,
    layout: &ParallelLayout,
) -> TokenStream {
    let vis = &saga.model.ast.vis;
    let RegionNames { backward, .. } = RegionNames::new(saga, region);
    let (entry, entry_uses) = backward::entry(saga, region, index);
    let (taken, body) = match &layout.compensation {
        None => (saga.idents(&entry_uses), entry),
        Some(compensation) => {
            let taken = saga.idents(&(&entry_uses | compensation));
            let fields = saga.idents(compensation);
            let position = backward::parallel_position(saga, layout);
            let (variant, ty) = (position.variant, position.ty);
            let branches =
                layout.branches.iter().map(|branch| names::snake(&branch.label)).collect::<Vec<_>>();
            let body = quote! {
                let (#(#branches,)*) = (#(self.#branches.turn(),)*);
                if #(#branches.is_undone())&&* {
                    #entry
                } else {
                    #backward::#variant(#ty { #(#fields,)* #(#branches),* })
                }
            };
            (taken, body)
        }
    };
    quote! {
        /// The saga turns: where compensation begins.
        #vis fn turn(self) -> #backward {
            #(let #taken = self.#taken;)*
            #body
        }
    }
}

fn parallel_call(saga: &Expansion<'_>, region: &RegionLayout, layout: &ParallelLayout) -> TokenStream {
    let arms = layout.branches.iter().map(|branch| {
        let field = names::snake(&branch.label);
        let range = step_range(branch);
        let outer = outer_arguments(saga, &branch.outer, &layout.forward);
        quote!(#range => self.#field.call(step, kind, participants, cx #outer),)
    });
    call_signature(saga, &region.outer, &quote!(match step { #(#arms)* _ => ::core::option::Option::None }))
}

/// What a branch's call is given of the regions around: from the parallel's own fields, or handed through.
pub(super) fn outer_arguments(
    saga: &Expansion<'_>,
    outer: &BTreeSet<VariableId>,
    own: &BTreeSet<VariableId>,
) -> TokenStream {
    let arguments = outer.iter().map(|id| {
        let name: &Ident = saga.variable(*id).0;
        if own.contains(id) { quote!(, &self.#name) } else { quote!(, #name) }
    });
    quote!(#(#arguments)*)
}

/// `fn call(&self, step, kind, participants, cx, …) -> Option<CallFuture>` with this body.
pub(super) fn call_signature(
    saga: &Expansion<'_>,
    outer: &BTreeSet<VariableId>,
    body: &TokenStream,
) -> TokenStream {
    let Expansion { runtime, private: p, event, participants, .. } = saga;
    let outer = saga.outer_parameters(outer);
    quote! {
        fn call(
            &self,
            step: usize,
            kind: #runtime::machine::CallKind,
            participants: &#p::Arc<#participants>,
            cx: #runtime::Context
            #outer
        ) -> ::core::option::Option<#p::CallFuture<#event>> {
            #body
        }
    }
}

fn region_call(saga: &Expansion<'_>, region: &RegionLayout, forward: &Ident) -> TokenStream {
    let quiet = quiet();
    let arms = region.nodes.iter().map(|node| {
        let variant = position(saga, node).variant;
        match node {
            NodeLayout::Step(step) => {
                let id = step.id;
                let uses = &saga.model.steps[id].action_uses | &saga.model.steps[id].probe_uses;
                let outer = saga.idents(&(&uses - &step.forward));
                quote! {
                    Self::#variant(at) if step == #id => {
                        ::core::option::Option::Some(at.call(kind, participants, cx #(, #outer)*))
                    }
                }
            }
            NodeLayout::Parallel(_) => {
                let outer = saga.idents(&region.outer);
                quote!(Self::#variant(at) => at.call(step, kind, participants, cx #(, #outer)*),)
            }
        }
    });
    let body = quote!(match self { #(#arms)* _ => ::core::option::Option::None });
    let call = call_signature(saga, &region.outer, &body);
    quote!(#[automatically_derived] #quiet impl #forward { #call })
}

fn debug(saga: &Expansion<'_>, region: &RegionLayout, forward: &Ident) -> TokenStream {
    let end_variant = RegionNames::new(saga, region).end.variant;
    let end_name = end_variant.to_string();
    let arms = region.nodes.iter().map(|node| {
        let variant = position(saga, node).variant;
        match node {
            NodeLayout::Step(_) => quote!(Self::#variant(at) => ::core::fmt::Debug::fmt(at, f),),
            NodeLayout::Parallel(parallel) => {
                let name = variant.to_string();
                let fields = parallel.branches.iter().map(|branch| {
                    let field = names::snake(&branch.label);
                    let text = field.to_string();
                    quote!(.field(#text, &at.#field))
                });
                quote!(Self::#variant(at) => f.debug_struct(#name) #(#fields)* .finish(),)
            }
        }
    });
    quote! {
        #[automatically_derived]
        impl ::core::fmt::Debug for #forward {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                match self {
                    #(#arms)*
                    Self::#end_variant(_) => f.write_str(#end_name),
                }
            }
        }
    }
}
