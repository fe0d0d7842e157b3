/* SPDX-License-Identifier: Apache-2.0 */
/* For which images of the node's manifests an EdgeUpdate with waitForImages waits. */
#include "agent/images/image_mirror.h"

#include "loop/loop.h"
#include "os/clock_posix.h"
#include "os/fs_posix.h"
#include "support/check_main.h"

static const struct {
    const char *reason;
    bool never, has_all;
} rows[] = {
    {NULL, false, true},
    {"ContentPending", false, false},
    {"NameIncomplete", true, true},
    {"TooMany", true, true},
};

START_TEST(what_an_update_waits_for)
{
    struct hf_err err = HF_ERR_INIT;
    struct hf_loop *loop = hf_loop_new(&err);
    struct hf_image_mirror *mirror = hf_image_mirror_new(&(const struct hf_image_mirror_params){
        .loop = loop,
        .upstream = {.sched = hf_loop_sched(loop), .clock = hf_clock_posix(), .fs = hf_fs_posix()},
        .state_dir = "/nowhere"});
    struct hf_image_workloads workloads = {.asked = true, .reason = rows[_i].reason, .never = rows[_i].never};

    ck_assert(!hf_image_mirror_has_all(mirror)); /* nothing is asked for: waits, too */
    hf_image_mirror_take(mirror, &workloads);
    ck_assert(hf_image_mirror_has_all(mirror) == rows[_i].has_all);
    ck_assert(hf_image_mirror_ready(mirror).ready == (rows[_i].reason == NULL)); /* the condition names it */
    hf_image_mirror_free(mirror);
    hf_loop_free(loop);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, what_an_update_waits_for, 0, HF_LEN(rows));
}

HF_TEST_MAIN("agent/image_mirror", cases)
