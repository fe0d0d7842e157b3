/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/images/judge.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "agent/images/keep.h"
#include "codec/json.h"
#include "mirror/request.h"
#include "mirror/store.h"

struct hf_images_judge {
    struct hf_images_judge_params p; /* what is borrowed is NULL */
    char *list, *store;
    struct hf_buf stored, running;
    atomic_bool cancel; /* and nobody waits */
    struct hf_job job;
    /* the worker's */
    int r;
    struct hf_images_running found;
    struct hf_err err;
};

static void judge_free(struct hf_images_judge *judge)
{
    hf_buf_done(&judge->stored);
    hf_buf_done(&judge->running);
    free(judge->list);
    free(judge->store);
    free(judge);
}

/* The manifest, or one of the index, has this configuration. */
static bool leads_to(const struct hf_images_judge *judge, const char *digest, const char *id, bool nested)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_JSON_MAX_BYTES);
    _cleanup_(hf_json_freep) json_t *root = NULL;
    char *stores[] = {judge->store, NULL}, hex[HF_SHA256_HEX];

    if (atomic_load(&judge->cancel) || !hf_mirror_digest(hf_view_of(digest), hex) ||
        !hf_mirror_store_read(stores, hex, &text) || hf_json_parse(hf_buf_view(&text), NULL, &root, NULL) < 0)
        return false;
    if (id[0] != '\0' && strcmp(hf_json_str_or(json_object_get(root, "config"), "digest", ""), id) == 0)
        return true;
    const json_t *manifests = json_object_get(root, "manifests");
    for (size_t i = 0; !nested && i < json_array_size(manifests); i++)
        if (leads_to(judge, hf_json_str_or(json_array_get(manifests, i), "digest", ""), id, true))
            return true;
    return false;
}

static bool is_listed(void *arg, const char *digest, const char *id)
{
    const struct hf_images_judge *judge = arg;

    return hf_image_keep_has(judge->list, judge->p.uid, digest) && leads_to(judge, digest, id, false);
}

static void work(struct hf_job *job)
{
    struct hf_images_judge *judge = hf_container_of(job, struct hf_images_judge, job);

    judge->r = hf_images_running_judge(hf_buf_view(&judge->stored), hf_buf_view(&judge->running), is_listed, judge,
                                       &judge->found, &judge->err);
}

static void worked(struct hf_job *job, int cancelled)
{
    struct hf_images_judge *judge = hf_container_of(job, struct hf_images_judge, job);

    if (cancelled)
        judge->r = hf_err_sys(&judge->err, -ECANCELED, "compare containers with the list");
    if (!atomic_load(&judge->cancel))
        judge->p.done(judge->p.arg, judge->r, &judge->found, &judge->err);
    judge_free(judge);
}

int hf_images_judge_start(const struct hf_images_judge_params *params, struct hf_buf *stored,
                          struct hf_images_judge **ret_judge)
{
    struct hf_images_judge *judge = calloc(1, sizeof(*judge));

    if (judge == NULL)
        return -ENOMEM;
    *judge = (struct hf_images_judge){.p = *params,
                                      .list = strdup(params->list),
                                      .store = strdup(params->store),
                                      .stored = *stored,
                                      .running = HF_BUF_INIT(params->running.n),
                                      .job = {.work = work, .done = worked},
                                      .err = HF_ERR_INIT};
    *stored = (struct hf_buf)HF_BUF_INIT(stored->max);
    judge->p.list = judge->p.store = NULL;
    judge->p.running = (struct hf_view){.p = NULL};
    int r = judge->list == NULL || judge->store == NULL ? -ENOMEM : 0;
    if (r == 0)
        r = hf_buf_add(&judge->running, params->running.p, params->running.n);
    if (r == 0)
        r = hf_job_submit(params->sched, &judge->job);
    if (r < 0)
        judge_free(judge);
    else
        *ret_judge = judge;
    return r;
}

void hf_images_judge_cancel(struct hf_images_judge *judge)
{
    if (judge != NULL)
        atomic_store(&judge->cancel, true);
}
