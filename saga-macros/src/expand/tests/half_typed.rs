//! Half-typed code: one error, at that place, and everything else is there.
//!
//! Each form of the language is cut behind each of its tokens, in a saga that is whole otherwise.

use std::collections::BTreeSet;
use std::fmt::Write;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::editor::testing::in_an_editor;

/// With parameters, one of which only its participants use: what is written for data has the others.
const HEAD: &str = "pub saga Trip<M: Money, F: FlightDesk<M>, const CARS: usize>(order: Order<M>, cars: [Car; CARS]) -> Booking {";

/// A statement of the saga: a form of the language with all its clauses, and the steps in it.
struct Form {
    text: &'static str,
    steps: &'static [&'static str],
}

const fn form(text: &'static str, steps: &'static [&'static str]) -> Form {
    Form { text, steps }
}

/// Every form, in an order in which they may stand. What the macro reads but refuses (`lock`, `local`, `saga`) is not
/// among them: whoever builds it adds a line here.
const FORMS: &[Form] = &[
    form("with flights: F, hotels: HotelDesk;", &[]),
    form("deadline 30m;", &[]),
    form("timeout 30s;", &[]),
    form("retry 5 times every 100ms..(LONGEST);", &[]),
    form("lock order.customer, \"desk\";", &[]),
    form(
        "/// Holds a seat.\n\
         step flight: Map<Flight, M> = flights.reserve(cx, order.seat(1)?, |seat| seat.price)\n\
         timeout (order.patience())\n\
         retry forever every 1s..1h30m\n\
         probe flights.find(cx, order)\n\
         keyed\n\
         events FlightReserved, FlightRefused, FlightCancelled\n\
         compensate flights.cancel(cx, flight) { timeout 3s, retry 2 times };",
        &["Flight"],
    ),
    form("read price: Price = flights.quote(cx, flight).await_price() else Price::default();", &["Price"]),
    form(
        "parallel {\n\
         step hotel: Hotel = hotels.reserve(cx, &order) compensate hotels.cancel(cx, hotel);\n\
         {\n\
         step room: Room = hotels.room(cx, Wish { view: true, ..order.wish }) keyed compensate nothing;\n\
         read view: View = hotels.view(cx, room);\n\
         }\n\
         }",
        &["Hotel", "Room", "View"],
    ),
    form(
        "local seat: Seat = book::take(tx, order.seat(2)?, flight) compensate book::free(tx, seat);",
        &["Seat"],
    ),
    form("saga stay: Stay = trips::Stay(order.clone(), flight.price + 1);", &["Stay"]),
    form("receive approval: Approval<M> within 24h else Approval::none();", &["Approval"]),
    form(
        "if let Some(Bag { weight, .. }) = &order.bag && *weight > 5 {\n\
         step bag: Bag = flights.bag(cx, *weight) compensate flights.unbag(cx, bag);\n\
         } else if order.is_long {\n\
         step meal: Meal = flights.meal(cx) compensate flights.no_meal(cx, meal);\n\
         } else {\n\
         step snack: Snack = flights.snack(cx) compensate flights.no_snack(cx, snack);\n\
         }",
        &["Bag", "Meal", "Snack"],
    ),
    form(
        "for guest: Guest in order.guests.iter().cloned() {\n\
         step badge: Badge = hotels.badge(cx, guest) compensate hotels.take_back(cx, badge);\n\
         }",
        &["Guest", "Badge"],
    ),
    form(
        "parallel for car: Car in cars.clone() limit 4 {\n\
         step hire: Hire = hotels.hire(cx, car) compensate hotels.unhire(cx, hire);\n\
         }",
        &["Car", "Hire"],
    ),
    form("sleep until (order.start - DAY);", &["Sleep"]),
    form("receive answer: Answer within (order.patience());", &["Answer"]),
    form(
        "pivot receipt: Receipt = hotels.charge(cx, &order.card, flight.price + 2) retry never;",
        &["Receipt"],
    ),
    form(
        "step voucher: Voucher = flights.issue(cx, format!(\"{flight}\")) keyed else Voucher::none();",
        &["Voucher"],
    ),
    form("return Booking { flight, hotel: hotel.id, receipt, voucher };", &[]),
];

/// A saga with one of the forms written as `text`, and where that stands. The forms beside it are there, and the first
/// and the last ones.
fn saga(broken: usize, text: &str) -> (String, std::ops::Range<usize>) {
    let mut saga = format!("{HEAD}\n");
    let mut place = 0..0;
    let is_there = |number: usize| number == 0 || number.abs_diff(broken) < 2 || number + 4 > FORMS.len();
    for (number, form) in FORMS.iter().enumerate().filter(|(number, _)| is_there(*number)) {
        let start = saga.len();
        saga.push_str(if number == broken { text } else { form.text });
        if number == broken {
            place = start..saga.len();
        }
        saga.push('\n');
    }
    (saga + "}", place)
}

/// A place behind a token.
struct Cut {
    /// What is before it.
    end: usize,
    /// The brackets that are open there.
    closing: String,
    /// Where the innermost of them is closed.
    resumes: Option<usize>,
}

/// All places behind a token, but not behind the last one.
fn cuts(text: &str) -> Vec<Cut> {
    fn collect(text: &str, tokens: TokenStream, closing: &str, resumes: Option<usize>, cuts: &mut Vec<Cut>) {
        for tree in tokens {
            let end = match &tree {
                // A doc comment is an attribute as well.
                TokenTree::Group(group) if text[group.span().byte_range()].starts_with(['(', '[', '{']) => {
                    let closed = match group.delimiter() {
                        Delimiter::Parenthesis => ")",
                        Delimiter::Bracket => "]",
                        _ => "}",
                    };
                    let inner = format!("{closed}{closing}");
                    let close = group.span_close().byte_range().start;
                    cuts.push(Cut {
                        end: group.span_open().byte_range().end,
                        closing: inner.clone(),
                        resumes: Some(close),
                    });
                    collect(text, group.stream(), &inner, Some(close), cuts);
                    group.span_close().byte_range().end
                }
                tree => tree.span().byte_range().end,
            };
            cuts.push(Cut { end, closing: closing.to_owned(), resumes });
        }
    }
    let mut all = Vec::new();
    collect(text, tokens(text), "", None, &mut all);
    all.pop();
    all
}

fn tokens(text: &str) -> TokenStream {
    text.parse().unwrap_or_else(|error| panic!("{error}:\n{text}"))
}

/// A form while it is typed.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct State {
    text: String,
    /// Where it is typed.
    cursor: usize,
}

