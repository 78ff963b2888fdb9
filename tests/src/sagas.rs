//! Sagas of every shape, and what they own once they are completed.

use saga_runtime::coordinator::Builder;
use saga_runtime::{RunsOn, Saga, saga};

use crate::logs::TestLog;
use crate::world::{Careless, Probed, Prudent, World};

/// A saga that is tried out: how to begin it, and which of its steps have an effect.
pub trait Shape: Saga<Input = u32, Output = u32> + RunsOn<TestLog> {
    /// The steps whose effect holds once the saga is completed, and at no other time.
    const EFFECTS: &'static [&'static str];
    /// The local steps, whose effects stand in a table.
    const LOCALS: &'static [&'static str] = &[];
    /// The steps after the pivot.
    const AFTER_PIVOT: &'static [&'static str] = &[];
    /// Appends of a run without a fault.
    const APPENDS: usize;

    /// Its participants in `world`.
    fn participants(world: &World) -> Self::Participants;

    /// Registers it, and what it begins.
    fn register(builder: Builder<TestLog>, world: &World) -> Builder<TestLog> {
        builder.register::<Self>(Self::participants(world))
    }
}

/// All that is reserved is used, and the input is returned.
fn output(input: u32, _reservations: &[u32]) -> u32 {
    input
}

saga! {
    /// A sequence, a parallel with a probed step, a pivot, and a step after it.
    pub saga Trip(trip: u32) -> u32 {
        with flights: Prudent, hotels: Probed, cars: Prudent, cards: Prudent;
        timeout 5s;
        retry 1 times every 100ms..200ms;

        step flight: u32 = flights.reserve(cx)
            compensate flights.cancel(cx, flight);

        parallel {
            step hotel: u32 = hotels.reserve(cx)
                probe hotels.find(cx)
                compensate hotels.cancel(cx, hotel);
            step car: u32 = cars.reserve(cx)
                compensate cars.cancel(cx, car);
        }

        pivot receipt: u32 = cards.reserve(cx);

        step voucher: u32 = flights.reserve(cx);

        return output(trip, &[flight, hotel, car, receipt, voucher]);
    }
}

impl Shape for Trip {
    const EFFECTS: &'static [&'static str] = &["flight", "hotel", "car", "receipt", "voucher"];
    const AFTER_PIVOT: &'static [&'static str] = &["voucher"];
    const APPENDS: usize = 7;

    fn participants(world: &World) -> TripParticipants {
        let prudent = || Prudent(world.clone());
        TripParticipants {
            flights: prudent(),
            hotels: Probed(world.clone()),
            cars: prudent(),
            cards: prudent(),
        }
    }
}

saga! {
    /// A sequence of three without a pivot, each compensated by key, none of them safe to repeat.
    pub saga Basket(basket: u32) -> u32 {
        with desk: Careless;
        timeout 5s;
        retry 1 times every 100ms..200ms;

        step first: u32 = desk.reserve(cx) compensate desk.cancel(cx);
        step second: u32 = desk.reserve(cx) compensate desk.cancel(cx);
        step third: u32 = desk.reserve(cx) compensate desk.cancel(cx);

        return output(basket, &[first, second, third]);
    }
}

impl Shape for Basket {
    const EFFECTS: &'static [&'static str] = &["first", "second", "third"];
    const APPENDS: usize = 4;

    fn participants(world: &World) -> BasketParticipants {
        BasketParticipants { desk: Careless(world.clone()) }
    }
}

saga! {
    /// The last step has no compensation, so that it is the pivot.
    pub saga Payment(order: u32) -> u32 {
        with desk: Prudent;
        timeout 5s;
        retry 1 times every 100ms..200ms;

        step goods: u32 = desk.reserve(cx) compensate desk.cancel(cx, goods);
        step charge: u32 = desk.reserve(cx);

        return output(order, &[goods, charge]);
    }
}

impl Shape for Payment {
    const EFFECTS: &'static [&'static str] = &["goods", "charge"];
    const APPENDS: usize = 3;

    fn participants(world: &World) -> PaymentParticipants {
        PaymentParticipants { desk: Prudent(world.clone()) }
    }
}

