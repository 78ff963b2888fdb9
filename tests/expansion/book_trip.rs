// What `saga!` writes for examples/src/travel/saga.rs, as prettyplease prints it.
// A test of saga-macros keeps this file equal to it: `UPDATE_EXPECT=1 cargo test -p saga-macros`.

/// Books a flight, a hotel and a car for one trip: all of them, or none.
pub enum BookTrip {}
/// What the calls of a [`BookTrip`] are made on.
pub struct BookTripParticipants {
    /// The participant `flights`.
    pub flights: FlightDesk,
    /// The participant `hotels`.
    pub hotels: HotelDesk,
    /// The participant `cars`.
    pub cars: CarDesk,
    /// The participant `cards`.
    pub cards: CardDesk,
}

/// The state of a [`BookTrip`]: where it is, and in which direction it goes.
pub type BookTripState = ::saga_runtime::machine::State<BookTripForward>;
/// What can happen to a [`BookTrip`]: what its log holds.
pub enum BookTripEvent {
    /// `flight` is done, with this output.
    FlightDone(FlightReservation),
    /// `flight` was refused.
    FlightRefused(::saga_runtime::machine::Refusal),
    /// Something about an attempt of `flight`.
    FlightAttempt(::saga_runtime::machine::AttemptFact),
    /// `flight` is compensated.
    FlightCompensated,
    /// Something about an attempt to compensate `flight`.
    FlightCompensation(::saga_runtime::machine::AttemptFact),
    /// `hotel` is done, with this output.
    HotelDone(HotelReservation),
    /// `hotel` was refused.
    HotelRefused(::saga_runtime::machine::Refusal),
    /// Something about an attempt of `hotel`.
    HotelAttempt(::saga_runtime::machine::AttemptFact),
    /// `hotel` is compensated.
    HotelCompensated,
    /// Something about an attempt to compensate `hotel`.
    HotelCompensation(::saga_runtime::machine::AttemptFact),
    /// `car` is done, with this output.
    CarDone(CarReservation),
    /// `car` was refused.
    CarRefused(::saga_runtime::machine::Refusal),
    /// Something about an attempt of `car`.
    CarAttempt(::saga_runtime::machine::AttemptFact),
    /// `car` is compensated.
    CarCompensated,
    /// Something about an attempt to compensate `car`.
    CarCompensation(::saga_runtime::machine::AttemptFact),
    /// `receipt` is done, with this output.
    ReceiptDone(Receipt),
    /// `receipt` was refused.
    ReceiptRefused(::saga_runtime::machine::Refusal),
    /// Something about an attempt of `receipt`.
    ReceiptAttempt(::saga_runtime::machine::AttemptFact),
    /// `voucher` is done, with this output.
    VoucherDone(Voucher),
    /// `voucher` was refused.
    VoucherRefused(::saga_runtime::machine::Refusal),
    /// Something about an attempt of `voucher`.
    VoucherAttempt(::saga_runtime::machine::AttemptFact),
    /// Somebody cancelled the saga, for this reason.
    Cancelled(::std::string::String),
    /// The saga returned this.
    Completed(Itinerary),
}

/// Where a [`BookTrip`] is on its way forward.
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub enum BookTripForward {
    /// `flight` is to be done.
    Flight(BookTripFlightStep),
    /// `hotel` and `car` are to be done, at the same time.
    HotelToCar(BookTripHotelToCarParallel),
    /// `receipt` is to be done.
    Receipt(BookTripReceiptStep),
    /// `voucher` is to be done.
    Voucher(BookTripVoucherStep),
    /// All is done: the output is to be built.
    Return(BookTripReturn),
}

/// Holds the seats.
///
/// `flight` is to be done.
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub struct BookTripFlightStep {
    /// The input `trip`.
    pub trip: ::saga_runtime::__private::Shared<Trip>,
    attempts: ::saga_runtime::__private::Ledger,
}

/// `hotel` and `car` are to be done, at the same time.
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub struct BookTripHotelToCarParallel {
    /// The input `trip`.
    pub trip: ::saga_runtime::__private::Shared<Trip>,
    /// The output of `flight`.
    pub flight: ::saga_runtime::__private::Shared<FlightReservation>,
    /// What is compensated should the saga turn.
    pub undo: BookTripBackward,
    /// The branch `hotel`.
    pub hotel: BookTripHotelBranch,
    /// The branch `car`.
    pub car: BookTripCarBranch,
}

/// Where the branch `hotel` is on its way forward.
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub enum BookTripHotelBranch {
    /// `hotel` is to be done.
    Hotel(BookTripHotelStep),
    /// The branch is done.
    BranchDone(BookTripHotelBranchDone),
}

/// Holds the rooms. The hotel does not answer by key: a lost reply is probed for.
///
/// `hotel` is to be done.
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub struct BookTripHotelStep {
    /// The input `trip`.
    pub trip: ::saga_runtime::__private::Shared<Trip>,
    /// The output of `flight`.
    pub flight: ::saga_runtime::__private::Shared<FlightReservation>,
    attempts: ::saga_runtime::__private::Ledger,
}

/// The branch is done.
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub struct BookTripHotelBranchDone {
    /// The output of `hotel`.
    pub hotel: ::saga_runtime::__private::Shared<HotelReservation>,
    /// What is compensated should the saga turn.
    pub undo: BookTripHotelBranchBackward,
}

/// Where the branch `car` is on its way forward.
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub enum BookTripCarBranch {
    /// `car` is to be done.
    Car(BookTripCarStep),
    /// The branch is done.
    BranchDone(BookTripCarBranchDone),
}

/// Holds the car.
///
/// `car` is to be done.
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub struct BookTripCarStep {
    /// The input `trip`.
    pub trip: ::saga_runtime::__private::Shared<Trip>,
    /// The output of `flight`.
    pub flight: ::saga_runtime::__private::Shared<FlightReservation>,
    attempts: ::saga_runtime::__private::Ledger,
}

/// The branch is done.
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub struct BookTripCarBranchDone {
    /// The output of `car`.
    pub car: ::saga_runtime::__private::Shared<CarReservation>,
    /// What is compensated should the saga turn.
    pub undo: BookTripCarBranchBackward,
}

/// Charges the card: from here on the trip takes place.
///
/// `receipt` is to be done.
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub struct BookTripReceiptStep {
    /// The input `trip`.
    pub trip: ::saga_runtime::__private::Shared<Trip>,
    /// The output of `flight`.
    pub flight: ::saga_runtime::__private::Shared<FlightReservation>,
    /// The output of `hotel`.
    pub hotel: ::saga_runtime::__private::Shared<HotelReservation>,
    /// The output of `car`.
    pub car: ::saga_runtime::__private::Shared<CarReservation>,
    /// What is compensated should the saga turn.
    pub undo: BookTripBackward,
    attempts: ::saga_runtime::__private::Ledger,
}

/// Issues the voucher.
///
/// `voucher` is to be done.
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub struct BookTripVoucherStep {
    /// The output of `flight`.
    pub flight: ::saga_runtime::__private::Shared<FlightReservation>,
    /// The output of `hotel`.
    pub hotel: ::saga_runtime::__private::Shared<HotelReservation>,
    /// The output of `car`.
    pub car: ::saga_runtime::__private::Shared<CarReservation>,
    /// The output of `receipt`.
    pub receipt: ::saga_runtime::__private::Shared<Receipt>,
    attempts: ::saga_runtime::__private::Ledger,
}

/// All is done: the output is to be built.
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub struct BookTripReturn {
    /// The output of `flight`.
    pub flight: ::saga_runtime::__private::Shared<FlightReservation>,
    /// The output of `hotel`.
    pub hotel: ::saga_runtime::__private::Shared<HotelReservation>,
    /// The output of `car`.
    pub car: ::saga_runtime::__private::Shared<CarReservation>,
    /// The output of `receipt`.
    pub receipt: ::saga_runtime::__private::Shared<Receipt>,
    /// The output of `voucher`.
    pub voucher: ::saga_runtime::__private::Shared<Voucher>,
}