/// What a form looks like while it is typed: it ends behind a token; or in brackets, with all behind them written; or
/// what follows a word or sign of it is still to come.
fn half_typed(text: &str) -> BTreeSet<State> {
    let mut states = BTreeSet::new();
    for Cut { end, closing, resumes } in cuts(text) {
        states.insert(State { text: format!("{}{closing}", &text[..end]), cursor: end });
        if let Some(resumes) = resumes {
            states.insert(State { text: format!("{} {}", &text[..end], &text[resumes..]), cursor: end });
        }
    }
    let marks = tokens(text).into_iter().filter(|tree| match tree {
        TokenTree::Ident(word) => WORDS.contains(&word.to_string().as_str()),
        TokenTree::Punct(punct) => matches!(punct.as_char(), '=' | ':' | ';' | '.'),
        _ => false,
    });
    let marks = marks.map(|mark| mark.span().byte_range()).collect::<Vec<_>>();
    for (mark, next) in marks.iter().zip(marks.iter().skip(1)) {
        states.insert(State {
            text: format!("{} {}", &text[..mark.end], &text[next.start..]),
            cursor: mark.end,
        });
    }
    states.retain(|state| state.text != text);
    states
}

fn flat(tokens: TokenStream, found: &mut Vec<TokenTree>) {
    for tree in tokens {
        match tree {
            TokenTree::Group(group) => flat(group.stream(), found),
            tree => found.push(tree),
        }
    }
}

