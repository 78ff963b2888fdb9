//! Sagas with local steps, in every place that a step can have.

use saga_runtime::coordinator::Builder;
use saga_runtime::saga;

use crate::logs::TestLog;
use crate::run::patience;
use crate::sagas::Shape;
use crate::shop::Shop;
use crate::world::{Careless, Probed, Prudent, World};

/// All that is reserved is used, and the input is returned.
fn output(input: u32, _reservations: &[u32]) -> u32 {
    input
}

saga! {
    /// Local steps before the pivot and after it, between remote ones.
    pub saga Sale(sale: u32) -> u32 {
        with shop: Shop, prudent: Prudent, careless: Careless;
        deadline (patience(*sale));
        timeout 5s;
        retry 1 times every 100ms..200ms;

        local nuts: u32 = shop.take(tx, cx) compensate shop.put_back(tx, cx, nuts);
        step van: u32 = careless.reserve(cx) compensate careless.cancel(cx);
        local bolts: u32 = shop.take(tx, cx) compensate shop.put_back(tx, cx, bolts);
        pivot paid: u32 = prudent.reserve(cx);
        local sold: u32 = shop.take(tx, cx);
        step note: u32 = prudent.reserve(cx);
        local last: u32 = shop.take(tx, cx);

        return output(sale, &[nuts, van, bolts, paid, sold, note, last]);
    }
}

impl Shape for Sale {
    const EFFECTS: &'static [&'static str] = &["van", "paid", "note"];
    const LOCALS: &'static [&'static str] = &["nuts", "bolts", "sold", "last"];
    const AFTER_PIVOT: &'static [&'static str] = &["sold", "note", "last"];
    const APPENDS: usize = 0;

    fn participants(world: &World) -> SaleParticipants {
        SaleParticipants {
            shop: Shop(world.clone()),
            prudent: Prudent(world.clone()),
            careless: Careless(world.clone()),
        }
    }
}

saga! {
    /// Local steps in branches, in items and in arms, whose next attempt is far. The last one is the pivot.
    pub saga Stall(stall: u32) -> u32 {
        with shop: Shop, prudent: Prudent, probed: Probed;
        deadline (patience(*stall));
        timeout 5s;
        retry 1 times every 10s..20s;

        parallel {
            {
                local left: u32 = shop.take(tx, cx) compensate shop.put_back(tx, cx, left);
                step table: u32 = probed.reserve(cx)
                    probe probed.find(cx)
                    compensate probed.cancel(cx, table);
            }
            {
                step tent: u32 = prudent.reserve(cx) compensate prudent.cancel(cx, tent);
                local right: u32 = shop.take(tx, cx) compensate shop.put_back(tx, cx, right);
            }
        }

        for line: u32 in 0..2 {
            local pick: u32 = shop.take(tx, cx) compensate shop.put_back(tx, cx, pick);
            if *line == 1 {
                local wrap: u32 = shop.take(tx, cx) compensate shop.put_back(tx, cx, wrap);
            }
        }

        parallel for label: u32 in 0..2 limit 2 {
            local seal: u32 = shop.take(tx, cx) compensate shop.put_back(tx, cx, seal);
        }

        local last: u32 = shop.take(tx, cx);

        return output(stall, &[left, table, tent, right, last, u32::try_from(pick.len() + wrap.len() + seal.len()).unwrap_or(0)]);
    }
}

impl Shape for Stall {
    const EFFECTS: &'static [&'static str] = &["table", "tent"];
    const LOCALS: &'static [&'static str] =
        &["left", "right", "pick[0]", "pick[1]", "wrap[1]", "seal[0]", "seal[1]", "last"];
    const APPENDS: usize = 0;

    fn participants(world: &World) -> StallParticipants {
        StallParticipants {
            shop: Shop(world.clone()),
            prudent: Prudent(world.clone()),
            probed: Probed(world.clone()),
        }
    }
}

saga! {
    /// Nothing but local steps, each compensated.
    pub saga Shelves(shelves: u32) -> u32 {
        with shop: Shop;
        deadline (patience(*shelves));
        retry 1 times every 10s..20s;

        local left: u32 = shop.take(tx, cx) compensate shop.put_back(tx, cx, left);
        parallel {
            local right: u32 = shop.take(tx, cx) compensate shop.put_back(tx, cx, right);
            local only: u32 = shop.take(tx, cx) compensate shop.put_back(tx, cx, only);
        }
        local last: u32 = shop.take(tx, cx) compensate shop.put_back(tx, cx, last);

        return output(shelves, &[left, right, only, last]);
    }
}

impl Shape for Shelves {
    const EFFECTS: &'static [&'static str] = &[];
    const LOCALS: &'static [&'static str] = &["left", "right", "only", "last"];
    const APPENDS: usize = 0;

    fn participants(world: &World) -> ShelvesParticipants {
        ShelvesParticipants { shop: Shop(world.clone()) }
    }
}

saga! {
    /// A saga whose children have local steps: the one before the pivot can turn after it is done.
    pub saga Chain(chain: u32) -> u32 {
        with shop: Shop, prudent: Prudent;
        deadline (patience(*chain));
        timeout 5s;
        retry 1 times every 100ms..200ms;

        local nuts: u32 = shop.take(tx, cx) compensate shop.put_back(tx, cx, nuts);
        saga room: u32 = Rack();
        step van: u32 = prudent.reserve(cx) compensate prudent.cancel(cx, van);
        pivot paid: u32 = prudent.reserve(cx);
        saga letter: u32 = Bill();

        return output(chain, &[nuts, room, van, paid, letter]);
    }

    /// Can turn until its parent ends.
    pub saga Rack() -> u32 {
        with shop: Shop, prudent: Prudent;
        timeout 5s;
        retry 1 times every 100ms..200ms;

        local shelf: u32 = shop.take(tx, cx) compensate shop.put_back(tx, cx, shelf);
        step lamp: u32 = prudent.reserve(cx) compensate prudent.cancel(cx, lamp);
        local only: u32 = shop.take(tx, cx) compensate shop.put_back(tx, cx, only);

        return output(7, &[shelf, lamp, only]);
    }

    /// Ends by itself, with a local step.
    pub saga Bill() -> u32 {
        with shop: Shop, prudent: Prudent;
        timeout 5s;
        retry 1 times every 100ms..200ms;

        step paper: u32 = prudent.reserve(cx) compensate prudent.cancel(cx, paper);
        local sold: u32 = shop.take(tx, cx);

        return output(7, &[paper, sold]);
    }
}

impl Shape for Chain {
    const EFFECTS: &'static [&'static str] = &["room/lamp", "van", "paid", "letter/paper"];
    const LOCALS: &'static [&'static str] = &["nuts", "room/shelf", "room/only", "letter/sold"];
    const AFTER_PIVOT: &'static [&'static str] = &["paper", "sold"];
    const APPENDS: usize = 0;

    fn participants(world: &World) -> ChainParticipants {
        ChainParticipants { shop: Shop(world.clone()), prudent: Prudent(world.clone()) }
    }

    fn register(builder: Builder<TestLog>, world: &World) -> Builder<TestLog> {
        let (shop, prudent) = (|| Shop(world.clone()), || Prudent(world.clone()));
        builder
            .register::<Self>(Self::participants(world))
            .register::<Rack>(RackParticipants { shop: shop(), prudent: prudent() })
            .register::<Bill>(BillParticipants { shop: shop(), prudent: prudent() })
    }
}
