/* SPDX-License-Identifier: Apache-2.0 */
/* Watches the trust folder, and the folder above it, in which the trust folder may be made or replaced. While these
 * folders do not exist, watches the nearest folder above them that does. Gathers events for a second, and then
 * compares the hash of the folder, so that thousands of changes cause one look per second, and changes of other
 * files cause nothing more. */
#include "agent/trust/trust_watch.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "os/dir.h"
#include "trust/folder.h"
#include "trust/trust.h"

#define GATHER_NS HF_NS_PER_S
/* A look takes at most one part in so many of the time, however many files the folder has. */
enum { LOOK_SHARE = 20 };

static void fire(void *arg)
{
    struct hf_trust_watch *watch = arg;

    if (watch->gathering)
        return;
    watch->gathering = true;
    hf_timer_arm(watch->env->world.sched, watch->timer, HF_MAX(GATHER_NS, watch->look_ns * LOOK_SHARE));
}

/* ---- the watches ------------------------------------------------------------------------------------------------- */

static bool is_absent(int r)
{
    return r == -ENOENT || r == -ENOTDIR;
}

/* Watches the folder, if there is one, and the nearest folder above it. */
static int add_watches(struct hf_trust_watch *watch, struct hf_err *err)
{
    const struct hf_watch_ops *ops = watch->env->params->watch;
    char path[PATH_MAX], above[PATH_MAX];
    int r = ops->add(ops->ctx, watch->env->params->trust_dir, fire, watch, &watch->folder, err);

    if (r < 0 && !is_absent(r))
        return r;
    (void)snprintf(path, sizeof(path), "%s", watch->env->params->trust_dir);
    do {
        (void)hf_dir_of_path(path, above, sizeof(above));
        r = ops->add(ops->ctx, above, fire, watch, &watch->above, err);
        memcpy(path, above, sizeof(path));
    } while (is_absent(r) && strcmp(path, "/") != 0 && strcmp(path, ".") != 0);
    return r;
}

/* The paths may name other folders than before. The new watches begin before the old ones end: no event is lost. */
static void renew_watches(struct hf_trust_watch *watch)
{
    const struct hf_watch_ops *ops = watch->env->params->watch;
    struct hf_watch *folder = watch->folder, *above = watch->above;
    struct hf_err err = HF_ERR_INIT;

    watch->folder = watch->above = NULL;
    bool failed = add_watches(watch, &err) < 0;
    ops->remove(ops->ctx, folder);
    ops->remove(ops->ctx, above);
    if (failed && !watch->failed)
        hf_log_err(watch->env->world.log, HF_LOG_WARNING, "trust.not_watched", "dir", watch->env->params->trust_dir,
                   &err);
    watch->failed = failed;
}

/* ---- the look ---------------------------------------------------------------------------------------------------- */

/* Watches before it reads: a change after the look fires. */
void hf_trust_watch_look(struct hf_trust_watch *watch)
{
    const struct hf_agent_env *env = watch->env;
    uint64_t begin_ns = hf_mono_ns(env->world.clock);
    char stamp[HF_SHA256_HEX];

    if (env->params->watch == NULL)
        return;
    renew_watches(watch);
    hf_trust_folder_stamp(env->world.fs, env->params->trust_dir, stamp);
    watch->look_ns = hf_mono_ns(env->world.clock) - begin_ns;
    bool first = watch->stamp[0] == '\0';
    if (strcmp(stamp, watch->stamp) == 0)
        return;
    memcpy(watch->stamp, stamp, sizeof(stamp));
    (void)hf_trust_describe(env->world.fs, env->params->trust_dir, &watch->ids, watch->keys, sizeof(watch->keys));
    if (first)
        return;
    hf_log(env->world.log, HF_LOG_INFO, "trust.changed", HF_S("dir", env->params->trust_dir),
           HF_S("keys", watch->keys));
    watch->changed(watch->arg);
}

static void on_timer(void *arg)
{
    struct hf_trust_watch *watch = arg;

    watch->gathering = false;
    hf_trust_watch_look(watch);
}

int hf_trust_watch_init(struct hf_trust_watch *watch, const struct hf_agent_env *env, void (*changed)(void *arg),
                        void *arg)
{
    *watch = (struct hf_trust_watch){.env = env, .changed = changed, .arg = arg};
    if (env->params->watch == NULL)
        return 0;
    watch->timer = hf_timer_new(env->world.sched, on_timer, watch);
    if (watch->timer == NULL)
        return -ENOMEM;
    hf_trust_watch_look(watch);
    return 0;
}

void hf_trust_watch_done(struct hf_trust_watch *watch)
{
    if (watch->timer == NULL) /* not begun */
        return;
    const struct hf_watch_ops *ops = watch->env->params->watch;
    ops->remove(ops->ctx, watch->folder);
    ops->remove(ops->ctx, watch->above);
    hf_timer_free(watch->env->world.sched, watch->timer);
    watch->timer = NULL;
}
