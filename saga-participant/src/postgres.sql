-- What a service remembers of the calls of sagas: one row per action.
CREATE TABLE IF NOT EXISTS saga_barrier (
    -- The action's idempotency key. Its compensation and its probes use the same row.
    key          TEXT COLLATE "C" PRIMARY KEY,
    -- The saga that calls, if it says so.
    saga         TEXT,
    -- done: with `answer`. refused: with `answer`. barred: a probe found nothing, and attempts up to `attempt` will
    -- never be done. tombstone: compensated before anything was done. undone: done, then compensated.
    -- open: the work is going on; never seen from another transaction.
    state        TEXT NOT NULL CHECK (state IN ('open', 'done', 'refused', 'barred', 'tombstone', 'undone')),
    -- A hash of the action's request, and its answer or refusal as JSON.
    request      BIGINT,
    answer       TEXT,
    attempt      BIGINT,
    -- The same of the compensation.
    undo_request BIGINT,
    undo_answer  TEXT,
    -- When the row may go, in seconds since 1970. NULL: not until its saga has ended.
    expires      BIGINT
);
CREATE INDEX IF NOT EXISTS saga_barrier_of_saga ON saga_barrier (saga) WHERE saga IS NOT NULL;
CREATE INDEX IF NOT EXISTS saga_barrier_by_expiry ON saga_barrier (expires) WHERE expires IS NOT NULL;
