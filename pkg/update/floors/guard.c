/* SPDX-License-Identifier: Apache-2.0 */
/* The guard as a chain of steps: facts -> decision -> step -> facts. One step runs at a time.
 *
 * work() asks hf_floor_decide() for the next step and starts it: a job that reads or writes the record, or a call of
 * holdfast-tpm. The end of the step changes the facts, and work() continues. A change of the configuration cancels a
 * call and begins the chain again; a job runs to its end, and its result is dropped.
 *
 * To seal: the TPM seals the key of a record with the next value, a job writes the record durably, and only then the
 * counter is incremented. So a power cut leaves the record at most one ahead of the counter, which the next start
 * mends, and never behind it. A record that the TPM does not open is set aside in `foreign`, and the next best one
 * is tried. While the guard looks again after a failure, the last complete reason stays, so that the status does not
 * alternate.
 *
 * The floors are in memory (floors/book.h). When one rises, a record of all (floors/record.h) is written with the
 * counter's next value; at the start floors/decision.h compares the two. holdfast-tpm (tpm/helper.h) runs again 5 s to
 * 10 min after a failure, and every 5 min while FloorsReplaced or TpmReplaced. */
#include "update/floors/guard.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/encoding/hex.h"
#include "base/parse.h"
#include "tpm/helper.h"
#include "update/floors/book.h"
#include "update/floors/decision.h"
#include "update/floors/record.h"
#include "update/state/journal.h"

#define BEGIN_NS (5 * HF_NS_PER_S)
static const uint64_t program_timeout_ns = 60 * HF_NS_PER_S; /* a slow TPM takes seconds for each of its commands */
static const uint64_t again_cap_ns = 600 * HF_NS_PER_S, replaced_ns = 300 * HF_NS_PER_S;

/* Reads or writes the record. */
struct floor_job {
    struct hf_job job;
    struct hf_floor_guard *guard;
    struct hf_buf text;
    struct hf_floor_record record;
    unsigned changes; /* book.changes at the time of formatting */
    bool writes;
    bool begins;     /* writes the first record */
    bool mends;      /* writes the newest record again */
    bool counts;     /* the increment waits for this write */
    bool outdated;   /* the configuration has changed since, so it may belong to another TPM */
    bool not_copied; /* the copy below an update root was not written; `err` says why */
    struct hf_floor_record_places places;
    int r;
    struct hf_err err;
};

struct hf_floor_guard {
    struct hf_floor_guard_params p;
    unsigned refs; /* the owner, and the job */
    bool closing;
    char tcti[256];
    char *strings[3]; /* copies of strings in p */
    char **roots;     /* copy of p.roots */
    struct hf_floor_book book;
    unsigned sealed_changes; /* book.changes of the floors in the newest record */
    struct hf_floor_facts facts;
    enum hf_reason reason; /* the newest complete answer */
    char message[HF_UPDATE_MAX_MESSAGE];
    char why[200]; /* why the last step failed */
    struct hf_timer *timer;
    bool waits; /* the timer is armed */
    struct hf_backoff backoff;
    uint64_t first;     /* what counter-next said: asking again costs writes in the TPM; 0: unknown */
    struct hf_buf mend; /* text of the newest record, if it is to be written again; otherwise empty */
    struct hf_proc_call *call;
    struct hf_floor_record_foreign foreign; /* records that the TPM did not open since the chain began */
    struct floor_job *job; /* a record that is read or written, or that waits for the TPM to open or seal it */
    bool busy;             /* a call or a job runs */
};

static void work(struct hf_floor_guard *guard);

/* ---- jobs -------------------------------------------------------------------------------------------------------- */

static struct floor_job *job_new(struct hf_floor_guard *guard)
{
    struct floor_job *job = calloc(1, sizeof(*job));

    if (job == NULL)
        return NULL;
    job->guard = guard;
    job->text.max = HF_FLOOR_RECORD_MAX_BYTES;
    return job;
}

static void job_free(struct floor_job *job)
{
    if (job == NULL)
        return;
    hf_buf_done(&job->text);
    free(job);
}

static void drop_job(struct hf_floor_guard *guard)
{
    job_free(hf_steal(guard->job));
}

