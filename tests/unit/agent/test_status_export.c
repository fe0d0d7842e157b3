/* SPDX-License-Identifier: Apache-2.0 */
/* The status on --export's medium, where no job can be had for a while. */
#include <errno.h>
#include <fcntl.h>

#include "agent/process/status_export.h"
#include "support/check_main.h"
#include "support/fakes/simfs.h"
#include "support/fakes/simloop.h"

struct refusing {
    const struct hf_sched_ops *real;
    unsigned left; /* submits that fail */
};

static int submit(void *ctx, struct hf_job *job)
{
    struct refusing *refusing = ctx;

    if (refusing->left > 0) {
        refusing->left--;
        return -ENOMEM;
    }
    return hf_job_submit(refusing->real, job);
}

static struct hf_timer *timer_new(void *ctx, void (*fire)(void *arg), void *arg)
{
    const struct refusing *refusing = ctx;

    return hf_timer_new(refusing->real, fire, arg);
}

static void timer_arm(void *ctx, struct hf_timer *timer, uint64_t ns)
{
    const struct refusing *refusing = ctx;

    hf_timer_arm(refusing->real, timer, ns);
}

static void timer_free(void *ctx, struct hf_timer *timer)
{
    const struct refusing *refusing = ctx;

    hf_timer_free(refusing->real, timer);
}

START_TEST(a_look_without_a_job_comes_again)
{
    struct hf_simloop *loop = hf_simloop_new(1);
    struct hf_simproc *proc = hf_simproc_new(loop, "agent");
    struct hf_simfs *fs = hf_simfs_new();
    struct refusing refusing = {.real = hf_simproc_sched(proc), .left = 2};
    const struct hf_sched_ops sched = {
        .ctx = &refusing, .timer_new = timer_new, .timer_arm = timer_arm, .timer_free = timer_free, .submit = submit};
    const char *path = "/media/stick/node-1/status.json";
    struct stat st;

    hf_simfs_mkdir(fs, "/media/stick", 0755);
    struct hf_status_export *export = hf_status_export_new(hf_simfs_ops(fs), &sched, NULL, "/media/stick", "node-1");
    ck_assert_ptr_nonnull(export);
    hf_status_export_set(export, HF_VIEW("{}\n"));
    hf_simloop_run_for(loop, 2 * HF_STATUS_EXPORT_NS + HF_NS_PER_S);
    ck_assert_uint_eq(refusing.left, 0);
    ck_assert_int_eq(hf_simfs_ops(fs)->fstatat(hf_simfs_ops(fs)->ctx, AT_FDCWD, path, &st, 0), -ENOENT);
    hf_simloop_run_for(loop, HF_STATUS_EXPORT_NS);
    ck_assert_int_eq(hf_simfs_ops(fs)->fstatat(hf_simfs_ops(fs)->ctx, AT_FDCWD, path, &st, 0), 0);
    ck_assert_int_eq(st.st_size, 3);
    hf_status_export_free(export);
    hf_simproc_free(proc);
    hf_simloop_free(loop);
    hf_simfs_free(fs);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, a_look_without_a_job_comes_again);
}

HF_TEST_MAIN("agent/status_export", cases)
