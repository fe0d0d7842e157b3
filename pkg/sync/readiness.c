/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/readiness.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/encoding/utf8.h"
#include "base/parse.h"

static void set_part(struct hf_readiness_part *part, const char *status, const char *reason, const char *format, ...)
    HF_PRINTF(4, 5);
static void set_part(struct hf_readiness_part *part, const char *status, const char *reason, const char *format, ...)
{
    va_list args;

    part->status = status;
    (void)snprintf(part->reason, sizeof(part->reason), "%s", reason);
    va_start(args, format);
    int n = vsnprintf(part->message, sizeof(part->message), format, args);
    va_end(args);
    /* An API server refuses text that is not UTF-8: cut between two characters. */
    size_t length = HF_MIN((size_t)HF_MAX(n, 0), sizeof(part->message) - 1);
    part->message[hf_utf8_prefix(part->message, length)] = '\0';
}

/* Room for " and 18446744073709551615 more". */
enum { NAMES_TAIL = 32 };

void hf_readiness_names_add(struct hf_readiness_names *names, const char *name)
{
    size_t more = strlen(name) + (names->n > 0 ? 2 : 0);

    if (names->left_out > 0 || names->n + more >= sizeof(names->text) - NAMES_TAIL)
        names->left_out++;
    else
        names->n += (size_t)snprintf(names->text + names->n, sizeof(names->text) - names->n, "%s%s",
                                     names->n > 0 ? ", " : "", name);
}

const char *hf_readiness_names_text(struct hf_readiness_names *names)
{
    if (names->left_out > 0)
        (void)snprintf(names->text + names->n, sizeof(names->text) - names->n, " and %zu more", names->left_out);
    return names->text;
}

static bool done(const struct hf_update_status *update)
{
    return update->phase == HF_PHASE_COMMITTED || update->phase == HF_PHASE_INCOMPATIBLE;
}

static bool stuck(const struct hf_readiness_params *params, const struct hf_update_status *update)
{
    enum hf_reason reason = hf_reason_of(update->reason != NULL ? update->reason : "");

    if (params->once && update->phase == HF_PHASE_VERIFIED && reason == HF_R_HookFailed)
        return true;
    return update->phase != HF_PHASE_ROLLING_BACK && hf_reason_is_failure(update->phase, reason);
}

/* Waits for the wave that admits it, or for its turn: as the rollout wants it, so nothing is wrong with the node. */
static bool waits_for_rollout(const struct hf_update_status *update)
{
    enum hf_reason reason = hf_reason_of(update->reason != NULL ? update->reason : "");

    return (update->phase == HF_PHASE_WAITING || update->phase == HF_PHASE_VERIFIED) &&
           (reason == HF_R_NotAdmitted || reason == HF_R_TurnPending);
}

static const char * or (const char *text, const char *fallback)
{
    return text != NULL && text[0] != '\0' ? text : fallback;
}

/* Returns the update to report: a stuck one before one that is still running. */
static const struct hf_update_status *worst(const struct hf_readiness_params *params)
{
    const struct hf_update_status *found = NULL;

    for (size_t i = 0; i < params->n_updates; i++) {
        const struct hf_update_status *update = &params->updates[i];
        if (!done(update) && !waits_for_rollout(update) &&
            (found == NULL || (stuck(params, update) && !stuck(params, found))))
            found = update;
    }
    return found;
}

static const struct hf_update_status *first_waiting(const struct hf_readiness_params *params)
{
    for (size_t i = 0; i < params->n_updates; i++)
        if (waits_for_rollout(&params->updates[i]))
            return &params->updates[i];
    return NULL;
}

static void set_update(struct hf_readiness_part *part, const char *status, const struct hf_update_status *update)
{
    set_part(part, status, or (update->reason, hf_phase_name(update->phase)), "%s %s: %s: %s", update->name,
             or (update->version, "?"), hf_phase_name(update->phase), or (update->message, or (update->reason, "")));
}

/* Names release and phase; Ready has the explanation. */
static void point_to_ready(struct hf_readiness_part *part, const struct hf_update_status *update)
{
    set_part(part, "True", or (update->reason, hf_phase_name(update->phase)), "%s %s: %s" HF_READINESS_POINTER,
             update->name, or (update->version, "?"), hf_phase_name(update->phase));
}

