// What `saga!` writes for examples/src/travel/saga.rs, as prettyplease prints it.
// A test of saga-macros keeps this file equal to it: `UPDATE_EXPECT=1 cargo test -p saga-macros`.

/// Books a flight, a hotel and, if it is wanted, a car for one trip: all of them, or none.
#[cfg_attr(
    doc,
    doc = "",
    doc = "# What it does\n\n<div style=\"overflow-x:auto\">\n<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"The saga BookTrip: its way forward, and its way back if something fails\" viewBox=\"0 0 922 753\" width=\"922\" height=\"753\" font-family=\"system-ui, sans-serif\" style=\"max-width:100%;min-width:737px;height:auto\">\n<title>The saga BookTrip: its way forward, and its way back if something fails</title>\n<rect x=\"101\" y=\"16\" width=\"200\" height=\"30\" rx=\"15\" fill=\"currentColor\" fill-opacity=\"0.12\" stroke=\"currentColor\" stroke-width=\"1.5\"/>\n<text x=\"201\" y=\"36\" fill=\"currentColor\" font-size=\"13\" font-weight=\"600\" text-anchor=\"middle\">BookTrip(trip: Trip)</text>\n<rect x=\"658\" y=\"16\" width=\"126\" height=\"30\" rx=\"15\" fill=\"#d9573f\" fill-opacity=\"0.12\" stroke=\"#d9573f\" stroke-width=\"1.5\"/>\n<text x=\"721\" y=\"36\" fill=\"#d9573f\" font-size=\"13\" font-weight=\"600\" text-anchor=\"middle\">Compensated</text>\n<path d=\"M201 46L201 82\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.5\"/>\n<path d=\"M201 82L197 75L205 75Z\" fill=\"currentColor\"/>\n<rect x=\"135\" y=\"82\" width=\"132\" height=\"46\" rx=\"4\" fill=\"currentColor\" fill-opacity=\"0.05\" stroke=\"currentColor\" stroke-width=\"1.2\"/>\n<text x=\"201\" y=\"102\" fill=\"currentColor\" font-size=\"13\" font-weight=\"600\" text-anchor=\"middle\">flight</text>\n<text x=\"201\" y=\"118\" fill=\"currentColor\" font-size=\"11\" text-anchor=\"middle\">FlightReservation</text>\n<rect x=\"639\" y=\"82\" width=\"164\" height=\"46\" rx=\"4\" fill=\"#d9573f\" fill-opacity=\"0.08\" stroke=\"#d9573f\" stroke-width=\"1.2\"/>\n<text x=\"721\" y=\"102\" fill=\"#d9573f\" font-size=\"13\" font-weight=\"600\" text-anchor=\"middle\">compensate flight</text>\n<text x=\"721\" y=\"118\" fill=\"#d9573f\" font-size=\"11\" text-anchor=\"middle\">with its output</text>\n<path d=\"M267 94L398 94Q404 94 404 88L404 70Q404 64 410 64L721 64\" fill=\"none\" stroke=\"#d9573f\" stroke-width=\"1.2\" stroke-dasharray=\"6 4\"/>\n<path d=\"M721 64L714 60L714 68Z\" fill=\"#d9573f\"/>\n<text x=\"412\" y=\"59\" fill=\"#d9573f\" font-size=\"11\">refused</text>\n<path d=\"M267 109L639 109\" fill=\"none\" stroke=\"#d9573f\" stroke-width=\"1.2\" stroke-dasharray=\"2 4\"/>\n<path d=\"M639 109L632 105L632 113Z\" fill=\"#d9573f\"/>\n<text x=\"412\" y=\"104\" fill=\"#d9573f\" font-size=\"11\">in doubt</text>\n<path d=\"M201 128L201 164\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.5\"/>\n<path d=\"M201 164L197 157L205 157Z\" fill=\"currentColor\"/>\n<rect x=\"16\" y=\"164\" width=\"370\" height=\"240\" rx=\"8\" fill=\"currentColor\" fill-opacity=\"0.03\" stroke=\"currentColor\" stroke-width=\"1\" stroke-dasharray=\"1 3\"/>\n<text x=\"24\" y=\"179\" fill=\"currentColor\" font-size=\"11\" font-style=\"italic\">parallel: at the same time</text>\n<path d=\"M73 192L294 192\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"4\"/>\n<path d=\"M73 390L294 390\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"4\"/>\n<path d=\"M93 192L93 216\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.5\"/>\n<path d=\"M93 216L89 209L97 209Z\" fill=\"currentColor\"/>\n<rect x=\"30\" y=\"216\" width=\"126\" height=\"46\" rx=\"4\" fill=\"currentColor\" fill-opacity=\"0.05\" stroke=\"currentColor\" stroke-width=\"1.2\"/>\n<text x=\"93\" y=\"236\" fill=\"currentColor\" font-size=\"13\" font-weight=\"600\" text-anchor=\"middle\">hotel</text>\n<text x=\"93\" y=\"252\" fill=\"currentColor\" font-size=\"11\" text-anchor=\"middle\">HotelReservation</text>\n<path d=\"M93 262L93 390\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.5\"/>\n<path d=\"M93 390L89 383L97 383Z\" fill=\"currentColor\"/>\n<path d=\"M274 192L274 216\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.5\"/>\n<path d=\"M274 216L270 209L278 209Z\" fill=\"currentColor\"/>\n<rect x=\"176\" y=\"216\" width=\"196\" height=\"150\" rx=\"8\" fill=\"currentColor\" fill-opacity=\"0.03\" stroke=\"currentColor\" stroke-width=\"1\" stroke-dasharray=\"1 3\"/>\n<text x=\"184\" y=\"231\" fill=\"currentColor\" font-size=\"11\" font-style=\"italic\">if</text>\n<path d=\"M247 244L341 244\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.5\"/>\n<path d=\"M247 352L341 352\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.5\"/>\n<text x=\"247\" y=\"259\" fill=\"currentColor\" font-size=\"11\" text-anchor=\"middle\">trip.wants_car</text>\n<path d=\"M247 264L247 282\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.5\"/>\n<path d=\"M247 282L243 275L251 275Z\" fill=\"currentColor\"/>\n<rect x=\"190\" y=\"282\" width=\"114\" height=\"46\" rx=\"4\" fill=\"currentColor\" fill-opacity=\"0.05\" stroke=\"currentColor\" stroke-width=\"1.2\"/>\n<text x=\"247\" y=\"302\" fill=\"currentColor\" font-size=\"13\" font-weight=\"600\" text-anchor=\"middle\">car</text>\n<text x=\"247\" y=\"318\" fill=\"currentColor\" font-size=\"11\" text-anchor=\"middle\">CarReservation</text>\n<path d=\"M247 328L247 352\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.5\"/>\n<text x=\"341\" y=\"259\" fill=\"currentColor\" font-size=\"11\" text-anchor=\"middle\">else</text>\n<path d=\"M341 264L341 352\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.5\"/>\n<path d=\"M274 352L274 366\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.5\"/>\n<path d=\"M274 366L274 390\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.5\"/>\n<path d=\"M274 390L270 383L278 383Z\" fill=\"currentColor\"/>\n<path d=\"M201 390L201 404\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.5\"/>\n<rect x=\"536\" y=\"164\" width=\"370\" height=\"240\" rx=\"8\" fill=\"#d9573f\" fill-opacity=\"0.03\" stroke=\"#d9573f\" stroke-width=\"1\" stroke-dasharray=\"1 3\"/>\n<text x=\"544\" y=\"179\" fill=\"#d9573f\" font-size=\"11\" font-style=\"italic\">each branch</text>\n<path d=\"M608 192L829 192\" fill=\"none\" stroke=\"#d9573f\" stroke-width=\"4\"/>\n<path d=\"M608 390L829 390\" fill=\"none\" stroke=\"#d9573f\" stroke-width=\"4\"/>\n<rect x=\"550\" y=\"216\" width=\"156\" height=\"46\" rx=\"4\" fill=\"#d9573f\" fill-opacity=\"0.08\" stroke=\"#d9573f\" stroke-width=\"1.2\"/>\n<text x=\"628\" y=\"236\" fill=\"#d9573f\" font-size=\"13\" font-weight=\"600\" text-anchor=\"middle\">compensate hotel</text>\n<text x=\"628\" y=\"252\" fill=\"#d9573f\" font-size=\"11\" text-anchor=\"middle\">with its output</text>\n<path d=\"M628 390L628 262\" fill=\"none\" stroke=\"#d9573f\" stroke-width=\"1.5\"/>\n<path d=\"M628 262L632 269L624 269Z\" fill=\"#d9573f\"/>\n<path d=\"M628 216L628 192\" fill=\"none\" stroke=\"#d9573f\" stroke-width=\"1.5\"/>\n<path d=\"M628 192L632 199L624 199Z\" fill=\"#d9573f\"/>\n<rect x=\"726\" y=\"216\" width=\"166\" height=\"150\" rx=\"8\" fill=\"#d9573f\" fill-opacity=\"0.03\" stroke=\"#d9573f\" stroke-width=\"1\" stroke-dasharray=\"1 3\"/>\n<text x=\"734\" y=\"231\" fill=\"#d9573f\" font-size=\"11\" font-style=\"italic\">the arm taken</text>\n<rect x=\"740\" y=\"282\" width=\"138\" height=\"46\" rx=\"4\" fill=\"#d9573f\" fill-opacity=\"0.08\" stroke=\"#d9573f\" stroke-width=\"1.2\"/>\n<text x=\"809\" y=\"302\" fill=\"#d9573f\" font-size=\"13\" font-weight=\"600\" text-anchor=\"middle\">compensate car</text>\n<text x=\"809\" y=\"318\" fill=\"#d9573f\" font-size=\"11\" text-anchor=\"middle\">with its output</text>\n<path d=\"M809 352L809 328\" fill=\"none\" stroke=\"#d9573f\" stroke-width=\"1.5\"/>\n<path d=\"M809 328L813 335L805 335Z\" fill=\"#d9573f\"/>\n<path d=\"M809 282L809 244\" fill=\"none\" stroke=\"#d9573f\" stroke-width=\"1.5\"/>\n<path d=\"M809 366L809 352\" fill=\"none\" stroke=\"#d9573f\" stroke-width=\"1.5\"/>\n<path d=\"M809 390L809 366\" fill=\"none\" stroke=\"#d9573f\" stroke-width=\"1.5\"/>\n<path d=\"M809 366L813 373L805 373Z\" fill=\"#d9573f\"/>\n<path d=\"M809 216L809 192\" fill=\"none\" stroke=\"#d9573f\" stroke-width=\"1.5\"/>\n<path d=\"M809 192L813 199L805 199Z\" fill=\"#d9573f\"/>\n<path d=\"M721 404L721 390\" fill=\"none\" stroke=\"#d9573f\" stroke-width=\"1.5\"/>\n<path d=\"M386 284L536 284\" fill=\"none\" stroke=\"#d9573f\" stroke-width=\"1.2\" stroke-dasharray=\"6 4\"/>\n<path d=\"M536 284L529 280L529 288Z\" fill=\"#d9573f\"/>\n<text x=\"412\" y=\"278\" fill=\"#d9573f\" font-size=\"11\">one fails</text>\n<text x=\"412\" y=\"299\" fill=\"#d9573f\" font-size=\"11\">in flight: waited for</text>\n<path d=\"M201 404L201 440\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.5\"/>\n<path d=\"M201 440L197 433L205 433Z\" fill=\"currentColor\"/>\n<rect x=\"115\" y=\"440\" width=\"172\" height=\"60\" rx=\"4\" fill=\"#b57b00\" fill-opacity=\"0.14\" stroke=\"#b57b00\" stroke-width=\"3\"/>\n<text x=\"201\" y=\"459\" fill=\"currentColor\" font-size=\"13\" font-weight=\"600\" text-anchor=\"middle\">pivot receipt</text>\n<text x=\"201\" y=\"475\" fill=\"currentColor\" font-size=\"11\" text-anchor=\"middle\">Receipt</text>\n<text x=\"201\" y=\"489\" fill=\"currentColor\" font-size=\"11\" text-anchor=\"middle\">in doubt: settled first</text>\n<path d=\"M287 452L398 452Q404 452 404 446L404 428Q404 422 410 422L721 422\" fill=\"none\" stroke=\"#d9573f\" stroke-width=\"1.2\" stroke-dasharray=\"6 4\"/>\n<path d=\"M721 422L714 418L714 426Z\" fill=\"#d9573f\"/>\n<text x=\"412\" y=\"417\" fill=\"#d9573f\" font-size=\"11\">refused</text>\n<path d=\"M8 528L914 528\" fill=\"none\" stroke=\"#b57b00\" stroke-width=\"2\" stroke-dasharray=\"10 5\"/>\n<text x=\"914\" y=\"543\" fill=\"#b57b00\" font-size=\"11\" font-style=\"italic\" text-anchor=\"end\">point of no return: from here only forward</text>\n<path d=\"M201 500L201 556\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.5\"/>\n<path d=\"M201 556L197 549L205 549Z\" fill=\"currentColor\"/>\n<rect x=\"138\" y=\"556\" width=\"126\" height=\"60\" rx=\"4\" fill=\"currentColor\" fill-opacity=\"0.05\" stroke=\"currentColor\" stroke-width=\"1.2\"/>\n<text x=\"201\" y=\"575\" fill=\"currentColor\" font-size=\"13\" font-weight=\"600\" text-anchor=\"middle\">voucher</text>\n<text x=\"201\" y=\"591\" fill=\"currentColor\" font-size=\"11\" text-anchor=\"middle\">Voucher</text>\n<text x=\"201\" y=\"605\" fill=\"currentColor\" font-size=\"11\" text-anchor=\"middle\">tried until done</text>\n<path d=\"M721 82L721 46\" fill=\"none\" stroke=\"#d9573f\" stroke-width=\"1.5\"/>\n<path d=\"M721 46L725 53L717 53Z\" fill=\"#d9573f\"/>\n<path d=\"M721 164L721 128\" fill=\"none\" stroke=\"#d9573f\" stroke-width=\"1.5\"/>\n<path d=\"M721 128L725 135L717 135Z\" fill=\"#d9573f\"/>\n<path d=\"M721 422L721 404\" fill=\"none\" stroke=\"#d9573f\" stroke-width=\"1.5\"/>\n<path d=\"M721 404L725 411L717 411Z\" fill=\"#d9573f\"/>\n<path d=\"M201 616L201 652\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.5\"/>\n<path d=\"M201 652L197 645L205 645Z\" fill=\"currentColor\"/>\n<rect x=\"101\" y=\"652\" width=\"200\" height=\"30\" rx=\"15\" fill=\"currentColor\" fill-opacity=\"0.12\" stroke=\"currentColor\" stroke-width=\"1.5\"/>\n<text x=\"201\" y=\"672\" fill=\"currentColor\" font-size=\"13\" font-weight=\"600\" text-anchor=\"middle\">Completed: Itinerary</text>\n<path d=\"M16 702L48 702\" fill=\"none\" stroke=\"#d9573f\" stroke-width=\"1.2\" stroke-dasharray=\"6 4\"/>\n<path d=\"M48 702L41 698L41 706Z\" fill=\"#d9573f\"/>\n<text x=\"58\" y=\"706\" fill=\"currentColor\" font-size=\"11\">refused: had no effect, the steps before it are compensated</text>\n<path d=\"M16 719L48 719\" fill=\"none\" stroke=\"#d9573f\" stroke-width=\"1.2\" stroke-dasharray=\"2 4\"/>\n<path d=\"M48 719L41 715L41 723Z\" fill=\"#d9573f\"/>\n<text x=\"58\" y=\"723\" fill=\"currentColor\" font-size=\"11\">in doubt: may have had an effect, and is compensated, too</text>\n<path d=\"M16 736L48 736\" fill=\"none\" stroke=\"#d9573f\" stroke-width=\"1.5\"/>\n<path d=\"M48 736L41 732L41 740Z\" fill=\"#d9573f\"/>\n<text x=\"58\" y=\"740\" fill=\"currentColor\" font-size=\"11\">compensated, latest first; so is a saga that is cancelled or past its deadline</text>\n</svg>\n</div>\n\n# What happens when something fails\n\n| step | what fails | what happens |\n| --- | --- | --- |\n| `flight` | refused | nothing to compensate → **compensated** |\n| `flight` | reply lost | asked again with the same key (a refusal is then definitive). Retries spent → settle `flight` (the same key again) → compensate `flight` if it was done → **compensated** |\n| `hotel` | refused | wait for what is in flight → compensate (`car` if done) → `flight` → **compensated** |\n| `hotel` | reply lost | if its participant is keyed: asked again with the same key; else: probed, and made again only after the probe found nothing. Retries spent → wait for what is in flight → settle `hotel` (the same key again, or the probe) → compensate (`hotel` if it was done ∥ (`car` if done)) → `flight` → **compensated** |\n| `hotel` | refused after a lost reply | if its participant is keyed: definitive, as refused; else it may have taken effect → wait for what is in flight → settle `hotel` (the same key again, or the probe) → compensate (`hotel` if it was done ∥ (`car` if done)) → `flight` → **compensated** |\n| `car` | refused | wait for what is in flight → compensate `hotel` → `flight` → **compensated** |\n| `car` | reply lost | asked again with the same key (a refusal is then definitive). Retries spent → wait for what is in flight → settle `car` (the same key again) → compensate (`car` if it was done ∥ `hotel`) → `flight` → **compensated** |\n| `receipt` (pivot) | refused | compensate (`hotel` ∥ (`car` if done)) → `flight` → **compensated** |\n| `receipt` (pivot) | reply lost | asked again with the same key (a refusal is then definitive), until it is known, however long: never abandoned; once its retries are spent it is also shown as **parked** |\n| `voucher` | refused | **parked** for an operator; never compensated |\n| `voucher` | reply lost | asked again with the same key (a refusal is then definitive), until it is done; once its retries are spent it is also shown as **parked** |\n| any | failed for now, surely without effect | tried again. Retries spent with nothing in doubt → as refused; after the pivot: forward, shown as **parked** |\n| any | cancelled, or past the deadline, before `receipt` | wait for what is in flight → compensate what is done or in doubt, latest first → **compensated** |\n| any | cancelled while `receipt` is open | decided when its outcome is known |\n| any | cancelled after `receipt` | too late: forward |\n| any | a compensation fails | tried for ever; once its retries are spent it is also shown as **parked**; never reported as compensated with a gap |\n| any | the process dies | resumed from the log; an attempt that was open counts as a lost reply |\n"
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
    /// `if car` is done, with this output.
    IfCarDone(u32),
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
    /// `hotel`, `if car` and `car` are to be done, at the same time.
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