static void unref(struct hf_floor_guard *guard)
{
    if (--guard->refs > 0)
        return;
    assert(!guard->busy && guard->call == NULL);
    drop_job(guard);
    hf_buf_done(&guard->mend);
    hf_floor_book_done(&guard->book);
    for (size_t i = 0; i < HF_LEN(guard->strings); i++)
        free(guard->strings[i]);
    for (size_t i = 0; guard->roots != NULL && guard->roots[i] != NULL; i++)
        free(guard->roots[i]);
    free(guard->roots);
    free(guard);
}

static struct hf_target target_of(const struct hf_floor_guard *guard)
{
    return (struct hf_target){.fs = guard->p.world.fs,
                              .roots = guard->p.roots,
                              .host_root = guard->p.host_root,
                              .uid = guard->p.uid,
                              .guard = guard->p.uid == 0};
}

static void do_job(struct hf_job *base)
{
    struct floor_job *job = hf_container_of(base, struct floor_job, job);
    const struct hf_floor_guard *guard = job->guard;
    const struct hf_target target = target_of(guard);
    struct hf_err copy_err = HF_ERR_INIT;

    if (!job->writes) {
        job->r = hf_floor_record_load(&target, guard->p.state_dir, &guard->foreign, &job->text, &job->record,
                                      &job->places, &job->err);
        return;
    }
    job->r = hf_floor_record_save(guard->p.world.fs, guard->p.state_dir, hf_buf_view(&job->text), &job->err);
    if (job->r == 0 && hf_floor_record_copy(&target, hf_buf_view(&job->text), &copy_err) < 0) {
        job->not_copied = true;
        job->err = copy_err;
    }
}

static void note_why(struct hf_floor_guard *guard, const struct hf_err *err)
{
    (void)hf_err_text(err, guard->why, sizeof(guard->why));
}

static void loaded(struct hf_floor_guard *guard, struct floor_job *job)
{
    hf_buf_done(&guard->mend);
    guard->facts.unread = job->places.unread;
    if (job->places.unread)
        note_why(guard, &job->err);
    if (job->places.bad)
        hf_log_err(guard->p.world.log, HF_LOG_WARNING, "floors.record_damaged", "folder", guard->p.state_dir,
                   &job->err);
    if (job->r == 0) {
        guard->facts.record = HF_FLOOR_RECORD_CLOSED;
        guard->facts.record_value = job->record.value;
        return;
    }
    enum hf_floor_record_state none = guard->foreign.n > 0 ? HF_FLOOR_RECORD_FOREIGN : HF_FLOOR_RECORD_NONE;
    guard->facts.record = job->r == -ENOENT ? none : HF_FLOOR_RECORD_UNREADABLE;
    if (job->r != -ENOENT)
        note_why(guard, &job->err);
    drop_job(guard);
}

static void written(struct hf_floor_guard *guard, struct floor_job *job)
{
    hf_buf_done(&guard->mend);
    if (job->not_copied || (job->mends && job->r < 0))
        hf_log_err(guard->p.world.log, HF_LOG_WARNING, "floors.record_not_copied", "folder", guard->p.state_dir,
                   &job->err);
    if (job->mends && (job->r == 0 || !job->counts)) {
        guard->facts.durable = job->r == 0;
    } else if (job->r == 0) {
        guard->facts.record = HF_FLOOR_RECORD_OPEN;
        guard->facts.record_value = job->record.value;
        guard->facts.durable = true;
        guard->facts.begins = job->begins;
        guard->sealed_changes = job->changes;
    } else {
        guard->facts.record = HF_FLOOR_RECORD_UNWRITABLE;
        note_why(guard, &job->err);
    }
    drop_job(guard);
}

static void job_done(struct hf_job *base, int cancelled)
{
    struct floor_job *job = hf_container_of(base, struct floor_job, job);
    struct hf_floor_guard *guard = job->guard;

    guard->busy = false;
    if (cancelled)
        job->r = hf_err_set(&job->err, ECANCELED, "the agent ends");
    if (!guard->closing) {
        if (job->outdated)
            drop_job(guard);
        else if (job->writes)
            written(guard, job);
        else
            loaded(guard, job);
        work(guard);
    }
    unref(guard);
}

/* Hands guard->job to a worker. */
static void submit(struct hf_floor_guard *guard)
{
    assert(!guard->busy && !guard->waits && !guard->job->outdated);
    guard->job->job = (struct hf_job){.work = do_job, .done = job_done};
    guard->busy = true;
    guard->refs++;
    if (hf_job_submit(guard->p.world.sched, &guard->job->job) < 0) {
        guard->busy = false;
        guard->refs--;
        guard->facts.record = HF_FLOOR_RECORD_UNREADABLE;
        (void)snprintf(guard->why, sizeof(guard->why), "no worker takes the work");
        drop_job(guard);
    }
}