/// Where a [`BookTrip`] is on its way back.
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub enum BookTripBackward {
    /// `hotel` and `car` are to be compensated, at the same time.
    CompensateHotelToCar(BookTripHotelToCarParallelBackward),
    /// Whether `flight` is done is to be settled: its compensation needs its output.
    SettleFlight(BookTripFlightSettlement),
    /// `flight` is to be compensated.
    CompensateFlight(BookTripFlightCompensation),
    /// Nothing is left to compensate.
    Undone,
}

/// `hotel` and `car` are to be compensated, at the same time.
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub struct BookTripHotelToCarParallelBackward {
    /// The branch `hotel`.
    pub hotel: BookTripHotelBranchBackward,
    /// The branch `car`.
    pub car: BookTripCarBranchBackward,
    /// What is compensated next.
    pub undo: ::std::boxed::Box<BookTripBackward>,
}

/// Where the branch `hotel` is on its way back.
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub enum BookTripHotelBranchBackward {
    /// Whether `hotel` is done is to be settled: its compensation needs its output.
    SettleHotel(BookTripHotelSettlement),
    /// `hotel` is to be compensated.
    CompensateHotel(BookTripHotelCompensation),
    /// Nothing is left to compensate.
    Undone,
}

/// Whether `hotel` is done is to be settled: its compensation needs its output.
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub struct BookTripHotelSettlement {
    /// The input `trip`.
    pub trip: ::saga_runtime::__private::Shared<Trip>,
    /// The output of `flight`.
    pub flight: ::saga_runtime::__private::Shared<FlightReservation>,
    attempts: ::saga_runtime::__private::Ledger,
}

/// `hotel` is to be compensated.
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub struct BookTripHotelCompensation {
    /// The output of `hotel`.
    pub hotel: ::saga_runtime::__private::Shared<HotelReservation>,
    attempts: ::saga_runtime::__private::Ledger,
}

/// Where the branch `car` is on its way back.
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub enum BookTripCarBranchBackward {
    /// Whether `car` is done is to be settled: its compensation needs its output.
    SettleCar(BookTripCarSettlement),
    /// `car` is to be compensated.
    CompensateCar(BookTripCarCompensation),
    /// Nothing is left to compensate.
    Undone,
}

/// Whether `car` is done is to be settled: its compensation needs its output.
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub struct BookTripCarSettlement {
    /// The input `trip`.
    pub trip: ::saga_runtime::__private::Shared<Trip>,
    /// The output of `flight`.
    pub flight: ::saga_runtime::__private::Shared<FlightReservation>,
    attempts: ::saga_runtime::__private::Ledger,
}

/// `car` is to be compensated.
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub struct BookTripCarCompensation {
    /// The output of `car`.
    pub car: ::saga_runtime::__private::Shared<CarReservation>,
    attempts: ::saga_runtime::__private::Ledger,
}

/// Whether `flight` is done is to be settled: its compensation needs its output.
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub struct BookTripFlightSettlement {
    /// The input `trip`.
    pub trip: ::saga_runtime::__private::Shared<Trip>,
    attempts: ::saga_runtime::__private::Ledger,
}

/// `flight` is to be compensated.
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub struct BookTripFlightCompensation {
    /// The output of `flight`.
    pub flight: ::saga_runtime::__private::Shared<FlightReservation>,
    attempts: ::saga_runtime::__private::Ledger,
}

#[allow(unused_variables, clippy::all, clippy::pedantic, reason = "generated")]
impl BookTripReturn {
    fn output(
        self,
    ) -> ::core::result::Result<Itinerary, ::saga_runtime::data::DataError> {
        let flight = ::saga_runtime::__private::owned::<
            BookTripFlightStep,
        >(self.flight)?;
        let hotel = ::saga_runtime::__private::owned::<BookTripHotelStep>(self.hotel)?;
        let car = ::saga_runtime::__private::owned::<BookTripCarStep>(self.car)?;
        let receipt = ::saga_runtime::__private::owned::<
            BookTripReceiptStep,
        >(self.receipt)?;
        let voucher = ::saga_runtime::__private::owned::<
            BookTripVoucherStep,
        >(self.voucher)?;
        let output: Itinerary = Itinerary {
            flight,
            hotel,
            car,
            receipt,
            voucher,
        };
        ::core::result::Result::Ok(output)
    }
}

#[allow(unused_variables, clippy::all, clippy::pedantic, reason = "generated")]
impl BookTripFlightStep {
    async fn action(
        cx: &::saga_runtime::Context,
        BookTripParticipants { flights, hotels, cars, cards }: &BookTripParticipants,
        trip: &Trip,
    ) -> ::core::result::Result<FlightReservation, ::saga_runtime::Failure> {
        ::saga_runtime::__private::must_be_keyed(flights);
        let __saga_answer = ::saga_runtime::__private::settle(
            ::saga_runtime::__private::send(flights.reserve(cx, trip)).await,
        )?;
        let output: FlightReservation = __saga_answer.0;
        ::core::result::Result::Ok(output)
    }
}

#[allow(unused_variables, clippy::all, clippy::pedantic, reason = "generated")]
impl BookTripHotelStep {
    async fn action(
        cx: &::saga_runtime::Context,
        BookTripParticipants { flights, hotels, cars, cards }: &BookTripParticipants,
        trip: &Trip,
        flight: &FlightReservation,
    ) -> ::core::result::Result<HotelReservation, ::saga_runtime::Failure> {
        let __saga_answer = ::saga_runtime::__private::settle(
            ::saga_runtime::__private::send(hotels.reserve(cx, trip, flight)).await,
        )?;
        let output: HotelReservation = __saga_answer.0;
        ::core::result::Result::Ok(output)
    }

    async fn probe(
        cx: &::saga_runtime::Context,
        BookTripParticipants { flights, hotels, cars, cards }: &BookTripParticipants,
    ) -> ::core::result::Result<
        ::core::option::Option<HotelReservation>,
        ::saga_runtime::Failure,
    > {
        let __saga_answer = ::saga_runtime::__private::settle(
            ::saga_runtime::__private::send(hotels.find(cx)).await,
        )?;
        let output: ::core::option::Option<HotelReservation> = __saga_answer.0;
        ::core::result::Result::Ok(output)
    }
}

#[allow(unused_variables, clippy::all, clippy::pedantic, reason = "generated")]
impl BookTripCarStep {
    async fn action(
        cx: &::saga_runtime::Context,
        BookTripParticipants { flights, hotels, cars, cards }: &BookTripParticipants,
        trip: &Trip,
        flight: &FlightReservation,
    ) -> ::core::result::Result<CarReservation, ::saga_runtime::Failure> {
        ::saga_runtime::__private::must_be_keyed(cars);
        let __saga_answer = ::saga_runtime::__private::settle(
            ::saga_runtime::__private::send(cars.reserve(cx, trip, flight)).await,
        )?;
        let output: CarReservation = __saga_answer.0;
        ::core::result::Result::Ok(output)
    }
}

#[allow(unused_variables, clippy::all, clippy::pedantic, reason = "generated")]
impl BookTripReceiptStep {
    async fn action(
        cx: &::saga_runtime::Context,
        BookTripParticipants { flights, hotels, cars, cards }: &BookTripParticipants,
        trip: &Trip,
        flight: &FlightReservation,
        hotel: &HotelReservation,
        car: &CarReservation,
    ) -> ::core::result::Result<Receipt, ::saga_runtime::Failure> {
        ::saga_runtime::__private::must_be_keyed(cards);
        let __saga_answer = ::saga_runtime::__private::settle(
            ::saga_runtime::__private::send(
                    cards.charge(cx, &trip.card, total(flight, hotel, car)),
                )
                .await,
        )?;
        let output: Receipt = __saga_answer.0;
        ::core::result::Result::Ok(output)
    }
}