static void set_refused(struct hf_readiness_part *part, const char *status, const struct hf_readiness_params *params)
{
    struct hf_readiness_names others = {.n = 0};
    char name[320];

    set_part(part, status, "ObjectRefused", "%s '%s': %s", params->refused[0].kind, params->refused[0].name,
             params->refused[0].text);
    for (size_t i = 1; i < params->n_refused; i++) {
        (void)snprintf(name, sizeof(name), "%s '%s'", params->refused[i].kind, params->refused[i].name);
        hf_readiness_names_add(&others, name);
    }
    if (params->n_refused < 2)
        return;
    /* Leave room for the names of the others. */
    size_t n = strlen(part->message),
           room = sizeof(part->message) - strlen(hf_readiness_names_text(&others)) - sizeof("; also ");
    n = hf_utf8_prefix(part->message, HF_MIN(n, room));
    (void)snprintf(part->message + n, sizeof(part->message) - n, "; also %s", others.text);
}

static void set_settled(struct hf_readiness_part *part, const struct hf_readiness_params *params)
{
    const char *superseded = or (params->superseded, ""), *waiting = or (params->not_admitted, "");
    unsigned committed = 0;

    for (size_t i = 0; i < params->n_updates; i++)
        committed += params->updates[i].phase == HF_PHASE_COMMITTED;
    set_part(part, "True", "Settled", "%u of %zu updates committed%s%s%s%s", committed, params->n_updates,
             superseded[0] != '\0' ? "; Superseded: " : "", superseded, waiting[0] != '\0' ? "; NotAdmitted: " : "",
             waiting);
}

static bool has_text(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static void set_manifests(struct hf_readiness_part *part, const char *status, const struct hf_readiness_params *params)
{
    bool failed = has_text(params->manifests_failed);

    set_part(part, status, failed ? "ManifestsFailed" : "ManifestsPending", "manifests %s",
             failed ? params->manifests_failed : params->manifests_pending);
}

static void judge_ready(const struct hf_readiness_params *params, struct hf_readiness *readiness)
{
    const struct hf_update_status *update = worst(params), *waiting = first_waiting(params);

    readiness->is_waiting = waiting != NULL;
    if (update != NULL)
        set_update(&readiness->ready, "False", update);
    else if (params->n_refused > 0)
        set_refused(&readiness->ready, "False", params);
    else if (has_text(params->manifests_failed) || has_text(params->manifests_pending))
        set_manifests(&readiness->ready, "False", params);
    else if (has_text(params->manifests_troubled))
        set_part(&readiness->ready, "False", params->manifests_trouble, "manifests %s", params->manifests_troubled);
    else if (!params->known)
        set_part(&readiness->ready, "Unknown", "NotSynced", "this node has not received the desired state yet");
    else if (params->n_updates == 0)
        set_part(&readiness->ready, "True", "NothingSelected", "no update selects this node");
    else if (waiting != NULL)
        set_update(&readiness->ready, "True", waiting);
    else
        set_settled(&readiness->ready, params);
}

/* Manifests come after updates and refused objects, which they never hide. */
static void judge_manifests(const struct hf_readiness_params *params, struct hf_readiness *readiness)
{
    bool explained = strncmp(readiness->ready.reason, "Manifests", strlen("Manifests")) == 0;

    if (has_text(params->manifests_failed) && !readiness->is_stalled) {
        readiness->is_stalled = true;
        if (explained)
            set_part(&readiness->stalled, "True", "ManifestsFailed", "manifests" HF_READINESS_POINTER);
        else
            set_manifests(&readiness->stalled, "True", params);
    }
    if (has_text(params->manifests_pending) && !readiness->is_reconciling) {
        readiness->is_reconciling = true;
        set_part(&readiness->reconciling, "True", "ManifestsPending", "manifests %s", params->manifests_pending);
    }
}

void hf_readiness_judge(const struct hf_readiness_params *params, struct hf_readiness *ret_readiness)
{
    struct hf_readiness *readiness = ret_readiness;
    const struct hf_update_status *worst_update = worst(params);

    *readiness = (struct hf_readiness){0};
    judge_ready(params, readiness);
    for (size_t i = 0; i < params->n_updates; i++) {
        const struct hf_update_status *update = &params->updates[i];
        if (stuck(params, update) && !readiness->is_stalled) {
            readiness->is_stalled = true;
            point_to_ready(&readiness->stalled, update); /* a stuck update is the one that Ready explains */
        }
        if (!update->settled && !done(update) && !stuck(params, update) && !readiness->is_reconciling) {
            readiness->is_reconciling = true;
            if (update == worst_update)
                point_to_ready(&readiness->reconciling, update);
            else
                set_update(&readiness->reconciling, "True", update);
        }
    }
    if (params->n_refused > 0 && !readiness->is_stalled) {
        readiness->is_stalled = true;
        if (worst_update == NULL)
            set_part(&readiness->stalled, "True", "ObjectRefused", "%s '%s'" HF_READINESS_POINTER,
                     params->refused[0].kind, params->refused[0].name);
        else
            set_refused(&readiness->stalled, "True", params);
    }
    judge_manifests(params, readiness);
}