saga! {
    /// A parallel within a parallel, then a step; nothing of it is a pivot.
    pub saga Nest(nest: u32) -> u32 {
        with careless: Careless, prudent: Prudent, probed: Probed;
        timeout 5s;
        retry 1 times every 100ms..200ms;

        parallel {
            step alone: u32 = careless.reserve(cx) compensate careless.cancel(cx);
            parallel {
                step left: u32 = probed.reserve(cx)
                    probe probed.find(cx)
                    compensate probed.cancel(cx, left);
                step right: u32 = prudent.reserve(cx) compensate prudent.cancel(cx, right);
            }
        }

        step last: u32 = prudent.reserve(cx) compensate prudent.cancel(cx, last);

        return output(nest, &[alone, left, right, last]);
    }
}

impl Shape for Nest {
    const EFFECTS: &'static [&'static str] = &["alone", "left", "right", "last"];
    const APPENDS: usize = 5;

    fn participants(world: &World) -> NestParticipants {
        NestParticipants {
            careless: Careless(world.clone()),
            prudent: Prudent(world.clone()),
            probed: Probed(world.clone()),
        }
    }
}

saga! {
    /// Branches that are sequences, a parallel after the pivot, and a compensation that goes on for longer.
    pub saga Tour(tour: u32) -> u32 {
        with careless: Careless, prudent: Prudent, probed: Probed;
        timeout 5s;
        retry 1 times every 100ms..200ms;

        step guide: u32 = prudent.reserve(cx)
            compensate prudent.cancel(cx, guide) { timeout 3s, retry 2 times every 1s..2s };

        parallel {
            {
                step bus: u32 = careless.reserve(cx) compensate careless.cancel(cx);
                step lunch: u32 = probed.reserve(cx)
                    probe probed.find(cx)
                    compensate probed.cancel(cx, lunch);
            }
            {
                step museum: u32 = prudent.reserve(cx) compensate prudent.cancel(cx, museum);
                parallel {
                    step audio: u32 = careless.reserve(cx) compensate careless.cancel(cx);
                    step map: u32 = prudent.reserve(cx) compensate prudent.cancel(cx, map);
                }
            }
        }

        pivot payment: u32 = prudent.reserve(cx);

        parallel {
            step ticket: u32 = prudent.reserve(cx);
            step invoice: u32 = probed.reserve(cx) probe probed.find(cx);
        }

        return output(tour, &[guide, bus, lunch, museum, audio, map, payment, ticket, invoice]);
    }
}

impl Shape for Tour {
    const EFFECTS: &'static [&'static str] =
        &["guide", "bus", "lunch", "museum", "audio", "map", "payment", "ticket", "invoice"];
    const AFTER_PIVOT: &'static [&'static str] = &["ticket", "invoice"];
    const APPENDS: usize = 11;

    fn participants(world: &World) -> TourParticipants {
        TourParticipants {
            careless: Careless(world.clone()),
            prudent: Prudent(world.clone()),
            probed: Probed(world.clone()),
        }
    }
}

saga! {
    /// Reads, a step whose effect is harmless, and a pivot that can only be probed.
    pub saga Quote(quote: u32) -> u32 {
        with careless: Careless, prudent: Prudent, probed: Probed;
        timeout 5s;
        retry 1 times every 100ms..200ms;

        read price: u32 = prudent.look(cx);
        step notice: u32 = careless.notify(cx) compensate nothing;
        step seat: u32 = prudent.reserve(cx) compensate prudent.cancel(cx, seat);

        parallel {
            read weather: u32 = prudent.look(cx);
            step room: u32 = probed.reserve(cx)
                probe probed.find(cx)
                compensate probed.cancel(cx, room);
        }

        pivot pay: u32 = probed.reserve(cx) probe probed.find(cx);

        read points: u32 = prudent.look(cx);
        step ticket: u32 = probed.reserve(cx) probe probed.find(cx);

        return output(quote, &[price, notice, seat, weather, room, pay, points, ticket]);
    }
}

impl Shape for Quote {
    const EFFECTS: &'static [&'static str] = &["seat", "room", "pay", "ticket"];
    const AFTER_PIVOT: &'static [&'static str] = &["points", "ticket"];
    const APPENDS: usize = 10;

    fn participants(world: &World) -> QuoteParticipants {
        QuoteParticipants {
            careless: Careless(world.clone()),
            prudent: Prudent(world.clone()),
            probed: Probed(world.clone()),
        }
    }
}