/// All tokens, those in brackets among them.
fn flattened(tokens: TokenStream) -> Vec<TokenTree> {
    let mut found = Vec::new();
    flat(tokens, &mut found);
    found
}

/// Where the tokens stand that an expansion has from the user.
fn of_the_user(expansion: &[TokenTree], text: &str) -> BTreeSet<usize> {
    let places = expansion.iter().map(|token| (token.span().byte_range(), token.to_string()));
    let places = places.filter(|(range, token)| !range.is_empty() && text.get(range.clone()) == Some(token));
    places.map(|(range, _)| range.start).collect()
}

/// The types and variants of an expansion.
fn names(expansion: &[TokenTree]) -> BTreeSet<String> {
    let words = expansion.iter().filter_map(|token| match token {
        TokenTree::Ident(word) => Some(word.to_string()),
        _ => None,
    });
    let steps = FORMS.iter().flat_map(|form| form.steps).collect::<Vec<_>>();
    let is_derived =
        |word: &String| word.starts_with("Trip") || steps.iter().any(|step| word.starts_with(**step));
    words.filter(is_derived).collect()
}

/// The errors: where each begins, and what it says.
fn errors(expansion: &[TokenTree]) -> Vec<(usize, String)> {
    let is_error = |token: &TokenTree| matches!(token, TokenTree::Ident(word) if word == "compile_error");
    let places = expansion.iter().enumerate().filter(|(_, token)| is_error(token));
    places.map(|(at, token)| (token.span().byte_range().start, expansion[at + 2].to_string())).collect()
}

