/* SPDX-License-Identifier: Apache-2.0 */
/* The guard of the floors with a disk and a TPM that exist only in this test: first start, rises, replaced disks, and a power cut at each
 * call of the disk and of the TPM. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/parse.h"
#include "support/check_main.h"
#include "support/fakes/simfs.h"
#include "support/fakes/simloop.h"
#include "tpm/helper.h"
#include "update/floors/guard.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define STATE "/var/lib/holdfast"

/* A TPM: a counter, and the number that its sealed keys carry. */
static struct {
    uint64_t counter, highest; /* counter: 0 if there is none */
    unsigned seed;
    int exit_code; /* of every call; 0: the TPM works */
    bool hangs;    /* no call is answered */
    bool stuck;    /* a call of before hangs, so none starts */
    unsigned calls, writes;
    unsigned cut_at; /* number of the half call at which the power goes; 0: none */
    unsigned halves; /* half calls so far: one before, one after what a call does */
    bool cut;
    bool has_orphan;    /* an increment for an earlier life of the agent is still to come, up to `orphan_to` */
    uint64_t orphan_to; /* 0: it compares nothing */
} tpm;

static struct hf_simloop *loop;
static struct hf_simproc *proc;
static struct hf_simfs *disk;
static struct hf_floor_guard *guard;
static unsigned changes;

/* ---- the program ------------------------------------------------------------------------------------------------- */

struct hf_proc_call {
    struct hf_timer *timer;
    char verb[20], input[2 * HF_TPM_KEY_BYTES + 40];
    uint64_t to; /* value of --to; 0: there is none */
    void (*done)(void *arg, int r, int exit_code, struct hf_view output);
    void *arg;
};

static bool power_goes(void)
{
    tpm.cut = tpm.cut || ++tpm.halves == tpm.cut_at;
    return tpm.cut;
}

static void increment(uint64_t to)
{
    if (tpm.counter != 0 && to != 0 && tpm.counter + 1 != to)
        return;
    tpm.counter = ++tpm.highest;
    tpm.writes++;
}

static int answer(const struct hf_proc_call *call, char text[200])
{
    unsigned seed;
    int at = 0;

    if (strcmp(call->verb, "counter-read") == 0) {
        (void)snprintf(text, 200, tpm.counter != 0 ? "%" PRIu64 "\n" : HF_TPM_ABSENT "\n", tpm.counter);
        if (tpm.has_orphan)
            increment(tpm.orphan_to);
        tpm.has_orphan = false;
    } else if (strcmp(call->verb, "counter-next") == 0) {
        tpm.highest += tpm.counter == 0;
        tpm.writes += tpm.counter == 0;
        (void)snprintf(text, 200, "%" PRIu64 "\n", tpm.highest + 1);
    } else if (strcmp(call->verb, "counter-step") == 0) {
        increment(call->to);
        (void)snprintf(text, 200, "%" PRIu64 "\n", tpm.counter);
    } else if (strcmp(call->verb, "seal") == 0) {
        (void)snprintf(text, 200, "%08x%s\n", tpm.seed, call->input);
    } else {
        ck_assert_str_eq(call->verb, "unseal");
        if (sscanf(call->input, "%8x%n", &seed, &at) != 1 || seed != tpm.seed || at != 8)
            return HF_TPM_EXIT_FOREIGN;
        (void)snprintf(text, 200, "%s\n", call->input + at);
    }
    return HF_TPM_EXIT_OK;
}

static void call_free(struct hf_proc_call *call)
{
    hf_timer_free(hf_simproc_sched(proc), call->timer);
    free(call);
}

static void on_call(void *arg)
{
    struct hf_proc_call *call = arg, copy = *call;
    char text[200] = HF_TPM_PROGRAM ": the TPM is tired\n";
    int exit_code = tpm.exit_code;

    if (tpm.hangs || power_goes()) {
        tpm.has_orphan = tpm.cut && strcmp(call->verb, "counter-step") == 0;
        tpm.orphan_to = call->to;
        return; /* the call stays open, until a cancel */
    }
    if (exit_code == HF_TPM_EXIT_OK)
        exit_code = answer(call, text);
    if (power_goes())
        return;
    call_free(call);
    copy.done(copy.arg, 0, exit_code, hf_view_of(text));
}

