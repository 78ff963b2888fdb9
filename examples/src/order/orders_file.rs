//! Reads orders from a JSON Lines file: all of them, or every mistake by line, column and field.

use std::path::Path;

use saga_runtime::SagaId;

use super::orders::{APPROVAL_LIMIT, Destination, Order, OrderLine};
use super::values::Sku;
use crate::fields::Fields;
use crate::lines::{self, LineMistake, LinesError, Mistake, Subject};
use crate::money::{Card, Cents};

/// The orders that ship with the example.
const ORDERS: &str = include_str!("../../order/orders.jsonl");

const SUBJECT: Subject = Subject { noun: "order", done: "fulfilled" };

/// The most lines that an order has.
const LINES_MAX: usize = 50;

/// The most units of one article that can be ordered at once.
const QUANTITY_MAX: u32 = 999;

/// The highest price of one unit.
const PRICE_MAX: Cents = Cents(10_000_000);

/// Reads all orders of `file`. Empty lines are skipped.
pub fn read_orders(file: &Path) -> Result<Vec<Order>, LinesError> {
    lines::read(file, SUBJECT, parse_order)
}

/// The orders of a file's content, and its mistakes.
pub fn parse_orders(content: &[u8]) -> (Vec<Order>, Vec<Mistake>) {
    lines::parse(content, SUBJECT, parse_order)
}

/// The orders that ship with the example (`examples/order/orders.jsonl`).
pub fn shipped_orders() -> anyhow::Result<Vec<Order>> {
    let (orders, mistakes) = parse_orders(ORDERS.as_bytes());
    match mistakes.first() {
        None => Ok(orders),
        Some(mistake) => anyhow::bail!("the orders that ship with the example are not in order: {mistake}"),
    }
}

fn parse_order(line: &str) -> Result<Order, LineMistake> {
    let mut fields = Fields::of_line(line)?;
    let order = Order {
        id: fields.take_where("id", "a name without blanks, such as \"order-001\"", |id: &String| {
            SagaId::new(id).is_ok()
        })?,
        customer: text(&mut fields, "customer", "who orders, such as \"Ada Keller\"")?,
        mail: fields.take("mail", "a mail address, such as \"ada@example.com\"")?,
        card: Card(text(&mut fields, "card", "a card, such as \"card-2001\"")?),
        destination: parse_destination(&mut fields)?,
        lines: parse_lines(&mut fields)?,
        approval: fields.take_if_there("approval", "\"approve\", \"refuse\" or \"never\"")?,
    };
    let (total, limit) = (order.total(), APPROVAL_LIMIT);
    if order.needs_approval() && order.approval.is_none() {
        let mend = format!(
            "is missing, and the total {total} is above {limit}: write \"approve\", \"refuse\" or \"never\""
        );
        return Err(fields.mistake("approval", &mend));
    }
    if !order.needs_approval() && order.approval.is_some() {
        let mend = format!("nobody is asked, for the total {total} is not above {limit}: leave it away");
        return Err(fields.mistake("approval", &mend));
    }
    fields.end()?;
    Ok(order)
}

fn parse_destination(order: &mut Fields<'_>) -> Result<Destination, LineMistake> {
    let expected = "an object with street, city and country";
    let mut fields = order.take_object("destination", expected)?;
    let destination = Destination {
        street: text(&mut fields, "street", "street and number, such as \"Seeweg 3\"")?,
        city: text(&mut fields, "city", "postal code and town, such as \"8002 Zürich\"")?,
        country: fields.take("country", "the two capital letters of an ISO code, such as \"CH\"")?,
    };
    fields.end()?;
    Ok(destination)
}

fn parse_lines(order: &mut Fields<'_>) -> Result<Vec<OrderLine>, LineMistake> {
    let expected = format!("a list of 1 to {LINES_MAX} objects with sku, quantity and price");
    let objects = order.take_objects("lines", &expected)?;
    if objects.is_empty() || objects.len() > LINES_MAX {
        return Err(order.mistake("lines", &format!("has {} lines: write {expected}", objects.len())));
    }
    let mut lines: Vec<OrderLine> = Vec::new();
    for mut fields in objects {
        let line = parse_line(&mut fields)?;
        if let Some(first) = lines.iter().position(|other| other.sku == line.sku) {
            let mend = format!("{} stands in lines[{first}] already: add the quantities up", line.sku);
            return Err(fields.mistake("sku", &mend));
        }
        fields.end()?;
        lines.push(line);
    }
    Ok(lines)
}

fn parse_line(fields: &mut Fields<'_>) -> Result<OrderLine, LineMistake> {
    let sku: Sku = fields.take("sku", "small letters, digits and `-`, such as \"desk-lamp\"")?;
    let expected = format!("a whole number from 1 to {QUANTITY_MAX}");
    let quantity =
        fields.take_where("quantity", &expected, |quantity| (1..=QUANTITY_MAX).contains(quantity))?;
    let expected = format!("a whole number of cents from 1 to {}", PRICE_MAX.0);
    let price = fields.take_where("price", &expected, |price| (Cents(1)..=PRICE_MAX).contains(price))?;
    Ok(OrderLine { sku, quantity, price })
}

