#include "agent/desired/site_hold.h"

#include <limits.h>
#include <string.h>

#include "os/file.h"

void hf_site_hold_init(struct hf_site_hold *hold, const struct hf_agent_env *env)
{
    *hold = (struct hf_site_hold){.env = env, .end_unix_ns = HF_NEVER, .wait_ns = HF_NEVER};
}

bool hf_site_hold_read(struct hf_site_hold *hold)
{
    const struct hf_agent_env *env = hold->env;
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_HOLD_FILE_MAX);
    struct hf_err err = HF_ERR_INIT;
    struct hf_hold file, before = hold->file;
    char path[PATH_MAX];
    int r = hf_file_read(env->fs, hf_home_path(env->params->home, "hold", path), &text, &err);

    r = hf_hold_take(r, hf_buf_view(&text), &file, &err);
    if (r < 0)
        hf_log_err(env->log, HF_LOG_WARNING, "hold.unreadable", "file", path, &err);
    hold->file = file;
    return file.present != before.present || strcmp(file.reason, before.reason) != 0 ||
           file.until_unix_ns != before.until_unix_ns;
}

bool hf_site_hold_judge(struct hf_site_hold *hold, uint64_t unix_ns)
{
    bool active = hf_hold_active(&hold->file, unix_ns, &hold->end_unix_ns);

    hold->wait_ns = active && hold->end_unix_ns != HF_NEVER ? hold->end_unix_ns - unix_ns : HF_NEVER;
    if (active == hold->active)
        return false;
    hf_log(hold->env->log, HF_LOG_INFO, active ? "hold.begun" : "hold.ended", HF_S("reason", hold->file.reason));
    hold->active = active;
    return true;
}