static int spawn(void *ctx, const struct hf_proc_request *request, struct hf_proc_call **ret_call, struct hf_err *err)
{
    struct hf_proc_call *call = calloc(1, sizeof(*call));
    const struct hf_sched_ops *sched = hf_simproc_sched(proc);

    (void)ctx;
    ck_assert_str_eq(request->argv[2], "--tcti");
    ck_assert_str_eq(request->resource, request->argv[3]);
    tpm.calls++;
    if (tpm.stuck) {
        free(call);
        return hf_err_set(err, EBUSY, "process 5 hangs");
    }
    (void)snprintf(call->verb, sizeof(call->verb), "%s", request->argv[1]);
    (void)snprintf(call->input, sizeof(call->input), "%.*s", (int)request->input.n, request->input.p);
    for (const char *const *word = request->argv; *word != NULL; word++)
        if (strcmp(*word, "--to") == 0)
            ck_assert_int_eq(hf_parse_u64(word[1], 1, INT64_MAX, &call->to), 0);
    call->done = request->done;
    call->arg = request->arg;
    call->timer = hf_timer_new(sched, on_call, call);
    hf_timer_arm(sched, call->timer, HF_NS_PER_MS);
    *ret_call = call;
    return 0;
}

static void cancel(void *ctx, struct hf_proc_call *call)
{
    (void)ctx;
    call_free(call);
}

static const struct hf_proc_ops program = {.spawn = spawn, .cancel = cancel};

/* ---- lives of the agent ------------------------------------------------------------------------------------------ */

static void changed(void *arg)
{
    (void)arg;
    changes++;
}

static const char *roots[3];

static void boot(void)
{
    proc = hf_simproc_new(loop, "node");
    const struct hf_floor_guard_params params = {.world = hf_simproc_world(proc, hf_simfs_ops(disk)),
                                                 .proc = &program,
                                                 .state_dir = STATE,
                                                 .roots = roots,
                                                 .uid = 1000,
                                                 .program = "/usr/bin/holdfast-tpm",
                                                 .changed = changed};
    ck_assert_int_eq(hf_floor_guard_new(&params, &guard), 0);
}

static void shut_down(void)
{
    hf_floor_guard_free(guard);
    guard = NULL;
    hf_simproc_kill(proc);
    hf_simproc_free(proc);
    proc = NULL;
}

static void set_up(void)
{
    memset(&tpm, 0, sizeof(tpm));
    roots[0] = "/opt";
    roots[1] = NULL;
    tpm.seed = 7;
    tpm.highest = 40; /* other programs have counted */
    loop = hf_simloop_new(1);
    disk = hf_simfs_new();
    hf_simfs_mkdir(disk, STATE, 0700);
    hf_simfs_mkdir(disk, "/opt", 0755);
    boot();
}

static void tear_down(void)
{
    shut_down();
    hf_simfs_free(disk);
    hf_simloop_free(loop);
}

static enum hf_reason reason(void)
{
    const char *message;
    enum hf_reason is = hf_floor_guard_ask(guard, &message);

    ck_assert_msg(is == HF_R_None || message[0] != '\0', "%s has no message", hf_reason_name(is));
    return is;
}

static bool is_known(void *arg)
{
    (void)arg;
    return reason() == HF_R_None;
}

static void switch_on(void)
{
    hf_floor_guard_configure(guard, true, "device:/dev/tpmrm0");
}

static uint64_t join(uint64_t sequence)
{
    struct hf_sequence_history history = {.top = {sequence, A}, .current = {sequence, A}};

    hf_floor_guard_join(guard, "release", "app", &history);
    return history.top.sequence;
}

static void expect(enum hf_reason want)
{
    (void)hf_simloop_run_for(loop, 1 * HF_NS_PER_S);
    ck_assert_msg(reason() == want, "%s, not %s", hf_reason_name(reason()), hf_reason_name(want));
}

static void heals(void)
{
    ck_assert_msg(hf_simloop_run_until(loop, is_known, NULL, 1800 * HF_NS_PER_S), "still %s", hf_reason_name(reason()));
}

/* ---- tests ------------------------------------------------------------------------------------------------------- */

START_TEST(off_by_default)
{
    expect(HF_R_None);
    ck_assert_uint_eq(join(5), 5);
    ck_assert_uint_eq(join(3), 5);
    expect(HF_R_None);
    ck_assert_uint_eq(tpm.calls, 0);
    ck_assert(!hf_simfs_stat(disk, STATE "/floor-record.0", &(struct stat){.st_uid = 0}));
    ck_assert(hf_floor_guard_ask(NULL, &(const char *){NULL}) == HF_R_None);
}
END_TEST

