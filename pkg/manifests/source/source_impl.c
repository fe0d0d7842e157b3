/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/source/source_impl.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- life -------------------------------------------------------------------------------------------------------- */

static void fire(void *arg)
{
    struct hf_manifest_source *source = arg;

    if (!source->busy && source->kind->turn != NULL)
        source->kind->turn(source);
    else if (source->busy && source->kind->hangs != NULL)
        source->kind->hangs(source);
}

static int copy(const char *text, char **ret)
{
    *ret = text != NULL ? strdup(text) : NULL;
    return text != NULL && *ret == NULL ? -ENOMEM : 0;
}

static void destroy(struct hf_manifest_source *source)
{
    if (source->kind->done != NULL)
        source->kind->done(source);
    free(source->work_dir);
    free(source->revision);
    free(source);
}

int hf_source_open(const struct hf_manifest_source_kind *kind, const struct hf_manifest_source_params *params,
                   struct hf_manifest_source **ret_source, struct hf_err *err)
{
    const struct hf_manifest_env *env = params->env;
    struct hf_manifest_source *source = calloc(1, kind->size);

    if (source == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    source->kind = kind;
    source->p = *params;
    source->backoff = (struct hf_backoff){.base_ns = env->retry_base_ns, .cap_ns = env->retry_cap_ns};
    source->timer = hf_timer_new(env->world.sched, fire, source);
    int r = source->timer == NULL ? -ENOMEM : copy(params->work_dir, &source->work_dir);
    if (r == 0)
        r = copy(params->known_revision, &source->revision);
    source->p.work_dir = source->work_dir;
    source->p.known_revision = source->revision;
    if (r < 0)
        r = hf_err_set(err, ENOMEM, "out of memory");
    else if (kind->start != NULL)
        r = kind->start(source, err);
    if (r < 0) {
        hf_source_close(source);
        return r;
    }
    hf_source_again(source, 0);
    *ret_source = source;
    return 0;
}

void hf_source_close(struct hf_manifest_source *source)
{
    assert(!source->freed);
    hf_timer_free(source->p.env->world.sched, source->timer);
    source->timer = NULL;
    source->freed = true;
    if (source->kind->stop != NULL)
        source->kind->stop(source);
    if (!source->busy)
        destroy(source);
}

/* ---- jobs and timers --------------------------------------------------------------------------------------------- */

static void worked(struct hf_job *job, int cancelled)
{
    struct hf_manifest_source *source = hf_container_of(job, struct hf_manifest_source, job);

    source->busy = false;
    if (source->freed) {
        destroy(source);
        return;
    }
    hf_timer_disarm(source->p.env->world.sched, source->timer);
    source->kind->worked(source, cancelled);
}

void hf_source_submit(struct hf_manifest_source *source, void (*work)(struct hf_job *job))
{
    struct hf_source_failure failure = {.reason = HF_MANIFEST_REASON_SOURCE_UNREACHABLE};

    assert(!source->busy && !source->freed && source->kind->worked != NULL);
    source->job = (struct hf_job){.work = work, .done = worked, .may_hang = source->kind->hangs != NULL};
    int r = hf_job_submit(source->p.env->world.sched, &source->job);
    source->busy = r == 0;
    if (source->busy && source->kind->hangs != NULL)
        hf_source_again(source, HF_SOURCE_HANGS_NS);
    if (r < 0) {
        (void)hf_err_sys(&failure.err, r, "no worker is available");
        hf_source_report(source, &failure, true, 0);
    }
}

void hf_source_again(struct hf_manifest_source *source, uint64_t delay_ns)
{
    hf_timer_arm(source->p.env->world.sched, source->timer, delay_ns);
}

/* ---- reports ----------------------------------------------------------------------------------------------------- */

void hf_source_unchanged(struct hf_manifest_source *source)
{
    hf_backoff_reset(&source->backoff);
    if (source->p.unchanged != NULL)
        source->p.unchanged(source->p.arg);
}

void hf_source_deliver(struct hf_manifest_source *source, struct hf_bundle *bundle, const char *revision)
{
    char *kept = strdup(revision);

    assert(bundle->sealed && !source->freed);
    hf_backoff_reset(&source->backoff);
    if (kept == NULL) { /* the next look delivers again */
        hf_bundle_free(bundle);
        return;
    }
    free(source->revision);
    source->revision = kept;
    source->p.delivered(source->p.arg, bundle, kept);
}

/* Tells the owner what does not exist. The owner writes the sentence. */
static void report_gone(struct hf_manifest_source *source, const struct hf_err *err)
{
    static const char end[] = " does not exist";
    char what[sizeof(err->cause)];
    size_t n = strlen(err->cause), end_n = sizeof(end) - 1;

    (void)snprintf(what, sizeof(what), "%s", err->cause);
    if (n > end_n && strcmp(what + n - end_n, end) == 0)
        what[n - end_n] = '\0';
    source->p.gone(source->p.arg, what);
}

static bool is_hold(enum hf_manifest_reason reason)
{
    return reason == HF_MANIFEST_REASON_WINDOW_CLOSED || reason == HF_MANIFEST_REASON_LINK_QUOTA_USED ||
           reason == HF_MANIFEST_REASON_CLOCK_UNSURE;
}

void hf_source_report(struct hf_manifest_source *source, const struct hf_source_failure *failure, bool retry,
                      uint64_t at_least_ns)
{
    uint64_t delay_ns = retry ? hf_backoff_next_ns(&source->backoff, source->p.env->world.rng, at_least_ns) : 0;

    source->held = retry && is_hold(failure->reason);
    if (retry)
        hf_source_again(source, delay_ns);
    if (failure->reason == HF_MANIFEST_REASON_SOURCE_GONE)
        report_gone(source, &failure->err);
    else
        source->p.failed(source->p.arg, failure->reason, &failure->err, delay_ns);
}