#[allow(unused_variables, clippy::all, clippy::pedantic, reason = "generated")]
impl BookTripVoucherStep {
    async fn action(
        cx: &::saga_runtime::Context,
        BookTripParticipants { flights, hotels, cars, cards }: &BookTripParticipants,
        flight: &FlightReservation,
    ) -> ::core::result::Result<Voucher, ::saga_runtime::Failure> {
        ::saga_runtime::__private::must_be_keyed(flights);
        let __saga_answer = ::saga_runtime::__private::settle(
            ::saga_runtime::__private::send(flights.issue_voucher(cx, flight)).await,
        )?;
        let output: Voucher = __saga_answer.0;
        ::core::result::Result::Ok(output)
    }
}

#[allow(unused_variables, clippy::all, clippy::pedantic, reason = "generated")]
impl BookTripHotelCompensation {
    async fn compensation(
        cx: &::saga_runtime::Context,
        BookTripParticipants { flights, hotels, cars, cards }: &BookTripParticipants,
        hotel: &HotelReservation,
    ) -> ::core::result::Result<(), ::saga_runtime::Failure> {
        ::saga_runtime::__private::settle(
            ::saga_runtime::__private::send(hotels.cancel(cx, hotel)).await,
        )?;
        ::core::result::Result::Ok(())
    }
}

#[allow(unused_variables, clippy::all, clippy::pedantic, reason = "generated")]
impl BookTripCarCompensation {
    async fn compensation(
        cx: &::saga_runtime::Context,
        BookTripParticipants { flights, hotels, cars, cards }: &BookTripParticipants,
        car: &CarReservation,
    ) -> ::core::result::Result<(), ::saga_runtime::Failure> {
        ::saga_runtime::__private::settle(
            ::saga_runtime::__private::send(cars.cancel(cx, car)).await,
        )?;
        ::core::result::Result::Ok(())
    }
}

#[allow(unused_variables, clippy::all, clippy::pedantic, reason = "generated")]
impl BookTripFlightCompensation {
    async fn compensation(
        cx: &::saga_runtime::Context,
        BookTripParticipants { flights, hotels, cars, cards }: &BookTripParticipants,
        flight: &FlightReservation,
    ) -> ::core::result::Result<(), ::saga_runtime::Failure> {
        ::saga_runtime::__private::settle(
            ::saga_runtime::__private::send(flights.cancel(cx, flight)).await,
        )?;
        ::core::result::Result::Ok(())
    }
}