START_TEST(first_start_and_rises)
{
    switch_on();
    ck_assert_int_eq(reason(), HF_R_FloorsPending);
    expect(HF_R_None);
    ck_assert_uint_eq(tpm.counter, 42); /* 41 was the one that showed the first value */
    (void)join(5);
    ck_assert_int_eq(reason(), HF_R_FloorsPending);
    expect(HF_R_None);
    ck_assert_uint_eq(tpm.counter, 43);
    unsigned writes = tpm.writes, calls = tpm.calls;
    (void)join(5);
    (void)join(4);
    (void)hf_simloop_run_for(loop, 86400 * HF_NS_PER_S);
    ck_assert(tpm.writes == writes && tpm.calls == calls);
    for (int i = 0; i < 3; i++) {
        shut_down();
        boot();
        (void)join(5);
        switch_on();
        expect(HF_R_None);
    }
    ck_assert_uint_eq(tpm.writes, writes);
    shut_down();
    boot(); /* the state of the updates is lost, the record is not */
    switch_on();
    expect(HF_R_None);
    ck_assert_uint_eq(join(1), 5);
}
END_TEST

static void copy_file(struct hf_simfs *from, struct hf_simfs *to, const char *path)
{
    size_t n;
    const void *bytes = hf_simfs_get(from, path, &n);

    ck_assert_ptr_nonnull(bytes);
    hf_simfs_put(to, path, bytes, n, 0600);
}

static bool same_file(struct hf_simfs *image, const char *path)
{
    size_t n, m;
    const void *a = hf_simfs_get(disk, path, &n), *b = hf_simfs_get(image, path, &m);

    return n == m && memcmp(a, b, n) == 0;
}

static const char *const places[] = {STATE "/floor-record.0", STATE "/floor-record.1",
                                     "/opt/.holdfast-floors/FloorRecord"};

START_TEST(older_record)
{
    struct hf_simfs *image = hf_simfs_new();

    (void)join(5);
    switch_on();
    expect(HF_R_None);
    for (size_t i = 0; i < HF_LEN(places); i++)
        copy_file(disk, image, places[i]);
    (void)join(6);
    expect(HF_R_None);
    shut_down();
    for (size_t i = 0; i + 1 < HF_LEN(places); i++)
        copy_file(image, disk, places[i]);
    boot(); /* one place has the newest: nothing is lost */
    (void)join(5);
    switch_on();
    expect(HF_R_None);
    ck_assert_uint_eq(join(5), 6);
    ck_assert(!same_file(image, places[0]) && !same_file(image, places[1])); /* they have the newest again */
    shut_down();
    for (size_t i = 0; i < HF_LEN(places); i++)
        copy_file(image, disk, places[i]);
    boot();
    (void)join(5);
    switch_on();
    expect(HF_R_FloorsReplaced);
    (void)join(7); /* whatever rises now */
    (void)hf_simloop_run_for(loop, 86400 * HF_NS_PER_S);
    expect(HF_R_FloorsReplaced);
    hf_simfs_free(image);
}
END_TEST

/* Two copies, as after a time in which the first root was away, make up for no file: the next start writes it again. */
START_TEST(a_file_is_missing)
{
    size_t n;

    (void)join(5);
    switch_on();
    expect(HF_R_None);
    shut_down();
    roots[1] = "/srv";
    hf_simfs_mkdir(disk, "/srv/.holdfast-floors", 0700);
    const char *copy = hf_simfs_get(disk, places[2], &n);
    hf_simfs_put(disk, "/srv/.holdfast-floors/FloorRecord", copy, n, 0600);
    hf_simfs_delete(disk, places[_i]);
    boot();
    (void)join(5);
    switch_on();
    expect(HF_R_None);
    ck_assert(hf_simfs_stat(disk, places[_i], &(struct stat){.st_uid = 0}));
}
END_TEST

START_TEST(lost_record)
{
    (void)join(5);
    switch_on();
    expect(HF_R_None);
    shut_down();
    for (size_t i = 0; i < HF_LEN(places); i++)
        hf_simfs_delete(disk, places[i]);
    boot();
    switch_on();
    expect(HF_R_FloorsReplaced);
    unsigned before = changes;
    (void)hf_simloop_run_for(loop, 86400 * HF_NS_PER_S);
    ck_assert_uint_eq(changes, before); /* it looks again, and the answer does not waver */
    ck_assert_uint_gt(tpm.calls, 100);
    ck_assert_uint_lt(tpm.calls, 1000);
}
END_TEST

