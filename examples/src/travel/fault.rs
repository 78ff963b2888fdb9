//! How the four services can be told to misbehave.

use super::wire::ServiceKind;
pub use crate::service::fault::{FaultKind, InvalidFault};

/// One way to misbehave, for some calls.
pub type Fault = crate::service::fault::Fault<ServiceKind>;

/// A fault, and whose.
pub type FaultOrder = crate::service::fault::FaultOrder<ServiceKind>;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::travel::wire::Operation;

    #[test]
    fn a_fault_is_shown_as_it_is_written() {
        for text in [
            "hotel:reserve:lose-reply:3",
            "flight:cancel:slow(250):always",
            "card:charge:die-after@trip-007",
            "hotel:probe:hang",
            "flight:voucher:drop:2@a@b:c",
        ] {
            assert_eq!(text.parse::<FaultOrder>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_wrong_fault_is_told_what_to_write() {
        #[track_caller]
        fn check(text: &str, expected: &str) {
            assert_eq!(text.parse::<FaultOrder>().unwrap_err().to_string(), expected);
        }
        check(
            "hotel",
            "`hotel` is no fault: write SERVICE:OPERATION:KIND[:TIMES][@SAGA], such as `hotel:reserve:lose-reply:3`",
        );
        check("motel:reserve:drop", "`motel` is no service: write one of flight, hotel, car, card");
        check(
            "car:steal:drop",
            "`steal` is no operation: write one of reserve, charge, cancel, probe, voucher",
        );
        check("car:probe:drop", "the car service has no operation `probe`: it has reserve, cancel");
        check(
            "car:reserve:drip",
            "`drip` is no fault: write one of slow(MS), refuse, unavailable, lose-reply, drop, hang, die-before, die-after",
        );
        check("car:reserve:slow", "`slow` does not say how slow: write milliseconds, such as `slow(250)`");
        check("car:reserve:drop:0", "`0` is no number of times: write 1 or more, or `always`");
        check("car:reserve:drop:-1", "`-1` is no number of times: write 1 or more, or `always`");
    }

    #[test]
    fn a_fault_travels_as_json() {
        let fault: Fault = serde_json::from_str(r#"{"operation":"reserve","kind":{"slow":20}}"#).unwrap();
        assert_eq!(fault, Fault::once(Operation::Reserve, FaultKind::Slow(20)));
        let always: Fault =
            serde_json::from_str(r#"{"operation":"probe","kind":"drop","times":null}"#).unwrap();
        assert_eq!(always.times, None);
    }
}