/// `hotel`, `if car` and `car` are to be done, at the same time.
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub struct BookTripHotelToCarParallel {
    /// The input `trip`.
    pub trip: ::saga_runtime::__private::Shared<Trip>,
    /// The output of `flight`.
    pub flight: ::saga_runtime::__private::Shared<FlightReservation>,
    undo: ::std::boxed::Box<BookTripBackward>,
    /// The branch `hotel`.
    pub hotel: BookTripHotelBranch,
    /// The branch `if_car_to_car`.
    pub if_car_to_car: BookTripIfCarToCarBranch,
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
    undo: ::std::boxed::Box<BookTripHotelBranchBackward>,
}

/// Where the branch `if_car_to_car` is on its way forward.
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub enum BookTripIfCarToCarBranch {
    /// `if car` is to be done.
    IfCar(BookTripIfCarStep),
    /// What `if car` decided for is to be done.
    IfCarArm(BookTripIfCarArm),
    /// The branch is done.
    BranchDone(BookTripIfCarToCarBranchDone),
}

/// `if car` is to be done.
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub struct BookTripIfCarStep {
    /// The input `trip`.
    pub trip: ::saga_runtime::__private::Shared<Trip>,
    /// The output of `flight`.
    pub flight: ::saga_runtime::__private::Shared<FlightReservation>,
    attempts: ::saga_runtime::__private::Ledger,
}