START_TEST(other_tpm)
{
    (void)join(5);
    switch_on();
    expect(HF_R_None);
    shut_down();
    tpm.seed++;
    tpm.counter = 0;
    boot();
    switch_on();
    expect(HF_R_TpmReplaced);
    shut_down();
    tpm.counter = 43;
    boot();
    switch_on();
    expect(HF_R_FloorsReplaced);
}
END_TEST

START_TEST(tpm_fails_and_heals)
{
    static const struct {
        int exit_code;
        enum hf_reason reason;
    } fails[] = {{HF_TPM_EXIT_NO_TPM, HF_R_TpmMissing},
                 {HF_TPM_EXIT_LOCKED, HF_R_TpmLocked},
                 {HF_TPM_EXIT_FULL, HF_R_TpmFull},
                 {HF_TPM_EXIT_FAILED, HF_R_TpmFailed},
                 {139, HF_R_TpmFailed}};

    tpm.exit_code = fails[_i].exit_code;
    switch_on();
    expect(fails[_i].reason);
    (void)hf_simloop_run_for(loop, 86400 * HF_NS_PER_S);
    ck_assert_uint_lt(tpm.calls, 500);
    expect(fails[_i].reason);
    tpm.exit_code = 0;
    heals();
    (void)join(5);
    expect(HF_R_None);
    tpm.exit_code = fails[_i].exit_code; /* in the middle of a life, it shows with the next floor */
    expect(HF_R_None);
    (void)join(6);
    expect(fails[_i].reason);
    tpm.exit_code = 0;
    heals();
    ck_assert_uint_eq(tpm.counter, 44);
}
END_TEST

/* A disk that takes no record does not wear the TPM out. */
START_TEST(full_disk)
{
    hf_simfs_count_only(disk, HF_SIMFS_GROWS);
    hf_simfs_fail_at(disk, 1, ENOSPC, 0);
    switch_on();
    expect(HF_R_StateNotWritable);
    (void)hf_simloop_run_for(loop, 10 * 86400 * HF_NS_PER_S);
    ck_assert_uint_le(tpm.writes, 1);
    hf_simfs_fail_at(disk, 0, 0, 0);
    heals();
}
END_TEST

START_TEST(hanging_tpm)
{
    tpm.hangs = true;
    switch_on();
    expect(HF_R_FloorsPending);
    (void)join(5);
    hf_floor_guard_configure(guard, false, "device:/dev/tpmrm0");
    expect(HF_R_None);
    tpm.hangs = false;
    switch_on();
    expect(HF_R_None);
    ck_assert_uint_eq(tpm.counter, 42);
}
END_TEST

/* A program that cannot be killed hangs in the driver of the TPM. */
START_TEST(stuck_program)
{
    const char *message;

    tpm.stuck = true;
    switch_on();
    expect(HF_R_TpmFailed);
    (void)hf_floor_guard_ask(guard, &message);
    ck_assert_msg(strstr(message, "process 5 hangs") != NULL, "%s", message);
    (void)hf_simloop_run_for(loop, 86400 * HF_NS_PER_S);
    ck_assert_uint_lt(tpm.calls, 500);
    expect(HF_R_TpmFailed);
    tpm.stuck = false;
    heals();
}
END_TEST

/* One life: the option is switched on, and the floor rises from 5 to 6. True: nothing cut it short. */
static bool live(void)
{
    (void)join(5);
    switch_on();
    (void)hf_simloop_run_for(loop, 1 * HF_NS_PER_S);
    if (hf_simfs_stopped(disk) || tpm.cut)
        return false;
    ck_assert_int_eq(reason(), HF_R_None);
    (void)join(6);
    (void)hf_simloop_run_for(loop, 1 * HF_NS_PER_S);
    return !hf_simfs_stopped(disk) && !tpm.cut;
}

