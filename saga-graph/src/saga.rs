//! What is drawn: a saga as it was declared.

/// A saga as it was declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saga {
    /// Its name, such as `BookTrip`.
    pub name: String,
    /// Its inputs in their order.
    pub inputs: Vec<Field>,
    /// Type of its output; `()` if it has none.
    pub output: String,
    /// What it does, in order.
    pub body: Vec<Block>,
}

/// A name and its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The name.
    pub name: String,
    /// The type as written.
    pub ty: String,
}

/// A part of a sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// One step.
    Step(Step),
    /// Branches that run at the same time, each a sequence.
    Parallel(Vec<Vec<Block>>),
    /// One of several sequences.
    If(Vec<Arm>),
    /// A sequence for each item of a list.
    For {
        /// Name of the item.
        item: String,
        /// The expression that makes the list.
        items: String,
        /// How many items are worked on at once: 1 for `for`, N for `parallel for … limit N`.
        limit: u32,
        /// What is done for each item.
        body: Vec<Block>,
    },
}

/// One arm of an `if`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arm {
    /// When it is taken, such as `trip.wants_car`; `None` for `else`.
    pub condition: Option<String>,
    /// What is done then.
    pub body: Vec<Block>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its name, such as `flight`.
    pub name: String,
    /// Type of its output; `()` if it has none.
    pub output: String,
    /// What it does.
    pub kind: Kind,
    /// Where it stands relative to the point of no return.
    pub zone: Zone,
    /// How its effect is undone.
    pub undo: Undo,
    /// Whether its call is known to answer by key. If not, its participant may still promise it.
    pub keyed: bool,
    /// Whether it has a `probe`.
    pub probe: bool,
    /// Whether it has a value for the case that it fails: `else`.
    pub otherwise: bool,
    /// The names that `events` gives to what happens to it.
    pub events: Option<Events>,
    /// How long a `sleep` or `receive` takes, the child of a `saga`, the keys of a `lock`; empty for a call.
    pub text: String,
}

/// The domain names of a step's events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Events {
    /// It is done.
    pub done: String,
    /// It was refused.
    pub refused: String,
    /// It is compensated.
    pub compensated: String,
}

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Calls a participant, with an effect.
    Call,
    /// Calls a participant, without an effect.
    Read,
    /// Writes into the log's own database.
    Local,
    /// Executes another saga.
    Saga,
    /// Waits for a signal.
    Receive,
    /// Waits for a time.
    Sleep,
    /// Takes the saga's locks.
    Lock,
}

/// Where a step stands relative to the point of no return.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Zone {
    /// Before the pivot, or in a saga without one.
    Compensatable,
    /// The point of no return.
    Pivot,
    /// After the pivot.
    Retriable,
}

/// How a step's effect is undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Undo {
    /// It is not.
    None,
    /// It is declared harmless: `compensate nothing`.
    Nothing,
    /// By a call that the idempotency key suffices for.
    ByKey,
    /// By a call that needs the step's output.
    ByOutput,
}

impl Kind {
    /// Whether somebody else is asked to do it.
    pub(crate) fn is_call(self) -> bool {
        matches!(self, Self::Call | Self::Read | Self::Local | Self::Saga)
    }
}

impl Step {
    /// Whether there is something on the way back that undoes it.
    pub(crate) fn is_undone(&self) -> bool {
        let by_whom = match self.kind {
            Kind::Call | Kind::Local => matches!(self.undo, Undo::ByKey | Undo::ByOutput),
            // A child is compensated by its own compensations.
            Kind::Saga => self.undo != Undo::Nothing,
            Kind::Read | Kind::Receive | Kind::Sleep | Kind::Lock => false,
        };
        by_whom && self.zone == Zone::Compensatable
    }

    /// Whether it can be refused. The coordinator alone gets the others done.
    pub(crate) fn can_fail(&self) -> bool {
        !matches!(self.kind, Kind::Sleep | Kind::Lock)
    }

    /// Whether the saga turns backward when it is refused.
    pub(crate) fn turns(&self) -> bool {
        self.can_fail() && self.zone != Zone::Retriable && !self.otherwise
    }

    /// Whether it can be that nobody knows what it did.
    pub(crate) fn can_be_in_doubt(&self) -> bool {
        self.kind == Kind::Call
    }

    /// The name of its refusal, if one is given.
    pub(crate) fn refused_as(&self) -> Option<&str> {
        self.events.as_ref().map(|events| events.refused.as_str()).filter(|name| !name.is_empty())
    }

    /// What its failing is called.
    pub(crate) fn refusal(&self) -> &str {
        self.refused_as().unwrap_or(match self.kind {
            Kind::Receive => "not in time",
            Kind::Saga => "child compensated",
            _ => "refused",
        })
    }

    /// What it is, where that is not a plain call.
    pub(crate) fn word(&self) -> &'static str {
        match (self.zone, self.kind) {
            (Zone::Pivot, _) => "pivot",
            (_, Kind::Call) => "",
            (_, Kind::Read) => "read",
            (_, Kind::Local) => "local",
            (_, Kind::Saga) => "child saga",
            (_, Kind::Receive) => "receive",
            (_, Kind::Sleep) => "sleep",
            (_, Kind::Lock) => "lock",
        }
    }

    /// What a reader sees first: what it is, unless it is a call, and its name. A step without a name of its own is
    /// called after what it is, which is then said once.
    pub(crate) fn title(&self) -> String {
        match self.word() {
            "" => self.name.clone(),
            word if self.name.split(' ').next() == Some(word) => self.name.clone(),
            word => format!("{word} {}", self.name),
        }
    }

    /// What a reader sees next: the output's type, or what is waited for.
    pub(crate) fn detail(&self) -> String {
        match self.kind {
            Kind::Call | Kind::Read | Kind::Local => self.output.clone(),
            Kind::Saga | Kind::Sleep | Kind::Lock => self.text.clone(),
            Kind::Receive => match self.text.strip_prefix("within ").unwrap_or(&self.text) {
                "" => self.output.clone(),
                time => format!("{} within {time}", self.output),
            },
        }
    }
}

impl Block {
    /// All steps in it, in order.
    pub(crate) fn steps(&self) -> Vec<&Step> {
        fn of<'a>(blocks: &'a [Block], found: &mut Vec<&'a Step>) {
            for block in blocks {
                match block {
                    Block::Step(step) => found.push(step),
                    Block::Parallel(branches) => branches.iter().for_each(|branch| of(branch, found)),
                    Block::If(arms) => arms.iter().for_each(|arm| of(&arm.body, found)),
                    Block::For { body, .. } => of(body, found),
                }
            }
        }
        let mut found = Vec::new();
        of(std::slice::from_ref(self), &mut found);
        found
    }
}

impl Saga {
    /// All steps, in order.
    pub(crate) fn steps(&self) -> Vec<&Step> {
        self.body.iter().flat_map(Block::steps).collect()
    }

    /// `BookTrip(trip: Trip)`.
    pub(crate) fn signature(&self) -> String {
        let inputs: Vec<String> =
            self.inputs.iter().map(|field| format!("{}: {}", field.name, field.ty)).collect();
        format!("{}({})", self.name, inputs.join(", "))
    }

    /// Whether it has an output to speak of.
    pub(crate) fn has_output(&self) -> bool {
        !matches!(self.output.as_str(), "" | "()")
    }
}

/// `for line in order.lines`, and how many items at once.
pub(crate) fn for_title(item: &str, items: &str, limit: u32) -> String {
    match limit {
        0 | 1 => format!("for {item} in {items}"),
        limit => format!("parallel for {item} in {items} limit {limit}"),
    }
}
