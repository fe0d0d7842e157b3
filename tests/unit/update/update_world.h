/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/update/update_world.h - what test_engine.c and test_detour.c share: a world (support/fakes/simupdate.h)
 * for each test, and what they expect of it. */
#pragma once

#include "support/check_main.h"
#include "support/fakes/simupdate.h"

#define UPDATES "/var/lib/holdfast/updates"

static struct hf_simupdate *w;

/* The installed file exists at any time and is always one of the contents, whole. */
static void check_whole(struct hf_simupdate *world)
{
    ck_assert_str_ne(hf_simupdate_target(world, HF_SIM_TARGET), "torn");
}

static void setup(void)
{
    w = hf_simupdate_new(0);
    w->check = check_whole;
}

static void teardown(void)
{
    hf_simupdate_free(w);
    w = NULL;
}

static void expect(const char *name, enum hf_phase phase, const char *reason)
{
    struct hf_sim_seen seen = hf_simupdate_see(w, name);

    ck_assert_msg(seen.phase == phase && strcmp(seen.reason, reason) == 0, "%s: %s %s (%s)", name,
                  hf_phase_name(seen.phase), seen.reason, seen.message);
    ck_assert_msg(phase == HF_PHASE_IDLE || seen.message[0] != '\0', "%s has no message", seen.reason);
}

static void expect_target(const char *content)
{
    ck_assert_str_eq(hf_simupdate_target(w, HF_SIM_TARGET), content);
}

static void expect_clean(void)
{
    const char *left = hf_simupdate_leftover(w);

    ck_assert_msg(left == NULL, "left behind: %s", left);
    ck_assert_uint_le(hf_simfs_open_fds(w->fs), 1); /* the lock */
}

/* v1 is installed, the release is wanted, the agent runs. */
static inline void begin(const struct hf_sim_release *release)
{
    if (hf_simupdate_target(w, HF_SIM_TARGET)[0] == 'a')
        hf_simupdate_put_old(w, "v1");
    hf_simupdate_publish(w, release);
    if (w->engine == NULL)
        hf_simupdate_boot(w);
}

/* begin(), until everything is settled. */
static inline void update_to(const struct hf_sim_release *release)
{
    begin(release);
    ck_assert(hf_simupdate_settle(w));
}