#[test]
fn what_is_half_typed_is_one_error_and_all_else_is_there() {
    let mut wrong = String::new();
    for (number, form) in FORMS.iter().enumerate() {
        let (whole_text, whole_place) = saga(number, form.text);
        let whole = flattened(crate::compile(tokens(&whole_text)));
        assert_eq!(errors(&whole), [], "the whole has no error");
        let all_names = names(&whole);
        // A line that mentions what is half typed may be refused.
        let outputs = form.steps.iter().map(|step| step.to_lowercase()).collect::<Vec<_>>();
        let is_of_another = |at: &usize| {
            let (start, rest) = (whole_text[..*at].rfind('\n').unwrap_or_default(), &whole_text[*at..]);
            let line = whole_text[start..].trim_start().lines().next().unwrap_or_default();
            // What nobody mentions any more is not kept.
            let is_name =
                rest.split_once(':').is_some_and(|(name, _)| name.chars().all(char::is_alphanumeric));
            let mentions = outputs.iter().any(|output| line.contains(output));
            !whole_place.contains(at) && number > 0 && !mentions && !is_name
        };
        let passed_on =
            of_the_user(&whole, &whole_text).into_iter().filter(is_of_another).collect::<Vec<_>>();
        for State { text: state, .. } in half_typed(form.text) {
            let (text, place) = saga(number, &state);
            let state = state.replace('\n', " ");
            let expanded = crate::compile(tokens(&text));
            if let Err(error) = syn::parse2::<syn::File>(expanded.clone()) {
                writeln!(wrong, "not Rust: {error}: {state}").unwrap();
            }
            let expanded = flattened(expanded);
            let said = errors(&expanded);
            if said.len() > 1 {
                writeln!(wrong, "{} errors: {state}\n    {said:?}", said.len()).unwrap();
            }
            for (at, message) in said.iter().filter(|(at, _)| !place.contains(at)) {
                writeln!(wrong, "elsewhere, at {:?}: {state}\n    {message}", text[*at..].get(..10)).unwrap();
            }
            let found = names(&expanded);
            let is_of_form = |name: &&String| {
                form.steps.iter().any(|step| name.contains(step))
                    || form.text.contains(&**name)
                    || form.text.contains("receive") && *name == "TripSignal"
            };
            let lost = all_names.difference(&found).filter(|name| !is_of_form(name)).collect::<Vec<_>>();
            if !lost.is_empty() {
                writeln!(wrong, "lost {lost:?}: {state}").unwrap();
            }
            let found = of_the_user(&expanded, &text);
            let moved = |at: usize| if at < place.start { at } else { at - whole_place.end + place.end };
            if let Some(at) = passed_on.iter().find(|at| !found.contains(&moved(**at))) {
                let token = whole_text[*at..].lines().next().unwrap_or_default();
                writeln!(wrong, "not passed on: `{token}`: {state}").unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn an_editor_finds_the_cursor_at_the_same_place_in_both_expansions() {
    let expand = |text: &str| {
        let expanded = in_an_editor(|| flattened(crate::compile(tokens(text))));
        expanded.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let mut wrong = String::new();
    for (number, form) in FORMS.iter().enumerate() {
        for state in half_typed(form.text) {
            let Some(marked) = state.marked() else { continue };
            let expanded = expand(&saga(number, &state.text).0);
            let speculative = expand(&saga(number, &marked).0);
            let marked = marked.replace('\n', " ");
            let Some(at) = speculative.iter().position(|token| token.ends_with(MARKER)) else {
                if state.is_of_a_member() {
                    writeln!(wrong, "not expanded: {marked}").unwrap();
                }
                continue;
            };
            let before = expanded.iter().zip(&speculative[..at]);
            if let Some(differs) = before.map(|(token, other)| token == other).position(|is_same| !is_same) {
                let around = speculative[differs.saturating_sub(8)..].iter().take(10).cloned();
                writeln!(wrong, "{marked}\n     {}", around.collect::<Vec<_>>().join(" ")).unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// What rust-analyzer writes at the cursor when it expands for the second time.
const MARKER: &str = "intellijRulezz";

impl State {
    /// With what an editor writes at the cursor. `None` where the user gives a name: nobody can complete that.
    fn marked(&self) -> Option<String> {
        let (before, behind) = self.text.split_at(self.cursor);
        let mut words = before.rsplit(|char: char| !char.is_alphanumeric() && char != '_');
        let (last, earlier) = (words.next()?, words.next()?);
        let is_name = ["step", "read", "pivot", "receive", "for"].contains(&earlier) || last == "for";
        let is_participant = before.starts_with("with") && before.ends_with(',');
        let is_comment = before.rsplit('\n').next().is_some_and(|line| line.starts_with("///"));
        if is_name || is_participant || is_comment {
            return None;
        }
        let space = if WORDS.contains(&last) { " " } else { "" };
        Some(format!("{before}{space}{MARKER}{behind}"))
    }

    /// Whether it is a field or a method that is typed.
    fn is_of_a_member(&self) -> bool {
        let Some(before) = self.text[..self.cursor].strip_suffix('.') else { return false };
        let last = before.rsplit(|char: char| !char.is_alphanumeric() && char != '_').next();
        let is_number = last.is_some_and(|last| last.starts_with(|first: char| first.is_numeric()));
        !is_number && !before.ends_with(['.', ' '])
    }
}

/// The words of the language that are none of Rust's.
const WORDS: &[&str] = &[
    "with",
    "deadline",
    "step",
    "read",
    "pivot",
    "parallel",
    "receive",
    "sleep",
    "retry",
    "timeout",
    "forever",
    "every",
    "times",
    "never",
    "probe",
    "keyed",
    "events",
    "compensate",
    "nothing",
    "else",
    "within",
    "if",
    "let",
    "for",
    "in",
    "limit",
    "until",
    "return",
];
