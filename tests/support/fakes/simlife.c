/* SPDX-License-Identifier: Apache-2.0 */
#include "support/fakes/simlife.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { MAX_LIVES = 40 };
static const uint64_t probation_ns = 60 * HF_NS_PER_S, dies_ns = 30 * HF_NS_PER_S, tick_ns = 5 * HF_NS_PER_S;

/* ---- what the agent asks ----------------------------------------------------------------------------------------- */

static uint64_t up_ns(const struct hf_simlife *life)
{
    return hf_simloop_now_ns(life->world->loop) - life->started_ns;
}

static bool is(const char *content, const char *name)
{
    return name != NULL && strcmp(content, name) == 0;
}

static bool healthy(void *ctx, uint64_t *ret_for_ns)
{
    const struct hf_simlife *life = ctx;

    *ret_for_ns = up_ns(life);
    return !is(life->content, life->sick);
}

static void awaits_verdict(void *ctx, bool waits)
{
    ((struct hf_simlife *)ctx)->awaits_verdict = waits;
}

static void restart(void *ctx, const char *why)
{
    struct hf_simlife *life = ctx;

    (void)why;
    life->restarts++;
    life->world->self_restarted = true;
}

static bool verdict(void *ctx, struct hf_supervisor_note *ret_verdict)
{
    const struct hf_simlife *life = ctx;
    const char *text = hf_simfs_link_text(life->world->fs, HF_SIM_HOST "/" HF_HOST_VERDICT);

    return text != NULL && hf_supervisor_note_parse(text, ret_verdict);
}

/* ---- the disk ---------------------------------------------------------------------------------------------------- */

static const char *link_text(const struct hf_simlife *life, const char *name)
{
    char path[PATH_MAX];

    (void)snprintf(path, sizeof(path), HF_SIM_HOST "/%s", name);
    const char *text = hf_simfs_link_text(life->world->fs, path);
    return text != NULL ? text : "";
}

/* The durable folder, after a call in it that returned r. */
static void sync_folder(const struct hf_simlife *life, int r)
{
    const struct hf_fs_ops *fs = hf_simfs_ops(life->world->fs);
    int fd = r < 0 ? r : fs->openat(fs->ctx, AT_FDCWD, HF_SIM_HOST, O_RDONLY | O_DIRECTORY, 0, HF_FS_ANY);

    if (fd < 0)
        return;
    (void)!fs->fsync(fs->ctx, fd);
    (void)!fs->close(fs->ctx, fd);
}

static void flip(const struct hf_simlife *life, const char *name, const char *text)
{
    const struct hf_fs_ops *fs = hf_simfs_ops(life->world->fs);
    char path[PATH_MAX];

    (void)snprintf(path, sizeof(path), HF_SIM_HOST "/%s", name);
    (void)!fs->unlinkat(fs->ctx, AT_FDCWD, HF_SIM_HOST "/.link", 0);
    int r = fs->symlinkat(fs->ctx, text, AT_FDCWD, HF_SIM_HOST "/.link");
    if (r == 0)
        r = fs->renameat(fs->ctx, AT_FDCWD, HF_SIM_HOST "/.link", AT_FDCWD, path);
    sync_folder(life, r);
}

static void write_verdict(struct hf_simlife *life, const char *slot, const char *word)
{
    char text[HF_HOST_NOTE];

    life->verdicts++;
    (void)snprintf(text, sizeof(text), "%.15s %.255s", word, slot);
    flip(life, HF_HOST_VERDICT, text);
}

const char *hf_simlife_content(struct hf_simlife *life, const char *link)
{
    char path[PATH_MAX];

    (void)snprintf(path, sizeof(path), HF_SIM_HOST "/%s/bin/app", link_text(life, link));
    return hf_simupdate_target(life->world, path);
}

void hf_simlife_put(struct hf_simlife *life, const char *name, const char *content)
{
    char path[PATH_MAX];
    size_t n;
    const void *bytes = hf_sim_content(content, &n);

    (void)snprintf(path, sizeof(path), HF_SIM_HOST "/%s/bin/app", name);
    hf_simfs_put(life->world->fs, path, bytes, n, 0755);
}

void hf_simlife_init(struct hf_simlife *life, struct hf_simupdate *world, const char *content)
{
    *life = (struct hf_simlife){.world = world};
    life->ops = (struct hf_life_ops){.ctx = life,
                                     .dir = HF_SIM_HOST,
                                     .probation_ns = probation_ns,
                                     .healthy = healthy,
                                     .awaits_verdict = awaits_verdict,
                                     .restart = restart,
                                     .verdict = verdict};
    world->life = &life->ops;
    hf_simlife_put(life, "slots/1", content);
    hf_simfs_symlink(world->fs, HF_SIM_HOST "/" HF_HOST_CURRENT, "slots/1");
    hf_simfs_symlink(world->fs, HF_SIM_HOST "/" HF_HOST_GOOD, "slots/1");
}

/* ---- the supervisor ---------------------------------------------------------------------------------------------- */

static bool stopped_or_ended(void *arg)
{
    const struct hf_simupdate *world = arg;

    return hf_simfs_stopped(world->fs) || world->self_restarted || world->engine == NULL;
}