static void no_memory(struct hf_floor_guard *guard)
{
    guard->facts.record = HF_FLOOR_RECORD_UNREADABLE;
    (void)snprintf(guard->why, sizeof(guard->why), "out of memory");
}

static void load(struct hf_floor_guard *guard)
{
    drop_job(guard);
    guard->job = job_new(guard);
    if (guard->job == NULL)
        no_memory(guard);
    else
        submit(guard);
}

/* ---- the program ------------------------------------------------------------------------------------------------- */

typedef void answer_fn(void *arg, int r, int exit_code, struct hf_view output);

/* Starts the program. `to`: the value of --to, or NULL. */
static void call(struct hf_floor_guard *guard, const char *verb, const char *to, struct hf_view input, answer_fn *done)
{
    bool counts = to != NULL;
    const char *argv[] = {guard->p.program,   verb, "--tcti", guard->tcti, counts ? "--to" : NULL, to, "--state-dir",
                          guard->p.state_dir, NULL};
    const struct hf_proc_request request = {.argv = argv,
                                            .timeout_ns = program_timeout_ns,
                                            .max_output = HF_TPM_LINE_MAX + 1,
                                            .input = input,
                                            .resource = guard->tcti,
                                            .done = done,
                                            .arg = guard};
    struct hf_err err = HF_ERR_INIT;

    if (guard->p.program == NULL) {
        guard->facts.counter = HF_FLOOR_COUNTER_NO_TPM;
        (void)snprintf(guard->why, sizeof(guard->why), HF_TPM_PROGRAM " is not installed beside the agent");
        return;
    }
    assert(!guard->busy && guard->call == NULL);
    int r = guard->p.proc->spawn(guard->p.proc->ctx, &request, &guard->call, &err);
    guard->busy = r == 0;
    if (r < 0) {
        guard->facts.counter = r == -ENOENT ? HF_FLOOR_COUNTER_NO_TPM : HF_FLOOR_COUNTER_FAILED;
        note_why(guard, &err);
    }
}

static enum hf_floor_counter_state state_of(int r, int exit_code)
{
    if (r == -ENOENT || (r == 0 && exit_code == HF_TPM_EXIT_NO_TPM))
        return HF_FLOOR_COUNTER_NO_TPM;
    if (r == 0 && exit_code == HF_TPM_EXIT_LOCKED)
        return HF_FLOOR_COUNTER_LOCKED;
    return r == 0 && exit_code == HF_TPM_EXIT_FULL ? HF_FLOOR_COUNTER_FULL : HF_FLOOR_COUNTER_FAILED;
}

/* The call did not give what was asked. */
static void fail(struct hf_floor_guard *guard, int r, int exit_code, struct hf_view output)
{
    static const char prefix[] = HF_TPM_PROGRAM ": ";
    struct hf_view line = HF_VIEW("");

    guard->facts.counter = state_of(r, exit_code);
    if (r == -ETIMEDOUT)
        (void)snprintf(guard->why, sizeof(guard->why), "the TPM did not answer within 60 s");
    else if (r < 0)
        (void)snprintf(guard->why, sizeof(guard->why), "run " HF_TPM_PROGRAM ": %s", strerror(-r));
    while (r == 0 && hf_view_split(&output, '\n', &line) && !hf_view_starts(line, prefix))
        line = HF_VIEW("");
    if (r == 0 && line.n > strlen(prefix))
        (void)snprintf(guard->why, sizeof(guard->why), "%.*s", (int)HF_MIN(line.n - strlen(prefix), (size_t)180),
                       line.p + strlen(prefix));
    else if (r == 0)
        (void)snprintf(guard->why, sizeof(guard->why), HF_TPM_PROGRAM " ended with %d, and does not say why",
                       exit_code);
    drop_job(guard);
}

static void call_ended(struct hf_floor_guard *guard)
{
    guard->call = NULL;
    guard->busy = false;
}

static bool is_number(int r, int exit_code, struct hf_view output, uint64_t *ret)
{
    struct hf_view line = hf_view_trim(output);
    char digits[24];

    (void)snprintf(digits, sizeof(digits), "%.*s", (int)HF_MIN(line.n, sizeof(digits)), line.p != NULL ? line.p : "");
    return r == 0 && exit_code == HF_TPM_EXIT_OK && line.n < sizeof(digits) &&
           hf_parse_u64(digits, 1, INT64_MAX, ret) == 0;
}

