//! The machine as nodes and edges, for the languages that lay them out themselves.

use crate::saga::{Arm, Block, Saga, Step, Zone, for_title};

/// A machine as nodes, clusters of nodes, and edges.
pub(crate) struct Flow {
    pub(crate) items: Vec<Item>,
    pub(crate) edges: Vec<Edge>,
}

/// Number of a node or cluster.
pub(crate) type Id = usize;

pub(crate) enum Item {
    Node(Node),
    Cluster(Cluster),
}

pub(crate) struct Node {
    pub(crate) id: Id,
    pub(crate) shape: Shape,
    /// What it says, line by line.
    pub(crate) lines: Vec<String>,
    /// The step that this node undoes: the two stand side by side.
    pub(crate) beside: Option<Id>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Where the saga begins.
    Begin,
    /// A call, or another saga.
    Step,
    /// The point of no return.
    Pivot,
    /// What the coordinator alone gets done.
    Wait,
    /// A decision of the coordinator.
    Decision,
    /// Where branches begin.
    Fork,
    /// Where branches end.
    Join,
    /// A compensation.
    Undo,
    /// Where the way back goes into branches, arms or items.
    Turn,
    /// Every effect holds.
    Completed,
    /// No effect holds.
    Compensated,
}

pub(crate) struct Cluster {
    pub(crate) id: Id,
    pub(crate) title: String,
    pub(crate) items: Vec<Item>,
}

pub(crate) struct Edge {
    pub(crate) from: Id,
    pub(crate) to: Id,
    pub(crate) way: Way,
    pub(crate) label: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// On the way forward.
    Forward,
    /// To the next item of a list.
    Again,
    /// From a step that failed to the way back.
    Failure,
    /// From a step that is in doubt to its own compensation.
    Doubt,
    /// On the way back.
    Back,
    /// On the way back, to the item before.
    BackAgain,
}

impl Way {
    /// Whether it is part of the way forward.
    pub(crate) fn is_forward(self) -> bool {
        matches!(self, Self::Forward | Self::Again)
    }
}

/// Draws `saga` as nodes and edges.
pub(crate) fn flow(saga: &Saga) -> Flow {
    let mut builder = Builder { next: 0, edges: Vec::new() };
    let mut items = Vec::new();
    let begin = builder.node(&mut items, Shape::Begin, vec![saga.signature()]);
    let is_undone = saga.steps().iter().any(|step| step.turns() || step.is_undone());
    let mut back = Vec::new();
    if is_undone {
        back.push(builder.node(&mut items, Shape::Compensated, vec!["Compensated".to_owned()]));
    }
    let mut place = Place { exits: vec![(begin, None)], back, failures: None };
    builder.sequence(&saga.body, &mut items, &mut place);
    let mut lines = vec!["Completed".to_owned()];
    if saga.has_output() {
        lines.push(saga.output.clone());
    }
    let completed = builder.node(&mut items, Shape::Completed, lines);
    builder.enter(&mut place, completed);
    Flow { items, edges: builder.edges }
}

/// A place on the way forward.
struct Place {
    /// The edges that lead on from here.
    exits: Vec<(Id, Option<String>)>,
    /// Where the way back goes on from here.
    back: Vec<Id>,
    /// In a branch: where it waits for its siblings when it fails.
    failures: Option<Id>,
}

struct Builder {
    next: Id,
    edges: Vec<Edge>,
}

impl Builder {
    fn id(&mut self) -> Id {
        self.next += 1;
        self.next
    }

    fn node(&mut self, items: &mut Vec<Item>, shape: Shape, lines: Vec<String>) -> Id {
        let id = self.id();
        items.push(Item::Node(Node { id, shape, lines, beside: None }));
        id
    }

    fn edge(&mut self, from: Id, to: Id, way: Way, label: Option<String>) {
        self.edges.push(Edge { from, to, way, label });
    }

    fn edges(&mut self, from: Id, to: &[Id], way: Way, label: Option<&str>) {
        for &to in to {
            self.edge(from, to, way, label.map(str::to_owned));
        }
    }

    /// Leads what comes from `place` to `node`, which is the place from then on.
    fn enter(&mut self, place: &mut Place, node: Id) {
        for (from, label) in std::mem::replace(&mut place.exits, vec![(node, None)]) {
            self.edge(from, node, Way::Forward, label);
        }
    }

    fn sequence(&mut self, blocks: &[Block], items: &mut Vec<Item>, place: &mut Place) {
        for block in blocks {
            match block {
                Block::Step(step) => self.step(step, items, place),
                Block::Parallel(branches) => self.parallel(block, branches, items, place),
                Block::If(arms) => self.choice(block, arms, items, place),
                Block::For { item, items: list, limit, body } => {
                    self.repeat(block, &for_title(item, list, *limit), body, items, place);
                }
            }
        }
    }

