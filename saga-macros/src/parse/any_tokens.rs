//! Whatever is typed: no panic, an answer, and the other steps are still there.

use proc_macro2::{Group, TokenStream, TokenTree};
use proptest::prelude::*;

use super::parse;
use crate::ast::{Saga, Statement};
use crate::check::{check, settle_names};
use crate::model::resolve;

const VALID: &str = "
    /// Books a trip.
    #[saga(crate = ::saga, version = 2)]
    pub(crate) saga BookTrip<P: Desk, const N: usize>(trip: Trip, seats: Vec<Seat>) -> Itinerary where P: Send {
        with flights: FlightDesk, hotels: HotelDesk, cards: CardDesk;
        timeout 30s;
        retry 5 times every 100ms..10s;
        deadline at (trip.start - DAY);
        lock trip.customer, seats.first();

        /// Holds a seat.
        step flight: Map<Flight, Seat> = flights.reserve(cx, trip)
            timeout 5s
            events FlightReserved, FlightRefused, FlightCancelled
            compensate flights.cancel(cx, flight) { timeout 3s, retry forever every (a)..1h30m };
        parallel {
            step hotel: Hotel = hotels.reserve(cx, trip, flight)
                probe hotels.find(cx)
                compensate hotels.cancel(cx, hotel);
            {
                read quote: Price = cards.quote(cx, |seat| seat.price) else Price::default();
                step car: Car = if quote.high { a() } else { b() } keyed compensate nothing;
            }
        }
        receive approval: Approval within 24h else Approval::none();
        /// Only if it is wished for.
        if let Some(Bag { weight, .. }) = &trip.bag && *weight > 5 {
            step bag: Bag = flights.bag(cx) compensate flights.unbag(cx);
        } else if match trip.kind { Kind::Short => true, _ => false } {
            sleep 1h30m;
        } else {
            local note: Note = notes.add(tx, trip) compensate notes.remove(tx, note);
        }
        for seat: Seat in seats.iter().cloned() {
            step pick: Pick = flights.pick(cx, seat) compensate flights.unpick(cx, pick);
        }
        parallel for guest: Guest in trip.guests.clone() limit 4 {
            saga visa: Visa = ApplyForVisa(guest, trip);
            step badge: Badge = hotels.badge(cx) keyed compensate nothing;
        }
        pivot receipt: Receipt = cards.charge(cx, &trip.card, flight.price + 2) retry never;
        sleep until (trip.start);
        step voucher: Voucher = flights.issue(cx, format!(\"{flight}\"));
        return Itinerary { flight, hotel, car, receipt, voucher };
    }
    saga Other() { with p: P; deadline 30m; step only: Only = p.only(cx); }
";

fn valid() -> TokenStream {
    VALID.parse().unwrap()
}

/// All of what the macro does before it expands. The names of all steps, and how many errors there were.
fn compile(tokens: TokenStream) -> (Vec<String>, usize) {
    let (mut sagas, mut report) = parse(tokens);
    settle_names(&mut sagas, &mut report);
    for saga in &sagas {
        check(&resolve(saga), &mut report);
    }
    let errors = report.len();
    syn::parse2::<syn::File>(report.into_tokens()).expect("errors are items");
    (sagas.iter().flat_map(step_names).collect(), errors)
}

fn step_names(saga: &Saga) -> Vec<String> {
    fn collect(statements: &[Statement], names: &mut Vec<String>) {
        for statement in statements {
            match statement {
                Statement::Step(step) => names.push(step.name.to_string()),
                Statement::Parallel(parallel) => {
                    parallel.branches.iter().for_each(|branch| collect(branch, names));
                }
                Statement::If(branching) => {
                    branching.arms.iter().for_each(|arm| collect(&arm.body, names));
                    branching.otherwise.iter().for_each(|body| collect(body, names));
                }
                Statement::For(each) => collect(&each.body, names),
                Statement::Sleep(_) => {}
            }
        }
    }
    let mut names = Vec::new();
    collect(&saga.body, &mut names);
    names
}

/// A change of a list of tokens at one place.
type Change = fn(&mut Vec<TokenTree>, usize);

const CUT: Change = |trees, at| trees.truncate(at);
const REMOVE: Change = |trees, at| drop(trees.remove(at));
const DOUBLE: Change = |trees, at| trees.insert(at, trees[at].clone());
const SWAP: Change = |trees, at| {
    let next = (at + 1).min(trees.len() - 1);
    trees.swap(at, next);
};

/// Every variant of the tokens with one change, at any depth.
fn variants(tokens: &TokenStream, change: Change) -> Vec<TokenStream> {
    let trees = Vec::from_iter(tokens.clone());
    let mut variants = Vec::new();
    for (at, tree) in trees.iter().enumerate() {
        let mut changed = trees.clone();
        change(&mut changed, at);
        variants.push(changed.into_iter().collect());
        if let TokenTree::Group(group) = tree {
            for inside in variants_of_group(group, change) {
                let mut changed = trees.clone();
                changed[at] = inside.into();
                variants.push(changed.into_iter().collect());
            }
        }
    }
    variants
}

fn variants_of_group(group: &Group, change: Change) -> Vec<Group> {
    let rebuilt = |inside| Group::new(group.delimiter(), inside);
    variants(&group.stream(), change).into_iter().map(rebuilt).collect()
}

#[test]
fn the_whole_has_no_error() {
    let (steps, errors) = compile(valid());
    assert_eq!(
        steps,
        [
            "flight", "hotel", "quote", "car", "approval", "bag", "note", "pick", "visa", "badge", "receipt",
            "voucher", "only"
        ]
    );
    assert_eq!(errors, 0);
}

#[test]
fn every_prefix_is_answered() {
    for prefix in variants(&valid(), CUT) {
        compile(prefix);
    }
}

#[test]
fn one_wrong_token_leaves_the_other_steps() {
    let (all, _) = compile(valid());
    let (head, body) = body();
    for change in [REMOVE, DOUBLE, SWAP] {
        for changed in variants_of_group(&body, change) {
            let mut text = head.clone();
            text.push(changed.into());
            let text = text.into_iter().collect::<TokenStream>();
            let shown = text.to_string();
            let (steps, _) = compile(text);
            let is_written = |name: &&String| shown.contains(&format!("{name} :"));
            let lost = all.iter().filter(is_written).filter(|name| !steps.contains(name)).collect::<Vec<_>>();
            assert!(lost.len() <= 1, "lost {lost:?} of\n{shown}");
        }
    }
}

/// A missing token is one mistake. A second error may follow, but no flood.
#[test]
fn one_missing_token_is_one_mistake() {
    let (head, body) = body();
    let (mut texts, mut several) = (0, 0);
    for changed in variants_of_group(&body, REMOVE) {
        let text = head.iter().cloned().chain([changed.into()]).collect::<TokenStream>();
        let shown = text.to_string();
        let (_, report) = parse(text);
        let (errors, said) = (report.len(), report.into_text());
        assert!(errors <= 4, "{said}of\n{shown}");
        texts += 1;
        several += usize::from(errors > 1);
    }
    assert!(several * 20 < texts, "{several} of {texts} missing tokens are more than one error");
}

/// The first saga: what is before its body, and that.
fn body() -> (Vec<TokenTree>, Group) {
    let mut head = Vec::new();
    for tree in valid() {
        match tree {
            TokenTree::Group(group) if group.delimiter() == proc_macro2::Delimiter::Brace => {
                return (head, group);
            }
            tree => head.push(tree),
        }
    }
    panic!("the saga has a body");
}

#[test]
fn one_wrong_token_anywhere_is_answered() {
    for change in [REMOVE, DOUBLE, SWAP] {
        for changed in variants(&valid(), change) {
            compile(changed);
        }
    }
}

proptest! {
    /// Words of the language in any order.
    #[test]
    fn any_tokens_are_answered(words in proptest::collection::vec(prop::sample::select(WORDS), 0..40)) {
        let text = format!("saga A(a: A) {{ {} }}", words.join(" "));
        if let Ok(tokens) = text.parse() {
            compile(tokens);
        }
    }
}

const WORDS: &[&str] = &[
    "step",
    "read",
    "pivot",
    "parallel",
    "with",
    "timeout",
    "retry",
    "probe",
    "keyed",
    "compensate",
    "nothing",
    "return",
    "if",
    "else",
    "for",
    "local",
    "receive",
    "saga",
    "sleep",
    "until",
    "deadline",
    "at",
    "lock",
    "in",
    "let",
    "limit",
    "within",
    "events",
    "every",
    "times",
    "never",
    "forever",
    "5s",
    "5",
    "..",
    "1s..2s",
    "=",
    ":",
    ";",
    ",",
    ".",
    "x",
    "cx",
    "A",
    "{",
    "}",
    "(",
    ")",
    "#[doc = \"\"]",
    "::",
    "<",
    ">",
    "->",
    "'a",
    "?",
    "|x|",
    "a.b()",
    "step x: A = a.b();",
    "await",
    "\"{x}\"",
];