/// What `if car` decided for is to be done.
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub struct BookTripIfCarArm {
    /// The arm that was taken.
    pub arm: BookTripIfCarArms,
}

/// The arm that `if car` decided for.
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub enum BookTripIfCarArms {
    /// The arm of `car`.
    Car(BookTripCarBranch),
    /// There is nothing to do.
    Else(BookTripElseBranch),
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
    undo: ::std::boxed::Box<BookTripCarBranchBackward>,
}

/// Where the branch `r#else` is on its way forward.
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub enum BookTripElseBranch {
    /// The branch is done.
    BranchDone(BookTripElseBranchDone),
}

/// The branch is done.
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub struct BookTripElseBranchDone {}
/// The branch is done.
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub struct BookTripIfCarToCarBranchDone {
    /// The output of `car`.
    pub car: ::core::option::Option<::saga_runtime::__private::Shared<CarReservation>>,
    undo: ::std::boxed::Box<BookTripIfCarToCarBranchBackward>,
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
    pub car: ::core::option::Option<::saga_runtime::__private::Shared<CarReservation>>,
    undo: ::std::boxed::Box<BookTripBackward>,
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
    pub car: ::core::option::Option<::saga_runtime::__private::Shared<CarReservation>>,
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
    pub car: ::core::option::Option<::saga_runtime::__private::Shared<CarReservation>>,
    /// The output of `receipt`.
    pub receipt: ::saga_runtime::__private::Shared<Receipt>,
    /// The output of `voucher`.
    pub voucher: ::saga_runtime::__private::Shared<Voucher>,
}

/// Where a [`BookTrip`] is on its way back.
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub enum BookTripBackward {
    /// `hotel`, `if car` and `car` are to be compensated, at the same time.
    CompensateHotelToCar(BookTripHotelToCarParallelBackward),
    /// Whether `flight` is done is to be settled: its compensation needs its output.
    SettleFlight(BookTripFlightSettlement),
    /// `flight` is to be compensated.
    CompensateFlight(BookTripFlightCompensation),
    /// Nothing is left to compensate.
    Undone,
}

