/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of sources share: virtual time, real files in a folder of their own, an intake that knows ids and keeps lines. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/clock_posix.h"
#include "os/dir.h"
#include "os/file.h"
#include "os/fs_posix.h"
#include "support/check_main.h"
#include "support/fakes/simloop.h"
#include "telemetry/source/source.h"

enum { FIX_MAX_KEPT = 20000 };

static struct {
    char **lines; /* as hf_event_format() writes them */
    char **ids;   /* "" none */
    char **bodies;
    size_t n, offers, duplicates;
    size_t room; /* then -EAGAIN */
    int fail;    /* what offer() answers; 0 */
    bool hold;
    struct hf_receipt *held[4096];
    size_t n_held;
} fix;

static struct hf_simloop *sim;
static struct hf_loop *real; /* NULL: virtual time */
static struct hf_simproc *proc;
static struct hf_telemetry_env world;
static struct hf_config *bounds; /* allows files below `dir` */
static char dir[64];

static int fix_offer(void *ctx, const struct hf_event *event, struct hf_receipt *receipt)
{
    _cleanup_(hf_buf_done) struct hf_buf line = HF_BUF_INIT(HF_EVENT_MAX_TEXT);

    (void)ctx;
    fix.offers++;
    if (fix.fail != 0)
        return fix.fail;
    if (fix.room == 0)
        return -EAGAIN;
    for (size_t i = fix.n; event->id.n > 0 && i-- > 0;)
        if (hf_view_eq(event->id, fix.ids[i])) {
            fix.duplicates++;
            return HF_OFFER_DUPLICATE;
        }
    ck_assert_uint_lt(fix.n, FIX_MAX_KEPT);
    ck_assert_uint_le(event->id.n, HF_EVENT_MAX_ID);
    ck_assert_int_eq(hf_event_format(event, "here", &line), 0);
    fix.lines[fix.n] = strdup(hf_buf_str(&line));
    fix.ids[fix.n] = hf_view_dup(event->id);
    fix.bodies[fix.n++] = hf_view_dup(event->body);
    fix.room--;
    if (fix.hold && receipt != NULL) {
        hf_receipt_hold(receipt);
        ck_assert_uint_lt(fix.n_held, HF_LEN(fix.held));
        fix.held[fix.n_held++] = receipt;
    }
    return HF_OFFER_STORED;
}
static const struct hf_intake intake = {.offer = fix_offer};

HF_UNUSED static void let_go(int r)
{
    size_t n = fix.n_held;

    fix.n_held = 0;
    for (size_t i = 0; i < n; i++)
        hf_receipt_release(fix.held[i], r);
}

static void stop_loop(void *arg)
{
    hf_loop_stop(arg);
}

/* Virtual time, or real time where the source needs a real loop. */
HF_UNUSED static void run_s(double seconds)
{
    if (real == NULL) {
        (void)hf_simloop_run_for(sim, (uint64_t)(seconds * 1e9));
        return;
    }
    const struct hf_sched_ops *sched = hf_loop_sched(real);
    struct hf_timer *timer = hf_timer_new(sched, stop_loop, real);
    hf_timer_arm(sched, timer, (uint64_t)(seconds * 1e9));
    hf_loop_run(real);
    hf_timer_free(sched, timer);
}

/* Real time: until `n` events are kept. */
HF_UNUSED static void run_until_kept(size_t n)
{
    for (int i = 0; i < 500 && fix.n < n; i++)
        run_s(0.02);
    ck_assert_uint_ge(fix.n, n);
}

/* The process begins (again). */
static void fix_boot(void)
{
    proc = hf_simproc_new(sim, "node");
    world = (struct hf_telemetry_env){.fs = hf_fs_posix(),
                                      .clock = hf_simproc_clock(proc),
                                      .sched = hf_simproc_sched(proc),
                                      .rand = hf_simproc_rand(proc),
                                      .config = bounds,
                                      .node = "here",
                                      .dir = dir,
                                      .proc = "/proc",
                                      .sys = "/sys"};
}

static void fix_configure(void)
{
    char text[256];

    (void)snprintf(text, sizeof(text),
                   "apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\ntelemetry: {files: ['%s/**']}\n",
                   dir);
    ck_assert_int_eq(hf_config_parse(hf_view_of(text), "agent.yaml", &bounds, NULL), 0);
    ck_assert_uint_eq(hf_config_n_faults(bounds), 0);
}

static void fix_set_up(void)
{
    static char made[64];

    (void)snprintf(made, sizeof(made), "/tmp/hf-source-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(made));
    (void)snprintf(dir, sizeof(dir), "%s", made);
    memset(&fix, 0, sizeof(fix));
    fix.lines = calloc(FIX_MAX_KEPT, sizeof(char *));
    fix.ids = calloc(FIX_MAX_KEPT, sizeof(char *));
    fix.bodies = calloc(FIX_MAX_KEPT, sizeof(char *));
    fix.room = SIZE_MAX;
    sim = hf_simloop_new(1);
    fix_configure();
    fix_boot();
}

/* The same on a real loop. */
HF_UNUSED static void fix_set_up_real(void)
{
    fix_set_up();
    real = hf_loop_new(NULL);
    world.loop = real;
    world.clock = hf_clock_posix();
    world.sched = hf_loop_sched(real);
    world.user_agent = "holdfast-test";
}

static void fix_tear_down(void)
{
    let_go(0);
    hf_loop_free(real);
    real = NULL;
    hf_simproc_free(proc);
    hf_simloop_free(sim);
    hf_config_free(bounds);
    bounds = NULL;
    for (size_t i = 0; i < fix.n; i++) {
        free(fix.lines[i]);
        free(fix.ids[i]);
        free(fix.bodies[i]);
    }
    free(fix.lines);
    free(fix.ids);
    free(fix.bodies);
    ck_assert_int_eq(hf_dir_remove_tree(hf_fs_posix(), dir, NULL), 0);
}

/* Append to (or make) a file below the folder. */
HF_UNUSED static const char *put(const char *name, const char *text)
{
    static char path[512];

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *file = fopen(path, "a");
    ck_assert_msg(file != NULL, "%s", path);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
    return path;
}

HF_UNUSED static const char *below(const char *name)
{
    static char paths[8][512];
    static unsigned next;
    char *path = paths[next++ % 8];

    (void)snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
    return path;
}

#define ck_bodies(...)                                                                                                 \
    do {                                                                                                               \
        static const char *const want_[] = {__VA_ARGS__};                                                              \
        ck_assert_msg(fix.n == HF_LEN(want_), "%zu events, the last is '%s'", fix.n,                                   \
                      fix.n > 0 ? fix.bodies[fix.n - 1] : "");                                                         \
        for (size_t i_ = 0; i_ < HF_LEN(want_); i_++)                                                                  \
            ck_assert_str_eq(fix.bodies[i_], want_[i_]);                                                               \
    } while (0)
