/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/report/outbox.h"

#include <limits.h>

#include "agent/diskq.h"
#include "agent/report/status.h"
#include "os/file.h"

enum { MAX_BYTES = 256 * 1024 };

static const char *path_of(const struct hf_outbox *outbox, char *path)
{
    return hf_home_path(outbox->env->params->home, "outbox.json", path);
}

json_t *hf_outbox_load(struct hf_outbox *outbox, const struct hf_agent_env *env)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(MAX_BYTES);
    _cleanup_(hf_json_freep) json_t *body = NULL;
    char path[PATH_MAX];
    struct hf_err err = HF_ERR_INIT;

    *outbox = (struct hf_outbox){.env = env};
    if (hf_file_read(env->world.fs, path_of(outbox, path), &text, &err) < 0)
        return NULL;
    outbox->present = true;
    if (hf_json_parse(hf_buf_view(&text), NULL, &body, &err) < 0)
        return NULL;
    const json_t *conditions = hf_json_at(body, "status.conditions");
    return json_is_array(conditions) ? json_deep_copy(conditions) : NULL;
}

void hf_outbox_done(struct hf_outbox *outbox)
{
    json_decref(outbox->essence);
    outbox->essence = NULL;
}

void hf_outbox_write(struct hf_outbox *outbox, const json_t *body, json_t *essence)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(MAX_BYTES);
    char path[PATH_MAX];

    if (hf_json_format(body, &text) < 0)
        return;
    hf_diskq_write(outbox->env->diskq, path_of(outbox, path), hf_buf_view(&text));
    outbox->present = true;
    json_decref(outbox->essence);
    outbox->essence = json_incref(essence);
}

bool hf_outbox_holds(const struct hf_outbox *outbox, const json_t *essence)
{
    return outbox->present && hf_status_same(outbox->essence, essence);
}

void hf_outbox_clear(struct hf_outbox *outbox)
{
    char path[PATH_MAX];

    if (outbox->present)
        hf_diskq_erase(outbox->env->diskq, path_of(outbox, path));
    outbox->present = false;
    hf_outbox_done(outbox);
}

void hf_outbox_show(const struct hf_outbox *outbox, const json_t *body)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(MAX_BYTES);
    const struct hf_agent_params *params = outbox->env->params;

    if ((params->run_path == NULL && params->owner.status_shown == NULL) || hf_json_format(body, &text) < 0)
        return;
    if (params->run_path != NULL)
        hf_diskq_write(outbox->env->diskq, params->run_path, hf_buf_view(&text));
    if (params->owner.status_shown != NULL)
        params->owner.status_shown(params->owner.arg, hf_buf_view(&text));
}