/* The answer of counter-read and counter-step. */
static void counted(void *arg, int r, int exit_code, struct hf_view output)
{
    struct hf_floor_guard *guard = arg;
    struct hf_floor_facts *facts = &guard->facts;

    call_ended(guard);
    if (is_number(r, exit_code, output, &facts->counter_value))
        facts->counter = HF_FLOOR_COUNTER_KNOWN;
    else if (r == 0 && exit_code == HF_TPM_EXIT_OK && hf_view_eq(hf_view_trim(output), HF_TPM_ABSENT))
        facts->counter = HF_FLOOR_COUNTER_ABSENT;
    else
        fail(guard, r, exit_code, output);
    work(guard);
}

/* ---- open -------------------------------------------------------------------------------------------------------- */

/* The TPM has opened the record: its floors count. */
static void take_record(struct hf_floor_guard *guard)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_FLOOR_BOOK_MAX_BYTES);
    struct hf_view sealed = guard->job->record.floors;
    struct hf_err err = HF_ERR_INIT;

    assert(guard->facts.record == HF_FLOOR_RECORD_CLOSED && guard->facts.record_value == guard->job->record.value);
    int raised = hf_floor_book_add(&guard->book, sealed, &err);

    guard->facts.record = HF_FLOOR_RECORD_OPEN;
    guard->facts.durable = guard->facts.begins = false;
    if (raised < 0)
        hf_log_err(guard->p.world.log, HF_LOG_ERROR, "floors.record_not_used", "folder", guard->p.state_dir, &err);
    else if (raised > 0)
        hf_log(guard->p.world.log, HF_LOG_WARNING, "floors.restored", HF_D("floors", raised));
    bool same = hf_floor_book_format(&guard->book, &text) == 0 && text.n == sealed.n &&
                (text.n == 0 || memcmp(text.p, sealed.p, text.n) == 0);
    guard->sealed_changes = same ? guard->book.changes : guard->book.changes - 1;
    bool counted =
        guard->facts.counter == HF_FLOOR_COUNTER_KNOWN && guard->facts.record_value <= guard->facts.counter_value;
    if (guard->job->places.incomplete || !counted) {
        guard->mend = guard->job->text;
        guard->job->text = (struct hf_buf)HF_BUF_INIT(HF_FLOOR_RECORD_MAX_BYTES);
    }
}

/* Writes the newest record again: before the increment, to make it durable (`counts`), and at rest, so that damages of
 * single places do not add up. */
static void mend(struct hf_floor_guard *guard, bool counts)
{
    struct floor_job *job = guard->mend.n > 0 ? job_new(guard) : NULL;

    if (job == NULL && counts)
        no_memory(guard);
    if (job == NULL)
        return;
    drop_job(guard);
    guard->job = job;
    job->text = guard->mend;
    job->writes = job->mends = true;
    job->counts = counts;
    guard->mend = (struct hf_buf)HF_BUF_INIT(HF_FLOOR_RECORD_MAX_BYTES);
    submit(guard);
}

static void opened(void *arg, int r, int exit_code, struct hf_view output)
{
    struct hf_floor_guard *guard = arg;
    struct hf_view line = hf_view_trim(output);
    unsigned char key[HF_FLOOR_RECORD_KEY];
    char hex[2 * HF_FLOOR_RECORD_KEY + 1];

    call_ended(guard);
    hf_floor_record_key(guard->job->record.value, guard->job->record.floors, key);
    if (r == 0 && exit_code == HF_TPM_EXIT_OK && hf_view_eq(line, hf_hex_encode(key, sizeof(key), hex))) {
        take_record(guard);
    } else if (r == 0 && (exit_code == HF_TPM_EXIT_OK || exit_code == HF_TPM_EXIT_FOREIGN ||
                          exit_code == HF_TPM_EXIT_PCRS || exit_code == HF_TPM_EXIT_USAGE)) {
        hf_log(guard->p.world.log, HF_LOG_WARNING, "floors.record_foreign", HF_D("value", guard->job->record.value),
               HF_D("exit", exit_code));
        hf_floor_record_add_foreign(&guard->foreign, hf_buf_view(&guard->job->text));
        bool full = guard->foreign.n == HF_FLOOR_RECORD_MAX_FOREIGN;
        guard->facts.record = full ? HF_FLOOR_RECORD_FOREIGN : HF_FLOOR_RECORD_UNREAD; /* look for another one */
    } else {
        fail(guard, r, exit_code, output);
    }
    drop_job(guard);
    work(guard);
}