static void note_settled(void *arg, const struct hf_update_status *status)
{
    *(bool *)arg = *(bool *)arg && status->settled;
}

static bool is_settled(const struct hf_simupdate *world)
{
    bool all = world->engine != NULL;

    if (all)
        hf_update_engine_each(world->engine, note_settled, &all);
    return all;
}

static void take_healthy(struct hf_simlife *life)
{
    if (life->awaits_verdict || is(life->content, life->sick) || up_ns(life) < probation_ns)
        return;
    life->said_healthy = true;
    life->ends = 0;
    char good[HF_HOST_SLOT];
    (void)snprintf(good, sizeof(good), "%s", link_text(life, HF_HOST_GOOD));
    if (strcmp(good, life->ran) == 0)
        return;
    flip(life, HF_HOST_PREVIOUS, good);
    flip(life, HF_HOST_GOOD, life->ran);
}

/* Until the agent ends: how. HF_SUPERVISOR_EVENTS: all is settled, or nothing more happens. */
static enum hf_supervisor_event watch(struct hf_simlife *life)
{
    struct hf_simupdate *world = life->world;

    for (;;) {
        (void)hf_simloop_run_until(world->loop, stopped_or_ended, world, tick_ns);
        if (hf_simfs_stopped(world->fs) || world->engine == NULL)
            return HF_SUPERVISOR_EVENTS;
        if (world->self_restarted)
            return HF_SUPERVISOR_RESTART;
        if (is(life->content, life->dies) && up_ns(life) >= dies_ns)
            return HF_SUPERVISOR_ENDED;
        take_healthy(life);
        if (!life->said_healthy && up_ns(life) >= HF_HOST_DEADLINE_S * HF_NS_PER_S)
            return HF_SUPERVISOR_LATE;
        if ((life->said_healthy && is_settled(world)) || up_ns(life) > 3600 * HF_NS_PER_S)
            return HF_SUPERVISOR_EVENTS;
    }
}

/* What starts next, into life->ran. False: nothing can, or the disk has stopped. */
static bool choose(struct hf_simlife *life, enum hf_supervisor_event event)
{
    char current[HF_HOST_SLOT], good[HF_HOST_SLOT], previous[HF_HOST_SLOT], start[HF_HOST_SLOT];
    struct hf_supervisor_note given = {.slot = ""};

    (void)verdict(life, &given);
    (void)snprintf(current, sizeof(current), "%s", link_text(life, HF_HOST_CURRENT));
    (void)snprintf(good, sizeof(good), "%s", link_text(life, HF_HOST_GOOD));
    (void)snprintf(previous, sizeof(previous), "%s", link_text(life, HF_HOST_PREVIOUS));
    const struct hf_supervisor_facts facts = {current, good, previous, given.slot, life->ran, event, life->ends};
    struct hf_supervisor_decision decision = hf_supervisor_decide(&facts);
    if (decision.start == NULL)
        return false;
    (void)snprintf(start, sizeof(start), "%s", decision.start);
    if (decision.give_up != NULL)
        write_verdict(life, life->ran, decision.give_up);
    if (decision.forget) {
        const struct hf_fs_ops *fs = hf_simfs_ops(life->world->fs);
        sync_folder(life, fs->unlinkat(fs->ctx, AT_FDCWD, HF_SIM_HOST "/" HF_HOST_VERDICT, 0));
    }
    if (strcmp(start, current) != 0)
        flip(life, HF_HOST_CURRENT, start);
    if (strcmp(start, life->ran) != 0)
        life->ends = 0;
    (void)snprintf(life->ran, sizeof(life->ran), "%s", start);
    hf_simupdate_run_for(life->world, decision.wait_s * HF_NS_PER_S);
    return !hf_simfs_stopped(life->world->fs);
}

static enum hf_supervisor_event start(struct hf_simlife *life)
{
    struct hf_simupdate *world = life->world;

    life->content = hf_simlife_content(life, HF_HOST_CURRENT);
    life->started_ns = hf_simloop_now_ns(world->loop);
    life->said_healthy = false;
    life->awaits_verdict = false;
    (void)snprintf(world->running, sizeof(world->running), "%s", life->content);
    if (is(life->content, "absent") || is(life->content, "torn"))
        return HF_SUPERVISOR_NOT_EXECUTABLE;
    if (is(life->content, "dead"))
        return HF_SUPERVISOR_ENDED;
    hf_simupdate_boot(world);
    return watch(life);
}

bool hf_simlife_run(struct hf_simlife *life)
{
    struct hf_simupdate *world = life->world;
    enum hf_supervisor_event event = HF_SUPERVISOR_BEGIN;

    life->ran[0] = '\0';
    life->ends = 0;
    for (int lives = 0; lives < MAX_LIVES && choose(life, event); lives++) {
        event = start(life);
        if (event == HF_SUPERVISOR_EVENTS)
            return !hf_simfs_stopped(world->fs) && is_settled(world);
        life->ends += event == HF_SUPERVISOR_ENDED;
        hf_simupdate_stop(world); /* a kill would begin the count of a walk anew */
    }
    return false;
}
