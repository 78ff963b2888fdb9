//! Example sagas on real services. The first is [`travel`]: a flight, a hotel and a car, all of them or none.

pub mod travel;