    fn step(&mut self, step: &Step, items: &mut Vec<Item>, place: &mut Place) {
        let shape = match step.zone {
            Zone::Pivot => Shape::Pivot,
            _ if step.kind.is_call() => Shape::Step,
            _ => Shape::Wait,
        };
        let mut lines = vec![step.title(), step.detail()];
        match step.zone {
            Zone::Pivot => lines.push("point of no return".to_owned()),
            Zone::Retriable if step.otherwise => lines.push("else a value".to_owned()),
            Zone::Retriable if step.can_fail() => lines.push("tried until done".to_owned()),
            _ if step.otherwise => lines.push("else a value".to_owned()),
            _ => {}
        }
        lines.retain(|line| !line.is_empty() && line != "()");
        let node = self.node(items, shape, lines);
        self.enter(place, node);
        if step.turns() {
            let label = Some(step.refusal());
            match place.failures {
                Some(turn) => self.edges(node, &[turn], Way::Failure, label),
                None => self.edges(node, &place.back, Way::Failure, label),
            }
        }
        if step.is_undone() {
            let id = self.id();
            let lines = vec![format!("compensate {}", step.name)];
            items.push(Item::Node(Node { id, shape: Shape::Undo, lines, beside: Some(node) }));
            // In a branch a doubt waits for the siblings, too.
            if step.can_be_in_doubt() && place.failures.is_none() {
                self.edge(node, id, Way::Doubt, Some("in doubt".to_owned()));
            }
            self.edges(id, &place.back, Way::Back, None);
            place.back = vec![id];
        }
    }

    fn parallel(&mut self, block: &Block, branches: &[Vec<Block>], items: &mut Vec<Item>, place: &mut Place) {
        let (id, mut inside) = (self.id(), Vec::new());
        let fork = self.node(&mut inside, Shape::Fork, vec!["at the same time".to_owned()]);
        self.enter(place, fork);
        let turns = block.steps().iter().any(|step| step.turns() || step.is_undone());
        let turn = turns.then(|| {
            let lines = vec!["each branch".to_owned(), "once nothing is in flight".to_owned()];
            self.node(&mut inside, Shape::Turn, lines)
        });
        let (mut exits, mut back) = (Vec::new(), Vec::new());
        for branch in branches {
            let failures = place.failures.or(turn);
            let mut at = Place { exits: vec![(fork, None)], back: place.back.clone(), failures };
            self.sequence(branch, &mut inside, &mut at);
            exits.append(&mut at.exits);
            if at.back != place.back {
                back.append(&mut at.back);
            }
        }
        let join = self.node(&mut inside, Shape::Join, vec!["all of them".to_owned()]);
        place.exits = exits;
        self.enter(place, join);
        if let Some(turn) = turn {
            let back = if back.is_empty() { &place.back } else { &back };
            self.edges(turn, back, Way::Back, None);
            place.back = vec![turn];
        }
        items.push(Item::Cluster(Cluster { id, title: "parallel".to_owned(), items: inside }));
    }

    fn choice(&mut self, block: &Block, arms: &[Arm], items: &mut Vec<Item>, place: &mut Place) {
        let (id, mut inside) = (self.id(), Vec::new());
        let decision = self.node(&mut inside, Shape::Decision, vec!["if".to_owned()]);
        self.enter(place, decision);
        let (mut exits, mut back) = (Vec::new(), Vec::new());
        for arm in arms {
            let label = arm.condition.clone().unwrap_or_else(|| "else".to_owned());
            let exit = (decision, Some(label));
            let mut at = Place { exits: vec![exit], back: place.back.clone(), failures: place.failures };
            self.sequence(&arm.body, &mut inside, &mut at);
            exits.append(&mut at.exits);
            if at.back != place.back {
                back.append(&mut at.back);
            }
        }
        if block.steps().iter().any(|step| step.is_undone()) {
            let turn = self.node(&mut inside, Shape::Turn, vec!["the arm taken".to_owned()]);
            self.edges(turn, &back, Way::Back, None);
            if arms.iter().any(|arm| !arm.body.iter().flat_map(Block::steps).any(Step::is_undone)) {
                self.edges(turn, &place.back, Way::Back, None);
            }
            place.back = vec![turn];
        }
        place.exits = exits;
        items.push(Item::Cluster(Cluster { id, title: "one of these".to_owned(), items: inside }));
    }

    fn repeat(
        &mut self,
        block: &Block,
        title: &str,
        body: &[Block],
        items: &mut Vec<Item>,
        place: &mut Place,
    ) {
        let (id, mut inside) = (self.id(), Vec::new());
        let list = self.node(&mut inside, Shape::Decision, vec!["each item".to_owned()]);
        self.enter(place, list);
        let turn = block.steps().iter().any(|step| step.is_undone()).then(|| {
            let lines = vec!["items before it".to_owned(), "latest first".to_owned()];
            self.node(&mut inside, Shape::Turn, lines)
        });
        let back = turn.map_or_else(|| place.back.clone(), |turn| vec![turn]);
        let exits = vec![(list, Some("next".to_owned()))];
        let mut at = Place { exits, back, failures: place.failures };
        let first_edge = self.edges.len();
        self.sequence(body, &mut inside, &mut at);
        for edge in self.edges.iter_mut().skip(first_edge) {
            if edge.way == Way::Back && Some(edge.to) == turn {
                edge.way = Way::BackAgain;
            }
        }
        for (from, label) in at.exits {
            if from != list {
                self.edge(from, list, Way::Again, label);
            }
        }
        if let Some(turn) = turn {
            self.edges(turn, &at.back, Way::Back, Some("an item"));
            self.edges(turn, &place.back, Way::Back, Some("no more"));
            place.back = vec![turn];
        }
        place.exits = vec![(list, Some("no more".to_owned()))];
        items.push(Item::Cluster(Cluster { id, title: title.to_owned(), items: inside }));
    }
}