static void cut_and_go_on(uint64_t seed, uint64_t sequence)
{
    shut_down();
    hf_simfs_power_cut(disk, seed);
    tpm.cut = tpm.has_orphan = false;
    tpm.cut_at = 0;
    boot();
    (void)join(sequence);
    switch_on();
    (void)hf_simloop_run_for(loop, 1 * HF_NS_PER_S);
    ck_assert_msg(reason() == HF_R_None, "seed %" PRIu64 ": an honest node is locked out: %s", seed,
                  hf_reason_name(reason()));
    (void)join(6);
    expect(HF_R_None);
    uint64_t counter = tpm.counter;
    shut_down();
    boot();
    switch_on(); /* and now the record alone has the floor */
    expect(HF_R_None);
    ck_assert_uint_eq(join(1), 6);
    ck_assert_uint_eq(tpm.counter, counter);
}

START_TEST(cut_at_each_call_of_the_disk)
{
    bool whole = false;
    uint64_t n = 1;

    for (; !whole; n++)
        for (uint64_t seed = 0; seed < 6; seed++) {
            hf_simfs_stop_at(disk, n);
            whole = live();
            hf_simfs_stop_at(disk, 0);
            cut_and_go_on(seed, seed % 2 == 0 ? 5 : 6);
            tear_down();
            set_up();
        }
    ck_assert_uint_gt(n, 60);
}
END_TEST

START_TEST(cut_at_each_call_of_the_tpm)
{
    bool whole = false;
    unsigned n = 1;

    for (; !whole; n++)
        for (uint64_t seed = 0; seed < 6; seed++) {
            tpm.cut_at = n;
            whole = live();
            cut_and_go_on(seed, seed % 2 == 0 ? 5 : 6);
            tear_down();
            set_up();
        }
    ck_assert_uint_gt(n, 16);
}
END_TEST

/* kill -9 at call n of the disk, and in the next life the power goes at half call m of the TPM. Returns true if neither
 * cut a life short. */
static bool kill_and_cut(uint64_t n, unsigned m, uint64_t seed)
{
    hf_simfs_stop_at(disk, n);
    bool whole = live();
    shut_down();
    hf_simfs_stop_at(disk, 0);
    hf_simfs_kill(disk);
    boot();
    tpm.halves = 0;
    tpm.cut_at = m;
    (void)join(5);
    switch_on();
    (void)hf_simloop_run_for(loop, 1 * HF_NS_PER_S);
    whole = whole && !tpm.cut;
    cut_and_go_on(seed, seed % 2 == 0 ? 5 : 6);
    tear_down();
    set_up();
    return whole;
}

/* No increment rests on a record that only the page cache has. */
START_TEST(killed_and_then_cut)
{
    bool whole = false;
    uint64_t n = 1;

    for (; !whole; n++)
        for (unsigned m = 1; m <= 8; m++)
            for (uint64_t seed = 0; seed < 6; seed++)
                whole = kill_and_cut(n, m, seed);
    ck_assert_uint_gt(n, 60);
}
END_TEST

/* The agent is killed while holdfast-tpm increments the counter for it. The program lives on, and increments after the
 * next agent has read the counter. */
START_TEST(orphaned_increment)
{
    bool whole = false;
    unsigned n = 1, orphans = 0;

    for (; !whole; n++) {
        tpm.cut_at = n;
        whole = live();
        orphans += tpm.has_orphan;
        shut_down();
        hf_simfs_kill(disk);
        tpm.cut = false;
        tpm.cut_at = 0;
        boot();
        (void)join(5);
        switch_on();
        expect(HF_R_None);
        (void)join(6);
        expect(HF_R_None);
        ck_assert_uint_le(tpm.counter, 44);
        tear_down();
        set_up();
    }
    ck_assert_uint_eq(orphans, 2);
}
END_TEST

/* Between the question for the first value and the first increment, other programs use their counters. */
START_TEST(first_value_is_old)
{
    hf_simfs_count_only(disk, HF_SIMFS_GROWS);
    hf_simfs_fail_at(disk, 1, ENOSPC, 0);
    switch_on();
    (void)join(5);
    expect(HF_R_StateNotWritable);
    tpm.highest += (uint64_t)_i;
    hf_simfs_fail_at(disk, 0, 0, 0);
    heals();
    (void)join(6);
    expect(HF_R_None);
    shut_down();
    boot();
    switch_on();
    expect(HF_R_None);
    ck_assert_uint_eq(join(1), 6);
}
END_TEST

