/* The action `probe`: restart or reload the unit, then run the health checks. */
#include <errno.h>
#include <stdio.h>

#include "manifests/entry.h"
#include "update/install/restart.h"

static void verdict(struct entry *entry, bool good, enum hf_manifest_reason reason, const char *text)
{
    make_attempt_free(entry->attempt);
    entry->attempt = NULL;
    advance_event(entry, good ? HF_MANIFEST_EV_HEALTHY : HF_MANIFEST_EV_UNHEALTHY, reason, text);
}

/* ---- checks ------------------------------------------------------------------------------------------------------ */

static void checked(void *arg, const struct hf_health *health)
{
    struct entry *entry = arg;
    bool good = health->verdict == HF_HEALTH_PASSED;
    enum hf_manifest_reason passed =
        entry->attempt->health_unknown ? HF_MANIFEST_REASON_HEALTH_UNKNOWN : HF_MANIFEST_REASON_HEALTH_PASSED;
    char text[HF_RECORD_MESSAGE];

    entry->checks = NULL;
    entry->busy = false;
    (void)snprintf(text, sizeof(text), "%s",
                   good ? entry->r.message
                   : entry->attempt->place.secret
                       ? "a health check failed; its output may name the secret, so it is not shown"
                       : health->message);
    verdict(entry, good, good ? passed : HF_MANIFEST_REASON_HEALTH_FAILED, text);
}

void trial_check(struct entry *entry)
{
    const struct hf_manifest_env *env = &entry->engine->p.env;
    const struct hf_manifest *manifest = entry->attempt->entry;
    struct hf_checks_params params = {.clock = env->clock,
                                      .sched = env->sched,
                                      .http = env->http,
                                      .proc = env->proc,
                                      .probe = env->probe,
                                      .unit = env->unit,
                                      .checks = manifest->checks,
                                      .n = manifest->n_checks,
                                      .deadline_ns = manifest->health_deadline_ns,
                                      .done = checked,
                                      .arg = entry};
    struct hf_err err = HF_ERR_INIT;
    char text[HF_RECORD_MESSAGE];

    if (manifest->n_checks == 0) {
        (void)snprintf(text, sizeof(text), "%s", entry->r.message);
        verdict(entry, true,
                entry->attempt->health_unknown ? HF_MANIFEST_REASON_HEALTH_UNKNOWN : HF_MANIFEST_REASON_APPLIED, text);
        return;
    }
    entry->busy = true;
    if (hf_checks_start(&params, &entry->checks, &err) == 0)
        return;
    entry->busy = false;
    verdict(entry, false, HF_MANIFEST_REASON_HEALTH_FAILED, hf_err_text(&err, text, sizeof(text)));
}

/* ---- restart ----------------------------------------------------------------------------------------------------- */

static void restarted(void *arg, int r, const struct hf_err *err)
{
    struct entry *entry = arg;
    char text[HF_RECORD_MESSAGE];

    entry->unit_call = NULL;
    entry->busy = false;
    if (r < 0) {
        verdict(entry, false, HF_MANIFEST_REASON_RESTART_FAILED, hf_err_text(err, text, sizeof(text)));
        return;
    }
    entry->r.restarted = true;
    trial_check(entry);
}

void trial_start(struct entry *entry)
{
    struct hf_err err = HF_ERR_INIT;
    char text[HF_RECORD_MESSAGE];

    entry->attempt = make_attempt(entry, &entry->r.next);
    if (entry->attempt == NULL) {
        advance_back_off(entry);
        advance_event(entry, HF_MANIFEST_EV_FAILED, HF_MANIFEST_REASON_WRITE_FAILED, "out of memory");
        return;
    }
    if (entry->r.starts > HF_RECORD_MAX_STARTS) {
        verdict(entry, false, HF_MANIFEST_REASON_HEALTH_FAILED, "the agent started too often before the checks ended");
        return;
    }
    int r = unit_call_start(entry, &entry->r.next, restarted, &err);
    if (r == 0)
        return;
    if (r > 0) {
        trial_check(entry);
        return;
    }
    verdict(entry, false, HF_MANIFEST_REASON_RESTART_FAILED, hf_err_text(&err, text, sizeof(text)));
}