/// `hotel`, `if car` and `car` are to be compensated, at the same time.
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub struct BookTripHotelToCarParallelBackward {
    /// The branch `hotel`.
    pub hotel: BookTripHotelBranchBackward,
    /// The branch `if_car_to_car`.
    pub if_car_to_car: BookTripIfCarToCarBranchBackward,
    undo: ::std::boxed::Box<BookTripBackward>,
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

/// Where the branch `if_car_to_car` is on its way back.
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub enum BookTripIfCarToCarBranchBackward {
    /// What `if car` decided for is to be compensated.
    CompensateIfCar(BookTripIfCarArmBackward),
    /// Nothing is left to compensate.
    Undone,
}

/// What `if car` decided for is to be compensated.
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub struct BookTripIfCarArmBackward {
    /// The arm that was taken.
    pub arm: BookTripIfCarArmsBackward,
}

/// The arm that `if car` decided for.
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub enum BookTripIfCarArmsBackward {
    /// The arm of `car`.
    Car(BookTripCarBranchBackward),
    /// There is nothing to do.
    Else(BookTripElseBranchBackward),
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

/// Where the branch `r#else` is on its way back.
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub enum BookTripElseBranchBackward {
    /// Nothing is left to compensate.
    Undone,
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
const _: () = {
    use ::saga_runtime::__private as __saga;

    impl BookTripReturn {
        fn output(self) -> __saga::Result<Itinerary, __saga::DataError> {
            let flight = __saga::owned::<BookTripFlightStep>(self.flight)?;
            let hotel = __saga::owned::<BookTripHotelStep>(self.hotel)?;
            let car = __saga::Gathered::gather(self.car, "car")?;
            let receipt = __saga::owned::<BookTripReceiptStep>(self.receipt)?;
            let voucher = __saga::owned::<BookTripVoucherStep>(self.voucher)?;
            let output: Itinerary = Itinerary {
                flight,
                hotel,
                car,
                receipt,
                voucher,
            };
            __saga::Ok(output)
        }
    }

    impl BookTripFlightStep {
        fn new(trip: __saga::Shared<Trip>) -> Self {
            let attempts = __saga::opened::<Self>();
            Self { trip, attempts }
        }

        /// `flight` is done.
        pub fn done(self, flight: FlightReservation) -> BookTripHotelToCarParallel {
            let Self { trip, .. } = self;
            let flight = __saga::Shared::new(flight);
            let undo = BookTripFlightCompensation::new(__saga::share(&flight));
            let undo = __saga::Box::new(BookTripBackward::CompensateFlight(undo));
            BookTripHotelToCarParallel {
                hotel: BookTripHotelBranch::Hotel(
                    BookTripHotelStep::new(__saga::share(&trip), __saga::share(&flight)),
                ),
                if_car_to_car: BookTripIfCarToCarBranch::IfCar(
                    BookTripIfCarStep::new(__saga::share(&trip), __saga::share(&flight)),
                ),
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

        async fn action(
            request: __saga::Request<BookTripParticipants>,
            trip: __saga::Shared<Trip>,
        ) -> __saga::Outcome<BookTripEvent> {
            let (cx, BookTripParticipants { flights, hotels, cars, cards }) = request
                .parts();
            let trip: &Trip = &trip;
            __saga::must_be_keyed(flights);
            let __saga_answer = __saga::settle(
                __saga::send(flights.reserve(cx, trip)).await,
            )?;
            let output: FlightReservation = __saga_answer.0;
            __saga::Ok(BookTripEvent::FlightDone(output))
        }

        async fn compensation(
            request: __saga::Request<BookTripParticipants>,
            flight: __saga::Shared<FlightReservation>,
        ) -> __saga::Outcome<BookTripEvent> {
            let (cx, BookTripParticipants { flights, hotels, cars, cards }) = request
                .parts();
            let flight: &FlightReservation = &flight;
            __saga::settle(__saga::send(flights.cancel(cx, flight)).await)?;
            __saga::Ok(BookTripEvent::FlightCompensated)
        }
    }

    impl BookTripHotelStep {
        fn new(
            trip: __saga::Shared<Trip>,
            flight: __saga::Shared<FlightReservation>,
        ) -> Self {
            let attempts = __saga::opened::<Self>();
            Self { trip, flight, attempts }
        }

        /// `hotel` is done.
        pub fn done(self, hotel: HotelReservation) -> BookTripHotelBranchDone {
            let hotel = __saga::Shared::new(hotel);
            let undo = BookTripHotelCompensation::new(__saga::share(&hotel));
            let undo = __saga::Box::new(
                BookTripHotelBranchBackward::CompensateHotel(undo),
            );
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

        async fn action(
            request: __saga::Request<BookTripParticipants>,
            trip: __saga::Shared<Trip>,
            flight: __saga::Shared<FlightReservation>,
        ) -> __saga::Outcome<BookTripEvent> {
            let (cx, BookTripParticipants { flights, hotels, cars, cards }) = request
                .parts();
            let trip: &Trip = &trip;
            let flight: &FlightReservation = &flight;
            let __saga_answer = __saga::settle(
                __saga::send(hotels.reserve(cx, trip, flight)).await,
            )?;
            let output: HotelReservation = __saga_answer.0;
            __saga::Ok(BookTripEvent::HotelDone(output))
        }

        async fn probe(
            request: __saga::Request<BookTripParticipants>,
        ) -> __saga::Outcome<__saga::Option<BookTripEvent>> {
            let (cx, BookTripParticipants { flights, hotels, cars, cards }) = request
                .parts();
            let __saga_answer = __saga::settle(__saga::send(hotels.find(cx)).await)?;
            let output: ::core::option::Option<HotelReservation> = __saga_answer.0;
            __saga::Ok(output.map(BookTripEvent::HotelDone))
        }

        async fn compensation(
            request: __saga::Request<BookTripParticipants>,
            hotel: __saga::Shared<HotelReservation>,
        ) -> __saga::Outcome<BookTripEvent> {
            let (cx, BookTripParticipants { flights, hotels, cars, cards }) = request
                .parts();
            let hotel: &HotelReservation = &hotel;
            __saga::settle(__saga::send(hotels.cancel(cx, hotel)).await)?;
            __saga::Ok(BookTripEvent::HotelCompensated)
        }

        async fn attempt(
            request: __saga::Request<BookTripParticipants>,
            trip: __saga::Shared<Trip>,
            flight: __saga::Shared<FlightReservation>,
        ) -> __saga::Settled<BookTripEvent> {
            if request.kind == __saga::CallKind::Probe {
                return __saga::probed(Self::probe(request).await);
            }
            __saga::settled(Self::action(request, trip, flight).await)
        }
    }

    impl BookTripIfCarStep {
        fn new(
            trip: __saga::Shared<Trip>,
            flight: __saga::Shared<FlightReservation>,
        ) -> Self {
            let attempts = __saga::opened::<Self>();
            Self { trip, flight, attempts }
        }

        /// `if car` is done.
        pub fn done(self, decided: u32) -> BookTripIfCarArm {
            let Self { trip, flight, .. } = self;
            BookTripIfCarArm {
                arm: match decided {
                    0 => {
                        BookTripIfCarArms::Car(
                            BookTripCarBranch::Car(
                                BookTripCarStep::new(
                                    __saga::share(&trip),
                                    __saga::share(&flight),
                                ),
                            ),
                        )
                    }
                    _ => {
                        BookTripIfCarArms::Else(
                            BookTripElseBranch::BranchDone(BookTripElseBranchDone {}),
                        )
                    }
                },
            }
        }

        /// The saga turns: where compensation begins.
        pub fn turn(self) -> BookTripIfCarToCarBranchBackward {
            BookTripIfCarToCarBranchBackward::Undone
        }

        fn decision(trip: &Trip) -> ::core::option::Option<u32> {
            let output: u32 = if trip.wants_car { 0 } else { 1 };
            ::core::option::Option::Some(output)
        }

        async fn attempt(
            request: __saga::Request<BookTripParticipants>,
            trip: __saga::Shared<Trip>,
        ) -> __saga::Settled<BookTripEvent> {
            return __saga::evaluated(Self::decision(&trip), BookTripEvent::IfCarDone);
        }
    }

    impl BookTripCarStep {
        fn new(
            trip: __saga::Shared<Trip>,
            flight: __saga::Shared<FlightReservation>,
        ) -> Self {
            let attempts = __saga::opened::<Self>();
            Self { trip, flight, attempts }
        }

        /// `car` is done.
        pub fn done(self, car: CarReservation) -> BookTripCarBranchDone {
            let car = __saga::Shared::new(car);
            let undo = BookTripCarCompensation::new(__saga::share(&car));
            let undo = __saga::Box::new(BookTripCarBranchBackward::CompensateCar(undo));
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

        async fn action(
            request: __saga::Request<BookTripParticipants>,
            trip: __saga::Shared<Trip>,
            flight: __saga::Shared<FlightReservation>,
        ) -> __saga::Outcome<BookTripEvent> {
            let (cx, BookTripParticipants { flights, hotels, cars, cards }) = request
                .parts();
            let trip: &Trip = &trip;
            let flight: &FlightReservation = &flight;
            __saga::must_be_keyed(cars);
            let __saga_answer = __saga::settle(
                __saga::send(cars.reserve(cx, trip, flight)).await,
            )?;
            let output: CarReservation = __saga_answer.0;
            __saga::Ok(BookTripEvent::CarDone(output))
        }

        async fn compensation(
            request: __saga::Request<BookTripParticipants>,
            car: __saga::Shared<CarReservation>,
        ) -> __saga::Outcome<BookTripEvent> {
            let (cx, BookTripParticipants { flights, hotels, cars, cards }) = request
                .parts();
            let car: &CarReservation = &car;
            __saga::settle(__saga::send(cars.cancel(cx, car)).await)?;
            __saga::Ok(BookTripEvent::CarCompensated)
        }
    }

    impl BookTripReceiptStep {
        fn new(
            trip: __saga::Shared<Trip>,
            flight: __saga::Shared<FlightReservation>,
            hotel: __saga::Shared<HotelReservation>,
            car: ::core::option::Option<__saga::Shared<CarReservation>>,
            undo: ::std::boxed::Box<BookTripBackward>,
        ) -> Self {
            let attempts = __saga::waiting::<Self>();
            Self {
                trip,
                flight,
                hotel,
                car,
                undo,
                attempts,
            }
        }

        /// `receipt` is done.
        pub fn done(self, receipt: Receipt) -> BookTripVoucherStep {
            let Self { flight, hotel, car, .. } = self;
            let receipt = __saga::Shared::new(receipt);
            BookTripVoucherStep::new(flight, hotel, car, receipt)
        }

        /// The saga turns: where compensation begins.
        pub fn turn(self) -> BookTripBackward {
            *self.undo
        }

        async fn action(
            request: __saga::Request<BookTripParticipants>,
            trip: __saga::Shared<Trip>,
            flight: __saga::Shared<FlightReservation>,
            hotel: __saga::Shared<HotelReservation>,
            car: ::core::option::Option<__saga::Shared<CarReservation>>,
        ) -> __saga::Outcome<BookTripEvent> {
            let (cx, BookTripParticipants { flights, hotels, cars, cards }) = request
                .parts();
            let trip: &Trip = &trip;
            let flight: &FlightReservation = &flight;
            let hotel: &HotelReservation = &hotel;
            let car: &::core::option::Option<CarReservation> = &__saga::gathered(
                car,
                "car",
            )?;
            __saga::must_be_keyed(cards);
            let __saga_answer = __saga::settle(
                __saga::send(
                        cards.charge(cx, &trip.card, total(flight, hotel, car.as_ref())),
                    )
                    .await,
            )?;
            let output: Receipt = __saga_answer.0;
            __saga::Ok(BookTripEvent::ReceiptDone(output))
        }
    }

    impl BookTripVoucherStep {
        fn new(
            flight: __saga::Shared<FlightReservation>,
            hotel: __saga::Shared<HotelReservation>,
            car: ::core::option::Option<__saga::Shared<CarReservation>>,
            receipt: __saga::Shared<Receipt>,
        ) -> Self {
            let attempts = __saga::opened::<Self>();
            Self {
                flight,
                hotel,
                car,
                receipt,
                attempts,
            }
        }

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

        async fn action(
            request: __saga::Request<BookTripParticipants>,
            flight: __saga::Shared<FlightReservation>,
        ) -> __saga::Outcome<BookTripEvent> {
            let (cx, BookTripParticipants { flights, hotels, cars, cards }) = request
                .parts();
            let flight: &FlightReservation = &flight;
            __saga::must_be_keyed(flights);
            let __saga_answer = __saga::settle(
                __saga::send(flights.issue_voucher(cx, flight)).await,
            )?;
            let output: Voucher = __saga_answer.0;
            __saga::Ok(BookTripEvent::VoucherDone(output))
        }
    }
};

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
    use ::saga_runtime::__private::{
        self as __saga, Backward as _, Region as _, Share as _, Step as _,
    };

    impl BookTrip {
        /// The state with which the saga begins.
        pub fn begin(trip: Trip) -> BookTripState {
            let trip = __saga::Shared::new(trip);
            __saga::State::Forward(
                BookTripForward::Flight(BookTripFlightStep::new(trip)),
            )
        }
    }

    #[automatically_derived]
    impl __saga::Steps for BookTripForward {
        const STEPS: &'static [__saga::StepDefinition] = {
            use __saga::{StepDefinition as Step, StepKind::*};
            &[
                Step::new(Call, "flight", "FlightReservation")
                    .undone_by_output()
                    .keyed(),
                Step::new(Call, "hotel", "HotelReservation").undone_by_output().probe(),
                Step::new(If, "if car", "u32").text("trip.wants_car"),
                Step::new(Call, "car", "CarReservation").undone_by_output().keyed(),
                Step::new(Call, "receipt", "Receipt").pivot().keyed(),
                Step::new(Call, "voucher", "Voucher").retriable().keyed(),
            ]
        };
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
        type Inputs = fn(Trip) -> Trip;
        type Output = Itinerary;
        type Event = BookTripEvent;
        type Forward = BookTripForward;
        type Participants = BookTripParticipants;
        type Signal = __saga::Infallible;
        type Itself = Self;
        const INPUTS: Self::Inputs = |trip| trip;
        const DEFINITION: &'static __saga::Definition = &__saga::Definition {
            name: "BookTrip",
            version: 1,
            parameters: &[],
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
            steps: <BookTripForward as __saga::Steps>::STEPS,
            body: &[
                __saga::Block::Step(0),
                __saga::Block::Parallel(
                    &[
                        &[__saga::Block::Step(1)],
                        &[
                            __saga::Block::If {
                                step: 2,
                                arms: &[&[__saga::Block::Step(3)], &[]],
                            },
                        ],
                    ],
                ),
                __saga::Block::Step(4),
                __saga::Block::Step(5),
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
            let request = __saga::Request::new(state, place, kind, participants, cx)?;
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
    impl<Log> __saga::RunsOn<Log> for BookTrip
    where
        Log: ?::core::marker::Sized,
    {}
    #[automatically_derived]
    impl __saga::Event for BookTripEvent {
        fn told(&self) -> __saga::Told<'_> {
            use __saga::Tells::*;
            let (step, name, tells) = match self {
                Self::FlightDone(held) => {
                    (0, "FlightDone", Done(BookTripFlightStep::held(held)))
                }
                Self::FlightRefused(held) => (0, "FlightRefused", Refused(held)),
                Self::FlightAttempt(held) => (0, "FlightAttempt", Attempt(held)),
                Self::FlightCompensated => (0, "FlightCompensated", Compensated),
                Self::FlightCompensation(held) => {
                    (0, "FlightCompensation", Compensation(held))
                }
                Self::HotelDone(held) => {
                    (1, "HotelDone", Done(BookTripHotelStep::held(held)))
                }
                Self::HotelRefused(held) => (1, "HotelRefused", Refused(held)),
                Self::HotelAttempt(held) => (1, "HotelAttempt", Attempt(held)),
                Self::HotelCompensated => (1, "HotelCompensated", Compensated),
                Self::HotelCompensation(held) => {
                    (1, "HotelCompensation", Compensation(held))
                }
                Self::IfCarDone(held) => {
                    (2, "IfCarDone", Done(BookTripIfCarStep::held(held)))
                }
                Self::CarDone(held) => (3, "CarDone", Done(BookTripCarStep::held(held))),
                Self::CarRefused(held) => (3, "CarRefused", Refused(held)),
                Self::CarAttempt(held) => (3, "CarAttempt", Attempt(held)),
                Self::CarCompensated => (3, "CarCompensated", Compensated),
                Self::CarCompensation(held) => (3, "CarCompensation", Compensation(held)),
                Self::ReceiptDone(held) => {
                    (4, "ReceiptDone", Done(BookTripReceiptStep::held(held)))
                }
                Self::ReceiptRefused(held) => (4, "ReceiptRefused", Refused(held)),
                Self::ReceiptAttempt(held) => (4, "ReceiptAttempt", Attempt(held)),
                Self::VoucherDone(held) => {
                    (5, "VoucherDone", Done(BookTripVoucherStep::held(held)))
                }
                Self::VoucherRefused(held) => (5, "VoucherRefused", Refused(held)),
                Self::VoucherAttempt(held) => (5, "VoucherAttempt", Attempt(held)),
                Self::Cancelled(reason) => {
                    return __saga::of_saga("Cancelled", Cancelled(reason));
                }
                Self::DeadlinePassed => {
                    return __saga::of_saga("DeadlinePassed", DeadlinePassed);
                }
                Self::Completed(output) => {
                    return __saga::of_saga(
                        "Completed",
                        Completed(__saga::completed::<BookTrip>(output)),
                    );
                }
            };
            __saga::Told {
                step: __saga::Some(step),
                name,
                tells,
            }
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
            let event = match (place.step, fact.kind) {
                (0, Done(held)) => Self::FlightDone(BookTripFlightStep::read(&held)?),
                (0, Refused(held)) => Self::FlightRefused(held),
                (0, Attempt(held)) => Self::FlightAttempt(held),
                (0, Compensated) => Self::FlightCompensated,
                (0, Compensation(held)) => Self::FlightCompensation(held),
                (1, Done(held)) => Self::HotelDone(BookTripHotelStep::read(&held)?),
                (1, Refused(held)) => Self::HotelRefused(held),
                (1, Attempt(held)) => Self::HotelAttempt(held),
                (1, Compensated) => Self::HotelCompensated,
                (1, Compensation(held)) => Self::HotelCompensation(held),
                (2, Done(held)) => Self::IfCarDone(BookTripIfCarStep::read(&held)?),
                (3, Done(held)) => Self::CarDone(BookTripCarStep::read(&held)?),
                (3, Refused(held)) => Self::CarRefused(held),
                (3, Attempt(held)) => Self::CarAttempt(held),
                (3, Compensated) => Self::CarCompensated,
                (3, Compensation(held)) => Self::CarCompensation(held),
                (4, Done(held)) => Self::ReceiptDone(BookTripReceiptStep::read(&held)?),
                (4, Refused(held)) => Self::ReceiptRefused(held),
                (4, Attempt(held)) => Self::ReceiptAttempt(held),
                (5, Done(held)) => Self::VoucherDone(BookTripVoucherStep::read(&held)?),
                (5, Refused(held)) => Self::VoucherRefused(held),
                (5, Attempt(held)) => Self::VoucherAttempt(held),
                _ => return __saga::Err(__saga::EventError::Unknown),
            };
            __saga::Ok(event)
        }
    }

    /// The name only: no personal data gets into a program's own log.
    #[automatically_derived]
    impl ::core::fmt::Debug for BookTripEvent {
        fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            f.write_str(__saga::Event::name(self))
        }
    }

    #[automatically_derived]
    impl __saga::Region for BookTripForward {
        type Event = BookTripEvent;
        fn ledger(&mut self) -> __saga::Option<&mut __saga::Ledger> {
            let ledger = match self {
                Self::Flight(at) => &mut at.attempts,
                Self::Receipt(at) => &mut at.attempts,
                Self::Voucher(at) => &mut at.attempts,
                _ => return __saga::None,
            };
            __saga::Some(ledger)
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

        fn advance(
            self,
            event: BookTripEvent,
            turn: &mut __saga::Option<__saga::Cause>,
        ) -> __saga::Applied<Self> {
            let next = match (self, event) {
                (Self::Flight(at), BookTripEvent::FlightDone(output)) => {
                    Self::HotelToCar(at.done(output))
                }
                (Self::HotelToCar(at), event) => {
                    __saga::in_parallel(
                        at.apply(event, turn),
                        BookTripHotelToCarParallel::join,
                        |next| __saga::arrived(Self::Receipt(next), turn),
                        Self::HotelToCar,
                    )?
                }
                (Self::Receipt(at), BookTripEvent::ReceiptDone(output)) => {
                    Self::Voucher(at.done(output))
                }
                (Self::Voucher(at), BookTripEvent::VoucherDone(output)) => {
                    Self::Return(at.done(output))
                }
                (at, _) => return __saga::Err(__saga::Rejected(at)),
            };
            __saga::Ok(next)
        }

        fn hold(&mut self) {
            match self {
                Self::HotelToCar(at) => at.hold(),
                at => __saga::hold(at),
            }
        }
    }

    #[automatically_derived]
    impl __saga::Forward for BookTripForward {
        type Backward = BookTripBackward;
        fn can_turn(&self) -> bool {
            match self {
                Self::Flight(_) => true,
                Self::HotelToCar(_) => true,
                Self::Receipt(_) => true,
                _ => false,
            }
        }

        fn turn(self) -> __saga::Applied<BookTripBackward, Self> {
            let turned = match self {
                Self::Flight(at) => at.turn(),
                Self::HotelToCar(at) => at.turn(),
                Self::Receipt(at) => at.turn(),
                at => return __saga::Err(__saga::Rejected(at)),
            };
            __saga::Ok(turned)
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
            let call = match self {
                Self::Flight(at) => {
                    __saga::attempt(BookTripFlightStep::action(request, at.trip.share()))
                }
                Self::HotelToCar(at) => return at.call(place, request),
                Self::Receipt(at) => {
                    __saga::attempt(
                        BookTripReceiptStep::action(
                            request,
                            at.trip.share(),
                            at.flight.share(),
                            at.hotel.share(),
                            at.car.share(),
                        ),
                    )
                }
                Self::Voucher(at) => {
                    __saga::attempt(
                        BookTripVoucherStep::action(request, at.flight.share()),
                    )
                }
                _ => return __saga::None,
            };
            __saga::Some(call)
        }
    }

    #[automatically_derived]
    impl __saga::Step for BookTripFlightStep {
        type Output = FlightReservation;
        type Steps = BookTripForward;
        const INDEX: usize = 0;
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
                __saga::Some(2..=3) => {
                    __saga::in_branch(
                        self.if_car_to_car.apply(event, turn),
                        |at| Self { if_car_to_car: at, ..self },
                    )
                }
                _ => __saga::Err(__saga::Rejected(self)),
            }
        }

        fn calls(&self, calls: &mut __saga::Vec<__saga::Call>) {
            self.hotel.calls(calls);
            self.if_car_to_car.calls(calls);
        }

        fn call(
            &self,
            place: &__saga::Place,
            request: __saga::Request<BookTripParticipants>,
        ) -> __saga::Option<__saga::CallFuture<BookTripEvent>> {
            match place.step {
                1 => self.hotel.call(place, request),
                2..=3 => self.if_car_to_car.call(place, request),
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
                    if_car_to_car: BookTripIfCarToCarBranch::BranchDone(
                        BookTripIfCarToCarBranchDone {
                            car,
                            undo: if_car_to_car_undo,
                            ..
                        },
                    ),
                    ..
                } => {
                    let undo = __saga::Box::new(
                        BookTripBackward::CompensateHotelToCar(BookTripHotelToCarParallelBackward {
                            hotel: *hotel_undo,
                            if_car_to_car: *if_car_to_car_undo,
                            undo: undo,
                        }),
                    );
                    __saga::Ok(BookTripReceiptStep::new(trip, flight, hotel, car, undo))
                }
                at => __saga::Err(__saga::Rejected(at)),
            }
        }

        /// The saga turns: where compensation begins.
        pub fn turn(self) -> BookTripBackward {
            let hotel = self.hotel.turn();
            let if_car_to_car = self.if_car_to_car.turn();
            if hotel.is_undone() && if_car_to_car.is_undone() {
                *self.undo
            } else {
                BookTripBackward::CompensateHotelToCar(BookTripHotelToCarParallelBackward {
                    hotel,
                    if_car_to_car,
                    undo: self.undo,
                })
            }
        }

        fn hold(&mut self) {
            self.hotel.hold();
            self.if_car_to_car.hold();
        }
    }

    #[automatically_derived]
    impl __saga::Region for BookTripHotelBranch {
        type Event = BookTripEvent;
        fn ledger(&mut self) -> __saga::Option<&mut __saga::Ledger> {
            let ledger = match self {
                Self::Hotel(at) => &mut at.attempts,
                _ => return __saga::None,
            };
            __saga::Some(ledger)
        }

        fn calls(&self, calls: &mut __saga::Vec<__saga::Call>) {
            match self {
                Self::Hotel(at) => calls.push(at.attempts.call()),
                Self::BranchDone(_) => {}
            }
        }

        fn advance(
            self,
            event: BookTripEvent,
            turn: &mut __saga::Option<__saga::Cause>,
        ) -> __saga::Applied<Self> {
            let next = match (self, event) {
                (Self::Hotel(at), BookTripEvent::HotelDone(output)) => {
                    Self::BranchDone(at.done(output))
                }
                (at, _) => return __saga::Err(__saga::Rejected(at)),
            };
            __saga::Ok(next)
        }
    }

    impl BookTripHotelBranch {
        fn call(
            &self,
            place: &__saga::Place,
            request: __saga::Request<BookTripParticipants>,
        ) -> __saga::Option<__saga::CallFuture<BookTripEvent>> {
            let call = match self {
                Self::Hotel(at) => {
                    __saga::boxed(
                        BookTripHotelStep::attempt(
                            request,
                            at.trip.share(),
                            at.flight.share(),
                        ),
                    )
                }
                _ => return __saga::None,
            };
            __saga::Some(call)
        }

        fn turn(self) -> BookTripHotelBranchBackward {
            match self {
                Self::Hotel(at) => at.turn(),
                Self::BranchDone(at) => at.turn(),
            }
        }
    }

    #[automatically_derived]
    impl __saga::Step for BookTripHotelStep {
        type Output = HotelReservation;
        type Steps = BookTripForward;
        const INDEX: usize = 1;
        const KEYED: bool = {
            use __saga::NotKeyed as _;
            __saga::IsKeyed::<HotelDesk>::KEYED
        };
    }

    impl BookTripHotelBranchDone {
        /// The saga turns: where compensation begins.
        pub fn turn(self) -> BookTripHotelBranchBackward {
            *self.undo
        }
    }

    #[automatically_derived]
    impl __saga::Region for BookTripIfCarToCarBranch {
        type Event = BookTripEvent;
        fn ledger(&mut self) -> __saga::Option<&mut __saga::Ledger> {
            let ledger = match self {
                Self::IfCar(at) => &mut at.attempts,
                _ => return __saga::None,
            };
            __saga::Some(ledger)
        }

        fn calls(&self, calls: &mut __saga::Vec<__saga::Call>) {
            match self {
                Self::IfCar(at) => calls.push(at.attempts.call()),
                Self::IfCarArm(at) => at.calls(calls),
                Self::BranchDone(_) => {}
            }
        }

        fn advance(
            self,
            event: BookTripEvent,
            turn: &mut __saga::Option<__saga::Cause>,
        ) -> __saga::Applied<Self> {
            let next = match (self, event) {
                (Self::IfCar(at), BookTripEvent::IfCarDone(output)) if output < 2 => {
                    __saga::in_parallel(
                        __saga::Ok(at.done(output)),
                        BookTripIfCarArm::join,
                        |next| __saga::arrived(Self::BranchDone(next), turn),
                        Self::IfCarArm,
                    )?
                }
                (Self::IfCarArm(at), event) => {
                    __saga::in_parallel(
                        at.apply(event, turn),
                        BookTripIfCarArm::join,
                        |next| __saga::arrived(Self::BranchDone(next), turn),
                        Self::IfCarArm,
                    )?
                }
                (at, _) => return __saga::Err(__saga::Rejected(at)),
            };
            __saga::Ok(next)
        }
    }

    impl BookTripIfCarToCarBranch {
        fn call(
            &self,
            place: &__saga::Place,
            request: __saga::Request<BookTripParticipants>,
        ) -> __saga::Option<__saga::CallFuture<BookTripEvent>> {
            let call = match self {
                Self::IfCar(at) => {
                    __saga::boxed(BookTripIfCarStep::attempt(request, at.trip.share()))
                }
                Self::IfCarArm(at) => return at.call(place, request),
                _ => return __saga::None,
            };
            __saga::Some(call)
        }

        fn turn(self) -> BookTripIfCarToCarBranchBackward {
            match self {
                Self::IfCar(at) => at.turn(),
                Self::IfCarArm(at) => at.turn(),
                Self::BranchDone(at) => at.turn(),
            }
        }
    }

    #[automatically_derived]
    impl __saga::Step for BookTripIfCarStep {
        type Output = u32;
        type Steps = BookTripForward;
        const INDEX: usize = 2;
    }

    impl BookTripIfCarArm {
        fn apply(
            self,
            event: BookTripEvent,
            turn: &mut __saga::Option<__saga::Cause>,
        ) -> __saga::Applied<Self> {
            match self.arm {
                BookTripIfCarArms::Car(at) => {
                    __saga::in_branch(
                        at.apply(event, turn),
                        |at| Self {
                            arm: BookTripIfCarArms::Car(at),
                            ..self
                        },
                    )
                }
                BookTripIfCarArms::Else(at) => {
                    __saga::in_branch(
                        at.apply(event, turn),
                        |at| Self {
                            arm: BookTripIfCarArms::Else(at),
                            ..self
                        },
                    )
                }
            }
        }

        fn calls(&self, calls: &mut __saga::Vec<__saga::Call>) {
            match &self.arm {
                BookTripIfCarArms::Car(at) => at.calls(calls),
                BookTripIfCarArms::Else(at) => at.calls(calls),
            }
        }

        fn call(
            &self,
            place: &__saga::Place,
            request: __saga::Request<BookTripParticipants>,
        ) -> __saga::Option<__saga::CallFuture<BookTripEvent>> {
            match &self.arm {
                BookTripIfCarArms::Car(at) => at.call(place, request),
                BookTripIfCarArms::Else(at) => at.call(place, request),
            }
        }

        /// The position after it, once all of it is done.
        pub fn join(
            self,
        ) -> __saga::Result<BookTripIfCarToCarBranchDone, __saga::Rejected<Self>> {
            match self {
                Self {
                    arm: BookTripIfCarArms::Car(
                        BookTripCarBranch::BranchDone(
                            BookTripCarBranchDone { car, undo: arm_undo, .. },
                        ),
                    ),
                    ..
                } => {
                    let car = __saga::Some(car);
                    let undo = __saga::Box::new(
                        BookTripIfCarToCarBranchBackward::CompensateIfCar(BookTripIfCarArmBackward {
                            arm: BookTripIfCarArmsBackward::Car(*arm_undo),
                        }),
                    );
                    __saga::Ok(BookTripIfCarToCarBranchDone {
                        car,
                        undo,
                    })
                }
                Self {
                    arm: BookTripIfCarArms::Else(BookTripElseBranch::BranchDone(_)),
                    ..
                } => {
                    let car = __saga::None;
                    let undo = __saga::Box::new(
                        BookTripIfCarToCarBranchBackward::Undone,
                    );
                    __saga::Ok(BookTripIfCarToCarBranchDone {
                        car,
                        undo,
                    })
                }
                at => __saga::Err(__saga::Rejected(at)),
            }
        }

        /// The saga turns: where compensation begins.
        pub fn turn(self) -> BookTripIfCarToCarBranchBackward {
            let arm = match self.arm {
                BookTripIfCarArms::Car(at) => BookTripIfCarArmsBackward::Car(at.turn()),
                BookTripIfCarArms::Else(at) => BookTripIfCarArmsBackward::Else(at.turn()),
            };
            if arm.is_undone() {
                BookTripIfCarToCarBranchBackward::Undone
            } else {
                BookTripIfCarToCarBranchBackward::CompensateIfCar(BookTripIfCarArmBackward {
                    arm,
                })
            }
        }
    }

    #[automatically_derived]
    impl __saga::Region for BookTripCarBranch {
        type Event = BookTripEvent;
        fn ledger(&mut self) -> __saga::Option<&mut __saga::Ledger> {
            let ledger = match self {
                Self::Car(at) => &mut at.attempts,
                _ => return __saga::None,
            };
            __saga::Some(ledger)
        }

        fn calls(&self, calls: &mut __saga::Vec<__saga::Call>) {
            match self {
                Self::Car(at) => calls.push(at.attempts.call()),
                Self::BranchDone(_) => {}
            }
        }

        fn advance(
            self,
            event: BookTripEvent,
            turn: &mut __saga::Option<__saga::Cause>,
        ) -> __saga::Applied<Self> {
            let next = match (self, event) {
                (Self::Car(at), BookTripEvent::CarDone(output)) => {
                    Self::BranchDone(at.done(output))
                }
                (at, _) => return __saga::Err(__saga::Rejected(at)),
            };
            __saga::Ok(next)
        }
    }

    impl BookTripCarBranch {
        fn call(
            &self,
            place: &__saga::Place,
            request: __saga::Request<BookTripParticipants>,
        ) -> __saga::Option<__saga::CallFuture<BookTripEvent>> {
            let call = match self {
                Self::Car(at) => {
                    __saga::attempt(
                        BookTripCarStep::action(
                            request,
                            at.trip.share(),
                            at.flight.share(),
                        ),
                    )
                }
                _ => return __saga::None,
            };
            __saga::Some(call)
        }

        fn turn(self) -> BookTripCarBranchBackward {
            match self {
                Self::Car(at) => at.turn(),
                Self::BranchDone(at) => at.turn(),
            }
        }
    }

    #[automatically_derived]
    impl __saga::Step for BookTripCarStep {
        type Output = CarReservation;
        type Steps = BookTripForward;
        const INDEX: usize = 3;
    }

    impl BookTripCarBranchDone {
        /// The saga turns: where compensation begins.
        pub fn turn(self) -> BookTripCarBranchBackward {
            *self.undo
        }
    }

    #[automatically_derived]
    impl __saga::Region for BookTripElseBranch {
        type Event = BookTripEvent;
        fn ledger(&mut self) -> __saga::Option<&mut __saga::Ledger> {
            let ledger = match self {
                _ => return __saga::None,
            };
            __saga::Some(ledger)
        }

        fn calls(&self, calls: &mut __saga::Vec<__saga::Call>) {
            match self {
                Self::BranchDone(_) => {}
            }
        }

        fn advance(
            self,
            event: BookTripEvent,
            turn: &mut __saga::Option<__saga::Cause>,
        ) -> __saga::Applied<Self> {
            let next = match (self, event) {
                (at, _) => return __saga::Err(__saga::Rejected(at)),
            };
            __saga::Ok(next)
        }
    }

    impl BookTripElseBranch {
        fn call(
            &self,
            place: &__saga::Place,
            request: __saga::Request<BookTripParticipants>,
        ) -> __saga::Option<__saga::CallFuture<BookTripEvent>> {
            let call = match self {
                _ => return __saga::None,
            };
            __saga::Some(call)
        }

        fn turn(self) -> BookTripElseBranchBackward {
            match self {
                Self::BranchDone(at) => at.turn(),
            }
        }
    }

    impl BookTripElseBranchDone {
        /// The saga turns: where compensation begins.
        pub fn turn(self) -> BookTripElseBranchBackward {
            BookTripElseBranchBackward::Undone
        }
    }

    impl BookTripIfCarToCarBranchDone {
        /// The saga turns: where compensation begins.
        pub fn turn(self) -> BookTripIfCarToCarBranchBackward {
            *self.undo
        }
    }

    #[automatically_derived]
    impl __saga::Step for BookTripReceiptStep {
        type Output = Receipt;
        type Steps = BookTripForward;
        const INDEX: usize = 4;
    }

    #[automatically_derived]
    impl __saga::Step for BookTripVoucherStep {
        type Output = Voucher;
        type Steps = BookTripForward;
        const INDEX: usize = 5;
    }

    #[automatically_derived]
    impl __saga::Backward for BookTripBackward {
        type Event = BookTripEvent;
        fn ledger(&mut self) -> __saga::Option<&mut __saga::Ledger> {
            let ledger = match self {
                Self::SettleFlight(at) => &mut at.attempts,
                Self::CompensateFlight(at) => &mut at.attempts,
                _ => return __saga::None,
            };
            __saga::Some(ledger)
        }

        fn calls(&self, calls: &mut __saga::Vec<__saga::Call>) {
            match self {
                Self::CompensateHotelToCar(at) => at.calls(calls),
                Self::SettleFlight(at) => calls.push(at.attempts.call()),
                Self::CompensateFlight(at) => calls.push(at.attempts.call()),
                Self::Undone => {}
            }
        }

        fn before(self) -> Self {
            match self {
                Self::SettleFlight(at) => at.absent(),
                Self::CompensateFlight(at) => at.compensated(),
                at => at,
            }
        }

        fn advance(self, event: BookTripEvent) -> __saga::Applied<Self> {
            let next = match (self, event) {
                (Self::CompensateHotelToCar(at), event) => {
                    __saga::in_parallel(
                        at.apply(event),
                        BookTripHotelToCarParallelBackward::join,
                        |before| before,
                        Self::CompensateHotelToCar,
                    )?
                }
                (Self::SettleFlight(at), BookTripEvent::FlightDone(output)) => {
                    Self::CompensateFlight(at.done(output))
                }
                (at, _) => return __saga::Err(__saga::Rejected(at)),
            };
            __saga::Ok(next)
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
            let call = match self {
                Self::CompensateHotelToCar(at) => return at.call(place, request),
                Self::SettleFlight(at) => {
                    __saga::attempt(BookTripFlightStep::action(request, at.trip.share()))
                }
                Self::CompensateFlight(at) => {
                    __saga::attempt(
                        BookTripFlightStep::compensation(request, at.flight.share()),
                    )
                }
                _ => return __saga::None,
            };
            __saga::Some(call)
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
                __saga::Some(2..=3) => {
                    __saga::in_branch(
                        self.if_car_to_car.apply(event),
                        |at| Self { if_car_to_car: at, ..self },
                    )
                }
                _ => __saga::Err(__saga::Rejected(self)),
            }
        }

        fn calls(&self, calls: &mut __saga::Vec<__saga::Call>) {
            self.hotel.calls(calls);
            self.if_car_to_car.calls(calls);
        }

        fn call(
            &self,
            place: &__saga::Place,
            request: __saga::Request<BookTripParticipants>,
        ) -> __saga::Option<__saga::CallFuture<BookTripEvent>> {
            match place.step {
                1 => self.hotel.call(place, request),
                2..=3 => self.if_car_to_car.call(place, request),
                _ => __saga::None,
            }
        }

        /// What is compensated before it, once nothing of it is left to compensate.
        pub fn join(self) -> __saga::Result<BookTripBackward, __saga::Rejected<Self>> {
            match self {
                Self {
                    undo,
                    hotel: BookTripHotelBranchBackward::Undone,
                    if_car_to_car: BookTripIfCarToCarBranchBackward::Undone,
                    ..
                } => __saga::Ok(*undo),
                at => __saga::Err(__saga::Rejected(at)),
            }
        }
    }

    #[automatically_derived]
    impl __saga::Backward for BookTripHotelBranchBackward {
        type Event = BookTripEvent;
        fn ledger(&mut self) -> __saga::Option<&mut __saga::Ledger> {
            let ledger = match self {
                Self::SettleHotel(at) => &mut at.attempts,
                Self::CompensateHotel(at) => &mut at.attempts,
                _ => return __saga::None,
            };
            __saga::Some(ledger)
        }

        fn calls(&self, calls: &mut __saga::Vec<__saga::Call>) {
            match self {
                Self::SettleHotel(at) => calls.push(at.attempts.call()),
                Self::CompensateHotel(at) => calls.push(at.attempts.call()),
                Self::Undone => {}
            }
        }

        fn before(self) -> Self {
            match self {
                Self::SettleHotel(at) => at.absent(),
                Self::CompensateHotel(at) => at.compensated(),
                at => at,
            }
        }

        fn advance(self, event: BookTripEvent) -> __saga::Applied<Self> {
            let next = match (self, event) {
                (Self::SettleHotel(at), BookTripEvent::HotelDone(output)) => {
                    Self::CompensateHotel(at.done(output))
                }
                (at, _) => return __saga::Err(__saga::Rejected(at)),
            };
            __saga::Ok(next)
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
            let call = match self {
                Self::SettleHotel(at) => {
                    __saga::boxed(
                        BookTripHotelStep::attempt(
                            request,
                            at.trip.share(),
                            at.flight.share(),
                        ),
                    )
                }
                Self::CompensateHotel(at) => {
                    __saga::attempt(
                        BookTripHotelStep::compensation(request, at.hotel.share()),
                    )
                }
                _ => return __saga::None,
            };
            __saga::Some(call)
        }
    }

    impl BookTripHotelSettlement {
        /// It is done after all, and is to be compensated.
        pub fn done(self, hotel: HotelReservation) -> BookTripHotelCompensation {
            BookTripHotelCompensation::new(__saga::Shared::new(hotel))
        }

        /// `hotel` did not happen and never will.
        pub fn absent(self) -> BookTripHotelBranchBackward {
            BookTripHotelBranchBackward::Undone
        }
    }

    impl BookTripHotelCompensation {
        fn new(hotel: __saga::Shared<HotelReservation>) -> Self {
            let attempts = __saga::compensation_of::<BookTripHotelStep>();
            Self { hotel, attempts }
        }

        /// `hotel` is compensated.
        pub fn compensated(self) -> BookTripHotelBranchBackward {
            BookTripHotelBranchBackward::Undone
        }
    }

    #[automatically_derived]
    impl __saga::Backward for BookTripIfCarToCarBranchBackward {
        type Event = BookTripEvent;
        fn ledger(&mut self) -> __saga::Option<&mut __saga::Ledger> {
            let ledger = match self {
                _ => return __saga::None,
            };
            __saga::Some(ledger)
        }

        fn calls(&self, calls: &mut __saga::Vec<__saga::Call>) {
            match self {
                Self::CompensateIfCar(at) => at.calls(calls),
                Self::Undone => {}
            }
        }

        fn before(self) -> Self {
            match self {
                at => at,
            }
        }

        fn advance(self, event: BookTripEvent) -> __saga::Applied<Self> {
            let next = match (self, event) {
                (Self::CompensateIfCar(at), event) => {
                    __saga::in_parallel(
                        at.apply(event),
                        BookTripIfCarArmBackward::join,
                        |before| before,
                        Self::CompensateIfCar,
                    )?
                }
                (at, _) => return __saga::Err(__saga::Rejected(at)),
            };
            __saga::Ok(next)
        }

        fn is_undone(&self) -> bool {
            match self {
                Self::Undone => true,
                _ => false,
            }
        }
    }

    impl BookTripIfCarToCarBranchBackward {
        fn call(
            &self,
            place: &__saga::Place,
            request: __saga::Request<BookTripParticipants>,
        ) -> __saga::Option<__saga::CallFuture<BookTripEvent>> {
            let call = match self {
                Self::CompensateIfCar(at) => return at.call(place, request),
                _ => return __saga::None,
            };
            __saga::Some(call)
        }
    }

    impl BookTripIfCarArmsBackward {
        fn is_undone(&self) -> bool {
            match self {
                Self::Car(at) => at.is_undone(),
                Self::Else(at) => at.is_undone(),
            }
        }
    }

    impl BookTripIfCarArmBackward {
        fn apply(self, event: BookTripEvent) -> __saga::Applied<Self> {
            match self.arm {
                BookTripIfCarArmsBackward::Car(at) => {
                    __saga::in_branch(
                        at.apply(event),
                        |at| Self {
                            arm: BookTripIfCarArmsBackward::Car(at),
                            ..self
                        },
                    )
                }
                BookTripIfCarArmsBackward::Else(at) => {
                    __saga::in_branch(
                        at.apply(event),
                        |at| Self {
                            arm: BookTripIfCarArmsBackward::Else(at),
                            ..self
                        },
                    )
                }
            }
        }

        fn calls(&self, calls: &mut __saga::Vec<__saga::Call>) {
            match &self.arm {
                BookTripIfCarArmsBackward::Car(at) => at.calls(calls),
                BookTripIfCarArmsBackward::Else(at) => at.calls(calls),
            }
        }

        fn call(
            &self,
            place: &__saga::Place,
            request: __saga::Request<BookTripParticipants>,
        ) -> __saga::Option<__saga::CallFuture<BookTripEvent>> {
            match &self.arm {
                BookTripIfCarArmsBackward::Car(at) => at.call(place, request),
                BookTripIfCarArmsBackward::Else(at) => at.call(place, request),
            }
        }

        /// What is compensated before it, once nothing of it is left to compensate.
        pub fn join(
            self,
        ) -> __saga::Result<BookTripIfCarToCarBranchBackward, __saga::Rejected<Self>> {
            if self.arm.is_undone() {
                __saga::Ok(BookTripIfCarToCarBranchBackward::Undone)
            } else {
                __saga::Err(__saga::Rejected(self))
            }
        }
    }

    #[automatically_derived]
    impl __saga::Backward for BookTripCarBranchBackward {
        type Event = BookTripEvent;
        fn ledger(&mut self) -> __saga::Option<&mut __saga::Ledger> {
            let ledger = match self {
                Self::SettleCar(at) => &mut at.attempts,
                Self::CompensateCar(at) => &mut at.attempts,
                _ => return __saga::None,
            };
            __saga::Some(ledger)
        }

        fn calls(&self, calls: &mut __saga::Vec<__saga::Call>) {
            match self {
                Self::SettleCar(at) => calls.push(at.attempts.call()),
                Self::CompensateCar(at) => calls.push(at.attempts.call()),
                Self::Undone => {}
            }
        }

        fn before(self) -> Self {
            match self {
                Self::SettleCar(at) => at.absent(),
                Self::CompensateCar(at) => at.compensated(),
                at => at,
            }
        }

        fn advance(self, event: BookTripEvent) -> __saga::Applied<Self> {
            let next = match (self, event) {
                (Self::SettleCar(at), BookTripEvent::CarDone(output)) => {
                    Self::CompensateCar(at.done(output))
                }
                (at, _) => return __saga::Err(__saga::Rejected(at)),
            };
            __saga::Ok(next)
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
            let call = match self {
                Self::SettleCar(at) => {
                    __saga::attempt(
                        BookTripCarStep::action(
                            request,
                            at.trip.share(),
                            at.flight.share(),
                        ),
                    )
                }
                Self::CompensateCar(at) => {
                    __saga::attempt(
                        BookTripCarStep::compensation(request, at.car.share()),
                    )
                }
                _ => return __saga::None,
            };
            __saga::Some(call)
        }
    }

    impl BookTripCarSettlement {
        /// It is done after all, and is to be compensated.
        pub fn done(self, car: CarReservation) -> BookTripCarCompensation {
            BookTripCarCompensation::new(__saga::Shared::new(car))
        }

        /// `car` did not happen and never will.
        pub fn absent(self) -> BookTripCarBranchBackward {
            BookTripCarBranchBackward::Undone
        }
    }

    impl BookTripCarCompensation {
        fn new(car: __saga::Shared<CarReservation>) -> Self {
            let attempts = __saga::compensation_of::<BookTripCarStep>();
            Self { car, attempts }
        }

        /// `car` is compensated.
        pub fn compensated(self) -> BookTripCarBranchBackward {
            BookTripCarBranchBackward::Undone
        }
    }

    #[automatically_derived]
    impl __saga::Backward for BookTripElseBranchBackward {
        type Event = BookTripEvent;
        fn ledger(&mut self) -> __saga::Option<&mut __saga::Ledger> {
            let ledger = match self {
                _ => return __saga::None,
            };
            __saga::Some(ledger)
        }

        fn calls(&self, calls: &mut __saga::Vec<__saga::Call>) {
            match self {
                Self::Undone => {}
            }
        }

        fn before(self) -> Self {
            match self {
                at => at,
            }
        }

        fn advance(self, event: BookTripEvent) -> __saga::Applied<Self> {
            let next = match (self, event) {
                (at, _) => return __saga::Err(__saga::Rejected(at)),
            };
            __saga::Ok(next)
        }

        fn is_undone(&self) -> bool {
            match self {
                Self::Undone => true,
                _ => false,
            }
        }
    }

    impl BookTripElseBranchBackward {
        fn call(
            &self,
            place: &__saga::Place,
            request: __saga::Request<BookTripParticipants>,
        ) -> __saga::Option<__saga::CallFuture<BookTripEvent>> {
            let call = match self {
                _ => return __saga::None,
            };
            __saga::Some(call)
        }
    }

    impl BookTripFlightSettlement {
        /// It is done after all, and is to be compensated.
        pub fn done(self, flight: FlightReservation) -> BookTripFlightCompensation {
            BookTripFlightCompensation::new(__saga::Shared::new(flight))
        }

        /// `flight` did not happen and never will.
        pub fn absent(self) -> BookTripBackward {
            BookTripBackward::Undone
        }
    }

    impl BookTripFlightCompensation {
        fn new(flight: __saga::Shared<FlightReservation>) -> Self {
            let attempts = __saga::compensation_of::<BookTripFlightStep>();
            Self { flight, attempts }
        }

        /// `flight` is compensated.
        pub fn compensated(self) -> BookTripBackward {
            BookTripBackward::Undone
        }
    }
};
