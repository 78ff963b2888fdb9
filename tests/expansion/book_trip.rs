// What `saga!` writes for examples/src/travel/saga.rs, as prettyplease prints it.
// A test of saga-macros keeps this file equal to it: `UPDATE_EXPECT=1 cargo test -p saga-macros`.

/// Books a flight, a hotel and a car for one trip: all of them, or none.
#[cfg_attr(
    doc,
    doc = "",
    doc = "# What it does\n\n<div style=\"overflow-x:auto\">\n<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"The saga BookTrip: its way forward, and its way back if something fails\" viewBox=\"0 0 812 649\" width=\"812\" height=\"649\" font-family=\"system-ui, sans-serif\" style=\"max-width:100%;min-width:649px;height:auto\">\n<title>The saga BookTrip: its way forward, and its way back if something fails</title>\n<rect x=\"60\" y=\"16\" width=\"200\" height=\"30\" rx=\"15\" fill=\"currentColor\" fill-opacity=\"0.12\" stroke=\"currentColor\" stroke-width=\"1.5\"/>\n<text x=\"160\" y=\"36\" fill=\"currentColor\" font-size=\"13\" font-weight=\"600\" text-anchor=\"middle\">BookTrip(trip: Trip)</text>\n<rect x=\"562\" y=\"16\" width=\"126\" height=\"30\" rx=\"15\" fill=\"#d9573f\" fill-opacity=\"0.12\" stroke=\"#d9573f\" stroke-width=\"1.5\"/>\n<text x=\"625\" y=\"36\" fill=\"#d9573f\" font-size=\"13\" font-weight=\"600\" text-anchor=\"middle\">Compensated</text>\n<path d=\"M160 46L160 82\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.5\"/>\n<path d=\"M160 82L156 75L164 75Z\" fill=\"currentColor\"/>\n<rect x=\"94\" y=\"82\" width=\"132\" height=\"46\" rx=\"4\" fill=\"currentColor\" fill-opacity=\"0.05\" stroke=\"currentColor\" stroke-width=\"1.2\"/>\n<text x=\"160\" y=\"102\" fill=\"currentColor\" font-size=\"13\" font-weight=\"600\" text-anchor=\"middle\">flight</text>\n<text x=\"160\" y=\"118\" fill=\"currentColor\" font-size=\"11\" text-anchor=\"middle\">FlightReservation</text>\n<rect x=\"543\" y=\"82\" width=\"164\" height=\"46\" rx=\"4\" fill=\"#d9573f\" fill-opacity=\"0.08\" stroke=\"#d9573f\" stroke-width=\"1.2\"/>\n<text x=\"625\" y=\"102\" fill=\"#d9573f\" font-size=\"13\" font-weight=\"600\" text-anchor=\"middle\">compensate flight</text>\n<text x=\"625\" y=\"118\" fill=\"#d9573f\" font-size=\"11\" text-anchor=\"middle\">with its output</text>\n<path d=\"M226 94L316 94Q322 94 322 88L322 70Q322 64 328 64L625 64\" fill=\"none\" stroke=\"#d9573f\" stroke-width=\"1.2\" stroke-dasharray=\"6 4\"/>\n<path d=\"M625 64L618 60L618 68Z\" fill=\"#d9573f\"/>\n<text x=\"330\" y=\"59\" fill=\"#d9573f\" font-size=\"11\">refused</text>\n<path d=\"M226 109L543 109\" fill=\"none\" stroke=\"#d9573f\" stroke-width=\"1.2\" stroke-dasharray=\"2 4\"/>\n<path d=\"M543 109L536 105L536 113Z\" fill=\"#d9573f\"/>\n<text x=\"330\" y=\"104\" fill=\"#d9573f\" font-size=\"11\">in doubt</text>\n<path d=\"M160 128L160 164\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.5\"/>\n<path d=\"M160 164L156 157L164 157Z\" fill=\"currentColor\"/>\n<rect x=\"16\" y=\"164\" width=\"288\" height=\"136\" rx=\"8\" fill=\"currentColor\" fill-opacity=\"0.03\" stroke=\"currentColor\" stroke-width=\"1\" stroke-dasharray=\"1 3\"/>\n<text x=\"24\" y=\"179\" fill=\"currentColor\" font-size=\"11\" font-style=\"italic\">parallel: at the same time</text>\n<path d=\"M73 192L253 192\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"4\"/>\n<path d=\"M73 286L253 286\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"4\"/>\n<path d=\"M93 192L93 216\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.5\"/>\n<path d=\"M93 216L89 209L97 209Z\" fill=\"currentColor\"/>\n<rect x=\"30\" y=\"216\" width=\"126\" height=\"46\" rx=\"4\" fill=\"currentColor\" fill-opacity=\"0.05\" stroke=\"currentColor\" stroke-width=\"1.2\"/>\n<text x=\"93\" y=\"236\" fill=\"currentColor\" font-size=\"13\" font-weight=\"600\" text-anchor=\"middle\">hotel</text>\n<text x=\"93\" y=\"252\" fill=\"currentColor\" font-size=\"11\" text-anchor=\"middle\">HotelReservation</text>\n<path d=\"M93 262L93 286\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.5\"/>\n<path d=\"M93 286L89 279L97 279Z\" fill=\"currentColor\"/>\n<path d=\"M233 192L233 216\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.5\"/>\n<path d=\"M233 216L229 209L237 209Z\" fill=\"currentColor\"/>\n<rect x=\"176\" y=\"216\" width=\"114\" height=\"46\" rx=\"4\" fill=\"currentColor\" fill-opacity=\"0.05\" stroke=\"currentColor\" stroke-width=\"1.2\"/>\n<text x=\"233\" y=\"236\" fill=\"currentColor\" font-size=\"13\" font-weight=\"600\" text-anchor=\"middle\">car</text>\n<text x=\"233\" y=\"252\" fill=\"currentColor\" font-size=\"11\" text-anchor=\"middle\">CarReservation</text>\n<path d=\"M233 262L233 286\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.5\"/>\n<path d=\"M233 286L229 279L237 279Z\" fill=\"currentColor\"/>\n<path d=\"M160 286L160 300\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.5\"/>\n<rect x=\"454\" y=\"164\" width=\"342\" height=\"136\" rx=\"8\" fill=\"#d9573f\" fill-opacity=\"0.03\" stroke=\"#d9573f\" stroke-width=\"1\" stroke-dasharray=\"1 3\"/>\n<text x=\"462\" y=\"179\" fill=\"#d9573f\" font-size=\"11\" font-style=\"italic\">each branch</text>\n<path d=\"M526 192L733 192\" fill=\"none\" stroke=\"#d9573f\" stroke-width=\"4\"/>\n<path d=\"M526 286L733 286\" fill=\"none\" stroke=\"#d9573f\" stroke-width=\"4\"/>\n<rect x=\"468\" y=\"216\" width=\"156\" height=\"46\" rx=\"4\" fill=\"#d9573f\" fill-opacity=\"0.08\" stroke=\"#d9573f\" stroke-width=\"1.2\"/>\n<text x=\"546\" y=\"236\" fill=\"#d9573f\" font-size=\"13\" font-weight=\"600\" text-anchor=\"middle\">compensate hotel</text>\n<text x=\"546\" y=\"252\" fill=\"#d9573f\" font-size=\"11\" text-anchor=\"middle\">with its output</text>\n<path d=\"M546 286L546 262\" fill=\"none\" stroke=\"#d9573f\" stroke-width=\"1.5\"/>\n<path d=\"M546 262L550 269L542 269Z\" fill=\"#d9573f\"/>\n<path d=\"M546 216L546 192\" fill=\"none\" stroke=\"#d9573f\" stroke-width=\"1.5\"/>\n<path d=\"M546 192L550 199L542 199Z\" fill=\"#d9573f\"/>\n<rect x=\"644\" y=\"216\" width=\"138\" height=\"46\" rx=\"4\" fill=\"#d9573f\" fill-opacity=\"0.08\" stroke=\"#d9573f\" stroke-width=\"1.2\"/>\n<text x=\"713\" y=\"236\" fill=\"#d9573f\" font-size=\"13\" font-weight=\"600\" text-anchor=\"middle\">compensate car</text>\n<text x=\"713\" y=\"252\" fill=\"#d9573f\" font-size=\"11\" text-anchor=\"middle\">with its output</text>\n<path d=\"M713 286L713 262\" fill=\"none\" stroke=\"#d9573f\" stroke-width=\"1.5\"/>\n<path d=\"M713 262L717 269L709 269Z\" fill=\"#d9573f\"/>\n<path d=\"M713 216L713 192\" fill=\"none\" stroke=\"#d9573f\" stroke-width=\"1.5\"/>\n<path d=\"M713 192L717 199L709 199Z\" fill=\"#d9573f\"/>\n<path d=\"M625 300L625 286\" fill=\"none\" stroke=\"#d9573f\" stroke-width=\"1.5\"/>\n<path d=\"M304 232L454 232\" fill=\"none\" stroke=\"#d9573f\" stroke-width=\"1.2\" stroke-dasharray=\"6 4\"/>\n<path d=\"M454 232L447 228L447 236Z\" fill=\"#d9573f\"/>\n<text x=\"330\" y=\"226\" fill=\"#d9573f\" font-size=\"11\">one fails</text>\n<text x=\"330\" y=\"247\" fill=\"#d9573f\" font-size=\"11\">in flight: waited for</text>\n<path d=\"M160 300L160 336\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.5\"/>\n<path d=\"M160 336L156 329L164 329Z\" fill=\"currentColor\"/>\n<rect x=\"74\" y=\"336\" width=\"172\" height=\"60\" rx=\"4\" fill=\"#b57b00\" fill-opacity=\"0.14\" stroke=\"#b57b00\" stroke-width=\"3\"/>\n<text x=\"160\" y=\"355\" fill=\"currentColor\" font-size=\"13\" font-weight=\"600\" text-anchor=\"middle\">pivot receipt</text>\n<text x=\"160\" y=\"371\" fill=\"currentColor\" font-size=\"11\" text-anchor=\"middle\">Receipt</text>\n<text x=\"160\" y=\"385\" fill=\"currentColor\" font-size=\"11\" text-anchor=\"middle\">in doubt: settled first</text>\n<path d=\"M246 348L316 348Q322 348 322 342L322 324Q322 318 328 318L625 318\" fill=\"none\" stroke=\"#d9573f\" stroke-width=\"1.2\" stroke-dasharray=\"6 4\"/>\n<path d=\"M625 318L618 314L618 322Z\" fill=\"#d9573f\"/>\n<text x=\"330\" y=\"313\" fill=\"#d9573f\" font-size=\"11\">refused</text>\n<path d=\"M8 424L804 424\" fill=\"none\" stroke=\"#b57b00\" stroke-width=\"2\" stroke-dasharray=\"10 5\"/>\n<text x=\"804\" y=\"439\" fill=\"#b57b00\" font-size=\"11\" font-style=\"italic\" text-anchor=\"end\">point of no return: from here only forward</text>\n<path d=\"M160 396L160 452\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.5\"/>\n<path d=\"M160 452L156 445L164 445Z\" fill=\"currentColor\"/>\n<rect x=\"97\" y=\"452\" width=\"126\" height=\"60\" rx=\"4\" fill=\"currentColor\" fill-opacity=\"0.05\" stroke=\"currentColor\" stroke-width=\"1.2\"/>\n<text x=\"160\" y=\"471\" fill=\"currentColor\" font-size=\"13\" font-weight=\"600\" text-anchor=\"middle\">voucher</text>\n<text x=\"160\" y=\"487\" fill=\"currentColor\" font-size=\"11\" text-anchor=\"middle\">Voucher</text>\n<text x=\"160\" y=\"501\" fill=\"currentColor\" font-size=\"11\" text-anchor=\"middle\">tried until done</text>\n<path d=\"M625 82L625 46\" fill=\"none\" stroke=\"#d9573f\" stroke-width=\"1.5\"/>\n<path d=\"M625 46L629 53L621 53Z\" fill=\"#d9573f\"/>\n<path d=\"M625 164L625 128\" fill=\"none\" stroke=\"#d9573f\" stroke-width=\"1.5\"/>\n<path d=\"M625 128L629 135L621 135Z\" fill=\"#d9573f\"/>\n<path d=\"M625 318L625 300\" fill=\"none\" stroke=\"#d9573f\" stroke-width=\"1.5\"/>\n<path d=\"M625 300L629 307L621 307Z\" fill=\"#d9573f\"/>\n<path d=\"M160 512L160 548\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.5\"/>\n<path d=\"M160 548L156 541L164 541Z\" fill=\"currentColor\"/>\n<rect x=\"60\" y=\"548\" width=\"200\" height=\"30\" rx=\"15\" fill=\"currentColor\" fill-opacity=\"0.12\" stroke=\"currentColor\" stroke-width=\"1.5\"/>\n<text x=\"160\" y=\"568\" fill=\"currentColor\" font-size=\"13\" font-weight=\"600\" text-anchor=\"middle\">Completed: Itinerary</text>\n<path d=\"M16 598L48 598\" fill=\"none\" stroke=\"#d9573f\" stroke-width=\"1.2\" stroke-dasharray=\"6 4\"/>\n<path d=\"M48 598L41 594L41 602Z\" fill=\"#d9573f\"/>\n<text x=\"58\" y=\"602\" fill=\"currentColor\" font-size=\"11\">refused: had no effect, the steps before it are compensated</text>\n<path d=\"M16 615L48 615\" fill=\"none\" stroke=\"#d9573f\" stroke-width=\"1.2\" stroke-dasharray=\"2 4\"/>\n<path d=\"M48 615L41 611L41 619Z\" fill=\"#d9573f\"/>\n<text x=\"58\" y=\"619\" fill=\"currentColor\" font-size=\"11\">in doubt: may have had an effect, and is compensated, too</text>\n<path d=\"M16 632L48 632\" fill=\"none\" stroke=\"#d9573f\" stroke-width=\"1.5\"/>\n<path d=\"M48 632L41 628L41 636Z\" fill=\"#d9573f\"/>\n<text x=\"58\" y=\"636\" fill=\"currentColor\" font-size=\"11\">compensated, latest first; so is a saga that is cancelled or past its deadline</text>\n</svg>\n</div>\n\n# What happens when something fails\n\n| step | what fails | what happens |\n| --- | --- | --- |\n| `flight` | refused | nothing to compensate → **compensated** |\n| `flight` | reply lost | asked again with the same key (a refusal is then definitive). Retries spent → settle `flight` (the same key again) → compensate `flight` if it was done → **compensated** |\n| `hotel` | refused | wait for what is in flight → compensate `car` → `flight` → **compensated** |\n| `hotel` | reply lost | if its participant is keyed: asked again with the same key; else: probed, and made again only after the probe found nothing. Retries spent → wait for what is in flight → settle `hotel` (the same key again, or the probe) → compensate (`hotel` if it was done ∥ `car`) → `flight` → **compensated** |\n| `hotel` | refused after a lost reply | if its participant is keyed: definitive, as refused; else it may have taken effect → wait for what is in flight → settle `hotel` (the same key again, or the probe) → compensate (`hotel` if it was done ∥ `car`) → `flight` → **compensated** |\n| `car` | refused | wait for what is in flight → compensate `hotel` → `flight` → **compensated** |\n| `car` | reply lost | asked again with the same key (a refusal is then definitive). Retries spent → wait for what is in flight → settle `car` (the same key again) → compensate (`car` if it was done ∥ `hotel`) → `flight` → **compensated** |\n| `receipt` (pivot) | refused | compensate (`hotel` ∥ `car`) → `flight` → **compensated** |\n| `receipt` (pivot) | reply lost | asked again with the same key (a refusal is then definitive), until it is known, however long: never abandoned; once its retries are spent it is also shown as **parked** |\n| `voucher` | refused | **parked** for an operator; never compensated |\n| `voucher` | reply lost | asked again with the same key (a refusal is then definitive), until it is done; once its retries are spent it is also shown as **parked** |\n| any | failed for now, surely without effect | tried again. Retries spent with nothing in doubt → as refused; after the pivot: forward, shown as **parked** |\n| any | cancelled, or past the deadline, before `receipt` | wait for what is in flight → compensate what is done or in doubt, latest first → **compensated** |\n| any | cancelled while `receipt` is open | decided when its outcome is known |\n| any | cancelled after `receipt` | too late: forward |\n| any | a compensation fails | tried for ever; once its retries are spent it is also shown as **parked**; never reported as compensated with a gap |\n| any | the process dies | resumed from the log; an attempt that was open counts as a lost reply |\n"
)]
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
    /// The saga's deadline passed before its pivot was opened.
    DeadlinePassed,
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
    unused_imports,
    unused_variables,
    clippy::all,
    clippy::pedantic,
    reason = "generated"
)]
const _: () = {
    use ::saga_runtime::__private::{self as __saga, Backward as _, Share as _};

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
        type Signal = __saga::Infallible;
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
                    kind: __saga::StepKind::Call,
                    zone: __saga::Zone::Compensatable,
                    compensation: __saga::Compensation::ByOutput,
                    keyed: true,
                    probe: false,
                    otherwise: false,
                    events: __saga::None,
                    text: "",
                },
                __saga::StepDefinition {
                    name: "hotel",
                    output: "HotelReservation",
                    kind: __saga::StepKind::Call,
                    zone: __saga::Zone::Compensatable,
                    compensation: __saga::Compensation::ByOutput,
                    keyed: false,
                    probe: true,
                    otherwise: false,
                    events: __saga::None,
                    text: "",
                },
                __saga::StepDefinition {
                    name: "car",
                    output: "CarReservation",
                    kind: __saga::StepKind::Call,
                    zone: __saga::Zone::Compensatable,
                    compensation: __saga::Compensation::ByOutput,
                    keyed: true,
                    probe: false,
                    otherwise: false,
                    events: __saga::None,
                    text: "",
                },
                __saga::StepDefinition {
                    name: "receipt",
                    output: "Receipt",
                    kind: __saga::StepKind::Call,
                    zone: __saga::Zone::Pivot,
                    compensation: __saga::Compensation::None,
                    keyed: true,
                    probe: false,
                    otherwise: false,
                    events: __saga::None,
                    text: "",
                },
                __saga::StepDefinition {
                    name: "voucher",
                    output: "Voucher",
                    kind: __saga::StepKind::Call,
                    zone: __saga::Zone::Retriable,
                    compensation: __saga::Compensation::None,
                    keyed: true,
                    probe: false,
                    otherwise: false,
                    events: __saga::None,
                    text: "",
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
            Self::begin(trip)
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
                _ => {
                    __saga::Policy {
                        timeout: __saga::Duration::from_secs(5),
                        retry: __saga::Retry {
                            limit: __saga::Some(5),
                            first: __saga::Duration::from_millis(50),
                            cap: __saga::Duration::from_secs(2),
                        },
                    }
                }
            }
        }

        fn deadline(trip: &Self::Input) -> __saga::Option<__saga::Time> {
            __saga::Some(__saga::Time::After(__saga::Duration::from_secs(1800)))
        }

        fn call(
            state: &__saga::StateOf<Self>,
            place: &__saga::Place,
            kind: __saga::CallKind,
            participants: &__saga::Arc<BookTripParticipants>,
            cx: __saga::Context,
        ) -> __saga::Option<__saga::CallFuture<BookTripEvent>> {
            let request = __saga::Request::new(state, place, kind, participants, cx);
            match state {
                __saga::State::Forward(at) | __saga::State::Turning(at, _) => {
                    at.call(place, request)
                }
                __saga::State::Backward(at, _) => at.call(place, request),
                _ => __saga::None,
            }
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
            use __saga::FactKind::*;
            let kind = match self {
                Self::FlightDone(held) => {
                    Done(__saga::json_of::<BookTripFlightStep>(held)?)
                }
                Self::FlightRefused(held) => Refused(__saga::Clone::clone(held)),
                Self::FlightAttempt(held) => Attempt(__saga::Clone::clone(held)),
                Self::FlightCompensated => Compensated,
                Self::FlightCompensation(held) => {
                    Compensation(__saga::Clone::clone(held))
                }
                Self::HotelDone(held) => {
                    Done(__saga::json_of::<BookTripHotelStep>(held)?)
                }
                Self::HotelRefused(held) => Refused(__saga::Clone::clone(held)),
                Self::HotelAttempt(held) => Attempt(__saga::Clone::clone(held)),
                Self::HotelCompensated => Compensated,
                Self::HotelCompensation(held) => Compensation(__saga::Clone::clone(held)),
                Self::CarDone(held) => Done(__saga::json_of::<BookTripCarStep>(held)?),
                Self::CarRefused(held) => Refused(__saga::Clone::clone(held)),
                Self::CarAttempt(held) => Attempt(__saga::Clone::clone(held)),
                Self::CarCompensated => Compensated,
                Self::CarCompensation(held) => Compensation(__saga::Clone::clone(held)),
                Self::ReceiptDone(held) => {
                    Done(__saga::json_of::<BookTripReceiptStep>(held)?)
                }
                Self::ReceiptRefused(held) => Refused(__saga::Clone::clone(held)),
                Self::ReceiptAttempt(held) => Attempt(__saga::Clone::clone(held)),
                Self::VoucherDone(held) => {
                    Done(__saga::json_of::<BookTripVoucherStep>(held)?)
                }
                Self::VoucherRefused(held) => Refused(__saga::Clone::clone(held)),
                Self::VoucherAttempt(held) => Attempt(__saga::Clone::clone(held)),
                Self::Cancelled(reason) => Cancelled(__saga::Clone::clone(reason)),
                Self::DeadlinePassed => DeadlinePassed,
                Self::Completed(output) => {
                    Completed(__saga::completed::<BookTrip>(output)?)
                }
            };
            let place = self
                .identity()
                .0
                .map(|step| __saga::Place {
                    step,
                    items: __saga::Clone::clone(__saga::Event::items(self)),
                });
            __saga::Ok(__saga::Fact { place, kind })
        }

        fn from_fact(fact: __saga::Fact) -> __saga::Result<Self, __saga::EventError> {
            use __saga::FactKind::*;
            let __saga::Some(place) = fact.place else {
                return match fact.kind {
                    Cancelled(reason) => __saga::Ok(Self::Cancelled(reason)),
                    DeadlinePassed => __saga::Ok(Self::DeadlinePassed),
                    Completed(json) => {
                        __saga::Ok(Self::Completed(__saga::returned::<BookTrip>(&json)?))
                    }
                    _ => __saga::Err(__saga::EventError::Unknown),
                };
            };
            if place.items.depth() != 0 && !__saga::is_signal(&fact.kind) {
                return __saga::Err(__saga::EventError::Unknown);
            }
            __saga::Ok(
                match (place.step, fact.kind) {
                    (0, Done(held)) => {
                        Self::FlightDone(__saga::output_of::<BookTripFlightStep>(&held)?)
                    }
                    (0, Refused(held)) => Self::FlightRefused(held),
                    (0, Attempt(held)) => Self::FlightAttempt(held),
                    (0, Compensated) => Self::FlightCompensated,
                    (0, Compensation(held)) => Self::FlightCompensation(held),
                    (1, Done(held)) => {
                        Self::HotelDone(__saga::output_of::<BookTripHotelStep>(&held)?)
                    }
                    (1, Refused(held)) => Self::HotelRefused(held),
                    (1, Attempt(held)) => Self::HotelAttempt(held),
                    (1, Compensated) => Self::HotelCompensated,
                    (1, Compensation(held)) => Self::HotelCompensation(held),
                    (2, Done(held)) => {
                        Self::CarDone(__saga::output_of::<BookTripCarStep>(&held)?)
                    }
                    (2, Refused(held)) => Self::CarRefused(held),
                    (2, Attempt(held)) => Self::CarAttempt(held),
                    (2, Compensated) => Self::CarCompensated,
                    (2, Compensation(held)) => Self::CarCompensation(held),
                    (3, Done(held)) => {
                        Self::ReceiptDone(
                            __saga::output_of::<BookTripReceiptStep>(&held)?,
                        )
                    }
                    (3, Refused(held)) => Self::ReceiptRefused(held),
                    (3, Attempt(held)) => Self::ReceiptAttempt(held),
                    (4, Done(held)) => {
                        Self::VoucherDone(
                            __saga::output_of::<BookTripVoucherStep>(&held)?,
                        )
                    }
                    (4, Refused(held)) => Self::VoucherRefused(held),
                    (4, Attempt(held)) => Self::VoucherAttempt(held),
                    _ => return __saga::Err(__saga::EventError::Unknown),
                },
            )
        }

        fn step(&self) -> __saga::Option<usize> {
            self.identity().0
        }

        fn items(&self) -> &__saga::Items {
            self.identity().2
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
                Self::DeadlinePassed => __saga::Some(__saga::Control::DeadlinePassed),
                Self::Completed(_) => __saga::Some(__saga::Control::Completed),
                _ => __saga::None,
            }
        }
    }

    impl BookTripEvent {
        /// Its step, its name and its items.
        fn identity(&self) -> (__saga::Option<usize>, &'static str, &__saga::Items) {
            match self {
                Self::FlightDone(_) => {
                    (__saga::Some(0), "FlightDone", __saga::Items::none())
                }
                Self::FlightRefused(_) => {
                    (__saga::Some(0), "FlightRefused", __saga::Items::none())
                }
                Self::FlightAttempt(_) => {
                    (__saga::Some(0), "FlightAttempt", __saga::Items::none())
                }
                Self::FlightCompensated => {
                    (__saga::Some(0), "FlightCompensated", __saga::Items::none())
                }
                Self::FlightCompensation(_) => {
                    (__saga::Some(0), "FlightCompensation", __saga::Items::none())
                }
                Self::HotelDone(_) => {
                    (__saga::Some(1), "HotelDone", __saga::Items::none())
                }
                Self::HotelRefused(_) => {
                    (__saga::Some(1), "HotelRefused", __saga::Items::none())
                }
                Self::HotelAttempt(_) => {
                    (__saga::Some(1), "HotelAttempt", __saga::Items::none())
                }
                Self::HotelCompensated => {
                    (__saga::Some(1), "HotelCompensated", __saga::Items::none())
                }
                Self::HotelCompensation(_) => {
                    (__saga::Some(1), "HotelCompensation", __saga::Items::none())
                }
                Self::CarDone(_) => (__saga::Some(2), "CarDone", __saga::Items::none()),
                Self::CarRefused(_) => {
                    (__saga::Some(2), "CarRefused", __saga::Items::none())
                }
                Self::CarAttempt(_) => {
                    (__saga::Some(2), "CarAttempt", __saga::Items::none())
                }
                Self::CarCompensated => {
                    (__saga::Some(2), "CarCompensated", __saga::Items::none())
                }
                Self::CarCompensation(_) => {
                    (__saga::Some(2), "CarCompensation", __saga::Items::none())
                }
                Self::ReceiptDone(_) => {
                    (__saga::Some(3), "ReceiptDone", __saga::Items::none())
                }
                Self::ReceiptRefused(_) => {
                    (__saga::Some(3), "ReceiptRefused", __saga::Items::none())
                }
                Self::ReceiptAttempt(_) => {
                    (__saga::Some(3), "ReceiptAttempt", __saga::Items::none())
                }
                Self::VoucherDone(_) => {
                    (__saga::Some(4), "VoucherDone", __saga::Items::none())
                }
                Self::VoucherRefused(_) => {
                    (__saga::Some(4), "VoucherRefused", __saga::Items::none())
                }
                Self::VoucherAttempt(_) => {
                    (__saga::Some(4), "VoucherAttempt", __saga::Items::none())
                }
                Self::Cancelled(_) => (__saga::None, "Cancelled", __saga::Items::none()),
                Self::DeadlinePassed => {
                    (__saga::None, "DeadlinePassed", __saga::Items::none())
                }
                Self::Completed(_) => (__saga::None, "Completed", __saga::Items::none()),
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
                Self::HotelToCar(at) => at.calls(calls),
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

    impl BookTripForward {
        fn call(
            &self,
            place: &__saga::Place,
            request: __saga::Request<BookTripParticipants>,
        ) -> __saga::Option<__saga::CallFuture<BookTripEvent>> {
            match self {
                Self::Flight(at) if place.step == 0 => {
                    __saga::Some(
                        __saga::boxed(
                            BookTripFlightStep::attempt(request, at.trip.share()),
                        ),
                    )
                }
                Self::HotelToCar(at) => at.call(place, request),
                Self::Receipt(at) if place.step == 3 => {
                    __saga::Some(
                        __saga::boxed(
                            BookTripReceiptStep::attempt(
                                request,
                                at.trip.share(),
                                at.flight.share(),
                                at.hotel.share(),
                                at.car.share(),
                            ),
                        ),
                    )
                }
                Self::Voucher(at) if place.step == 4 => {
                    __saga::Some(
                        __saga::boxed(
                            BookTripVoucherStep::attempt(request, at.flight.share()),
                        ),
                    )
                }
                _ => __saga::None,
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
            kind: __saga::StepKind::Call,
            role: __saga::Role::Compensatable,
            keyed: true,
            probe: false,
            otherwise: false,
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

        fn calls(&self, calls: &mut __saga::Vec<__saga::Call>) {
            self.hotel.calls(calls);
            self.car.calls(calls);
        }

        fn call(
            &self,
            place: &__saga::Place,
            request: __saga::Request<BookTripParticipants>,
        ) -> __saga::Option<__saga::CallFuture<BookTripEvent>> {
            match place.step {
                1 => self.hotel.call(place, request),
                2 => self.car.call(place, request),
                _ => __saga::None,
            }
        }

        /// The position after it, once all of it is done.
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

        fn call(
            &self,
            place: &__saga::Place,
            request: __saga::Request<BookTripParticipants>,
        ) -> __saga::Option<__saga::CallFuture<BookTripEvent>> {
            match self {
                Self::Hotel(at) if place.step == 1 => {
                    __saga::Some(
                        __saga::boxed(
                            BookTripHotelStep::attempt(
                                request,
                                at.trip.share(),
                                at.flight.share(),
                            ),
                        ),
                    )
                }
                _ => __saga::None,
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
            kind: __saga::StepKind::Call,
            role: __saga::Role::Compensatable,
            keyed: {
                use __saga::NotKeyed as _;
                __saga::IsKeyed::<HotelDesk>::KEYED
            },
            probe: true,
            otherwise: false,
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

        fn call(
            &self,
            place: &__saga::Place,
            request: __saga::Request<BookTripParticipants>,
        ) -> __saga::Option<__saga::CallFuture<BookTripEvent>> {
            match self {
                Self::Car(at) if place.step == 2 => {
                    __saga::Some(
                        __saga::boxed(
                            BookTripCarStep::attempt(
                                request,
                                at.trip.share(),
                                at.flight.share(),
                            ),
                        ),
                    )
                }
                _ => __saga::None,
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
            kind: __saga::StepKind::Call,
            role: __saga::Role::Compensatable,
            keyed: true,
            probe: false,
            otherwise: false,
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
            kind: __saga::StepKind::Call,
            role: __saga::Role::Pivot,
            keyed: true,
            probe: false,
            otherwise: false,
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
            kind: __saga::StepKind::Call,
            role: __saga::Role::Retriable,
            keyed: true,
            probe: false,
            otherwise: false,
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
                (Self::SettleFlight(mut at), BookTripEvent::FlightRefused(fact)) => {
                    match at.attempts.refuse(fact, &mut __saga::None) {
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
                Self::CompensateHotelToCar(at) => at.calls(calls),
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

    impl BookTripBackward {
        fn call(
            &self,
            place: &__saga::Place,
            request: __saga::Request<BookTripParticipants>,
        ) -> __saga::Option<__saga::CallFuture<BookTripEvent>> {
            match self {
                Self::CompensateHotelToCar(at) => at.call(place, request),
                Self::SettleFlight(at) if place.step == 0 => {
                    __saga::Some(
                        __saga::boxed(
                            BookTripFlightStep::attempt(request, at.trip.share()),
                        ),
                    )
                }
                Self::CompensateFlight(at) if place.step == 0 => {
                    __saga::Some(
                        __saga::boxed(
                            BookTripFlightCompensation::attempt(
                                request,
                                at.flight.share(),
                            ),
                        ),
                    )
                }
                _ => __saga::None,
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

        fn calls(&self, calls: &mut __saga::Vec<__saga::Call>) {
            self.hotel.calls(calls);
            self.car.calls(calls);
        }

        fn call(
            &self,
            place: &__saga::Place,
            request: __saga::Request<BookTripParticipants>,
        ) -> __saga::Option<__saga::CallFuture<BookTripEvent>> {
            match place.step {
                1 => self.hotel.call(place, request),
                2 => self.car.call(place, request),
                _ => __saga::None,
            }
        }

        /// What is compensated before it, once nothing of it is left to compensate.
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

    #[automatically_derived]
    impl __saga::Backward for BookTripHotelBranchBackward {
        type Event = BookTripEvent;
        fn apply(self, event: BookTripEvent) -> __saga::Applied<Self> {
            match (self, event) {
                (
                    Self::SettleHotel(at),
                    BookTripEvent::HotelDone(output),
                ) if at.attempts.is_open() => {
                    __saga::Ok(Self::CompensateHotel(at.done(output)))
                }
                (Self::SettleHotel(mut at), BookTripEvent::HotelRefused(fact)) => {
                    match at.attempts.refuse(fact, &mut __saga::None) {
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

    impl BookTripHotelBranchBackward {
        fn call(
            &self,
            place: &__saga::Place,
            request: __saga::Request<BookTripParticipants>,
        ) -> __saga::Option<__saga::CallFuture<BookTripEvent>> {
            match self {
                Self::SettleHotel(at) if place.step == 1 => {
                    __saga::Some(
                        __saga::boxed(
                            BookTripHotelStep::attempt(
                                request,
                                at.trip.share(),
                                at.flight.share(),
                            ),
                        ),
                    )
                }
                Self::CompensateHotel(at) if place.step == 1 => {
                    __saga::Some(
                        __saga::boxed(
                            BookTripHotelCompensation::attempt(request, at.hotel.share()),
                        ),
                    )
                }
                _ => __saga::None,
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

    #[automatically_derived]
    impl __saga::Backward for BookTripCarBranchBackward {
        type Event = BookTripEvent;
        fn apply(self, event: BookTripEvent) -> __saga::Applied<Self> {
            match (self, event) {
                (
                    Self::SettleCar(at),
                    BookTripEvent::CarDone(output),
                ) if at.attempts.is_open() => {
                    __saga::Ok(Self::CompensateCar(at.done(output)))
                }
                (Self::SettleCar(mut at), BookTripEvent::CarRefused(fact)) => {
                    match at.attempts.refuse(fact, &mut __saga::None) {
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

    impl BookTripCarBranchBackward {
        fn call(
            &self,
            place: &__saga::Place,
            request: __saga::Request<BookTripParticipants>,
        ) -> __saga::Option<__saga::CallFuture<BookTripEvent>> {
            match self {
                Self::SettleCar(at) if place.step == 2 => {
                    __saga::Some(
                        __saga::boxed(
                            BookTripCarStep::attempt(
                                request,
                                at.trip.share(),
                                at.flight.share(),
                            ),
                        ),
                    )
                }
                Self::CompensateCar(at) if place.step == 2 => {
                    __saga::Some(
                        __saga::boxed(
                            BookTripCarCompensation::attempt(request, at.car.share()),
                        ),
                    )
                }
                _ => __saga::None,
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