#[allow(
    trivial_bounds,
    unreachable_code,
    unused_variables,
    clippy::all,
    clippy::pedantic,
    reason = "generated"
)]
const _: () = {
    use ::saga_runtime::__private as __saga;

    impl BookTrip {
        /// The state with which the saga begins.
        pub fn begin(trip: Trip) -> BookTripState {
            let trip = __saga::Shared::new(trip);
            __saga::State::Forward(
                BookTripForward::Flight(BookTripFlightStep {
                    trip,
                    attempts: __saga::opened::<BookTripFlightStep>(),
                }),
            )
        }
    }

    #[automatically_derived]
    impl __saga::Saga for BookTrip
    where
        FlightDesk: ::core::marker::Send + ::core::marker::Sync,
        HotelDesk: ::core::marker::Send + ::core::marker::Sync,
        CarDesk: ::core::marker::Send + ::core::marker::Sync,
        CardDesk: ::core::marker::Send + ::core::marker::Sync,
    {
        type Input = Trip;
        type Output = Itinerary;
        type Event = BookTripEvent;
        type Forward = BookTripForward;
        type Participants = BookTripParticipants;
        const DEFINITION: &'static __saga::Definition = &__saga::Definition {
            name: "BookTrip",
            version: 1,
            inputs: &[
                __saga::Field {
                    name: "trip",
                    ty: "Trip",
                },
            ],
            output: "Itinerary",
            participants: &[
                __saga::Field {
                    name: "flights",
                    ty: "FlightDesk",
                },
                __saga::Field {
                    name: "hotels",
                    ty: "HotelDesk",
                },
                __saga::Field {
                    name: "cars",
                    ty: "CarDesk",
                },
                __saga::Field {
                    name: "cards",
                    ty: "CardDesk",
                },
            ],
            steps: &[
                __saga::StepDefinition {
                    name: "flight",
                    output: "FlightReservation",
                    kind: __saga::StepKind::Compensatable,
                    compensation: __saga::Compensation::ByOutput,
                    probe: false,
                },
                __saga::StepDefinition {
                    name: "hotel",
                    output: "HotelReservation",
                    kind: __saga::StepKind::Compensatable,
                    compensation: __saga::Compensation::ByOutput,
                    probe: true,
                },
                __saga::StepDefinition {
                    name: "car",
                    output: "CarReservation",
                    kind: __saga::StepKind::Compensatable,
                    compensation: __saga::Compensation::ByOutput,
                    probe: false,
                },
                __saga::StepDefinition {
                    name: "receipt",
                    output: "Receipt",
                    kind: __saga::StepKind::Pivot,
                    compensation: __saga::Compensation::None,
                    probe: false,
                },
                __saga::StepDefinition {
                    name: "voucher",
                    output: "Voucher",
                    kind: __saga::StepKind::Retriable,
                    compensation: __saga::Compensation::None,
                    probe: false,
                },
            ],
            body: &[
                __saga::Block::Step(0),
                __saga::Block::Parallel(
                    &[&[__saga::Block::Step(1)], &[__saga::Block::Step(2)]],
                ),
                __saga::Block::Step(3),
                __saga::Block::Step(4),
            ],
        };
        fn begin(trip: Self::Input) -> __saga::StateOf<Self> {
            BookTrip::begin(trip)
        }

        fn encode_input(
            trip: &Self::Input,
        ) -> __saga::Result<__saga::String, __saga::DataError> {
            let mut fields = __saga::FieldsWriter::new();
            __saga::input::<Trip>("trip").write(&mut fields, trip)?;
            __saga::Ok(fields.finish())
        }

        fn decode_input(json: &str) -> __saga::Result<Self::Input, __saga::DataError> {
            let mut fields = __saga::FieldsReader::new(json)?;
            let trip = __saga::input::<Trip>("trip").read(&mut fields)?;
            __saga::Ok(trip)
        }

        fn policy(step: usize, kind: __saga::CallKind) -> __saga::Policy {
            match (step, kind) {
                (
                    0 | 1 | 2 | 3 | 4,
                    __saga::CallKind::Action | __saga::CallKind::Probe,
                ) => {
                    __saga::Policy {
                        timeout: __saga::Duration::from_secs(5),
                        retry: __saga::Retry {
                            limit: __saga::Some(5),
                            first: __saga::Duration::from_millis(50),
                            cap: __saga::Duration::from_secs(2),
                        },
                    }
                }
                _ => {
                    __saga::Policy {
                        retry: __saga::Retry {
                            limit: __saga::Some(5),
                            first: __saga::Duration::from_millis(50),
                            cap: __saga::Duration::from_secs(2),
                        },
                        ..__saga::Policy::DEFAULT
                    }
                }
            }
        }

        fn call(
            state: &__saga::StateOf<Self>,
            step: usize,
            kind: __saga::CallKind,
            participants: &__saga::Arc<BookTripParticipants>,
            cx: __saga::Context,
        ) -> __saga::Option<__saga::CallFuture<BookTripEvent>> {
            let request = __saga::Request::new(kind, participants, cx);
            __saga::Some(
                match state {
                    __saga::State::Forward(at) | __saga::State::Turning(at, _) => {
                        match (step, at) {
                            (0, BookTripForward::Flight(at)) => {
                                __saga::boxed(
                                    BookTripFlightStep::attempt(request, at.trip.share()),
                                )
                            }
                            (
                                1,
                                BookTripForward::HotelToCar(
                                    BookTripHotelToCarParallel {
                                        hotel: BookTripHotelBranch::Hotel(at),
                                        ..
                                    },
                                ),
                            ) => {
                                __saga::boxed(
                                    BookTripHotelStep::attempt(
                                        request,
                                        at.trip.share(),
                                        at.flight.share(),
                                    ),
                                )
                            }
                            (
                                2,
                                BookTripForward::HotelToCar(
                                    BookTripHotelToCarParallel {
                                        car: BookTripCarBranch::Car(at),
                                        ..
                                    },
                                ),
                            ) => {
                                __saga::boxed(
                                    BookTripCarStep::attempt(
                                        request,
                                        at.trip.share(),
                                        at.flight.share(),
                                    ),
                                )
                            }
                            (3, BookTripForward::Receipt(at)) => {
                                __saga::boxed(
                                    BookTripReceiptStep::attempt(
                                        request,
                                        at.trip.share(),
                                        at.flight.share(),
                                        at.hotel.share(),
                                        at.car.share(),
                                    ),
                                )
                            }
                            (4, BookTripForward::Voucher(at)) => {
                                __saga::boxed(
                                    BookTripVoucherStep::attempt(request, at.flight.share()),
                                )
                            }
                            _ => return __saga::None,
                        }
                    }
                    __saga::State::Backward(at, _) => {
                        match (step, at) {
                            (
                                1,
                                BookTripBackward::CompensateHotelToCar(
                                    BookTripHotelToCarParallelBackward {
                                        hotel: BookTripHotelBranchBackward::SettleHotel(at),
                                        ..
                                    },
                                ),
                            ) => {
                                __saga::boxed(
                                    BookTripHotelStep::attempt(
                                        request,
                                        at.trip.share(),
                                        at.flight.share(),
                                    ),
                                )
                            }
                            (
                                1,
                                BookTripBackward::CompensateHotelToCar(
                                    BookTripHotelToCarParallelBackward {
                                        hotel: BookTripHotelBranchBackward::CompensateHotel(at),
                                        ..
                                    },
                                ),
                            ) => {
                                __saga::boxed(
                                    BookTripHotelCompensation::attempt(
                                        request,
                                        at.hotel.share(),
                                    ),
                                )
                            }
                            (
                                2,
                                BookTripBackward::CompensateHotelToCar(
                                    BookTripHotelToCarParallelBackward {
                                        car: BookTripCarBranchBackward::SettleCar(at),
                                        ..
                                    },
                                ),
                            ) => {
                                __saga::boxed(
                                    BookTripCarStep::attempt(
                                        request,
                                        at.trip.share(),
                                        at.flight.share(),
                                    ),
                                )
                            }
                            (
                                2,
                                BookTripBackward::CompensateHotelToCar(
                                    BookTripHotelToCarParallelBackward {
                                        car: BookTripCarBranchBackward::CompensateCar(at),
                                        ..
                                    },
                                ),
                            ) => {
                                __saga::boxed(
                                    BookTripCarCompensation::attempt(request, at.car.share()),
                                )
                            }
                            (0, BookTripBackward::SettleFlight(at)) => {
                                __saga::boxed(
                                    BookTripFlightStep::attempt(request, at.trip.share()),
                                )
                            }
                            (0, BookTripBackward::CompensateFlight(at)) => {
                                __saga::boxed(
                                    BookTripFlightCompensation::attempt(
                                        request,
                                        at.flight.share(),
                                    ),
                                )
                            }
                            _ => return __saga::None,
                        }
                    }
                    _ => return __saga::None,
                },
            )
        }

        fn complete(
            state: __saga::StateOf<Self>,
        ) -> __saga::Option<__saga::Result<BookTripEvent, __saga::DataError>> {
            match state {
                __saga::State::Forward(BookTripForward::Return(at)) => {
                    __saga::Some(at.output().map(BookTripEvent::Completed))
                }
                _ => __saga::None,
            }
        }
    }

    #[automatically_derived]
    impl __saga::Event for BookTripEvent {
        fn to_fact(&self) -> __saga::Result<__saga::Fact, __saga::DataError> {
            __saga::Ok(
                match self {
                    Self::FlightDone(output) => {
                        __saga::done::<BookTripFlightStep>(output)?
                    }
                    Self::FlightRefused(refusal) => __saga::refused(0, refusal),
                    Self::FlightAttempt(fact) => __saga::attempt(0, fact),
                    Self::FlightCompensated => __saga::compensated(0),
                    Self::FlightCompensation(fact) => __saga::compensation(0, fact),
                    Self::HotelDone(output) => __saga::done::<BookTripHotelStep>(output)?,
                    Self::HotelRefused(refusal) => __saga::refused(1, refusal),
                    Self::HotelAttempt(fact) => __saga::attempt(1, fact),
                    Self::HotelCompensated => __saga::compensated(1),
                    Self::HotelCompensation(fact) => __saga::compensation(1, fact),
                    Self::CarDone(output) => __saga::done::<BookTripCarStep>(output)?,
                    Self::CarRefused(refusal) => __saga::refused(2, refusal),
                    Self::CarAttempt(fact) => __saga::attempt(2, fact),
                    Self::CarCompensated => __saga::compensated(2),
                    Self::CarCompensation(fact) => __saga::compensation(2, fact),
                    Self::ReceiptDone(output) => {
                        __saga::done::<BookTripReceiptStep>(output)?
                    }
                    Self::ReceiptRefused(refusal) => __saga::refused(3, refusal),
                    Self::ReceiptAttempt(fact) => __saga::attempt(3, fact),
                    Self::VoucherDone(output) => {
                        __saga::done::<BookTripVoucherStep>(output)?
                    }
                    Self::VoucherRefused(refusal) => __saga::refused(4, refusal),
                    Self::VoucherAttempt(fact) => __saga::attempt(4, fact),
                    Self::Cancelled(reason) => __saga::cancelled(reason),
                    Self::Completed(output) => __saga::completed::<BookTrip>(output)?,
                },
            )
        }

        fn from_fact(fact: __saga::Fact) -> __saga::Result<Self, __saga::EventError> {
            use __saga::FactKind::*;
            let __saga::Some(step) = fact.step else {
                return match fact.kind {
                    Cancelled(reason) => __saga::Ok(Self::Cancelled(reason)),
                    Completed(json) => {
                        __saga::Ok(Self::Completed(__saga::returned::<BookTrip>(&json)?))
                    }
                    _ => __saga::Err(__saga::EventError::Unknown),
                };
            };
            __saga::Ok(
                match (step, fact.kind) {
                    (0, Done(json)) => {
                        Self::FlightDone(__saga::output_of::<BookTripFlightStep>(&json)?)
                    }
                    (0, Refused(refusal)) => Self::FlightRefused(refusal),
                    (0, Attempt(fact)) => Self::FlightAttempt(fact),
                    (0, Compensated) => Self::FlightCompensated,
                    (0, Compensation(fact)) => Self::FlightCompensation(fact),
                    (1, Done(json)) => {
                        Self::HotelDone(__saga::output_of::<BookTripHotelStep>(&json)?)
                    }
                    (1, Refused(refusal)) => Self::HotelRefused(refusal),
                    (1, Attempt(fact)) => Self::HotelAttempt(fact),
                    (1, Compensated) => Self::HotelCompensated,
                    (1, Compensation(fact)) => Self::HotelCompensation(fact),
                    (2, Done(json)) => {
                        Self::CarDone(__saga::output_of::<BookTripCarStep>(&json)?)
                    }
                    (2, Refused(refusal)) => Self::CarRefused(refusal),
                    (2, Attempt(fact)) => Self::CarAttempt(fact),
                    (2, Compensated) => Self::CarCompensated,
                    (2, Compensation(fact)) => Self::CarCompensation(fact),
                    (3, Done(json)) => {
                        Self::ReceiptDone(
                            __saga::output_of::<BookTripReceiptStep>(&json)?,
                        )
                    }
                    (3, Refused(refusal)) => Self::ReceiptRefused(refusal),
                    (3, Attempt(fact)) => Self::ReceiptAttempt(fact),
                    (4, Done(json)) => {
                        Self::VoucherDone(
                            __saga::output_of::<BookTripVoucherStep>(&json)?,
                        )
                    }
                    (4, Refused(refusal)) => Self::VoucherRefused(refusal),
                    (4, Attempt(fact)) => Self::VoucherAttempt(fact),
                    _ => return __saga::Err(__saga::EventError::Unknown),
                },
            )
        }

        fn step(&self) -> __saga::Option<usize> {
            self.identity().0
        }

        fn name(&self) -> &'static str {
            self.identity().1
        }

        fn control(&self) -> __saga::Option<__saga::Control> {
            match self {
                Self::Cancelled(reason) => {
                    __saga::Some(
                        __saga::Control::Cancelled(__saga::Clone::clone(reason)),
                    )
                }
                Self::Completed(_) => __saga::Some(__saga::Control::Completed),
                _ => __saga::None,
            }
        }
    }

    impl BookTripEvent {
        /// Its step and its name.
        fn identity(&self) -> (__saga::Option<usize>, &'static str) {
            match self {
                Self::FlightDone(_) => (__saga::Some(0), "FlightDone"),
                Self::FlightRefused(_) => (__saga::Some(0), "FlightRefused"),
                Self::FlightAttempt(_) => (__saga::Some(0), "FlightAttempt"),
                Self::FlightCompensated => (__saga::Some(0), "FlightCompensated"),
                Self::FlightCompensation(_) => (__saga::Some(0), "FlightCompensation"),
                Self::HotelDone(_) => (__saga::Some(1), "HotelDone"),
                Self::HotelRefused(_) => (__saga::Some(1), "HotelRefused"),
                Self::HotelAttempt(_) => (__saga::Some(1), "HotelAttempt"),
                Self::HotelCompensated => (__saga::Some(1), "HotelCompensated"),
                Self::HotelCompensation(_) => (__saga::Some(1), "HotelCompensation"),
                Self::CarDone(_) => (__saga::Some(2), "CarDone"),
                Self::CarRefused(_) => (__saga::Some(2), "CarRefused"),
                Self::CarAttempt(_) => (__saga::Some(2), "CarAttempt"),
                Self::CarCompensated => (__saga::Some(2), "CarCompensated"),
                Self::CarCompensation(_) => (__saga::Some(2), "CarCompensation"),
                Self::ReceiptDone(_) => (__saga::Some(3), "ReceiptDone"),
                Self::ReceiptRefused(_) => (__saga::Some(3), "ReceiptRefused"),
                Self::ReceiptAttempt(_) => (__saga::Some(3), "ReceiptAttempt"),
                Self::VoucherDone(_) => (__saga::Some(4), "VoucherDone"),
                Self::VoucherRefused(_) => (__saga::Some(4), "VoucherRefused"),
                Self::VoucherAttempt(_) => (__saga::Some(4), "VoucherAttempt"),
                Self::Cancelled(_) => (__saga::None, "Cancelled"),
                Self::Completed(_) => (__saga::None, "Completed"),
            }
        }
    }

    /// The name only: no personal data gets into a program's own log.
    #[automatically_derived]
    impl ::core::fmt::Debug for BookTripEvent {
        fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            f.write_str(self.identity().1)
        }
    }

    #[automatically_derived]
    impl __saga::Forward for BookTripForward {
        type Event = BookTripEvent;
        type Backward = BookTripBackward;
        fn apply(
            self,
            event: BookTripEvent,
            turn: &mut __saga::Option<__saga::Cause>,
        ) -> __saga::Applied<Self> {
            match (self, event) {
                (
                    Self::Flight(at),
                    BookTripEvent::FlightDone(output),
                ) if at.attempts.is_open() => {
                    let mut next = at.done(output);
                    next.hold(turn);
                    __saga::Ok(Self::HotelToCar(next))
                }
                (Self::Flight(mut at), BookTripEvent::FlightRefused(refusal)) => {
                    at.attempts.refuse(refusal, turn).at(Self::Flight(at))
                }
                (Self::Flight(mut at), BookTripEvent::FlightAttempt(fact)) => {
                    at.attempts.record(fact, turn).at(Self::Flight(at))
                }
                (Self::HotelToCar(at), event) => {
                    __saga::in_parallel(
                        at.apply(event, turn),
                        BookTripHotelToCarParallel::join,
                        Self::Receipt,
                        Self::HotelToCar,
                    )
                }
                (
                    Self::Receipt(at),
                    BookTripEvent::ReceiptDone(output),
                ) if at.attempts.is_open() => __saga::Ok(Self::Voucher(at.done(output))),
                (Self::Receipt(mut at), BookTripEvent::ReceiptRefused(refusal)) => {
                    at.attempts.refuse(refusal, turn).at(Self::Receipt(at))
                }
                (Self::Receipt(mut at), BookTripEvent::ReceiptAttempt(fact)) => {
                    at.attempts.record(fact, turn).at(Self::Receipt(at))
                }
                (
                    Self::Voucher(at),
                    BookTripEvent::VoucherDone(output),
                ) if at.attempts.is_open() => __saga::Ok(Self::Return(at.done(output))),
                (Self::Voucher(mut at), BookTripEvent::VoucherRefused(refusal)) => {
                    at.attempts.refuse(refusal, turn).at(Self::Voucher(at))
                }
                (Self::Voucher(mut at), BookTripEvent::VoucherAttempt(fact)) => {
                    at.attempts.record(fact, turn).at(Self::Voucher(at))
                }
                (at, _) => __saga::Err(__saga::Rejected(at)),
            }
        }

        fn calls(&self, calls: &mut __saga::Vec<__saga::Call>) {
            match self {
                Self::Flight(at) => calls.push(at.attempts.call()),
                Self::HotelToCar(at) => {
                    at.hotel.calls(calls);
                    at.car.calls(calls);
                }
                Self::Receipt(at) => calls.push(at.attempts.call()),
                Self::Voucher(at) => calls.push(at.attempts.call()),
                Self::Return(_) => {}
            }
        }

        fn can_turn(&self) -> bool {
            match self {
                Self::Flight(_) => true,
                Self::HotelToCar(_) => true,
                Self::Receipt(_) => true,
                _ => false,
            }
        }

        fn is_open(&self) -> bool {
            __saga::is_open(|calls| self.calls(calls))
        }

        fn turn(self) -> __saga::Result<BookTripBackward, __saga::Rejected<Self>> {
            match self {
                Self::Flight(at) => __saga::Ok(at.turn()),
                Self::HotelToCar(at) => __saga::Ok(at.turn()),
                Self::Receipt(at) => __saga::Ok(at.turn()),
                at => __saga::Err(__saga::Rejected(at)),
            }
        }

        fn is_done(&self) -> bool {
            match self {
                Self::Return(_) => true,
                _ => false,
            }
        }
    }

    impl BookTripFlightStep {
        /// `flight` is done.
        pub fn done(self, flight: FlightReservation) -> BookTripHotelToCarParallel {
            let Self { trip, .. } = self;
            let flight = __saga::Shared::new(flight);
            let undo = BookTripBackward::CompensateFlight(BookTripFlightCompensation {
                flight: flight.share(),
                attempts: __saga::compensation_of::<BookTripFlightStep>(),
            });
            BookTripHotelToCarParallel {
                hotel: BookTripHotelBranch::Hotel(BookTripHotelStep {
                    trip: trip.share(),
                    flight: flight.share(),
                    attempts: __saga::opened::<BookTripHotelStep>(),
                }),
                car: BookTripCarBranch::Car(BookTripCarStep {
                    trip: trip.share(),
                    flight: flight.share(),
                    attempts: __saga::opened::<BookTripCarStep>(),
                }),
                trip,
                flight,
                undo,
            }
        }

        /// The saga turns: where compensation begins.
        pub fn turn(self) -> BookTripBackward {
            let Self { trip, attempts, .. } = self;
            if attempts.in_doubt() {
                BookTripBackward::SettleFlight(BookTripFlightSettlement {
                    trip,
                    attempts: attempts.unsettled(),
                })
            } else {
                BookTripBackward::Undone
            }
        }

        async fn attempt(
            request: __saga::Request<BookTripParticipants>,
            trip: __saga::Shared<Trip>,
        ) -> __saga::Settled<BookTripEvent> {
            let result = Self::action(&request.cx, &request.participants, &trip).await;
            __saga::settled(result, BookTripEvent::FlightDone)
        }
    }

    #[automatically_derived]
    impl __saga::Step for BookTripFlightStep {
        type Output = FlightReservation;
        const CALL: &'static __saga::StepCall = &__saga::StepCall {
            step: 0,
            name: "flight",
            role: __saga::Role::Compensatable,
            keyed: true,
            probe: false,
        };
    }

    impl BookTripHotelToCarParallel {
        fn apply(
            self,
            event: BookTripEvent,
            turn: &mut __saga::Option<__saga::Cause>,
        ) -> __saga::Applied<Self> {
            match __saga::Event::step(&event) {
                __saga::Some(1) => {
                    __saga::in_branch(
                        self.hotel.apply(event, turn),
                        |at| Self { hotel: at, ..self },
                    )
                }
                __saga::Some(2) => {
                    __saga::in_branch(
                        self.car.apply(event, turn),
                        |at| Self { car: at, ..self },
                    )
                }
                _ => __saga::Err(__saga::Rejected(self)),
            }
        }

        /// The position after it, once every branch is done.
        pub fn join(
            self,
        ) -> __saga::Result<BookTripReceiptStep, __saga::Rejected<Self>> {
            match self {
                Self {
                    trip,
                    flight,
                    undo,
                    hotel: BookTripHotelBranch::BranchDone(
                        BookTripHotelBranchDone { hotel, undo: hotel_undo, .. },
                    ),
                    car: BookTripCarBranch::BranchDone(
                        BookTripCarBranchDone { car, undo: car_undo, .. },
                    ),
                    ..
                } => {
                    let undo = BookTripBackward::CompensateHotelToCar(BookTripHotelToCarParallelBackward {
                        hotel: hotel_undo,
                        car: car_undo,
                        undo: __saga::Box::new(undo),
                    });
                    __saga::Ok(BookTripReceiptStep {
                        trip,
                        flight,
                        hotel,
                        car,
                        undo,
                        attempts: __saga::waiting::<BookTripReceiptStep>(),
                    })
                }
                at => __saga::Err(__saga::Rejected(at)),
            }
        }

        /// The saga turns: where compensation begins.
        pub fn turn(self) -> BookTripBackward {
            let hotel = self.hotel.turn();
            let car = self.car.turn();
            if hotel.is_undone() && car.is_undone() {
                self.undo
            } else {
                BookTripBackward::CompensateHotelToCar(BookTripHotelToCarParallelBackward {
                    hotel,
                    car,
                    undo: __saga::Box::new(self.undo),
                })
            }
        }

        fn hold(&mut self, turn: &__saga::Option<__saga::Cause>) {
            if let BookTripHotelBranch::Hotel(at) = &mut self.hotel {
                at.attempts.hold(turn)
            }
            if let BookTripCarBranch::Car(at) = &mut self.car {
                at.attempts.hold(turn)
            }
        }
    }

    impl BookTripHotelBranch {
        fn apply(
            self,
            event: BookTripEvent,
            turn: &mut __saga::Option<__saga::Cause>,
        ) -> __saga::Applied<Self> {
            match (self, event) {
                (
                    Self::Hotel(at),
                    BookTripEvent::HotelDone(output),
                ) if at.attempts.is_open() => {
                    __saga::Ok(Self::BranchDone(at.done(output)))
                }
                (Self::Hotel(mut at), BookTripEvent::HotelRefused(refusal)) => {
                    at.attempts.refuse(refusal, turn).at(Self::Hotel(at))
                }
                (Self::Hotel(mut at), BookTripEvent::HotelAttempt(fact)) => {
                    at.attempts.record(fact, turn).at(Self::Hotel(at))
                }
                (at, _) => __saga::Err(__saga::Rejected(at)),
            }
        }

        fn calls(&self, calls: &mut __saga::Vec<__saga::Call>) {
            match self {
                Self::Hotel(at) => calls.push(at.attempts.call()),
                Self::BranchDone(_) => {}
            }
        }

        fn turn(self) -> BookTripHotelBranchBackward {
            match self {
                Self::Hotel(at) => at.turn(),
                Self::BranchDone(at) => at.turn(),
            }
        }
    }

    impl BookTripHotelStep {
        /// `hotel` is done.
        pub fn done(self, hotel: HotelReservation) -> BookTripHotelBranchDone {
            let hotel = __saga::Shared::new(hotel);
            let undo = BookTripHotelBranchBackward::CompensateHotel(BookTripHotelCompensation {
                hotel: hotel.share(),
                attempts: __saga::compensation_of::<BookTripHotelStep>(),
            });
            BookTripHotelBranchDone {
                hotel,
                undo,
            }
        }

        /// The saga turns: where compensation begins.
        pub fn turn(self) -> BookTripHotelBranchBackward {
            let Self { trip, flight, attempts, .. } = self;
            if attempts.in_doubt() {
                BookTripHotelBranchBackward::SettleHotel(BookTripHotelSettlement {
                    trip,
                    flight,
                    attempts: attempts.unsettled(),
                })
            } else {
                BookTripHotelBranchBackward::Undone
            }
        }

        async fn attempt(
            request: __saga::Request<BookTripParticipants>,
            trip: __saga::Shared<Trip>,
            flight: __saga::Shared<FlightReservation>,
        ) -> __saga::Settled<BookTripEvent> {
            if request.kind == __saga::CallKind::Probe {
                let result = Self::probe(&request.cx, &request.participants).await;
                return __saga::probed(result, BookTripEvent::HotelDone);
            }
            let result = Self::action(&request.cx, &request.participants, &trip, &flight)
                .await;
            __saga::settled(result, BookTripEvent::HotelDone)
        }
    }

    #[automatically_derived]
    impl __saga::Step for BookTripHotelStep {
        type Output = HotelReservation;
        const CALL: &'static __saga::StepCall = &__saga::StepCall {
            step: 1,
            name: "hotel",
            role: __saga::Role::Compensatable,
            keyed: {
                use __saga::NotKeyed as _;
                __saga::IsKeyed::<HotelDesk>::KEYED
            },
            probe: true,
        };
    }

    impl BookTripHotelBranchDone {
        /// The saga turns: where compensation begins.
        pub fn turn(self) -> BookTripHotelBranchBackward {
            self.undo
        }
    }

    impl BookTripCarBranch {
        fn apply(
            self,
            event: BookTripEvent,
            turn: &mut __saga::Option<__saga::Cause>,
        ) -> __saga::Applied<Self> {
            match (self, event) {
                (
                    Self::Car(at),
                    BookTripEvent::CarDone(output),
                ) if at.attempts.is_open() => {
                    __saga::Ok(Self::BranchDone(at.done(output)))
                }
                (Self::Car(mut at), BookTripEvent::CarRefused(refusal)) => {
                    at.attempts.refuse(refusal, turn).at(Self::Car(at))
                }
                (Self::Car(mut at), BookTripEvent::CarAttempt(fact)) => {
                    at.attempts.record(fact, turn).at(Self::Car(at))
                }
                (at, _) => __saga::Err(__saga::Rejected(at)),
            }
        }

        fn calls(&self, calls: &mut __saga::Vec<__saga::Call>) {
            match self {
                Self::Car(at) => calls.push(at.attempts.call()),
                Self::BranchDone(_) => {}
            }
        }

        fn turn(self) -> BookTripCarBranchBackward {
            match self {
                Self::Car(at) => at.turn(),
                Self::BranchDone(at) => at.turn(),
            }
        }
    }

    impl BookTripCarStep {
        /// `car` is done.
        pub fn done(self, car: CarReservation) -> BookTripCarBranchDone {
            let car = __saga::Shared::new(car);
            let undo = BookTripCarBranchBackward::CompensateCar(BookTripCarCompensation {
                car: car.share(),
                attempts: __saga::compensation_of::<BookTripCarStep>(),
            });
            BookTripCarBranchDone { car, undo }
        }

        /// The saga turns: where compensation begins.
        pub fn turn(self) -> BookTripCarBranchBackward {
            let Self { trip, flight, attempts, .. } = self;
            if attempts.in_doubt() {
                BookTripCarBranchBackward::SettleCar(BookTripCarSettlement {
                    trip,
                    flight,
                    attempts: attempts.unsettled(),
                })
            } else {
                BookTripCarBranchBackward::Undone
            }
        }

        async fn attempt(
            request: __saga::Request<BookTripParticipants>,
            trip: __saga::Shared<Trip>,
            flight: __saga::Shared<FlightReservation>,
        ) -> __saga::Settled<BookTripEvent> {
            let result = Self::action(&request.cx, &request.participants, &trip, &flight)
                .await;
            __saga::settled(result, BookTripEvent::CarDone)
        }
    }

    #[automatically_derived]
    impl __saga::Step for BookTripCarStep {
        type Output = CarReservation;
        const CALL: &'static __saga::StepCall = &__saga::StepCall {
            step: 2,
            name: "car",
            role: __saga::Role::Compensatable,
            keyed: true,
            probe: false,
        };
    }

    impl BookTripCarBranchDone {
        /// The saga turns: where compensation begins.
        pub fn turn(self) -> BookTripCarBranchBackward {
            self.undo
        }
    }

    impl BookTripReceiptStep {
        /// `receipt` is done.
        pub fn done(self, receipt: Receipt) -> BookTripVoucherStep {
            let Self { flight, hotel, car, .. } = self;
            let receipt = __saga::Shared::new(receipt);
            BookTripVoucherStep {
                flight,
                hotel,
                car,
                receipt,
                attempts: __saga::opened::<BookTripVoucherStep>(),
            }
        }

        /// The saga turns: where compensation begins.
        pub fn turn(self) -> BookTripBackward {
            self.undo
        }

        async fn attempt(
            request: __saga::Request<BookTripParticipants>,
            trip: __saga::Shared<Trip>,
            flight: __saga::Shared<FlightReservation>,
            hotel: __saga::Shared<HotelReservation>,
            car: __saga::Shared<CarReservation>,
        ) -> __saga::Settled<BookTripEvent> {
            let result = Self::action(
                    &request.cx,
                    &request.participants,
                    &trip,
                    &flight,
                    &hotel,
                    &car,
                )
                .await;
            __saga::settled(result, BookTripEvent::ReceiptDone)
        }
    }

    #[automatically_derived]
    impl __saga::Step for BookTripReceiptStep {
        type Output = Receipt;
        const CALL: &'static __saga::StepCall = &__saga::StepCall {
            step: 3,
            name: "receipt",
            role: __saga::Role::Pivot,
            keyed: true,
            probe: false,
        };
    }

    impl BookTripVoucherStep {
        /// `voucher` is done.
        pub fn done(self, voucher: Voucher) -> BookTripReturn {
            let Self { flight, hotel, car, receipt, .. } = self;
            let voucher = __saga::Shared::new(voucher);
            BookTripReturn {
                flight,
                hotel,
                car,
                receipt,
                voucher,
            }
        }

        async fn attempt(
            request: __saga::Request<BookTripParticipants>,
            flight: __saga::Shared<FlightReservation>,
        ) -> __saga::Settled<BookTripEvent> {
            let result = Self::action(&request.cx, &request.participants, &flight).await;
            __saga::settled(result, BookTripEvent::VoucherDone)
        }
    }

    #[automatically_derived]
    impl __saga::Step for BookTripVoucherStep {
        type Output = Voucher;
        const CALL: &'static __saga::StepCall = &__saga::StepCall {
            step: 4,
            name: "voucher",
            role: __saga::Role::Retriable,
            keyed: true,
            probe: false,
        };
    }

    #[automatically_derived]
    impl __saga::Backward for BookTripBackward {
        type Event = BookTripEvent;
        fn apply(self, event: BookTripEvent) -> __saga::Applied<Self> {
            match (self, event) {
                (Self::CompensateHotelToCar(at), event) => {
                    __saga::in_parallel(
                        at.apply(event),
                        BookTripHotelToCarParallelBackward::join,
                        |before| before,
                        Self::CompensateHotelToCar,
                    )
                }
                (
                    Self::SettleFlight(at),
                    BookTripEvent::FlightDone(output),
                ) if at.attempts.is_open() => {
                    __saga::Ok(Self::CompensateFlight(at.done(output)))
                }
                (Self::SettleFlight(mut at), BookTripEvent::FlightRefused(refusal)) => {
                    match at.attempts.refuse(refusal, &mut __saga::None) {
                        legal if at.attempts.in_doubt() => {
                            legal.at(Self::SettleFlight(at))
                        }
                        _ => __saga::Ok(at.absent()),
                    }
                }
                (Self::SettleFlight(mut at), BookTripEvent::FlightAttempt(fact)) => {
                    match at.attempts.record(fact, &mut __saga::None) {
                        legal if at.attempts.in_doubt() => {
                            legal.at(Self::SettleFlight(at))
                        }
                        _ => __saga::Ok(at.absent()),
                    }
                }
                (
                    Self::CompensateFlight(at),
                    BookTripEvent::FlightCompensated,
                ) if at.attempts.is_open() => __saga::Ok(at.compensated()),
                (
                    Self::CompensateFlight(mut at),
                    BookTripEvent::FlightCompensation(fact),
                ) => {
                    at.attempts
                        .record(fact, &mut __saga::None)
                        .at(Self::CompensateFlight(at))
                }
                (at, _) => __saga::Err(__saga::Rejected(at)),
            }
        }

        fn calls(&self, calls: &mut __saga::Vec<__saga::Call>) {
            match self {
                Self::CompensateHotelToCar(at) => {
                    at.hotel.calls(calls);
                    at.car.calls(calls);
                }
                Self::SettleFlight(at) => calls.push(at.attempts.call()),
                Self::CompensateFlight(at) => calls.push(at.attempts.call()),
                Self::Undone => {}
            }
        }

        fn is_undone(&self) -> bool {
            match self {
                Self::Undone => true,
                _ => false,
            }
        }
    }

    impl BookTripHotelToCarParallelBackward {
        fn apply(self, event: BookTripEvent) -> __saga::Applied<Self> {
            match __saga::Event::step(&event) {
                __saga::Some(1) => {
                    __saga::in_branch(
                        self.hotel.apply(event),
                        |at| Self { hotel: at, ..self },
                    )
                }
                __saga::Some(2) => {
                    __saga::in_branch(
                        self.car.apply(event),
                        |at| Self { car: at, ..self },
                    )
                }
                _ => __saga::Err(__saga::Rejected(self)),
            }
        }

        /// What is compensated before it, once no branch has anything left to compensate.
        pub fn join(self) -> __saga::Result<BookTripBackward, __saga::Rejected<Self>> {
            match self {
                Self {
                    undo,
                    hotel: BookTripHotelBranchBackward::Undone,
                    car: BookTripCarBranchBackward::Undone,
                    ..
                } => __saga::Ok(*undo),
                at => __saga::Err(__saga::Rejected(at)),
            }
        }
    }

    impl BookTripHotelBranchBackward {
        fn apply(self, event: BookTripEvent) -> __saga::Applied<Self> {
            match (self, event) {
                (
                    Self::SettleHotel(at),
                    BookTripEvent::HotelDone(output),
                ) if at.attempts.is_open() => {
                    __saga::Ok(Self::CompensateHotel(at.done(output)))
                }
                (Self::SettleHotel(mut at), BookTripEvent::HotelRefused(refusal)) => {
                    match at.attempts.refuse(refusal, &mut __saga::None) {
                        legal if at.attempts.in_doubt() => {
                            legal.at(Self::SettleHotel(at))
                        }
                        _ => __saga::Ok(at.absent()),
                    }
                }
                (Self::SettleHotel(mut at), BookTripEvent::HotelAttempt(fact)) => {
                    match at.attempts.record(fact, &mut __saga::None) {
                        legal if at.attempts.in_doubt() => {
                            legal.at(Self::SettleHotel(at))
                        }
                        _ => __saga::Ok(at.absent()),
                    }
                }
                (
                    Self::CompensateHotel(at),
                    BookTripEvent::HotelCompensated,
                ) if at.attempts.is_open() => __saga::Ok(at.compensated()),
                (
                    Self::CompensateHotel(mut at),
                    BookTripEvent::HotelCompensation(fact),
                ) => {
                    at.attempts
                        .record(fact, &mut __saga::None)
                        .at(Self::CompensateHotel(at))
                }
                (at, _) => __saga::Err(__saga::Rejected(at)),
            }
        }

        fn calls(&self, calls: &mut __saga::Vec<__saga::Call>) {
            match self {
                Self::SettleHotel(at) => calls.push(at.attempts.call()),
                Self::CompensateHotel(at) => calls.push(at.attempts.call()),
                Self::Undone => {}
            }
        }

        fn is_undone(&self) -> bool {
            match self {
                Self::Undone => true,
                _ => false,
            }
        }
    }

    impl BookTripHotelSettlement {
        /// It is done after all, and is to be compensated.
        pub fn done(self, hotel: HotelReservation) -> BookTripHotelCompensation {
            let hotel = __saga::Shared::new(hotel);
            BookTripHotelCompensation {
                hotel,
                attempts: __saga::compensation_of::<BookTripHotelStep>(),
            }
        }

        /// `hotel` did not happen and never will.
        pub fn absent(self) -> BookTripHotelBranchBackward {
            BookTripHotelBranchBackward::Undone
        }
    }

    impl BookTripHotelCompensation {
        /// `hotel` is compensated.
        pub fn compensated(self) -> BookTripHotelBranchBackward {
            BookTripHotelBranchBackward::Undone
        }

        async fn attempt(
            request: __saga::Request<BookTripParticipants>,
            hotel: __saga::Shared<HotelReservation>,
        ) -> __saga::Settled<BookTripEvent> {
            let result = Self::compensation(&request.cx, &request.participants, &hotel)
                .await;
            __saga::settled(result, |()| BookTripEvent::HotelCompensated)
        }
    }

    impl BookTripCarBranchBackward {
        fn apply(self, event: BookTripEvent) -> __saga::Applied<Self> {
            match (self, event) {
                (
                    Self::SettleCar(at),
                    BookTripEvent::CarDone(output),
                ) if at.attempts.is_open() => {
                    __saga::Ok(Self::CompensateCar(at.done(output)))
                }
                (Self::SettleCar(mut at), BookTripEvent::CarRefused(refusal)) => {
                    match at.attempts.refuse(refusal, &mut __saga::None) {
                        legal if at.attempts.in_doubt() => legal.at(Self::SettleCar(at)),
                        _ => __saga::Ok(at.absent()),
                    }
                }
                (Self::SettleCar(mut at), BookTripEvent::CarAttempt(fact)) => {
                    match at.attempts.record(fact, &mut __saga::None) {
                        legal if at.attempts.in_doubt() => legal.at(Self::SettleCar(at)),
                        _ => __saga::Ok(at.absent()),
                    }
                }
                (
                    Self::CompensateCar(at),
                    BookTripEvent::CarCompensated,
                ) if at.attempts.is_open() => __saga::Ok(at.compensated()),
                (Self::CompensateCar(mut at), BookTripEvent::CarCompensation(fact)) => {
                    at.attempts
                        .record(fact, &mut __saga::None)
                        .at(Self::CompensateCar(at))
                }
                (at, _) => __saga::Err(__saga::Rejected(at)),
            }
        }

        fn calls(&self, calls: &mut __saga::Vec<__saga::Call>) {
            match self {
                Self::SettleCar(at) => calls.push(at.attempts.call()),
                Self::CompensateCar(at) => calls.push(at.attempts.call()),
                Self::Undone => {}
            }
        }

        fn is_undone(&self) -> bool {
            match self {
                Self::Undone => true,
                _ => false,
            }
        }
    }

    impl BookTripCarSettlement {
        /// It is done after all, and is to be compensated.
        pub fn done(self, car: CarReservation) -> BookTripCarCompensation {
            let car = __saga::Shared::new(car);
            BookTripCarCompensation {
                car,
                attempts: __saga::compensation_of::<BookTripCarStep>(),
            }
        }

        /// `car` did not happen and never will.
        pub fn absent(self) -> BookTripCarBranchBackward {
            BookTripCarBranchBackward::Undone
        }
    }

    impl BookTripCarCompensation {
        /// `car` is compensated.
        pub fn compensated(self) -> BookTripCarBranchBackward {
            BookTripCarBranchBackward::Undone
        }

        async fn attempt(
            request: __saga::Request<BookTripParticipants>,
            car: __saga::Shared<CarReservation>,
        ) -> __saga::Settled<BookTripEvent> {
            let result = Self::compensation(&request.cx, &request.participants, &car)
                .await;
            __saga::settled(result, |()| BookTripEvent::CarCompensated)
        }
    }

    impl BookTripFlightSettlement {
        /// It is done after all, and is to be compensated.
        pub fn done(self, flight: FlightReservation) -> BookTripFlightCompensation {
            let flight = __saga::Shared::new(flight);
            BookTripFlightCompensation {
                flight,
                attempts: __saga::compensation_of::<BookTripFlightStep>(),
            }
        }

        /// `flight` did not happen and never will.
        pub fn absent(self) -> BookTripBackward {
            BookTripBackward::Undone
        }
    }

    impl BookTripFlightCompensation {
        /// `flight` is compensated.
        pub fn compensated(self) -> BookTripBackward {
            BookTripBackward::Undone
        }

        async fn attempt(
            request: __saga::Request<BookTripParticipants>,
            flight: __saga::Shared<FlightReservation>,
        ) -> __saga::Settled<BookTripEvent> {
            let result = Self::compensation(&request.cx, &request.participants, &flight)
                .await;
            __saga::settled(result, |()| BookTripEvent::FlightCompensated)
        }
    }
};