/* ---- seal -------------------------------------------------------------------------------------------------------- */

static bool is_hex(struct hf_view text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] == '\0' || strchr("0123456789abcdef", text.p[i]) == NULL)
            return false;
    return text.n > 0 && text.n < HF_TPM_LINE_MAX;
}

/* The TPM has sealed guard->job->record: write it. */
static void sealed(void *arg, int r, int exit_code, struct hf_view output)
{
    struct hf_floor_guard *guard = arg;
    struct floor_job *job = guard->job;

    call_ended(guard);
    assert(!job->writes && !job->mends); /* sealed first, then written, then counted */
    if (r < 0 || exit_code != HF_TPM_EXIT_OK || !is_hex(hf_view_trim(output))) {
        fail(guard, r, exit_code, output);
        work(guard);
        return;
    }
    _cleanup_(hf_buf_done) struct hf_buf floors = job->text;
    job->text = (struct hf_buf)HF_BUF_INIT(HF_FLOOR_RECORD_MAX_BYTES);
    job->record.blob = hf_view_trim(output);
    job->record.floors = hf_buf_view(&floors);
    job->writes = true;
    if (hf_floor_record_format(&job->record, &job->text) == 0) {
        submit(guard);
    } else {
        no_memory(guard);
        drop_job(guard);
    }
    work(guard);
}

/* Has the TPM seal the floors of the book with this value of the counter. `begins`: it is the first record. */
static void seal(struct hf_floor_guard *guard, uint64_t value, bool begins)
{
    unsigned char key[HF_FLOOR_RECORD_KEY];
    char hex[2 * HF_FLOOR_RECORD_KEY + 1];
    struct floor_job *job = job_new(guard);

    drop_job(guard);
    guard->job = job;
    if (job == NULL || hf_floor_book_format(&guard->book, &job->text) < 0) {
        no_memory(guard);
        drop_job(guard);
        return;
    }
    job->record.value = value;
    job->changes = guard->book.changes;
    job->begins = begins;
    hf_floor_record_key(value, hf_buf_view(&job->text), key);
    call(guard, "seal", NULL, hf_view_of(hf_hex_encode(key, sizeof(key), hex)), sealed);
}

static void first_known(void *arg, int r, int exit_code, struct hf_view output)
{
    struct hf_floor_guard *guard = arg;
    uint64_t value;

    call_ended(guard);
    if (is_number(r, exit_code, output, &value)) {
        guard->first = value;
        seal(guard, value, true);
    } else {
        fail(guard, r, exit_code, output);
    }
    work(guard);
}

/* ---- the chain --------------------------------------------------------------------------------------------------- */

static void begin_again(struct hf_floor_guard *guard)
{
    guard->foreign.n = 0;
    guard->facts.record = HF_FLOOR_RECORD_UNREAD;
    guard->facts.counter = HF_FLOOR_COUNTER_UNASKED;
    work(guard);
}

static void on_timer(void *arg)
{
    struct hf_floor_guard *guard = arg;

    assert(!guard->busy && guard->call == NULL);
    guard->waits = false;
    begin_again(guard);
}

static void wait_and_begin_again(struct hf_floor_guard *guard, enum hf_reason reason)
{
    bool replaced = reason == HF_R_FloorsReplaced || reason == HF_R_TpmReplaced;

    if (guard->waits)
        return;
    guard->waits = true;
    uint64_t wait_ns = replaced ? replaced_ns : hf_backoff_next_ns(&guard->backoff, guard->p.world.rng, 0);
    hf_timer_arm(guard->p.world.sched, guard->timer, wait_ns);
}