/* The same, and the configuration names another TPM, whose counters begin lower. */
START_TEST(first_value_is_of_another_tpm)
{
    hf_simfs_count_only(disk, HF_SIMFS_GROWS);
    hf_simfs_fail_at(disk, 1, ENOSPC, 0);
    switch_on();
    expect(HF_R_StateNotWritable);
    tpm.highest = 3;
    tpm.seed++;
    hf_simfs_fail_at(disk, 0, 0, 0);
    hf_floor_guard_configure(guard, true, "device:/dev/tpmrm1");
    expect(HF_R_None);
    ck_assert_uint_eq(tpm.counter, 5);
}
END_TEST

/* The configuration names another TPM while a job of the comparison runs: no release starts in between. */
START_TEST(another_tpm_while_a_job_runs)
{
    (void)join(5);
    hf_floor_guard_configure(guard, true, "device:/dev/tpmrm0");
    ck_assert_int_eq(reason(), HF_R_FloorsPending);
    hf_floor_guard_configure(guard, true, "device:/dev/tpmrm1");
    ck_assert_int_eq(reason(), HF_R_FloorsPending);
    expect(HF_R_None);
}
END_TEST

/* Leaves the newest record in one place; the others have an older one, or none. */
static void leave_newest_in(size_t place, bool has_older)
{
    struct hf_simfs *image = hf_simfs_new();

    (void)join(5);
    switch_on();
    expect(HF_R_None);
    for (size_t i = 0; i < HF_LEN(places); i++)
        copy_file(disk, image, places[i]);
    (void)join(6);
    expect(HF_R_None);
    shut_down();
    for (size_t i = 0; i < HF_LEN(places); i++) {
        if (i != place && has_older)
            copy_file(image, disk, places[i]);
        else if (i != place)
            hf_simfs_delete(disk, places[i]);
    }
    hf_simfs_free(image);
}

/* A place of the record cannot be read: nobody has replaced anything. */
START_TEST(place_cannot_be_read)
{
    bool failed = true;
    unsigned waits = 0;

    for (uint64_t n = 1; failed; n++) {
        leave_newest_in((size_t)_i / 2, _i % 2 != 0);
        boot();
        hf_simfs_count_only(disk, HF_SIMFS_READS);
        hf_simfs_fail_at(disk, n, EIO, 1);
        switch_on();
        (void)hf_simloop_run_for(loop, 1 * HF_NS_PER_S);
        ck_assert_msg(reason() == HF_R_None || reason() == HF_R_IoError, "call %" PRIu64 ": %s", n,
                      hf_reason_name(reason()));
        failed = hf_simfs_failed(disk) > 0;
        waits += reason() == HF_R_IoError;
        heals();
        ck_assert_uint_eq(join(1), 6);
        tear_down();
        set_up();
    }
    ck_assert_uint_gt(waits, 0);
}
END_TEST

START_TEST(disk_cannot_be_read)
{
    leave_newest_in(0, true);
    boot();
    hf_simfs_count_only(disk, HF_SIMFS_READS);
    hf_simfs_fail_at(disk, 1, EIO, 0);
    switch_on();
    expect(HF_R_IoError);
    unsigned before = changes;
    (void)hf_simloop_run_for(loop, 86400 * HF_NS_PER_S);
    expect(HF_R_IoError);
    ck_assert_uint_eq(changes, before);
    ck_assert_uint_lt(tpm.calls, 500);
    hf_simfs_fail_at(disk, 0, 0, 0);
    heals();
    ck_assert_uint_eq(join(1), 6);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, off_by_default);
    tcase_add_test(tc, first_start_and_rises);
    tcase_add_test(tc, older_record);
    tcase_add_loop_test(tc, a_file_is_missing, 0, 2);
    tcase_add_test(tc, lost_record);
    tcase_add_test(tc, other_tpm);
    tcase_add_loop_test(tc, tpm_fails_and_heals, 0, 5);
    tcase_add_test(tc, full_disk);
    tcase_add_test(tc, hanging_tpm);
    tcase_add_test(tc, stuck_program);
    tcase_add_test(tc, cut_at_each_call_of_the_disk);
    tcase_add_test(tc, cut_at_each_call_of_the_tpm);
    tcase_add_test(tc, killed_and_then_cut);
    tcase_add_test(tc, orphaned_increment);
    tcase_add_loop_test(tc, first_value_is_old, 0, 4);
    tcase_add_test(tc, first_value_is_of_another_tpm);
    tcase_add_test(tc, another_tpm_while_a_job_runs);
    tcase_add_loop_test(tc, place_cannot_be_read, 0, 6);
    tcase_add_test(tc, disk_cannot_be_read);
}

HF_TEST_MAIN("update/floor guard", cases)