saga! {
    /// Everything that is decided on the way: items one after another and at once, arms, a timer, a signal that does not
    /// come, items after the pivot, and a step whose failure is no matter.
    pub saga Parcel(parcel: u32) -> u32 {
        with careless: Careless, prudent: Prudent, probed: Probed;
        timeout 5s;
        retry 1 times every 100ms..200ms;

        step first: u32 = prudent.reserve(cx) compensate prudent.cancel(cx, first);

        for line: u32 in 0..2 {
            step pick: u32 = probed.reserve(cx)
                probe probed.find(cx)
                compensate probed.cancel(cx, pick);
            if *line == 1 {
                step wrap: u32 = careless.reserve(cx) compensate careless.cancel(cx);
            } else if *line == 2 {
                step never: u32 = careless.reserve(cx) compensate careless.cancel(cx);
            }
        }

        parallel for label: u32 in [*first, *parcel] limit 2 {
            step seal: u32 = prudent.reserve(cx) compensate prudent.cancel(cx, seal);
        }

        sleep 1m;

        pivot paid: u32 = prudent.reserve(cx);

        receive thanks: u32 within 1m else 0;

        for copy: u32 in 0..2 {
            step ship: u32 = prudent.reserve(cx);
        }

        return output(parcel, &[first, paid, thanks, u32::try_from(pick.len() + wrap.len() + seal.len()).unwrap_or(0)]);
    }
}

impl Shape for Parcel {
    const EFFECTS: &'static [&'static str] =
        &["first", "pick[0]", "pick[1]", "wrap[1]", "seal[0]", "seal[1]", "paid", "ship[0]", "ship[1]"];
    const AFTER_PIVOT: &'static [&'static str] = &["ship[0]", "ship[1]"];
    const APPENDS: usize = 13;

    fn participants(world: &World) -> ParcelParticipants {
        ParcelParticipants {
            careless: Careless(world.clone()),
            prudent: Prudent(world.clone()),
            probed: Probed(world.clone()),
        }
    }
}

saga! {
    /// A saga that begins others: one before its pivot, which begins one itself, and one after it. All lock the same.
    pub saga Family(family: u32) -> u32 {
        with prudent: Prudent;
        lock "house", "garden";
        timeout 5s;
        retry 1 times every 100ms..200ms;

        step first: u32 = prudent.reserve(cx) compensate prudent.cancel(cx, first);

        saga room: u32 = Room(*family, *first);

        pivot paid: u32 = prudent.reserve(cx);

        saga letter: u32 = Letter(*family);

        return output(family, &[first, room, paid, letter]);
    }

    /// Can turn until its parent ends.
    pub saga Room(room: u32, first: u32) -> u32 {
        with careless: Careless, prudent: Prudent;
        lock "house";
        timeout 5s;
        retry 1 times every 100ms..200ms;

        parallel {
            step bed: u32 = careless.reserve(cx) compensate careless.cancel(cx);
            saga lamp: u32 = Lamp();
        }
        step key: u32 = prudent.reserve(cx) compensate prudent.cancel(cx, key);

        return output(room, &[first, bed, lamp, key]);
    }

    /// The child of a child.
    pub saga Lamp() -> u32 {
        with prudent: Prudent;
        timeout 5s;
        retry 1 times every 100ms..200ms;

        step bulb: u32 = prudent.reserve(cx) compensate prudent.cancel(cx, bulb);

        return bulb;
    }

    /// Ends by itself, and has a pivot of its own.
    pub saga Letter(family: u32) -> u32 {
        with prudent: Prudent;
        timeout 5s;
        retry 1 times every 100ms..200ms;

        step paper: u32 = prudent.reserve(cx) compensate prudent.cancel(cx, paper);
        pivot stamp: u32 = prudent.reserve(cx);

        return output(family, &[paper, stamp]);
    }
}

impl Shape for Family {
    const EFFECTS: &'static [&'static str] =
        &["first", "room/bed", "room/lamp/bulb", "room/key", "paid", "letter/paper", "letter/stamp"];
    const AFTER_PIVOT: &'static [&'static str] = &["paper", "stamp"];
    const APPENDS: usize = 0;

    fn participants(world: &World) -> FamilyParticipants {
        FamilyParticipants { prudent: Prudent(world.clone()) }
    }

    fn register(builder: Builder<TestLog>, world: &World) -> Builder<TestLog> {
        let prudent = || Prudent(world.clone());
        builder
            .register::<Self>(Self::participants(world))
            .register::<Room>(RoomParticipants { careless: Careless(world.clone()), prudent: prudent() })
            .register::<Lamp>(LampParticipants { prudent: prudent() })
            .register::<Letter>(LetterParticipants { prudent: prudent() })
    }
}