static void describe(struct hf_floor_guard *guard, enum hf_reason reason)
{
    const struct hf_floor_facts *facts = &guard->facts;
    const char *accept = "if you trust what is installed on this node, run 'holdfast-tpm accept-floors' on it";
    size_t n = sizeof(guard->message);

    if (reason == HF_R_FloorsReplaced && facts->record == HF_FLOOR_RECORD_OPEN)
        (void)snprintf(guard->message, n,
                       "the floors on this disk belong to value %" PRIu64 " of the TPM's counter, which is at %" PRIu64
                       ": %s",
                       facts->record_value, facts->counter_value, accept);
    else if (reason == HF_R_FloorsReplaced)
        (void)snprintf(guard->message, n, "the TPM's counter is at %" PRIu64 ", and the record of the floors %s: %s",
                       facts->counter_value,
                       facts->record == HF_FLOOR_RECORD_NONE ? "is gone" : "is not one that this TPM has sealed",
                       accept);
    else if (reason == HF_R_TpmReplaced || reason == HF_R_FloorsPending)
        (void)snprintf(guard->message, n, "%s", hf_reason_meaning(reason));
    else
        (void)snprintf(guard->message, n, "tpm.floors of agent.yaml is on: %s", guard->why);
}

/* Makes an answer that is complete the answer of the guard. While the guard looks again, the last one stays. */
static void publish(struct hf_floor_guard *guard, enum hf_reason reason, enum hf_floor_step step)
{
    bool complete = step == HF_FLOOR_STEP_REST || step == HF_FLOOR_STEP_AGAIN;
    enum hf_reason before = guard->reason;

    if (!complete && before != HF_R_None)
        return;
    guard->reason = reason;
    if (reason != HF_R_None)
        describe(guard, reason);
    if (reason == before)
        return;
    if (complete && reason == HF_R_None)
        hf_log(guard->p.world.log, HF_LOG_INFO, "floors.known");
    else if (complete)
        hf_log(guard->p.world.log, hf_reason_level(HF_PHASE_WAITING, reason), "floors.wait",
               HF_S("reason", hf_reason_name(reason)), HF_S("message", guard->message));
    if (guard->p.changed != NULL)
        guard->p.changed(guard->p.arg);
}

static void take_step(struct hf_floor_guard *guard, enum hf_floor_step step, enum hf_reason reason)
{
    char blob[HF_TPM_LINE_MAX], to[24];

    switch (step) {
    case HF_FLOOR_STEP_REST:
        hf_backoff_reset(&guard->backoff);
        mend(guard, false);
        break;
    case HF_FLOOR_STEP_LOAD:
        load(guard);
        break;
    case HF_FLOOR_STEP_READ:
        call(guard, "counter-read", NULL, HF_VIEW(""), counted);
        break;
    case HF_FLOOR_STEP_OPEN:
        (void)snprintf(blob, sizeof(blob), "%.*s", (int)guard->job->record.blob.n, guard->job->record.blob.p);
        call(guard, "unseal", NULL, hf_view_of(blob), opened);
        break;
    case HF_FLOOR_STEP_FIRST:
        if (guard->first != 0)
            seal(guard, guard->first, true);
        else
            call(guard, "counter-next", NULL, HF_VIEW(""), first_known);
        break;
    case HF_FLOOR_STEP_SEAL:
        assert(guard->facts.counter == HF_FLOOR_COUNTER_KNOWN);
        seal(guard, guard->facts.counter_value + 1, false);
        break;
    case HF_FLOOR_STEP_WRITE:
        mend(guard, true);
        break;
    case HF_FLOOR_STEP_COUNT:
        /* The counter follows a record that is on the disk: the other way round a cut would leave no record of it. */
        assert(guard->facts.record == HF_FLOOR_RECORD_OPEN && guard->facts.durable);
        assert(guard->facts.counter == HF_FLOOR_COUNTER_ABSENT ||
               guard->facts.record_value == guard->facts.counter_value + 1);
        guard->first = 0;
        (void)snprintf(to, sizeof(to), "%" PRIu64, guard->facts.record_value);
        call(guard, "counter-step", to, HF_VIEW(""), counted);
        break;
    case HF_FLOOR_STEP_AGAIN:
        wait_and_begin_again(guard, reason);
        break;
    }
}

/* Decides and steps until a step has to wait. A step that fails at once changes the facts, and the next step is then
 * AGAIN, which waits. */
static void work(struct hf_floor_guard *guard)
{
    enum hf_floor_step step = HF_FLOOR_STEP_LOAD;

    while (!guard->busy && !guard->waits && !guard->closing && step != HF_FLOOR_STEP_REST) {
        guard->facts.unsealed = guard->book.changes != guard->sealed_changes;
        enum hf_reason reason = hf_floor_decide(&guard->facts, &step);
        publish(guard, reason, step);
        take_step(guard, step, reason);
    }
}

/* ---- the interface ----------------------------------------------------------------------------------------------- */