/// A text that is not blank.
fn text(fields: &mut Fields<'_>, name: &'static str, expected: &str) -> Result<String, LineMistake> {
    fields.take_where(name, expected, |text: &String| !text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RIGHT: &str = r#"{"id":"o1","customer":"Ada","mail":"ada@example.com","card":"c","destination":{"street":"Seeweg 3","city":"8002 Zürich","country":"CH"},"lines":[{"sku":"lamp","quantity":2,"price":4990},{"sku":"desk","quantity":1,"price":100}]}"#;

    #[track_caller]
    fn check(content: &str, expected: &[&str]) {
        let (_, mistakes) = parse_orders(content.as_bytes());
        assert_eq!(mistakes.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
    }

    #[track_caller]
    fn check_with(right: &str, wrong: &str, expected: &str) {
        assert!(RIGHT.contains(right));
        check(&RIGHT.replacen(right, wrong, 1), &[expected]);
    }

    #[test]
    fn a_right_line_is_an_order() {
        let (orders, mistakes) = parse_orders(format!("\n{RIGHT}\r\n").as_bytes());
        assert_eq!((orders.len(), mistakes.len()), (1, 0));
        assert_eq!(serde_json::to_string(&orders[0]).unwrap(), RIGHT);
        assert_eq!(orders[0].total(), Cents(10_080));
    }

    #[test]
    fn a_wrong_value_is_named_with_its_field_and_the_mend() {
        check_with(
            "\"quantity\":2",
            "\"quantity\":0",
            "1:172: field `lines[0].quantity` is 0: write a whole number from 1 to 999",
        );
        check_with(
            "\"price\":100",
            "\"price\":1.5",
            "1:223: field `lines[1].price` is 1.5: write a whole number of cents from 1 to 10000000",
        );
        check_with(
            "\"CH\"",
            "\"Switzerland\"",
            "1:132: field `destination.country` is \"Switzerland\": write the two capital letters of an ISO code, such as \"CH\"",
        );
        check_with(
            "ada@example.com",
            "ada",
            "1:36: field `mail` is \"ada\": write a mail address, such as \"ada@example.com\"",
        );
        check_with(
            "\"o1\"",
            "\"o 1\"",
            "1:7: field `id` is \"o 1\": write a name without blanks, such as \"order-001\"",
        );
        check_with(
            "\"Ada\"",
            "\" \"",
            "1:23: field `customer` is \" \": write who orders, such as \"Ada Keller\"",
        );
        check_with(
            "\"desk\"",
            "\"lamp\"",
            "1:188: field `lines[1].sku`: lamp stands in lines[0] already: add the quantities up",
        );
    }

    #[test]
    fn a_missing_or_unknown_field_is_named() {
        check_with(
            "\"card\":\"c\",",
            "",
            "1:1: field `card` is missing: write a card, such as \"card-2001\"",
        );
        check_with(
            "\"sku\":\"desk\"",
            "\"article\":\"desk\"",
            "1:188: field `lines[1].sku` is missing: write small letters, digits and `-`, such as \"desk-lamp\"",
        );
        check_with(
            "\"card\":\"c\",",
            "\"card\":\"c\",\"gift\":true,",
            "1:72: unknown field `gift`: write one of `id`, `customer`, `mail`, `card`, `destination`, `lines`, `approval`",
        );
        check_with(
            "\"card\":\"c\",",
            "\"card\":\"c\",\"card\":\"d\",",
            "1:72: field `card` stands twice: write it once",
        );
        check_with(
            "[{\"sku\":\"lamp\",\"quantity\":2,\"price\":4990},{\"sku\":\"desk\",\"quantity\":1,\"price\":100}]",
            "[]",
            "1:1: field `lines`: has 0 lines: write a list of 1 to 50 objects with sku, quantity and price",
        );
    }

    #[test]
    fn an_order_above_the_limit_says_what_the_human_will_say() {
        let dear = RIGHT.replace("\"price\":100}", "\"price\":100000}");
        check(
            &dear,
            &[
                "1:1: field `approval`: is missing, and the total 1099.80 is above 1000.00: write \"approve\", \"refuse\" or \"never\"",
            ],
        );
        let with =
            |line: &str, verdict: &str| format!("{},\"approval\":{verdict}}}", &line[..line.len() - 1]);
        check(&with(&dear, "\"refuse\""), &[]);
        check(
            &with(&dear, "\"perhaps\""),
            &["1:243: field `approval` is \"perhaps\": write \"approve\", \"refuse\" or \"never\""],
        );
        check(
            &with(RIGHT, "\"approve\""),
            &[
                "1:1: field `approval`: nobody is asked, for the total 100.80 is not above 1000.00: leave it away",
            ],
        );
    }

    #[test]
    fn all_mistakes_are_listed_at_once_and_no_prefix_panics() {
        check(
            &format!("{{}}\n{RIGHT}\n[]\n{RIGHT}\n"),
            &[
                "1:1: field `id` is missing: write a name without blanks, such as \"order-001\"",
                "3:1: this is no JSON object: write each order as `{\"id\": …}` on a line of its own",
                "4:1: the id `o1` stands on line 2 already: give each order its own",
            ],
        );
        for end in 0..RIGHT.len() {
            assert_eq!(parse_orders(&RIGHT.as_bytes()[..end]).0.len(), 0);
        }
    }

    #[test]
    fn the_shipped_orders_are_in_order() {
        assert_eq!(shipped_orders().unwrap().len(), 32);
    }
}
