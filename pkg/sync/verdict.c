#include "sync/verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"

static void say(struct hf_verdict_part *part, const char *status, const char *reason, const char *format, ...)
    HF_PRINTF(4, 5);
static void say(struct hf_verdict_part *part, const char *status, const char *reason, const char *format, ...)
{
    va_list args;

    part->status = status;
    (void)snprintf(part->reason, sizeof(part->reason), "%s", reason);
    va_start(args, format);
    int n = vsnprintf(part->message, sizeof(part->message), format, args);
    va_end(args);
    /* Cut text must stay UTF-8: an API server refuses anything else. */
    size_t length = HF_MIN((size_t)HF_MAX(n, 0), sizeof(part->message) - 1);
    part->message[hf_utf8_prefix(part->message, length)] = '\0';
}

static bool done(const struct hf_update_status *update)
{
    return update->phase == HF_PHASE_COMMITTED || update->phase == HF_PHASE_INCOMPATIBLE;
}

static bool stuck(const struct hf_update_status *update)
{
    return update->phase == HF_PHASE_ROLLED_BACK || update->phase == HF_PHASE_REJECTED;
}

static const char * or (const char *text, const char *fallback)
{
    return text != NULL && text[0] != '\0' ? text : fallback;
}

/* The update to speak of: a stuck one before one on its way. */
static const struct hf_update_status *worst(const struct hf_verdict_params *params)
{
    const struct hf_update_status *found = NULL;

    for (size_t i = 0; i < params->n_updates; i++) {
        const struct hf_update_status *update = &params->updates[i];
        if (!done(update) && (found == NULL || (stuck(update) && !stuck(found))))
            found = update;
    }
    return found;
}

static void say_update(struct hf_verdict_part *part, const char *status, const struct hf_update_status *update)
{
    say(part, status, or (update->reason, hf_phase_name(update->phase)), "%s %s: %s: %s", update->name,
        or (update->version, "?"), hf_phase_name(update->phase), or (update->message, or (update->reason, "")));
}

static void judge_ready(const struct hf_verdict_params *params, struct hf_verdict *verdict)
{
    const struct hf_update_status *update = worst(params);
    unsigned committed = 0;

    for (size_t i = 0; i < params->n_updates; i++)
        committed += params->updates[i].phase == HF_PHASE_COMMITTED;
    if (update != NULL)
        say_update(&verdict->ready, "False", update);
    else if (params->n_refused > 0)
        say(&verdict->ready, "False", "ObjectRefused", "%s '%s': %s", params->refused[0].kind, params->refused[0].name,
            params->refused[0].text);
    else if (!params->known)
        say(&verdict->ready, "Unknown", "NotSynced", "the desired state has not been heard yet");
    else if (params->n_updates == 0)
        say(&verdict->ready, "True", "NothingSelected", "no update selects this node");
    else
        say(&verdict->ready, "True", "Settled", "%u of %zu updates committed%s%s", committed, params->n_updates,
            or (params->superseded, "")[0] != '\0' ? "; Superseded: " : "", or (params->superseded, ""));
}

void hf_verdict_make(const struct hf_verdict_params *params, struct hf_verdict *ret_verdict)
{
    struct hf_verdict *verdict = ret_verdict;

    *verdict = (struct hf_verdict){0};
    judge_ready(params, verdict);
    for (size_t i = 0; i < params->n_updates; i++) {
        const struct hf_update_status *update = &params->updates[i];
        if (stuck(update) && !verdict->is_stalled) {
            verdict->is_stalled = true;
            say_update(&verdict->stalled, "True", update);
        }
        if (!update->settled && !done(update) && !stuck(update) && !verdict->is_reconciling) {
            verdict->is_reconciling = true;
            say_update(&verdict->reconciling, "True", update);
        }
    }
    if (params->n_refused > 0 && !verdict->is_stalled) {
        verdict->is_stalled = true;
        say(&verdict->stalled, "True", "ObjectRefused", "%s '%s': %s", params->refused[0].kind, params->refused[0].name,
            params->refused[0].text);
    }
}
