//! The bugs: each one that an engine of sagas has had, or could have.

/// A bug that is planted in the runtime's source.
pub(crate) struct Plant {
    /// Its name.
    pub(crate) name: &'static str,
    /// Where: the file, what stands there, and what is put in its place. `PLANTED` is whether this bug is to be there.
    pub(crate) edits: &'static [(&'static str, &'static str, &'static str)],
    /// What finds it: a saga, and how many faults, crashes, failures of the log and commands that takes.
    pub(crate) explored: &'static str,
    /// What the violation says.
    pub(crate) found: &'static str,
}

/// All of them.
pub(crate) const PLANTS: &[Plant] = &[
    Plant {
        name: "compensation in forward order",
        edits: &[(
            "coordinator/driver/call.rs",
            "        let Place { step, items } = call.place.clone();",
            "        if PLANTED
                && call.kind == CallKind::Compensation
                && let place = call.place.clone()
                && let Some(state) = &self.state
                && let Some((state, call)) = crate::planted::mirrored::<S>(state, call)
            {
                return Ok(crate::planted::answered_for(place, self.future_of(&state, &call)?));
            }
            self.state.as_ref().map_or_else(
                || Err(Stop::Fault(\"its state is gone\".to_owned())),
                |state| self.future_of(state, call),
            )
        }

        fn future_of(&self, state: &crate::saga::StateOf<S>, call: &Call) -> Result<CallFuture<S::Event>, Stop> {
        let Place { step, items } = call.place.clone();",
        ), (
            "coordinator/driver/call.rs",
            "        let state = self.state.as_ref();
        let future =
            state.and_then(|state| S::call(state, &call.place, call.kind, &self.participants, context));",
            "        let future = S::call(state, &call.place, call.kind, &self.participants, context);",
        )],
        explored: "pair 2 0 0 0",
        found: "`flight` was compensated before `hotel`",
    },
    Plant {
        name: "compensation before its record",
        edits: &[(
            "coordinator/driver/record.rs",
            "        if records.is_empty() {
            return Ok(());
        }
        let status",
            "        let turns = !matches!(self.state, Some(State::Forward(_) | State::Completed));
        let records = if PLANTED { crate::planted::late(&self.id, records, turns) } else { records };
        if records.is_empty() {
            return Ok(());
        }
        let status",
        )],
        explored: "pair 0 1 0 1",
        found: "it ended Completed",
    },
    Plant {
        name: "a refusal after a lost reply is definitive",
        edits: &[
            (
                "machine/decide.rs",
                "let definitive = call.settlement.keyed || !call.attempts.in_doubt();",
                "let definitive = PLANTED || call.settlement.keyed || !call.attempts.in_doubt();",
            ),
            (
                "machine/decide.rs",
                "|| call.settlement.keyed || call.settlement.probe;",
                "|| call.settlement.keyed || call.settlement.probe || PLANTED;",
            ),
        ],
        explored: "seat 1 0 0 0",
        found: "it ended Compensated; in effect are [\"seat\"]",
    },
    Plant {
        name: "what nobody knows counts as not done",
        edits: &[(
            "machine/decide.rs",
            "        CallKind::Action | CallKind::Local | CallKind::Evaluation | CallKind::Wait => {",
            "        CallKind::Action if PLANTED && failure.kind == FailureKind::Unknown => {
            FactKind::Attempt(AttemptFact::Failed(Failure { kind: FailureKind::Transient, ..failure }))
        }
        CallKind::Action | CallKind::Local | CallKind::Evaluation | CallKind::Wait => {",
        )],
        explored: "travel 1 0 0 0",
        found: "in effect are [",
    },
    Plant {
        name: "the failed step is not compensated",
        edits: &[(
            "machine/ledger.rs",
            "        self.attempts.in_doubt()
    }",
            "        !PLANTED && self.attempts.in_doubt()
    }",
        )],
        explored: "travel 1 0 0 0",
        found: "in effect are [",
    },
    Plant {
        name: "a careless participant is asked again in doubt",
        edits: &[(
            "machine/decide.rs",
            "let repeatable = !attempts.in_doubt()",
            "let repeatable = PLANTED || !attempts.in_doubt()",
        )],
        explored: "travel 1 0 0 0",
        found: "in effect are [",
    },
    Plant {
        name: "the probe is not asked",
        edits: &[(
            "machine/call.rs",
            "if attempts.in_doubt() && !self.keyed && self.probe",
            "if !PLANTED && attempts.in_doubt() && !self.keyed && self.probe",
        )],
        explored: "travel 1 0 0 0",
        found: "in effect are [",
    },
    Plant {
        name: "a pivot in doubt is given up",
        edits: &[
            (
                "machine/decide.rs",
                "Role::Pivot if spent && !attempts.in_doubt()",
                "Role::Pivot if spent && (PLANTED || !attempts.in_doubt())",
            ),
            (
                "machine/attempts.rs",
                "turn.is_none() && !self.doubt,",
                "turn.is_none() && (PLANTED || !self.doubt),",
            ),
            (
                "machine/call.rs",
                "(self.role == Role::Pivot && self.attempts.in_doubt())",
                "(!PLANTED && self.role == Role::Pivot && self.attempts.in_doubt())",
            ),
        ],
        explored: "trip 1 0 0 0",
        found: "in effect are [\"receipt\"]",
    },
    Plant {
        name: "a cancel is answered while the pivot is open",
        edits: &[(
            "coordinator/driver/command.rs",
            "if calls.iter().any(|call| call.role == Role::Pivot) => return,",
            "if !PLANTED && calls.iter().any(|call| call.role == Role::Pivot) => return,",
        )],
        explored: "trip 0 0 0 1",
        found: "the cancel was answered Some(Cancelled), and then it ended Completed",
    },
    Plant {
        name: "a cancel is answered before it is durable",
        edits: &[(
            "coordinator/driver/command.rs",
            "                    self.cancels.push(answer);
                    if self.held",
            "                    if PLANTED {
                        let _ = answer.send(CancelAnswer::Cancelled);
                    } else {
                        self.cancels.push(answer);
                    }
                    if self.held",
        )],
        explored: "pair 0 1 0 1",
        found: "the cancel was answered Some(Cancelled), and then it ended Completed",
    },
    Plant {
        name: "a saga is accepted before it is durable",
        edits: &[(
            "coordinator/driver/mod.rs",
            "            let stop = match self.append_begin(append).await {",
            "            if PLANTED {
                self.publish(SagaStatus::Running, None);
            }
            let stop = match self.append_begin(append).await {",
        )],
        explored: "pair 0 1 0 0",
        found: "it was accepted, and the log does not know it",
    },
    Plant {
        name: "the end is told before it is durable",
        edits: &[(
            "coordinator/driver/record.rs",
            "                self.append(records).await?;
                info!(\"completed\");",
            "                if PLANTED {
                    self.publish(SagaStatus::Completed, Some(Arc::clone(&output)));
                }
                self.append(records).await?;
                info!(\"completed\");",
        )],
        explored: "pair 0 1 0 1",
        found: "it ended Completed, and begun again it runs",
    },
    Plant {
        name: "what was open at a crash was not sent",
        edits: &[(
            "coordinator/driver/mod.rs",
            "    open.map(|call| attempt_fact(call, AttemptFact::Failed(process_ended()))).collect()",
            "    open.map(|call| if PLANTED { not_sent(call) } else { attempt_fact(call, AttemptFact::Failed(process_ended())) }).collect()",
        )],
        explored: "travel 0 1 0 0",
        found: "in effect are [",
    },
    Plant {
        name: "what was open at a crash is made again as if for the first time",
        edits: &[(
            "coordinator/driver/mod.rs",
            "            let tainted = taint::<S>(&folded.state);",
            "            let tainted = if PLANTED { Vec::new() } else { taint::<S>(&folded.state) };",
        )],
        explored: "travel 0 1 0 0",
        found: "in effect are [",
    },
    Plant {
        name: "the direction is forgotten at a restart",
        edits: &[(
            "coordinator/fold.rs",
            "        if let Some(locks) = locks_taken(S::DEFINITION, &fact) {",
            "        if PLANTED && matches!(fact.kind, FactKind::Cancelled(_)) {
            continue;
        }
        if let Some(locks) = locks_taken(S::DEFINITION, &fact) {",
        )],
        explored: "pair 0 1 0 1",
        found: "is illegal",
    },
    Plant {
        name: "attempts are not counted",
        edits: &[(
            "machine/attempts.rs",
            "Some(Self { made: self.made.checked_add(1)?, phase: Phase::Open, due_ms: None, ..self })",
            "Some(Self { made: self.made.checked_add(u32::from(!PLANTED || self.made == 0))?, phase: Phase::Open, due_ms: None, ..self })",
        )],
        explored: "pair 1 0 0 0",
        found: "`flight` was called more often than its retries allow",
    },
    Plant {
        name: "a compensation that fails often enough counts as done",
        edits: &[(
            "machine/decide.rs",
            "        CallKind::Compensation => FactKind::Compensation(AttemptFact::Failed(failure)),",
            "        CallKind::Compensation if PLANTED && call.attempts.made() > 1 => FactKind::Compensated,
        CallKind::Compensation => FactKind::Compensation(AttemptFact::Failed(failure)),",
        )],
        explored: "pair 2 0 0 0",
        found: "it ended Compensated; in effect are [",
    },
    Plant {
        name: "a compensation that fails stops the others",
        edits: &[(
            "machine/state.rs",
            "                Ok(at) => Ok(Self::backward(at, cause)),
                Err(Rejected(at)) => illegal(Self::Backward(at, cause)),",
            "                Ok(_) if PLANTED => Ok(Self::Compensated(cause)),
                Ok(at) => Ok(Self::backward(at, cause)),
                Err(Rejected(at)) => illegal(Self::Backward(at, cause)),",
        )],
        explored: "pair 2 0 0 0",
        found: "it ended Compensated; in effect are [",
    },
    Plant {
        name: "a branch that fails does not wait for its sibling in flight",
        edits: &[(
            "machine/state.rs",
            "        if at.can_turn() && at.is_open() {",
            "        if !PLANTED && at.can_turn() && at.is_open() {",
        )],
        explored: "trip 1 0 0 0",
        found: "cannot happen in this state of the saga",
    },
    Plant {
        name: "what ends while the saga turns is forgotten",
        edits: &[(
            "coordinator/driver/call.rs",
            "        match settle(&call, settled, self.now()) {",
            "        if PLANTED && matches!(self.state, Some(crate::machine::State::Turning(..))) {
            return self.record(vec![not_sent(&call)]).await;
        }
        match settle(&call, settled, self.now()) {",
        )],
        explored: "pair 0 0 0 1",
        found: "in effect are [",
    },
    Plant {
        name: "a failed commit counts as made",
        edits: &[(
            "coordinator/driver/record.rs",
            "                Err(AppendError::Unavailable(error)) => {
                    error!",
            "                Err(AppendError::Unavailable(_)) if PLANTED => return Ok(None),
                Err(AppendError::Unavailable(error)) => {
                    error!",
        )],
        explored: "pair 0 0 1 0",
        found: "cannot follow",
    },
    Plant {
        name: "a commit that nobody knows of is made twice",
        edits: &[(
            "log/rules.rs",
            "        (None, Some(held)) => judge_next(append, held),",
            "        (None, Some(held)) if PLANTED && held.records.len() as u64 > append.first_seq => {
            Err(conflict(&append.saga, append.first_seq, held.records.len() as u64))
        }
        (None, Some(held)) => judge_next(append, held),",
        )],
        explored: "pair 0 0 1 0",
        found: "cannot follow",
    },
    Plant {
        name: "each attempt has a key of its own",
        edits: &[(
            "context.rs",
            "        let action = Self { items, action_key: key.clone(), key, ..self };",
            "        let key = if PLANTED { IdempotencyKey(format!(\"{key}#{}\", self.attempt).into()) } else { key };
        let action = Self { items, action_key: key.clone(), key, ..self };",
        )],
        explored: "pair 1 0 0 0",
        found: "was called with several keys",
    },
    Plant {
        name: "a compensation has the key of its action",
        edits: &[(
            "context.rs",
            "IdempotencyKey(format!(\"{}.compensate\", self.action_key).into());",
            "IdempotencyKey(format!(\"{}{}\", self.action_key, if PLANTED { \"\" } else { \".compensate\" }).into());",
        )],
        explored: "pair 2 0 0 0",
        found: "were called with the same key",
    },
    Plant {
        name: "the items of a `for` share a key",
        edits: &[(
            "context.rs",
            "IdempotencyKey::action(self.definition, &self.saga, self.step, &items);",
            "IdempotencyKey::action(self.definition, &self.saga, self.step, &if PLANTED { Items::NONE } else { items.clone() });",
        )],
        explored: "order 0 0 0 0",
        found: "with the same key",
    },
    Plant {
        name: "each call is made twice",
        edits: &[(
            "coordinator/driver/mod.rs",
            "                    attempts.push(self.attempt(call)?);",
            "                    if PLANTED {
                        tokio::spawn(self.attempt(call)?);
                    }
                    attempts.push(self.attempt(call)?);",
        )],
        explored: "pair 0 0 0 0",
        found: "nothing went wrong, and `flight` was called again",
    },
    Plant {
        name: "the residue leaves out what is in doubt",
        edits: &[(
            "machine/residue.rs",
            "if failure.kind == FailureKind::Unknown => {",
            "if !PLANTED && failure.kind == FailureKind::Unknown => {",
        )],
        explored: "travel 2 0 0 0",
        found: "holds, and the residue does not say so",
    },
    Plant {
        name: "what is closed by hand has no residue",
        edits: &[(
            "coordinator/driver/operate.rs",
            "        let residue = residue.chain(of_children).collect();",
            "        let residue = residue.chain(of_children).filter(|_| !PLANTED).collect();",
        )],
        explored: "pair 0 0 0 1",
        found: "it ended Closed([]); in effect are [",
    },
    Plant {
        name: "a child is not turned with its parent",
        edits: &[(
            "coordinator/child.rs",
            "    pub(crate) async fn turn(self) -> Ended<String> {",
            "    pub(crate) async fn turn(self) -> Ended<String> {
        if PLANTED {
            return Ended::Settled(Settled::Done(\"null\".to_owned()));
        }",
        )],
        explored: "house 1 0 0 0",
        found: "in effect are [\"room/",
    },
    Plant {
        name: "a back-off never ends",
        edits: &[(
            "coordinator/driver/mod.rs",
            "        let due = back_offs.chain(times).min().filter(",
            "        let due = back_offs.chain(times).min().filter(|_| !PLANTED).filter(",
        )],
        explored: "pair 1 0 0 0",
        found: "it does not end, though nothing goes wrong any more",
    },
];
