/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/desired/site_hold.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "os/file.h"

/* The clocks differ by less from one reading to the next; with smaller steps each turn could change the status. */
#define END_STEP_NS (5 * HF_NS_PER_S)

void hf_site_hold_init(struct hf_site_hold *hold, const struct hf_agent_env *env)
{
    *hold = (struct hf_site_hold){.env = env, .end_unix_ns = HF_NEVER, .wait_ns = HF_NEVER};
}

static struct hf_hold_clocks read_clocks(const struct hf_agent_env *env)
{
    struct hf_clock *clock = &env->params->home->clock;

    return (struct hf_hold_clocks){.mono_ns = hf_mono_ns(env->world.clock),
                                   .build_unix_ns = HF_TIME_BUILD_UNIX_NS,
                                   .wall_unix_ns = hf_unix_ns(clock->wall),
                                   .range = hf_clock_range(env->world.clock),
                                   .sure = hf_clock_is_sure(clock)};
}

/* A file of the same text that was written later is another hold. */
static uint64_t identify(const struct hf_agent_env *env, const char *path, struct hf_view text)
{
    struct stat st = {0};

    (void)env->world.fs->fstatat(env->world.fs->ctx, AT_FDCWD, path, &st, 0);
    return hf_hold_id(text, (uint64_t)st.st_mtim.tv_sec * HF_NS_PER_S + (uint64_t)st.st_mtim.tv_nsec);
}

static void begin_age(struct hf_site_hold *hold, uint64_t id)
{
    struct hf_home *home = hold->env->params->home;
    const struct hf_clock_file *file = &home->kept;
    bool same_boot = hf_home_is_same_boot(home);
    const struct hf_hold_kept kept = {.id = file->hold_id,
                                      .age_ns = file->hold_age_ns,
                                      .began_unix_ns = file->hold_began_unix_ns,
                                      .track_unix_ns = file->track_unix_ns,
                                      .saved_mono_ns = file->saved_mono_ns,
                                      .same_boot = same_boot,
                                      .boot_unknown = !same_boot && !hf_home_is_other_boot(home)};
    const struct hf_hold_clocks clocks = read_clocks(hold->env);

    hf_hold_age_begin(&home->hold, id, &hold->file, &kept, &clocks);
}

bool hf_site_hold_read(struct hf_site_hold *hold)
{
    const struct hf_agent_env *env = hold->env;
    struct hf_hold_age *age = &env->params->home->hold;
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_HOLD_FILE_MAX);
    struct hf_err err = HF_ERR_INIT;
    struct hf_hold file, before = hold->file;
    char path[PATH_MAX];
    int r = hf_file_read(env->world.fs, hf_home_path(env->params->home, "hold", path), &text, &err);

    r = hf_hold_take(r, hf_buf_view(&text), &file, &err);
    if (r < 0)
        hf_log_err(env->world.log, HF_LOG_WARNING, "hold.unreadable", "file", path, &err);
    hold->file = file;
    uint64_t id = r == 0 && file.present ? identify(env, path, hf_buf_view(&text)) : 0;
    if (!file.present)
        *age = (struct hf_hold_age){0};
    else if (id != 0 && id != age->id)
        begin_age(hold, id);
    return file.present != before.present || strcmp(file.reason, before.reason) != 0 ||
           file.since_unix_ns != before.since_unix_ns || file.until_unix_ns != before.until_unix_ns;
}

static bool set_end(struct hf_site_hold *hold, uint64_t end_unix_ns)
{
    if (HF_DISTANCE(end_unix_ns, hold->end_unix_ns) <= END_STEP_NS)
        return false;
    hold->end_unix_ns = end_unix_ns;
    return true;
}

bool hf_site_hold_judge(struct hf_site_hold *hold)
{
    struct hf_hold_age *age = &hold->env->params->home->hold;
    const struct hf_hold_clocks clocks = read_clocks(hold->env);

    hf_hold_age_count(age, &hold->file, &clocks);
    bool active = hf_hold_age_judge(&hold->file, age, &clocks, &hold->wait_ns);
    bool changed = set_end(hold, hf_hold_age_end_unix_ns(&hold->file, clocks.range.estimate_unix_ns, hold->wait_ns));
    if (active == hold->active)
        return changed;
    hf_log(hold->env->world.log, HF_LOG_INFO, active ? "hold.begun" : "hold.ended", HF_S("reason", hold->file.reason));
    hold->active = active;
    return true;
}