static int keep_params(struct hf_floor_guard *guard)
{
    const char **strings[] = {&guard->p.state_dir, &guard->p.host_root, &guard->p.program};
    const char *const *roots = guard->p.roots;
    size_t n = 0;

    for (size_t i = 0; i < HF_LEN(strings); i++) {
        if (*strings[i] == NULL)
            continue;
        guard->strings[i] = strdup(*strings[i]);
        *strings[i] = guard->strings[i];
        if (*strings[i] == NULL)
            return -ENOMEM;
    }
    while (roots != NULL && roots[n] != NULL)
        n++;
    guard->roots = calloc(n + 1, sizeof(*guard->roots));
    guard->p.roots = (const char *const *)guard->roots;
    for (size_t i = 0; guard->roots != NULL && i < n; i++) {
        guard->roots[i] = strdup(roots[i]);
        if (guard->roots[i] == NULL)
            return -ENOMEM;
    }
    return guard->roots != NULL ? 0 : -ENOMEM;
}

int hf_floor_guard_new(const struct hf_floor_guard_params *params, struct hf_floor_guard **ret_guard)
{
    struct hf_floor_guard *guard = calloc(1, sizeof(*guard));

    if (guard == NULL)
        return -ENOMEM;
    guard->p = *params;
    guard->refs = 1;
    guard->book = (struct hf_floor_book)HF_FLOOR_BOOK_INIT;
    guard->backoff = (struct hf_backoff){.base_ns = BEGIN_NS, .cap_ns = again_cap_ns, .floor_ns = BEGIN_NS};
    guard->timer = hf_timer_new(params->world.sched, on_timer, guard);
    if (guard->timer == NULL || keep_params(guard) < 0) {
        hf_timer_free(params->world.sched, guard->timer);
        unref(guard);
        return -ENOMEM;
    }
    *ret_guard = guard;
    return 0;
}

static void cancel_call(struct hf_floor_guard *guard)
{
    if (guard->call == NULL)
        return;
    guard->p.proc->cancel(guard->p.proc->ctx, guard->call);
    call_ended(guard);
}

void hf_floor_guard_free(struct hf_floor_guard *guard)
{
    if (guard == NULL)
        return;
    guard->closing = true;
    cancel_call(guard);
    hf_timer_free(guard->p.world.sched, guard->timer);
    guard->timer = NULL;
    unref(guard);
}

void hf_floor_guard_configure(struct hf_floor_guard *guard, bool on, const char *tcti)
{
    if (guard->facts.on == on && strcmp(guard->tcti, tcti) == 0)
        return;
    cancel_call(guard); /* a job runs to its end, and the chain goes on from there */
    if (guard->job != NULL)
        guard->job->outdated = true;
    guard->first = 0; /* the other TPM has other counters */
    (void)snprintf(guard->tcti, sizeof(guard->tcti), "%s", tcti);
    hf_timer_disarm(guard->p.world.sched, guard->timer);
    guard->waits = false;
    guard->facts.on = on;
    hf_backoff_reset(&guard->backoff);
    guard->reason = on && guard->busy ? HF_R_FloorsPending : HF_R_None; /* work() decides nothing while a job runs */
    if (guard->reason != HF_R_None)
        describe(guard, guard->reason);
    begin_again(guard);
}

void hf_floor_guard_join(struct hf_floor_guard *guard, const char *kind, const char *name,
                         struct hf_sequence_history *history)
{
    struct hf_err err = HF_ERR_INIT;
    char key[2 * HF_API_MAX_NAME];

    if (guard == NULL)
        return;
    (void)snprintf(key, sizeof(key), "%s/%s", kind, name);
    int r = hf_floor_book_join(&guard->book, key, history);
    if (r < 0) {
        (void)hf_err_sys(&err, r, "keep the floor");
        hf_log_err(guard->p.world.log, HF_LOG_ERROR, "floors.not_kept", "name", key, &err);
    } else if (r > 0 && guard->facts.on && !guard->busy && !guard->waits && guard->reason == HF_R_None) {
        begin_again(guard); /* somebody may have used the counter since */
    }
}

enum hf_reason hf_floor_guard_ask(const struct hf_floor_guard *guard, const char **ret_message)
{
    enum hf_reason reason = guard != NULL && guard->facts.on ? guard->reason : HF_R_None;

    *ret_message = guard != NULL ? guard->message : "";
    return reason;
}
